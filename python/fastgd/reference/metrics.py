"""The metrics: the share of right answers in each sample. They have no backward pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.reference.averaging import mean_per_sample
from fastgd.reference.registry import Array, Attrs, Context, forward, number, require_same_shape


def _share(ctx: Context, right: Array) -> Sequence[Array]:
    """Return the share of true elements in each sample."""
    return (mean_per_sample(right.astype(ctx.dtype)),)


@forward("accuracy")
def accuracy(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """1 where p == t."""
    p, t = inputs
    require_same_shape(p, t)
    return _share(ctx, p == t)


@forward("binary_accuracy")
def binary_accuracy(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """1 where (p > threshold) == t."""
    p, t = inputs
    require_same_shape(p, t)
    return _share(ctx, (p > number(attrs, "threshold", 0.5)) == t)


@forward("categorical_accuracy")
def categorical_accuracy(
    ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs
) -> Sequence[Array]:
    """1 where p and t have their (first) maximum at the same class."""
    p, t = inputs
    require_same_shape(p, t)
    return _share(ctx, np.argmax(p, axis=-1) == np.argmax(t, axis=-1))


@forward("sparse_categorical_accuracy")
def sparse_categorical_accuracy(
    ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs
) -> Sequence[Array]:
    """1 where p has its (first) maximum at class t."""
    p, t = inputs
    if t.shape != p.shape[:-1]:
        raise ValueError(f"predictions of shape {p.shape} do not fit labels of shape {t.shape}")
    return _share(ctx, np.argmax(p, axis=-1) == t)
