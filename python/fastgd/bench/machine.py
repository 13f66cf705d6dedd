"""The machine that a run was made on: processor, measured limits, versions, load."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import numpy as np

from fastgd import runtime
from fastgd.bench.results import Bandwidth, Machine, Peak
from fastgd.bench.roofline import Limits

# The distributions whose versions belong to the results.
DISTRIBUTIONS = (
    "numpy", "torch", "jax", "jaxlib", "keras", "tensorflow", "tensorflow-cpu", "scikit-learn", "threadpoolctl",
    "fastgd-cython-mlp",
)  # fmt: skip

CPUINFO = Path("/proc/cpuinfo")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


def describe_machine(threads: int, seconds: float) -> Machine:
    """Return the machine block, with limits measured for one thread and for `threads`.

    Args:
        threads: the threads of the run.
        seconds: how long to measure each limit.
    """
    load = list(os.getloadavg())
    fields = _read_cpuinfo()
    clocks = [float(block["cpu MHz"]) for block in fields if "cpu MHz" in block]
    cores = {(block.get("physical id"), block["core id"]) for block in fields if "core id" in block}
    logical = os.cpu_count() or 1
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    counts = sorted({1, threads})
    return Machine(
        processor=_name_processor(fields),
        architecture=platform.machine(),
        system=f"{platform.system()} {platform.release()}",
        logical_cores=logical,
        physical_cores=len(cores) or logical,
        usable_cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical,
        clock_mhz=float(np.median(clocks)) if clocks else None,
        cache_bytes=_read_caches(),
        memory_bytes=pages,
        load_average=load,
        isa=runtime.isa(),
        peaks=list(_measure_peaks(counts, seconds)),
        bandwidths=[Bandwidth(threads=count, gigabytes=runtime.bandwidth(count, seconds) / 1e9) for count in counts],
        versions=dict(_find_versions()),
    )


def limits_of(machine: Machine, dtype: str, threads: int) -> Limits:
    """Return the limits for a workload from a machine block."""
    gflops = [
        peak["gflops"]
        for peak in machine["peaks"]
        if (peak["isa"], peak["dtype"], peak["threads"]) == (machine["isa"], dtype, threads)
    ]
    gigabytes = [found["gigabytes"] for found in machine["bandwidths"] if found["threads"] == threads]
    last = max(machine["cache_bytes"].values(), default=0)
    return Limits(gflops[0] * 1e9, gigabytes[0] * 1e9, last)


def _measure_peaks(counts: Iterable[int], seconds: float) -> Iterable[Peak]:
    for isa in runtime.available_isas():
        for dtype in ("float32", "float64"):
            for count in counts:
                rate = runtime.peak_flops(isa, dtype, count, seconds)
                yield Peak(isa=isa, dtype=dtype, threads=count, gflops=rate / 1e9)


def _find_versions() -> Iterable[tuple[str, str]]:
    yield "fastgd", runtime.version()
    yield "python", platform.python_version()
    installed = {
        distribution.name.lower().replace("_", "-"): distribution.version for distribution in metadata.distributions()
    }
    yield from ((name, installed[name]) for name in DISTRIBUTIONS if name in installed)


def _read_cpuinfo() -> list[dict[str, str]]:
    """Return the blocks of /proc/cpuinfo, one for each logical core; nothing where there is no such file."""
    if not CPUINFO.exists():
        return []
    blocks = CPUINFO.read_text(encoding="utf-8", errors="replace").strip().split("\n\n")
    return [
        {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in block.splitlines())}
        for block in blocks
    ]


def _name_processor(fields: list[dict[str, str]]) -> str:
    first = fields[0] if fields else {}
    name = first.get("model name") or platform.processor() or "unknown"
    # Virtual machines often hide the model's name; family and model tell the architecture all the same.
    if "cpu family" in first and "model" in first:
        return f"{name} (family {first['cpu family']}, model {first['model']})"
    return name


def _read_caches() -> dict[str, int]:
    caches = {}
    for folder in sorted(CACHES.glob("index*")) if CACHES.exists() else []:
        level, kind, size = ((folder / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            caches[f"L{level}"] = int(size[:-1]) * UNITS[size[-1]] if size[-1] in UNITS else int(size)
    return caches
