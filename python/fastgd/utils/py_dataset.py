"""Data that come in batches by their number: the base class to derive from, and reading ahead with workers."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from fastgd.utils.checks import check_bool, check_int


class PyDataset:
    """Base of data sets that make batch k on demand, for `fit`, `evaluate` and `predict`.

    A subclass implements `__getitem__(index)`, which returns the batch of that number as (x,), (x, y) or
    (x, y, sample_weight), and `__len__` or `num_batches`, which says how many there are.

    Args:
        workers: how many batches are made at a time, ahead of the training; 1 makes each when it is needed, in the
            thread that trains. With more, `__getitem__` is called from several threads.
        use_multiprocessing: whether the workers are processes, each with a pickled copy of the data set, instead of
            threads.
        max_queue_size: how many batches wait at most.

    Raises:
        ValueError: if `workers` or `max_queue_size` is below 1.

    Example:
        >>> class Rows(fastgd.utils.PyDataset):
        ...     def __len__(self):
        ...         return 10
        ...     def __getitem__(self, index):
        ...         return x[32 * index : 32 * (index + 1)], y[32 * index : 32 * (index + 1)]
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self.workers = check_int("workers", workers, 1)
        self.use_multiprocessing = check_bool("use_multiprocessing", use_multiprocessing)
        self.max_queue_size = check_int("max_queue_size", max_queue_size, 1)

    def __getitem__(self, index: int) -> Any:
        """Return the batch of this number."""
        raise NotImplementedError(f"{type(self).__name__} must implement __getitem__(index)")

    @property
    def num_batches(self) -> int | None:
        """How many batches there are; None for no end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(f"{type(self).__name__} must implement __len__ or num_batches")

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch."""


def read_batches(dataset: PyDataset, order: Sequence[int]) -> Iterator[Any]:
    """Yield the batches whose numbers `order` lists, made ahead by the workers of the data set."""
    # A subclass may leave out the call of __init__, as Keras lets it.
    workers = getattr(dataset, "workers", 1)
    processes = getattr(dataset, "use_multiprocessing", False)
    if workers == 1 and not processes:
        yield from (dataset[index] for index in order)
        return
    waiting: deque[Future[Any]] = deque()
    limit = max(workers, getattr(dataset, "max_queue_size", 10))
    with _pool(dataset, workers, processes) as pool:
        try:
            for index in order:
                waiting.append(pool.submit(_fetch, index) if processes else pool.submit(dataset.__getitem__, index))
                if len(waiting) == limit:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _pool(dataset: PyDataset, workers: int, processes: bool) -> Executor:
    if not processes:
        return ThreadPoolExecutor(workers, thread_name_prefix="fastgd-data")
    # Started anew, because a fork would take the locks of other threads along.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _adopt, (dataset,))


_adopted: list[PyDataset] = []


def _adopt(dataset: PyDataset) -> None:
    """Keep the data set of this worker process."""
    _adopted[:] = [dataset]


def _fetch(index: int) -> Any:
    return _adopted[0][index]
