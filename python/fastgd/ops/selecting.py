"""Ops that choose, bound, round, cast and fill: `where`, `clip`, `round`, `cast` and the `..._like` functions."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd.ops.binary import divide, maximum, minimum, multiply, not_equal
from fastgd.ops.builder import Placeholder, Tensor
from fastgd.ops.eager import common_dtype, works_on_arrays
from fastgd.ops.operands import as_tensors, broadcast_dims
from fastgd.ops.unary import nearest
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid


@works_on_arrays("condition", "x1", "x2", batch=False)
def where(condition: Any, x1: Any, x2: Any) -> Any:
    """Return x1 where the condition is not 0, else x2, all three broadcast as NumPy does it.

    Args:
        condition: tensor, placeholder, variable, array or number; no gradient flows to it.
        x1: the same.
        x2: the same.

    Returns:
        A tensor or placeholder if one of them is, else an array, of the common shape.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    operands = as_tensors("where", condition, x1, x2)
    return operands[0].builder.emit("where", operands, [broadcast_dims("where", operands)])[0]


@works_on_arrays("x", "x_min", "x_max", batch=False)
def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Return `min(max(x, x_min), x_max)`; where x lies on a bound, half the gradient flows to it.

    Args:
        x: tensor, placeholder, variable, array or number.
        x_min: the lower bound: a number, or something that is broadcast with x.
        x_max: the upper bound, the same.

    Returns:
        A tensor or placeholder if one of them is, else an array.
    """
    return minimum(maximum(x, x_min), x_max)


@works_on_arrays("x1", "x2", batch=False)
def divide_no_nan(x1: Any, x2: Any) -> Any:
    """Return `x1 / x2`, and 0 with no gradient where x2 is 0.

    Args:
        x1: tensor, placeholder, variable, array or number.
        x2: the same; the shapes are broadcast as NumPy does it.

    Returns:
        A tensor or placeholder if one of them is, else an array, of the common shape.
    """
    a, b = as_tensors("divide_no_nan", x1, x2)
    return where(not_equal(b, 0.0), divide(a, where(not_equal(b, 0.0), b, 1.0)), 0.0)


def round(x: Any, decimals: int = 0) -> Any:
    """Return x rounded to so many decimals, of two equally near numbers the even one; no gradient flows through it.

    Args:
        x: tensor, placeholder, variable, array of any shape, or number.
        decimals: how many digits stay behind the point; negative ones round before it.

    Returns:
        The same kind of thing, of the same shape; an array for numbers and variables.
    """
    places = check_int("decimals", decimals, -300)
    if isinstance(x, Placeholder):
        return x.record(round, (x, places), {})
    if places == 0:
        return nearest(x)
    # A power of ten with a positive exponent is exact, its inverse is not.
    if places > 0:
        return divide(nearest(multiply(x, 10.0**places)), 10.0**places)
    return multiply(nearest(divide(x, 10.0**-places)), 10.0**-places)


def cast(x: Any, dtype: str) -> Any:
    """Return x in another dtype.

    A tensor has the floating type of its plan or int32, and can be cast to the former, or to "bool": 1 where it is not
    0, else 0, in the plan's type.

    Args:
        x: tensor, placeholder, variable, array or number.
        dtype: the name of the dtype.

    Returns:
        The same kind of thing; an array for numbers and variables.

    Raises:
        ValueError: if a tensor cannot have the dtype.
    """
    name = str(np.dtype(dtype))
    if not isinstance(x, (Tensor, Placeholder)):
        return np.asarray(x).astype(name)
    if name == "bool":
        return not_equal(x, 0)
    kind = x.builder.dtype if isinstance(x, Tensor) else getattr(x, "dtype", name)
    if name != kind:
        raise invalid(f"`dtype` of a tensor must be that of its model, {kind}, or bool.", dtype=dtype)
    return as_tensors("cast", x)[0] if isinstance(x, Tensor) else x


def full_like(x: Any, fill_value: float) -> Any:
    """Return something like x, of its shape and floating type, that holds `fill_value` everywhere."""
    if isinstance(x, Tensor):
        return x.builder.constant(fill_value, x.dims)
    if isinstance(x, Placeholder):
        return x.record(full_like, (x, fill_value), {})
    return np.full(np.shape(x), fill_value, common_dtype([x]))


def zeros_like(x: Any) -> Any:
    """Return something like x that holds zeros."""
    return full_like(x, 0.0)


def ones_like(x: Any) -> Any:
    """Return something like x that holds ones."""
    return full_like(x, 1.0)
