"""Splitting arrays into two parts: `split_dataset`."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from fastgd.utils.checks import check_bool, check_int, check_real, check_seed
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.seeds import draw_seed
from fastgd.utils.structure import change, flatten


def split_dataset(
    dataset: Any,
    left_size: float | int | None = None,
    right_size: float | int | None = None,
    shuffle: bool = False,
    seed: int | None = None,
) -> tuple[Any, Any]:
    """Return the first and the last rows of arrays, such as those to train on and those to test with.

    Args:
        dataset: an array, or a list, tuple or dict of arrays with equal numbers of rows.
        left_size: how many rows the left part has, an integer; or its share, a float from 0 to 1; what the right part
            leaves if None.
        right_size: the same of the right part. If both leave some rows out, these lie between the parts.
        shuffle: whether to shuffle the rows before.
        seed: that of the order.

    Returns:
        The left and the right part, each in the structure of `dataset`. They are arrays, which `fit` takes; Keras
        returns data sets of TensorFlow or PyTorch.

    Raises:
        TypeError: if something is no array.
        ValueError: if no size is given, a part is empty, or the sizes exceed the rows.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = split_dataset((x, y), left_size=0.8, shuffle=True, seed=1)
    """
    single = not isinstance(dataset, (list, tuple, dict)) or not all(
        hasattr(part, "shape") for part in flatten(dataset)
    )
    arrays = np.asarray(dataset) if single else change(dataset, np.asarray)
    lengths = {len(array) if array.ndim else 0 for array in flatten(arrays)}
    if len(lengths) != 1 or lengths == {0}:
        raise mistyped("`dataset` must hold arrays with equal numbers of rows, at least one.", rows=sorted(lengths))
    rows = lengths.pop()
    if left_size is None and right_size is None:
        raise invalid("`left_size` or `right_size` must be given.", left_size=None, right_size=None)
    sizes = {"left_size": left_size, "right_size": right_size}
    counts = {name: _count(name, size, rows) for name, size in sizes.items() if size is not None}
    left = counts.get("left_size", rows - counts.get("right_size", 0))
    right = counts.get("right_size", rows - left)
    if left + right > rows or not left or not right:
        raise invalid(
            f"Both parts must have rows, together at most {rows}.", left_size=left_size, right_size=right_size
        )
    order = np.arange(rows)
    check_seed("seed", seed)
    if check_bool("shuffle", shuffle):
        order = np.random.default_rng(draw_seed() if seed is None else seed).permutation(rows)

    def part(places: Any) -> Any:
        return change(arrays, lambda array: array[places])

    return part(order[:left]), part(order[rows - right :])


def _count(name: str, size: Any, rows: int) -> int:
    """Return a size in rows."""
    if isinstance(size, Integral):
        return check_int(name, size, 0)
    return round(check_real(name, size, 0.0, 1.0) * rows)
