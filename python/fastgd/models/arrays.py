"""Data from users: anything array-like becomes an array that an executor takes, or a clear error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import runtime
from fastgd.models.frames import read_frame
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.targets import check_each

Array = npt.NDArray[Any]

# What nearly all data come in, and executors read without conversion.
_AS_THEY_ARE = frozenset(np.dtype(name) for name in ("float16", "float32", "float64", "int32", "int64", "uint8"))


def as_array(value: Any, name: str) -> Array:
    """Return `value` as an array that executors take as it is, converted only if it must be.

    float16, float32, float64, integers and booleans of any strides stay as they are: executors convert row by row, so
    that images of bytes never grow. Lists, data frames, long double, other byte orders and unaligned arrays are
    converted once.

    Args:
        value: an array, a list, a data frame or column of pandas, Polars or Arrow, or an object with `__array__`.
        name: what messages call it.

    Raises:
        TypeError: if it holds something else than real numbers.
        ValueError: if it has no rows, rows of different lengths, or masked entries.
    """
    if type(value) is np.ndarray and _is_usable(value):
        return value
    if value is None:
        raise invalid(f"`{name}` must be given.", **{name: value})
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise invalid(f"`{name}` must have no masked entries; fill them first.", **{name: type(value).__name__})
    frame = None if isinstance(value, (np.ndarray, list)) else read_frame(value, name)
    array = _convert(value, name) if frame is None else frame
    if _is_usable(array):
        return array
    if array.dtype.kind not in "biuf":
        raise mistyped(f"`{name}` must hold real numbers.", **{f"{name}.dtype": str(array.dtype)})
    if array.ndim == 0:
        raise mistyped(f"`{name}` must be an array with one row per sample.", **{name: type(value).__name__})
    if len(array) == 0:
        raise invalid(f"`{name}` must have at least one row.", **{f"{name}.shape": array.shape})
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        return array.astype(np.float64)
    if not array.dtype.isnative or not array.flags.aligned:
        return array.astype(array.dtype.newbyteorder("="), copy=True)
    return array


def _is_usable(array: Array) -> bool:
    return array.dtype in _AS_THEY_ARE and array.ndim > 0 and len(array) > 0 and array.flags.aligned


def check_finite(array: Array, name: str) -> None:
    """Raise a ValueError that names the first element which is NaN or infinite, if there is one."""
    if array.dtype.kind != "f":
        return
    if not runtime.all_finite(array):
        check_each(array, np.isfinite(array), name, "finite numbers")


def fit_shape(array: Array, shape: Sequence[int], name: str, owner: str) -> Array:
    """Return `array`, with a last axis of size one added or dropped where it helps, if its rows have this shape.

    Args:
        array: one row per sample.
        shape: what each row must be.
        name: what messages call the array.
        owner: what the shape belongs to, for messages.

    Raises:
        ValueError: if the rows have another shape.
    """
    expected = tuple(shape)
    if array.shape[1:] == expected:
        return array
    if array.shape[1:] == (*expected, 1):
        return array[..., 0]
    if (*array.shape[1:], 1) == expected:
        return array[..., None]
    wanted = ", ".join(["n", *map(str, expected)]) + ("," if not expected else "")
    raise invalid(f"`{name}` must have the shape ({wanted}) of {owner}.", **{f"{name}.shape": array.shape})


def _convert(value: Any, name: str) -> Array:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise invalid(
            f"`{name}` must be an array of numbers with rows of one shape ({error}).", **{name: type(value).__name__}
        ) from error
    if array.dtype.kind != "O" or array.ndim == 0:
        return array
    # Data frames with columns of several types arrive as objects; an array of objects is a mistake of its maker.
    if not isinstance(value, np.ndarray):
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise mistyped(f"`{name}` must hold real numbers ({error}).", **{f"{name}.dtype": "object"}) from error
    raise mistyped(f"`{name}` must hold real numbers; convert it with astype.", **{f"{name}.dtype": "object"})
