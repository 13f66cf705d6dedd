"""Linear ops: `dense` and `matmul`."""

from __future__ import annotations

import numpy.typing as npt

from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.parameters import Variable, as_variable
from fastgd.plan import Attribute


@works_on_arrays("x")
def dense(
    x: Tensor,
    kernel: Variable | npt.ArrayLike,
    bias: Variable | npt.ArrayLike | None = None,
    activation: str = "linear",
    negative_slope: float = 0.0,
) -> Tensor:
    """Return `f(x w + b)` over the last axis.

    Args:
        x: tensor (..., i).
        kernel: w, of shape (i, u).
        bias: b, of shape (u,), or None.
        activation: the name of f: "linear", "sigmoid", "tanh", "relu" or "leaky_relu".
        negative_slope: the slope of leaky_relu below zero.

    Returns:
        Tensor (..., u).

    Raises:
        ValueError: if the shapes do not fit.
    """
    require_tensors("dense", x)
    w = as_variable(kernel, "kernel", x.dtype)
    require(
        len(w.shape) == 2 and len(x.dims) >= 2 and x.dims[-1] == w.shape[0],
        "dense",
        f"the last axis of x must equal the first of the kernel: x is {show_dims(x.dims)}, the kernel {w.shape}",
    )
    params = [w]
    if bias is not None:
        b = as_variable(bias, "bias", x.dtype)
        sizes = f"it is {b.shape}, the kernel {w.shape}"
        require(b.shape == w.shape[1:], "dense", f"the bias must have one value per unit: {sizes}")
        params.append(b)
    attrs: dict[str, Attribute] = {"activation": activation}
    if activation == "leaky_relu":
        attrs["negative_slope"] = negative_slope
    return x.builder.emit("dense", [x], [(*x.dims[:-1], w.shape[1])], params, attrs)[0]


@works_on_arrays("a", "b")
def matmul(a: Tensor, b: Tensor, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    """Return the matrix products `a b` over the last two axes.

    Args:
        a: tensor (..., m, k), or (..., k, m) with `transpose_a`.
        b: tensor (..., k, p), or (..., p, k) with `transpose_b`; the leading axes equal those of a.
        transpose_a: whether the last two axes of a are stored swapped.
        transpose_b: the same for b.

    Returns:
        Tensor (..., m, p).

    Raises:
        ValueError: if the shapes do not fit.
    """
    require_tensors("matmul", a, b)
    sizes = f"a is {show_dims(a.dims)}, b {show_dims(b.dims)}"
    require(
        len(a.dims) >= 3 and a.dims[:-2] == b.dims[:-2],
        "matmul",
        f"both need two axes behind equal leading ones, the batch first: {sizes}",
    )
    m, k = a.dims[-2:] if not transpose_a else (a.dims[-1], a.dims[-2])
    rows, p = b.dims[-2:] if not transpose_b else (b.dims[-1], b.dims[-2])
    require(k == rows, "matmul", f"the inner sizes {k} and {rows} differ: {sizes}")
    attrs: dict[str, Attribute] = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    return a.builder.emit("matmul", [a, b], [(*a.dims[:-2], m, p)], attrs=attrs)[0]
