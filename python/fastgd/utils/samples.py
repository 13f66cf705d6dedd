"""What scripts do with their data before and between calls: normalising rows, and tuples of x, y and weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.utils.errors import invalid


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


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return what a stream gives for a batch: x alone if it is no structure, else (x,), (x, y) or all three."""
    if y is None:
        return (x,) if isinstance(x, (list, tuple, dict)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return x, y and the sample weights of what `pack_x_y_sample_weight` made, None for what is not there.

    Raises:
        ValueError: for more than three parts.
    """
    parts = tuple(data) if isinstance(data, (list, tuple)) else (data,)
    if not 1 <= len(parts) <= 3:
        raise invalid("`data` must be x, (x,), (x, y) or (x, y, sample_weight).", data=data)
    x, y, weight = (*parts, None, None)[:3]
    return x, y, weight
