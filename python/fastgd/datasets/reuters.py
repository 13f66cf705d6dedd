"""News as lists of word numbers, of 46 topics, read from Keras' file."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from fastgd.datasets.split import shuffled_orders
from fastgd.datasets.word_lists import as_objects, check_lists, limit, read, read_index, shift, shorter

Part = tuple[NDArray[np.object_], NDArray[np.int64]]

_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path: str | os.PathLike[str] | None = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[Part, Part]:
    """Load 11,228 news with their topics.

    Args:
        path: the file reuters.npz or its folder; else it is looked for in the folder that FASTGD_DATA names.
        num_words: as in `imdb.load_data`.
        skip_top: the same.
        maxlen: the same.
        test_split: the share of the news to test with.
        seed: that of the order of the news.
        start_char: as in `imdb.load_data`.
        oov_char: the same.
        index_from: the same.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists of integers, and topics from 0 to 45.

    Raises:
        FileNotFoundError: the file is nowhere; the message says where to put it.
        ValueError: it is damaged, or `maxlen` leaves nothing.
    """
    place, arrays = read(path, "reuters.npz")
    lists, topics = check_lists(place, "x", arrays.get("x"), arrays.get("y"))
    (order,) = shuffled_orders(seed, len(lists))
    news, topics = shorter(shift([lists[k] for k in order], start_char, index_from), topics[order], maxlen)
    news = limit(news, num_words, skip_top, oov_char)
    cut = int(len(news) * (1 - test_split))
    return (as_objects(news[:cut]), topics[:cut]), (as_objects(news[cut:]), topics[cut:])


def get_word_index(path: str | os.PathLike[str] | None = "reuters_word_index.json") -> dict[str, int]:
    """Return the numbers of the words, without the shift by `index_from`.

    Args:
        path: the file reuters_word_index.json or its folder; else it is looked for in the folder of FASTGD_DATA.

    Raises:
        FileNotFoundError: the file is nowhere; the message says where to put it.
        ValueError: it is damaged.
    """
    return read_index(path, "reuters_word_index.json")


def get_label_names() -> tuple[str, ...]:
    """Return the names of the topics in the order of their numbers."""
    return tuple(_TOPICS.split())
