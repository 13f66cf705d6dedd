"""Weights between a model and a file: arrays by their paths, as Keras lays them out, whatever format holds them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastgd.utils.errors import invalid

Array = npt.NDArray[Any]

# What a file may hold: numbers. Objects, strings and references never become arrays.
_KINDS = "biuf"


@dataclass
class Weights:
    """What is written: arrays and names by the paths of the things they belong to, such as "layers/dense".

    Attributes:
        arrays: for each path its arrays by their keys, mostly "0", "1" and so on.
        names: the names of layers by their paths.
        seeds: the seeds that random layers have drawn, by their paths.
    """

    arrays: dict[str, dict[str, Array]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    seeds: dict[str, int] = field(default_factory=dict)


class Source(Protocol):
    """What is read: arrays by path and key, one at a time."""

    def keys(self, path: str) -> list[str]:
        """Return the keys of the arrays of a path, none if there is no such path."""

    def shape(self, path: str, key: str) -> tuple[int, ...]:
        """Return the shape of an array without reading it."""

    def read(self, path: str, key: str) -> Array:
        """Return an array."""

    def seed(self, path: str) -> int | None:
        """Return the seed that the layer of a path had drawn, None if the file does not tell."""


class Store(Mapping[str, Array]):
    """The arrays of one path of a source, as `load_own_variables` of a layer reads them."""

    def __init__(self, source: Source, path: str) -> None:
        self._source = source
        self._path = path
        self._keys = source.keys(path)

    def __getitem__(self, key: str) -> Array:
        """Return an array."""
        if key not in self._keys:
            raise KeyError(key)
        return self._source.read(self._path, key)

    def __iter__(self) -> Iterator[str]:
        """Yield the keys."""
        return iter(self._keys)

    def __len__(self) -> int:
        """Return how many arrays there are."""
        return len(self._keys)

    def shape(self, key: str) -> tuple[int, ...]:
        """Return the shape of an array without reading it."""
        return self._source.shape(self._path, key)


def check_array(array: Any, where: str) -> Array:
    """Return an array of numbers as a plain array.

    Raises:
        ValueError: for anything else.
    """
    made = np.asarray(array)
    if made.dtype.kind not in _KINDS:
        raise invalid(f"The weight {where!r} must hold numbers.", dtype=str(made.dtype))
    return made


def parse_seed(text: object) -> int | None:
    """Return a seed of 64 bits written as a number, None for anything else."""
    value = int(text) if isinstance(text, str) and text.isdecimal() and len(text) <= 20 else 2**64
    return value if value < 2**64 else None


def damaged(name: str, why: object) -> ValueError:
    """Return the error for a file that cannot be what it says."""
    return ValueError(f"The file {name!r} is damaged or no file of weights: {why}")


def sha256(content: bytes | memoryview) -> str:
    """Return the checksum of some bytes."""
    return hashlib.sha256(content).hexdigest()
