"""The losses that are a mean of one term per element; those of rows are in `row_losses`, of logits in `logits`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from fastgd.reference.averaging import loss
from fastgd.reference.registry import Array, Attrs, number

Formula = Callable[[Array, Array, Attrs], Array]


def _term(name: str, formula: str, value: Formula, slope: Formula) -> None:
    """Register the loss `name` from its two formulas of (p, t, attrs): the term of one element and its slope by p."""

    def term(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        return (value(p, t, attrs),)

    def derivative(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        return slope(p, t, attrs)

    members = {"__doc__": formula, "value": staticmethod(term), "slope": staticmethod(derivative)}
    loss(name)(type(name, (), members))


def epsilon_of(attrs: Attrs) -> float:
    """Return the attribute epsilon."""
    return number(attrs, "epsilon", 1e-7)


def clip(p: Array, attrs: Attrs) -> Array:
    """Return q = clip(p, eps, 1 - eps), where the logarithms are finite. Where q == p nothing was clipped."""
    epsilon = epsilon_of(attrs)
    return np.clip(p, epsilon, 1.0 - epsilon)


def smooth(t: Array, attrs: Attrs, classes: int) -> Array:
    """Return t' = t (1 - s) + s / c, the targets moved towards an equal share of each of the c classes."""
    s = number(attrs, "label_smoothing", 0.0)
    return t if s == 0.0 else t * (1.0 - s) + s / classes


def _smooth_pair(t: Array, attrs: Attrs) -> Array:
    return smooth(t, attrs, 2)


def _entropy(p: Array, t: Array, attrs: Attrs) -> Array:
    q, t = clip(p, attrs), _smooth_pair(t, attrs)
    e: Array = -(t * np.log(q) + (1 - t) * np.log(1 - q))
    return e


def _entropy_slope(p: Array, t: Array, attrs: Attrs) -> Array:
    q, t = clip(p, attrs), _smooth_pair(t, attrs)
    slope: Array = ((1 - t) / (1 - q) - t / q) * (q == p)
    return slope


def _focus(p: Array, t: Array, attrs: Attrs) -> tuple[Array, Array | float, float]:
    """Return m = 1 - (t' p + (1 - t') (1 - p)), at least 0, the weight w of the class, and gamma."""
    t = _smooth_pair(t, attrs)
    miss = np.maximum(1 - (t * p + (1 - t) * (1 - p)), 0)
    alpha = number(attrs, "alpha", 0.25)
    weight = t * alpha + (1 - t) * (1 - alpha) if attrs.get("apply_class_balancing", False) else 1.0
    return miss, weight, number(attrs, "gamma", 2.0)


def _focal(p: Array, t: Array, attrs: Attrs) -> Array:
    miss, weight, gamma = _focus(p, t, attrs)
    e: Array = weight * miss**gamma * _entropy(p, t, attrs)
    return e


def _focal_slope(p: Array, t: Array, attrs: Attrs) -> Array:
    miss, weight, gamma = _focus(p, t, attrs)
    slope: Array = miss**gamma * _entropy_slope(p, t, attrs)
    if gamma != 0:
        slope = slope + gamma * miss ** (gamma - 1) * (1 - 2 * _smooth_pair(t, attrs)) * _entropy(p, t, attrs)
    return weight * slope


def _size(t: Array, attrs: Attrs) -> Array:
    """Return max(abs(t), eps)."""
    return np.maximum(np.abs(t), epsilon_of(attrs))


def _log(x: Array, attrs: Attrs) -> Array:
    """Return log(max(x, eps) + 1)."""
    y: Array = np.log(np.maximum(x, epsilon_of(attrs)) + 1)
    return y


def _huber(p: Array, t: Array, attrs: Attrs) -> Array:
    d, delta = np.abs(p - t), number(attrs, "delta", 1.0)
    e: Array = np.where(d <= delta, 0.5 * d * d, delta * d - 0.5 * delta * delta)
    return e


def _huber_slope(p: Array, t: Array, attrs: Attrs) -> Array:
    delta = number(attrs, "delta", 1.0)
    slope: Array = np.clip(p - t, -delta, delta)
    return slope


def _log_cosh(p: Array, t: Array, attrs: Attrs) -> Array:
    d = np.abs(p - t)
    e: Array = d + (np.log1p(np.exp(-2 * d)) - math.log(2))
    return e


def _gap(p: Array, t: Array) -> Array:
    """Return max(0, 1 - t p)."""
    gap: Array = np.maximum(1 - t * p, 0)
    return gap


_term("mean_squared_error", "e = (p - t)^2.", lambda p, t, _: np.square(p - t), lambda p, t, _: 2 * (p - t))
# The sign is 0 at 0.
_term("mean_absolute_error", "e = abs(p - t).", lambda p, t, _: np.abs(p - t), lambda p, t, _: np.sign(p - t))
_term(
    "mean_absolute_percentage_error",
    "e = 100 abs(p - t) / max(abs(t), eps).",
    lambda p, t, attrs: 100 * np.abs((p - t) / _size(t, attrs)),
    lambda p, t, attrs: 100 * np.sign(p - t) / _size(t, attrs),
)
_term(
    "mean_squared_logarithmic_error",
    "e = (log(max(p, eps) + 1) - log(max(t, eps) + 1))^2.",
    lambda p, t, attrs: np.square(_log(p, attrs) - _log(t, attrs)),
    lambda p, t, attrs: np.where(
        p < epsilon_of(attrs), 0, 2 * (_log(p, attrs) - _log(t, attrs)) / (np.maximum(p, epsilon_of(attrs)) + 1)
    ),
)
_term("huber", "e = d^2 / 2 for d = abs(p - t) <= delta, else delta d - delta^2 / 2.", _huber, _huber_slope)
_term("log_cosh", "e = log cosh(p - t).", _log_cosh, lambda p, t, _: np.tanh(p - t))
_term(
    "poisson",
    "e = p - t log(p + eps).",
    lambda p, t, attrs: p - t * np.log(p + epsilon_of(attrs)),
    lambda p, t, attrs: 1 - t / (p + epsilon_of(attrs)),
)
_term("hinge", "e = max(0, 1 - t p).", lambda p, t, _: _gap(p, t), lambda p, t, _: -t * (t * p < 1))
_term(
    "squared_hinge",
    "e = max(0, 1 - t p)^2.",
    lambda p, t, _: np.square(_gap(p, t)),
    lambda p, t, _: -2 * t * _gap(p, t),
)
_term("binary_crossentropy", "e = -(t' log q + (1 - t') log(1 - q)), q = clip(p).", _entropy, _entropy_slope)
_term("binary_focal_crossentropy", "e = w m^gamma times the cross-entropy.", _focal, _focal_slope)
