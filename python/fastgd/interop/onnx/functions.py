"""Elementwise functions of the plan in ONNX: those of `activation` and of the products, `unary` and `binary`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastgd.interop.onnx.graph import GraphWriter, exports, number
from fastgd.plan import Attribute, Step

Attrs = Mapping[str, Attribute]
Function = Callable[[GraphWriter, str, Attrs], str]

SELU_SCALE, SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717


def _plain(kind: str, **attributes: Any) -> Function:
    """Return a function that is one node."""
    return lambda g, x, attrs: g.node(kind, [x], **attributes)


def _numbered(kind: str, **attributes: str) -> Function:
    """Return a function that is one node, whose attributes are numbers of the step."""
    return lambda g, x, attrs: g.node(kind, [x], **{key: number(attrs, name) for key, name in attributes.items()})


def _clip(low: float, high: float) -> Function:
    return lambda g, x, attrs: clip(g, x, low, high)


def clip(g: GraphWriter, x: str, low: float, high: float) -> str:
    """Return min(max(x, low), high)."""
    return g.node("Clip", [x, g.constant(low), g.constant(high)])


def _scaled(g: GraphWriter, x: str, factor: float, offset: float = 0.0) -> str:
    """Return factor x + offset."""
    y = g.multiply(x, g.constant(factor))
    return g.add(y, g.constant(offset)) if offset else y


def _celu(g: GraphWriter, x: str, attrs: Attrs) -> str:
    alpha = number(attrs, "alpha")
    # a elu(x / a): runtimes know Celu for float32 alone.
    return _scaled(g, g.node("Elu", [_scaled(g, x, 1 / alpha)], alpha=1.0), alpha)


def _log_sigmoid(g: GraphWriter, x: str, attrs: Attrs) -> str:
    return g.node("Neg", [g.node("Softplus", [g.node("Neg", [x])])])


def _squareplus(g: GraphWriter, x: str, attrs: Attrs) -> str:
    root = g.node("Sqrt", [g.add(g.multiply(x, x), g.constant(number(attrs, "b")))])
    return _scaled(g, g.add(x, root), 0.5)


def _sparse_plus(g: GraphWriter, x: str, attrs: Attrs) -> str:
    bounded = g.add(clip(g, x, -1.0, 1.0), g.constant(1.0))
    curve = _scaled(g, g.multiply(bounded, bounded), 0.25)
    return g.where(g.node("Less", [x, g.constant(1.0)]), curve, x)


def _hard_sigmoid(g: GraphWriter, x: str, attrs: Attrs) -> str:
    return _scaled(g, clip(g, _scaled(g, x, 1.0, 3.0), 0.0, 6.0), 1 / 6)


def _sparse_sigmoid(g: GraphWriter, x: str, attrs: Attrs) -> str:
    return clip(g, _scaled(g, x, 0.5, 0.5), 0.0, 1.0)


def _soft_shrink(g: GraphWriter, x: str, attrs: Attrs) -> str:
    t = number(attrs, "threshold")
    return g.node("Sub", [x, clip(g, x, -t, t)])


def _hard_shrink(g: GraphWriter, x: str, attrs: Attrs) -> str:
    small = g.node("LessOrEqual", [g.node("Abs", [x]), g.constant(number(attrs, "threshold"))])
    return g.where(small, g.constant(0.0), x)


def _thresholded_relu(g: GraphWriter, x: str, attrs: Attrs) -> str:
    slope, most, threshold = (number(attrs, key) for key in ("negative_slope", "max_value", "threshold"))
    above = x if math.isinf(most) else clip(g, x, 0.0, most)
    below = _scaled(g, x, slope, -slope * threshold)
    return g.where(g.node("LessOrEqual", [x, g.constant(threshold)]), below, above)


def _threshold(g: GraphWriter, x: str, attrs: Attrs) -> str:
    small = g.node("LessOrEqual", [x, g.constant(number(attrs, "threshold"))])
    return g.where(small, g.constant(number(attrs, "default_value")), x)


def _times(inner: Function) -> Function:
    """Return x f(x)."""
    return lambda g, x, attrs: g.multiply(x, inner(g, x, attrs))


def _mish(g: GraphWriter, x: str, attrs: Attrs) -> str:
    return g.multiply(x, g.node("Tanh", [g.node("Softplus", [x])]))


def _gelu(g: GraphWriter, x: str, attrs: Attrs) -> str:
    share = _scaled(g, g.node("Erf", [_scaled(g, x, 1 / math.sqrt(2))]), 0.5, 0.5)
    return g.multiply(x, share)


def _gelu_tanh(g: GraphWriter, x: str, attrs: Attrs) -> str:
    cube = g.multiply(g.multiply(x, x), x)
    inner = _scaled(g, g.add(x, _scaled(g, cube, 0.044715)), math.sqrt(2 / math.pi))
    return g.multiply(x, _scaled(g, g.node("Tanh", [inner]), 0.5, 0.5))


ACTIVATIONS: dict[str, Function] = {
    "linear": _plain("Identity"),
    "sigmoid": _plain("Sigmoid"),
    "tanh": _plain("Tanh"),
    "relu": _plain("Relu"),
    "leaky_relu": _numbered("LeakyRelu", alpha="negative_slope"),
    "relu6": _clip(0.0, 6.0),
    "elu": _numbered("Elu", alpha="alpha"),
    "selu": _plain("Selu", alpha=SELU_ALPHA, gamma=SELU_SCALE),
    "celu": _celu,
    "exponential": _plain("Exp"),
    "softplus": _plain("Softplus"),
    "log_sigmoid": _log_sigmoid,
    "softsign": _plain("Softsign"),
    "squareplus": _squareplus,
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": _sparse_sigmoid,
    "hard_sigmoid": _hard_sigmoid,
    "hard_tanh": _clip(-1.0, 1.0),
    "soft_shrink": _soft_shrink,
    "hard_shrink": _hard_shrink,
    "thresholded_relu": _thresholded_relu,
    "threshold": _threshold,
    "tanh_shrink": lambda g, x, attrs: g.node("Sub", [x, g.node("Tanh", [x])]),
    "silu": _times(_plain("Sigmoid")),
    "hard_silu": _times(_hard_sigmoid),
    "mish": _mish,
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
}
ALONG = {"softmax": "Softmax", "log_softmax": "LogSoftmax"}


def activate(g: GraphWriter, x: str, attrs: Attrs) -> str:
    """Return the function that a product takes along."""
    name = str(attrs.get("activation", "linear"))
    return x if name == "linear" else ACTIVATIONS[name](g, x, attrs)


@exports("activation")
def activation(g: GraphWriter, step: Step) -> None:
    """An elementwise function keeps the order of the axes; the others work along an axis."""
    name, (x,), (y,) = str(step.attrs["function"]), step.inputs, step.outputs
    if name in ACTIVATIONS:
        if g.is_first(x):
            g.set_first(y, ACTIVATIONS[name](g, g.get_first(x), step.attrs))
        else:
            g.set(y, ACTIVATIONS[name](g, g.get(x), step.attrs))
        return
    axis = int(number(step.attrs, "axis", len(g.dims[x]) - 1))
    if name in ALONG:
        g.set(y, g.node(ALONG[name], [g.get(x)], axis=axis))
    else:
        g.set(y, _sparsemax(g, g.get(x), g.dims[x][axis], axis, len(g.dims[x])))


def _sparsemax(g: GraphWriter, x: str, size: int, axis: int, rank: int) -> str:
    """Return max(x - t, 0), with t = (sum of the k largest - 1) / k for the largest k with 1 + k x_k > their sum."""
    ordered, _ = g.nodes_of("TopK", [x, g.integers([size])], 2, axis=axis, largest=1, sorted=1)
    sums = g.node("CumSum", [ordered, g.constant(axis, np.int64)])
    places = np.arange(1.0, size + 1).reshape([size if k == axis else 1 for k in range(rank)])
    taken = g.node("Greater", [g.add(g.multiply(ordered, g.constant(places)), g.constant(1.0)), sums])
    chosen = g.cast(taken, g.dtype)
    count = g.reduce("ReduceSum", chosen, [axis])
    total = g.reduce("ReduceSum", g.multiply(chosen, ordered), [axis])
    limit = g.node("Div", [g.node("Sub", [total, g.constant(1.0)]), count])
    return g.node("Relu", [g.node("Sub", [x, limit])])


def _test(kind: str) -> Function:
    """Return a test that is one node, as 1 or 0."""
    return lambda g, x, attrs: g.cast(g.node(kind, [x]), g.dtype)


def _is_finite(g: GraphWriter, x: str, attrs: Attrs) -> str:
    return g.cast(g.node("Not", [g.node("Or", [g.node("IsInf", [x]), g.node("IsNaN", [x])])]), g.dtype)


def _logical_not(g: GraphWriter, x: str, attrs: Attrs) -> str:
    return g.cast(g.node("Not", [g.cast(x, np.bool_)]), g.dtype)


UNARY: dict[str, Function] = {
    **{
        name: _plain(kind)
        for name, kind in (
            ("absolute", "Abs"), ("sign", "Sign"), ("negative", "Neg"), ("reciprocal", "Reciprocal"), ("sqrt", "Sqrt"),
            ("exp", "Exp"), ("log", "Log"), ("sin", "Sin"), ("cos", "Cos"), ("tan", "Tan"), ("arctan", "Atan"),
            ("sinh", "Sinh"), ("cosh", "Cosh"), ("erf", "Erf"), ("floor", "Floor"), ("ceil", "Ceil"),
            ("round", "Round"), ("stop_gradient", "Identity"),
        )
    },
    "square": lambda g, x, attrs: g.multiply(x, x),
    "rsqrt": lambda g, x, attrs: g.node("Reciprocal", [g.node("Sqrt", [x])]),
    "expm1": lambda g, x, attrs: _scaled(g, g.node("Exp", [x]), 1.0, -1.0),
    "log1p": lambda g, x, attrs: g.node("Log", [_scaled(g, x, 1.0, 1.0)]),
    "log2": lambda g, x, attrs: _scaled(g, g.node("Log", [x]), 1 / math.log(2)),
    "log10": lambda g, x, attrs: _scaled(g, g.node("Log", [x]), 1 / math.log(10)),
    "isfinite": _is_finite,
    "isinf": _test("IsInf"),
    "isnan": _test("IsNaN"),
    "logical_not": _logical_not,
}  # fmt: skip


@exports("unary")
def unary(g: GraphWriter, step: Step) -> None:
    """A function of each element."""
    function, (x,), (y,) = UNARY[str(step.attrs["function"])], step.inputs, step.outputs
    if g.is_first(x):
        g.set_first(y, function(g, g.get_first(x), step.attrs))
    else:
        g.set(y, function(g, g.get(x), step.attrs))


ARITHMETIC = {
    "add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div", "power": "Pow", "maximum": "Max",
    "minimum": "Min",
}  # fmt: skip
COMPARISONS = {
    "equal": "Equal", "less": "Less", "less_equal": "LessOrEqual", "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
}  # fmt: skip
LOGIC = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}


@exports("binary")
def binary(g: GraphWriter, step: Step) -> None:
    """A function of two operands that are broadcast; images keep their axes' order beside each other and numbers."""
    (a, b), (y,) = step.inputs, step.outputs
    images = [name for name in (a, b) if g.dims[name] != ()]
    if all(g.dims[name] == g.dims[y] for name in images) and images and g.is_first(*images):
        first = [g.get_first(name) if name in images else g.get(name) for name in (a, b)]
        g.set_first(y, _binary(g, str(step.attrs["function"]), *first))
    else:
        g.set(y, _binary(g, str(step.attrs["function"]), g.get(a), g.get(b)))


