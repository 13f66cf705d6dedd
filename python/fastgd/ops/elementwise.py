"""Ops that keep the shape: `dropout` and `sum_of`."""

from __future__ import annotations

from collections.abc import Sequence

from fastgd.ops.builder import Tensor
from fastgd.ops.checks import require, require_same_dims, require_tensors
from fastgd.ops.eager import works_on_arrays


@works_on_arrays("x")
def dropout(x: Tensor, rate: float, seed: int) -> Tensor:
    """Return `x * keep / (1 - rate)` in training, where each element is kept with probability 1 - rate; else x.

    Args:
        x: tensor of any shape (batch, ...).
        rate: the share of elements set to zero, from 0 to 1.
        seed: from 0 to 2**64 - 1; a second step with the same seed in one plan draws other masks.

    Returns:
        Tensor of the same shape.
    """
    require_tensors("dropout", x)
    require(0.0 <= rate <= 1.0, "dropout", f"the rate must lie between 0 and 1: it is {rate}")
    return x.builder.emit("dropout", [x], [x.dims], attrs={"rate": float(rate), "seed": x.builder.distinct_seed(seed)})[
        0
    ]


@works_on_arrays("inputs", batch=False)
def sum_of(inputs: Sequence[Tensor]) -> Tensor:
    """Return the sum of tensors of one shape.

    Args:
        inputs: one or more tensors of any shape.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if the shapes differ.
    """
    require(len(inputs) > 0, "add", "needs at least one input")
    require_tensors("add", *inputs)
    require_same_dims("add", inputs)
    return inputs[0].builder.emit("add", inputs, [inputs[0].dims])[0]
