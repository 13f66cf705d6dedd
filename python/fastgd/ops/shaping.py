"""Ops that change the shape and keep the order of the elements, and those that join tensors."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

from fastgd.ops.axes import normal_axes, normal_axis
from fastgd.ops.builder import Dims, Shape, Tensor, show_dims
from fastgd.ops.checks import require, require_same_dims, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.plan import BATCH


@works_on_arrays("x")
def flatten(x: Tensor) -> Tensor:
    """Return x of shape (batch, ...) as (batch, product of the others)."""
    require_tensors("flatten", x)
    return x.builder.emit("flatten", [x], [(x.dims[0], prod(x.dims[1:]))], dtype=x.dtype)[0]


@works_on_arrays("x")
def reshape(x: Tensor, newshape: int | Sequence[int | None]) -> Tensor:
    """Return the elements of x in another shape.

    Args:
        x: tensor of any shape.
        newshape: the whole new shape. None stands for the batch, and one size may be -1: it follows from the others.

    Returns:
        Tensor of that shape.

    Raises:
        ValueError: if the number of elements differs, or if a size would not be a whole number.

    Example:
        >>> ops.reshape(x, (None, 3, -1))
    """
    require_tensors("reshape", x)
    return view(x, _resolve(x.dims, (newshape,) if isinstance(newshape, int) else newshape, x.builder.batch))


def view(x: Tensor, dims: Dims) -> Tensor:
    """Return x under other sizes of the plan, which have as many elements."""
    return x.builder.emit("reshape", [x], [dims], attrs={"shape": dims}, dtype=x.dtype)[0]


@works_on_arrays("x", batch=False)
def ravel(x: Tensor) -> Tensor:
    """Return all elements of x, the batch included, along one axis."""
    require_tensors("ravel", x)
    return view(x, (prod(x.dims),))


@works_on_arrays("x", batch=False)
def expand_dims(x: Tensor, axis: int | Sequence[int]) -> Tensor:
    """Return x with new axes of size 1.

    Args:
        x: tensor of any shape.
        axis: where the new axes are in the result; negative ones count from its last.

    Returns:
        Tensor of the same elements.

    Raises:
        ValueError: if an axis does not exist in the result or is given twice.
    """
    require_tensors("expand_dims", x)
    rank = len(x.dims) + (1 if isinstance(axis, int) else len(axis))
    new = normal_axes("expand_dims", axis, rank)
    rest = iter(x.dims)
    return view(x, tuple(1 if k in new else next(rest) for k in range(rank)))


@works_on_arrays("x", batch=False)
def squeeze(x: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    """Return x without axes of size 1.

    Args:
        x: tensor of any shape.
        axis: the axes to leave out, whose sizes are 1; None means all that there are.

    Returns:
        Tensor of the same elements.

    Raises:
        ValueError: if an axis does not exist or has another size.
    """
    require_tensors("squeeze", x)
    gone = [k for k, d in enumerate(x.dims) if d == 1] if axis is None else normal_axes("squeeze", axis, len(x.dims))
    for k in gone:
        require(x.dims[k] == 1, "squeeze", f"axis {k} must have the size 1: x is {show_dims(x.dims)}")
    return view(x, tuple(d for k, d in enumerate(x.dims) if k not in gone))


@works_on_arrays("xs", batch=False)
def concatenate(xs: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Return tensors joined along an axis.

    Args:
        xs: one or more tensors whose shapes are equal but on the axis.
        axis: the axis; negative ones count from the last. Multiples of the batch are joined with such only.

    Returns:
        Tensor whose size on the axis is the sum of theirs.

    Raises:
        ValueError: if the shapes do not fit.
    """
    require(len(xs) > 0, "concatenate", "needs at least one tensor")
    require_tensors("concatenate", *xs)
    sizes = " and ".join(show_dims(x.dims) for x in xs)
    rank = len(xs[0].dims)
    place = normal_axis("concatenate", axis, rank)
    rests = {(*x.dims[:place], *x.dims[place + 1 :], x.dtype) for x in xs}
    require(
        len(rests) == 1 and all(len(x.dims) == rank for x in xs),
        "concatenate",
        f"the inputs must have one shape but on axis {place}: they are {sizes}",
    )
    message = f"a multiple of the batch and a fixed size have no sum: the inputs are {sizes}"
    require(len({x.dims[place] < 0 for x in xs}) == 1, "concatenate", message)
    joined = sum(x.dims[place] for x in xs)
    dims = (*xs[0].dims[:place], joined, *xs[0].dims[place + 1 :])
    return xs[0].builder.emit("concatenate", xs, [dims], attrs={"axis": place}, dtype=xs[0].dtype)[0]


@works_on_arrays("x", batch=False)
def stack(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Return tensors of one shape joined along a new axis.

    Args:
        x: one or more tensors of one shape.
        axis: where the new axis is in the result; negative ones count from its last.

    Returns:
        Tensor with one axis more.

    Raises:
        ValueError: if the shapes differ or the axis does not exist.
    """
    require(len(x) > 0, "stack", "needs at least one tensor")
    require_tensors("stack", *x)
    require_same_dims("stack", x)
    place = normal_axis("stack", axis, len(x[0].dims) + 1)
    return concatenate([expand_dims(each, place) for each in x], place)


def shape(x: Tensor | npt.ArrayLike) -> Shape:
    """Return the shape of a tensor, with None for what depends on the batch, or of an array."""
    return x.shape if isinstance(x, Tensor) else np.shape(x)


def _resolve(dims: Dims, shape: Sequence[int | None], batch: int) -> Dims:
    """Return the target sizes of a reshape; a batch multiple -k times fixed sizes counts k times as many elements."""
    text = f"{show_dims(dims)} cannot take the shape {tuple(shape)}"
    require(sum(d == -1 for d in shape) <= 1, "reshape", f"{text}: only one size may be -1")
    require(all(d is None or d >= -1 for d in shape), "reshape", f"{text}: sizes must not be negative")
    per_sample = abs(prod(dims))
    has_batch = any(d < 0 for d in dims)
    if -1 in shape:
        rest = prod(-batch if d is None else d for d in shape if d != -1)
        require(rest > 0 and per_sample % rest == 0, "reshape", f"{text}: no whole number fits for -1")
        # Without a batch among the other sizes, the size that follows is a multiple of it, if there is one.
        inferred = per_sample // rest * (BATCH if has_batch and None not in shape else 1)
        target = tuple(batch if d is None else inferred if d == -1 else d for d in shape)
    else:
        target = tuple(batch if d is None else d for d in shape)
    message = "exactly one size must hold the batch" if has_batch else "there is no batch in it"
    require(sum(d < 0 for d in target) == has_batch, "reshape", f"{text}: {message}")
    require(abs(prod(target)) == per_sample, "reshape", f"{text}: the numbers of elements differ")
    return target
