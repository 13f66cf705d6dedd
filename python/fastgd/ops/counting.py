"""Ops that ask about elements and count them, and numbers for those that are not finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgd.ops.binary import equal, greater, not_equal
from fastgd.ops.builder import Tensor
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.operands import as_tensors
from fastgd.ops.reductions import sum
from fastgd.ops.selecting import where
from fastgd.ops.unary import isnan

Axis = int | Sequence[int] | None


@works_on_arrays("x", batch=False)
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return 1 where an element over some axes is not 0, else 0; it has no gradient, and its arguments are `sum`'s."""
    y: Tensor = greater(count_nonzero(x, axis, keepdims), 0.0)
    return y


@works_on_arrays("x", batch=False)
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return 1 where no element over some axes is 0, else 0; it has no gradient, and its arguments are `sum`'s."""
    y: Tensor = equal(sum(equal(x, 0.0), axis, keepdims), 0.0)
    return y


@works_on_arrays("x", batch=False)
def count_nonzero(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return how many elements over some axes are not 0, as floating numbers; NaN counts.

    Args:
        x: tensor, placeholder, variable or array of any shape.
        axis: an axis, a tuple of them, or None for all; negative ones count from the last.
        keepdims: whether the axes stay, with the size 1.

    Returns:
        A tensor or placeholder if x is one, else an array, without those axes.
    """
    return sum(not_equal(x, 0.0), axis, keepdims)


@works_on_arrays("x", batch=False)
def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """Return x with numbers in the places of what is not finite, to which no gradient flows.

    Args:
        x: tensor, placeholder, variable, array or number.
        nan: the number for NaN.
        posinf: the number for infinity; None is the largest of the floating type.
        neginf: the number for minus infinity; None is the least.

    Returns:
        A tensor or placeholder if x is one, else an array, of the shape of x.
    """
    (given,) = as_tensors("nan_to_num", x)
    most = float(np.finfo(given.dtype).max)
    y: Tensor = where(isnan(given), nan, given)
    y = where(equal(y, np.inf), most if posinf is None else posinf, y)
    lowest: Tensor = where(equal(y, -np.inf), -most if neginf is None else neginf, y)
    return lowest
