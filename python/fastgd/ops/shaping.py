"""Ops that rearrange: `flatten`, `reshape` and `concatenate`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from fastgd.ops.builder import Dims, Tensor, show_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.plan import BATCH


@works_on_arrays("x")
def flatten(x: Tensor) -> Tensor:
    """Return x of shape (batch, ...) as (batch, product of the others)."""
    require_tensors("flatten", x)
    return x.builder.emit("flatten", [x], [(x.dims[0], prod(x.dims[1:]))], dtypes=[x.dtype])[0]


@works_on_arrays("x")
def reshape(x: Tensor, shape: Sequence[int | None]) -> Tensor:
    """Return the elements of x in another shape.

    Args:
        x: tensor (batch, ...).
        shape: the whole new shape. None stands for the batch, and one size may be -1: it follows from the others.

    Returns:
        Tensor of that shape.

    Raises:
        ValueError: if the number of elements differs, or if a size would not be a whole number.

    Example:
        >>> ops.reshape(x, (None, 3, -1))
    """
    require_tensors("reshape", x)
    dims = _resolve(x.dims, shape)
    return x.builder.emit("reshape", [x], [dims], attrs={"shape": dims}, dtypes=[x.dtype])[0]


@works_on_arrays("inputs")
def concatenate(inputs: Sequence[Tensor], axis: int = -1) -> Tensor:
    """Return tensors joined along an axis.

    Args:
        inputs: one or more tensors whose shapes are equal but on the axis.
        axis: any axis but the batch; negative ones count from the last.

    Returns:
        Tensor whose size on the axis is the sum of theirs.

    Raises:
        ValueError: if the shapes do not fit or the axis is the batch.
    """
    require(len(inputs) > 0, "concatenate", "needs at least one input")
    require_tensors("concatenate", *inputs)
    sizes = " and ".join(show_dims(x.dims) for x in inputs)
    rank = len(inputs[0].dims)
    place = axis + rank if axis < 0 else axis
    message = f"axis {axis} must be one of the axes behind the batch: the inputs are {sizes}"
    require(0 < place < rank, "concatenate", message)
    rests = {(*x.dims[:place], *x.dims[place + 1 :]) for x in inputs}
    require(
        len(rests) == 1 and all(len(x.dims) == rank for x in inputs),
        "concatenate",
        f"the inputs must have one shape but on axis {place}: they are {sizes}",
    )
    joined = sum(x.dims[place] for x in inputs)
    dims = (*inputs[0].dims[:place], joined, *inputs[0].dims[place + 1 :])
    return inputs[0].builder.emit("concatenate", inputs, [dims], attrs={"axis": place})[0]


def _resolve(dims: Dims, shape: Sequence[int | None]) -> Dims:
    """Return the target sizes of a reshape; a batch multiple -k times fixed sizes counts k times as many elements."""
    text = f"{show_dims(dims)} cannot take the shape {tuple(shape)}"
    require(sum(d == -1 for d in shape) <= 1, "reshape", f"{text}: only one size may be -1")
    require(all(d is None or d >= -1 for d in shape), "reshape", f"{text}: sizes must not be negative")
    per_sample = abs(prod(dims))
    if -1 in shape:
        rest = prod(1 if d is None else d for d in shape if d != -1)
        require(rest > 0 and per_sample % rest == 0, "reshape", f"{text}: no whole number fits for -1")
        # Without a batch among the other sizes, the size that follows is a multiple of it.
        inferred = per_sample // rest * (1 if None in shape else BATCH)
        target = tuple(BATCH if d is None else inferred if d == -1 else d for d in shape)
    else:
        target = tuple(BATCH if d is None else d for d in shape)
    require(sum(d < 0 for d in target) == 1, "reshape", f"{text}: exactly one size must hold the batch")
    require(abs(prod(target)) == per_sample, "reshape", f"{text}: the numbers of elements differ")
    return target
