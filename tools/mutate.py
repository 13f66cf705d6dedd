"""Check that the tests notice wrong formulas: change one character at a time and run the tests meant for it.

`python tools/mutate.py` applies each row of tools/mutations.txt to a temporary copy of the tree, rebuilds what is
compiled, and runs the tests that the row names. They must fail: a mutation that survives is a formula that nothing
checks. The tests must pass in the copy before anything is changed. `--check` only says whether every row still fits
the tree, `--list` shows the rows, `--native` and `--python` take those of C++ or of Python, and `--only WORD...` those
with one of the words in their name or file. The exit status is 0 if every mutation was noticed.

A row of the table is a line with its name, AREA.WHAT, and its file, a line with the tests, and a line with a part of
the file that occurs there once, in which `<<a|b>>` stands for the character a that is replaced by b.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "tools" / "mutations.txt"
MARK = re.compile(r"<<(.)\|(.)>>")
NAME = re.compile(r"[a-z]+\.[a-z0-9-]+")

# What pytest returns where tests ran and some failed; its other numbers but 0 mean that they could not run.
FAILED = 1


@dataclass(frozen=True)
class Mutation:
    """One character to replace in one formula, and the tests that must fail then."""

    name: str
    path: str
    tests: str
    before: str
    after: str

    @property
    def area(self) -> str:
        """The first word of the name."""
        return self.name.split(".")[0]

    @property
    def is_native(self) -> bool:
        """Whether the module must be rebuilt."""
        return self.path.startswith("csrc/")

    @property
    def pattern(self) -> tuple[str, str]:
        """The file of the tests, and the expression that selects among them."""
        file, _, expression = self.tests.partition(" -k ")
        return file, expression.strip('"')

    def apply(self, text: str) -> str:
        """Return the text of the file with the mutation in it.

        Raises:
            ValueError: if the part to change does not occur in it exactly once.
        """
        count = text.count(self.before)
        if count != 1:
            raise ValueError(f"{self.name}: occurs {count} times in {self.path}, not once: {self.before}")
        return text.replace(self.before, self.after)


def read_table(text: str) -> list[Mutation]:
    """Return the rows of a table.

    Raises:
        ValueError: if a row has not three lines, a name that is none or is taken, or no single change.
    """
    rows: list[Mutation] = []
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for head, tests, change in zip(lines[::3], lines[1::3], lines[2::3], strict=False):
        name, _, path = head.partition(" ")
        marks = MARK.findall(change)
        if not NAME.fullmatch(name) or any(row.name == name for row in rows):
            raise ValueError(f"a row needs a name AREA.WHAT of its own. Received: {head}")
        if len(marks) != 1 or marks[0][0] == marks[0][1]:
            raise ValueError(f"{name}: needs one change, as <<a|b>>. Received: {change}")
        rows.append(Mutation(name, path.strip(), tests, MARK.sub(r"\1", change), MARK.sub(r"\2", change)))
    if len(lines) % 3:
        raise ValueError(f"a row has three lines; the last is incomplete: {lines[-1]}")
    return rows


def find_misfits(rows: Sequence[Mutation], root: Path) -> list[str]:
    """Return a message for each row whose file or tests are not there, or whose part is not there exactly once."""
    problems = []
    for row in rows:
        try:
            row.apply((root / row.path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            problems.append(str(error))
        if not (root / row.pattern[0]).is_file():
            problems.append(f"{row.name}: there is no file of tests {row.pattern[0]}")
    return problems


class Copy:
    """A copy of the tree in a folder of its own, in which mutations are tried."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder = folder
        listed = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        for name in subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split("\0"):
            if name and (root / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, folder / name)
        self._stale = False
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(folder / "python"),
            "CCACHE_BASEDIR": str(folder),
            "CCACHE_NOHASHDIR": "1",
        }

    def configure(self) -> None:
        """Prepare the build of the module: one tier, little optimised, as it is rebuilt for every mutation."""
        launcher = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        self._run(
            [
                "cmake", "-G", "Ninja", "-S", ".", "-B", "build", "-DCMAKE_BUILD_TYPE=Debug", "-DFASTGD_IN_PLACE=ON",
                "-DCMAKE_CXX_FLAGS_DEBUG=-O1", "-DFASTGD_ONLY_TIERS=generic", *launcher,
            ]
        )  # fmt: skip

    def build(self) -> None:
        """Bring the module up to date."""
        self._run(["cmake", "--build", "build", "--target", "_core"])
        self._stale = False

    def adopt_module(self, root: Path) -> bool:
        """Take over the module of an in-place build, if the tree has one."""
        modules = list((root / "python" / "fastgd").glob("_core.*.so"))
        for module in modules:
            shutil.copy2(module, self.folder / "python" / "fastgd" / module.name)
        return bool(modules)

    def test(self, file: str, expression: str) -> tuple[int, str]:
        """Return pytest's exit status and output for some tests."""
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=line", file]
        command += ["-k", expression] if expression else []
        done = subprocess.run(command, cwd=self.folder, env=self._environment, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    @contextmanager
    def mutated(self, row: Mutation) -> Iterator[None]:
        """Hold a mutation in the copy for a while."""
        path = self.folder / row.path
        original = path.read_text(encoding="utf-8")
        self._write(path, row.apply(original))
        try:
            # After a mutation of C++ the module still holds it.
            if row.is_native or self._stale:
                self.build()
            yield
        finally:
            self._write(path, original)
            self._stale |= row.is_native

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        # Python tells a file that has changed from its compiled form by the second and the size, which may both agree.
        Path(cache_from_source(str(path))).unlink(missing_ok=True)

    def _run(self, command: Sequence[str]) -> None:
        done = subprocess.run(command, cwd=self.folder, env=self._environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{shlex.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")


def find_failing(copy: Copy, rows: Sequence[Mutation]) -> list[str]:
    """Return the output of those tests that fail though nothing has been changed; each file of tests runs once."""
    expressions: dict[str, set[str]] = {}
    for row in rows:
        file, expression = row.pattern
        expressions.setdefault(file, set()).add(expression)
    failing = []
    for file, wanted in expressions.items():
        status, output = copy.test(file, "" if "" in wanted else " or ".join(f"({each})" for each in sorted(wanted)))
        if status:
            failing.append(output[-2000:])
    return failing


def try_mutation(copy: Copy, row: Mutation) -> str:
    """Return what became of a mutation: noticed, survived, or why that cannot be said."""
    try:
        with copy.mutated(row):
            status, _ = copy.test(*row.pattern)
    except RuntimeError as error:
        return f"not built: {error}"
    return {0: "survived", FAILED: "noticed"}.get(status, f"tests did not run: pytest returned {status}")


def run(rows: Sequence[Mutation], console: Console) -> bool:
    """Try all rows, show what became of each, and return whether all were noticed."""
    results: dict[Mutation, str] = {}
    with tempfile.TemporaryDirectory(prefix="fastgd-mutate-") as folder:
        copy = Copy(ROOT, Path(folder))
        if any(row.is_native for row in rows) or not copy.adopt_module(ROOT):
            console.print("building the copy")
            copy.configure()
            copy.build()
        console.print("running the tests on the unchanged copy")
        for output in (failing := find_failing(copy, rows)):
            console.print(output, markup=False)
        if failing:
            console.print("[red]tests fail before anything is changed")
            return False
        # Those of one file stand together, so that no other file is compiled twice on their account.
        for row in sorted(rows, key=lambda row: row.path):
            results[row] = try_mutation(copy, row)
            console.print(f"{len(results)}/{len(rows)} {row.name}: {results[row]}", markup=False)
    table = Table(Column("mutation", no_wrap=True), Column("file", overflow="fold"), "from", "to", "result")
    for row, result in results.items():
        start = next(i for i, (a, b) in enumerate(zip(row.before, row.after, strict=True)) if a != b)
        style = "green" if result == "noticed" else "red"
        table.add_row(row.name, row.path, row.before[start], row.after[start], result, style=style)
    console.print(table)
    areas = Counter((row.area, results[row] == "noticed") for row in rows)
    for area in sorted({row.area for row in rows}):
        console.print(f"{area}: {areas[area, True]} of {areas[area, True] + areas[area, False]} noticed")
    noticed = sum(result == "noticed" for result in results.values())
    console.print(f"{noticed} of {len(rows)} noticed")
    return noticed == len(rows)


def main(arguments: Sequence[str]) -> int:
    """Check the table, list it, or try its mutations."""
    parser = argparse.ArgumentParser(description="Check that the tests notice one-character changes of formulas.")
    parser.add_argument("--check", action="store_true", help="only check that every row fits the tree")
    parser.add_argument("--list", action="store_true", help="only list the rows")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="rows with one of these in their name or file")
    sides = parser.add_mutually_exclusive_group()
    sides.add_argument("--native", action="store_true", help="rows of C++ only")
    sides.add_argument("--python", action="store_true", help="rows of Python only")
    options = parser.parse_args(arguments)
    console = Console()
    rows = read_table(TABLE.read_text(encoding="utf-8"))
    if options.native or options.python:
        rows = [row for row in rows if row.is_native == options.native]
    if options.only:
        rows = [row for row in rows if any(word in row.name or word in row.path for word in options.only)]
    if not rows:
        parser.error("no row is left")
    if options.list:
        for row in rows:
            console.print(f"{row.name} {row.path}: {row.before} -> {row.after}", markup=False, soft_wrap=True)
        return 0
    problems = find_misfits(rows, ROOT)
    for problem in problems:
        console.print(problem, markup=False, soft_wrap=True)
    if problems or options.check:
        console.print(f"{len(rows)} mutations; problems: {len(problems)}")
        return 1 if problems else 0
    return 0 if run(rows, console) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
