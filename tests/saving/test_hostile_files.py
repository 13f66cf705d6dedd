"""Files that are damaged or made to harm: a clear error at once, nothing allocated or run, no other file opened."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import resource
import struct
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers, saving
from fastgd.saving.archive import archive_bytes, read_archive
from fastgd.saving.hdf5 import h5_bytes
from fastgd.saving.state import collect_weights

h5py = pytest.importorskip("h5py")
pytest.importorskip("safetensors")

RNG = np.random.default_rng(11)


def small_model() -> Any:
    model = fastgd.Sequential([fastgd.Input((3,)), layers.Dense(2, "tanh"), layers.Dropout(0.2), layers.Dense(1)])
    model.compile("adam", "mse")
    return model


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the contents of good files by their endings."""
    folder = tmp_path_factory.mktemp("good")
    model = small_model()
    for ending in (".keras", ".weights.h5", ".safetensors"):
        (model.save if ending == ".keras" else model.save_weights)(folder / f"m{ending}")
    return {path.name[1:]: path.read_bytes() for path in folder.iterdir()}


def load(path: Path) -> None:
    """Load a file as its ending says."""
    if path.suffix == ".keras":
        saving.load_model(path)
    else:
        small_model().load_weights(path)


def refusal(path: Path) -> str | None:
    """Return what the error says that loading raises, None for none."""
    try:
        load(path)
    except ValueError as error:
        return str(error)
    return None


def flipped(content: bytes) -> bytes:
    """Return the content with one to three bits flipped."""
    changed = bytearray(content)
    for place in RNG.integers(0, len(content), RNG.integers(1, 4)):
        changed[place] ^= 1 << RNG.integers(0, 8)
    return bytes(changed)


@pytest.mark.parametrize("ending", [".keras", ".weights.h5", ".safetensors"])
def test_flipped_bits_are_found(ending: str, files: dict[str, bytes], tmp_path: Path) -> None:
    good = small_model().get_weights()
    path = tmp_path / f"m{ending}"
    found = 0
    for _ in range(120):
        path.write_bytes(flipped(files[ending]))
        message = refusal(path)
        assert message is None or str(path) in message or "Received" in message
        found += message is not None
    # What lies between the members of an archive, such as dates, may change without harm.
    assert found > (90 if ending == ".keras" else 115), found
    assert len(good) == 4


@pytest.mark.parametrize("ending", [".keras", ".weights.h5", ".safetensors"])
def test_truncated_files_are_refused(ending: str, files: dict[str, bytes], tmp_path: Path) -> None:
    content = files[ending]
    path = tmp_path / f"m{ending}"
    for length in [0, 1, 7, 8, *RNG.integers(9, len(content) - 1, 30), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="damaged|no file|no `.keras`"):
            load(path)
    path.write_bytes(RNG.bytes(3000))
    with pytest.raises(ValueError, match="damaged"):
        load(path)


def test_flipped_bits_without_a_checksum_do_no_harm(tmp_path: Path) -> None:
    content = h5_bytes(collect_weights(small_model()))
    path = tmp_path / "m.weights.h5"
    path.write_bytes(content)
    load(path)
    with warnings.catch_warnings():
        # A flip in the optimizer's part may leave what reads as the state of another one.
        warnings.filterwarnings("ignore", "The file holds the state of another optimizer")
        for _ in range(40):
            path.write_bytes(flipped(content))
            refusal(path)


def archive(members: dict[str, bytes], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return buffer.getvalue()


def members_of(content: bytes) -> dict[str, bytes]:
    return read_archive(io.BytesIO(content), "good")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "..\\evil", "C:evil"])
def test_paths_outside_are_refused(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "in" / "m.keras"
    path.parent.mkdir()
    path.write_bytes(archive({**members_of(files[".keras"]), name: b"x"}))
    with pytest.raises(ValueError, match=r"outside of itself"):
        load(path)
    assert [p.name for p in tmp_path.rglob("*")] == ["in", "m.keras"]


def test_bombs_are_refused_at_once(files: dict[str, bytes], tmp_path: Path) -> None:
    members = members_of(files[".keras"])
    path = tmp_path / "m.keras"
    del members["metadata.json"]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path.write_bytes(archive({**members, "model.weights.h5": bytes(30 << 20)}, compression=zipfile.ZIP_DEFLATED))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match="claims"):
        load(path)
    # A dataset of a terabyte that stores nothing.
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.create_dataset("layers/dense/vars/0", shape=(1 << 20, 1 << 18), chunks=(1024, 1024), dtype="f4")
    weights = tmp_path / "m.weights.h5"
    weights.write_bytes(buffer.getvalue())
    with pytest.raises(ValueError, match="claims|do not fit"):
        load(weights)
    # Units that no memory holds, or more than the file has weights for.
    config = json.loads(members["config.json"])
    for units in (10**9, 2**62, -1, 1e308, "many"):
        config["config"]["layers"][1]["config"]["units"] = units
        path.write_bytes(archive({**members, "config.json": json.dumps(config).encode()}))
        with pytest.raises((ValueError, TypeError)):
            load(path)
    header = json.dumps({"a": {"dtype": "F32", "shape": [2**40, 2**20], "data_offsets": [0, 2**62]}}).encode()
    tensors = tmp_path / "m.safetensors"
    for length in (len(header), 2**62, 2**63):
        tensors.write_bytes(struct.pack("<Q", length) + header)
        with pytest.raises(ValueError, match="damaged"):
            load(tensors)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - grown < 25 << 10
    assert grown >= before


