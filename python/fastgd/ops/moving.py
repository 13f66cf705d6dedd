"""Ops that put elements elsewhere: axes in another order, reversed, padded or repeated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.ops.axes import normal_axes, normal_axis
from fastgd.ops.builder import Dims, Tensor, show_dims, to_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.indexing import cut, take
from fastgd.ops.shaping import ravel, view
from fastgd.plan import Attribute


@works_on_arrays("x", batch=False)
def transpose(x: Tensor, axes: Sequence[int] | None = None) -> Tensor:
    """Return x with its axes in another order.

    Args:
        x: tensor of any shape.
        axes: the axis of x that each axis of the result is, the batch included; None reverses them.

    Returns:
        Tensor whose axis k is axis `axes[k]` of x.

    Raises:
        ValueError: if `axes` does not name every axis once.
    """
    require_tensors("transpose", x)
    rank = len(x.dims)
    order = tuple(range(rank))[::-1] if axes is None else tuple(normal_axis("transpose", k, rank) for k in axes)
    message = f"`axes` must name each of the {rank} axes once. Received: axes={axes}"
    require(sorted(order) == list(range(rank)), "transpose", message)
    dims = tuple(x.dims[k] for k in order)
    return x.builder.emit("transpose", [x], [dims], attrs={"axes": order}, dtype=x.dtype)[0]


@works_on_arrays("x", batch=False)
def swapaxes(x: Tensor, axis1: int, axis2: int) -> Tensor:
    """Return x with two axes exchanged."""
    require_tensors("swapaxes", x)
    order = list(range(len(x.dims)))
    first, second = (normal_axis("swapaxes", k, len(order)) for k in (axis1, axis2))
    order[first], order[second] = second, first
    return transpose(x, order)


@works_on_arrays("x", batch=False)
def moveaxis(x: Tensor, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Return x with the axes `source` at the places `destination`; the others keep their order."""
    require_tensors("moveaxis", x)
    rank = len(x.dims)
    sources, places = (
        [normal_axis("moveaxis", k, rank) for k in ([axes] if isinstance(axes, int) else axes)]
        for axes in (source, destination)
    )
    message = f"`source` and `destination` must be as many. Received: source={source}, destination={destination}"
    require(len(set(sources)) == len(set(places)) == len(sources) == len(places), "moveaxis", message)
    rest = (k for k in range(rank) if k not in sources)
    return transpose(x, [sources[places.index(k)] if k in places else next(rest) for k in range(rank)])


@works_on_arrays("x", batch=False)
def flip(x: Tensor, axis: int | Sequence[int] | None = None) -> Tensor:
    """Return x with the elements along one axis, several, or for None all in reverse."""
    require_tensors("flip", x)
    axes = normal_axes("flip", axis, len(x.dims))
    begin = [-1 if k in axes and d != 0 else 0 for k, d in enumerate(x.dims)]
    return cut(x, begin, [-1 if k in axes else 1 for k in range(len(x.dims))], x.dims)


@works_on_arrays("x", batch=False)
def pad(
    x: Tensor,
    pad_width: int | Sequence[int] | Sequence[Sequence[int]],
    mode: str = "constant",
    constant_values: float | None = None,
) -> Tensor:
    """Return x with elements added at the ends of its axes.

    Args:
        x: tensor of any shape.
        pad_width: `(before, after)` for each axis, one such pair for all, or one number for all; the batch gets none.
        mode: "constant".
        constant_values: the value of the new elements, 0 if None.

    Returns:
        Tensor with `before + after` more elements on each axis.

    Raises:
        ValueError: for negative widths, for the batch, or for another mode.
    """
    require_tensors("pad", x)
    require(mode == "constant", "pad", f"`mode` must be 'constant'. Received: mode={mode!r}")
    rank = len(x.dims)
    given = np.asarray(pad_width, dtype=np.int64)
    fits = given.shape in ((), (1,), (2,), (1, 2), (rank, 2)) and given.min(initial=0) >= 0
    require(fits, "pad", f"`pad_width` must hold a pair per axis of {show_dims(x.dims)}. Received: {pad_width}")
    pairs = np.broadcast_to(given, (rank, 2)).tolist()
    message = f"a multiple of the batch cannot be padded: x is {show_dims(x.dims)}. Received: pad_width={pad_width}"
    require(all(d >= 0 or pair == [0, 0] for d, pair in zip(x.dims, pairs, strict=True)), "pad", message)
    dims = tuple(d + before + after for d, (before, after) in zip(x.dims, pairs, strict=True))
    attrs: dict[str, Attribute] = {
        "before": tuple(before for before, _ in pairs),
        "after": tuple(after for _, after in pairs),
        "value": float(constant_values or 0.0),
    }
    return x.builder.emit("pad", [x], [dims], attrs=attrs, dtype=x.dtype)[0]


