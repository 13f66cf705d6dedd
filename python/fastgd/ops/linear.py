"""Linear ops: `dense` and `matmul`."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy.typing as npt

from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.kernel_steps import fused_attributes, product_params
from fastgd.ops.operands import as_tensors
from fastgd.ops.parameters import Variable, as_variable
from fastgd.plan import Attribute


@works_on_arrays("x")
def dense(
    x: Tensor,
    kernel: Variable | npt.ArrayLike,
    bias: Variable | npt.ArrayLike | None = None,
    activation: str = "linear",
    **numbers: float,
) -> Tensor:
    """Return `f(x w + b)` over the last axis.

    Args:
        x: tensor (..., i).
        kernel: w, of shape (i, u); or of more axes, of which some first ones make i together and the others u.
        bias: b, of u elements, or None.
        activation: the name of f: an elementwise function whose derivative follows from its output (docs/ops.md).
        **numbers: the numbers of f, such as `negative_slope` for "leaky_relu".

    Returns:
        Tensor (..., u).

    Raises:
        ValueError: if the shapes do not fit, or if the step cannot take f along.
    """
    require_tensors("dense", x)
    attrs = fused_attributes("dense", activation, numbers)
    w = as_variable(kernel, "kernel", x.dtype)
    cut = next((k for k in range(1, len(w.shape)) if prod(w.shape[:k]) == x.dims[-1]), 0) if len(x.dims) >= 2 else 0
    sizes = f"x is {show_dims(x.dims)}, the kernel {w.shape}"
    require(cut > 0, "dense", f"the last axis of x must equal the first of the kernel: {sizes}")
    units = prod(w.shape[cut:])
    params = product_params("dense", w, units, bias)
    return x.builder.emit("dense", [x], [(*x.dims[:-1], units)], params, attrs)[0]


@works_on_arrays("x1", "x2", batch=False)
def matmul(x1: Any, x2: Any, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    """Return the matrix products `a b` over the last two axes, a being x1 and b being x2.

    Args:
        x1: tensor, placeholder, variable or array (..., m, k), or (..., k, m) with `transpose_a`.
        x2: the same (..., k, p), or (..., p, k) with `transpose_b`; the leading axes equal those of x1, or there are
            none: then every matrix of x1 is multiplied by the one matrix x2.
        transpose_a: whether the last two axes of x1 are stored swapped.
        transpose_b: the same for x2.

    Returns:
        A tensor or placeholder if one of them is, else an array (..., m, p).

    Raises:
        ValueError: if the shapes do not fit.
    """
    if isinstance(x2, Variable) and len(x2.shape) == 2 and not transpose_a and not transpose_b:
        # The fat op is faster, and it knows that the rows of x1 have nothing to do with one another.
        y: Tensor = dense(as_tensors("matmul", x1)[0], x2)
        return y
    a, b = as_tensors("matmul", x1, x2)
    sizes = f"a is {show_dims(a.dims)}, b {show_dims(b.dims)}"
    require(min(len(a.dims), len(b.dims)) >= 2, "matmul", f"both need two axes: {sizes}")
    if len(b.dims) == 2 < len(a.dims) and not transpose_a:
        # One matrix for all: the rows of all matrices of a are those of one.
        rows = (prod(a.dims[:-1]), a.dims[-1])
        flat = a.builder.emit("reshape", [a], [rows], attrs={"shape": rows})[0]
        y = _matmul(flat, b, False, transpose_b, sizes)
        dims = (*a.dims[:-1], y.dims[-1])
        return a.builder.emit("reshape", [y], [dims], attrs={"shape": dims})[0]
    return _matmul(a, b, transpose_a, transpose_b, sizes)


def _matmul(a: Tensor, b: Tensor, transpose_a: bool, transpose_b: bool, sizes: str) -> Tensor:
    require(a.dims[:-2] == b.dims[:-2], "matmul", f"the leading axes must be equal: {sizes}")
    m, k = a.dims[-2:] if not transpose_a else (a.dims[-1], a.dims[-2])
    rows, p = b.dims[-2:] if not transpose_b else (b.dims[-1], b.dims[-2])
    require(k == rows, "matmul", f"the inner sizes {k} and {rows} differ: {sizes}")
    attrs: dict[str, Attribute] = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    return a.builder.emit("matmul", [a, b], [(*a.dims[:-2], m, p)], attrs=attrs)[0]
