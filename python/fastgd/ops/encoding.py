"""Ops that prepare data: scaling by constants, bins, and vectors for labels."""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt

from fastgd import config
from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.operands import as_tensors
from fastgd.ops.parameters import Variable, as_variable
from fastgd.plan import Attribute

Weight = Variable | npt.ArrayLike


@works_on_arrays("x")
def rescale(x: Tensor, scale: Weight, offset: Weight, axis: int | None = None) -> Tensor:
    """Return `x scale + offset`.

    Args:
        x: tensor (batch, ...); integers are cast.
        scale: array or variable that is not trainable: of one element, or of the sizes of neighbouring axes of x.
        offset: the same.
        axis: the first of those axes, any but the batch; None if they are the last ones.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if the shapes do not fit.
    """
    return _line("rescale", x, {"scale": scale, "offset": offset}, {}, axis)


@works_on_arrays("x")
def standardize(
    x: Tensor,
    mean: Weight,
    variance: Weight,
    invert: bool = False,
    epsilon: float | None = None,
    axis: int | None = None,
) -> Tensor:
    """Return `(x - mean) / max(sqrt(variance), epsilon)`.

    Args:
        x: tensor (batch, ...); integers are cast.
        mean: array or variable that is not trainable: of one element, or of the sizes of neighbouring axes of x.
        variance: the same.
        invert: whether to go the way back, `x max(sqrt(variance), epsilon) + mean`.
        epsilon: the smallest deviation; `config.epsilon()` if None.
        axis: the first of those axes, any but the batch; None if they are the last ones.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if the shapes do not fit.
    """
    least = config.epsilon() if epsilon is None else float(epsilon)
    attrs: dict[str, Attribute] = {"invert": invert, "epsilon": least}
    return _line("standardize", x, {"mean": mean, "variance": variance}, attrs, axis)


@works_on_arrays("x")
def discretize(x: Tensor, boundaries: Weight) -> Tensor:
    """Return the number of the bin of each element: how many boundaries are not above it.

    Args:
        x: tensor (batch, ...).
        boundaries: ascending array or variable (bins - 1,).

    Returns:
        int32 tensor of the same shape; NaN falls into the last bin.

    Raises:
        ValueError: if the boundaries do not ascend.
    """
    require_tensors("discretize", x)
    require(x.dtype != "int32", "discretize", "takes floating tensors: x holds integers")
    variable = as_variable(boundaries, "boundaries", x.dtype, trainable=False)
    ascend = len(variable.shape) == 1 and bool(np.all(np.diff(variable.value) >= 0))
    require(ascend, "discretize", f"the boundaries must be a vector that ascends: they are {variable.value.tolist()}")
    return x.builder.emit("discretize", [x], [x.dims], [variable], dtype="int32")[0]


@works_on_arrays("x", labels=("x",))
def category_encoding(x: Tensor, num_tokens: int, count: bool = False) -> Tensor:
    """Return vectors over all classes that tell which labels stand along the last axis.

    Args:
        x: int32 tensor (..., labels).
        num_tokens: the number of classes; labels out of range count for nothing.
        count: whether to count the labels instead of putting a 1.

    Returns:
        Tensor (..., num_tokens).

    Raises:
        ValueError: if x holds no integers or has no axis besides the batch.
    """
    require_tensors("category_encoding", x)
    fits = x.dtype == "int32" and len(x.dims) >= 2
    require(fits, "category_encoding", f"labels are int32 (batch, ..., labels): x is {show_dims(x.dims)} {x.dtype}")
    attrs: dict[str, Attribute] = {"num_tokens": num_tokens, "count": count}
    return x.builder.emit("category_encoding", [x], [(*x.dims[:-1], num_tokens)], attrs=attrs)[0]


def _line(op: str, x: Tensor, weights: dict[str, Weight], attrs: dict[str, Attribute], axis: int | None) -> Tensor:
    (x,) = as_tensors(op, x)
    params = [as_variable(weight, name, x.dtype, trainable=False) for name, weight in weights.items()]
    require(not any(param.trainable for param in params), op, "constants must not be trainable variables")
    shape, rank = params[0].shape, len(x.dims)
    lie = prod(shape) == 1
    if not lie or axis is not None:
        place = rank - len(shape) if axis is None else axis + rank if axis < 0 else axis
        lie = place >= 1 and x.dims[place : place + len(shape)] == shape
        attrs["axis"] = place
    names, shapes = " and ".join(weights), " and ".join(str(param.shape) for param in params)
    require(
        params[1].shape == shape and lie,
        op,
        f"{names} must have the sizes of neighbouring axes of x, {show_dims(x.dims)}: they have {shapes}",
    )
    return x.builder.emit(op, [x], [x.dims], params, attrs)[0]
