"""The op `dropout`: in training it silences a random share of the elements."""

from __future__ import annotations

from collections.abc import Sequence

from fastgd.reference.random import keep_mask
from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward, number


def _seed(attrs: Attrs) -> int:
    """Return the seed as it was given: a float could not hold its 64 bits."""
    seed = attrs.get("seed", 0)
    if not isinstance(seed, int):
        raise ValueError(f"`seed` must be an integer. Received: seed={seed!r}")
    return seed


def _factor(ctx: Context, x: Array, attrs: Attrs) -> Array | None:
    """Return keep / (1 - rate) for each element, or None where it is 1 throughout.

    Dividing by 1 - rate keeps the expected value of y at x, so that nothing has to change at prediction.
    """
    rate = number(attrs, "rate", 0.0)
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"`rate` must lie in [0, 1]. Received: rate={rate}")
    if not ctx.training or rate == 0.0:
        return None
    factor: Array = keep_mask(x.shape, rate, _seed(attrs), ctx.iteration).astype(ctx.dtype)
    # A rate of 1 keeps nothing, and its scale would be infinite.
    if rate < 1.0:
        factor *= 1.0 / (1.0 - rate)
    return factor


@forward("dropout")
def dropout(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = x keep / (1 - rate) in training, else y = x."""
    (x,) = inputs
    factor = _factor(ctx, x, attrs)
    if factor is None:
        return (x,)
    ctx.saved["factor"] = factor
    return (x * factor,)


@backward("dropout")
def dropout_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx = dy keep / (1 - rate), with the mask of forward."""
    (dy,) = d_outputs
    assert dy is not None
    factor = ctx.saved.get("factor")
    return (dy if factor is None else dy * factor,), ()
