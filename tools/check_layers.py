"""Check include and import lines against the tables of docs/architecture.md: who may use whom.

Run from anywhere: `python tools/check_layers.py [root]`. Prints `file:line: message` for each breach and exits with 1.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

# ---- C++: for each folder of csrc, the project's folders and headers that it may include, and the system headers.


@dataclass(frozen=True)
class Folder:
    """What the sources of one folder may include."""

    project: frozenset[str]
    # A pattern that every `<...>` header must match in full.
    system: str
    # False where the files of the folder must not know each other; such a file may still include its own header.
    siblings: bool = True


PLAIN_TYPES = r"cstddef|cstdint"
INTRINSICS = r"immintrin\.h|arm_neon\.h"
# The C++ library and POSIX: everything that is neither OpenMP, nor pybind11, nor Python, nor intrinsics.
LIBRARY = r"(?!(omp\.h|pybind11/.*|Python\.h|immintrin\.h|arm_neon\.h)$).*"

# Whoever calls kernels does so through the table's contract, never through a tier.
KERNEL_USERS = frozenset({"base", "threads", "dispatch", "kernels/kernels.h"})

CPP_FOLDERS = {
    "base": Folder(frozenset(), LIBRARY),
    "simd": Folder(frozenset({"base/types.h"}), f"{PLAIN_TYPES}|{INTRINSICS}"),
    "kernels": Folder(
        frozenset({"simd", "base/types.h", "base/losses.h", "base/linear_steps.h", "base/half.h", "base/windows.h"}),
        PLAIN_TYPES,
    ),
    "dispatch": Folder(frozenset({"kernels/kernels.h", "kernels/tables.h", "base"}), LIBRARY),
    "threads": Folder(frozenset({"base"}), LIBRARY),
    # Of each other's headers ops see what all share, and matmul, the one op that others build on.
    "ops": Folder(
        KERNEL_USERS
        | {"ops/op.h", "ops/register.h", "ops/registry.h", "ops/op_list.inc", "ops/per_sample.h", "ops/broadcast.h"}
        | {
            "ops/matmul.h",
            "ops/split_product.h",
            "ops/along_axis.h",
            "ops/loops.h",
            "ops/strided_copy.h",
            "ops/folding.h",
            "ops/tabular.h",
        }
        | {
            "ops/convolution.h",
            "ops/correlation.h",
            "ops/recurrent.h",
            "ops/recurrent_layout.h",
            "ops/window.h",
            "ops/winograd.h",
            "ops/taps.h",
        }
        | {"ops/images.h", "ops/max_pooling.h", "ops/windows.h", "ops/weighted_windows.h"}
        | {"ops/channels.h", "ops/channel_norm.h", "ops/fixed_lines.h", "ops/masked.h", "ops/row_norm.h"},
        LIBRARY,
        siblings=False,
    ),
    "engine": Folder(KERNEL_USERS | {"ops/op.h", "ops/registry.h"}, LIBRARY),
    "bindings": Folder(
        frozenset({"engine", "dispatch", "threads", "base", "ops/registry.h", "ops/matmul.h"}), f"{LIBRARY}|pybind11/.*"
    ),
}

# Single files with a rule of their own, instead of their folder's.
CPP_FILES = {
    "base/types.h": Folder(frozenset(), PLAIN_TYPES),
    "base/losses.h": Folder(frozenset({"base/types.h"}), PLAIN_TYPES),
    "base/linear_steps.h": Folder(frozenset({"base/losses.h"}), PLAIN_TYPES),
    "base/half.h": Folder(frozenset(), PLAIN_TYPES),
    "base/windows.h": Folder(frozenset({"base/types.h"}), PLAIN_TYPES),
    # The one file that knows OpenMP; its spin loop pauses with an intrinsic.
    "threads/team.cpp": Folder(frozenset({"base"}), rf"{LIBRARY}|omp\.h|{INTRINSICS}"),
}

# ---- Python: for each module or package directly under fastgd, those it may import. "fastgd" is the public names.

BASE = frozenset({"config", "plan", "utils"})
PARTS = frozenset(
    {
        "activations",
        "callbacks",
        "constraints",
        "initializers",
        "layers",
        "losses",
        "metrics",
        "optimizers",
        "regularizers",
    }
)
MODELS = BASE | PARTS | {"ops", "runtime", "models"}

PYTHON_UNITS: dict[str, frozenset[str]] = {
    "config": frozenset({"runtime"}),
    "plan": frozenset(),
    "utils": frozenset({"config", "plan"}),
    "reference": frozenset({"plan"}),
    "runtime": frozenset({"_core", "reference"}) | BASE,
    "_info": frozenset({"runtime"}),
    "kernels": frozenset({"runtime", "utils"}),
    "ops": BASE | {"runtime"},
    "random": BASE | {"ops"},
    **{part: BASE | PARTS | {"ops"} for part in PARTS},
    # Those that write files import saving when they do.
    "callbacks": BASE | PARTS | {"ops", "saving"},
    # Saving and ONNX know the models; their methods import these when they are called.
    "models": MODELS | {"saving", "interop"},
    "datasets": frozenset({"utils"}),
    "preprocessing": frozenset({"utils"}),
    "saving": MODELS,
    "testing": MODELS | {"saving"},
    "estimators": MODELS | {"saving", "fastgd"},
    "interop": MODELS | {"saving", "fastgd"},
    "bench": MODELS | {"saving", "kernels", "fastgd"},
    "tabular": MODELS | {"saving", "datasets"},
    "cli": MODELS | {"saving", "datasets", "_info", "fastgd", "bench", "tabular"},
    "__main__": frozenset({"cli"}),
    "fastgd": MODELS
    | {"saving", "estimators", "interop", "datasets", "preprocessing", "random"}
    | {"_info", "kernels", "tabular", "testing"},
}

# Distributions beside the standard library: where each may be imported, and where already when its importer is loaded.
# Elsewhere the import belongs into the function that needs it, so that `import fastgd` stays quick.
EVERYWHERE = frozenset(PYTHON_UNITS)


@dataclass(frozen=True)
class Distribution:
    """Where a third-party distribution may be imported, and where also at module level."""

    units: frozenset[str]
    eager: frozenset[str] = frozenset()


DISTRIBUTIONS = {
    "numpy": Distribution(EVERYWHERE, EVERYWHERE),
    "narwhals": Distribution(frozenset({"models"})),
    "rich": Distribution(frozenset({"bench", "callbacks", "cli", "models", "utils"}), frozenset({"bench", "cli"})),
    "typer": Distribution(frozenset({"cli"}), frozenset({"cli"})),
    # Nobody imports the estimators who does not use scikit-learn, which brings the others along.
    "sklearn": Distribution(frozenset({"estimators", "bench", "tabular"}), frozenset({"estimators"})),
    **{name: Distribution(frozenset({"estimators"}), frozenset({"estimators"})) for name in ("joblib", "scipy")},
    "threadpoolctl": Distribution(frozenset({"bench", "estimators"}), frozenset({"estimators"})),
    "safetensors": Distribution(frozenset({"saving"})),
    "h5py": Distribution(frozenset({"saving", "tabular"})),
    "pandas": Distribution(frozenset({"tabular"})),
    "onnx": Distribution(frozenset({"interop"})),
    "torch": Distribution(frozenset({"interop", "bench"})),
    "keras": Distribution(frozenset({"interop", "bench"})),
    # What only the benchmarks meet: opponents, and what describes and draws them.
    **{name: Distribution(frozenset({"bench"})) for name in ("jax", "tensorflow", "fastgd_cython_mlp", "matplotlib")},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"(?P<project>[^"]+)"|<(?P<system>[^>]+)>)')


@dataclass(frozen=True)
class Import:
    """One module named by an import statement."""

    target: str
    line: int
    lazy: bool


def check(root: Path) -> list[str]:
    """Return one message per breach in `root`/csrc and `root`/python/fastgd."""
    return [*check_cpp(root), *check_python(root)]


def check_cpp(root: Path) -> Iterator[str]:
    """Yield a message for every include line that the tables forbid."""
    csrc = root / "csrc"
    for path in sorted(p for p in csrc.rglob("*") if p.suffix in {".h", ".cpp", ".inc"}):
        name = path.relative_to(csrc).as_posix()
        folder = name.split("/")[0]
        rule = CPP_FILES.get(name) or CPP_FOLDERS.get(folder)
        if rule is None:
            yield f"{path.relative_to(root)}:1: the folder {folder} has no row in CPP_FOLDERS"
            continue
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(text)
            if match is None:
                continue
            problem = (
                _system_problem(match["system"], rule)
                if match["system"]
                else _project_problem(match["project"], path, csrc, rule)
            )
            if problem:
                yield f"{path.relative_to(root)}:{number}: {problem}"


def _system_problem(header: str, rule: Folder) -> str:
    return "" if re.fullmatch(rule.system, header) else f"<{header}> may not be included here"


def _project_problem(header: str, path: Path, csrc: Path, rule: Folder) -> str:
    if not (csrc / header).is_file():
        return f'"{header}" is no path below csrc (write the folder too)'
    folder = header.split("/")[0]
    is_own_folder = (csrc / folder) == path.parent
    is_own_header = is_own_folder and Path(header).stem == path.stem
    allowed = folder in rule.project or header in rule.project or is_own_header or (is_own_folder and rule.siblings)
    return "" if allowed else f'"{header}" may not be included here'


def check_python(root: Path) -> Iterator[str]:
    """Yield a message for every import line that the tables forbid, and one if units import each other in a circle."""
    package = root / "python" / "fastgd"
    # Unit -> unit -> the place of one module-level import, from which circles are told.
    edges: dict[str, dict[str, str]] = {}
    for path in sorted(package.rglob("*.py")):
        unit = _unit_of(path, package)
        shown = path.relative_to(root)
        if unit not in PYTHON_UNITS:
            yield f"{shown}:1: the unit {unit} has no row in PYTHON_UNITS"
            continue
        try:
            imports = list(_imports(path, package))
        except SyntaxError as error:
            yield f"{shown}:{error.lineno}: {error.msg}"
            continue
        for found in imports:
            place = f"{shown}:{found.line}"
            top, *rest = found.target.split(".")
            if top != "fastgd":
                problem = _distribution_problem(top, unit, found.lazy)
                if problem:
                    yield f"{place}: {problem}"
                continue
            other = rest[0] if rest else "fastgd"
            if other == unit:
                continue
            if other not in PYTHON_UNITS[unit]:
                yield f"{place}: {unit} may not import {'the public fastgd' if other == 'fastgd' else other}"
            if not found.lazy:
                edges.setdefault(unit, {}).setdefault(other, place)
    circle = _find_circle({unit: sorted(others) for unit, others in edges.items()})
    if circle:
        places = ", ".join(edges[a][b] for a, b in pairwise(circle))
        yield f"import circle {' -> '.join(circle)} ({places})"


def _unit_of(path: Path, package: Path) -> str:
    parts = path.relative_to(package).with_suffix("").parts
    return "fastgd" if parts == ("__init__",) else parts[0]


def _imports(path: Path, package: Path) -> Iterator[Import]:
    module = ["fastgd", *path.relative_to(package).with_suffix("").parts]
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    yield from _walk(tree, module[:-1], package, lazy=False)


def _walk(node: ast.AST, parent: list[str], package: Path, lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, lazy)
        elif isinstance(child, ast.ImportFrom):
            base = parent[: len(parent) - child.level + 1] if child.level else []
            source = ".".join([*base, *([child.module] if child.module else [])])
            for alias in child.names:
                # `from fastgd import plan` names a module, `from fastgd import Model` a public name.
                is_module = source == "fastgd" and _is_unit(package, alias.name)
                yield Import(f"fastgd.{alias.name}" if is_module else source, child.lineno, lazy)
        elif isinstance(child, ast.Call) and ast.unparse(child.func).endswith(("import_module", "import_extra")):
            if child.args and isinstance(child.args[0], ast.Constant) and isinstance(child.args[0].value, str):
                yield Import(child.args[0].value, child.lineno, lazy)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            # Names for annotations only: they are never imported when the program runs.
            for other in child.orelse:
                yield from _walk(other, parent, package, lazy)
        else:
            inside = lazy or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from _walk(child, parent, package, inside)


def _is_unit(package: Path, name: str) -> bool:
    return (package / name).is_dir() or (package / f"{name}.py").is_file() or name == "_core"


def _distribution_problem(top: str, unit: str, lazy: bool) -> str:
    if top in sys.stdlib_module_names:
        return ""
    rule = DISTRIBUTIONS.get(top)
    if rule is None:
        return f"{top} has no row in DISTRIBUTIONS"
    if unit == "reference" and top != "numpy":
        return f"reference may not import {top}"
    if unit not in rule.units:
        return f"{unit} may not import {top}"
    if not lazy and unit not in rule.eager:
        return f"{unit} may import {top} only inside a function"
    return ""


def _find_circle(graph: dict[str, list[str]]) -> list[str]:
    """Return one circle as a path that ends where it begins, or nothing."""
    done: set[str] = set()

    def visit(unit: str, path: list[str]) -> list[str]:
        if unit in path:
            return [*path[path.index(unit) :], unit]
        if unit in done:
            return []
        for other in graph.get(unit, []):
            found = visit(other, [*path, unit])
            if found:
                return found
        done.add(unit)
        return []

    for unit in sorted(graph):
        found = visit(unit, [])
        if found:
            return found
    return []


def main(arguments: list[str]) -> int:
    """Check the tree at `arguments[0]`, or the one this file stands in."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    problems = check(root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
