"""The normalising ops: `batch_normalization`, `group_normalization`, and those that work along the axes of a sample."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from fastgd.reference.registry import (
    Array,
    Attrs,
    Context,
    Gradients,
    MaybeArrays,
    backward,
    forward,
    integer,
    number,
)

# The axes of the view in which channels are normalised: units, rows, groups, channels of a group, inner elements.
WITHIN_GROUP = (1, 3, 4)


def _pick(params: Sequence[Array], attrs: Attrs, rest: int) -> tuple[Array | None, Array | None, Sequence[Array]]:
    """Return gamma and beta, None where the step has none, and the `rest` parameters behind them."""
    scale, center = bool(attrs.get("scale", True)), bool(attrs.get("center", True))
    if len(params) != scale + center + rest:
        raise ValueError(f"takes {scale + center + rest} parameters. Received: {len(params)}")
    gamma = params[0] if scale else None
    beta = params[int(scale)] if center else None
    return gamma, beta, params[scale + center :]


def _own(attrs: Attrs, dgamma: Array, dbeta: Array, rest: int) -> MaybeArrays:
    """Return the gradients of those parameters that the step has."""
    kept = [d for d, name in ((dgamma, "scale"), (dbeta, "center")) if attrs.get(name, True)]
    return [*kept, *[None] * rest]


def _by_channel(x: Array, attrs: Attrs, groups: int, own: int) -> Array:
    """Return a view (units, rows, groups, channels of a group, inner) of x; the first `own` axes number the units."""
    axis = integer(attrs, "axis")
    if not 1 <= axis < x.ndim:
        raise ValueError(f"`axis` must be an axis behind the batch. Received: axis={axis}, x of shape {x.shape}")
    if groups < 1 or x.shape[axis] % groups:
        raise ValueError(f"`groups` must divide the {x.shape[axis]} channels. Received: groups={groups}")
    width = x.shape[axis] // groups
    return x.reshape(prod(x.shape[:own]), prod(x.shape[own:axis]), groups, width, prod(x.shape[axis + 1 :]))


def _moments(x: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """Return mean and biased variance in float64, which leaves nothing to rounding that matters."""
    mean = np.mean(x, axis=axes, keepdims=True, dtype=np.float64)
    variance = np.var(x, axis=axes, keepdims=True, dtype=np.float64)
    return np.asarray(mean), np.asarray(variance)


def _spread(values: Array | None, like: Array) -> Array | float:
    """Return a parameter, one value per channel, in the shape of the view; 1 where there is none."""
    return 1.0 if values is None else values.astype(np.float64).reshape(1, 1, *like.shape[2:4], 1)


def _standard(x: Array, mean: Array, variance: Array, attrs: Attrs, missing: float) -> tuple[Array, Array]:
    """Return h = (x - mean) / sqrt(variance + epsilon) and the factor that makes it."""
    inverse = 1.0 / np.sqrt(variance + number(attrs, "epsilon", missing))
    return (x - mean) * inverse, inverse


def _finish(ctx: Context, x: Array, view: Array, h: Array, gamma: Array | None, beta: Array | None) -> Sequence[Array]:
    """Return y = gamma h + beta in the shape and type of x."""
    y = h * _spread(gamma, view)
    if beta is not None:
        y = y + _spread(beta, view)
    return (y.astype(ctx.dtype).reshape(x.shape),)


def _differentiate(
    ctx: Context, x: Array, view: Array, dy: Array, gamma: Array | None, axes: tuple[int, ...] | None
) -> tuple[Array, Array, Array]:
    """Return dx, dgamma and dbeta; `axes` are those that the statistics were taken over, None if they are fixed.

    With g = gamma dy: dx = (g - mean(g) - h mean(g h)) / sqrt(variance + epsilon), dgamma = sum(dy h), dbeta = sum(dy).
    """
    h, inverse = ctx.saved["h"], ctx.saved["inverse"]
    d = dy.reshape(view.shape).astype(np.float64)
    g = d * _spread(gamma, view)
    dx = g
    if axes is not None:
        dx = g - np.mean(g, axis=axes, keepdims=True) - h * np.mean(g * h, axis=axes, keepdims=True)
    sums = [np.sum(each, axis=(0, 1, 4)).reshape(-1).astype(ctx.dtype) for each in (d * h, d)]
    return (dx * inverse).astype(ctx.dtype).reshape(x.shape), sums[0], sums[1]


def _fixed(ctx: Context, attrs: Attrs) -> bool:
    return bool(attrs.get("frozen", False)) or not ctx.training


@forward("batch_normalization")
def batch_normalization(
    ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs
) -> Sequence[Array]:
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta per channel; training moves the averages."""
    (x,) = inputs
    gamma, beta, averages = _pick(params, attrs, 2)
    view = _by_channel(x, attrs, x.shape[integer(attrs, "axis")], 0)
    if _fixed(ctx, attrs):
        mean, variance = (average.astype(np.float64).reshape(1, 1, -1, 1, 1) for average in averages)
    else:
        mean, variance = _moments(view, (0, *WITHIN_GROUP))
        if ctx.updates:
            share = number(attrs, "momentum", 0.99)
            for average, found in zip(averages, (mean, variance), strict=True):
                average[...] = average.astype(np.float64) * share + found.reshape(-1) * (1.0 - share)
    ctx.saved["h"], ctx.saved["inverse"] = _standard(view, mean, variance, attrs, 1e-3)
    return _finish(ctx, x, view, ctx.saved["h"], gamma, beta)


