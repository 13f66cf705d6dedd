"""MNIST, and every data set in its form, read from a folder of IDX files or from Keras' file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastgd.datasets import idx
from fastgd.datasets.pickles import read_npz

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
        path: the folder, or the file mnist.npz that Keras downloads. If not given, the folder `mnist` or that file in
            the folder that the environment variable FASTGD_DATA names.

    Returns:
        `(x_train, y_train), (x_test, y_test)` with uint8 images of shape (n, 28, 28) and int64 labels of shape (n,).

    Raises:
        FileNotFoundError: the folder or one of the files is missing.
        ValueError: neither `path` nor FASTGD_DATA is given, or a file is damaged or does not match the other.
    """
    return load_set(path, ["mnist"], "mnist.npz")


def load_set(
    path: str | os.PathLike[str] | None, folders: Sequence[str], file: str | None = None
) -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    """Load a set in the form of MNIST; what `load_data` says holds for it.

    Args:
        path: the folder of IDX files, the .npz file, or None.
        folders: what the folder in that of FASTGD_DATA may be called.
        file: what the .npz file is called, None if the set has none.
    """
    place = _place(path, folders, file)
    if place.is_file():
        return _read_npz(place)
    if file is not None and (place / file).is_file():
        return _read_npz(place / file)
    test = _read_part(place, "t10k")
    if any(place.glob("train-*")):
        return _read_part(place, "train"), test
    images, labels = test
    cut = len(images) * TRAIN_ROWS_OF_TEST_PART // 10000
    return (images[:cut], labels[:cut]), (images[cut:], labels[cut:])


def _place(path: str | os.PathLike[str] | None, folders: Sequence[str], file: str | None) -> Path:
    root = os.environ.get("FASTGD_DATA")
    if path is None and not root:
        raise ValueError(
            "`path` must name a folder of IDX files, or the environment variable FASTGD_DATA the folder that holds "
            f"`{folders[0]}`. Received: path=None"
        )
    names = [*folders, *([file] if file else [])]
    candidates = [] if path is None else [Path(path)]
    # Keras' scripts may name the file alone.
    if root and (path is None or str(path) == file):
        candidates += [Path(root) / name for name in names]
    for candidate in candidates:
        if candidate.is_dir() or (file is not None and candidate.is_file()):
            return candidate
    wanted = f"must name a folder of IDX files{f' or the file {file}' if file else ''}"
    raise FileNotFoundError(
        f"`path` {wanted}; without it there must be one in the folder of FASTGD_DATA. fastgd downloads nothing. "
        f"Received: {', '.join(map(str, candidates))}"
    )


def _read_npz(path: Path) -> tuple[tuple[Images, Labels], tuple[Images, Labels]]:
    arrays = read_npz(path)
    parts = []
    for part in ("train", "test"):
        images, labels = (np.asarray(arrays.get(f"{letter}_{part}")) for letter in "xy")
        fits = images.ndim == 3 and labels.shape == images.shape[:1]
        if not fits or images.dtype != np.uint8 or labels.dtype.kind not in "iu":
            raise ValueError(f"{path}: `x_{part}` must hold grey images of bytes, and `y_{part}` a label for each")
        parts.append((images, labels.astype(np.int64)))
    return parts[0], parts[1]


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
