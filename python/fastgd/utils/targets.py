"""Bringing targets into the form that losses and metrics expect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.utils.errors import invalid, mistyped

Array = npt.NDArray[Any]


def align_ranks(y: Array, rank: int, predictions: Sequence[int]) -> Array:
    """Return targets with a last axis of size one dropped or added where that gives them `rank` axes.

    Args:
        y: the targets.
        rank: how many axes they should have.
        predictions: the shape of the predictions; an axis is added only if theirs ends in a size of one too.

    Returns:
        A view of y, or y itself where nothing fits.
    """
    if y.ndim == rank + 1 and y.shape[-1] == 1:
        return y[..., 0]
    if y.ndim == rank - 1 and predictions[-1] == 1:
        return y[..., None]
    return y


def as_labels(y: Array, classes: int, name: str, ignored: int | None = None) -> Array:
    """Return integer labels as int32, the type of the plan.

    Args:
        y: labels of any integer type or bool, or of a floating type with integral values.
        classes: how many classes there are.
        name: what messages call y.
        ignored: one more label that is allowed.

    Returns:
        int32 array of the same shape, y itself if it is one already.

    Raises:
        TypeError: if y is not numeric.
        ValueError: if a label is not integral, or not from 0 to `classes - 1`; the message names it and its place.
    """
    if y.dtype.kind == "i" and y.size and _all_between(y, 0, classes):
        return y.astype(np.int32, copy=False)
    return _as_int32(y, 0, classes, name, "integer labels", f"labels from 0 to {classes - 1}, one per class", ignored)


def as_integers(x: Array, limit: int | None, name: str) -> Array:
    """Return integers as int32, the type of the plan.

    Args:
        x: array of any integer type or bool, or of a floating type with integral values.
        limit: what they must stay below, from 0; None for anything that int32 holds.
        name: what messages call x.

    Returns:
        int32 array of the same shape, x itself if it is one already.

    Raises:
        TypeError: if x is not numeric.
        ValueError: if a value is not integral or out of range; the message names it and its place.
    """
    low, high = (-(2**31), 2**31) if limit is None else (0, limit)
    return _as_int32(x, low, high, name, "integers", f"integers from {low} to {high - 1}")


def _as_int32(x: Array, low: int, high: int, name: str, kind: str, ranged: str, allowed: int | None = None) -> Array:
    """Return whole numbers from `low` to below `high`, or equal to `allowed`, as int32.

    `kind` and `ranged` say in messages what they are.
    """
    if x.dtype.kind not in "biuf":
        raise mistyped(f"`{name}` must hold {kind}.", **{name: x.dtype})
    if x.dtype.kind == "f":
        check_each(x, x == np.floor(x), name, kind)
    if x.size and not _all_between(x, low, high):
        check_each(x, ((x >= low) & (x < high)) | (x == allowed), name, ranged)
    return x.astype(np.int32, copy=False)


def _all_between(x: Array, low: int, high: int) -> bool:
    """Return whether all elements are from `low` to below `high`."""
    if low == 0 and x.dtype.kind == "i":
        # Negative numbers read without a sign are above all others: one look instead of two.
        return bool(np.maximum.reduce(x.view(x.dtype.str.replace("i", "u")), axis=None) < high)
    return bool(x.min() >= low and x.max() < high)


def check_each(y: Array, good: npt.NDArray[np.bool_], name: str, expected: str) -> None:
    """Raise a ValueError that names the first element of y that is not `good`, and its place."""
    if not good.all():
        place = tuple(int(k) for k in np.argwhere(~good)[0])
        shown = ", ".join(map(str, place))
        raise invalid(f"`{name}` must hold {expected}.", **{f"{name}[{shown}]": y[place].item()})
