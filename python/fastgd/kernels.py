"""The raw kernels on NumPy arrays, for people who measure: a thin, checked door with no conversion.

Every function takes C-contiguous arrays of float32 or float64, all of one type, and raises a ValueError that names the
argument otherwise, or a TypeError for what is no array. Results do not depend on the number of threads
(`fastgd.set_num_threads`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import runtime
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.windows import check_padding, resolve, window_padding, window_sizes

Ints = int | Sequence[int]
# "valid", "same", or the zeros before and after each spatial axis.
Padding = str | Sequence[tuple[int, int]]

Array = npt.NDArray[Any]


def _refuse_others(**arguments: Any) -> None:
    """Raise a TypeError for the first argument that is no array; where time counts, only after a call has failed."""
    for name, value in arguments.items():
        if not isinstance(value, np.ndarray) and not (name == "out" and value is None):
            raise mistyped(f"`{name}` must be a NumPy array.", **{name: value}) from None


def _space(out: Array | None, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    return np.empty(shape, dtype) if out is None else out


def matmul(a: Array, b: Array, transpose_a: bool = False, transpose_b: bool = False, out: Array | None = None) -> Array:
    """op(a) op(b), where op transposes if asked to.

    Args:
        a: (m, k), or (k, m) with `transpose_a`.
        b: (k, n), or (n, k) with `transpose_b`.
        out: where to write, (m, n); a new array if not given.

    Returns:
        The product, (m, n).

    Raises:
        ValueError: if shapes or types do not fit.

    Example:
        >>> matmul(np.eye(2), np.ones((2, 3)))
        array([[1., 1., 1.],
               [1., 1., 1.]])
    """
    try:
        if out is None:
            if a.ndim != 2 or b.ndim != 2:
                raise ValueError(f"`a` and `b` must have two axes. Received: a.ndim={a.ndim}, b.ndim={b.ndim}")
            out = np.empty((a.shape[1 if transpose_a else 0], b.shape[0 if transpose_b else 1]), a.dtype)
        runtime.native_module().matmul(a, b, out, transpose_a, transpose_b)
    except (AttributeError, TypeError):
        _refuse_others(a=a, b=b, out=out)
        raise
    return out


def convolution(
    x: Array,
    w: Array,
    strides: Ints = 1,
    padding: Padding = "valid",
    dilations: Ints = 1,
    groups: int = 1,
    depthwise: bool = False,
    out: Array | None = None,
) -> Array:
    """y[o, f] = sum over window and channels of x[o stride + i dilation - before, c] w[i, c, f], channels last.

    Args:
        x: (n, s1..sd, c) with d = 1, 2 or 3 spatial axes.
        w: (k1..kd, c / groups, f); with `depthwise` (k1..kd, c, m).
        strides: the steps between windows, one number or d.
        padding: "valid", "same", or for each axis the numbers of zeros before and after it.
        dilations: the steps between the elements of a window, one number or d.
        groups: group g of the output channels (f / groups neighbouring ones) sees group g of the input channels.
        depthwise: every input channel has m kernels of its own, which make the output channels c m to c m + m - 1.
        out: where to write, (n, o1..od, f); a new array if not given.

    Returns:
        y, (n, o1..od, f); with `depthwise` (n, o1..od, c m).

    Raises:
        ValueError: if shapes, types or numbers do not fit.

    Example:
        >>> convolution(np.ones((1, 4, 1)), np.ones((3, 1, 1)))[0, :, 0]
        array([3., 3.])
    """
    _check_axes(x=x, w=w)
    windows = _windows(x.shape[1:-1], w.shape[:-2], strides, padding, dilations)
    filters = w.shape[-1] * (w.shape[-2] if depthwise else 1)
    out = _space(out, (x.shape[0], *_outputs(x.shape[1:-1], w.shape[:-2], windows), filters), x.dtype)
    _convolve("output", x, w, out, windows, groups, depthwise)
    return out


def convolution_to_data(
    dy: Array,
    w: Array,
    sizes: Sequence[int],
    strides: Ints = 1,
    padding: Padding = "valid",
    dilations: Ints = 1,
    groups: int = 1,
    depthwise: bool = False,
    out: Array | None = None,
) -> Array:
    """The gradient of sum(dy convolution(x, w)) by x.

    Args:
        dy: (n, o1..od, f), as `convolution` returns it.
        w: the kernel, as `convolution` takes it.
        sizes: s1..sd, the sizes of x.
        strides: as `convolution` takes them.
        padding: as `convolution` takes it.
        dilations: as `convolution` takes them.
        groups: as `convolution` takes them.
        depthwise: as `convolution` takes it.
        out: where to write, (n, s1..sd, c); a new array if not given.

    Returns:
        dx, (n, s1..sd, c).

    Raises:
        ValueError: if shapes, types or numbers do not fit.
    """
    _check_axes(dy=dy, w=w)
    sizes = resolve("sizes", sizes, w.ndim - 2)
    windows = _windows(sizes, w.shape[:-2], strides, padding, dilations)
    channels = w.shape[-2] * (1 if depthwise else groups)
    out = _space(out, (dy.shape[0], *sizes, channels), dy.dtype)
    _convolve("data", out, w, dy, windows, groups, depthwise)
    return out


def convolution_to_weights(
    x: Array,
    dy: Array,
    window: Sequence[int],
    strides: Ints = 1,
    padding: Padding = "valid",
    dilations: Ints = 1,
    groups: int = 1,
    depthwise: bool = False,
    out: Array | None = None,
) -> Array:
    """The gradient of sum(dy convolution(x, w)) by w.

    Args:
        x: (n, s1..sd, c), as `convolution` takes it.
        dy: (n, o1..od, f), as `convolution` returns it.
        window: k1..kd, the sizes of the kernel.
        strides: as `convolution` takes them.
        padding: as `convolution` takes it.
        dilations: as `convolution` takes them.
        groups: as `convolution` takes them.
        depthwise: as `convolution` takes it.
        out: where to write, in the shape of the kernel; a new array if not given.

    Returns:
        dw, (k1..kd, c / groups, f); with `depthwise` (k1..kd, c, f / c).

    Raises:
        ValueError: if shapes, types or numbers do not fit.
    """
    _check_axes(x=x, dy=dy)
    window = resolve("window", window, x.ndim - 2)
    windows = _windows(x.shape[1:-1], window, strides, padding, dilations)
    channels, filters = x.shape[-1], dy.shape[-1]
    matrix = (channels, filters // max(1, channels)) if depthwise else (channels // max(1, groups), filters)
    out = _space(out, (*window, *matrix), x.dtype)
    _convolve("weights", x, out, dy, windows, groups, depthwise)
    return out


def _check_axes(**arrays: Array) -> None:
    _refuse_others(**arrays)
    axes = {name: np.ndim(array) for name, array in arrays.items()}
    if len(set(axes.values())) > 1 or not all(3 <= count <= 5 for count in axes.values()):
        names = " and ".join(f"`{name}`" for name in axes)
        raise invalid(f"{names} must have the same number of axes, 3 to 5.", axes=axes)


def _windows(
    sizes: Sequence[int], window: Sequence[int], strides: Ints, padding: Padding, dilations: Ints
) -> dict[str, tuple[int, ...]]:
    """Return the attributes of the ops that slide windows."""
    axes = len(sizes)
    steps, apart = resolve("strides", strides, axes), resolve("dilations", dilations, axes)
    if isinstance(padding, str):
        before, after = window_padding(check_padding(padding), sizes, window, steps, apart)
    else:
        pairs = [resolve("padding", pair, 2, 0) for pair in padding]
        if len(pairs) != axes:
            raise invalid(f"`padding` must hold {axes} pairs, one per spatial axis.", padding=padding)
        before, after = tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs)
    return {"strides": steps, "dilations": apart, "padding_before": before, "padding_after": after}


def _outputs(sizes: Sequence[int], window: Sequence[int], windows: dict[str, tuple[int, ...]]) -> tuple[int, ...]:
    each = (windows[name] for name in ("strides", "dilations", "padding_before", "padding_after"))
    return window_sizes(sizes, window, *each)


def _convolve(
    target: str, x: Array, w: Array, y: Array, windows: dict[str, tuple[int, ...]], groups: int, depthwise: bool
) -> None:
    groups = check_int("groups", groups, 1)
    if depthwise and groups != 1:
        raise invalid("`groups` must be 1 where each channel has kernels of its own.", groups=groups)
    op = "depthwise_convolution" if depthwise else "convolution"
    if depthwise and w.shape[-1] > 1 and target != "output":
        # The gradients of several kernels per channel are put in another order first, in their place.
        y = y.copy()
    runtime.native_module().convolution(op, target, x, w, y, windows, None if depthwise else groups)


def _elementary(name: str, x: Array, out: Array | None) -> Array:
    try:
        out = _space(out, x.shape, x.dtype)
        runtime.native_module().elementary(name, x, out)
    except (AttributeError, TypeError):
        _refuse_others(x=x, out=out)
        raise
    return out


def exp(x: Array, out: Array | None = None) -> Array:
    """e^x, at most 2 ULP wrong in float32 for every input."""
    return _elementary("exp", x, out)


def log(x: Array, out: Array | None = None) -> Array:
    """The natural logarithm, at most 2 ULP wrong in float32 for every input."""
    return _elementary("log", x, out)


def tanh(x: Array, out: Array | None = None) -> Array:
    """tanh x, at most 2 ULP wrong in float32 for every input."""
    return _elementary("tanh", x, out)


def sigmoid(x: Array, out: Array | None = None) -> Array:
    """1 / (1 + e^-x), at most 2 ULP wrong in float32 for every input."""
    return _elementary("sigmoid", x, out)


def softmax_crossentropy(logits: Array, labels: npt.NDArray[np.int32]) -> tuple[Array, Array]:
    """-log softmax(logits)[label] of each row, and the gradient of their mean.

    Args:
        logits: (n, classes).
        labels: (n,) of int32, from 0 to classes - 1; another value gives NaN.

    Returns:
        The losses, (n,), and d mean(losses) / d logits, (n, classes).
    """
    try:
        loss = np.empty(len(logits), logits.dtype)
        gradient = np.empty_like(logits)
        runtime.native_module().softmax_crossentropy(logits, labels, loss, gradient)
    except (AttributeError, TypeError):
        _refuse_others(logits=logits, labels=labels)
        raise
    return loss, gradient


def sgd_update(w: Array, g: Array, learning_rate: float = 0.01) -> None:
    """w -= learning_rate g, in place."""
    try:
        runtime.native_module().sgd_update(w, g, learning_rate)
    except TypeError:
        _refuse_others(w=w, g=g)
        raise


def momentum_update(
    w: Array, g: Array, v: Array, learning_rate: float = 0.01, momentum: float = 0.9, nesterov: bool = False
) -> None:
    """v = momentum v - learning_rate g; w += v, or with `nesterov` w += momentum v - learning_rate g; in place."""
    try:
        runtime.native_module().momentum_update(w, g, v, learning_rate, momentum, nesterov)
    except TypeError:
        _refuse_others(w=w, g=g, v=v)
        raise


def adam_update(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    step: int,
    learning_rate: float = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
) -> None:
    """One step of Adam in place, in Keras' form: w -= a m / (sqrt(v) + epsilon).

    a = learning_rate sqrt(1 - beta_2^step) / (1 - beta_1^step), m += (g - m)(1 - beta_1), v += (g^2 - v)(1 - beta_2).

    Args:
        w: the parameters.
        g: their gradient.
        m: the first moment, zeros before the first step.
        v: the second moment, zeros before the first step.
        step: the number of this step, from 1.
        learning_rate: the step size.
        beta_1: the decay of `m`.
        beta_2: the decay of `v`.
        epsilon: added to the root, outside the bias correction.

    Raises:
        ValueError: if an array or `step` is wrong.

    Source: Kingma and Ba, Adam: a method for stochastic optimization, 2015.
    """
    try:
        runtime.native_module().adam_update(w, g, m, v, step, learning_rate, beta_1, beta_2, epsilon)
    except TypeError:
        _refuse_others(w=w, g=g, m=m, v=v)
        raise


def peak_flops(
    isa: str | None = None, threads: int = 1, dtype: str = "float32", seconds: float = 0.2, loads: bool = False
) -> float:
    """Measure floating-point operations per second of multiply-adds.

    Args:
        isa: the instruction set; the one in use if not given.
        threads: how many threads work.
        dtype: "float32" or "float64".
        seconds: how long to measure; the best of the repetitions counts.
        loads: whether operands come from the first cache as in a tile of a matrix product, with AVX-512 sixteen loads
            for 28 multiply-adds. Without them all operands stay in registers, which no product can do: some
            processors lower their clock for the loads.

    Returns:
        Operations per second of all threads together, two for each multiply-add.
    """
    return runtime.peak_flops(isa, dtype, threads, seconds, loads)


def bandwidth(threads: int = 1, seconds: float = 0.2) -> float:
    """Measure bytes per second of a = b + s c over arrays out of cache, 12 bytes counted per element.

    Args:
        threads: how many threads work.
        seconds: how long to measure; the best of the repetitions counts.

    Returns:
        Bytes per second of all threads together.
    """
    return float(runtime.native_module().bandwidth(threads, seconds))
