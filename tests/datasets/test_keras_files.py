"""The files that Keras downloads, written small: what is read, where they are looked for, and hostile ones."""

from __future__ import annotations

import io
import json
import os
import pickle
import tarfile
import zipfile
from typing import Any

import numpy as np
import pytest

from fastgd import datasets
from fastgd.datasets import pickles


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTGD_DATA", str(tmp_path))
    return tmp_path


def lists(rows: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    made = np.empty(rows, object)
    made[:] = [rng.integers(1, 40, rng.integers(1, 9)).tolist() for _ in range(rows)]
    return made


def write_word_lists(root):
    """Write imdb.npz, reuters.npz and the index of words; return the arrays."""
    arrays = {
        "x_train": lists(30, 1),
        "y_train": np.arange(30) % 2,
        "x_test": lists(20, 2),
        "y_test": np.arange(20) % 2,
    }
    np.savez(root / "imdb.npz", **arrays)
    np.savez(root / "reuters.npz", x=arrays["x_train"], y=np.arange(30))
    for name in ("imdb", "reuters"):
        (root / f"{name}_word_index.json").write_text(json.dumps({"the": 1, "film": 2}))
    return arrays


def write_cifar(root):
    """Write both sets of CIFAR as their makers do, with one image in each file; return the bytes of the images."""
    rng = np.random.default_rng(3)
    batches = {}
    for folder, names in (
        ("cifar-10-batches-py", [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]),
        ("cifar-100-python", ["train", "test"]),
    ):
        (root / folder).mkdir()
        for place, name in enumerate(names):
            data = rng.integers(0, 256, (2, 3072), dtype=np.uint8)
            batches[name] = data
            content = {b"data": data, b"labels": [place, 9], b"fine_labels": [place, 99], b"coarse_labels": [3, 4]}
            (root / folder / name).write_bytes(pickle.dumps(content, protocol=2))
    return batches


def test_word_lists(root):
    arrays = write_word_lists(root)
    (x_train, y_train), (x_test, _) = datasets.imdb.load_data()
    assert (x_train.dtype, x_train.shape, y_train.dtype) == (object, (30,), np.int64)
    assert x_train[0][0] == 1 and all(type(row) is list for row in x_test)
    order = np.random.RandomState(113).permutation(30)
    words = [word + 3 for word in arrays["x_train"][order[0]]]
    highest = max(word for row in (*x_train, *x_test) for word in row) + 1
    assert x_train[0] == [1, *(word if word < highest else 2 for word in words)]
    np.testing.assert_array_equal(y_train, arrays["y_train"][order])
    few = datasets.imdb.load_data(num_words=10, skip_top=5, oov_char=None, start_char=None, index_from=0)[0][0]
    assert {word for row in few for word in row} == {5, 6, 7, 8, 9}
    marked = datasets.imdb.load_data(num_words=10, skip_top=5, index_from=0)[0][0]
    assert {word for row in marked for word in row} == {2, 5, 6, 7, 8, 9}
    short, labels = datasets.imdb.load_data(path=root, maxlen=4)[1]
    assert max(map(len, short)) < 4 and len(short) == len(labels) < 20
    assert datasets.imdb.get_word_index() == {"the": 1, "film": 2}
    (news, topics), (others, _) = datasets.reuters.load_data(test_split=0.3)
    assert len(news) == len(topics) == 21 and len(others) == 9
    assert datasets.reuters.get_word_index(root / "reuters_word_index.json")["film"] == 2
    assert len(datasets.reuters.get_label_names()) == 46
    with pytest.raises(ValueError, match="`maxlen` leaves no list"):
        datasets.imdb.load_data(maxlen=1)


@pytest.mark.parametrize("packed", [False, True])
def test_cifar(root, packed):
    batches = write_cifar(root)
    if packed:
        for folder, archive in (("cifar-10-batches-py", "cifar-10-python"), ("cifar-100-python", "cifar-100-python")):
            with tarfile.open(root / f"{archive}.tar.gz", "w:gz") as made:
                made.add(root / folder, folder)
            (root / folder).rename(root / f"moved-{folder}")
    (x_train, y_train), (x_test, y_test) = datasets.cifar10.load_data()
    assert x_train.shape == (10, 32, 32, 3) and x_test.dtype == y_test.dtype == np.uint8
    assert y_train[:, 0].tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]
    np.testing.assert_array_equal(x_train[2, 5, 7], batches["data_batch_2"][0].reshape(3, 32, 32)[:, 5, 7])
    np.testing.assert_array_equal(x_test[1, 31, 0], batches["test_batch"][1].reshape(3, 32, 32)[:, 31, 0])
    (x_train, y_train), (_, y_test) = datasets.cifar100.load_data()
    assert x_train.shape == (2, 32, 32, 3) and y_test.tolist() == [[1], [99]]
    assert datasets.cifar100.load_data("coarse", path=root)[0][1].tolist() == [[3], [4]]
    with pytest.raises(ValueError, match="`label_mode` must be one of fine, coarse"):
        datasets.cifar100.load_data("rough")


