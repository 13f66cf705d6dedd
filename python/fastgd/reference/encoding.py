"""The ops that prepare data: `rescale`, `standardize`, `discretize` and `category_encoding`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward, integer, number


def _lying(x: Array, params: Sequence[Array], attrs: Attrs) -> tuple[Array, Array]:
    """Return the two parameters in a shape that is broadcast to x: they lie along its axes from `axis` on.

    Without that attribute they have one element, for everything.
    """
    if len(params) != 2 or params[0].shape != params[1].shape:
        raise ValueError(f"takes two parameters of one shape. Received: {[w.shape for w in params]}")
    first, second = params
    shape: tuple[int, ...] = (1,) * x.ndim
    if "axis" in attrs:
        axis = integer(attrs, "axis")
        end = axis + first.ndim
        if x.shape[axis:end] != first.shape:
            raise ValueError(f"parameters of shape {first.shape} do not lie along {x.shape} from axis={axis}")
        shape = (1,) * axis + first.shape + (1,) * (x.ndim - end)
    return first.reshape(shape), second.reshape(shape)


@forward("rescale")
def rescale(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = x scale + offset."""
    (x,) = inputs
    scale, offset = _lying(x, params, attrs)
    return (x * scale + offset,)


@backward("rescale")
def rescale_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx = dy scale; scale and offset are constants."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    return (dy * _lying(x, params, attrs)[0],), (None, None)


def _deviation(variance: Array, attrs: Attrs) -> Array:
    deviation: Array = np.maximum(np.sqrt(variance.astype(np.float64)), number(attrs, "epsilon", 1e-7))
    return deviation


@forward("standardize")
def standardize(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = (x - mean) / max(sqrt(variance), epsilon), or with `invert` y = x max(sqrt(variance), epsilon) + mean."""
    (x,) = inputs
    mean, variance = _lying(x, params, attrs)
    deviation = _deviation(variance, attrs)
    y = x * deviation + mean if attrs.get("invert", False) else (x - mean) / deviation
    return (y.astype(ctx.dtype),)


@backward("standardize")
def standardize_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx = dy / max(sqrt(variance), epsilon), or times it with `invert`; mean and variance are constants."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    deviation = _deviation(_lying(x, params, attrs)[1], attrs)
    dx = dy * deviation if attrs.get("invert", False) else dy / deviation
    return (dx.astype(ctx.dtype),), (None, None)


@forward("discretize")
def discretize(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = the number of boundaries that are not above x, as int32; NaN is above all."""
    return (np.searchsorted(params[0], inputs[0], side="right").astype(np.int32),)


@forward("category_encoding")
def category_encoding(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y[..., c] = 1 where the label c is among those of the last axis, else 0; with `count` how often it is."""
    (x,) = inputs
    classes = integer(attrs, "num_tokens")
    hits = x[..., None] == np.arange(classes, dtype=np.int32)
    y = np.sum(hits, axis=-2) if attrs.get("count", False) else np.any(hits, axis=-2)
    return (y.astype(ctx.dtype),)
