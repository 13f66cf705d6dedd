"""The file of a model of a table: a `.keras` file, with the preprocessing and the target among its assets."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from fastgd.models import Model
from fastgd.saving.archive import ASSETS, CONFIG, WEIGHTS, archive_bytes, read_archive
from fastgd.saving.atomic import write_whole
from fastgd.saving.models import load_model
from fastgd.tabular.configs import Config
from fastgd.tabular.preprocessor import TablePreprocessor, parse_json
from fastgd.tabular.targets import ClassTarget, Target, target_from_config
from fastgd.utils.extras import import_extra

SUFFIX = ".keras"
_TABLE = "fastgd/table.json"


def check_path(path: Path) -> None:
    """Check, before the training, that a model can be saved under that name.

    Raises:
        ImportError: if h5py is not installed.
        ValueError: if it does not end in ".keras", or its folder does not exist.
    """
    import_extra("h5py", "tabular", "Saving models")
    if path.suffix != SUFFIX:
        raise ValueError(f"The name of a model's file must end in {SUFFIX}. Received: {str(path)!r}")
    if not path.resolve().parent.is_dir():
        raise ValueError(f"The folder of {str(path)!r} does not exist")


def save(path: Path, network: Model, preprocessor: TablePreprocessor, target: Target) -> None:
    """Write a file: whole under its name, or not at all.

    Raises:
        ImportError: if h5py is not installed.
        OSError: if the file cannot be written.
        ValueError: if the name is not one for it.
    """
    check_path(path)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / f"network{SUFFIX}"
        network.save(plain)
        with plain.open("rb") as file:
            members = read_archive(file, str(plain))
    table = {"target": target.to_config(), "preprocessing": preprocessor.to_config()}
    assets = {_TABLE: json.dumps(table, allow_nan=False).encode()}
    write_whole(path, archive_bytes(json.loads(members[CONFIG]), members[WEIGHTS], assets))


def load(path: Path) -> tuple[Model, TablePreprocessor, Target]:
    """Return what `save` wrote.

    Raises:
        ImportError: if h5py is not installed.
        OSError: if the file cannot be read.
        ValueError: if it is damaged, or no model of a table.
    """
    if path.is_dir():
        raise ValueError(f"{path} is a folder, no model of a table")
    with path.open("rb") as file:
        members = read_archive(file, str(path))
    content = members.get(f"{ASSETS}/{_TABLE}")
    if content is None:
        raise ValueError(
            f"{path} holds a model, but not the preprocessing of a table: `fastgd train data.csv` wrote it not"
        )
    try:
        top = Config(parse_json(content, "table"), "table")
        preprocessor = TablePreprocessor.from_config(top.object("preprocessing").values, "table.preprocessing")
        target = target_from_config(top.object("target"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    network = load_model(path, compile=False)
    features, outputs = len(preprocessor.feature_names), len(target.classes) if isinstance(target, ClassTarget) else 1
    if (network.input_shape, network.output_shape) != ((None, features), (None, outputs)):
        raise ValueError(
            f"{path} is damaged: its table has {features} features and {outputs} outputs, its network "
            f"{network.input_shape} and {network.output_shape}"
        )
    return network, preprocessor, target
