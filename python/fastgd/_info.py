"""What is installed and what this machine can do: the text behind `fastgd.show_versions()` and `fastgd info`."""

from __future__ import annotations

import platform
import sys
from typing import Any, TextIO

import numpy as np

from fastgd import runtime

# Long enough for a clock that speeds up under load, short enough to wait for.
SECONDS_PER_MEASUREMENT = 0.1


def show_versions(file: TextIO | None = None) -> None:
    """Print versions, the instruction set in use, threads, and the measured limits of this machine.

    The limits are measured anew in each call, which takes less than a second: the peak of fused multiply-adds out of
    registers (two operations each) and the bandwidth of memory. They are what the speed of training compares with.

    Args:
        file: where to print; standard output if not given.

    Raises:
        ImportError: the native module is not built.

    Example:
        >>> fastgd.show_versions()
    """
    rows = [*_software(), *_limits()]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:{width}}  {value}", file=file or sys.stdout)


def _software() -> list[tuple[str, str]]:
    build = dict(runtime.build_info())
    others = [name for name in runtime.available_isas() if name != runtime.isa()]
    return [
        ("fastgd", str(build.pop("version"))),
        *((name.replace("_", " "), str(value)) for name, value in build.items()),
        ("instruction set", f"{runtime.isa()} (also available: {', '.join(others) or 'none'})"),
        ("threads", str(runtime.get_num_threads())),
        ("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        ("NumPy", f"{np.__version__}, BLAS {_blas()}"),
    ]


def _limits() -> list[tuple[str, str]]:
    isa = runtime.isa()
    threads = runtime.get_num_threads()
    rows = []
    for dtype in ("float32", "float64"):
        for count in sorted({1, threads}):
            peak, loaded = (
                runtime.peak_flops(isa, dtype, count, SECONDS_PER_MEASUREMENT, loads) / 1e9 for loads in (False, True)
            )
            what = f"FMA peak, {dtype}, {_threads(count)}"
            rows.append((what, f"{peak:.1f} GFLOP/s ({loaded:.1f} with a product's loads)"))
    for count in sorted({1, threads}):
        rate = runtime.bandwidth(count, SECONDS_PER_MEASUREMENT)
        rows.append((f"memory bandwidth, {_threads(count)}", f"{rate / 1e9:.1f} GB/s"))
    return rows


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"


def _blas() -> str:
    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
