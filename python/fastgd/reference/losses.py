"""The losses of values and of probabilities; those that start from logits are in `logits`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.reference.averaging import loss, require_labels
from fastgd.reference.registry import Array, Attrs, number


@loss("mean_squared_error")
class MeanSquaredError:
    """e = (p - t)^2."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e."""
        return (np.square(p - t),)

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return 2 (p - t)."""
        return 2 * (p - t)


@loss("mean_absolute_error")
class MeanAbsoluteError:
    """e = abs(p - t)."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e."""
        return (np.abs(p - t),)

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return sign(p - t), which is 0 at 0."""
        slope: Array = np.sign(p - t)
        return slope


def _clip(p: Array, attrs: Attrs) -> Array:
    """Return q = clip(p, eps, 1 - eps), where the logarithms are finite. Where q == p nothing was clipped."""
    epsilon = number(attrs, "epsilon", 1e-7)
    return np.clip(p, epsilon, 1.0 - epsilon)


def smooth(t: Array, attrs: Attrs, classes: int) -> Array:
    """Return t' = t (1 - s) + s / c, the targets moved towards an equal share of each of the c classes."""
    s = number(attrs, "label_smoothing", 0.0)
    return t if s == 0.0 else t * (1.0 - s) + s / classes


@loss("binary_crossentropy")
class BinaryCrossentropy:
    """e = -(t' log q + (1 - t') log(1 - q)) with q = clip(p)."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e."""
        q, t = _clip(p, attrs), smooth(t, attrs, 2)
        return (-(t * np.log(q) + (1 - t) * np.log(1 - q)),)

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return (1 - t') / (1 - q) - t' / q, and 0 where p was clipped."""
        q, t = _clip(p, attrs), smooth(t, attrs, 2)
        slope: Array = ((1 - t) / (1 - q) - t / q) * (q == p)
        return slope


@loss("categorical_crossentropy", class_axis=True)
class CategoricalCrossentropy:
    """e = -sum(t' log q) with r = p / sum(p) and q = clip(r)."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e."""
        q = _clip(p / np.sum(p, axis=-1, keepdims=True), attrs)
        return (-np.sum(smooth(t, attrs, p.shape[-1]) * np.log(q), axis=-1),)

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return (g - sum(g r)) / sum(p), where g = de/dr = -t' / q, and 0 where r was clipped."""
        total = np.sum(p, axis=-1, keepdims=True)
        r = p / total
        q = _clip(r, attrs)
        g = -smooth(t, attrs, p.shape[-1]) / q * (q == r)
        slope: Array = (g - np.sum(g * r, axis=-1, keepdims=True)) / total
        return slope


def at_labels(p: Array, t: Array) -> Array:
    """Return p[..., t], one number per label, with a last axis of one."""
    return np.take_along_axis(p, t[..., np.newaxis], axis=-1)


def add_at_labels(p: Array, t: Array, amount: Array | float) -> None:
    """Add `amount` to p[..., t], in place."""
    np.put_along_axis(p, t[..., np.newaxis], at_labels(p, t) + amount, axis=-1)


@loss("sparse_categorical_crossentropy", class_axis=True, check=require_labels)
class SparseCategoricalCrossentropy:
    """e = -log q_t with r = p / sum(p) and q = clip(r): the categorical one with t written as a number."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e."""
        q = _clip(at_labels(p, t) / np.sum(p, axis=-1, keepdims=True), attrs)
        return (-np.log(q[..., 0]),)

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return g (onehot(t) - r_t) / sum(p), where g = -1 / q_t, and 0 where r_t was clipped."""
        total = np.sum(p, axis=-1, keepdims=True)
        r = at_labels(p, t) / total
        q = _clip(r, attrs)
        g = (q == r) / (-q * total)
        slope = np.array(np.broadcast_to(-g * r, p.shape))
        add_at_labels(slope, t, g)
        return slope