def test_housing(root):
    x, y = np.arange(1400.0).reshape(700, 2), np.arange(700.0)
    for name in ("boston_housing.npz", "california_housing.npz"):
        np.savez(root / name, x=x, y=y)
    (x_train, y_train), (x_test, _) = datasets.boston_housing.load_data()
    assert x_train.shape == (560, 2) and len(x_test) == 140
    order = np.random.RandomState(113).permutation(700)
    np.testing.assert_array_equal(y_train, order[:560])
    np.testing.assert_array_equal(x_train[:, 0], 2 * y_train)
    assert len(datasets.california_housing.load_data("small", test_split=0.5)[0][1]) == 300
    assert len(datasets.california_housing.load_data(path=root / "california_housing.npz")[1][1]) == 140
    with pytest.raises(ValueError, match="`version` must be one of large, small"):
        datasets.california_housing.load_data("huge")
    with pytest.raises(ValueError, match="`test_split` must be 0 or more"):
        datasets.boston_housing.load_data(test_split=1.0)


def test_mnist_files(root):
    rng = np.random.default_rng(0)
    arrays = {
        f"{letter}_{part}": rng.integers(0, 10, (rows, 4, 4) if letter == "x" else rows, dtype=np.uint8)
        for part, rows in (("train", 6), ("test", 3))
        for letter in "xy"
    }
    np.savez(root / "mnist.npz", **arrays)
    for path in (None, "mnist.npz", root / "mnist.npz", root):
        (x_train, y_train), (x_test, _) = datasets.mnist.load_data(path)
        np.testing.assert_array_equal(x_train, arrays["x_train"])
        assert y_train.dtype == np.int64 and x_test.shape == (3, 4, 4)
    with pytest.raises(FileNotFoundError, match="fashion-mnist"):
        datasets.fashion_mnist.load_data()
    np.savez(root / "mnist.npz", **{**arrays, "y_test": np.zeros(4)})
    with pytest.raises(ValueError, match="`x_test` must hold grey images"):
        datasets.mnist.load_data()


@pytest.mark.parametrize(
    ("load", "file", "origin"),
    [
        (datasets.imdb.load_data, "imdb.npz", "tf-keras-datasets/imdb.npz"),
        (datasets.imdb.get_word_index, "imdb_word_index.json", "tf-keras-datasets/"),
        (datasets.reuters.load_data, "reuters.npz", "tf-keras-datasets/"),
        (datasets.cifar10.load_data, "cifar-10-batches-py", "kriz/cifar-10-python.tar.gz"),
        (datasets.cifar100.load_data, "cifar-100-python", "kriz/cifar-100-python.tar.gz"),
        (datasets.boston_housing.load_data, "boston_housing.npz", "tf-keras-datasets/"),
        (datasets.california_housing.load_data, "california_housing.npz", "tf-keras-datasets/"),
    ],
)
def test_a_missing_file_is_named(root, monkeypatch, load, file, origin):
    with pytest.raises(FileNotFoundError, match=f"downloads nothing: get {file} from .*{origin}.*FASTGD_DATA.*{root}"):
        load()
    with pytest.raises(FileNotFoundError, match=r"nowhere.*Received: path="):
        load(path="nowhere")
    monkeypatch.delenv("FASTGD_DATA")
    with pytest.raises(FileNotFoundError, match="get .*FASTGD_DATA"):
        load()


