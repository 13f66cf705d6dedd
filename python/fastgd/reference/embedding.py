"""The op that picks rows of a table by indices: `embedding`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward


def _inside(x: Array, table: Array) -> Array:
    """Return which indices point to a row.

    Raises:
        ValueError: unless the table has two axes.
    """
    if table.ndim != 2:
        raise ValueError(f"takes a table of two axes. Received: {table.shape}")
    inside: Array = (x >= 0) & (x < len(table))
    return inside


def _pool(attrs: Attrs) -> str | None:
    """Return what is made of the vectors of the last axis of the indices: "sum", "mean" or None.

    Raises:
        ValueError: for another word.
    """
    pool = str(attrs.get("pool", "none"))
    if pool not in ("none", "sum", "mean"):
        raise ValueError(f"`pool` must be none, sum or mean. Received: pool={pool!r}")
    return None if pool == "none" else pool


@forward("embedding")
def embedding(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = the row of the table that each index points to, NaN where there is none; with `pool` their sum or mean."""
    (x,), (table,) = inputs, params
    inside = _inside(x, table)
    y = np.full((*x.shape, table.shape[1]), np.nan, ctx.dtype)
    y[inside] = table[x[inside]]
    pool = _pool(attrs)
    return (y,) if pool is None else (getattr(np, pool)(y, axis=-2),)


@backward("embedding", differentiable=0)
def embedding_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """Each row of the table adds up the dy of all that was taken from it; the others have a gradient of 0."""
    (x,), (table,), (dy,) = inputs, params, d_outputs
    assert dy is not None
    d_table = np.zeros_like(table)
    inside = _inside(x, table)
    if (pool := _pool(attrs)) is not None:
        share = dy / x.shape[-1] if pool == "mean" else dy
        dy = np.broadcast_to(share[..., None, :], (*x.shape, table.shape[1]))
    np.add.at(d_table, x[inside], dy[inside])
    return (None,), (d_table,)
