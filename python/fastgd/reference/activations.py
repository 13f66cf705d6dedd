"""Activation functions and their derivatives taken from the output, and the op `activation`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward, number


@dataclass(frozen=True, slots=True)
class Activation:
    """A function y = f(x) and its backward rule dx = g(dy, y).

    `value(x, slope, out)` may write into `out`, which may be x itself; `gradient(dy, y, slope)` writes into neither.
    """

    value: Callable[[Array, float, Array | None], Array]
    gradient: Callable[[Array, Array, float], Array]


def sigmoid(x: Array, out: Array | None = None) -> Array:
    """Return 1 / (1 + e^-x) without overflow: the exponent is never positive."""
    e = np.exp(-np.abs(x))
    y: Array = np.divide(np.where(x >= 0, np.ones((), x.dtype), e), 1 + e, out=out)
    return y


def softmax(x: Array, out: Array | None = None) -> Array:
    """Return e^x / sum(e^x) over the last axis; subtracting the maximum changes nothing but avoids overflow."""
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    y: Array = np.divide(e, np.sum(e, axis=-1, keepdims=True), out=out)
    return y


def _softmax_gradient(dy: Array, y: Array, slope: float) -> Array:
    """Return y (dy - sum(dy y)): the Jacobian diag(y) - y y^T times dy."""
    dx: Array = y * (dy - np.sum(dy * y, axis=-1, keepdims=True))
    return dx


def _leaky_relu(x: Array, slope: float, out: Array | None) -> Array:
    """Return x for x >= 0, slope x below."""
    return np.multiply(x, np.where(x >= 0, np.ones((), x.dtype), np.asarray(slope, x.dtype)), out=out)


ACTIVATIONS: dict[str, Activation] = {
    "linear": Activation(lambda x, slope, out: x, lambda dy, y, slope: dy),
    "sigmoid": Activation(lambda x, slope, out: sigmoid(x, out), lambda dy, y, slope: dy * (y * (1 - y))),
    "tanh": Activation(lambda x, slope, out: np.tanh(x, out=out), lambda dy, y, slope: dy * (1 - y * y)),
    "relu": Activation(lambda x, slope, out: np.maximum(x, 0, out=out), lambda dy, y, slope: dy * (y > 0)),
    "leaky_relu": Activation(_leaky_relu, lambda dy, y, slope: np.where(y > 0, dy, slope * dy)),
    "softmax": Activation(lambda x, slope, out: softmax(x, out), _softmax_gradient),
}


def find_activation(attrs: Attrs, attribute: str) -> tuple[Activation, float]:
    """Return the function that `attrs` names under `attribute`, and its negative slope.

    Raises:
        ValueError: if there is no such function.
    """
    name = attrs.get(attribute, "linear")
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ValueError(f"unknown activation. Known: {', '.join(ACTIVATIONS)}. Received: {attribute}={name!r}")
    return ACTIVATIONS[name], number(attrs, "negative_slope", 0.0)


@forward("activation")
def activation(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = f(x)."""
    (x,) = inputs
    function, slope = find_activation(attrs, "function")
    return (function.value(x, slope, None),)


@backward("activation")
def activation_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx = f'(x) dy, with f' taken from y."""
    (y,), (dy,) = outputs, d_outputs
    assert dy is not None
    function, slope = find_activation(attrs, "function")
    return (function.gradient(dy, y, slope),), ()
