"""Norms of vectors and of matrices, and what is divided by them: `norm` and `normalize`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fastgd import config
from fastgd.ops.axes import normal_axis
from fastgd.ops.binary import divide, maximum, minimum, multiply, power
from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require
from fastgd.ops.counting import count_nonzero
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.operands import as_tensors
from fastgd.ops.reductions import max, min, sum
from fastgd.ops.shaping import squeeze
from fastgd.ops.unary import absolute, rsqrt, sqrt, square
from fastgd.utils.checks import check_above_zero, check_int


@works_on_arrays("x", batch=False)
def norm(
    x: Tensor, ord: int | float | str | None = None, axis: int | Sequence[int] | None = None, keepdims: bool = False
) -> Tensor:
    """Return the norm of vectors or of matrices.

    Of a vector: for None and 2 `sqrt(sum(x^2))`, for inf and -inf the largest and the smallest `|x|`, for 0 how many
    elements are not 0, else `sum(|x|^ord)^(1 / ord)`. Of a matrix: for None and "fro" `sqrt(sum(x^2))`, for 1 and -1
    the largest and the smallest sum of `|x|` down a column, for inf and -inf the same along a row. Where a square root
    is 0 it has no derivative, and the gradient is NaN.

    Args:
        x: tensor, placeholder, variable or array of any shape.
        ord: which norm.
        axis: the axis of vectors, or the two of matrices; None takes x, a vector or a matrix, as a whole, and with
            `ord=None` all elements of any x.
        keepdims: whether the axes stay, with the size 1.

    Returns:
        A tensor or placeholder if x is one, else an array, without those axes.

    Raises:
        ValueError: for another norm, an axis that x has not, or neither a vector nor a matrix.

    Example:
        >>> ops.norm(np.array([[3.0, 4.0]]), axis=1)
        array([5.])
    """
    (x,) = as_tensors("norm", x)
    rank = len(x.dims)
    given = range(rank) if axis is None else [axis] if isinstance(axis, int) else axis
    axes = [normal_axis("norm", k, rank) for k in given]
    if ord is None and axis is None:
        return _length(x, None, keepdims)
    known = len(axes) in (1, 2) and len(set(axes)) == len(axes)
    require(known, "norm", f"`axis` must name one axis or two of {show_dims(x.dims)}. Received: axis={axis}")
    if ord is None or (ord == "fro" and len(axes) == 2) or (ord == 2 and len(axes) == 1):
        return _length(x, axes, keepdims)
    number = ord if isinstance(ord, (int, float)) else math.nan
    if len(axes) == 1 and not math.isnan(number):
        return _of_vectors(x, number, axes[0], keepdims)
    message = f"`ord` must be a number for vectors, 'fro', 1, -1, inf or -inf for matrices. Received: ord={ord!r}"
    require(len(axes) == 2 and number in (1, -1, math.inf, -math.inf), "norm", message)
    over, along = axes if abs(number) == 1 else axes[::-1]
    sums = sum(absolute(x), over, keepdims=True)
    y = (max if number > 0 else min)(sums, along, keepdims=True)
    return y if keepdims else squeeze(y, axes)


@works_on_arrays("x", batch=False)
def normalize(x: Tensor, axis: int | Sequence[int] = -1, order: int = 2, epsilon: float | None = None) -> Tensor:
    """Return x divided by its norm along an axis, or by epsilon where the norm is less.

    Args:
        x: tensor, placeholder, variable or array of any shape.
        axis: the axis; several for the order 2.
        order: which norm, 1 or more, as in `norm`.
        epsilon: the least divisor; `config.epsilon()` if None.

    Returns:
        A tensor or placeholder if x is one, else an array, of the shape of x.

    Raises:
        ValueError: if the order is below 1 or x has no such axis.

    Example:
        >>> ops.normalize(np.array([[3.0, 4.0]]))
        array([[0.6, 0.8]])
    """
    order = check_int("order", order, 1)
    least = config.epsilon() if epsilon is None else check_above_zero("epsilon", epsilon)
    (x,) = as_tensors("normalize", x)
    if order == 2:
        y: Tensor = multiply(x, minimum(rsqrt(sum(square(x), axis, keepdims=True)), 1 / least))
    else:
        y = divide(x, maximum(norm(x, order, axis, keepdims=True), least))
    return y


def _length(x: Tensor, axes: Sequence[int] | None, keepdims: bool) -> Tensor:
    y: Tensor = sqrt(sum(square(x), axes, keepdims))
    return y


def _of_vectors(x: Tensor, ord: float, axis: int, keepdims: bool) -> Tensor:
    if ord == 0:
        return count_nonzero(x, axis, keepdims)
    if math.isinf(ord):
        return (max if ord > 0 else min)(absolute(x), axis, keepdims)
    if ord == 1:
        return sum(absolute(x), axis, keepdims)
    y: Tensor = power(sum(power(absolute(x), ord), axis, keepdims), 1 / ord)
    return y
