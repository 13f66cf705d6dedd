"""The `.keras` file: a zip archive of a config, metadata with checksums, and weights; checked before it is used."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from fastgd.saving.stores import sha256
from fastgd.utils.errors import invalid

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
# What Keras, too, puts beside them: files of layers such as vocabularies.
ASSETS = "assets"

# The version of Keras whose format this is.
FORMAT_VERSION = "3.15.1"

# Keras stores without compression; what was compressed afterwards by hand may be this much larger than the file.
_LARGEST_RATIO = 100
_FREE_BYTES = 1 << 20


def archive_bytes(config: Mapping[str, Any], weights: bytes, assets: Mapping[str, bytes]) -> bytes:
    """Return the content of a `.keras` file.

    Args:
        config: the config of the model.
        weights: the content of the file of weights.
        assets: further files by their paths below "assets".
    """
    members = {CONFIG: json.dumps(config, allow_nan=True).encode(), WEIGHTS: weights}
    members.update({f"{ASSETS}/{path}": content for path, content in assets.items()})
    metadata = {
        "keras_version": FORMAT_VERSION,
        "date_saved": datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
        # Keras reads nothing of this.
        "fastgd": {"sha256": {name: sha256(content) for name, content in members.items()}},
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in {METADATA: json.dumps(metadata).encode(), **members}.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def read_archive(file: BinaryIO, name: str) -> dict[str, bytes]:
    """Return the members of an open `.keras` file by their names, with their checksums compared.

    Args:
        file: the file.
        name: what messages call it.

    Raises:
        ValueError: if it is no such file, is damaged, names paths outside of itself, or claims absurd sizes.
    """
    try:
        with zipfile.ZipFile(file, "r") as archive:
            infos = archive.infolist()
            size = file.seek(0, io.SEEK_END)
            _check_members(infos, size, name)
            members = {info.filename: archive.read(info) for info in infos if not info.is_dir()}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise _damaged(name, error) from error
    except (OverflowError, IndexError, KeyError, UnicodeError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
        raise _damaged(name, error) from error
    return check_members(members, name)


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the members of a model that Keras has saved without zipping it."""
    if (folder / ASSETS).is_symlink():
        raise _damaged(str(folder), f"{ASSETS!r} is a link")
    paths = [folder / part for part in (CONFIG, METADATA, WEIGHTS)]
    paths += sorted(path for path in (folder / ASSETS).rglob("*") if path.is_file() and not path.is_symlink())
    members = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths if path.is_file()}
    return check_members(members, str(folder))


def check_members(members: dict[str, bytes], name: str) -> dict[str, bytes]:
    """Return the members of a model's file after comparing what checksums there are.

    Raises:
        ValueError: if something is missing or damaged.
    """
    for part in (CONFIG, WEIGHTS):
        if part not in members:
            raise _damaged(name, f"it has no {part!r}")
    metadata = read_json(members.get(METADATA, b"{}"), name)
    sums = metadata.get("fastgd", {}) if isinstance(metadata, dict) else {}
    sums = sums.get("sha256", {}) if isinstance(sums, dict) else {}
    if not isinstance(sums, dict):
        raise _damaged(name, "its checksums are none")
    for part, expected in sums.items():
        if part not in members or sha256(members[part]) != expected:
            raise _damaged(name, f"the checksum of {part!r} is another one")
    return members


def read_json(content: bytes, name: str) -> Any:
    """Return what JSON text means.

    Raises:
        ValueError: if it is none, or nested too deeply.
    """
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _damaged(name, error) from error


def _check_members(infos: list[zipfile.ZipInfo], size: int, name: str) -> None:
    """Refuse an archive that would fill the memory or that names something outside of itself."""
    names = [info.filename for info in infos]
    if len(set(names)) < len(names):
        raise _damaged(name, "it has two members of one name")
    if sum(info.compress_size for info in infos) > size:
        raise _damaged(name, "its members are larger than itself")
    for info in infos:
        path = PurePosixPath(info.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in info.filename or ":" in info.filename:
            raise invalid(f"The file {name!r} names a place outside of itself.", member=info.filename)
        if info.flag_bits & 1:
            raise _damaged(name, "it is encrypted")
        if info.file_size > _FREE_BYTES and info.file_size > _LARGEST_RATIO * info.compress_size:
            raise invalid(
                f"The file {name!r} claims {info.file_size} bytes for {info.compress_size}.", member=info.filename
            )


def _damaged(name: str, why: object) -> ValueError:
    return ValueError(f"The file {name!r} is damaged or no `.keras` file: {why}")
