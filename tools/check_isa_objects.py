"""Check that no compiled tier can leak into another, nor be entered but through its table.

`python tools/check_isa_objects.py BUILD_DIR...` reads, with `nm`, every object file below the given folders. In the
kernel libraries it fails on weak or unique symbols (the linker might pick an AVX-512 copy of one for the baseline
path), on anything exported outside the tier's own namespace, and on references to anything but that namespace and
plain C functions. In all other objects it fails on a reference into a tier to anything but its table.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

# CMake's folder for the object library of one tier; cmake/FastgdIsa.cmake chooses the name.
TIER_FOLDER = re.compile(r"fastgd_kernels_([a-z0-9]+)\.dir")

# A weak, a unique and a common symbol: all that the linker merges across objects.
MERGED = frozenset("WwVvuC")

# C++ names are mangled; the runtimes have prefixes of their own.
FOREIGN = re.compile(r"_Z|__cxa_|__gxx_|_Unwind_|GOMP_|GOACC_|omp_|__kmpc_|__tls_|__cpu_")


def check_tier(tier: str, symbols: Iterable[tuple[str, str]]) -> list[str]:
    """Return a message for each of the (name, nm type) pairs that an object of `tier` must not have."""
    own = _namespace(tier)
    problems = []
    for name, kind in symbols:
        if kind in MERGED:
            problems.append(f"{name}: weak, unique or common ({kind}): put it into the anonymous namespace")
        elif kind == "U":
            if FOREIGN.match(name) and not name.startswith(own):
                problems.append(f"{name}: a reference out of the tier")
        elif kind.isupper() and not name.startswith(own):
            problems.append(f"{name}: exported ({kind}) outside the namespace fastgd::{tier}")
    return problems


def check_outside(tiers: Iterable[str], symbols: Iterable[tuple[str, str]]) -> list[str]:
    """Return a message for each reference that an object outside all `tiers` makes into one, past its table."""
    namespaces = tuple(_namespace(tier) for tier in tiers)
    tables = {f"{namespace}6kTableE" for namespace in namespaces}
    return [
        f"{name}: a reference into a tier; only its kTable is open to others"
        for name, _ in symbols
        if name.startswith(namespaces) and name not in tables
    ]


def _namespace(tier: str) -> str:
    # How the names in fastgd::<tier> begin once mangled.
    return f"_ZN6fastgd{len(tier)}{tier}"


def read_symbols(path: Path) -> list[tuple[str, str]]:
    """Return the (name, nm type) pairs of an object file."""
    command = [shutil.which("nm") or "nm", "--format=posix", str(path)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [(fields[0], fields[1]) for fields in map(str.split, output.splitlines()) if len(fields) >= 2]


def main(arguments: list[str]) -> int:
    """Check the objects below each folder of `arguments`."""
    if not arguments:
        print("usage: check_isa_objects.py BUILD_DIR...", file=sys.stderr)
        return 2
    paths = sorted(path for folder in arguments for path in Path(folder).rglob("*.o"))
    tier_of = {path: match[1] for path in paths if (match := TIER_FOLDER.search(path.as_posix()))}
    if not tier_of:
        print(f"no object files of fastgd_kernels_* below {', '.join(arguments)}", file=sys.stderr)
        return 1
    tiers = sorted(set(tier_of.values()))
    failed = False
    for path in paths:
        symbols = read_symbols(path)
        found = check_tier(tier_of[path], symbols) if path in tier_of else check_outside(tiers, symbols)
        for problem in found:
            print(f"{path}: {problem}")
            failed = True
    if not failed:
        print(f"{len(tier_of)} objects of the tiers {', '.join(tiers)} keep to themselves")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
