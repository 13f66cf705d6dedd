"""Reading the pickles inside of data sets without running them: lists, numbers, texts and plain NumPy arrays alone."""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The types of elements that arrays in such files may have.
_TYPES = {"u1", "i1", "i2", "i4", "i8", "u2", "u4", "u8", "f4", "f8", "b1"}


class _Dtype:
    """What a pickle says of a dtype."""

    def __init__(self, name: str | bytes, *_: Any) -> None:
        self.name = name.decode("ascii") if isinstance(name, bytes) else str(name)
        self.order = "|"

    def __setstate__(self, state: Any) -> None:
        order = state[1]
        self.order = order.decode("ascii") if isinstance(order, bytes) else str(order)


class _Array:
    """What a pickle says of an array: its state is kept, and nothing is made of it yet."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _encode(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"the encoding {encoding!r} is not admitted")
    return text.encode("latin1")


# Stand-ins for the few names that pickles of arrays hold: none of NumPy's own functions is called by a pickle.
_ADMITTED: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Dtype,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("_codecs", "encode"): _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in for a name."""
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"the name {module}.{name} is not admitted")
        return _ADMITTED[module, name]


def read_pickle(content: bytes, source: str) -> Any:
    """Return what a pickle holds; arrays in a dict or alone become NumPy's, with the names of dicts as text.

    Args:
        content: the pickle.
        source: what messages call it.

    Raises:
        ValueError: if it is damaged, names anything else than plain arrays, or an array does not fit its size.
    """
    try:
        found = _Unpickler(io.BytesIO(content), encoding="bytes").load()
        if isinstance(found, dict):
            return {_text(key): _plain(value) for key, value in found.items()}
        return _plain(found)
    except Exception as error:
        # A damaged pickle can fail in every way.
        raise ValueError(f"{source}: not a pickle of plain lists and arrays ({error})") from error


def read_npz(path: Path) -> dict[str, Any]:
    """Return the arrays of an .npz file by their names; arrays of objects as lists.

    Args:
        path: the file.

    Raises:
        ValueError: if it is damaged, or holds something else than numbers and lists of them.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            return {info.filename[:-4]: _read_npy(archive.read(info), f"{path}:{info.filename}") for info in members}
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path}: the file is damaged or no .npz file ({error})") from error


def _read_npy(content: bytes, source: str) -> Any:
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(stream)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{source}: no array of NumPy ({error})") from error
    if dtype.hasobject:
        return read_pickle(content[stream.tell() :], source)
    expected = math.prod(shape) * dtype.itemsize
    if len(content) - stream.tell() != expected:
        raise ValueError(f"{source}: {shape} needs {expected} bytes. Received: {len(content) - stream.tell()} bytes")
    stream.seek(0)
    return np.lib.format.read_array(stream, allow_pickle=False)


def _text(key: Any) -> str:
    return key.decode("utf-8") if isinstance(key, bytes) else str(key)


def _plain(value: Any) -> Any:
    """Return an array for what a pickle says of one, a list for an array of objects; other things as they are."""
    if not isinstance(value, _Array):
        return value
    _, shape, dtype, is_fortran, data = value.state
    if not isinstance(dtype, _Dtype):
        raise TypeError("an array without a dtype")
    if isinstance(data, list):
        if shape != (len(data),):
            raise ValueError(f"{len(data)} objects for the shape {shape}")
        return data
    return _array(shape, dtype, bool(is_fortran), data)


def _array(shape: Any, dtype: _Dtype, is_fortran: bool, data: Any) -> NDArray[Any]:
    if dtype.name not in _TYPES or dtype.order not in ("<", ">", "|", "="):
        raise ValueError(f"an array of the type {dtype.order}{dtype.name}")
    kind = np.dtype(dtype.order + dtype.name)
    flat = np.frombuffer(data, kind)
    if flat.size != math.prod(shape):
        raise ValueError(f"{flat.size} elements for the shape {shape}")
    return flat.reshape(shape, order="F" if is_fortran else "C").astype(kind.newbyteorder("="))
