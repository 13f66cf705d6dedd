"""MNIST from a folder: both parts, the t10k part alone, names, and files that do not fit each other."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from fastgd.datasets import mnist


def write_part(folder, part, rows, suffix="", labels=None):
    """Write `rows` small images whose pixels are their row number, and their labels."""
    count = rows if labels is None else labels
    images = (
        bytes([0, 0, 8, 3]) + struct.pack(">3I", rows, 2, 2) + bytes(r % 256 for r in range(rows) for _ in range(4))
    )
    targets = bytes([0, 0, 8, 1]) + struct.pack(">I", count) + bytes(r % 10 for r in range(count))
    for name, content in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", targets)):
        (folder / (name + suffix)).write_bytes(gzip.compress(content) if suffix == ".gz" else content)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_both_parts(tmp_path, suffix):
    write_part(tmp_path, "train", 30, suffix)
    write_part(tmp_path, "t10k", 20, suffix)
    (x_train, y_train), (x_test, y_test) = mnist.load_data(tmp_path)
    assert x_train.shape == (30, 2, 2) and x_test.shape == (20, 2, 2)
    assert x_train.dtype == np.uint8 and y_train.dtype == np.int64
    assert y_test.tolist() == [r % 10 for r in range(20)]


def test_test_part_alone_is_split_in_file_order(tmp_path):
    write_part(tmp_path, "t10k", 20)
    (x_train, y_train), (x_test, y_test) = mnist.load_data(tmp_path)
    assert x_train[:, 0, 0].tolist() == list(range(16))
    assert x_test[:, 0, 0].tolist() == list(range(16, 20))
    assert len(y_train) == 16 and len(y_test) == 4


def test_names_with_a_dot(tmp_path):
    write_part(tmp_path, "t10k", 10)
    for path in list(tmp_path.iterdir()):
        path.rename(path.with_name(path.name.replace("-idx", ".idx")))
    assert len(mnist.load_data(tmp_path)[0][0]) == 8


def test_folder_from_the_environment(tmp_path, monkeypatch):
    (tmp_path / "mnist").mkdir()
    write_part(tmp_path / "mnist", "t10k", 10)
    monkeypatch.setenv("FASTGD_DATA", str(tmp_path))
    assert len(mnist.load_data()[1][0]) == 2


def test_no_folder_given(monkeypatch):
    monkeypatch.delenv("FASTGD_DATA", raising=False)
    with pytest.raises(ValueError, match="FASTGD_DATA .* Received: path=None"):
        mnist.load_data()


def test_missing_folder_and_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="must name a folder of IDX files"):
        mnist.load_data(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="no file t10k-images-idx3-ubyte"):
        mnist.load_data(tmp_path)
    write_part(tmp_path, "t10k", 10)
    (tmp_path / "train-images-idx3-ubyte").write_bytes((tmp_path / "t10k-images-idx3-ubyte").read_bytes())
    with pytest.raises(FileNotFoundError, match="no file train-labels-idx1-ubyte"):
        mnist.load_data(tmp_path)


def test_parts_that_do_not_fit(tmp_path):
    write_part(tmp_path, "t10k", 10, labels=9)
    with pytest.raises(ValueError, match="10 images, but 9 labels"):
        mnist.load_data(tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes((tmp_path / "t10k-labels-idx1-ubyte").read_bytes())
    with pytest.raises(ValueError, match="expected 3 axes of uint8. Received: 1 axes of uint8"):
        mnist.load_data(tmp_path)


def real_folder():
    """Return the folder of the real files, or None."""
    candidates = [os.environ.get("FASTGD_DATA"), Path(__file__).parents[3] / "shared" / "data"]
    folders = [Path(root) / "mnist" for root in candidates if root]
    return next((folder for folder in folders if folder.is_dir()), None)


@pytest.mark.skipif(
    real_folder() is None, reason="needs the MNIST files: set FASTGD_DATA to the folder that holds mnist/"
)
def test_real_files():
    (x_train, y_train), (x_test, y_test) = mnist.load_data(real_folder())
    assert x_train.shape[1:] == x_test.shape[1:] == (28, 28)
    assert (x_train.max(), set(y_test.tolist())) == (255, set(range(10)))
    assert len(x_train) in (8000, 60000) and len(x_train) == len(y_train)
