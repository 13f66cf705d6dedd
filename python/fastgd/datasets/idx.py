"""Reader for IDX files, the format of MNIST: a magic number, the sizes, then the array in big-endian order."""

from __future__ import annotations

import gzip
import os
import zlib
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

GZIP_MAGIC = b"\x1f\x8b"

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read an IDX file, compressed by gzip or not (told by its content, not by its name).

    The file begins with two zero bytes, a byte for the type and a byte for the number of axes, then gives each size
    in four big-endian bytes.

    Args:
        path: the file.

    Returns:
        The array in the machine's byte order, writeable.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no IDX file, is damaged, or is shorter or longer than its header says.

    Source:
        The description of the IDX format by Y. LeCun, C. Cortes and C. Burges, "The MNIST database".
    """
    content = _unpack(Path(path))
    if len(content) < 4:
        raise ValueError(f"{path}: too short for an IDX file. Received: {len(content)} bytes")
    if content[:2] != b"\0\0" or content[2] not in TYPES or content[3] == 0:
        known = ", ".join(f"{code:#04x}" for code in TYPES)
        raise ValueError(
            f"{path}: not an IDX file: it must begin with two zero bytes, a type ({known}) and a number of axes "
            f"above 0. Received: {content[:4].hex(' ')}"
        )
    dtype = np.dtype(TYPES[content[2]])
    header = 4 + 4 * content[3]
    if len(content) < header:
        raise ValueError(f"{path}: truncated in its header of {header} bytes. Received: {len(content)} bytes")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", content[3], offset=4))
    # Python's whole numbers do not overflow, whatever sizes a damaged header states.
    expected = header + prod(shape) * dtype.itemsize
    if len(content) != expected:
        state = "truncated" if len(content) < expected else "longer than its header says"
        raise ValueError(f"{path}: {state}: shape {shape} needs {expected} bytes. Received: {len(content)} bytes")
    return np.frombuffer(content, dtype, offset=header).reshape(shape).astype(dtype.newbyteorder("="))


def _unpack(path: Path) -> bytes:
    content = path.read_bytes()
    if not content.startswith(GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: the gzip data are truncated or damaged ({error})") from error