class Evil:
    """A pickle that would run a command."""

    def __reduce__(self) -> Any:
        return os.system, ("touch broken",)


def object_array(content: bytes) -> bytes:
    """Return a .npy file of one object, with that pickle behind its header."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    return stream.getvalue() + content


def npz(path, **members: bytes):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def test_hostile_pickles(root):
    for thing in (Evil(), [Evil()], {b"data": Evil()}, io.BytesIO, np.float64(3.0), np.array(["a"], "U1"), eval):
        with pytest.raises(ValueError, match="not a pickle of plain lists and arrays"):
            pickles.read_pickle(pickle.dumps(thing), "file")
    evil = npz(root / "imdb.npz", x_train=object_array(pickle.dumps(Evil())))
    with pytest.raises(ValueError, match=r"imdb.npz:x_train.npy: not a pickle.*system is not admitted"):
        datasets.imdb.load_data()
    assert not (root / "broken").exists() and evil.exists()
    for made in ([["a"]], [[1.5]], [[[1]]], [[True]], 3):
        array = np.empty(1, object)
        array[:] = made if isinstance(made, list) else [made]
        np.savez(root / "imdb.npz", x_train=array, y_train=np.zeros(1, int), x_test=array, y_test=np.zeros(1, int))
        with pytest.raises(ValueError, match="`x_train` must hold lists of integers"):
            datasets.imdb.load_data()
    array[:] = [[1]]
    np.savez(root / "imdb.npz", x_train=array, y_train=np.zeros(2, int))
    with pytest.raises(ValueError, match="one label for each of the 1 lists"):
        datasets.imdb.load_data()


def test_arrays_in_pickles_must_fit():
    good = pickles.read_pickle(pickle.dumps(np.arange(6, dtype=">i4").reshape(2, 3).copy(order="F")), "file")
    np.testing.assert_array_equal(good, np.arange(6).reshape(2, 3))
    assert good.dtype == np.int32
    content = pickle.dumps(np.zeros((2, 3), np.uint8), protocol=2)
    wrong = content.replace(b"K\x02K\x03\x86", b"K\x02K\x7f\x86")
    assert wrong != content
    with pytest.raises(ValueError, match=r"6 elements for the shape \(2, 127\)"):
        pickles.read_pickle(wrong, "file")


def test_damaged_files(root):
    write_word_lists(root)
    content = (root / "imdb.npz").read_bytes()
    for cut in (0, 10, 100, len(content) // 2, len(content) - 30):
        (root / "imdb.npz").write_bytes(content[:cut])
        with pytest.raises(ValueError, match="damaged"):
            datasets.imdb.load_data()
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**40,)})
    npz(root / "boston_housing.npz", x=header.getvalue(), y=b"nothing")
    with pytest.raises(ValueError, match=r"\(1099511627776,\) needs 8796093022208 bytes"):
        datasets.boston_housing.load_data()
    npz(root / "boston_housing.npz", y=b"nothing")
    with pytest.raises(ValueError, match="no array of NumPy"):
        datasets.boston_housing.load_data()
    (root / "imdb_word_index.json").write_text("[1]")
    with pytest.raises(ValueError, match="one JSON object"):
        datasets.imdb.get_word_index()
    (root / "cifar-100-python").mkdir()
    with pytest.raises(FileNotFoundError, match="no file train"):
        datasets.cifar100.load_data()
    (root / "cifar-100-python" / "train").write_bytes(pickle.dumps({"data": np.zeros((2, 5), np.uint8)}))
    with pytest.raises(ValueError, match="rows of 3072 bytes"):
        datasets.cifar100.load_data()
