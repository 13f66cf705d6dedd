"""The ops `unary`, `binary` and `where`: functions of each element, with NumPy's broadcasting."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward

# value(x), and gradient(dy, x, y); None where no gradient flows.
Unary = tuple[Callable[[Array], Array], Callable[[Array, Array, Array], Array] | None]
# value(a, b), and the two gradients (dy, a, b, y) before broadcast axes are summed.
Slope = Callable[[Array, Array, Array, Array], Array]
Binary = tuple[Callable[[Array, Array], Array], tuple[Slope, Slope] | None]


def _erf(x: Array) -> Array:
    """Return the error function, which NumPy has not."""
    return np.array([math.erf(v) for v in x.reshape(-1).tolist()], x.dtype).reshape(x.shape)


UNARY: dict[str, Unary] = {
    "absolute": (np.abs, lambda dy, x, y: dy * np.sign(x)),
    "arctan": (np.arctan, lambda dy, x, y: dy / (1 + x * x)),
    "ceil": (np.ceil, None),
    "cos": (np.cos, lambda dy, x, y: -dy * np.sin(x)),
    "cosh": (np.cosh, lambda dy, x, y: dy * np.sinh(x)),
    "erf": (_erf, lambda dy, x, y: dy * (2 / math.sqrt(math.pi)) * np.exp(-x * x)),
    "exp": (np.exp, lambda dy, x, y: dy * y),
    "expm1": (np.expm1, lambda dy, x, y: dy * (y + 1)),
    "floor": (np.floor, None),
    "isfinite": (np.isfinite, None),
    "isinf": (np.isinf, None),
    "isnan": (np.isnan, None),
    "log": (np.log, lambda dy, x, y: dy / x),
    "log10": (np.log10, lambda dy, x, y: dy / (x * math.log(10))),
    "log1p": (np.log1p, lambda dy, x, y: dy / (1 + x)),
    "log2": (np.log2, lambda dy, x, y: dy / (x * math.log(2))),
    "logical_not": (np.logical_not, None),
    "negative": (np.negative, lambda dy, x, y: -dy),
    "reciprocal": (np.reciprocal, lambda dy, x, y: -dy * (y * y)),
    "round": (np.rint, None),
    "rsqrt": (lambda x: 1 / np.sqrt(x), lambda dy, x, y: -0.5 * dy * y * y * y),
    "sign": (np.sign, None),
    "sin": (np.sin, lambda dy, x, y: dy * np.cos(x)),
    "sinh": (np.sinh, lambda dy, x, y: dy * np.cosh(x)),
    "sqrt": (np.sqrt, lambda dy, x, y: dy * (0.5 / y)),
    "square": (np.square, lambda dy, x, y: 2 * dy * x),
    "stop_gradient": (np.copy, None),
    "tan": (np.tan, lambda dy, x, y: dy * (1 + y * y)),
}


def _won(wins: Array, a: Array, b: Array, dy: Array) -> Array:
    """Return the share of dy that the larger (or smaller) operand gets: half where they are equal."""
    zero = np.zeros((), dy.dtype)
    return np.where(wins, dy, np.where(a == b, 0.5 * dy, zero))


def _power_slope(dy: Array, a: Array, b: Array, y: Array) -> Array:
    """Return dy b a^(b - 1), 0 where b is 0."""
    return np.where(b == 0, np.zeros((), dy.dtype), dy * b * np.power(a, b - 1))


def _exponent_slope(dy: Array, a: Array, b: Array, y: Array) -> Array:
    """Return dy y log a, 0 where a is 0 and b is not negative."""
    return np.where((a == 0) & (b >= 0), np.zeros((), dy.dtype), dy * y * np.log(a))


def _angle_slope(dy: Array, side: Array, a: Array, b: Array) -> Array:
    """Return dy side / (a^2 + b^2), 0 at the origin."""
    squares = a * a + b * b
    return np.where(squares == 0, np.zeros((), dy.dtype), dy * side / squares)


BINARY: dict[str, Binary] = {
    "add": (np.add, (lambda dy, a, b, y: dy, lambda dy, a, b, y: dy)),
    "arctan2": (
        np.arctan2,
        (lambda dy, a, b, y: _angle_slope(dy, b, a, b), lambda dy, a, b, y: _angle_slope(dy, -a, a, b)),
    ),
    "divide": (np.divide, (lambda dy, a, b, y: dy / b, lambda dy, a, b, y: -dy * (a / b) / b)),
    "equal": (np.equal, None),
    "floor_divide": (np.floor_divide, None),
    "greater": (np.greater, None),
    "greater_equal": (np.greater_equal, None),
    "less": (np.less, None),
    "less_equal": (np.less_equal, None),
    "logical_and": (np.logical_and, None),
    "logical_or": (np.logical_or, None),
    "logical_xor": (np.logical_xor, None),
    "maximum": (np.maximum, (lambda dy, a, b, y: _won(a > b, a, b, dy), lambda dy, a, b, y: _won(b > a, a, b, dy))),
    "minimum": (np.minimum, (lambda dy, a, b, y: _won(a < b, a, b, dy), lambda dy, a, b, y: _won(b < a, a, b, dy))),
    "mod": (np.mod, (lambda dy, a, b, y: dy, lambda dy, a, b, y: -dy * np.floor_divide(a, b))),
    "multiply": (np.multiply, (lambda dy, a, b, y: dy * b, lambda dy, a, b, y: dy * a)),
    "not_equal": (np.not_equal, None),
    "power": (np.power, (_power_slope, _exponent_slope)),
    "subtract": (np.subtract, (lambda dy, a, b, y: dy, lambda dy, a, b, y: -dy)),
}


def _name(attrs: Attrs, known: Sequence[str]) -> str:
    """Return the attribute `function`, which must be one of `known`."""
    name = attrs.get("function")
    if not isinstance(name, str) or name not in known:
        raise ValueError(f"unknown function. Known: {', '.join(known)}. Received: function={name!r}")
    return name


def _sum_to(d: Array, shape: tuple[int, ...]) -> Array:
    """Return d summed over the axes along which an operand of `shape` was repeated."""
    lead = d.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(lead + k for k, size in enumerate(shape) if size == 1)
    return d.sum(axis=axes).reshape(shape) if d.shape != shape else d


@forward("unary")
def unary(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = f(x)."""
    (x,) = inputs
    value, _ = UNARY[_name(attrs, tuple(UNARY))]
    return (np.asarray(value(x)).astype(ctx.dtype, copy=False),)


