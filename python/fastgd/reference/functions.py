"""The elementwise functions of the op `activation` and the products, with their derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastgd.reference.registry import Array


@dataclass(frozen=True, slots=True)
class Function:
    """A function y = f(x) with its backward rule.

    Attributes:
        value: `value(x, *numbers)`, which takes `out`, too, if `takes_out`; that may be x itself.
        gradient: `gradient(dy, v, *numbers)` is dy f'(x), from v = y or v = x.
        numbers: the names of the numbers.
        from_output: whether v is y, not x.
    """

    value: Callable[..., Array]
    gradient: Callable[..., Array]
    numbers: tuple[str, ...] = ()
    from_output: bool = True
    takes_out: bool = False


def by(slope: Callable[..., Array]) -> Callable[..., Array]:
    """Return the backward rule that multiplies dy by `slope(v, *numbers)`."""
    return lambda dy, v, *numbers: dy * slope(v, *numbers)


SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717

# Beyond this, the bell curve, the sigmoid's slope and the like are 0, and powers of x could overflow.
FAR = 64.0


def sigmoid(x: Array, out: Array | None = None) -> Array:
    """Return 1 / (1 + e^-x) without overflow: the exponent is never positive."""
    e = np.exp(-np.abs(x))
    y: Array = np.divide(np.where(x >= 0, np.ones((), x.dtype), e), 1 + e, out=out)
    return y


def _leaky_relu(x: Array, slope: float, out: Array | None = None) -> Array:
    """Return x for x >= 0, slope x below."""
    return np.multiply(x, np.where(x >= 0, np.ones((), x.dtype), np.asarray(slope, x.dtype)), out=out)


def _softplus(x: Array) -> Array:
    """Return log(1 + e^x) = max(x, 0) + log(1 + e^-|x|)."""
    y: Array = np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    return y


def _exponential_unit(x: Array, alpha: float, width: float = 1.0) -> Array:
    """Return x above 0, alpha (e^(x / width) - 1) below."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x / width, 0)))


def _between(y: Array, low: float, high: float) -> Array:
    """Return where low < y < high."""
    return (y > low) & (y < high)


def _squareplus(x: Array, b: float) -> Array:
    """Return (x + r) / 2, r = sqrt(x^2 + b); below 0, where that cancels, (b / 2) / (r - x)."""
    total = np.abs(x) + np.hypot(x, math.sqrt(b))
    return np.where(x < 0, np.divide(b / 2, total, out=np.zeros_like(total), where=total > 0), total / 2)


def _squareplus_slope(y: Array, b: float) -> Array:
    """Return y / r: since r = y + b / 4y, that is the square of y / sqrt(y^2 + b / 4)."""
    length = np.hypot(y, math.sqrt(b) / 2)
    share: Array = np.divide(y, length, out=np.zeros_like(y), where=length > 0)
    return share * share


def _thresholded_relu(x: Array, negative_slope: float, max_value: float, threshold: float) -> Array:
    above = x if max_value == math.inf else np.clip(x, 0, max_value)
    below = negative_slope * (x - threshold) if negative_slope else np.zeros_like(x)
    return np.where(x <= threshold, below, above)


def _thresholded_relu_slope(x: Array, negative_slope: float, max_value: float, threshold: float) -> Array:
    inside = (x > threshold) & (x <= max_value)
    if max_value < math.inf:
        inside &= x >= 0
    return np.where(inside, 1, np.where(x < threshold, negative_slope, 0))


def _normal_share(x: Array) -> Array:
    """Return the share of a standard normal distribution below x."""
    shares = np.frompyfunc(lambda v: math.erfc(-v / math.sqrt(2)) / 2, 1, 1)(x)
    return np.asarray(shares, np.float64).astype(x.dtype)


def _gelu_slope(x: Array) -> Array:
    c = np.clip(x, -FAR, FAR)
    slope: Array = _normal_share(x) + c * np.exp(-c * c / 2) / math.sqrt(2 * math.pi)
    return slope


def _tanh_of_cubic(x: Array) -> Array:
    """Return tanh(sqrt(2 / pi) (x + 0.044715 x^3))."""
    c = np.clip(x, -FAR, FAR)
    t: Array = np.tanh(math.sqrt(2 / math.pi) * (c + 0.044715 * c**3))
    return t


def _gelu_tanh_slope(x: Array) -> Array:
    t, c = _tanh_of_cubic(x), np.clip(x, -FAR, FAR)
    slope: Array = (1 + t) / 2 + c / 2 * (1 - t) * (1 + t) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * c**2)
    return slope


