"""What the tests of the suite share: a run made up by hand, a fixed random generator, settings put back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import fastgd
from fastgd import runtime
from fastgd.bench import results
from fastgd.bench.harness import make_entrant
from fastgd.bench.results import Document, add_ratios, summarize


@pytest.fixture(autouse=True)
def _own_settings() -> Iterator[None]:
    # Adapters choose backend and threads for their process, which here is that of the tests.
    threads = runtime.get_num_threads()
    with fastgd.backend(runtime.current_backend()):
        yield
    runtime.set_num_threads(threads)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.fixture
def document() -> Document:
    """A run with one opponent beside fastgd on one workload."""
    entrants = []
    for name, samples in (("fastgd", [2.0, 4.0, 3.0]), ("numpy", [9.0, 5.0, 6.0])):
        entrant = make_entrant(name, name, "", 1)
        entrant.update(status="measured", steps=8, cores=1.0, times=summarize(samples))
        entrants.append(entrant)
    add_ratios(entrants, "fastgd")
    machine = {
        "processor": "none", "architecture": "none", "system": "none", "logical_cores": 1, "physical_cores": 1,
        "usable_cores": 1, "clock_mhz": None, "cache_bytes": {"L1": 1}, "memory_bytes": 1,
        "load_average": [0.0, 0.0, 0.0], "isa": "generic", "versions": {"fastgd": "0"},
        "peaks": [{"isa": "generic", "dtype": "float32", "threads": 1, "gflops": 2}],
        "bandwidths": [{"threads": 1, "gigabytes": 2.0}],
    }  # fmt: skip
    workload = {
        "name": "tiny", "description": "", "dtype": "float32", "batch": 1, "steps": 8, "parameters": 1,
        "check_steps": 8, "tolerance": 0.01, "roofline": None, "opponents": entrants,
    }  # fmt: skip
    return {  # type: ignore[return-value]
        "schema": results.SCHEMA, "mode": "quick", "created": "2000-01-01T00:00:00+00:00", "seconds": 1.0,
        "threads": 1, "rounds": 3, "machine": machine, "libraries": {"numpy": {"blas": "none"}},
        "workloads": [workload], "cases": [],
    }  # fmt: skip
