"""Epochs of the native engine and of the NumPy interpreter, the same plans: `pytest benchmarks --benchmark-enable`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastgd import _core, reference

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from native.plans import adam_slots, classifier, random_params

WORKLOADS = {
    "tiny 64-32-10, batch 32": ((64, 32, 10), 32, 64),
    "mnist 784-128-10, batch 32": ((784, 128, 10), 32, 32),
    "medium 784-512-512-10, batch 128": ((784, 512, 512, 10), 128, 8),
}


@pytest.mark.parametrize("interpreter", ["native", "numpy"])
@pytest.mark.parametrize("workload", list(WORKLOADS))
def test_epoch(benchmark: Any, workload: str, interpreter: str) -> None:
    widths, batch, steps = WORKLOADS[workload]
    plan = classifier(widths)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch * steps, widths[0])).astype(np.float32)
    t = rng.integers(0, widths[-1], batch * steps).astype(np.int32)
    executor: Any = _core.Executor(plan) if interpreter == "native" else reference.Executor(plan)
    executor.bind_parameters(random_params(plan))
    executor.bind_update(*adam_slots(plan))
    rate = np.array([1e-3])

    def epoch() -> None:
        executor.begin("train", [x, t], batch, shuffle_seed=1)
        executor.advance(steps, 1e9, rate)

    benchmark.group = workload
    benchmark.extra_info["steps"] = steps
    benchmark(epoch)
