"""The ops that make axes shorter or run along one: `reduce`, `arg_reduce` and `cumsum`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward, sizes

Axes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Statistic:
    """A reduction y = f(x) that keeps its axes at size 1, and dx from x, y and dy, which all have as many axes."""

    value: Callable[[Array, Axes], Array]
    gradient: Callable[[Array, Array, Array, Axes], Array]


def _terms(x: Array, axes: Axes) -> int:
    """Return how many elements each value is made of."""
    return prod(x.shape[axis] for axis in axes)


def _sum(x: Array, axes: Axes) -> Array:
    total: Array = np.sum(x, axis=axes, keepdims=True)
    return total


def _mean(x: Array, axes: Axes) -> Array:
    mean: Array = _sum(x, axes) / np.asarray(_terms(x, axes), x.dtype)
    return mean


def _logsumexp(x: Array, axes: Axes) -> Array:
    """Return log sum e^x; subtracting a finite maximum changes nothing but avoids overflow."""
    most = np.max(x, axis=axes, keepdims=True, initial=-np.inf)
    most = np.where(np.isfinite(most), most, np.zeros((), x.dtype))
    with np.errstate(divide="ignore", over="ignore"):
        total: Array = np.log(_sum(np.exp(x - most), axes)) + most
    return total


def _var(x: Array, axes: Axes) -> Array:
    return _mean((x - _mean(x, axes)) ** 2, axes)


def _extreme_gradient(x: Array, y: Array, dy: Array, axes: Axes) -> Array:
    """All that reach the extreme share its gradient."""
    hits = (x == y).astype(x.dtype)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = dy / _sum(hits, axes)
    return np.where(x == y, share, np.zeros((), x.dtype))


def _prod_gradient(x: Array, y: Array, dy: Array, axes: Axes) -> Array:
    """Return dy times the product of the other elements: with one zero it is not 0 only there."""
    zero = x == 0
    zeros = np.sum(zero, axis=axes, keepdims=True)
    ones = np.where(zero, np.ones((), x.dtype), x)
    others = dy * np.prod(ones, axis=axes, keepdims=True)
    none, one = np.where(zeros == 0, others, 0), np.where(zeros == 1, others, 0)
    return np.where(zero, one, none / ones)


def _std_gradient(x: Array, y: Array, dy: Array, axes: Axes) -> Array:
    """Return (x - mean) / (n y) dy, and 0 where y is 0."""
    scale = np.where(y > 0, dy / (_terms(x, axes) * np.where(y > 0, y, np.ones((), x.dtype))), np.zeros((), x.dtype))
    dx: Array = (x - _mean(x, axes)) * scale.astype(x.dtype)
    return dx


STATISTICS: dict[str, Statistic] = {
    "sum": Statistic(_sum, lambda x, y, dy, axes: np.broadcast_to(dy, x.shape)),
    "mean": Statistic(
        _mean, lambda x, y, dy, axes: np.broadcast_to(dy / np.asarray(_terms(x, axes), x.dtype), x.shape)
    ),
    "prod": Statistic(lambda x, axes: np.prod(x, axis=axes, keepdims=True), _prod_gradient),
    "max": Statistic(lambda x, axes: np.max(x, axis=axes, keepdims=True), _extreme_gradient),
    "min": Statistic(lambda x, axes: np.min(x, axis=axes, keepdims=True), _extreme_gradient),
    "logsumexp": Statistic(_logsumexp, lambda x, y, dy, axes: np.exp(x - y) * dy),
    "var": Statistic(
        _var, lambda x, y, dy, axes: (x - _mean(x, axes)) * (dy * np.asarray(2 / _terms(x, axes), x.dtype))
    ),
    "std": Statistic(lambda x, axes: np.sqrt(_var(x, axes)), _std_gradient),
}


def _read(attrs: Attrs) -> tuple[Statistic, Axes]:
    """Return the function and the axes of a step."""
    name = attrs["function"]
    if not isinstance(name, str) or name not in STATISTICS:
        raise ValueError(f"unknown function. Known: {', '.join(STATISTICS)}. Received: function={name!r}")
    return STATISTICS[name], sizes(attrs, "axes")


@forward("reduce")
def reduce(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = f(x) over the axes, which are left out unless `keepdims`."""
    (x,) = inputs
    statistic, axes = _read(attrs)
    y = statistic.value(x, axes)
    ctx.saved["y"] = y
    return (y if attrs.get("keepdims", False) else np.squeeze(y, axis=axes),)


@backward("reduce")
def reduce_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx = f'(x) dy."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    statistic, axes = _read(attrs)
    y = ctx.saved["y"]
    return (statistic.gradient(x, y, dy.reshape(y.shape), axes),), ()


def _axis(attrs: Attrs) -> int:
    """Return the axis that a step runs along."""
    axis = attrs["axis"]
    if not isinstance(axis, int):
        raise ValueError(f"`axis` must be an integer. Received: axis={axis!r}")
    return axis


@forward("arg_reduce")
def arg_reduce(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = the index of the first maximum or minimum along the axis."""
    (x,) = inputs
    find = np.argmin if attrs["function"] == "min" else np.argmax
    return (find(x, axis=_axis(attrs)).astype(np.int32),)


@forward("cumsum")
def cumsum(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y_i = x_0 + ... + x_i along the axis."""
    (x,) = inputs
    return (np.cumsum(x, axis=_axis(attrs), dtype=x.dtype),)


@backward("cumsum")
def cumsum_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx_i = dy_i + ... + dy_n: each element is in all sums from its own on."""
    (dy,) = d_outputs
    assert dy is not None
    axis = _axis(attrs)
    return (np.flip(np.cumsum(np.flip(dy, axis), axis=axis, dtype=dy.dtype), axis),), ()