def test_weights_that_lie_elsewhere_are_not_opened(files: dict[str, bytes], tmp_path: Path) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["layers/dense/vars/0"] = np.ones((3, 2), np.float32)
        file["layers/dense/vars/1"] = np.ones(2, np.float32)
    (tmp_path / "raw").write_bytes(np.ones(6, np.float32).tobytes())
    layout = h5py.VirtualLayout((3, 2), "f4")
    layout[:] = h5py.VirtualSource(secret, "layers/dense/vars/0", (3, 2))

    def link(name: str, target: Any) -> Any:
        def write(file: Any) -> None:
            file[name] = target

        return write

    writers = [
        link("layers/dense/vars/0", h5py.ExternalLink("secret.h5", "/layers/dense/vars/0")),
        link("layers/dense/vars/0", h5py.SoftLink("/layers/dense/vars/1")),
        link("layers/dense/vars", h5py.ExternalLink("secret.h5", "/layers/dense/vars")),
        link("layers", h5py.ExternalLink("secret.h5", "/layers")),
        lambda file: file.create_virtual_dataset("layers/dense/vars/0", layout),
        lambda file: file.create_dataset("layers/dense/vars/0", (3, 2), "f4", external=[(tmp_path / "raw", 0, 24)]),
        lambda file: file.create_dataset("layers/dense/vars/0", data=[["a", "b"]] * 3),
        lambda file: file.create_dataset("layers/dense/vars/0", (3, 2), h5py.ref_dtype),
    ]
    path = tmp_path / "m.weights.h5"
    for write in writers:
        with h5py.File(path, "w") as file:
            write(file)
            if write not in writers[2:4]:
                file["layers/dense/vars/1"] = np.ones(2, np.float32)
        with pytest.raises(ValueError, match="link|other files|numbers|do not fit"):
            load(path)


class Evil:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return (pytest.fail, ("a file was unpickled",))


def test_nothing_is_run(files: dict[str, bytes], tmp_path: Path) -> None:
    members = members_of(files[".keras"])
    path = tmp_path / "m.keras"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ValueError, match="damaged"):
        load(path)
    config = json.loads(members["config.json"])
    code = {"class_name": "__lambda__", "config": {"code": "YQ==", "defaults": None, "closure": None}}
    hostile: list[dict[str, Any]] = [
        {"module": "keras.layers", "class_name": "Lambda", "config": {"function": code, "name": "a"}},
        {"module": "os", "class_name": "system", "config": {"command": "true"}},
        {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "eval"},
        {"module": "fastgd.saving.models", "class_name": "function", "config": "save_model"},
        {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "http://localhost"}},
        {"module": "subprocess", "class_name": "Popen", "config": {"args": ["true"]}, "registered_name": "Popen"},
    ]
    for layer in hostile:
        config["config"]["layers"][2] = layer
        for safe_mode in (True, False):
            path.write_bytes(archive_bytes(config, members["model.weights.h5"], {}))
            with pytest.raises((ValueError, TypeError)):
                saving.load_model(path, safe_mode=safe_mode)
        with pytest.raises((ValueError, TypeError)):
            saving.load_model(path, safe_mode=False)


def mangled(value: Any, depth: int = 0) -> Any:
    """Return a config with one of its parts replaced by something else."""
    if isinstance(value, dict) and value and (depth < 2 or RNG.random() < 0.85):
        key = str(RNG.choice(list(value)))
        if RNG.random() < 0.1:
            return {name: part for name, part in value.items() if name != key}
        return {**value, key: mangled(value[key], depth + 1)}
    if isinstance(value, list) and value and RNG.random() < 0.9:
        place = int(RNG.integers(len(value)))
        return [*value[:place], mangled(value[place], depth + 1), *value[place + 1 :]]
    odd = [None, -1, 0, 2**70, 1e400, "", "x", [], {}, [[None]], {"class_name": "Dense"}, True, [1, 2, 3], "__lambda__"]
    return odd[int(RNG.integers(len(odd)))]


def test_configs_that_make_no_sense_are_refused_or_harmless(files: dict[str, bytes], tmp_path: Path) -> None:
    inner = fastgd.Model(x := fastgd.Input((3,)), fastgd.ops.exp(layers.Dense(2)(x)) * 2.0)
    a = fastgd.Input((3,))
    model = fastgd.Model(a, layers.Concatenate()([inner(a), layers.Dense(1, kernel_regularizer="l2")(a)]))
    model.compile("adam", "mse", metrics=["mae"])
    config = saving.serialize_keras_object(model)
    weights = h5_bytes(collect_weights(model))
    path = tmp_path / "m.keras"
    refused = 0
    for _ in range(60):
        path.write_bytes(archive_bytes(mangled(config), weights, {}))
        with contextlib.suppress(ValueError, TypeError, NotImplementedError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            refused += 1
            saving.load_model(path)
            refused -= 1
    assert refused > 20
    path.write_bytes(archive({"config.json": b"[" * 100000, "model.weights.h5": weights}))
    with pytest.raises(ValueError, match="damaged"):
        load(path)


def test_a_failed_loading_changes_nothing(tmp_path: Path) -> None:
    model = small_model()
    other = fastgd.Sequential([fastgd.Input((3,)), layers.Dense(2), layers.Dropout(0.2), layers.Dense(4)])
    other.save_weights(tmp_path / "o.weights.h5")
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"layers/dense_1: The weight 'dense.*/kernel' has the shape \(2, 1\)"):
        model.load_weights(tmp_path / "o.weights.h5")
    for first, second in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(first, second)
    with pytest.warns(UserWarning, match="stay as they are"):
        model.load_weights(tmp_path / "o.weights.h5", skip_mismatch=True)
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])
    np.testing.assert_array_equal(model.get_weights()[2], before[2])
