"""House prices of California's districts in 1990, read from Keras' file."""

from __future__ import annotations

import os

from fastgd.datasets.housing import Part, load

VERSIONS = {"large": None, "small": 600}


def load_data(
    version: str = "large",
    path: str | os.PathLike[str] | None = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> tuple[Part, Part]:
    """Load 20,640 districts with 8 numbers each, and the median price of their houses in dollars.

    Args:
        version: "large", or "small" for the first 600 districts.
        path: the file california_housing.npz or its folder; else it is looked for in the folder that FASTGD_DATA names.
        test_split: the share of the rows to test with, from 0 to below 1.
        seed: that of the order.

    Returns:
        `(x_train, y_train), (x_test, y_test)` of shapes (n, 8) and (n,).

    Raises:
        FileNotFoundError: the file is nowhere; the message says where to put it.
        ValueError: it is damaged, or `version` or `test_split` has another value.

    Source:
        R. K. Pace and R. Barry, Sparse Spatial Autoregressions, Statistics and Probability Letters 33 (1997).
    """
    if version not in VERSIONS:
        raise ValueError(f"`version` must be one of {', '.join(VERSIONS)}. Received: version={version!r}")
    return load(path, "california_housing.npz", test_split, seed, VERSIONS[version])
