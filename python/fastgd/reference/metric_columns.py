"""The ops that give a metric its columns: a row of values, or of numbers of columns, for each sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.reference.registry import Array, Attrs, Context, forward, number, require_same_shape


def _whole(attrs: Attrs, name: str) -> int:
    return int(number(attrs, name, -1))


@forward("threshold_buckets")
def threshold_buckets(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """2 (thresholds below p) + [t != 0] for each element, behind those of the labels before with `by_label`."""
    p, t = inputs
    require_same_shape(p, t)
    thresholds = np.asarray(attrs["thresholds"], p.dtype)
    buckets = np.searchsorted(thresholds, p, side="left")
    buckets[np.isnan(p)] = 0
    if (k := _whole(attrs, "top_k")) > 0:
        # Stable, so that of equal ones the first comes first.
        order = np.argsort(-p, axis=-1, kind="stable")
        places = np.empty_like(order)
        np.put_along_axis(places, order, np.broadcast_to(np.arange(p.shape[-1]), p.shape), axis=-1)
        buckets = np.where(places < k, buckets, 0)
    numbers = 2 * buckets + (t != 0)
    if attrs.get("by_label", False):
        numbers = numbers + 2 * (len(thresholds) + 1) * np.arange(p.shape[-1])
    if (label := _whole(attrs, "class_id")) >= 0:
        numbers = numbers[..., label]
    return (numbers.reshape(ctx.batch, -1).astype(np.int32),)


@forward("class_pairs")
def class_pairs(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """t classes + p for each pair of a target class t and a predicted class p; -1 where one of them is none."""
    count = _whole(attrs, "classes")
    p, t = (
        _classes(x, str(attrs.get(form, "label")), attrs) for x, form in zip(inputs, ("p_form", "t_form"), strict=True)
    )
    require_same_shape(p, t)
    counted = (p >= 0) & (p < count) & (t >= 0) & (t < count) & (t != _whole(attrs, "ignore_class"))
    return (np.where(counted, t * count + p, -1).reshape(ctx.batch, -1).astype(np.int32),)


def _classes(x: Array, form: str, attrs: Attrs) -> Array:
    if form == "one_hot":
        return np.asarray(np.argmax(x, axis=-1))
    if form == "threshold":
        return np.asarray(x >= np.asarray(number(attrs, "threshold", 0.5), x.dtype), np.int64)
    # Truncated towards 0; what no integer holds is no class.
    numbers: Array = np.where(np.isfinite(x) & (np.abs(x) < 2**31), x, -1).astype(np.int64)
    return numbers


@forward("label_matches")
def label_matches(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """For each label: whether it is chosen, t where it is, and t."""
    p, t = inputs
    require_same_shape(p, t)
    if "threshold" in attrs:
        chosen = p > np.asarray(number(attrs, "threshold", 0.0), p.dtype)
    else:
        chosen = (p >= p.max(axis=-1, keepdims=True)) & (np.abs(p) > 1e-9)
    return (np.concatenate([chosen, np.where(chosen, t, 0), t], axis=1).astype(ctx.dtype),)


@forward("squared_moments")
def squared_moments(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """For each output: t, t^2, what float64 keeps of t^2 beyond that, and (t - p)^2."""
    p, t = (x.reshape(ctx.batch, -1) for x in inputs)
    require_same_shape(p, t)
    square = t.astype(np.float64) ** 2
    coarse = square.astype(ctx.dtype)
    return (np.concatenate([t, coarse, (square - coarse).astype(ctx.dtype), (t - p) ** 2], axis=1),)