def _mish_slope(x: Array) -> Array:
    t = np.tanh(_softplus(x))
    y: Array = t + x * sigmoid(x) * (1 - t) * (1 + t)
    return y


def _silu_slope(x: Array) -> Array:
    s = sigmoid(x)
    slope: Array = s * (1 + x * (1 - s))
    return slope


def _hard_silu_slope(x: Array) -> Array:
    return np.where(x <= -3, 0, np.where(x >= 3, 1, x / 3 + 0.5))


def _sparse_plus(x: Array) -> Array:
    return np.where(x < 1, (np.clip(x, -1, 1) + 1) ** 2 / 4, x)


FUNCTIONS: dict[str, Function] = {
    "linear": Function(lambda x: x, lambda dy, y: dy),
    "sigmoid": Function(sigmoid, by(lambda y: y * (1 - y)), takes_out=True),
    "tanh": Function(np.tanh, by(lambda y: 1 - y * y), takes_out=True),
    "relu": Function(lambda x, out=None: np.maximum(x, 0, out=out), by(lambda y: y > 0), takes_out=True),
    "leaky_relu": Function(
        _leaky_relu, lambda dy, y, a: np.where(y > 0, dy, a * dy), ("negative_slope",), takes_out=True
    ),
    "relu6": Function(lambda x: np.clip(x, 0, 6), by(lambda y: _between(y, 0, 6))),
    "elu": Function(_exponential_unit, by(lambda y, alpha: np.where(y > 0, 1, y + alpha)), ("alpha",)),
    "selu": Function(
        lambda x: SELU_SCALE * _exponential_unit(x, SELU_ALPHA),
        by(lambda y: np.where(y > 0, SELU_SCALE, y + SELU_SCALE * SELU_ALPHA)),
    ),
    "celu": Function(
        lambda x, alpha: _exponential_unit(x, alpha, alpha),
        by(lambda y, alpha: np.where(y > 0, 1, y / alpha + 1)),
        ("alpha",),
    ),
    "exponential": Function(np.exp, by(lambda y: y)),
    "softplus": Function(_softplus, by(lambda y: -np.expm1(-y))),
    "log_sigmoid": Function(lambda x: -_softplus(-x), by(lambda y: -np.expm1(y))),
    "softsign": Function(lambda x: x / (1 + np.abs(x)), by(lambda y: (1 - np.abs(y)) ** 2)),
    "squareplus": Function(_squareplus, by(_squareplus_slope), ("b",)),
    "sparse_plus": Function(_sparse_plus, by(lambda y: np.minimum(np.sqrt(y), 1))),
    "sparse_sigmoid": Function(lambda x: np.clip((x + 1) / 2, 0, 1), by(lambda y: _between(y, 0, 1) / 2)),
    "hard_sigmoid": Function(lambda x: np.clip(x + 3, 0, 6) / 6, by(lambda y: _between(y, 0, 1) / 6)),
    "hard_tanh": Function(lambda x: np.clip(x, -1, 1), by(lambda y: _between(y, -1, 1))),
    "soft_shrink": Function(lambda x, t: x - np.clip(x, -t, t), by(lambda y, t: y != 0), ("threshold",)),
    "hard_shrink": Function(
        lambda x, t: np.asarray(np.where(np.abs(x) <= t, 0, x)), by(lambda y, t: y != 0), ("threshold",)
    ),
    "thresholded_relu": Function(
        _thresholded_relu, by(_thresholded_relu_slope), ("negative_slope", "max_value", "threshold"), False
    ),
    "threshold": Function(
        lambda x, t, value: np.asarray(np.where(x <= t, value, x)),
        by(lambda x, t, value: x > t),
        ("threshold", "default_value"),
        False,
    ),
    "tanh_shrink": Function(lambda x: x - np.tanh(x), by(lambda x: np.tanh(x) ** 2), (), False),
    "silu": Function(lambda x: x * sigmoid(x), by(_silu_slope), (), False),
    "hard_silu": Function(lambda x: x * (np.clip(x + 3, 0, 6) / 6), by(_hard_silu_slope), (), False),
    "mish": Function(lambda x: x * np.tanh(_softplus(x)), by(_mish_slope), (), False),
    "gelu": Function(lambda x: x * _normal_share(x), by(_gelu_slope), (), False),
    "gelu_tanh": Function(lambda x: x * ((1 + _tanh_of_cubic(x)) / 2), by(_gelu_tanh_slope), (), False),
}