@backward("batch_normalization")
def batch_normalization_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """As `_differentiate` says, over the batch; the averages have no gradient."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    gamma, _, _ = _pick(params, attrs, 2)
    view = _by_channel(x, attrs, x.shape[integer(attrs, "axis")], 0)
    axes = None if _fixed(ctx, attrs) else (0, *WITHIN_GROUP)
    dx, dgamma, dbeta = _differentiate(ctx, x, view, dy, gamma, axes)
    return (dx,), _own(attrs, dgamma, dbeta, 2)


@forward("group_normalization")
def group_normalization(
    ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs
) -> Sequence[Array]:
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the statistics of each group of each sample."""
    (x,) = inputs
    gamma, beta, _ = _pick(params, attrs, 0)
    view = _by_channel(x, attrs, integer(attrs, "groups"), 1)
    ctx.saved["h"], ctx.saved["inverse"] = _standard(view, *_moments(view, WITHIN_GROUP), attrs, 1e-3)
    return _finish(ctx, x, view, ctx.saved["h"], gamma, beta)


@backward("group_normalization")
def group_normalization_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """As `_differentiate` says, within each group."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    gamma, _, _ = _pick(params, attrs, 0)
    view = _by_channel(x, attrs, integer(attrs, "groups"), 1)
    dx, dgamma, dbeta = _differentiate(ctx, x, view, dy, gamma, WITHIN_GROUP)
    return (dx,), _own(attrs, dgamma, dbeta, 0)


def _rows(x: Array, attrs: Attrs) -> Array:
    """Return a view (outer, elements of a row, inner) of x; rows run along `axes` axes from `axis` on."""
    axis, axes = integer(attrs, "axis"), integer(attrs, "axes")
    if axis < 1 or axes < 1 or axis + axes > x.ndim:
        raise ValueError(f"`axis` and `axes` must name axes behind the batch. Received: axis={axis}, axes={axes}")
    return x.reshape(prod(x.shape[:axis]), prod(x.shape[axis : axis + axes]), prod(x.shape[axis + axes :]))


def _along(values: Array) -> Array:
    return values.astype(np.float64).reshape(1, -1, 1)


@forward("layer_normalization")
def layer_normalization(
    ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs
) -> Sequence[Array]:
    """y = gamma (x - mean) / sqrt(variance + epsilon) + beta along the rows."""
    (x,) = inputs
    gamma, beta, _ = _pick(params, attrs, 0)
    view = _rows(x, attrs)
    h, ctx.saved["inverse"] = _standard(view, *_moments(view, (1,)), attrs, 1e-3)
    ctx.saved["h"] = h
    y = h if gamma is None else h * _along(gamma)
    y = y if beta is None else y + _along(beta)
    return (y.astype(ctx.dtype).reshape(x.shape),)


@forward("rms_normalization")
def rms_normalization(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = gamma x / sqrt(mean(x^2) + epsilon) along the rows."""
    (x,) = inputs
    gamma, _, _ = _pick(params, {**attrs, "center": False}, 0)
    view = _rows(x, attrs)
    square = np.mean(np.square(view, dtype=np.float64), axis=1, keepdims=True)
    h, ctx.saved["inverse"] = _standard(view, np.zeros_like(square), square, attrs, 1e-6)
    ctx.saved["h"] = h
    return ((h if gamma is None else h * _along(gamma)).astype(ctx.dtype).reshape(x.shape),)


