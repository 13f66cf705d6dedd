"""The losses of rows: one value for each vector along the last axis, with a target of its shape or a label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.reference.averaging import loss, require_labels
from fastgd.reference.losses import clip, epsilon_of, smooth
from fastgd.reference.registry import Array, Attrs, number


def at_labels(p: Array, t: Array) -> Array:
    """Return p[..., t], one number per label, with a last axis of one."""
    return np.take_along_axis(p, t[..., np.newaxis], axis=-1)


def add_at_labels(p: Array, t: Array, amount: Array | float) -> None:
    """Add `amount` to p[..., t], in place."""
    np.put_along_axis(p, t[..., np.newaxis], at_labels(p, t) + amount, axis=-1)


def split_ignored(t: Array, attrs: Attrs) -> tuple[Array, Array]:
    """Return the labels with class 0 in the place of those that are ignored, and which are not."""
    ignored = attrs.get("ignore_class")
    valid = np.ones(t.shape, bool) if ignored is None else t != ignored
    return np.where(valid, t, 0), valid


@loss("categorical_crossentropy", class_axis=True)
class CategoricalCrossentropy:
    """e = -sum(t' log q) with r = p / sum(p) and q = clip(r)."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e."""
        q = clip(p / np.sum(p, axis=-1, keepdims=True), attrs)
        return (-np.sum(smooth(t, attrs, p.shape[-1]) * np.log(q), axis=-1),)

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return (g - sum(g r)) / sum(p), where g = de/dr = -t' / q, and 0 where r was clipped."""
        total = np.sum(p, axis=-1, keepdims=True)
        r = p / total
        q = clip(r, attrs)
        g = -smooth(t, attrs, p.shape[-1]) / q * (q == r)
        slope: Array = (g - np.sum(g * r, axis=-1, keepdims=True)) / total
        return slope


@loss("categorical_focal_crossentropy", class_axis=True)
class CategoricalFocalCrossentropy:
    """e = -sum(alpha (1 - q)^gamma t' log q) with r = p / sum(p) and q = clip(r)."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e."""
        q = clip(p / np.sum(p, axis=-1, keepdims=True), attrs)
        weight = number(attrs, "alpha", 0.25) * (1 - q) ** number(attrs, "gamma", 2.0)
        return (-np.sum(weight * smooth(t, attrs, p.shape[-1]) * np.log(q), axis=-1),)

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return (g - sum(g r)) / sum(p), where g = de/dr, and 0 where r was clipped."""
        total = np.sum(p, axis=-1, keepdims=True)
        r = p / total
        q = clip(r, attrs)
        gamma = number(attrs, "gamma", 2.0)
        slope = (1 - q) ** gamma / q
        if gamma != 0:
            slope = slope - gamma * (1 - q) ** (gamma - 1) * np.log(q)
        g = -number(attrs, "alpha", 0.25) * smooth(t, attrs, p.shape[-1]) * slope * (q == r)
        result: Array = (g - np.sum(g * r, axis=-1, keepdims=True)) / total
        return result


@loss("kl_divergence", class_axis=True)
class KLDivergence:
    """e = sum(t' log(t' / q)), with t' and q cut to [eps, 1]."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e."""
        t, q = (np.clip(x, epsilon_of(attrs), 1) for x in (t, p))
        return (np.sum(t * np.log(t / q), axis=-1),)

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return -t' / q, and 0 where p was cut."""
        t, q = (np.clip(x, epsilon_of(attrs), 1) for x in (t, p))
        slope: Array = -t / q * (q == p)
        return slope


def _length(x: Array, attrs: Attrs) -> tuple[Array, Array]:
    """Return the length of each row, at least eps, and whether it is more."""
    length = np.sqrt(np.sum(np.square(x), axis=-1, keepdims=True))
    return np.maximum(length, epsilon_of(attrs)), length > epsilon_of(attrs)


@loss("cosine_similarity", class_axis=True)
class CosineSimilarity:
    """e = sign sum(p t) / (|p| |t|), both lengths at least eps."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e."""
        (a, _), (b, _) = _length(p, attrs), _length(t, attrs)
        return (number(attrs, "sign", 1.0) * np.sum(p / a * (t / b), axis=-1),)

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return sign (t / |t| - cos p / |p|) / |p|, without the second term where |p| was too short."""
        (a, longer), (b, _) = _length(p, attrs), _length(t, attrs)
        cosine = np.sum(p / a * (t / b), axis=-1, keepdims=True)
        slope: Array = number(attrs, "sign", 1.0) * (t / b - np.where(longer, cosine * p / a, 0)) / a
        return slope.astype(p.dtype)


@loss("categorical_hinge", class_axis=True)
class CategoricalHinge:
    """e = max(0, 1 + max((1 - t) p) - sum(t p))."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e."""
        return (np.maximum(np.max((1 - t) * p, axis=-1) - np.sum(t * p, axis=-1) + 1, 0),)

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return -t, and 1 - t more at the first maximum; 0 where e is."""
        slope = -t
        worst = np.argmax((1 - t) * p, axis=-1)
        add_at_labels(slope, worst, 1 - at_labels(t, worst))
        result: Array = slope * (CategoricalHinge.value(p, t, attrs)[0] > 0)[..., np.newaxis]
        return result


@loss("sparse_categorical_crossentropy", class_axis=True, check=require_labels)
class SparseCategoricalCrossentropy:
    """e = -log q_t with r = p / sum(p) and q = clip(r), t being a number; 0 for an ignored label."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e."""
        t, valid = split_ignored(t, attrs)
        q = clip(at_labels(p, t) / np.sum(p, axis=-1, keepdims=True), attrs)
        return (np.where(valid, -np.log(q[..., 0]), 0).astype(p.dtype),)

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return g (onehot(t) - r_t) / sum(p), where g = -1 / q_t, and 0 where r_t was clipped."""
        t, valid = split_ignored(t, attrs)
        total = np.sum(p, axis=-1, keepdims=True)
        r = at_labels(p, t) / total
        q = clip(r, attrs)
        g = (q == r) / (-q * total)
        slope = np.array(np.broadcast_to(-g * r, p.shape))
        add_at_labels(slope, t, g)
        slope[~valid] = 0
        return slope
