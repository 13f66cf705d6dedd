"""Ops that keep the shape: `activation` and `add`."""

from __future__ import annotations

from collections.abc import Sequence

from fastgd.ops.builder import Tensor
from fastgd.ops.checks import require, require_same_dims, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.plan import Attribute
from fastgd.utils.errors import unknown

ACTIVATIONS = ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "softmax")


@works_on_arrays("x")
def activation(x: Tensor, function: str, negative_slope: float = 0.0) -> Tensor:
    """Return `f(x)`, of the shape of x.

    Args:
        x: tensor of any shape (batch, ...).
        function: the name of f, one of `ACTIVATIONS`; softmax runs over the last axis.
        negative_slope: the slope of leaky_relu below zero.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: for an unknown function.
    """
    require_tensors("activation", x)
    if function not in ACTIVATIONS:
        raise unknown("activation", ACTIVATIONS, function=function)
    if function == "softmax":
        require(len(x.dims) >= 2, "activation", "softmax needs an axis of classes besides the batch")
    attrs: dict[str, Attribute] = {"function": function}
    if function == "leaky_relu":
        attrs["negative_slope"] = negative_slope
    return x.builder.emit("activation", [x], [x.dims], attrs=attrs)[0]


@works_on_arrays("inputs")
def add(inputs: Sequence[Tensor]) -> Tensor:
    """Return the sum of tensors of one shape.

    Args:
        inputs: one or more tensors (batch, ...).

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if the shapes differ.
    """
    require(len(inputs) > 0, "add", "needs at least one input")
    require_tensors("add", *inputs)
    require_same_dims("add", inputs)
    return inputs[0].builder.emit("add", inputs, [inputs[0].dims])[0]
