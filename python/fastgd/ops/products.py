"""Products of tensors of any ranks as NumPy forms them, `dot`, `tensordot` and `outer`, by one matrix product."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from fastgd.ops.axes import normal_axis
from fastgd.ops.binary import multiply
from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.linear import matmul
from fastgd.ops.moving import transpose
from fastgd.ops.operands import as_tensors
from fastgd.ops.parameters import Variable
from fastgd.ops.shaping import view


@works_on_arrays("x1", "x2", batch=False)
def dot(x1: Any, x2: Any) -> Tensor:
    """Return the sums of products over the last axis of x1 and the last but one of x2, or its only one.

    Args:
        x1: tensor, placeholder, variable or array (..., k), or a number, which multiplies x2.
        x2: the same (..., k, p) or (k,), or a number.

    Returns:
        A tensor or placeholder if one of them is, else an array, with the other axes of x1 and then those of x2.

    Raises:
        ValueError: if the sizes k differ.

    Example:
        >>> ops.dot(np.array([[1.0, 2.0]]), np.array([3.0, 4.0]))
        array([11.])
    """
    a, b = as_tensors("dot", x1, x2)
    if not a.dims or not b.dims:
        y: Tensor = multiply(a, b)
        return y
    return _contract("dot", a, b, x2, [len(a.dims) - 1], [max(len(b.dims) - 2, 0)])


@works_on_arrays("x1", "x2", batch=False)
def tensordot(x1: Any, x2: Any, axes: int | Sequence[Any] = 2) -> Tensor:
    """Return the sums of products over some axes of both.

    Args:
        x1: tensor, placeholder, variable or array.
        x2: the same.
        axes: how many of the last axes of x1 and the first of x2 are summed over; or which of x1, and which of x2 they
            meet, each an axis or a list of as many.

    Returns:
        A tensor or placeholder if one of them is, else an array, with the other axes of x1 and then those of x2.

    Raises:
        ValueError: if an axis does not exist or is named twice, or their numbers or sizes differ.

    Example:
        >>> ops.tensordot(np.ones((2, 3)), np.ones((4, 3)), axes=[1, 1]).shape
        (2, 4)
    """
    a, b = as_tensors("tensordot", x1, x2)
    ranks = len(a.dims), len(b.dims)
    if isinstance(axes, int):
        message = f"`axes` must be from 0 to {min(ranks)}. Received: axes={axes}"
        require(0 <= axes <= min(ranks), "tensordot", message)
        given = [list(range(ranks[0] - axes, ranks[0])), list(range(axes))]
    else:
        require(len(axes) == 2, "tensordot", f"`axes` must be a number or a pair. Received: axes={axes}")
        given = [
            [normal_axis("tensordot", k, rank) for k in ([part] if isinstance(part, int) else part)]
            for part, rank in zip(axes, ranks, strict=True)
        ]
    numbers = {*map(len, given), *(len(set(part)) for part in given)}
    require(len(numbers) == 1, "tensordot", f"`axes` must name as many of each once. Received: axes={axes}")
    return _contract("tensordot", a, b, x2, *given)


@works_on_arrays("x1", "x2", batch=False)
def outer(x1: Any, x2: Any) -> Tensor:
    """Return the products of every element of x1 with every element of x2, both taken as vectors.

    Args:
        x1: tensor, placeholder, variable, array or number.
        x2: the same.

    Returns:
        A tensor or placeholder if one of them is, else an array, with a row for each element of x1.
    """
    a, b = (view(x, (prod(x.dims),)) for x in as_tensors("outer", x1, x2))
    return tensordot(a, b, 0)


def _contract(op: str, a: Tensor, b: Tensor, x2: Any, of_a: Sequence[int], of_b: Sequence[int]) -> Tensor:
    """Return the sums of products over these axes; b is x2 as a tensor."""
    sizes = [a.dims[k] for k in of_a]
    others = [b.dims[k] for k in of_b]
    text = f"a is {show_dims(a.dims)}, b {show_dims(b.dims)}"
    require(sizes == others, op, f"the sizes {show_dims(sizes)} and {show_dims(others)} differ: {text}")
    rest_a = [k for k in range(len(a.dims)) if k not in of_a]
    rest_b = [k for k in range(len(b.dims)) if k not in of_b]
    left, right = _ordered(a, [*rest_a, *of_a]), _ordered(b, [*of_b, *rest_b])
    dims_a, dims_b = tuple(a.dims[k] for k in rest_a), tuple(b.dims[k] for k in rest_b)
    if isinstance(x2, Variable) and right is b and len(b.dims) == 2 and len(sizes) == 1 and rest_a:
        # The rows of a have nothing to do with one another.
        return matmul(left, x2)
    y = matmul(view(left, (prod(dims_a), prod(sizes))), view(right, (prod(sizes), prod(dims_b))))
    return view(y, (*dims_a, *dims_b))


def _ordered(x: Tensor, order: Sequence[int]) -> Tensor:
    return x if list(order) == list(range(len(order))) else transpose(x, order)
