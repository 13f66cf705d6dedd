"""Functions of `fastgd.ops` and the arguments of their calls as what JSON can hold, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgd import ops
from fastgd.ops.activations import mish, thresholded_relu
from fastgd.utils.errors import mistyped, unknown

_PLAIN = (type(None), bool, int, float, str)
_KIND, _VALUE = "class_name", "config"


# Those of `fastgd.ops`, and what `fastgd.activations` has besides.
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(ops, name) for name in ops.__all__},
    "mish": mish,
    "thresholded_relu": thresholded_relu,
}


@dataclass(frozen=True)
class Place:
    """The place of an input among the arguments of a call, by its number."""

    number: int


def op_name(function: Any) -> str | None:
    """Return the name that a function has in `fastgd.ops`, None if it is none of them."""
    name = getattr(function, "__name__", "")
    if _FUNCTIONS.get(name) is function:
        return str(name)
    return next((name for name, known in _FUNCTIONS.items() if known is function), None)


def find_op(name: str) -> Callable[..., Any]:
    """Return the function of `fastgd.ops` called `name`.

    Raises:
        ValueError: if there is none.
    """
    if name not in _FUNCTIONS:
        raise unknown("function of fastgd.ops", _FUNCTIONS, function=name)
    return _FUNCTIONS[name]


def to_plain(value: Any) -> Any:
    """Return an argument as lists, dicts, strings and numbers.

    Raises:
        TypeError: for a variable or another object that has no such form.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, list):
        return [to_plain(part) for part in value]
    if isinstance(value, tuple):
        return _named("tuple", [to_plain(part) for part in value])
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return _named("array", {"dtype": str(value.dtype), "value": value.tolist(), "shape": list(value.shape)})
    if isinstance(value, Place):
        return _named("input", value.number)
    if isinstance(value, slice):
        return _named("slice", [to_plain(part) for part in (value.start, value.stop, value.step)])
    if value is Ellipsis:
        return _named("ellipsis", None)
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return str(np.dtype(value))
    name = op_name(value)
    if name is None:
        raise mistyped("A config holds numbers, arrays, names and functions of fastgd.ops.", argument=value)
    return _named("function", name)


def from_plain(value: Any) -> Any:
    """Return the argument that `to_plain` has turned into `value`."""
    if isinstance(value, list):
        return [from_plain(part) for part in value]
    if not isinstance(value, Mapping):
        return value
    makers: dict[str, Callable[[Any], Any]] = {
        "tuple": lambda parts: tuple(from_plain(part) for part in parts),
        "array": lambda array: np.array(array["value"], array["dtype"]).reshape(array["shape"]),
        "input": Place,
        "slice": lambda parts: slice(*parts),
        "ellipsis": lambda _: Ellipsis,
        "function": find_op,
    }
    kind = value.get(_KIND)
    if kind not in makers:
        raise unknown("kind of argument", makers, class_name=kind)
    return makers[str(kind)](value.get(_VALUE))


def _named(kind: str, value: Any) -> dict[str, Any]:
    return {_KIND: kind, _VALUE: value}
