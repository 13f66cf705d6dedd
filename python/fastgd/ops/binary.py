"""Functions of two tensors, element by element, with NumPy's broadcasting, by Keras' names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd.ops import unary
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.operands import as_tensors, broadcast_dims


def _emit(name: str, x1: Any, x2: Any) -> Any:
    """Emit the function `name` of the op `binary`."""
    operands = as_tensors(name, x1, x2)
    dims = broadcast_dims(name, operands)
    return operands[0].builder.emit("binary", operands, [dims], attrs={"function": name})[0]


def _binary(name: str, text: str, emit: Callable[[Any, Any], Any] | None = None) -> Callable[[Any, Any], Any]:
    """Return the public function for the function `name` of the op `binary`, or for what `emit` makes of it."""

    def function(x1: Any, x2: Any) -> Any:
        return _emit(name, x1, x2) if emit is None else emit(x1, x2)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""Return {text}, element by element.

    Args:
        x1: tensor, placeholder, variable, array of any shape, or number; integers become floating.
        x2: the same; its shape and that of x1 are broadcast as NumPy does it. The batch fits the batch and 1 alone.

    Returns:
        A tensor or placeholder if one of them is, else an array, of the common shape.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    return works_on_arrays("x1", "x2", batch=False)(function)


def _emit_power(x1: Any, x2: Any) -> Any:
    """Emit a power, for the exponents that have a function of their own as that one."""
    cheap: dict[float, Callable[[Any], Any]] = {
        2.0: unary.square,
        1.0: lambda x: x,
        0.5: unary.sqrt,
        -0.5: unary.rsqrt,
        -1.0: unary.reciprocal,
    }
    if isinstance(x2, (int, float)) and x2 in cheap:
        return cheap[x2](as_tensors("power", x1)[0])
    return _emit("power", x1, x2)


add = _binary("add", "`x1 + x2`")
subtract = _binary("subtract", "`x1 - x2`")
multiply = _binary("multiply", "`x1 x2`")
divide = _binary("divide", "`x1 / x2`")
true_divide = divide
floor_divide = _binary("floor_divide", "the largest integer not above `x1 / x2`; no gradient flows through it")
mod = _binary("mod", "`x1 - x2 floor(x1 / x2)`, which has the sign of x2")
arctan2 = _binary("arctan2", "the angle in radians of the point with the ordinate x1 and the abscissa x2")
power = _binary("power", "`x1^x2`, NaN for a negative x1 and a fractional x2", _emit_power)
maximum = _binary("maximum", "the larger of x1 and x2, NaN if one is; where they are equal each gets half the gradient")
minimum = _binary(
    "minimum", "the smaller of x1 and x2, NaN if one is; where they are equal each gets half the gradient"
)
equal = _binary("equal", "1 where `x1 == x2`, else 0; no gradient flows through it")
not_equal = _binary("not_equal", "1 where `x1 != x2`, else 0; no gradient flows through it")
less = _binary("less", "1 where `x1 < x2`, else 0; no gradient flows through it")
less_equal = _binary("less_equal", "1 where `x1 <= x2`, else 0; no gradient flows through it")
greater = _binary("greater", "1 where `x1 > x2`, else 0; no gradient flows through it")
greater_equal = _binary("greater_equal", "1 where `x1 >= x2`, else 0; no gradient flows through it")
logical_and = _binary("logical_and", "1 where neither is 0, else 0; no gradient flows through it")
logical_or = _binary("logical_or", "1 where one is not 0, else 0; no gradient flows through it")
logical_xor = _binary("logical_xor", "1 where exactly one is not 0, else 0; no gradient flows through it")
