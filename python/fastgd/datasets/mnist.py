"""MNIST, and every data set in its form, read from a folder of IDX files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastgd.datasets import idx

# Where only the 10,000 images of the test part are present, this many of them train.
TRAIN_ROWS_OF_TEST_PART = 8000

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


def load_data(
    path: str | os.PathLike[str] | None = None,
) -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    """Load MNIST, or a set in its form such as Fashion-MNIST, from a folder of IDX files.

    The folder holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
    `t10k-labels-idx1-ubyte`, each with or without `.gz`. If it holds only the t10k part, that part is split in file
    order: the first four fifths (8,000 of 10,000 images) train, the rest (2,000) test.

    Args:
        path: the folder. If not given, the folder `mnist` in the one that the environment variable FASTGD_DATA names.

    Returns:
        `(x_train, y_train), (x_test, y_test)` with uint8 images of shape (n, 28, 28) and int64 labels of shape (n,).

    Raises:
        FileNotFoundError: the folder or one of the files is missing.
        ValueError: neither `path` nor FASTGD_DATA is given, or a file is damaged or does not match the other.
    """
    folder = _folder(path)
    test = _read_part(folder, "t10k")
    if any(folder.glob("train-*")):
        return _read_part(folder, "train"), test
    images, labels = test
    cut = len(images) * TRAIN_ROWS_OF_TEST_PART // 10000
    return (images[:cut], labels[:cut]), (images[cut:], labels[cut:])


def _folder(path: str | os.PathLike[str] | None) -> Path:
    if path is None:
        root = os.environ.get("FASTGD_DATA")
        if not root:
            raise ValueError(
                "`path` must name a folder of IDX files, or the environment variable FASTGD_DATA the folder that holds "
                "`mnist`. Received: path=None"
            )
        path = Path(root) / "mnist"
    folder = Path(path)
    if not folder.is_dir():
        raise FileNotFoundError(f"`path` must name a folder of IDX files. Received: {folder}")
    return folder


def _read_part(folder: Path, part: str) -> tuple[Images, Labels]:
    images = _read(folder, f"{part}-images-idx3-ubyte", axes=3)
    labels = _read(folder, f"{part}-labels-idx1-ubyte", axes=1)
    if len(images) != len(labels):
        raise ValueError(f"{folder}: the {part} part has {len(images)} images, but {len(labels)} labels")
    return images, labels.astype(np.int64)


def _read(folder: Path, name: str, axes: int) -> NDArray[np.uint8]:
    # Some archives write a dot before "idx".
    names = (name, name + ".gz", name.replace("-idx", ".idx"), name.replace("-idx", ".idx") + ".gz")
    for candidate in names:
        path = folder / candidate
        if path.is_file():
            array = idx.read(path)
            if array.ndim != axes or array.dtype != np.uint8:
                raise ValueError(f"{path}: expected {axes} axes of uint8. Received: {array.ndim} axes of {array.dtype}")
            return array
    raise FileNotFoundError(f"{folder}: no file {name} or {name}.gz")
