"""Data that come batch by batch: generators, iterators, data loaders and PyDatasets, read in the order of training."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any

import numpy as np

from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.py_dataset import PyDataset, read_batches


def is_stream(x: Any) -> bool:
    """Return whether `x` is data in batches rather than an array, a data frame or a structure of arrays."""
    if isinstance(x, PyDataset):
        return True
    if isinstance(x, (list, tuple, Mapping, Set, str, bytes, np.ndarray)) or x is None:
        return False
    # Arrays and data frames of other libraries can be iterated over too, but they have a shape.
    return isinstance(x, Iterable) and not hasattr(x, "shape") and not hasattr(x, "__array__")


def unpack_batch(batch: Any, name: str = "x") -> tuple[Any, Any, Any]:
    """Return x, y and the sample weights of what a stream gave: (x,), (x, y), (x, y, sample_weight), or x alone.

    Raises:
        TypeError: for a tuple of another length.
    """
    if not isinstance(batch, tuple):
        return batch, None, None
    if not 1 <= len(batch) <= 3:
        raise mistyped(f"`{name}` must give tuples (x,), (x, y) or (x, y, sample_weight).", **{f"len({name})": batch})
    x, y, weight = (*batch, None, None)[:3]
    return x, y, weight


class Stream:
    """Batches in the order in which a run takes them.

    An epoch ends with the stream, or after `steps` batches: then the next epoch goes on where the last one stopped,
    as long as there is more. A PyDataset and any other object that can be iterated over again begin anew when they
    come to their end; a generator cannot.

    Args:
        source: what `is_stream` knows.
        steps: the batches of an epoch; None for all.
        name: what messages call the source.

    Attributes:
        steps: the batches of an epoch, None if nobody knows.
        first: x, y and sample weights of the first batch, which tell what the data are like.

    Raises:
        ValueError: if there is no first batch.
    """

    def __init__(self, source: Any, steps: int | None, name: str = "x") -> None:
        self._source = source
        self._name = name
        self._limit = steps
        self._shuffle: np.random.Generator | None = None
        self._seed: int | None = None
        # The passes begun, and the batches taken from the last one.
        self._passes, self._taken = 0, 0
        self._batches: Iterator[Any] | None = None
        count = _length(source)
        self.steps = steps if steps is not None else count
        # A generator that is looked into gives its first batch only once.
        self._peeked: list[Any] = []
        if isinstance(source, PyDataset):
            if count == 0:
                raise invalid(f"`{name}` must have at least one batch.", **{f"len({name})": 0})
            self.first = unpack_batch(source[0], name)
            return
        self._batches = iter(source)
        peeked = next(self._batches, None)
        if peeked is None:
            raise invalid(f"`{name}` must give at least one batch.", **{name: source})
        self._peeked = [peeked]
        self.first = unpack_batch(peeked, name)

    def shuffle(self, seed: int | None) -> None:
        """Take the batches of a PyDataset in another order in every epoch; None keeps theirs."""
        self._shuffle = None if seed is None else np.random.default_rng(seed)
        self._seed = seed

    def position(self) -> dict[str, Any]:
        """Return how far the stream was read, as numbers."""
        return {"shuffle_seed": self._seed, "passes": self._passes, "taken": self._taken}

    def resume(self, position: Mapping[str, Any]) -> None:
        """Read on where a stream of the same source stood; a generator goes on where it stands itself."""
        if not self._restarts:
            return
        seed, passes = position["shuffle_seed"], int(position["passes"])
        self.shuffle(None if seed is None else int(seed))
        if isinstance(self._source, PyDataset) and passes:
            if self._shuffle is not None:
                for _ in range(passes - 1):
                    self._shuffle.permutation(self._source.num_batches or 0)
            self._batches = self._begin()
        self._passes, self._taken = passes, 0
        for _ in range(int(position["taken"])):
            self._next(restart=False)

    def epoch(self, taken: int = 0) -> Iterator[tuple[Any, Any, Any]]:
        """Yield x, y and sample weights of the batches of the next epoch, or of one without its first `taken`."""
        dataset = self._source if isinstance(self._source, PyDataset) else None
        if dataset is not None:
            dataset.on_epoch_begin()
        while self._limit is None or taken < self._limit:
            batch = self._next(restart=taken == 0 or self._limit is not None)
            if batch is None:
                break
            taken += 1
            yield unpack_batch(batch, self._name)
        if dataset is not None:
            dataset.on_epoch_end()

    @property
    def _restarts(self) -> bool:
        return isinstance(self._source, PyDataset) or not isinstance(self._source, Iterator)

    def _next(self, restart: bool) -> Any:
        """Return the next batch, from a new pass if the last one has ended and another may begin; else None."""
        self._taken += 1
        if self._peeked:
            self._passes += 1
            return self._peeked.pop()
        if self._batches is not None:
            batch = next(self._batches, None)
            if batch is not None or not self._restarts:
                return batch
            self._batches = None
        if not restart:
            self._taken -= 1
            return None
        self._passes, self._taken = self._passes + 1, 1
        self._batches = self._begin()
        return next(self._batches, None)

    def _begin(self) -> Iterator[Any]:
        if not isinstance(self._source, PyDataset):
            return iter(self._source)
        count = self._source.num_batches
        if count is None:
            return (self._source[index] for index in itertools.count())
        order = np.arange(count) if self._shuffle is None else self._shuffle.permutation(count)
        return read_batches(self._source, [int(index) for index in order])


def _length(source: Any) -> int | None:
    """Return how many batches a source says it has."""
    if isinstance(source, PyDataset):
        return source.num_batches
    try:
        return len(source)
    except TypeError:
        return None
