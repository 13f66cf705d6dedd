"""The op of scaled dot-product attention with several heads: `attention`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.reference.random import keep_mask
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


def _heads(attrs: Attrs) -> tuple[int, int]:
    """Return the numbers of heads of the queries and of the keys.

    Raises:
        ValueError: unless the second divides the first.
    """
    heads = integer(attrs, "heads")
    groups = integer(attrs, "key_value_heads") if "key_value_heads" in attrs else heads
    if groups < 1 or heads < groups or heads % groups:
        raise ValueError(f"`key_value_heads` must divide `heads`. Received: {groups} and {heads}")
    return heads, groups


def _cut(x: Array, heads: int) -> Array:
    """Return x (n, t, heads d) as (n, heads, t, d)."""
    n, t, size = x.shape
    return x.reshape(n, t, heads, size // heads).transpose(0, 2, 1, 3)


def _join(x: Array) -> Array:
    """Return x (n, heads, t, d) as (n, t, heads d)."""
    n, heads, t, d = x.shape
    return x.transpose(0, 2, 1, 3).reshape(n, t, heads * d)


def _operands(inputs: Sequence[Array], attrs: Attrs) -> list[Array]:
    """Return queries, keys and values as (n, heads, t, d), keys and values repeated for the heads that share them.

    Raises:
        ValueError: if the shapes do not fit.
    """
    heads, groups = _heads(attrs)
    q, k, v = inputs[:3]
    fits = q.ndim == k.ndim == v.ndim == 3 and len(q) == len(k) == len(v) and k.shape[1] == v.shape[1]
    fits = fits and not (q.shape[2] % heads or k.shape[2] % groups or v.shape[2] % groups)
    if not fits or q.shape[2] // heads != k.shape[2] // groups:
        raise ValueError(
            f"queries {q.shape}, keys {k.shape} and values {v.shape} do not fit {heads} and {groups} heads"
        )
    return [_cut(q, heads), *(np.repeat(_cut(x, groups), heads // groups, axis=1) for x in (k, v))]


def _seen(inputs: Sequence[Array], attrs: Attrs, shape: Sequence[int]) -> Array:
    """Return which scores count, in a shape that is broadcast to theirs.

    Raises:
        ValueError: if the mask does not fit.
    """
    seen = np.tril(np.ones(shape[2:], np.bool_)) if attrs.get("causal", False) else np.ones((1, 1), np.bool_)
    if len(inputs) > 3:
        mask = inputs[3]
        if mask.ndim != 4 or any(size not in (1, whole) for size, whole in zip(mask.shape, shape, strict=True)):
            raise ValueError(f"the mask {mask.shape} does not fit the scores {tuple(shape)}")
        seen = seen & (mask != 0)
    return seen


@forward("attention")
def attention(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = drop(p) v for each head, p = the softmax of scale q k' over the keys that are seen, 0 for the others."""
    q, k, v = _operands(inputs, attrs)
    scores = np.matmul(q, k.swapaxes(-1, -2)) * ctx.dtype.type(number(attrs, "scale", 1.0))
    seen = _seen(inputs, attrs, scores.shape)
    scores = np.where(seen, scores, -np.inf)
    most = np.max(scores, axis=-1, keepdims=True, initial=-np.inf)
    # What sees nothing has no largest score.
    p = np.exp(scores - np.where(np.isneginf(most), ctx.dtype.type(0), most))
    total = np.sum(p, axis=-1, keepdims=True)
    p = p / np.where(total == 0, ctx.dtype.type(1), total)
    rate = number(attrs, "rate", 0.0)
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"`rate` must lie in [0, 1]. Received: rate={rate}")
    weights = p
    if rate > 0 and ctx.training:
        factor: Array = keep_mask(p.shape, rate, integer(attrs, "seed"), ctx.iteration).astype(ctx.dtype)
        if rate < 1:
            factor *= 1.0 / (1.0 - rate)
        ctx.saved["factor"] = factor
        weights = p * factor
    return _join(np.matmul(weights, v)), p


@backward("attention", differentiable=3)
def attention_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """With w = drop(p): dv = w' dy, dp = dy v' through dropout, ds = p (dp - sum(dp p)), dq = ds k, dk = ds' q."""
    heads, groups = _heads(attrs)
    q, k, v = _operands(inputs, attrs)
    p, (dy, d_scores) = outputs[1], d_outputs
    factor = ctx.saved.get("factor", np.ones((), ctx.dtype))
    dp = np.zeros_like(p)
    dv = np.zeros_like(v)
    if dy is not None:
        dy = _cut(dy, heads)
        dv = np.matmul((p * factor).swapaxes(-1, -2), dy)
        dp = np.matmul(dy, v.swapaxes(-1, -2)) * factor
    if d_scores is not None:
        dp = dp + d_scores
    ds = p * (dp - np.sum(dp * p, axis=-1, keepdims=True)) * ctx.dtype.type(number(attrs, "scale", 1.0))
    dq, dk = np.matmul(ds, k), np.matmul(ds.swapaxes(-1, -2), q)

    def gathered(x: Array) -> Array:
        """Return the gradient of heads that share their keys or values, added up."""
        n, _, t, d = x.shape
        return _join(x.reshape(n, groups, heads // groups, t, d).sum(axis=2))

    return (_join(dq), gathered(dk), gathered(dv), None)[: len(inputs)], ()
