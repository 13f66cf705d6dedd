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


def _in_top_k(p: Array, t: Array, attrs: Attrs) -> Array:
    """Return whether fewer than k of p (..., c) are larger than p at class t; t may lie outside the classes."""
    rows = np.where(np.isnan(p), -np.inf, p)
    known = (t >= 0) & (t < p.shape[-1])
    own = np.take_along_axis(rows, np.where(known, t, 0)[..., None], axis=-1)
    hits: Array = known & (np.sum(p > own, axis=-1) < number(attrs, "k", 5))
    return hits


@forward("top_k_categorical_accuracy")
def top_k_categorical_accuracy(
    ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs
) -> Sequence[Array]:
    """1 where the class of the (first) maximum of t is among the k largest of p."""
    p, t = inputs
    require_same_shape(p, t)
    return _share(ctx, _in_top_k(p, np.argmax(t, axis=-1), attrs))


@forward("sparse_top_k_categorical_accuracy")
def sparse_top_k_categorical_accuracy(
    ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs
) -> Sequence[Array]:
    """1 where class t is among the k largest of p."""
    p, t = inputs
    if t.shape != p.shape[:-1]:
        raise ValueError(f"predictions of shape {p.shape} do not fit labels of shape {t.shape}")
    return _share(ctx, _in_top_k(p, t, attrs))


@forward("correlation")
def correlation(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """Pearson's coefficient along the last axis, or Lin's; in float64, as differences from the mean cancel."""
    p, t = (x.astype(np.float64) for x in inputs)
    require_same_shape(p, t)
    a, b = p - p.mean(axis=-1, keepdims=True), t - t.mean(axis=-1, keepdims=True)
    if attrs.get("concordance", False):
        apart = (t.mean(axis=-1) - p.mean(axis=-1)) ** 2
        spread = np.mean(a * a, axis=-1) + np.mean(b * b, axis=-1) + apart + number(attrs, "epsilon", 1e-7)
        value = 2 * np.mean(a * b, axis=-1) / spread
    else:
        value = np.sum(a * b, axis=-1) / (np.sqrt(np.sum(a * a, axis=-1)) * np.sqrt(np.sum(b * b, axis=-1)))
    return (mean_per_sample(value.astype(ctx.dtype)),)
