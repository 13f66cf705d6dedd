"""Checks of single arguments, shared by layers, optimizers and models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from fastgd.utils.errors import invalid, mistyped

FLOAT_TYPES = ("float32", "float64")
INTEGER_TYPES = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def check_int(name: str, value: object, minimum: int) -> int:
    """Return `value` as an int of at least `minimum`; NumPy integers pass, booleans and floats do not."""
    # What it mostly is: asking an abstract class takes longer.
    if type(value) is int and value >= minimum:
        return value
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise mistyped(f"`{name}` must be an integer.", **{name: value})
    if value < minimum:
        raise invalid(f"`{name}` must be {minimum} or more.", **{name: value})
    return int(value)


def check_real(name: str, value: object, low: float = -math.inf, high: float = math.inf) -> float:
    """Return `value` as a finite float from `low` to `high`, both included."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise mistyped(f"`{name}` must be a number.", **{name: value})
    number = float(value)
    if not math.isfinite(number):
        raise invalid(f"`{name}` must be finite.", **{name: value})
    if not low <= number <= high:
        bounds = f"between {low:g} and {high:g}" if high < math.inf else f"{low:g} or more"
        raise invalid(f"`{name}` must be {bounds}.", **{name: value})
    return number


def check_above_zero(name: str, value: object) -> float:
    """Return `value` as a finite float above 0."""
    number = check_real(name, value)
    if number <= 0:
        raise invalid(f"`{name}` must be above 0.", **{name: value})
    return number


def check_share(name: str, value: object) -> float:
    """Return `value` as a float from 0 to below 1: the share that a running mean keeps, which at 1 would never move."""
    share = check_real(name, value, 0.0)
    if share >= 1.0:
        raise invalid(f"`{name}` must be below 1.", **{name: value})
    return share


def check_seed(name: str, value: object) -> int | None:
    """Return `value` as a 64-bit unsigned seed, or None for None."""
    if value is None:
        return None
    seed = check_int(name, value, 0)
    if seed >= 2**64:
        raise invalid(f"`{name}` must be below 2**64.", **{name: value})
    return seed


def check_dtype(name: str, value: object) -> str:
    """Return the name of a floating dtype given as a string, a NumPy dtype or a NumPy type."""
    text = _dtype_name(value)
    if text not in FLOAT_TYPES:
        raise invalid(f"`{name}` must be one of {', '.join(FLOAT_TYPES)}.", **{name: value})
    return str(text)


def is_integer_dtype(value: object) -> bool:
    """Return whether a string, a NumPy dtype or a NumPy type names an integer dtype."""
    return _dtype_name(value) in INTEGER_TYPES


def _dtype_name(value: object) -> object:
    return value if isinstance(value, str) else getattr(value, "name", getattr(value, "__name__", str(value)))


def check_bool(name: str, value: object) -> bool:
    """Return `value` if it is a boolean."""
    if not isinstance(value, bool):
        raise mistyped(f"`{name}` must be True or False.", **{name: value})
    return value


def check_last_axis(axis: object) -> int:
    """Return `axis` if it is -1: losses and metrics work along the last axis.

    Raises:
        TypeError: if it is no integer.
        ValueError: if it is any other axis.
    """
    if check_int("axis", axis, -(2**31)) != -1:
        raise invalid("`axis` must be -1, the last axis; bring the axis of the classes or vectors there.", axis=axis)
    return -1


def check_sample_shape(name: str, shape: Any) -> tuple[int, ...]:
    """Return the shape of one sample as a tuple of fixed sizes.

    Raises:
        TypeError: if it is no sequence of integers.
        ValueError: if a size is not known or negative.
    """
    if isinstance(shape, (str, bytes)) or not isinstance(shape, Sequence):
        raise mistyped(f"`{name}` must be a tuple of integers, without the batch.", **{name: shape})
    if any(size is None for size in shape):
        raise invalid(f"`{name}` must hold fixed sizes; only the batch, which it leaves out, is free.", **{name: shape})
    return tuple(check_int(name, size, 0) for size in shape)
