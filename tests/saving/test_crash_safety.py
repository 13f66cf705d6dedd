"""Saving while the process is killed and the disk fails: the name always stands for a whole file, old or new."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers, saving
from fastgd.saving import atomic

pytest.importorskip("h5py")
pytest.importorskip("safetensors")

# Forks processes that save all the time, kills each at some moment, and loads what there is.
KILLS = """
import os, random, signal, sys, time
from pathlib import Path
import numpy as np
import fastgd
from fastgd import saving

folder = Path(sys.argv[1])
model = fastgd.Sequential([fastgd.Input((40,)), fastgd.layers.Dense(200), fastgd.layers.Dense(10)])
model.compile("adam", "mse")
reader = fastgd.models.clone_model(model)
random.seed(5)
paths = [folder / f"m{ending}" for ending in (".keras", ".weights.h5", ".safetensors")]

def save(value):
    model.set_weights([np.full(w.shape, value) for w in model.weights])
    for path in paths:
        (model.save if path.suffix == ".keras" else model.save_weights)(path)

save(0.0)
seen = set()
for number in range(15):
    child = os.fork()
    if child == 0:
        value = 100.0 * number
        while True:
            value += 1.0
            save(value)
    time.sleep(random.uniform(0.0, 0.15))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    for path in paths:
        reader.load_weights(path)
        values = {float(v) for w in reader.get_weights() for v in np.unique(w)}
        assert len(values) == 1, (path, values)
        seen |= values
print(len(seen))
"""


def test_killed_savings_leave_whole_files(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", KILLS, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    # Some saved before they were killed.
    assert int(run.stdout) > 1


def two_models() -> list[Any]:
    models = [fastgd.Sequential([fastgd.Input((3,)), layers.Dense(50), layers.Dense(1)]) for _ in range(2)]
    for model in models:
        model.compile("sgd", "mse")
    return models


@pytest.mark.parametrize("ending", [".keras", ".weights.h5", ".safetensors"])
def test_a_full_disk_leaves_the_file_before(ending: str, tmp_path: Path) -> None:
    old, new = two_models()
    path = tmp_path / f"m{ending}"
    write = saving.save_model if ending == ".keras" else saving.save_weights
    write(old, path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write(new, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("function", ["write", "fsync", "open"])
def test_a_failing_disk_leaves_the_file_before(function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = two_models()
    path = tmp_path / "m.weights.h5"
    old.save_weights(path)
    before = path.read_bytes()

    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError(errno.EIO, "the disk fails")

    monkeypatch.setattr(atomic.os, function, fail)
    with pytest.raises(OSError, match="the disk fails"):
        new.save_weights(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_short_writes_are_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(atomic.os, "write", lambda descriptor, rest: write(descriptor, bytes(rest[:1000])))
    (model, other) = two_models()
    model.save_weights(tmp_path / "m.weights.h5")
    other.load_weights(tmp_path / "m.weights.h5")
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])


def test_what_killed_processes_left_is_removed_in_time(tmp_path: Path) -> None:
    old, young = tmp_path / ".m.keras.1.a.tmp", tmp_path / ".m.keras.2.b.tmp"
    old.touch()
    young.touch()
    os.utime(old, (0, 0))
    two_models()[0].save(tmp_path / "m.keras")
    assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, "m.keras"]


def test_overwriting_can_be_forbidden(tmp_path: Path) -> None:
    model, _ = two_models()
    for name in ("m.keras", "m.weights.h5"):
        write = model.save if name == "m.keras" else model.save_weights
        write(tmp_path / name, overwrite=False)
        with pytest.raises(FileExistsError, match="`overwrite` is False"):
            write(tmp_path / name, overwrite=False)


def test_wrong_arguments_are_told(tmp_path: Path) -> None:
    model, _ = two_models()
    for call, text in (
        (lambda: model.save(tmp_path / "m.h5"), r"must end in '.keras'"),
        (lambda: model.save(tmp_path / "m.keras", zipped=False), "`zipped`"),
        (lambda: model.save_weights(tmp_path / "m.h5"), r"must end in '.weights.h5' or '.safetensors'"),
        (lambda: model.load_weights(tmp_path / "m.h5"), "must end in"),
        (lambda: fastgd.models.load_model(tmp_path / "m.h5"), r"must end in '.keras'"),
        (lambda: fastgd.Sequential([layers.Dense(2)]).save(tmp_path / "m.keras"), "not built"),
    ):
        with pytest.raises(ValueError, match=text):
            call()
    with pytest.raises(FileNotFoundError):
        fastgd.models.load_model(tmp_path / "none.keras")
    with pytest.raises(TypeError, match="`filepath`"):
        model.save(3)
    with pytest.raises(TypeError, match="A lambda cannot be written"):
        fastgd.Sequential([fastgd.Input((3,)), layers.Lambda(lambda x: x)]).save(tmp_path / "m.keras")
