"""Several passes over the rows in one call: the same as pass by pass, on both interpreters."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import numpy as np
import pytest

from fastgd import _core, reference
from native.plans import adam_slots, classifier, random_params

Array = np.ndarray[Any, Any]

PLAN = classifier((7, 33, 4), "float64", "tanh", dropout=0.3)


def data(rows: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(rows, 7)), rng.integers(0, 4, rows).astype(np.int32)


def bound(make: Any) -> tuple[Any, list[Array], list[Array]]:
    executor, params = make(PLAN), random_params(PLAN)
    spec, slots = adam_slots(PLAN)
    executor.bind_parameters(params)
    executor.bind_update(spec, slots)
    return executor, params, slots


@pytest.mark.parametrize("make", [_core.Executor, reference.Executor], ids=["native", "numpy"])
@pytest.mark.parametrize("seed", [None, 9], ids=["in order", "shuffled"])
@pytest.mark.parametrize("rows", [60, 67])
def test_passes_are_those_that_are_begun_one_by_one(make: Any, seed: int | None, rows: int) -> None:
    x, t = data(rows)
    batches = -(-rows // 20)
    results = []
    for at_once in (False, True):
        executor, params, slots = bound(make)
        totals = []
        if at_once:
            # The first pass goes on where it stands; the last two come in another call.
            executor.begin("train", [x, t], 20, seed, 3, 5)
            assert executor.advance(1, 1e9, np.array([0.01])) == 1
            assert executor.run_passes(4, 1e9, 0.01) == 4
            totals += list(executor.pass_totals())
            executor.begin("train", [x, t], 20, seed, 7, executor.iteration)
            assert executor.run_passes(2, 1e9, 0.01) == 2
            totals += list(executor.pass_totals())
        else:
            for epoch in range(6):
                executor.begin("train", [x, t], 20, seed, 3 + epoch, 5 + epoch * batches)
                assert executor.advance(100, 1e9, np.array([0.01])) == batches
                totals.append(executor.totals())
        assert executor.iteration == 5 + 6 * batches
        results.append([*params, *slots, *totals])
    assert len(results[0]) == len(results[1])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("make", [_core.Executor, reference.Executor], ids=["native", "numpy"])
def test_passes_end_in_time(make: Any) -> None:
    executor = bound(make)[0]
    x, t = data(40)
    executor.begin("train", [x, t], 20)
    assert executor.run_passes(0, 1e9, 0.01) == 0
    assert executor.pass_totals().shape == (0, *executor.totals().shape)
    assert executor.run_passes(10**9, 0.0, 0.01) == 1
    assert executor.iteration == 2
    assert 0 < executor.run_passes(10**9, 0.02, 0.01) < 10**6
    np.testing.assert_array_equal(executor.pass_totals()[-1], executor.totals())


@pytest.mark.parametrize("make", [_core.Executor, reference.Executor], ids=["native", "numpy"])
def test_passes_are_for_training(make: Any) -> None:
    executor = bound(make)[0]
    with pytest.raises(Exception, match="begin"):
        executor.run_passes(1, 1.0, 0.01)
    executor.begin("evaluate", [*data(40)], 20)
    with pytest.raises(Exception, match="begin"):
        executor.run_passes(1, 1.0, 0.01)


@pytest.mark.usefixtures("_interruptible")
def test_ctrl_c_leaves_whole_passes_and_the_rest_of_one() -> None:
    executor, params, _ = bound(_core.Executor)
    # Each pass is over long before it would ask for signals by itself.
    x, t = data(20 * 10)
    executor.begin("train", [x, t], 20)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        executor.run_passes(50_000, 1e9, 1e-3)
    timer.join()
    whole = len(executor.pass_totals())
    assert 0 < whole < 50_000
    assert 10 * whole <= executor.iteration <= 10 * (whole + 1)
    np.testing.assert_array_equal(executor.pass_totals()[:, 0, 1], np.full(whole, len(x)))
    assert all(np.isfinite(p).all() for p in params)