@works_on_arrays("x", batch=False)
def broadcast_to(x: Tensor, shape: Sequence[int | None]) -> Tensor:
    """Return x repeated along new axes in front and along axes of size 1.

    Args:
        x: tensor of any shape.
        shape: the whole new shape, None for the batch.

    Returns:
        Tensor of that shape.

    Raises:
        ValueError: if an axis of x has neither the new size nor the size 1.
    """
    require_tensors("broadcast_to", x)
    return spread(x, to_dims(shape, x.builder.batch))


def spread(x: Tensor, dims: Dims) -> Tensor:
    """Return x broadcast to sizes of the plan."""
    if x.dims == dims:
        return x
    pairs = zip(x.dims[::-1], dims[::-1], strict=False)
    fits = len(dims) >= len(x.dims) and all(d in (1, target) for d, target in pairs)
    require(fits, "broadcast_to", f"{show_dims(x.dims)} cannot be broadcast to {show_dims(dims)}")
    return x.builder.emit("broadcast_to", [x], [dims], attrs={"shape": dims}, dtype=x.dtype)[0]


def _repeated(x: Tensor, counts: Sequence[int], whole: bool) -> Tensor:
    """Return x with each axis `counts[k]` times: as a `whole` one after the other, or element by element."""
    split: list[int] = []
    target: list[int] = []
    for d, count in zip(x.dims, counts, strict=True):
        split += [d] if count == 1 else [1, d] if whole else [d, 1]
        target += [d] if count == 1 else [count, d] if whole else [d, count]
    merged = tuple(d * count for d, count in zip(x.dims, counts, strict=True))
    return x if merged == x.dims else view(spread(view(x, tuple(split)), tuple(target)), merged)


@works_on_arrays("x", batch=False)
def tile(x: Tensor, repeats: int | Sequence[int]) -> Tensor:
    """Return x laid side by side `repeats[k]` times along each axis k; what is missing in front counts as 1."""
    require_tensors("tile", x)
    counts = [repeats] if isinstance(repeats, int) else list(repeats)
    require(min(counts, default=0) >= 0, "tile", f"`repeats` must not be negative. Received: repeats={repeats}")
    rank = max(len(counts), len(x.dims))
    x = view(x, (*(1,) * (rank - len(x.dims)), *x.dims)) if rank > len(x.dims) else x
    return _repeated(x, [1] * (rank - len(counts)) + counts, whole=True)


@works_on_arrays("x", batch=False)
def repeat(x: Tensor, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
    """Return x with each element repeated along an axis.

    Args:
        x: tensor of any shape.
        repeats: how often; one number, or one for each element along the axis.
        axis: the axis; None for all elements one after the other.

    Returns:
        Tensor whose size along the axis is the sum of the repeats.
    """
    require_tensors("repeat", x)
    if axis is None:
        return repeat(ravel(x), repeats, 0)
    place = normal_axis("repeat", axis, len(x.dims))
    counts = np.atleast_1d(np.asarray(repeats, dtype=np.int64))
    message = f"`repeats` must be one number or one for each element of axis {place}. Received: repeats={repeats}"
    require(counts.ndim == 1 and counts.min(initial=0) >= 0, "repeat", message)
    if len(counts) == 1:
        return _repeated(x, [int(counts[0]) if k == place else 1 for k in range(len(x.dims))], whole=False)
    require(len(counts) == x.dims[place], "repeat", message)
    return take(x, np.repeat(np.arange(len(counts)), counts), place)