def _binary(g: GraphWriter, function: str, a: str, b: str) -> str:
    if function in ARITHMETIC:
        return g.node(ARITHMETIC[function], [a, b])
    if function in COMPARISONS:
        return g.cast(g.node(COMPARISONS[function], [a, b]), g.dtype)
    if function in LOGIC:
        return g.cast(g.node(LOGIC[function], [g.cast(a, np.bool_), g.cast(b, np.bool_)]), g.dtype)
    if function == "not_equal":
        return g.cast(g.node("Not", [g.node("Equal", [a, b])]), g.dtype)
    if function == "arctan2":
        return _angle(g, a, b)
    whole = g.node("Floor", [g.node("Div", [a, b])])
    return whole if function == "floor_divide" else g.node("Sub", [a, g.multiply(b, whole)])


def _angle(g: GraphWriter, a: str, b: str) -> str:
    """Return the angle of the point (b, a): atan(a / b), turned by half a circle where b is negative."""
    zero, up = g.constant(0.0), g.constant(math.pi)
    below = g.node("Less", [a, zero])
    turn = g.where(below, g.constant(-math.pi), up)
    upright = _scaled(g, g.node("Sign", [a]), math.pi / 2)
    level = g.node("Equal", [b, zero])
    plain = g.node("Atan", [g.node("Div", [a, g.where(level, g.constant(1.0), b)])])
    turned = g.where(g.node("Less", [b, zero]), g.add(plain, turn), plain)
    return g.where(level, upright, turned)


@exports("where")
def where(g: GraphWriter, step: Step) -> None:
    """a where c is not 0, else b."""
    c, a, b = map(g.get, step.inputs)
    g.set(step.outputs[0], g.where(g.cast(c, np.bool_), a, b))
