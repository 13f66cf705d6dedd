"""The raw kernels on NumPy arrays, for people who measure: a thin, checked door with no conversion.

Every function takes C-contiguous arrays of float32 or float64, all of one type, and raises a ValueError that names the
argument otherwise. Results do not depend on the number of threads (`fastgd.set_num_threads`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import runtime

Array = npt.NDArray[Any]


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
    if np.ndim(a) != 2 or np.ndim(b) != 2:
        raise ValueError(f"`a` and `b` must have two axes. Received: a.ndim={np.ndim(a)}, b.ndim={np.ndim(b)}")
    out = _space(out, (a.shape[1 if transpose_a else 0], b.shape[0 if transpose_b else 1]), a.dtype)
    runtime.native_module().matmul(a, b, out, transpose_a, transpose_b)
    return out


def _elementary(name: str, x: Array, out: Array | None) -> Array:
    out = _space(out, x.shape, x.dtype)
    runtime.native_module().elementary(name, x, out)
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
    loss = np.empty(len(logits), logits.dtype)
    gradient = np.empty_like(logits)
    runtime.native_module().softmax_crossentropy(logits, labels, loss, gradient)
    return loss, gradient


def sgd_update(w: Array, g: Array, learning_rate: float = 0.01) -> None:
    """w -= learning_rate g, in place."""
    runtime.native_module().sgd_update(w, g, learning_rate)


def momentum_update(
    w: Array, g: Array, v: Array, learning_rate: float = 0.01, momentum: float = 0.9, nesterov: bool = False
) -> None:
    """v = momentum v - learning_rate g; w += v, or with `nesterov` w += momentum v - learning_rate g; in place."""
    runtime.native_module().momentum_update(w, g, v, learning_rate, momentum, nesterov)


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
    runtime.native_module().adam_update(w, g, m, v, step, learning_rate, beta_1, beta_2, epsilon)


def peak_flops(isa: str | None = None, threads: int = 1, dtype: str = "float32", seconds: float = 0.2) -> float:
    """Measure floating-point operations per second of multiply-adds in registers.

    Args:
        isa: the instruction set; the one in use if not given.
        threads: how many threads work.
        dtype: "float32" or "float64".
        seconds: how long to measure; the best of the repetitions counts.

    Returns:
        Operations per second of all threads together, two for each multiply-add.
    """
    return float(runtime.native_module().peak_flops(isa, dtype, threads, seconds))


def bandwidth(threads: int = 1, seconds: float = 0.2) -> float:
    """Measure bytes per second of a = b + s c over arrays out of cache, 12 bytes counted per element.

    Args:
        threads: how many threads work.
        seconds: how long to measure; the best of the repetitions counts.

    Returns:
        Bytes per second of all threads together.
    """
    return float(runtime.native_module().bandwidth(threads, seconds))
