"""Samples that are of the plan's own kind and lie together are read where they are: the same bits as when gathered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fastgd import _core
from fastgd.plan import Plan, TensorSpec, Term
from native.plans import adam_slots, classifier, random_params

Array = np.ndarray[Any, Any]

ROWS, WIDTH, CLASSES = 101, 37, 5


def weighted(dtype: str) -> Plan:
    """Return a classifier whose loss and accuracy are weighted by a third input."""
    plan = classifier((WIDTH, 21, CLASSES), dtype, "tanh")
    return replace(
        plan,
        tensors=(*plan.tensors, TensorSpec("s", (-1,), dtype)),
        inputs=(*plan.inputs, "s"),
        losses=(Term("loss", "v", sample_weight="s"),),
        metrics=(Term("accuracy", "hit", sample_weight="s"),),
    )


def ready(dtype: str) -> list[Array]:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(ROWS, WIDTH)).astype(np.float32).astype(dtype)
    s = rng.integers(0, 5, ROWS).astype(dtype)
    return [x, rng.integers(0, CLASSES, ROWS).astype(np.int32), s]


def converted(arrays: list[Array]) -> list[Array]:
    """Return the same numbers in other kinds, which a run has to convert."""
    x, t, s = arrays
    return [x.astype("f8" if x.dtype == "f4" else "f4"), t.astype("i8"), s.astype("u1")]


def learn(executor: Any, plan: Plan, arrays: list[Array], batch: int, seed: int | None) -> list[Array]:
    params = random_params(plan)
    executor.bind_parameters(params)
    executor.bind_update(*adam_slots(plan))
    for epoch in range(3):
        executor.begin("train", arrays, batch, shuffle_seed=seed, epoch=epoch, iteration=epoch)
        while executor.advance(100, 1.0, np.array([0.01])):
            pass
    executor.begin("evaluate", arrays, 2 * batch)
    while executor.advance(100, 1.0):
        pass
    return [*params, executor.totals()]


@pytest.mark.parametrize("work", ["0", "1", "1e12"])
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize("batch", [1, 16, 64])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ready_samples_give_the_bits_of_gathered_ones(
    dtype: str, batch: int, seed: int | None, threads: int, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTGD_TEAM_WORK", work)
    before = _core.get_num_threads()
    _core.set_num_threads(threads)
    plan = weighted(dtype)
    near = ready(dtype)
    wanted = learn(_core.Executor(plan), plan, converted(near), batch, seed)
    # Rows that lie apart, an odd address, and an address that no element of the kind may have.
    apart = np.zeros((ROWS, 2 * WIDTH), dtype)
    apart[:, 3 : 3 + WIDTH] = near[0]
    moved = np.empty(near[0].size + 1, dtype)[1:].reshape(ROWS, WIDTH)
    askew = np.empty(near[0].nbytes + 1, np.uint8)[1:].view(dtype).reshape(ROWS, WIDTH)
    moved[:], askew[:] = near[0], near[0]
    executor = _core.Executor(plan)  # of one run after the other: what one has moved, the next finds at its place
    for x in (near[0], near[0].astype("f8"), apart[:, 3 : 3 + WIDTH], moved, askew, near[0]):
        got = learn(executor, plan, [x, *near[1:]], batch, seed)
        for mine, other in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(mine, other)
    _core.set_num_threads(before)


def test_an_input_that_is_given_back() -> None:
    x = np.random.default_rng(0).normal(size=(ROWS, WIDTH)).astype(np.float32)
    tensors = (TensorSpec("x", (-1, WIDTH), "float32"),)
    executor = _core.Executor(Plan("float32", tensors, (), (), ("x",), ("x",)))
    executor.bind_parameters([])
    for batch in (1, 16, ROWS):
        out = np.empty_like(x)
        executor.begin("predict", [x], batch, outputs=[out])
        while executor.advance(1000, 1.0):
            pass
        np.testing.assert_array_equal(out, x)
