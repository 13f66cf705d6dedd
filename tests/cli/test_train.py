"""`fastgd train`: real digits, files, folders, what it prints, and one clear line for each kind of wrong input."""

import gzip
import re
import struct
import subprocess
import sys

import numpy as np
import pytest

from fastgd.cli import main

# The numpy backend runs everywhere, and short runs are enough for what is tested here.
QUICK = ["--backend", "numpy", "--epochs", "2", "--hidden", "8"]


def save(folder, **arrays):
    """Write `arrays` into a .npz file and return its path as text."""
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return str(path)


def blobs(rows=100, classes=3, shape=(4,), dtype=np.float64, seed=0):
    """Return inputs around one centre per class, and the class numbers."""
    random = np.random.default_rng(seed)
    labels = np.arange(rows) % classes
    return (random.normal(size=(rows, *shape)) + 4 * labels.reshape(-1, *[1] * len(shape))).astype(dtype), labels


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_digits_reach_96_percent(capsys, backend):
    assert main(["train", "--backend", backend]) == 0
    out = capsys.readouterr().out
    last = re.fullmatch(r"test accuracy: (\d+\.\d\d) %", out.splitlines()[-1])
    assert last is not None
    assert float(last[1]) >= 96.0
    for row in ("train loss", "test loss", "test accuracy", "time", "samples per second"):
        assert row in out


def test_one_line_per_epoch_without_a_terminal(capsys):
    assert main(["train", "digits", *QUICK]) == 0
    lines = capsys.readouterr().out.splitlines()
    number = r"\d+\.\d{4}"
    for epoch, line in enumerate(lines[:2], 1):
        assert re.fullmatch(
            rf"epoch {epoch}/2  loss {number}  accuracy {number}  val_accuracy {number}  val_loss {number}", line
        )
    assert not lines[2].startswith("epoch")


def test_seed_decides_the_result(capsys):
    outputs = []
    for seed in ("0", "0", "1"):
        assert main(["train", *QUICK, "--seed", seed]) == 0
        outputs.append(capsys.readouterr().out.splitlines()[0])
    assert outputs[0] == outputs[1] != outputs[2]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32, np.float64])
def test_four_arrays(tmp_path, capsys, dtype):
    (x, y), (x_test, y_test) = blobs(dtype=np.float64), blobs(30, seed=1)
    x, x_test = ((10 * a + 20).clip(0, 255).astype(dtype) for a in (x, x_test))
    # Labels need not count from 0.
    path = save(tmp_path, x_train=x, y_train=y - 1, x_test=x_test, y_test=y_test - 1)
    options = ["--hidden", "16", "--batch-size", "8", "--epochs", "30", "--learning-rate", "0.01"]
    assert main(["train", path, "--backend", "numpy", *options]) == 0
    accuracy = float(capsys.readouterr().out.splitlines()[-1].split()[2])
    assert accuracy >= 90


def test_two_arrays_hold_a_fifth_out(tmp_path, capsys):
    x, y = blobs(shape=(2, 3))
    assert main(["train", save(tmp_path, x=x, y=y), *QUICK, "--validation-split", "0"]) == 0
    out = capsys.readouterr().out
    assert "val_" not in out
    # 20 rows are held out, so the accuracy is a multiple of 5 %.
    assert float(out.splitlines()[-1].split()[2]) % 5 == 0


@pytest.mark.parametrize("outputs", [1, 2])
def test_regression(tmp_path, capsys, outputs):
    x = np.random.default_rng(0).normal(size=(300, 3)) * [1, 100, 1e-3]
    y = 1e5 + x @ np.array([[3e4, -2e4], [2e2, 1e2], [1e6, 5e6]])[:, :outputs]
    path = save(tmp_path, x=x, y=y.ravel() if outputs == 1 else y)
    arguments = ["--hidden", "", "--optimizer", "sgd", "--learning-rate", "0.05", "--dtype", "float64"]
    assert main(["train", path, "--backend", "numpy", "--epochs", "40", *arguments]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"test R2: \d\.\d{4}", last)
    assert float(last.split()[-1]) > 0.999


def test_folder_of_idx_files(tmp_path, capsys):
    x, y = blobs(50, 10, (5, 5))
    images = (x * 5 + 20).clip(0, 255).astype(np.uint8)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(
        gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", 50, 5, 5) + images.tobytes())
    )
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(
        bytes([0, 0, 8, 1]) + struct.pack(">I", 50) + y.astype(np.uint8).tobytes()
    )
    assert main(["train", str(tmp_path), *QUICK]) == 0
    assert re.fullmatch(r"test accuracy: \d+\.\d\d %", capsys.readouterr().out.splitlines()[-1])


