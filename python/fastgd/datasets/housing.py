"""What the housing data sets share: a table of numbers and a price for each row, shuffled and split as Keras does."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgd.datasets.pickles import read_npz
from fastgd.datasets.places import KERAS_FILES, find
from fastgd.datasets.split import shuffled_orders

Part = tuple[NDArray[Any], NDArray[Any]]


def load(
    path: str | os.PathLike[str] | None, name: str, test_split: float, seed: int, rows: int | None = None
) -> tuple[Part, Part]:
    """Return the parts of the first `rows` rows of a file, all if None.

    Args:
        path: the file or its folder, or None.
        name: what the file is called.
        test_split: the share of the rows to test with.
        seed: that of the order.
        rows: how many rows are taken.

    Raises:
        FileNotFoundError: the file is nowhere; the message says where to put it.
        ValueError: it is damaged, or `test_split` is not from 0 to below 1.
    """
    if not 0 <= test_split < 1:
        raise ValueError(f"`test_split` must be 0 or more and below 1. Received: test_split={test_split!r}")
    place = find(path, [name], KERAS_FILES + name)
    arrays = read_npz(place)
    x, y = np.asarray(arrays.get("x")), np.asarray(arrays.get("y"))
    if x.ndim != 2 or y.shape != x.shape[:1] or "O" in (x.dtype.kind, y.dtype.kind):
        raise ValueError(f"{place}: there must be a table `x` and one number `y` for each of its rows")
    x, y = x[:rows], y[:rows]
    (order,) = shuffled_orders(seed, len(x))
    cut = int(len(x) * (1 - test_split))
    return (x[order[:cut]], y[order[:cut]]), (x[order[cut:]], y[order[cut:]])
