"""Reductions over some axes of a tensor, or over all: sums, means, extremes; and sums and differences along an axis."""

from __future__ import annotations

from collections.abc import Sequence

from fastgd.ops.axes import normal_axes, normal_axis
from fastgd.ops.binary import subtract
from fastgd.ops.builder import Tensor
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.indexing import get_item
from fastgd.ops.operands import as_tensors
from fastgd.ops.shaping import expand_dims, ravel
from fastgd.plan import Attribute

Axis = int | Sequence[int] | None


def _reduce(function: str, x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    """Return `function` of x over `axis`, one axis, several or all."""
    require_tensors(function, x)
    require(x.dtype != "int32", function, "takes floating tensors: x is int32")
    axes = normal_axes(function, axis, len(x.dims))
    kept = ((1 if k in axes else d) for k, d in enumerate(x.dims) if keepdims or k not in axes)
    attrs: dict[str, Attribute] = {"function": function, "axes": axes, "keepdims": keepdims}
    return x.builder.emit("reduce", [x], [tuple(kept)], attrs=attrs)[0]


@works_on_arrays("x", batch=False)
def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the sum over some axes, added up in blocks, so that rounding errors grow slowly.

    Args:
        x: tensor of any shape.
        axis: an axis, a tuple of them, or None for all, the batch included; negative ones count from the last.
        keepdims: whether the axes stay, with the size 1.

    Returns:
        Tensor without those axes.

    Raises:
        ValueError: if an axis does not exist or is given twice.
    """
    return _reduce("sum", x, axis, keepdims)


@works_on_arrays("x", batch=False)
def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the mean over some axes; the arguments are those of `sum`."""
    return _reduce("mean", x, axis, keepdims)


@works_on_arrays("x", batch=False)
def prod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the product over some axes; the arguments are those of `sum`."""
    return _reduce("prod", x, axis, keepdims)


@works_on_arrays("x", batch=False)
def max(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest element over some axes, NaN if there is one; the arguments are those of `sum`.

    The gradient is shared by all elements that reach the maximum.
    """
    return _reduce("max", x, axis, keepdims)


@works_on_arrays("x", batch=False)
def min(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the smallest element over some axes, NaN if there is one; the arguments are those of `sum`.

    The gradient is shared by all elements that reach the minimum.
    """
    return _reduce("min", x, axis, keepdims)


@works_on_arrays("x", batch=False)
def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the variance `mean((x - mean(x))^2)` over some axes; the arguments are those of `sum`."""
    return _reduce("var", x, axis, keepdims)


@works_on_arrays("x", batch=False)
def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the standard deviation over some axes, with a gradient of 0 where it is 0; arguments as `sum`."""
    return _reduce("std", x, axis, keepdims)


@works_on_arrays("x", batch=False)
def logsumexp(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return `log(sum(e^x))` over some axes without overflow; the arguments are those of `sum`."""
    return _reduce("logsumexp", x, axis, keepdims)


@works_on_arrays("x", batch=False)
def moments(x: Tensor, axes: Axis, keepdims: bool = False, synchronized: bool = False) -> tuple[Tensor, Tensor]:
    """Return mean and biased variance over some axes.

    Args:
        x: tensor of any shape.
        axes: as `axis` of `sum`.
        keepdims: as in `sum`.
        synchronized: False; a model is trained in one process.

    Returns:
        Two tensors without those axes.
    """
    require(not synchronized, "moments", f"`synchronized` must be False. Received: synchronized={synchronized}")
    return mean(x, axes, keepdims), var(x, axes, keepdims)


def _arg_reduce(function: str, x: Tensor, axis: int | None, keepdims: bool) -> Tensor:
    """Return where `function` is reached first along an axis, or in all elements one after the other."""
    op = f"arg{function}"
    require_tensors(op, x)
    require(x.dtype != "int32", op, "takes floating tensors: x is int32")
    if axis is None:
        place = _arg_reduce(function, ravel(x), 0, False)
        return expand_dims(place, tuple(range(len(x.dims)))) if keepdims else place
    at = normal_axis(op, axis, len(x.dims))
    attrs: dict[str, Attribute] = {"function": function, "axis": at}
    dims = (*x.dims[:at], *x.dims[at + 1 :])
    place = x.builder.emit("arg_reduce", [x], [dims], attrs=attrs, dtype="int32")[0]
    return expand_dims(place, at) if keepdims else place


@works_on_arrays("x", batch=False)
def argmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the index of the first largest element, int32; it has no gradient.

    Args:
        x: tensor of any shape.
        axis: the axis to search along; None for all elements one after the other.
        keepdims: whether the axis stays, with the size 1.

    Returns:
        Tensor of int32 without that axis.
    """
    return _arg_reduce("max", x, axis, keepdims)


@works_on_arrays("x", batch=False)
def argmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the index of the first smallest element, int32; the arguments are those of `argmax`."""
    return _arg_reduce("min", x, axis, keepdims)


@works_on_arrays("x", batch=False)
def cumsum(x: Tensor, axis: int | None = None) -> Tensor:
    """Return the sums of the elements up to each.

    Args:
        x: tensor of any shape.
        axis: the axis to run along; None for all elements one after the other, as one axis.

    Returns:
        Tensor of the shape of x, or of one axis for `axis=None`.
    """
    require_tensors("cumsum", x)
    if axis is None:
        return cumsum(ravel(x), 0)
    place = normal_axis("cumsum", axis, len(x.dims))
    return x.builder.emit("cumsum", [x], [x.dims], attrs={"axis": place})[0]


@works_on_arrays("a", batch=False)
def diff(a: Tensor, n: int = 1, axis: int = -1) -> Tensor:
    """Return the differences `a[i + 1] - a[i]` along an axis, and of these again, n times.

    Args:
        a: tensor, placeholder, variable or array of one axis or more.
        n: how often, 0 or more.
        axis: the axis, no multiple of the batch; negative ones count from the last.

    Returns:
        A tensor or placeholder if a is one, else an array, smaller by n along the axis.

    Raises:
        ValueError: if the axis does not exist or is the batch, or n is negative.

    Example:
        >>> ops.diff(np.array([1.0, 4.0, 9.0]))
        array([3., 5.])
    """
    (x,) = as_tensors("diff", a)
    place = normal_axis("diff", axis, len(x.dims))
    require(n >= 0, "diff", f"`n` must be 0 or more. Received: n={n}")
    require(x.dims[place] >= 0, "diff", f"`axis` must not be a multiple of the batch. Received: axis={axis}")
    lead = (slice(None),) * place
    for _ in range(n):
        x = subtract(get_item(x, (*lead, slice(1, None))), get_item(x, (*lead, slice(None, -1))))
    return x
