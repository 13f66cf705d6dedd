"""IDX files: every element type, gzip or not, and each kind of damage with its own message."""

import gzip
import struct

import numpy as np
import pytest

from fastgd.datasets import idx


def pack(array, code):
    """Return `array` as the bytes of an IDX file with the type byte `code`."""
    big = np.ascontiguousarray(array).astype(array.dtype.newbyteorder(">"))
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + big.tobytes()


TYPES = [(0x08, "u1"), (0x09, "i1"), (0x0B, "i2"), (0x0C, "i4"), (0x0D, "f4"), (0x0E, "f8")]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(("code", "dtype"), TYPES)
@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (0, 28, 28)])
def test_round_trip(tmp_path, code, dtype, shape, zipped):
    array = np.arange(np.prod(shape)).astype(dtype).reshape(shape)
    content = pack(array, code)
    # The name says nothing on purpose: the content tells whether it is compressed.
    path = tmp_path / "data"
    path.write_bytes(gzip.compress(content) if zipped else content)
    result = idx.read(path)
    assert result.dtype == np.dtype(dtype) and result.dtype.isnative
    assert result.flags.writeable
    np.testing.assert_array_equal(result, array)


GOOD = pack(np.arange(6, dtype="u1").reshape(2, 3), 0x08)

DAMAGED = {
    "empty": (b"", "too short for an IDX file. Received: 0 bytes"),
    "other format": (b"\x89PNG\r\n", "not an IDX file: .* Received: 89 50 4e 47"),
    "unknown type": (b"\0\0\x0a" + GOOD[3:], "not an IDX file: .* Received: 00 00 0a 02"),
    "no axes": (b"\0\0\x08\0", "not an IDX file"),
    "cut header": (GOOD[:9], "truncated in its header of 12 bytes. Received: 9 bytes"),
    "cut data": (GOOD[:-1], r"truncated: shape \(2, 3\) needs 18 bytes. Received: 17 bytes"),
    "trailing data": (GOOD + b"\0", "longer than its header says: .* Received: 19 bytes"),
    "huge sizes": (b"\0\0\x0e\x03" + b"\xff" * 12, "truncated: shape"),
    "cut gzip": (gzip.compress(GOOD)[:-4], "gzip data are truncated or damaged"),
    "broken gzip": (gzip.compress(GOOD)[:10] + b"\xff" * 20, "gzip data are truncated or damaged"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_told(tmp_path, name):
    content, message = DAMAGED[name]
    path = tmp_path / "damaged"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        idx.read(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        idx.read(tmp_path / "none")
