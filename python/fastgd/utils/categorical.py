"""One-hot encoding of integer labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import config
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid


def to_categorical(x: npt.ArrayLike, num_classes: int | None = None) -> npt.NDArray[Any]:
    """Return labels as one-hot rows: `y[..., k] = 1 if x[...] == k else 0`.

    Args:
        x: labels from 0 to `num_classes - 1`, of any shape (...); a last axis of size one is dropped.
        num_classes: the number of classes; the largest label plus one if None.

    Returns:
        Array of shape (..., num_classes) in `config.floatx()`.

    Raises:
        ValueError: if a label is negative, not integral or not below `num_classes`.

    Example:
        >>> to_categorical([0, 2], num_classes=3)
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    given = np.asarray(x)
    if given.dtype.kind not in "biuf":
        raise invalid("`x` must hold integers.", x=x)
    labels = given.astype(np.int64)
    if not np.array_equal(labels, given):
        raise invalid("`x` must hold integers.", x=x)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    highest = int(labels.max(initial=-1))
    classes = highest + 1 if num_classes is None else check_int("num_classes", num_classes, 1)
    if labels.min(initial=0) < 0 or highest >= classes:
        bad = labels[(labels < 0) | (labels >= classes)].flat[0]
        raise invalid(f"`x` must hold labels from 0 to {classes - 1}; {bad} is not.", num_classes=num_classes)
    one_hot = np.zeros((*labels.shape, classes), dtype=config.floatx())
    np.put_along_axis(one_hot, labels[..., None], 1, axis=-1)
    return one_hot
