"""Film reviews as lists of word numbers, to be told apart as good or bad, read from Keras' file."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from fastgd.datasets.split import shuffled_orders
from fastgd.datasets.word_lists import as_objects, check_lists, limit, read, read_index, shift, shorter

Part = tuple[NDArray[np.object_], NDArray[np.int64]]


def load_data(
    path: str | os.PathLike[str] | None = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[Part, Part]:
    """Load 25,000 reviews to train on and 25,000 to test with, half of them good.

    Words are numbered by how often they occur: 1 is the most frequent one, before `index_from` is added.

    Args:
        path: the file imdb.npz or its folder; else it is looked for in the folder that FASTGD_DATA names.
        num_words: numbers from here on become `oov_char`; that of the rarest word if None.
        skip_top: numbers below become `oov_char`, too.
        maxlen: longer reviews are left out, and those of this length; None for no limit.
        seed: that of the order of the reviews.
        start_char: the number before each review; None for none.
        oov_char: stands for the words left out; None leaves no trace of them.
        index_from: what is added to all numbers.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists of integers, and labels, 1 for good.

    Raises:
        FileNotFoundError: the file is nowhere; the message says where to put it.
        ValueError: it is damaged, or `maxlen` leaves nothing.

    Source:
        A. L. Maas and others, Learning Word Vectors for Sentiment Analysis, ACL 2011.
    """
    place, arrays = read(path, "imdb.npz")
    given = [
        check_lists(place, f"x_{part}", arrays.get(f"x_{part}"), arrays.get(f"y_{part}")) for part in ("train", "test")
    ]
    orders = shuffled_orders(seed, *(len(lists) for lists, _ in given))
    parts = [
        shorter(shift([lists[k] for k in order], start_char, index_from), labels[order], maxlen)
        for (lists, labels), order in zip(given, orders, strict=True)
    ]
    cut = len(parts[0][0])
    reviews = limit([*parts[0][0], *parts[1][0]], num_words, skip_top, oov_char)
    return (as_objects(reviews[:cut]), parts[0][1]), (as_objects(reviews[cut:]), parts[1][1])


def get_word_index(path: str | os.PathLike[str] | None = "imdb_word_index.json") -> dict[str, int]:
    """Return the numbers of the words, without the shift by `index_from`.

    Args:
        path: the file imdb_word_index.json or its folder; else it is looked for in the folder that FASTGD_DATA names.

    Raises:
        FileNotFoundError: the file is nowhere; the message says where to put it.
        ValueError: it is damaged.
    """
    return read_index(path, "imdb_word_index.json")
