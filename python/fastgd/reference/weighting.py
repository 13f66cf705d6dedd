"""What stands between losses and their terms: signed targets, means over a sample, and means over what counts."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from fastgd.reference.averaging import mean_per_sample
from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward, number


@forward("signed_labels")
def signed_labels(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """2 t - 1 if all of t is 0 or 1, else t."""
    (t,) = inputs
    return (2 * t - 1,) if ((t == 0) | (t == 1)).all() else (t.copy(),)


@forward("label_share")
def label_share(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """The share of each sample's labels that are not the ignored class."""
    return (mean_per_sample((inputs[0] != attrs["ignore_class"]).astype(ctx.dtype)),)


@forward("sample_mean")
def sample_mean(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """The mean over all axes but the first."""
    return (mean_per_sample(inputs[0]),)


@backward("sample_mean")
def sample_mean_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """Dx = dy / m for the m elements of a sample."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    share = dy / max(prod(x.shape[1:]), 1)
    return (np.array(np.broadcast_to(share.reshape(-1, *(1,) * (x.ndim - 1)), x.shape)),), ()


def _divided(x: Array, divisors: Sequence[Array], attrs: Attrs) -> Array:
    total = float(np.sum(np.prod([d.astype(np.float64) for d in divisors], axis=0)))
    factor = number(attrs, "scale", 1.0) * len(x) / total if total else 0.0
    y: Array = x * factor
    return y.astype(x.dtype)


@forward("divide_by_mean")
def divide_by_mean(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """Scale v / m, with m the mean over the batch of the product of the other inputs; 0 where m is 0."""
    return (_divided(inputs[0], inputs[1:], attrs),)


@backward("divide_by_mean", differentiable=1)
def divide_by_mean_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """Dv = scale dy / m."""
    (dy,) = d_outputs
    assert dy is not None
    return (_divided(dy, inputs[1:], attrs), *[None] * (len(inputs) - 1)), ()
