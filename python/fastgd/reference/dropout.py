"""The random ops: `dropout`, `alpha_dropout` and `gaussian_noise`, which do nothing outside training."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from fastgd.plan import resolve_shape
from fastgd.reference.random import deviates, keep_mask
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
    sizes,
)

# The limit of SELU far below zero, minus its scale times its alpha (Klambauer and others, NIPS 2017).
SELU_LIMIT = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946


def _rate(attrs: Attrs) -> float:
    rate = number(attrs, "rate", 0.0)
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"`rate` must lie in [0, 1]. Received: rate={rate}")
    return rate


def _keep(ctx: Context, x: Array, attrs: Attrs) -> Array:
    """Return which elements are kept, as a mask that has the shape of x or is broadcast to it."""
    shape = resolve_shape(sizes(attrs, "noise_shape"), ctx.batch) if "noise_shape" in attrs else x.shape
    if len(shape) != x.ndim:
        raise ValueError(f"`noise_shape` must have one size per axis of {x.shape}. Received: {shape}")
    if any(size not in (1, whole) for size, whole in zip(shape, x.shape, strict=True)):
        raise ValueError(f"`noise_shape` must have sizes of 1 or of {x.shape}. Received: {shape}")
    return keep_mask(shape, _rate(attrs), integer(attrs, "seed"), ctx.iteration)


@forward("dropout")
def dropout(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = x keep / (1 - rate) in training, else y = x.

    Dividing by 1 - rate keeps the expected value of y at x, so that nothing has to change at prediction.
    """
    (x,) = inputs
    rate = _rate(attrs)
    if not ctx.training or rate == 0.0:
        return (x,)
    factor: Array = _keep(ctx, x, attrs).astype(ctx.dtype)
    # A rate of 1 keeps nothing, and its scale would be infinite.
    if rate < 1.0:
        factor *= 1.0 / (1.0 - rate)
    ctx.saved["factor"] = factor
    return (x * factor,)


@forward("alpha_dropout")
def alpha_dropout(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = a (x where kept, else SELU's limit) + b in training, else y = x; a and b keep mean 0 and variance 1."""
    (x,) = inputs
    rate = _rate(attrs)
    if rate == 1.0:
        raise ValueError("`rate` must be below 1. Received: rate=1.0")
    if not ctx.training:
        return (x,)
    a = 1.0 / math.sqrt((1.0 - rate) * (1.0 + rate * SELU_LIMIT**2))
    keep = _keep(ctx, x, attrs)
    ctx.saved["factor"] = keep * ctx.dtype.type(a)
    shift = -a * SELU_LIMIT * rate
    y = np.where(keep, x * ctx.dtype.type(a) + ctx.dtype.type(shift), ctx.dtype.type(a * SELU_LIMIT + shift))
    return (y,)


@forward("gaussian_noise")
def gaussian_noise(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = x + stddev z in training, or x (1 + stddev z) with `multiply`, with normal deviates z; else y = x."""
    (x,) = inputs
    stddev = number(attrs, "stddev", -1.0)
    if stddev < 0.0:
        raise ValueError(f"`stddev` must be 0 or more. Received: stddev={stddev}")
    if not ctx.training:
        return (x,)
    noise = (stddev * deviates(x.shape, integer(attrs, "seed"), ctx.iteration)).astype(ctx.dtype)
    if not attrs.get("multiply", False):
        return (x + noise,)
    ctx.saved["factor"] = 1 + noise
    return (x * ctx.saved["factor"],)


@backward("dropout")
@backward("alpha_dropout")
@backward("gaussian_noise")
def random_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx = dy times the factor by which forward multiplied x."""
    (dy,) = d_outputs
    assert dy is not None
    factor = ctx.saved.get("factor")
    return (dy if factor is None else dy * factor,), ()
