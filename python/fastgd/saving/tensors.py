"""Weights in the safetensors format: a header of names, types and places, then the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.saving.stores import Weights, check_array, damaged, parse_seed, sha256
from fastgd.utils.extras import import_extra

Array = npt.NDArray[Any]

_SUM, _SEED = "sha256", "seed:"


def tensors_bytes(weights: Weights) -> bytes:
    """Return the content of a safetensors file; names are those of the HDF5 file: "layers/dense/vars/0"."""
    numpy = import_extra("safetensors.numpy", "files", "Saving `.safetensors`")
    flat = {
        f"{path}/vars/{key}" if path else f"vars/{key}": np.asarray(check_array(array, path), order="C")
        for path, arrays in weights.arrays.items()
        for key, array in arrays.items()
    }
    seeds = {f"{_SEED}{path}": str(seed) for path, seed in weights.seeds.items()}
    content: bytes = numpy.save(flat, metadata={"format": "np", _SUM: _checksum(flat), **seeds})
    return content


class TensorsSource:
    """The weights of a safetensors file.

    Args:
        content: the file.
        name: what messages call it.

    Raises:
        ValueError: if it is none, its header claims other sizes than it has, or its checksum is another one.
    """

    def __init__(self, content: bytes, name: str) -> None:
        safetensors = import_extra("safetensors", "files", "Loading `.safetensors`")
        numpy = import_extra("safetensors.numpy", "files", "Loading `.safetensors`")
        try:
            # The library compares all sizes and places of the header with the file before it makes an array.
            self._arrays: dict[str, Array] = numpy.load(content)
        except (safetensors.SafetensorError, ValueError, KeyError, TypeError) as error:
            raise damaged(name, error) from error
        self._metadata = _metadata(content)
        expected = self._metadata.get(_SUM)
        if expected is not None and expected != _checksum(self._arrays):
            raise damaged(name, "its checksum is another one")

    def keys(self, path: str) -> list[str]:
        """Return the keys of the arrays of a path, none if there is no such path."""
        prefix = f"{path}/vars/" if path else "vars/"
        return [name[len(prefix) :] for name in self._arrays if name.startswith(prefix)]

    def shape(self, path: str, key: str) -> tuple[int, ...]:
        """Return the shape of an array."""
        return self.read(path, key).shape

    def read(self, path: str, key: str) -> Array:
        """Return an array."""
        name = f"{path}/vars/{key}" if path else f"vars/{key}"
        return check_array(self._arrays[name], name)

    def seed(self, path: str) -> int | None:
        """Return the seed that the layer of a path had drawn, None if the file does not tell."""
        return parse_seed(self._metadata.get(f"{_SEED}{path}"))


def _metadata(content: bytes) -> dict[str, str]:
    """Return the free part of the header, which the library has found to be one."""
    import json

    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    found = header.get("__metadata__") or {}
    return {str(key): str(value) for key, value in found.items()}


def _checksum(arrays: dict[str, Array]) -> str:
    """Return a checksum over names, types, shapes and numbers."""
    lines = [f"{name} {array.dtype} {array.shape} {sha256(array.tobytes())}" for name, array in sorted(arrays.items())]
    return sha256("\n".join(lines).encode())
