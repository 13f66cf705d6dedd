"""Weights in HDF5 as Keras lays them out: written in memory, read with nothing outside the file ever opened."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from fastgd.saving.stores import Weights, check_array, damaged, sha256
from fastgd.utils.errors import invalid
from fastgd.utils.extras import import_extra

Array = npt.NDArray[Any]

_GROUP, _SEED, _CHECKED = "vars", "fastgd_seed", "fastgd_checksum"
# Behind the end of the file, where HDF5 does not look: a checksum over all that stands before it.
_MARK = b"\nfastgd-sha256:"
_TRAILER_BYTES = len(_MARK) + 64
# A dataset may claim more than it stores: gzip reaches 1000:1. Larger claims are refused from this size on.
_FREE_BYTES = 1 << 20
_LARGEST_RATIO = 1100
# gzip, shuffle and Fletcher's checksum are part of the library; other filters would be loaded from elsewhere.
_OWN_FILTERS = (1, 2, 3)


def h5_bytes(weights: Weights, with_checksum: bool = False) -> bytes:
    """Return the content of an HDF5 file.

    Args:
        weights: the weights.
        with_checksum: whether a checksum follows, as a file of its own needs it.
    """
    h5py = import_extra("h5py", "files", "Saving models and weights")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for path in dict.fromkeys([*weights.names, *weights.arrays]):
            group = file.create_group(f"{path}/{_GROUP}" if path else _GROUP)
            if path in weights.names:
                group.attrs["name"] = weights.names[path]
            if path in weights.seeds:
                group.attrs[_SEED] = np.uint64(weights.seeds[path])
            for key, array in weights.arrays.get(path, {}).items():
                group[key] = check_array(array, f"{path}/{key}")
        if with_checksum:
            file.attrs[_CHECKED] = True
    content = buffer.getvalue()
    return content + _MARK + sha256(content).encode() if with_checksum else content


def has_checksum(file: BinaryIO, name: str) -> bool:
    """Return whether an open file ends with its checksum, which Keras does not write, and go back to its beginning.

    Raises:
        ValueError: if the content has another checksum.
    """
    size = max(file.seek(0, io.SEEK_END) - _TRAILER_BYTES, 0)
    file.seek(size)
    trailer = file.read()
    file.seek(0)
    if not trailer.startswith(_MARK):
        return False
    made = hashlib.sha256()
    while size:
        part = file.read(min(size, 1 << 20))
        made.update(part)
        size -= len(part)
    file.seek(0)
    if made.hexdigest().encode() != trailer[len(_MARK) :]:
        raise damaged(name, "its checksum is another one")
    return True


@contextmanager
def open_h5(file: BinaryIO, name: str, checked: bool = True) -> Iterator[H5Source]:
    """Lend the weights of an open HDF5 file.

    Args:
        file: the file, or its content in memory.
        name: what messages call it.
        checked: whether its checksum was found and compared, which a file of fastgd must have.

    Raises:
        ValueError: if it is no HDF5 file.
    """
    h5py = import_extra("h5py", "files", "Loading models and weights")
    with _telling(name):
        opened = h5py.File(file, "r")
    try:
        with _telling(name):
            expected = _CHECKED in opened.attrs
        if expected and not checked:
            raise damaged(name, "it has lost its checksum")
        yield H5Source(h5py, opened, name)
    finally:
        opened.close()


class H5Source:
    """The weights of an HDF5 file; links, external and virtual data are refused, and so are claims of absurd sizes."""

    def __init__(self, h5py: Any, file: Any, name: str) -> None:
        self._h5py = h5py
        self._file = file
        self._name = name

    def keys(self, path: str) -> list[str]:
        """Return the keys of the arrays of a path, none if there is no such path."""
        with _telling(self._name):
            group = self._group(path)
            return [] if group is None else [str(key) for key in group]

    def shape(self, path: str, key: str) -> tuple[int, ...]:
        """Return the shape of an array without reading it."""
        with _telling(self._name):
            return tuple(int(size) for size in self._dataset(path, key).shape)

    def read(self, path: str, key: str) -> Array:
        """Return an array."""
        with _telling(self._name):
            return check_array(np.array(self._dataset(path, key)), f"{path}/{key}")

    def seed(self, path: str) -> int | None:
        """Return the seed that the layer of a path had drawn, None if the file does not tell."""
        with _telling(self._name):
            group = self._group(path)
            if group is None or _SEED not in group.attrs:
                return None
            attribute = group.attrs.get_id(_SEED)
            # Text lies on a heap, in a damaged one of which HDF5 may search for ever.
            return int(group.attrs[_SEED]) if attribute.dtype == np.uint64 and attribute.shape == () else None

    def _group(self, path: str) -> Any:
        """Return the group of a path, None if there is none, with every step to it looked at."""
        current = self._file
        for part in [*(part for part in path.split("/") if part), _GROUP]:
            if part not in current:
                return None
            current = self._child(current, part)
            if not isinstance(current, self._h5py.Group):
                raise ValueError(f"{part!r} in {path!r} is no group")
        return current

    def _child(self, group: Any, name: str) -> Any:
        link = group.get(name, getclass=True, getlink=True)
        if link is not self._h5py.HardLink:
            raise ValueError(f"{name!r} is a link to elsewhere, which is not followed")
        return group[name]

    def _dataset(self, path: str, key: str) -> Any:
        group = self._group(path)
        if group is None or key not in group:
            raise ValueError(f"there is no {path!r}/{key!r}")
        dataset = self._child(group, key)
        if not isinstance(dataset, self._h5py.Dataset):
            raise ValueError(f"{key!r} in {path!r} is no array")
        if dataset.external or dataset.is_virtual:
            raise ValueError(f"{key!r} in {path!r} lies in other files, which are not opened")
        properties = dataset.id.get_create_plist()
        for place in range(properties.get_nfilters()):
            if properties.get_filter(place)[0] not in _OWN_FILTERS:
                raise ValueError(f"{key!r} in {path!r} needs a filter that is not part of HDF5")
        claimed = math.prod(dataset.shape or ()) * dataset.dtype.itemsize
        stored = dataset.id.get_storage_size()
        if claimed > _FREE_BYTES and claimed > _LARGEST_RATIO * stored:
            raise invalid(f"{key!r} in {path!r} claims {claimed} bytes and stores {stored}.", shape=dataset.shape)
        return dataset


@contextmanager
def _telling(name: str) -> Iterator[None]:
    """Turn what h5py raises for damaged files into one kind of error that names the file."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        # Whatever a damaged file makes h5py raise: OSError, KeyError, RuntimeError, TypeError, UnicodeDecodeError.
        raise damaged(name, error) from error
