"""Rows to train on or to predict for, dense or sparse, in parts that the engine takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from fastgd.models.feeds import Feeds

Array = npt.NDArray[Any]

# Sparse rows are made dense all at once up to so many bytes, beyond in parts of that size.
DENSE_BYTES = 2**28


class Rows:
    """Features with the targets and weights that go with them.

    Args:
        x: a dense array (n, ...) or a sparse matrix (n, features).
        targets: an array of n rows, or None.
        weights: an array (n,), or None.
        batch_size: what parts of a sparse matrix hold a multiple of.

    Attributes:
        is_sparse: whether the rows are too large to be dense at once.
    """

    def __init__(self, x: Any, targets: Array | None = None, weights: Array | None = None, batch_size: int = 1) -> None:
        self.count = int(x.shape[0])
        self.targets, self.weights = targets, weights
        self._step = self.count
        if scipy.sparse.issparse(x):
            row_bytes = max(1, x.shape[1] * x.dtype.itemsize)
            if row_bytes * self.count <= DENSE_BYTES:
                x = x.toarray()
            else:
                x = x.tocsr()
                self._step = max(1, DENSE_BYTES // row_bytes // batch_size) * batch_size
        self.x = x
        self.is_sparse = bool(scipy.sparse.issparse(x))

    @property
    def weighted(self) -> frozenset[int]:
        """The outputs with sample weights, as `Feeds` has them."""
        return frozenset() if self.weights is None else frozenset({0})

    def parts(self, order: Array | None = None) -> Iterator[Feeds]:
        """Yield all rows as feeds: dense ones at once and as they are, sparse ones part by part in this order."""
        arrays = [array for array in (self.targets, self.weights) if array is not None]
        if not self.is_sparse:
            yield Feeds((self.x, *arrays), self.weighted)
            return
        for start in range(0, self.count, self._step):
            stop = min(start + self._step, self.count)
            chosen: Any = slice(start, stop) if order is None else order[start:stop]
            yield Feeds((self.x[chosen].toarray(), *(array[chosen] for array in arrays)), self.weighted)

    def order(self, seed: int, epoch: int) -> Array:
        """Return the order of the rows of an epoch."""
        return np.random.default_rng((seed, epoch)).permutation(self.count)
