"""Which element of a window takes the gradient where several could: native against the reference, on every tier."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fastgd import _core, reference
from fastgd.plan import Attribute, Plan, Step, TensorSpec, Term

ODD = (np.nan, -np.inf, np.inf, 0.0, 1.0)


def sum_of_maxima(dtype: str, channels: int, attrs: dict[str, Attribute], outputs: tuple[int, ...]) -> Plan:
    """Return a plan whose loss is the sum of all maxima: its gradient counts how often an element is one."""
    shapes = {"x": (-1, 7, 9, channels), "y": (-1, *outputs, channels), "v": (-1,)}
    steps = (
        Step("max_pool", ("x",), ("y",), (), attrs),
        Step("reduce", ("y",), ("v",), (), {"function": "sum", "axes": (1, 2, 3)}),
    )
    tensors = tuple(TensorSpec(name, shape, dtype) for name, shape in shapes.items())
    return Plan(dtype, tensors, (), steps, ("x",), ("y",), (Term("loss", "v", reduction="sum"),))


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("channels", [1, 6, 16, 21])
@pytest.mark.parametrize(("stride", "outputs"), [(2, (3, 4)), (1, (6, 8))])
def test_equal_infinite_and_missing_elements(
    channels: int, dtype: str, isa: str, stride: int, outputs: tuple[int, int]
) -> None:
    attrs: dict[str, Any] = {
        "window": (2, 2), "strides": (stride, stride), "padding_before": (0, 0), "padding_after": (0, 0),
    }  # fmt: skip
    plan = sum_of_maxima(dtype, channels, attrs, outputs)
    x = np.random.default_rng(channels).choice(ODD, (5, 7, 9, channels)).astype(dtype)
    got, want = (run.inspect([x]) for run in (_core.Executor(plan, isa), reference.Executor(plan)))
    for name in ("y", "d:x"):
        np.testing.assert_array_equal(got[name], want[name], err_msg=name)
    assert want["d:x"].sum() == want["y"].size


def test_predictions_are_the_same_without_the_places() -> None:
    attrs: dict[str, Any] = {
        "window": (2, 3), "strides": (1, 2), "padding_before": (1, 1), "padding_after": (0, 1),
    }  # fmt: skip
    plan = sum_of_maxima("float32", 6, attrs, (7, 5))
    x = np.random.default_rng(1).normal(size=(5, 7, 9, 6)).astype(np.float32)
    run = _core.Executor(plan)
    y = np.empty((5, 7, 5, 6), np.float32)
    run.bind_parameters([])
    run.begin("predict", [x], 3, outputs=[y])
    while run.advance(10, 1.0):
        pass
    np.testing.assert_array_equal(y, reference.Executor(plan).inspect([x])["y"])
