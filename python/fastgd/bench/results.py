"""The results of a run: what the JSON file holds, how the figures in it are formed, reading and writing it.

The file is one JSON object of the form `Document`; the classes below say what each of its objects holds. All keys are
always there; what could not be measured is null. Times of steps and calls are microseconds, all others seconds.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict, get_args, get_origin, get_type_hints

import numpy as np

from fastgd.saving.atomic import write_whole

# Raised when a reader of older files would misunderstand newer ones.
SCHEMA = 1


class Times(TypedDict):
    """Microseconds per step or call, one sample for each round, and what they come to."""

    samples: list[float]
    median: float
    minimum: float
    spread: float  # from the first to the third quartile


class Ratio(TypedDict):
    """How many times as long as fastgd, of medians and of minima."""

    median: float
    minimum: float


class Entrant(TypedDict):
    """One opponent on one workload or case."""

    name: str
    label: str
    status: str  # measured, refused, failed or disagrees
    note: str  # why it was not measured, or in what its measurement differs
    configuration: str
    threads: int  # how many it was given, the best of those tried
    steps: int | None  # of an epoch as it was measured; fewer than the workload's where an epoch takes too long
    prepare_seconds: float | None  # building, and compiling where that is a call of its own
    first_seconds: float | None  # the first stretch, with tracing and compiling where they come with it
    cores: float | None  # processor time over wall time, over all rounds
    drift: float | None  # how far its weights are from fastgd's after the check, over how far those have moved
    times: Times | None
    ratio: Ratio | None


class Roofline(TypedDict):
    """What a step must cost at least on this machine, and what fastgd's median makes of that."""

    arithmetic: float  # floating-point operations of the products, a multiply-add counted as two
    traffic: float  # bytes of weights and slots, each read once and written once
    floor: float  # microseconds: arithmetic at the measured peak, plus traffic at the bandwidth if out of cache
    peak_share: float | None
    floor_share: float | None


class WorkloadResult(TypedDict):
    """All opponents on one workload."""

    name: str
    description: str
    dtype: str
    batch: int
    steps: int
    parameters: int
    check_steps: int  # after so many steps from the same weights they are compared
    tolerance: float  # the largest drift that counts as the same work
    roofline: Roofline | None
    opponents: list[Entrant]


class CaseResult(TypedDict):
    """All libraries on one kernel or one call."""

    name: str
    family: str
    description: str
    dtype: str
    threads: int
    arithmetic: float
    traffic: float
    opponents: list[Entrant]


class Peak(TypedDict):
    """Multiply-adds in registers, two operations each."""

    isa: str
    dtype: str
    threads: int
    gflops: float


class Bandwidth(TypedDict):
    """Bytes between processor and memory."""

    threads: int
    gigabytes: float  # per second


class Machine(TypedDict):
    """Where it ran."""

    processor: str
    architecture: str
    system: str
    logical_cores: int
    physical_cores: int
    usable_cores: int  # that the process may run on
    clock_mhz: float | None
    cache_bytes: dict[str, int]
    memory_bytes: int
    load_average: list[float]  # over 1, 5 and 15 minutes, before the run
    isa: str
    peaks: list[Peak]
    bandwidths: list[Bandwidth]
    versions: dict[str, str]


class Document(TypedDict):
    """One run."""

    schema: int
    mode: str
    created: str  # UTC, ISO 8601
    seconds: float
    threads: int
    rounds: int
    machine: Machine
    libraries: dict[str, dict[str, str]]  # by opponent: what it says about its build and the kernels it picked
    workloads: list[WorkloadResult]
    cases: list[CaseResult]


def summarize(samples: Sequence[float]) -> Times:
    """Return the median, the minimum and the distance of the quartiles of some samples."""
    first, median, third = np.quantile(samples, [0.25, 0.5, 0.75])
    return Times(samples=list(samples), median=float(median), minimum=min(samples), spread=float(third - first))


def compare(times: Times, baseline: Times) -> Ratio:
    """Return how many times as long as the baseline it took: above 1, the baseline is faster."""
    return Ratio(
        median=times["median"] / baseline["median"],
        minimum=times["minimum"] / baseline["minimum"],
    )


def add_ratios(entrants: Sequence[Entrant], baseline: str) -> None:
    """Fill in the ratios of those that were measured."""
    base = next((e["times"] for e in entrants if e["name"] == baseline), None)
    for entrant in entrants:
        times = entrant["times"]
        entrant["ratio"] = compare(times, base) if times and base else None


def problems(value: object, expected: Any = Document, where: str = "document") -> list[str]:
    """Return what is wrong with a value by the classes of this module, one line each; nothing if it is right."""
    if typing.is_typeddict(expected):
        if not isinstance(value, dict):
            return [f"{where} is no object"]
        hints = get_type_hints(expected)
        found = [f"{where} has no {key}" for key in hints if key not in value]
        found += [f"{where} has an unknown {key}" for key in value if key not in hints]
        return found + [line for k, v in value.items() if k in hints for line in problems(v, hints[k], f"{where}.{k}")]
    if isinstance(expected, types.UnionType):
        return min((problems(value, option, where) for option in get_args(expected)), key=len)
    origin, arguments = get_origin(expected), get_args(expected)
    if origin is list and isinstance(value, list):
        return [line for k, item in enumerate(value) for line in problems(item, arguments[0], f"{where}[{k}]")]
    if origin is dict and isinstance(value, dict):
        return [line for key, item in value.items() for line in problems(item, arguments[1], f"{where}.{key}")]
    # JSON does not tell 1 from 1.0.
    allowed = (int, float) if expected is float else (origin or expected,)
    right = isinstance(value, allowed) and (expected is bool or not isinstance(value, bool))
    return [] if right else [f"{where} should be {getattr(expected, '__name__', expected)}, not {value!r:.40}"]


def save(document: Document, path: Path) -> None:
    """Write a run into a file, which holds the old content until the new one is whole."""
    write_whole(path, (json.dumps(document, indent=1, allow_nan=False) + "\n").encode())


def load(path: Path) -> Document:
    """Read a run from a file.

    Raises:
        ValueError: if the file does not hold one of this schema.
    """
    value = json.loads(path.read_text(encoding="utf-8"))
    found = problems(value)
    if found:
        raise ValueError(f"{path} holds no results of schema {SCHEMA}: {'; '.join(found[:3])}.")
    if value["schema"] != SCHEMA:
        raise ValueError(f"{path} holds results of schema {value['schema']}, not {SCHEMA}.")
    return typing.cast(Document, value)
