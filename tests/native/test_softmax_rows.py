"""Rows of few classes are taken a vector of rows at a time: the bits of each row on its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tolerances
from fastgd import _core
from fastgd.plan import Plan, Step, TensorSpec, Term

Array = np.ndarray[Any, Any]

ROWS = 45


def loss_plan(classes: int, dtype: str, ignored: int | None) -> Plan:
    tensors = (
        TensorSpec("z", (-1, classes), dtype), TensorSpec("t", (-1,), "int32"),
        TensorSpec("v", (-1,), dtype), TensorSpec("p", (-1, classes), dtype),
    )  # fmt: skip
    attrs = {} if ignored is None else {"ignore_class": ignored}
    steps = (Step("sparse_softmax_crossentropy", ("z", "t"), ("v", "p"), (), attrs),)
    return Plan(dtype, tensors, (), steps, ("z", "t"), ("v", "p"), (Term("loss", "v"),))


def run(executor: Any, z: Array, t: Array, batch: int) -> tuple[Array, Array]:
    v, p = np.empty(len(z), z.dtype), np.empty_like(z)
    executor.begin("predict", [z, t], batch, outputs=[v, p])
    while executor.advance(1000, 1.0):
        pass
    return v, p


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize("ignored", [None, 1])
@pytest.mark.parametrize("classes", [1, 2, 3, 8, 9, 10, 16, 17])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_does_not_depend_on_its_neighbours(dtype: str, classes: int, ignored: int | None, isa: str) -> None:
    rng = np.random.default_rng(classes)
    z = (4 * rng.normal(size=(ROWS, classes))).astype(dtype)
    z[3], z[20, 0], z[33, -1] = -np.inf, np.nan, 1e4
    t = rng.integers(0, classes, ROWS).astype(np.int32)
    t[7], t[40] = -1, classes + 1
    executor = _core.Executor(loss_plan(classes, dtype, ignored), isa)
    executor.bind_parameters([])
    v, p = run(executor, z, t, 1)
    for batch in (5, 16, 37, ROWS):
        for mine, other in zip(run(executor, z, t, batch), (v, p), strict=True):
            np.testing.assert_array_equal(mine, other)
    # Against the formula, where it is defined.
    good = np.setdiff1d(np.arange(ROWS), [3, 7, 20, 40])
    wide = z[good].astype(np.float64)
    shifted = wide - wide.max(axis=1, keepdims=True)
    total = np.exp(shifted).sum(axis=1)
    tolerances.assert_close(p[good], np.exp(shifted) / total[:, None], tolerances.summed(dtype, classes))
    value = np.log(total) - shifted[np.arange(len(good)), t[good]]
    value[t[good] == ignored] = 0
    tolerances.assert_close(v[good], value, tolerances.summed(dtype, classes))
    assert np.isnan(v[[7, 40]]).all()
    assert np.isnan(p[20]).all()