def _rows_backward(ctx: Context, x: Array, dy: Array, gamma: Array | None, attrs: Attrs, centered: bool) -> Gradients:
    """With g = gamma dy: dx = (g - mean(g) - h mean(g h)) inverse; mean(g) counts only where the mean was taken off."""
    h, inverse = ctx.saved["h"], ctx.saved["inverse"]
    d = _rows(dy, attrs).astype(np.float64)
    g = d if gamma is None else d * _along(gamma)
    lift = np.mean(g, axis=1, keepdims=True) if centered else 0.0
    dx = (g - lift - h * np.mean(g * h, axis=1, keepdims=True)) * inverse
    sums = [np.sum(each, axis=(0, 2)).astype(ctx.dtype) for each in (d * h, d)]
    return (dx.astype(ctx.dtype).reshape(x.shape),), _own(attrs, sums[0], sums[1], 0)


@backward("layer_normalization")
def layer_normalization_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """As `_rows_backward` says."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    gamma, _, _ = _pick(params, attrs, 0)
    d_inputs, d_params = _rows_backward(ctx, x, dy, gamma, attrs, centered=True)
    return d_inputs, _shaped(d_params, params)


@backward("rms_normalization")
def rms_normalization_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """As `_rows_backward` says, without a mean."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    told = {**attrs, "center": False}
    gamma, _, _ = _pick(params, told, 0)
    d_inputs, d_params = _rows_backward(ctx, x, dy, gamma, told, centered=False)
    return d_inputs, _shaped(d_params, params)


def _shaped(gradients: MaybeArrays, params: Sequence[Array]) -> MaybeArrays:
    """Return the gradients of parameters over several axes in their shapes."""
    return [None if d is None else d.reshape(w.shape) for d, w in zip(gradients, params, strict=True)]


@forward("unit_normalization")
def unit_normalization(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = x min(1 / sqrt(sum(x^2)), 1 / epsilon) along the rows."""
    (x,) = inputs
    view = _rows(x, attrs).astype(np.float64)
    limit = 1.0 / number(attrs, "epsilon", 1e-12)
    inverse = np.minimum(1.0 / np.sqrt(np.sum(np.square(view), axis=1, keepdims=True)), limit)
    ctx.saved["h"], ctx.saved["inverse"] = view * inverse, inverse
    ctx.saved["moving"] = inverse < limit
    return (ctx.saved["h"].astype(ctx.dtype).reshape(x.shape),)


@backward("unit_normalization")
def unit_normalization_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx = (dy - y sum(dy y)) inverse; at the limit, where the factor is a constant, dx = dy inverse."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    h, d = ctx.saved["h"], _rows(dy, attrs).astype(np.float64)
    along = np.where(ctx.saved["moving"], np.sum(d * h, axis=1, keepdims=True), 0.0)
    return (((d - h * along) * ctx.saved["inverse"]).astype(ctx.dtype).reshape(x.shape),), ()
