"""Normalising rows, as scripts do before they train."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def normalize(x: npt.ArrayLike, axis: int = -1, order: int = 2) -> npt.NDArray[Any]:
    """Return x divided by its norm along an axis; where the norm is 0, x as it is.

    Args:
        x: array of any shape.
        axis: the axis.
        order: which norm, as in `numpy.linalg.norm`.

    Returns:
        Array of the same shape.

    Example:
        >>> normalize([[3.0, 4.0]])
        array([[0.6, 0.8]])
    """
    given = np.asarray(x)
    norm = np.linalg.norm(given, order, axis, keepdims=True)
    normalized: npt.NDArray[Any] = given / np.where(norm == 0, 1, norm)
    return normalized
