"""What IMDB and Reuters share: lists of word numbers, cut down to what a network is to see."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgd.datasets.pickles import read_npz
from fastgd.datasets.places import KERAS_FILES, find

Lists = list[list[int]]


def read(path: str | os.PathLike[str] | None, name: str) -> tuple[Path, dict[str, Any]]:
    """Return the place of a file and its arrays.

    Raises:
        FileNotFoundError: if it is nowhere.
        ValueError: if it is damaged.
    """
    place = find(path, [name], KERAS_FILES + name)
    return place, read_npz(place)


def read_index(path: str | os.PathLike[str] | None, name: str) -> dict[str, int]:
    """Return the numbers of the words, without the shift by `index_from`.

    Raises:
        FileNotFoundError: if the file is nowhere.
        ValueError: if it is not JSON of the kind.
    """
    place = find(path, [name], KERAS_FILES + name)
    index = json.loads(place.read_text(encoding="utf-8"))
    if not isinstance(index, dict) or not all(isinstance(number, int) for number in index.values()):
        raise ValueError(f"{place}: it must hold one JSON object of words and their numbers")
    return index


def check_lists(place: Path, name: str, lists: Any, labels: Any) -> tuple[Lists, NDArray[np.int64]]:
    """Return lists of integers and as many labels, once they are known to be that.

    Raises:
        ValueError: if they are something else.
    """
    if not isinstance(lists, list) or not all(
        type(row) is list and all(type(word) is int for word in row) for row in lists
    ):
        raise ValueError(f"{place}: `{name}` must hold lists of integers")
    if not isinstance(labels, np.ndarray) or labels.shape != (len(lists),) or labels.dtype.kind not in "iu":
        raise ValueError(f"{place}: there must be one label for each of the {len(lists)} lists of `{name}`")
    return lists, labels.astype(np.int64)


def shift(lists: Lists, start_char: int | None, index_from: int | None) -> Lists:
    """Return the lists with `start_char` before each (None for nothing) and `index_from` added to the numbers."""
    front = [] if start_char is None else [start_char]
    # As in Keras, None and 0 leave the numbers as they are.
    by = index_from or 0
    return [[*front, *(word + by for word in row)] for row in lists]


def shorter(lists: Lists, labels: NDArray[np.int64], maxlen: int | None) -> tuple[Lists, NDArray[np.int64]]:
    """Return the lists with fewer than `maxlen` numbers, and their labels; all of them without `maxlen`.

    Raises:
        ValueError: if none is left.
    """
    if not maxlen:
        return lists, labels
    kept = [place for place, row in enumerate(lists) if len(row) < maxlen]
    if not kept:
        raise ValueError(f"`maxlen` leaves no list: all are at least that long. Received: maxlen={maxlen}")
    return [lists[place] for place in kept], labels[kept]


def limit(lists: Lists, num_words: int | None, skip_top: int, oov_char: int | None) -> Lists:
    """Return the lists with numbers from `skip_top` to below `num_words`; others become `oov_char` or go if it is None.

    Without `num_words` the highest number is the limit, and so left out itself, as in Keras.
    """
    highest = num_words or max((max(row) for row in lists if row), default=0)
    if oov_char is None:
        return [[word for word in row if skip_top <= word < highest] for row in lists]
    return [[word if skip_top <= word < highest else oov_char for word in row] for row in lists]


def as_objects(lists: Sequence[list[int]]) -> NDArray[np.object_]:
    """Return an array whose elements are the lists."""
    array = np.empty(len(lists), object)
    array[:] = lists
    return array
