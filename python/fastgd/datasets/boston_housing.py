"""House prices of Boston's districts in the 1970s, read from Keras' file."""

from __future__ import annotations

import os

from fastgd.datasets.housing import Part, load


def load_data(
    path: str | os.PathLike[str] | None = "boston_housing.npz", test_split: float = 0.2, seed: int = 113
) -> tuple[Part, Part]:
    """Load 506 districts with 13 numbers each, and the median price of their houses in thousands of dollars.

    One of the numbers was made of the share of Black inhabitants; the set is known for that, and here for old scripts.

    Args:
        path: the file boston_housing.npz or its folder; else it is looked for in the folder that FASTGD_DATA names.
        test_split: the share of the rows to test with, from 0 to below 1.
        seed: that of the order.

    Returns:
        `(x_train, y_train), (x_test, y_test)` of shapes (n, 13) and (n,).

    Raises:
        FileNotFoundError: the file is nowhere; the message says where to put it.
        ValueError: it is damaged, or `test_split` is out of range.
    """
    return load(path, "boston_housing.npz", test_split, seed)
