"""What CIFAR-10 and CIFAR-100 share: pickled batches of images, in a folder or still in the archive."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgd.datasets.pickles import read_pickle
from fastgd.datasets.places import find

Images = NDArray[np.uint8]
Part = tuple[Images, Images]

ORIGIN = "https://www.cs.toronto.edu/~kriz/"
# The shape of an image in the files: colours first.
STORED = (3, 32, 32)


def load(
    path: str | os.PathLike[str] | None, folder: str, archive: str, parts: tuple[list[str], list[str]], labels: str
) -> tuple[Part, Part]:
    """Return the images and labels of both parts.

    Args:
        path: the folder, the archive, the folder of one of them, or None.
        folder: what the folder is called.
        archive: what the archive is called.
        parts: the names of the files of the part to train on and of the other.
        labels: the name of the labels in the files.

    Raises:
        FileNotFoundError: they are nowhere, or a file is missing.
        ValueError: a file is damaged.
    """
    place = find(path, [folder, archive], ORIGIN + archive)
    if place.is_file():
        with tarfile.open(place) as packed:
            return _read_parts(lambda name: _unpack(packed, f"{folder}/{name}", place), place, parts, labels)
    return _read_parts(lambda name: _read_file(place / name), place, parts, labels)


def _read_file(path: Path) -> bytes:
    if not path.is_file():
        raise FileNotFoundError(f"{path.parent}: no file {path.name}")
    return path.read_bytes()


def _unpack(packed: tarfile.TarFile, name: str, place: Path) -> bytes:
    # Nothing is written: the members are read where they are.
    try:
        member = packed.extractfile(name)
    except KeyError:
        member = None
    if member is None:
        raise FileNotFoundError(f"{place}: no file {name}")
    return member.read()


def _read_parts(
    read: Callable[[str], bytes], place: Path, parts: tuple[list[str], list[str]], labels: str
) -> tuple[Part, Part]:
    train, test = ([_read_batch(read(name), f"{place}:{name}", labels) for name in names] for names in parts)
    return _joined(train), _joined(test)


def _joined(batches: list[tuple[Images, Images]]) -> Part:
    images, labels = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    return images, labels


def _read_batch(content: bytes, source: str, labels: str) -> tuple[Images, Images]:
    batch: Any = read_pickle(content, source)
    data = batch.get("data") if isinstance(batch, dict) else None
    numbers = batch.get(labels) if isinstance(batch, dict) else None
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != 3072:
        raise ValueError(f"{source}: `data` must hold rows of 3072 bytes")
    if not isinstance(numbers, list) or len(numbers) != len(data) or not all(type(k) is int for k in numbers):
        raise ValueError(f"{source}: `{labels}` must hold one integer for each of {len(data)} images")
    images = data.reshape(-1, *STORED).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), np.array(numbers, np.uint8)[:, None]
