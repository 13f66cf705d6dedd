"""Sequences of different lengths as one array: `pad_sequences`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid, unknown

SIDES = ("pre", "post")


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> npt.NDArray[Any]:
    """Return sequences as one array, filled up and cut to one length.

    Args:
        sequences: n sequences of numbers, or of arrays (...) of one shape.
        maxlen: the length; that of the longest sequence if None.
        dtype: the dtype of the result; `object` for strings of any length.
        padding: whether `value` fills up before each sequence ("pre") or behind it ("post").
        truncating: whether what is too long is cut before ("pre") or behind ("post").
        value: what fills up.

    Returns:
        Array of shape (n, maxlen, ...).

    Raises:
        ValueError: if something is no sequence, the elements differ in shape, or an argument has another value.

    Example:
        >>> pad_sequences([[1], [2, 3], [4, 5, 6]])
        array([[0, 0, 1],
               [0, 2, 3],
               [4, 5, 6]], dtype=int32)
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in SIDES:
            raise unknown("side", SIDES, **{name: side})
    if not hasattr(sequences, "__len__") or not all(hasattr(row, "__len__") for row in sequences):
        raise invalid("`sequences` must hold sequences.", sequences=sequences)
    if isinstance(value, str) and np.dtype(dtype).kind not in "OSU":
        raise invalid("`dtype` must be object or a string type for strings.", dtype=dtype, value=value)
    length = max(map(len, sequences), default=0) if maxlen is None else check_int("maxlen", maxlen, 0)
    shape = next((np.asarray(row).shape[1:] for row in sequences if len(row)), ())
    padded = np.full((len(sequences), length, *shape), value, dtype=dtype)
    for place, row in enumerate(sequences):
        kept = np.asarray(row[max(len(row) - length, 0) :] if truncating == "pre" else row[:length], dtype=dtype)
        if len(row) and kept.shape[1:] != shape:
            raise invalid(
                f"`sequences` must have elements of the shape {shape}.", **{f"sequences[{place}]": kept.shape}
            )
        if len(kept):
            padded[place, -len(kept) if padding == "pre" else 0 :][: len(kept)] = kept
    return padded