@backward("unary", is_flat=lambda attrs: UNARY[_name(attrs, tuple(UNARY))][1] is None)
def unary_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx = f'(x) dy."""
    (x,), (y,), (dy,) = inputs, outputs, d_outputs
    assert dy is not None
    _, gradient = UNARY[_name(attrs, tuple(UNARY))]
    return (None if gradient is None else np.asarray(gradient(dy, x, y)),), ()


@forward("binary")
def binary(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = f(a, b), a and b broadcast against each other."""
    a, b = inputs
    value, _ = BINARY[_name(attrs, tuple(BINARY))]
    return (np.asarray(value(a, b)).astype(ctx.dtype, copy=False),)


@backward("binary", is_flat=lambda attrs: BINARY[_name(attrs, tuple(BINARY))][1] is None)
def binary_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """The gradients of f times dy, summed over the axes along which an operand was repeated."""
    (a, b), (y,), (dy,) = inputs, outputs, d_outputs
    assert dy is not None
    _, slopes = BINARY[_name(attrs, tuple(BINARY))]
    if slopes is None:
        return (None, None), ()
    pairs = zip((a, b), slopes, ctx.input_needs, strict=True)
    return [_sum_to(np.asarray(slope(dy, a, b, y)), x.shape) if needed else None for x, slope, needed in pairs], ()


@forward("where")
def where(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = a where c is not 0, else b, all three broadcast against each other."""
    c, a, b = inputs
    return (np.where(c != 0, a, b),)


@backward("where")
def where_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """Dy goes to a where c is not 0, else to b; c gets nothing."""
    (c, a, b), (dy,) = inputs, d_outputs
    assert dy is not None
    zero = np.zeros((), dy.dtype)
    da = _sum_to(np.where(c != 0, dy, zero), a.shape) if ctx.input_needs[1] else None
    db = _sum_to(np.where(c != 0, zero, dy), b.shape) if ctx.input_needs[2] else None
    return (None, da, db), ()
