"""The op `activation`: an elementwise function, or softmax and its kin along an axis; and the op `prelu`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fastgd.reference.functions import FUNCTIONS, Function
from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward, number


def find_function(attrs: Attrs, attribute: str) -> tuple[Function, tuple[float, ...]]:
    """Return the elementwise function that `attrs` names under `attribute`, and its numbers.

    Raises:
        ValueError: if there is no such function, or if a number is missing.
    """
    name = attrs.get(attribute, "linear")
    if not isinstance(name, str) or name not in FUNCTIONS:
        raise ValueError(f"unknown activation. Known: {', '.join(FUNCTIONS)}. Received: {attribute}={name!r}")
    function = FUNCTIONS[name]
    for wanted in function.numbers:
        if wanted not in attrs:
            raise ValueError(f"the function {name} needs the attribute `{wanted}`")
    return function, tuple(number(attrs, wanted, 0.0) for wanted in function.numbers)


def find_fused(attrs: Attrs, attribute: str = "activation") -> tuple[Function, tuple[float, ...]]:
    """Return the function that a step takes along under an attribute, and its numbers.

    Raises:
        ValueError: if it has no derivative that follows from its output.
    """
    name = attrs.get(attribute)
    if name in ALONG_AN_AXIS:
        raise ValueError(f"`{attribute}` must work element by element. Received: {attribute}={name!r}")
    function, numbers = find_function(attrs, attribute)
    if not function.from_output:
        raise ValueError(f"`{attribute}` must have a derivative that follows from y. Received: {attribute}={name!r}")
    return function, numbers


def activate(function: Function, numbers: tuple[float, ...], z: Array) -> Array:
    """Return f(z), which may take the place of z."""
    y = function.value(z, *numbers, out=z) if function.takes_out else function.value(z, *numbers)
    return np.asarray(y, z.dtype)


def _axis(attrs: Attrs, x: Array) -> int:
    """Return the axis of a function along one: the last if none is named."""
    axis = int(number(attrs, "axis", x.ndim - 1))
    if not 0 <= axis < x.ndim:
        raise ValueError(f"`axis` must be an axis of x, which has the shape {x.shape}. Received: axis={axis}")
    return axis


def log_softmax(x: Array, axis: int = -1) -> Array:
    """Return x - log(sum(e^x)) over an axis; subtracting the maximum changes nothing but avoids overflow."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    y: Array = shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))
    return y


def softmax(x: Array, axis: int = -1) -> Array:
    """Return e^x / sum(e^x) over an axis; subtracting the maximum changes nothing but avoids overflow."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    y: Array = e / np.sum(e, axis=axis, keepdims=True)
    return y


def sparsemax(x: Array, axis: int = -1) -> Array:
    """Return max(x - t, 0) over an axis, with the t for which they add up to 1.

    Of the k largest elements, those are kept for which 1 + k x_k > x_1 + ... + x_k; t is (their sum - 1) / k.
    """
    z = np.moveaxis(x - np.max(x, axis=axis, keepdims=True), axis, -1)
    falling = -np.sort(-z, axis=-1)
    sums = np.cumsum(falling, axis=-1)
    kept = np.sum(1 + np.arange(1, z.shape[-1] + 1) * falling > sums, axis=-1, keepdims=True)
    threshold = (np.take_along_axis(sums, kept - 1, axis=-1) - 1) / kept
    y: Array = np.maximum(z - threshold, 0).astype(x.dtype)
    return np.moveaxis(y, -1, axis)


def _softmax_slope(y: Array, dy: Array, axis: int) -> Array:
    """Return y (dy - sum(dy y))."""
    return np.asarray(y * (dy - np.sum(dy * y, axis=axis, keepdims=True)))


def _log_softmax_slope(y: Array, dy: Array, axis: int) -> Array:
    """Return dy - e^y sum(dy)."""
    return np.asarray(dy - np.exp(y) * np.sum(dy, axis=axis, keepdims=True))


def _sparsemax_slope(y: Array, dy: Array, axis: int) -> Array:
    """Return dy less its mean over the elements where y is not 0, and 0 for the others."""
    kept = y > 0
    count = np.maximum(np.sum(kept, axis=axis, keepdims=True), 1).astype(dy.dtype)
    return np.where(kept, dy - np.sum(dy * kept, axis=axis, keepdims=True) / count, 0)


# The value of each function along an axis, and dx from y and dy.
ALONG_AN_AXIS: dict[object, tuple[Callable[[Array, int], Array], Callable[[Array, Array, int], Array]]] = {
    "softmax": (softmax, _softmax_slope),
    "log_softmax": (log_softmax, _log_softmax_slope),
    "sparsemax": (sparsemax, _sparsemax_slope),
}


@forward("activation")
def activation(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = f(x)."""
    (x,) = inputs
    if attrs.get("function") in ALONG_AN_AXIS:
        value, _ = ALONG_AN_AXIS[attrs["function"]]
        return (value(x, _axis(attrs, x)),)
    function, numbers = find_function(attrs, "function")
    return (np.asarray(function.value(x, *numbers), x.dtype),)


@backward("activation")
def activation_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx = f'(x) dy, or by the slope of a function along an axis."""
    (x,), (y,), (dy,) = inputs, outputs, d_outputs
    assert dy is not None
    if attrs.get("function") in ALONG_AN_AXIS:
        _, slope = ALONG_AN_AXIS[attrs["function"]]
        return (slope(y, dy, _axis(attrs, x)),), ()
    function, numbers = find_function(attrs, "function")
    return (gradient(function, numbers, x, y, dy),), ()


def gradient(function: Function, numbers: tuple[float, ...], x: Array, y: Array, dy: Array) -> Array:
    """Return f'(x) dy."""
    return np.asarray(function.gradient(dy, y if function.from_output else x, *numbers), dy.dtype)


@forward("prelu")
def prelu(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = x above 0, alpha x below, with alpha of one sample's shape or 1 on the axes that share it."""
    (x,), (alpha,) = inputs, params
    fits = alpha.ndim + 1 == x.ndim and all(a in (1, d) for a, d in zip(alpha.shape, x.shape[1:], strict=True))
    if not fits:
        raise ValueError(f"the slopes of shape {alpha.shape} do not fit x of shape {x.shape}")
    return (np.where(x < 0, alpha * x, x),)


@backward("prelu")
def prelu_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx = dy above 0, alpha dy below, 0 at 0; dalpha = the sum of min(x, 0) dy over batch and shared axes."""
    (x,), (alpha,), (dy,) = inputs, params, d_outputs
    assert dy is not None
    dx = np.where(x > 0, dy, np.where(x < 0, alpha * dy, 0)).astype(dy.dtype)
    shared = (0, *(axis + 1 for axis, size in enumerate(alpha.shape) if size == 1))
    return (dx,), (np.sum(np.minimum(x, 0) * dy, axis=shared).reshape(alpha.shape),)
