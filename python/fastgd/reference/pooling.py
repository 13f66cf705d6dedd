"""The ops that look through windows without weights, and their inverse: `max_pool`, `average_pool` and `upsample`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product, repeat
from math import prod
from typing import Any

import numpy as np

from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward, sizes
from fastgd.reference.windows import Geometry


def _geometry(x: Array, attrs: Attrs) -> Geometry:
    """Return where the windows of a step lie.

    Raises:
        ValueError: if some window covers no element of x, or none fits.
    """
    window, strides, before, after = (
        sizes(attrs, name) for name in ("window", "strides", "padding_before", "padding_after")
    )
    spatial = x.shape[1:-1]
    if not len(window) == len(strides) == len(before) == len(after) == len(spatial):
        raise ValueError(f"attributes need one integer per spatial axis of {x.shape}. Received: {attrs}")
    each = zip(spatial, window, strides, before, after, strict=True)
    if any(min(k, t, s) < 1 or not 0 <= b < k or not 0 <= a < k or s + b + a < k for s, k, t, b, a in each):
        raise ValueError(f"windows do not fit into {x.shape}. Received: {attrs}")
    return Geometry(spatial, window, strides, (1,) * len(window), before, after)


def _taps(at: Geometry) -> Iterator[tuple[slice, ...]]:
    """Yield for each element of the window which elements of the padded input it meets."""
    return map(at.of_tap, product(*map(range, at.window)))


def _inside(x: Array, at: Geometry) -> Array:
    """Return 1 where x lies in the padded input, else 0, for one sample and channel."""
    return at.pad(np.ones((1, *x.shape[1:-1], 1), x.dtype))


def _counts(x: Array, at: Geometry) -> Array:
    """Return how many elements of x each window covers."""
    inside = _inside(x, at)
    return sum((inside[tap] for tap in _taps(at)), start=np.zeros((), x.dtype))


def _collect(x: Array, at: Geometry, shares: Iterator[Array]) -> Gradients:
    """Return dx, which adds up what each element of the windows gives to it."""
    wide = np.zeros((len(x), *at.padded, x.shape[-1]), x.dtype)
    for tap, share in zip(_taps(at), shares, strict=True):
        wide[tap] += share
    return (at.unpad(wide),), ()


@forward("max_pool")
def max_pool(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = the largest element of x in each window."""
    (x,) = inputs
    at = _geometry(x, attrs)
    wide, inside = at.pad(x), _inside(x, at) > 0
    y = np.zeros((len(x), *at.outputs, x.shape[-1]), x.dtype)
    found = np.full(y.shape, -1)
    for number, tap in enumerate(_taps(at)):
        value = wide[tap]
        taken = inside[tap] & ((found < 0) | (value > y) | np.isnan(value))
        y = np.where(taken, value, y)
        found = np.where(taken, number, found)
    ctx.saved["found"] = found
    return (y,)


@backward("max_pool")
def max_pool_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """The first element that reaches the maximum gets dy; of several NaNs the last one."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    at, found, none = _geometry(x, attrs), ctx.saved["found"], np.zeros((), x.dtype)
    return _collect(x, at, (np.where(found == number, dy, none) for number in range(prod(at.window))))


@forward("average_pool")
def average_pool(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = the mean of the elements of x in each window; what lies outside x does not count."""
    (x,) = inputs
    at = _geometry(x, attrs)
    wide = at.pad(x)
    return (sum((wide[tap] for tap in _taps(at)), start=np.zeros((), x.dtype)) / _counts(x, at),)


@backward("average_pool")
def average_pool_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """Each element of a window gets an equal share of dy."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    at = _geometry(x, attrs)
    return _collect(x, at, repeat(dy / _counts(x, at), prod(at.window)))


def _neighbours(size: int, factor: int, attrs: Attrs) -> tuple[Array, Array, Array]:
    """Return for each element of a longer axis the two of x that it lies between, and the share of the second."""
    interpolation = attrs.get("interpolation", "nearest")
    if interpolation not in ("nearest", "bilinear"):
        raise ValueError(f"`interpolation` must be nearest or bilinear. Received: interpolation={interpolation!r}")
    places = np.arange(size * factor)
    if interpolation == "nearest":
        return places // factor, places // factor, np.zeros(len(places))
    centres = (places + 0.5) / factor - 0.5
    low = np.floor(centres).astype(np.int64)
    share = centres - low
    high = np.where(share > 0, low + 1, low)
    return np.clip(low, 0, size - 1), np.clip(high, 0, size - 1), share


def _lengthened(x: Array, attrs: Attrs) -> Iterator[tuple[int, Array, Array, Array]]:
    """Yield each spatial axis of x with its `_neighbours`; the shares are of its dtype, along that axis.

    Raises:
        ValueError: if there is not one factor of at least 1 per axis.
    """
    factors = sizes(attrs, "factors")
    if len(factors) != x.ndim - 2 or min(factors) < 1:
        raise ValueError(f"`factors` must hold one integer per spatial axis of {x.shape}. Received: {attrs}")
    for axis, factor in enumerate(factors, 1):
        low, high, share = _neighbours(x.shape[axis], factor, attrs)
        yield axis, low, high, share.astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1 - axis))


@forward("upsample")
def upsample(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = x with each spatial axis `factors[k]` times as long."""
    (y,) = inputs
    for axis, low, high, share in _lengthened(y, attrs):
        first, second = np.take(y, low, axis), np.take(y, high, axis)
        y = np.where(share > 0, first * (1 - share) + second * share, first)
    return (y,)


@backward("upsample")
def upsample_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """Each element of dx adds up the dy of all that were made of it."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    for axis, low, high, share in _lengthened(x, attrs):
        dx = np.zeros((*dy.shape[:axis], x.shape[axis], *dy.shape[axis + 1 :]), x.dtype)
        for places, weights in ((low, 1 - share), (high, share)):
            at: tuple[Any, ...] = (*(slice(None),) * axis, places)
            np.add.at(dx, at, dy * weights)
        dy = dx
    return (dy,), ()
