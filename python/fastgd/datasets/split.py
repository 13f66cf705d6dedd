"""Held-out splits that are the same on every machine and with every NumPy version.

They draw from RandomState, NumPy's frozen generator: its streams never change, which those of `default_rng` may.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def shuffled_holdout(rows: int, held: int, seed: int = 0) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Shuffle `rows` row numbers and split off the last `held`.

    Args:
        rows: the number of rows.
        held: how many of them to hold out, from 0 to `rows`.
        seed: the seed of the shuffle.

    Returns:
        The kept and the held row numbers, both in shuffled order.

    Raises:
        ValueError: `held` is negative or larger than `rows`.
    """
    if not 0 <= held <= rows:
        raise ValueError(f"`held` must lie between 0 and the number of rows, {rows}. Received: held={held}")
    order = np.random.RandomState(seed).permutation(rows)
    return order[: rows - held], order[rows - held :]


def shuffled_orders(seed: int, *rows: int) -> list[NDArray[np.intp]]:
    """Return the row numbers of several tables in shuffled order, drawn one after another as Keras' data sets are.

    Args:
        seed: the seed of the shuffles.
        *rows: how many rows each table has.
    """
    random = np.random.RandomState(seed)
    return [random.permutation(count) for count in rows]


def stratified_holdout(labels: NDArray[Any], held: int, seed: int = 0) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Split off `held` rows so that every class keeps its share to within one row.

    Each class gives the floor of its share; the largest remainders, the smaller class first, give the rest.

    Args:
        labels: one label per row, shape (n,).
        held: how many rows to hold out, from 0 to n.
        seed: the seed of the shuffle.

    Returns:
        The kept and the held row numbers, both in shuffled order.

    Raises:
        ValueError: `held` is negative or larger than the number of rows.
    """
    rows = len(labels)
    if not 0 <= held <= rows:
        raise ValueError(f"`held` must lie between 0 and the number of rows, {rows}. Received: held={held}")
    random = np.random.RandomState(seed)
    order = random.permutation(rows)
    classes, index, counts = np.unique(labels, return_inverse=True, return_counts=True)
    # Whole numbers throughout: rounding must not differ between machines.
    quota, remainder = np.divmod(counts * held, max(rows, 1))
    quota[np.argsort(-remainder, kind="stable")[: held - int(quota.sum())]] += 1
    is_held = np.zeros(rows, dtype=bool)
    for number in range(len(classes)):
        is_held[order[index[order] == number][: quota[number]]] = True
    # A second shuffle: in the first one the classes whose share was filled early would come first.
    order = random.permutation(rows)
    return order[~is_held[order]], order[is_held[order]]
