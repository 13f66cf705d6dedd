"""Functions of one tensor, element by element, by Keras' names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd.ops.eager import works_on_arrays
from fastgd.ops.operands import as_tensors

# The text says what the function gives; where it has no derivative that flows, the text says so too.
_FLAT = "no gradient flows through it"


def _unary(name: str, text: str) -> Callable[[Any], Any]:
    """Return the public function for the function `name` of the op `unary`."""

    def function(x: Any) -> Any:
        (tensor,) = as_tensors(name, x)
        return tensor.builder.emit("unary", [tensor], [tensor.dims], attrs={"function": name})[0]

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""Return {text}, element by element.

    Args:
        x: tensor, placeholder, variable, array of any shape, or number; integers become floating.

    Returns:
        The same kind of thing, of the same shape; an array for numbers and variables.
    """
    return works_on_arrays("x", batch=False)(function)


absolute = _unary("absolute", "`|x|`, with the derivative 0 at 0")
arctan = _unary("arctan", "the arc tangent of x in radians, between -pi/2 and pi/2")
ceil = _unary("ceil", f"the smallest integer not below x; {_FLAT}")
cos = _unary("cos", "the cosine of x radians")
cosh = _unary("cosh", "the hyperbolic cosine `(e^x + e^-x) / 2`")
erf = _unary("erf", "the error function `2 / sqrt(pi) integral of e^-t^2 from 0 to x`")
exp = _unary("exp", "`e^x`")
expm1 = _unary("expm1", "`e^x - 1`, exact near 0")
floor = _unary("floor", f"the largest integer not above x; {_FLAT}")
isfinite = _unary("isfinite", f"1 where x is neither infinite nor NaN, else 0; {_FLAT}")
isinf = _unary("isinf", f"1 where x is infinite, else 0; {_FLAT}")
isnan = _unary("isnan", f"1 where x is NaN, else 0; {_FLAT}")
log = _unary("log", "the natural logarithm of x")
log10 = _unary("log10", "the logarithm of x to the base 10")
log1p = _unary("log1p", "`log(1 + x)`, exact near 0")
log2 = _unary("log2", "the logarithm of x to the base 2")
logical_not = _unary("logical_not", f"1 where x is 0, else 0; {_FLAT}")
negative = _unary("negative", "`-x`")
reciprocal = _unary("reciprocal", "`1 / x`")
nearest = _unary("round", f"the nearest integer, of two equally near ones the even one; {_FLAT}")
rsqrt = _unary("rsqrt", "`1 / sqrt(x)`")
sign = _unary("sign", f"1 where x is positive, -1 where it is negative, else x; {_FLAT}")
sin = _unary("sin", "the sine of x radians")
sinh = _unary("sinh", "the hyperbolic sine `(e^x - e^-x) / 2`")
sqrt = _unary("sqrt", "the square root of x")
square = _unary("square", "`x^2`")
stop_gradient = _unary("stop_gradient", f"x; {_FLAT}")
tan = _unary("tan", "the tangent of x radians")
