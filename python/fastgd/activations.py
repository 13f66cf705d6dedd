"""Activation functions by Keras' names; each works on symbolic tensors and on arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from fastgd import ops
from fastgd.ops.activations import (
    FUSED,
    celu,
    elu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    mish,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh,
    tanh_shrink,
    threshold,
    thresholded_relu,
)
from fastgd.utils.checks import check_real
from fastgd.utils.custom_objects import get_registered_name, get_registered_object
from fastgd.utils.errors import mistyped, unknown

__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]


def linear(x: Any) -> Any:
    """Return x."""
    return x


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Return `max(x, 0)`, with bounds if asked: f(x) is at most `max_value`, and below `threshold` it is a line.

    Args:
        x: tensor or array (batch, ...).
        negative_slope: f(x) = negative_slope * (x - threshold) for x up to the threshold.
        max_value: the largest f(x); None is no bound.
        threshold: where the line ends.

    Returns:
        Tensor or array of the same shape.

    Raises:
        ValueError: if `max_value` is negative.

    Example:
        >>> fastgd.activations.relu(np.array([-1.0, 2.0]))
        array([0., 2.])
    """
    slope, start = check_real("negative_slope", negative_slope), check_real("threshold", threshold)
    if start == 0.0 and max_value is None:
        return ops.leaky_relu(x, slope) if slope else ops.relu(x)
    if start == 0.0 and max_value == 6 and not slope:
        return ops.relu6(x)
    return thresholded_relu(x, slope, max_value, start)


def exponential(x: Any) -> Any:
    """Return `exp(x)`."""
    return ops.activation(x, "exponential")


def gelu(x: Any, approximate: bool = False) -> Any:
    """Return `x * P(X <= x)` for a standard normal X; see `ops.gelu` for `approximate`."""
    return ops.gelu(x, approximate)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        celu,
        elu,
        exponential,
        gelu,
        glu,
        hard_shrink,
        hard_sigmoid,
        hard_silu,
        hard_tanh,
        leaky_relu,
        linear,
        log_sigmoid,
        log_softmax,
        mish,
        relu,
        relu6,
        selu,
        sigmoid,
        silu,
        soft_shrink,
        softmax,
        softplus,
        softsign,
        sparse_plus,
        sparse_sigmoid,
        sparsemax,
        squareplus,
        tanh,
        tanh_shrink,
        threshold,
    )
}
_ALIASES = {"swish": swish, "hard_swish": hard_swish}


def get(identifier: str | Callable[..., Any] | Mapping[str, Any] | None) -> Callable[..., Any]:
    """Return the activation function that `identifier` names.

    Args:
        identifier: a name, a function of one tensor written with `fastgd.ops`, the config of one, or None for `linear`.

    Returns:
        The function.

    Raises:
        ValueError: for an unknown name.
        TypeError: if it is neither a string nor callable.
    """
    if identifier is None:
        return linear
    if isinstance(identifier, Mapping) and identifier.get("class_name") == "function":
        identifier = str(identifier.get("config"))
    if isinstance(identifier, str):
        if (custom := get_registered_object(identifier)) is not None:
            made: Callable[..., Any] = custom
            return made
        known = _FUNCTIONS | _ALIASES
        if identifier.lower() not in known:
            raise unknown("activation", known, activation=identifier)
        return known[identifier.lower()]
    if callable(identifier):
        return identifier
    raise mistyped("`activation` must be a name, a function or None.", activation=identifier)


def serialize(activation: Callable[..., Any]) -> str:
    """Return the name from which `get` and `deserialize` find `activation`.

    Raises:
        ValueError: if it is neither one of this module's functions nor registered by
            `saving.register_keras_serializable`.
    """
    name = getattr(activation, "__name__", "")
    if _FUNCTIONS.get(name) is activation:
        return name
    if name and get_registered_object(registered := get_registered_name(activation)) is activation:
        return registered
    raise unknown("activation", _FUNCTIONS, activation=name or repr(activation))


def deserialize(
    config: str | Callable[..., Any] | None, custom_objects: Mapping[str, Callable[..., Any]] | None = None
) -> Callable[..., Any]:
    """Return the function that `serialize` gave the name `config`.

    Args:
        config: the name.
        custom_objects: functions of the user's own by their names, which come first.

    Raises:
        ValueError: for an unknown name.
    """
    if isinstance(config, str) and config in (custom_objects or {}):
        return (custom_objects or {})[config]
    return get(config)


def fused_form(function: Callable[..., Any]) -> tuple[str, dict[str, float]] | None:
    """Return the name and the numbers by which a product takes `function` along, None if it cannot."""
    name = getattr(function, "__name__", "")
    if name not in FUSED or _FUNCTIONS.get(name) is not function:
        return None
    parameters = inspect.signature(function).parameters
    return name, {number: parameters[number].default for number in FUSED[name]}
