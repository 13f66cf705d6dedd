"""Activation functions by Keras' names; each works on symbolic tensors and on arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd import ops
from fastgd.utils.checks import check_real
from fastgd.utils.errors import mistyped, unknown


def linear(x: Any) -> Any:
    """Return x."""
    return x


def sigmoid(x: Any) -> Any:
    """Return `1 / (1 + exp(-x))`."""
    return ops.activation(x, "sigmoid")


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent `(exp(x) - exp(-x)) / (exp(x) + exp(-x))`."""
    return ops.activation(x, "tanh")


def relu(x: Any, negative_slope: float = 0.0) -> Any:
    """Return `max(x, 0)`, or `negative_slope * x` below zero.

    Args:
        x: tensor or array (batch, ...).
        negative_slope: the slope below zero.

    Returns:
        Tensor or array of the same shape.

    Example:
        >>> fastgd.activations.relu(np.array([-1.0, 2.0]))
        array([0., 2.])
    """
    slope = check_real("negative_slope", negative_slope)
    return ops.activation(x, "leaky_relu", slope) if slope else ops.activation(x, "relu")


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """Return x where it is positive, else `negative_slope * x`."""
    return ops.activation(x, "leaky_relu", check_real("negative_slope", negative_slope))


def softmax(x: Any) -> Any:
    """Return `exp(x) / sum(exp(x))` over the last axis."""
    return ops.activation(x, "softmax")


_FUNCTIONS: dict[str, Callable[..., Any]] = {f.__name__: f for f in (linear, sigmoid, tanh, relu, leaky_relu, softmax)}

# What each function is called with no further argument in the op `activation`: its slope below zero.
_SLOPES = {"leaky_relu": 0.2}


def get(identifier: str | Callable[..., Any] | None) -> Callable[..., Any]:
    """Return the activation function that `identifier` names.

    Args:
        identifier: a name, a function of one tensor written with `fastgd.ops`, or None for `linear`.

    Returns:
        The function.

    Raises:
        ValueError: for an unknown name.
        TypeError: if it is neither a string nor callable.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        if identifier.lower() not in _FUNCTIONS:
            raise unknown("activation", _FUNCTIONS, activation=identifier)
        return _FUNCTIONS[identifier.lower()]
    if callable(identifier):
        return identifier
    raise mistyped("`activation` must be a name, a function or None.", activation=identifier)


def serialize(function: Callable[..., Any]) -> str:
    """Return the name from which `get` finds `function`.

    Raises:
        ValueError: if it is not one of this module's functions.
    """
    name = op_name(function)
    if name is None:
        raise unknown("activation", _FUNCTIONS, activation=getattr(function, "__name__", repr(function)))
    return name[0]


def op_name(function: Callable[..., Any]) -> tuple[str, float] | None:
    """Return the name and the slope by which the op `activation` knows `function`, None for one of the user's own."""
    name = getattr(function, "__name__", "")
    if _FUNCTIONS.get(name) is function:
        return name, _SLOPES.get(name, 0.0)
    return None