WRONG_OPTIONS = {
    "missing file": (["none.npz"], "none.npz"),
    "missing folder": (["none"], "none: there is no such file or folder. Give `digits`"),
    "hidden text": (["--hidden", "64,x"], "--hidden must be whole numbers above 0 .* Received: '64,x'"),
    "hidden zero": (["--hidden", "64,0"], "--hidden must be whole numbers above 0"),
    "hidden end": (["--hidden", "64,"], "--hidden must be whole numbers above 0"),
    "activation": (["--activation", "rellu"], "rellu"),
    "optimizer": (["--optimizer", "adamm"], "adamm"),
    "backend": (["--backend", "cuda"], "cuda"),
    "dtype": (["--dtype", "float16"], "--dtype must be float32 or float64. Received: float16"),
    "epochs": (["--epochs", "0"], "epochs"),
    "batch size": (["--batch-size", "many"], "batch-size"),
    "threads of numpy": (["--threads", "2"], "--threads is for the native backend"),
    "unknown option": (["--speed", "9"], "--speed"),
}


@pytest.mark.parametrize("name", WRONG_OPTIONS)
def test_wrong_option(capsys, name):
    arguments, message = WRONG_OPTIONS[name]
    backend = [] if name == "backend" else ["--backend", "numpy"]
    check_failure(capsys, ["train", *backend, *arguments], message)


X, Y = blobs(20)

WRONG_ARRAYS = {
    "missing arrays": ({"x": X, "labels": Y}, r"needs the arrays x_train, .* or x and y\. Received: labels, x"),
    "lengths": ({"x": X, "y": Y[:-1]}, "x has 20 rows, but y has 19"),
    "test lengths": ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y[:-1]}, "x_test has 20 rows, but y_test"),
    "widths": ({"x_train": X, "y_train": Y, "x_test": X[:, :3], "y_test": Y}, "only rows may differ"),
    "text": ({"x": X, "y": Y.astype(str)}, "y must hold numbers"),
    "objects": ({"x": X.astype(object), "y": Y}, "data.npz: .*pickle"),
    "NaN": ({"x": np.where(X > 1, np.nan, X), "y": Y}, "x holds a value that is not finite"),
    "no axes": ({"x": np.float64(1), "y": Y}, "x must hold rows"),
    "flat": ({"x": X[:, 0], "y": Y}, "x must hold rows"),
    "empty": ({"x": X[:0], "y": Y[:0]}, "x must hold rows"),
    "few": ({"x": X[:3], "y": Y[:3]}, "needs at least 5 rows"),
    "one class": ({"x": X, "y": 0 * Y}, "needs at least two classes. Received: only 0"),
    "one-hot whole numbers": ({"x": X, "y": np.eye(3, dtype=int)[Y]}, "whole-number targets are classes, one a row"),
    "new class": ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y + 1}, "the class 3, which y_train has not"),
}


@pytest.mark.parametrize("name", WRONG_ARRAYS)
def test_wrong_arrays(tmp_path, capsys, name):
    arrays, message = WRONG_ARRAYS[name]
    check_failure(capsys, ["train", save(tmp_path, **arrays), *QUICK], message)


def test_wrong_files(tmp_path, capsys):
    damaged = tmp_path / "data.npz"
    damaged.write_bytes(b"PK\x03\x04 and no more")
    check_failure(capsys, ["train", str(damaged)], "data.npz: damaged or no .npz file")
    other = tmp_path / "data.txt"
    other.write_text("1 2 3")
    check_failure(capsys, ["train", str(other)], "such a file is not understood")
    (tmp_path / "folder").mkdir()
    check_failure(capsys, ["train", str(tmp_path / "folder")], "no file t10k-images-idx3-ubyte")


def test_unknown_command(capsys):
    check_failure(capsys, ["tain"], "tain")


def check_failure(capsys, arguments, message):
    """Run `arguments` and see exit status 2 and exactly one line, with `message`, on standard error."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(rf"fastgd: .*{message}.*\n", captured.err), captured.err


def test_interruption(capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("fastgd.cli.app.train", interrupted)
    assert main(["train"]) == 130
    assert capsys.readouterr().err == "fastgd: interrupted\n"


def test_help_and_version(capsys):
    import fastgd

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"fastgd {fastgd.__version__}\n"
    assert main(["train", "--help"]) == 0
    out = capsys.readouterr().out
    for word in ("--hidden", "--validation-split", "IDX", "x_train"):
        assert word in out


def test_module_runs_as_a_program():
    done = subprocess.run([sys.executable, "-m", "fastgd", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("fastgd ")
