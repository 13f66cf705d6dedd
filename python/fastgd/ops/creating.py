"""Arrays made of sizes and numbers, which are constants beside tensors, and conversions between arrays and tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import config
from fastgd.ops.builder import Placeholder, Tensor
from fastgd.ops.parameters import Variable
from fastgd.ops.recording import RecordedTensor
from fastgd.utils.errors import mistyped

Array = npt.NDArray[Any]
Shape = int | Sequence[int]

INTEGER = "int32"


def zeros(shape: Shape, dtype: Any = None) -> Array:
    """Return an array of zeros.

    Args:
        shape: its shape.
        dtype: its dtype; `config.floatx()` if None.
    """
    return full(shape, 0, dtype)


def ones(shape: Shape, dtype: Any = None) -> Array:
    """Return an array of ones; the arguments are those of `zeros`."""
    return full(shape, 1, dtype)


def full(shape: Shape, fill_value: npt.ArrayLike, dtype: Any = None) -> Array:
    """Return an array of a number, or of an array that fits; the other arguments are those of `zeros`."""
    return np.full(shape, fill_value, dtype or config.floatx())


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Array:
    """Return a matrix with ones on a diagonal, and zeros beside it.

    Args:
        N: its rows.
        M: its columns; as many as rows if None.
        k: which diagonal: 0 the main one, 1 the next above.
        dtype: as in `zeros`.
    """
    return np.eye(N, M, k, dtype or config.floatx())


def identity(n: int, dtype: Any = None) -> Array:
    """Return the unit matrix (n, n); `dtype` is that of `zeros`."""
    return eye(n, dtype=dtype)


def arange(start: float, stop: float | None = None, step: float = 1, dtype: Any = None) -> Array:
    """Return the numbers from `start` to below `stop`, or from 0 to below `start` without it.

    Args:
        start: the first number.
        stop: the number before which they end.
        step: how far apart they are.
        dtype: that of the array; int32 if None and all three are integers, else `config.floatx()`.
    """
    given = (start, step) if stop is None else (start, stop, step)
    whole = all(isinstance(value, (int, np.integer)) for value in given)
    first, end = (0, start) if stop is None else (start, stop)
    return np.arange(first, end, step, dtype=dtype or (INTEGER if whole else config.floatx()))


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Array:
    """Return numbers at equal distances.

    Args:
        start: the first number, or an array of them.
        stop: the last one.
        num: how many.
        endpoint: whether `stop` is among them.
        dtype: as in `zeros`.
        axis: the axis of the result that holds them, where they begin at an array.
    """
    return np.linspace(start, stop, num, endpoint, dtype=dtype or config.floatx(), axis=axis)


def array(x: Any, dtype: Any = None) -> Any:
    """Return what `convert_to_tensor` does."""
    return convert_to_tensor(x, dtype)


def convert_to_tensor(x: Any, dtype: Any = None) -> Any:
    """Return numbers, lists and variables as an array, and tensors and placeholders as they are.

    Args:
        x: what to convert.
        dtype: that of the array. If None, arrays keep theirs, whole numbers become int32, booleans stay, and others
            become `config.floatx()`. Tensors have the type of their model.

    Raises:
        TypeError: if x holds no numbers.
    """
    if isinstance(x, (Tensor, Placeholder, RecordedTensor)):
        return x
    made = convert_to_numpy(x)
    if made.dtype.kind not in "biuf":
        raise mistyped("`x` must hold numbers.", dtype=str(made.dtype))
    if dtype is None and not isinstance(x, (np.ndarray, np.generic, Variable)):
        dtype = {"f": config.floatx(), "i": INTEGER}.get(made.dtype.kind)
    return made if dtype is None else made.astype(dtype)


def convert_to_numpy(x: Any) -> Array:
    """Return numbers, lists, variables and tensors of a tape as an array."""
    return np.asarray(x.numpy() if isinstance(x, Variable) else x)


def is_tensor(x: Any) -> bool:
    """Return whether x is an array, a tensor or a variable."""
    return isinstance(x, (np.ndarray, np.generic, Tensor, Placeholder, RecordedTensor, Variable))
