"""The ops that move elements without computing: `transpose`, `broadcast_to`, `slice`, `pad`, `gather`, `one_hot`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgd.plan import resolve_shape
from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward, number, sizes


@forward("transpose")
def transpose(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y has the axes of x in the order `axes`."""
    return (np.ascontiguousarray(np.transpose(inputs[0], sizes(attrs, "axes"))),)


@backward("transpose")
def transpose_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx has the axes of dy in the opposite order."""
    (dy,) = d_outputs
    assert dy is not None
    return (np.transpose(dy, np.argsort(sizes(attrs, "axes"))),), ()


@forward("broadcast_to")
def broadcast_to(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y repeats x along new axes in front and along axes of size 1."""
    return (np.broadcast_to(inputs[0], resolve_shape(sizes(attrs, "shape"), ctx.batch)).copy(),)


@backward("broadcast_to")
def broadcast_to_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx is the sum of dy over the axes along which x was repeated."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    more = dy.ndim - x.ndim
    axes = (*range(more), *(more + k for k in range(x.ndim) if x.shape[k] != dy.shape[more + k]))
    return (np.sum(dy, axis=axes, keepdims=True).reshape(x.shape),), ()


def _window(ctx: Context, x: Array, attrs: Attrs) -> tuple[slice, ...]:
    """Return what a `slice` takes from each axis.

    Raises:
        ValueError: if it leaves x.
    """
    window = []
    shape = resolve_shape(sizes(attrs, "shape"), ctx.batch)
    for whole, begin, step, size in zip(x.shape, sizes(attrs, "begin"), sizes(attrs, "step"), shape, strict=True):
        first = begin + whole if begin < 0 else begin
        last = first + (size - 1) * step
        if size and (step == 0 or not 0 <= first < whole or not 0 <= last < whole):
            raise ValueError(f"leaves an axis of size {whole}. Received: begin={begin}, step={step}, size={size}")
        end = last + (1 if step > 0 else -1)
        window.append(slice(first, end if end >= 0 else None, step) if size else slice(0, 0))
    return tuple(window)


@forward("slice")
def slice_(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y_i = x at begin + step i for each axis."""
    (x,) = inputs
    return (np.ascontiguousarray(x[_window(ctx, x, attrs)]),)


@backward("slice")
def slice_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx is dy where something was taken, and 0 elsewhere."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    dx = np.zeros_like(x)
    dx[_window(ctx, x, attrs)] = dy
    return (dx,), ()


@forward("pad")
def pad(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y is x with `before` and `after` elements of a constant added to each axis."""
    (x,) = inputs
    widths = list(zip(sizes(attrs, "before"), sizes(attrs, "after"), strict=True))
    return (np.pad(x, widths, constant_values=np.asarray(number(attrs, "value", 0.0)).astype(x.dtype)),)


@backward("pad")
def pad_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx is the part of dy where x lies."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    return (dy[tuple(slice(a, a + n) for a, n in zip(sizes(attrs, "before"), x.shape, strict=True))],), ()


def _picks(inputs: Sequence[Array], attrs: Attrs) -> tuple[int, Array]:
    """Return the axis of a `gather` and its indices, with those below 0 counted from the end.

    Raises:
        ValueError: if one is out of range.
    """
    axis = attrs["axis"]
    if not isinstance(axis, int):
        raise ValueError(f"`axis` must be an integer. Received: axis={axis!r}")
    indices = inputs[1] if len(inputs) > 1 else np.array(sizes(attrs, "indices"), np.int32)
    size = inputs[0].shape[axis]
    if indices.size and not -size <= int(indices.min()) <= int(indices.max()) < size:
        raise ValueError(f"indices must lie in {-size}..{size - 1}. Received: {indices.min()} to {indices.max()}")
    return axis, np.where(indices < 0, indices + size, indices)


@forward("gather")
def gather(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = the elements of x at the indices; with `along`, one index for each element of y."""
    axis, indices = _picks(inputs, attrs)
    if attrs.get("along", False):
        return (np.take_along_axis(inputs[0], indices, axis),)
    return (np.take(inputs[0], indices, axis),)


@backward("gather", differentiable=1)
def gather_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """Each element of dx adds up the dy of all that was taken from it."""
    x, (dy,) = inputs[0], d_outputs
    assert dy is not None
    axis, indices = _picks(inputs, attrs)
    dx = np.zeros_like(x)
    if attrs.get("along", False):
        places: tuple[Any, ...] = (*np.indices(indices.shape),)
        places = (*places[:axis], indices, *places[axis + 1 :])
    else:
        places = (*(slice(None),) * axis, indices)
    np.add.at(dx, places, dy)
    return (dx, None)[: len(inputs)], ()


@forward("one_hot")
def one_hot(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = 1 at the label and 0 elsewhere, along a new last axis; zeros for a label that is no class."""
    (labels,) = inputs
    classes = np.arange(int(number(attrs, "classes", 0)), dtype=np.int32)
    return ((labels[..., np.newaxis] == classes).astype(ctx.dtype),)
