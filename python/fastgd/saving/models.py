"""Saving and loading: whole models as `.keras`, weights as `.weights.h5` or `.safetensors`."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from fastgd.layers.weights import limit_weights
from fastgd.models.configs import CustomObjects
from fastgd.models.model import Model
from fastgd.saving.archive import ASSETS, CONFIG, WEIGHTS, archive_bytes, read_archive, read_folder, read_json
from fastgd.saving.atomic import as_path, check_overwrite, write_whole
from fastgd.saving.hdf5 import h5_bytes, has_checksum, open_h5
from fastgd.saving.reading import model_from_description
from fastgd.saving.state import apply_weights, collect_weights, walk
from fastgd.saving.stores import Source
from fastgd.saving.tensors import TensorsSource, tensors_bytes
from fastgd.saving.writing import serialize_keras_object
from fastgd.utils.checks import check_bool
from fastgd.utils.errors import invalid, mistyped

# Where a backup keeps what is no weight.
_TRAINING = "fastgd_training"

_KERAS, _H5, _TENSORS = ".keras", ".weights.h5", ".safetensors"

# What a model made of a config may weigh: the numbers of the file in a type of twice the size, twice, and small change.
_MODEL_PER_FILE = 4
_SMALL_CHANGE = 16 << 20

# The bytes of the longest name of a file that all systems take.
_LONGEST_NAME = 255


def save_model(model: Model, filepath: Any, overwrite: bool = True, zipped: bool | None = None) -> None:
    """Write a model with its weights, and the state of its optimizer, to a `.keras` file, which Keras 3 opens, too.

    The file appears under its name when it is whole and safely on the disk: a process that dies before leaves what was
    there. It holds checksums, which `load_model` compares.

    Args:
        model: the model, built.
        filepath: where to, with the ending ".keras".
        overwrite: whether a file that exists is replaced.
        zipped: None or True; a model is always one file.

    Raises:
        ValueError: for another ending, or a model that is not built.
        FileExistsError: if the file exists and `overwrite` is False.
        TypeError: for parts without a config, such as lambdas.
        ImportError: if h5py is not installed, the extra `files`.

    Example:
        >>> model.save("model.keras")
        >>> model = fastgd.models.load_model("model.keras")
    """
    path = as_path(filepath)
    _check_model(model)
    if zipped not in (None, True):
        raise invalid("`zipped` must be None or True: a model is saved as one file.", zipped=zipped)
    if path.suffix != _KERAS:
        raise invalid("`filepath` must end in '.keras'.", filepath=str(path))
    check_overwrite(path, overwrite)
    weights = h5_bytes(collect_weights(model))
    write_whole(path, archive_bytes(serialize_keras_object(model), weights, _assets_of(model)))


def load_model(
    filepath: Any, custom_objects: CustomObjects = None, compile: bool = True, safe_mode: bool = True
) -> Any:
    """Return the model of a `.keras` file that fastgd or Keras 3 has written.

    Nothing in a file is run as code, and no other file is opened. What fastgd has not is refused by its name.

    Args:
        filepath: the file, or the folder of a model that Keras has saved unzipped.
        custom_objects: classes and functions of your own by their names, besides the registered ones.
        compile: whether to compile the model as it was, with the state of its optimizer.
        safe_mode: whether code in a file is refused with this hint; without it, too, none is run.

    Raises:
        ValueError: for a file that is damaged, hostile or no `.keras` file, and for what fastgd has not.
        FileNotFoundError: if there is no file.
        ImportError: if h5py is not installed, the extra `files`.
    """
    path = as_path(filepath)
    check_bool("compile", compile)
    check_bool("safe_mode", safe_mode)
    name = str(path)
    if path.is_dir():
        members = read_folder(path)
    elif path.suffix != _KERAS:
        raise invalid("`filepath` must end in '.keras'.", filepath=name)
    else:
        with path.open("rb") as file:
            members = read_archive(file, name)
    config = read_json(members[CONFIG], name)
    with _telling(name), limit_weights(_MODEL_PER_FILE * len(members[WEIGHTS]) + _SMALL_CHANGE):
        model = model_from_description(config, custom_objects, compile, safe_mode)
    if not model.built and not model.weights:
        return model
    with open_h5(io.BytesIO(members[WEIGHTS]), name) as source:
        apply_weights(model, source)
    _load_assets(model, members)
    return model


def save_weights(model: Model, filepath: Any, overwrite: bool = True) -> None:
    """Write the weights of a model, and the state of its optimizer, to a file; written as `save_model` writes.

    Args:
        model: the model, built.
        filepath: where to, with the ending ".weights.h5", Keras' format, or ".safetensors".
        overwrite: whether a file that exists is replaced.

    Raises:
        ValueError: for another ending, or a model that is not built.
        FileExistsError: if the file exists and `overwrite` is False.
        ImportError: if h5py or safetensors is not installed, the extra `files`.

    Example:
        >>> model.save_weights("model.weights.h5")
    """
    path = as_path(filepath)
    _check_model(model)
    check_overwrite(path, overwrite)
    if path.name.endswith(_H5):
        write_whole(path, h5_bytes(collect_weights(model), with_checksum=True))
    elif path.suffix == _TENSORS:
        write_whole(path, tensors_bytes(collect_weights(model)))
    else:
        raise invalid(f"`filepath` must end in {_H5!r} or {_TENSORS!r}.", filepath=str(path))


def load_weights(model: Model, filepath: Any, skip_mismatch: bool = False) -> None:
    """Put the weights of a file into a model of the same layers, and the state of its optimizer, if it has the same.

    Layers are told by their classes and places, not by their names.

    Args:
        model: the model, built.
        filepath: a file ending in ".weights.h5" or ".keras", of fastgd or Keras, or in ".safetensors".
        skip_mismatch: whether layers that do not fit are left as they are, with a warning. Otherwise nothing is
            changed if one does not fit.

    Raises:
        ValueError: for a file that is damaged or hostile, and for weights that do not fit.
        FileNotFoundError: if there is no file.
        ImportError: if h5py or safetensors is not installed, the extra `files`.
    """
    path = as_path(filepath)
    _check_model(model)
    check_bool("skip_mismatch", skip_mismatch)
    with _weights_of(path) as source:
        apply_weights(model, source, skip_mismatch)


def save_backup(model: Model, path: Path, state: dict[str, Any]) -> None:
    """Write weights, the state of the optimizer, and what else a training needs to go on, to one `.weights.h5` file."""
    weights = collect_weights(model)
    weights.arrays[_TRAINING] = {"state": np.frombuffer(json.dumps(state).encode(), np.uint8)}
    write_whole(path, h5_bytes(weights, with_checksum=True))


def load_backup(model: Model, path: Path) -> dict[str, Any]:
    """Put back what `save_backup` wrote and return the state.

    Raises:
        ValueError: if the file is damaged, or the model is another one.
    """
    with _weights_of(path) as source:
        if not source.keys(_TRAINING):
            raise invalid("The file is no backup of a training.", filepath=str(path))
        state = read_json(source.read(_TRAINING, "state").tobytes(), str(path))
        apply_weights(model, source)
    if not isinstance(state, dict):
        raise invalid("The file is no backup of a training.", filepath=str(path))
    return state


@contextmanager
def _weights_of(path: Path) -> Iterator[Source]:
    """Lend the weights of a file of any kind."""
    name = str(path)
    if path.suffix == _TENSORS:
        yield TensorsSource(path.read_bytes(), name)
    elif path.suffix == _KERAS:
        with path.open("rb") as file:
            members = read_archive(file, name)
        with open_h5(io.BytesIO(members[WEIGHTS]), name) as source:
            yield source
    elif path.name.endswith(_H5):
        with path.open("rb") as file:
            checked = has_checksum(file, name)
            with open_h5(file, name, checked) as source:
                yield source
    else:
        raise invalid(f"`filepath` must end in {_H5!r}, {_TENSORS!r} or {_KERAS!r}.", filepath=name)


def _check_model(model: Any) -> None:
    if not isinstance(model, Model):
        raise mistyped("`model` must be a model.", model=model)


@contextmanager
def _telling(name: str) -> Iterator[None]:
    """Turn what a config that makes no sense lets Python raise into an error that names the file."""
    try:
        yield
    except (KeyError, IndexError, AttributeError, RecursionError, OverflowError, ArithmeticError) as error:
        raise ValueError(f"The config in {name!r} makes no model: {type(error).__name__}: {error}") from error


def _assets_of(model: Model) -> dict[str, bytes]:
    """Return the files that layers keep beside their weights, such as vocabularies."""
    assets: dict[str, bytes] = {}
    for path, thing, _ in walk(model):
        if hasattr(thing, "save_assets"):
            with tempfile.TemporaryDirectory() as folder:
                thing.save_assets(folder)
                for file in sorted(Path(folder).rglob("*")):
                    if file.is_file():
                        assets[f"{path}/{file.relative_to(folder).as_posix()}"] = file.read_bytes()
    return assets


def _load_assets(model: Model, members: dict[str, bytes]) -> None:
    """Let layers read the files that they keep beside their weights."""
    for path, thing, _ in walk(model):
        if hasattr(thing, "load_assets"):
            prefix = f"{ASSETS}/{path}/"
            with tempfile.TemporaryDirectory() as folder:
                for name, content in members.items():
                    # Layers keep files, not folders: a name with more parts is that of a layer inside.
                    file = name[len(prefix) :]
                    if name.startswith(prefix) and "/" not in file:
                        if file in (".", "..") or "\0" in file or len(file.encode()) > _LONGEST_NAME:
                            raise invalid("The file holds an asset that has no name of a file.", member=name)
                        (Path(folder) / file).write_bytes(content)
                thing.load_assets(folder)
