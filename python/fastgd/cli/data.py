"""The data of `fastgd train`: read, checked, split, scaled."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgd.datasets import digits, mnist
from fastgd.datasets.split import shuffled_holdout, stratified_holdout

# Of a file without test arrays, one row in this many is held out.
HOLDOUT = 5

# One line a paragraph: the help is wrapped to the terminal's width.
DATA_HELP = "\n\n".join(
    (
        "A .npz file holds x_train, y_train, x_test and y_test, or x and y, of which a fifth is then held out for the "
        "test, shuffled by the seed. Whole-number targets are classes, others numbers to be predicted.",
        "A folder of IDX files is MNIST or a set in its form. If it has only the t10k files, the first four fifths "
        "train.",
        "Inputs of 8 bits are divided by their largest value; all others get mean 0 and deviation 1 in each column, "
        "and so do the targets of a regression, all measured on the training data.",
        "A CSV file needs `--target`, the column to predict from the others, and the extra `tabular`. Its options and "
        "defaults are partly other ones: several networks stop by themselves and are averaged and compared.",
    )
)


Array = NDArray[Any]


@dataclass(frozen=True)
class Problem:
    """A data set ready to train on.

    Attributes:
        name: what to call it.
        x_train, x_test: scaled inputs, shape (n, ...).
        y_train, y_test: class numbers of shape (n,), or scaled numbers of shape (n, outputs).
        classes: how many classes there are, or None for a regression.
    """

    name: str
    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    classes: int | None

    @property
    def outputs(self) -> int:
        """The units of the last layer."""
        return int(self.y_train.shape[1]) if self.classes is None else self.classes


def load(data: str, seed: int, dtype: str) -> Problem:
    """Load `digits`, a .npz file or a folder of IDX files, with floating arrays of `dtype`.

    Raises:
        ValueError: the data cannot be used; the message says why.
        OSError: a file cannot be read.
    """
    if dtype not in ("float32", "float64"):
        raise ValueError(f"--dtype must be float32 or float64. Received: {dtype}")
    path = Path(data)
    if data == "digits":
        (x_train, y_train), (x_test, y_test) = digits.load_data()
    elif path.is_dir():
        (x_train, y_train), (x_test, y_test) = mnist.load_data(path)
    elif path.suffix == ".npz":
        x_train, y_train, x_test, y_test = _read_npz(path, seed)
    else:
        problem = "such a file is not understood" if path.exists() else "there is no such file or folder"
        raise ValueError(f"{data}: {problem}. Give `digits`, a .npz file, a folder of IDX files or a CSV file")
    for name, array in (("x_train", x_train), ("y_train", y_train), ("x_test", x_test), ("y_test", y_test)):
        _check(data, name, array)
    for part, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        if len(x) != len(y):
            raise ValueError(f"{data}: x_{part} has {len(x)} rows, but y_{part} has {len(y)}")
    if x_train.shape[1:] != x_test.shape[1:]:
        raise ValueError(f"{data}: x_train has shape {x_train.shape}, but x_test {x_test.shape}: only rows may differ")
    x_train, x_test = _scale(x_train, x_test, dtype)
    if y_train.dtype.kind in "iub":
        y_train, y_test, classes = _number_classes(data, y_train, y_test)
        return Problem(data, x_train, y_train, x_test, y_test, classes)
    y_train, y_test = (y.reshape(len(y), -1) for y in (y_train, y_test))
    if y_train.shape[1] != y_test.shape[1]:
        raise ValueError(f"{data}: y_train has {y_train.shape[1]} columns, but y_test {y_test.shape[1]}")
    y_train, y_test = _scale(y_train, y_test, dtype)
    return Problem(data, x_train, y_train, x_test, y_test, None)


def _read_npz(path: Path, seed: int) -> tuple[Array, Array, Array, Array]:
    try:
        # Opened here, because np.load leaves a damaged file open.
        with path.open("rb") as raw:
            if not zipfile.is_zipfile(raw):
                raise ValueError("damaged or no .npz file")
            with np.load(raw, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path}: {error}") from error
    four = ("x_train", "y_train", "x_test", "y_test")
    if all(name in arrays for name in four):
        x_train, y_train, x_test, y_test = (arrays[name] for name in four)
        return x_train, y_train, x_test, y_test
    if "x" not in arrays or "y" not in arrays:
        found = ", ".join(sorted(arrays)) or "none"
        raise ValueError(f"{path}: needs the arrays {', '.join(four)}, or x and y. Received: {found}")
    x, y = arrays["x"], arrays["y"]
    for name, array in (("x", x), ("y", y)):
        _check(str(path), name, array)
    if len(x) != len(y):
        raise ValueError(f"{path}: x has {len(x)} rows, but y has {len(y)}")
    if len(x) < HOLDOUT:
        raise ValueError(f"{path}: needs at least {HOLDOUT} rows to hold some out. Received: {len(x)}")
    held = len(x) // HOLDOUT
    is_labels = y.dtype.kind in "iub" and y.size == len(y)
    train, test = stratified_holdout(y.ravel(), held, seed) if is_labels else shuffled_holdout(len(x), held, seed)
    return x[train], y[train], x[test], y[test]


def _check(data: str, name: str, array: Array) -> None:
    if array.dtype.kind not in "iubf":
        raise ValueError(f"{data}: {name} must hold numbers. Received: dtype {array.dtype}")
    if array.ndim == 0 or array.size == 0 or (name.startswith("x") and array.ndim < 2):
        raise ValueError(f"{data}: {name} must hold rows, each with at least one value. Received: shape {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{data}: {name} holds a value that is not finite (NaN or infinite)")


def _scale(train: Array, test: Array, dtype: str) -> tuple[Array, Array]:
    if train.dtype.kind in "ub" and train.dtype.itemsize == 1:
        shift, scale = np.zeros(()), np.asarray(float(max(int(train.max()), 1)))
    else:
        shift = np.asarray(train.mean(axis=0, dtype=np.float64))
        scale = np.asarray(train.std(axis=0, dtype=np.float64))
        # A column that never changes says nothing; it becomes zero instead of a division by zero.
        scale = np.where(scale > 0, scale, 1.0)
    scaled_train, scaled_test = (((part - shift) / scale).astype(dtype) for part in (train, test))
    return scaled_train, scaled_test


def _number_classes(data: str, train: Array, test: Array) -> tuple[Array, Array, int]:
    if train.size != len(train) or test.size != len(test):
        raise ValueError(f"{data}: whole-number targets are classes, one a row. Received: y_train {train.shape}")
    labels, numbers = np.unique(train.ravel(), return_inverse=True)
    if len(labels) < 2:
        raise ValueError(f"{data}: needs at least two classes. Received: only {labels[0]}")
    strangers = np.setdiff1d(test, labels)
    if strangers.size:
        raise ValueError(f"{data}: y_test holds the class {strangers[0]}, which y_train has not")
    return numbers.reshape(-1), np.searchsorted(labels, test.ravel()), len(labels)
