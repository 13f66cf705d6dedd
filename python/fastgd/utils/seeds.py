"""The global random generator from which everything without a seed of its own draws one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid
from fastgd.utils.locks import ForkSafeLock

# Made at the first draw: importing numpy.random takes longer than importing most of fastgd.
_generator: np.random.Generator | None = None
_lock = ForkSafeLock()


def set_random_seed(seed: int) -> None:
    """Seed fastgd, NumPy's legacy generator and Python's `random`, so that a script gives the same result each time.

    Initial weights, dropout masks and the order of the rows follow from it, for any number of threads.

    Args:
        seed: from 0 to 2**32 - 1.

    Raises:
        ValueError: if it is out of that range.

    Example:
        >>> fastgd.utils.set_random_seed(1)
    """
    global _generator
    value = check_int("seed", seed, 0)
    if value >= 2**32:
        raise invalid("`seed` must be below 2**32.", seed=seed)
    random.seed(value)
    np.random.seed(value)  # noqa: NPY002 - the legacy generator is what users of it expect to be seeded
    with _lock:
        _generator = np.random.default_rng(value)


def draw_seed() -> int:
    """Return a fresh 64-bit seed from the global generator."""
    global _generator
    with _lock:
        if _generator is None:
            _generator = np.random.default_rng()
        return int(_generator.integers(0, 2**64, dtype=np.uint64))


@contextmanager
def seeded_draws(seed: int) -> Iterator[None]:
    """Let `draw_seed` follow from a seed inside the block, and go on as before after it.

    Args:
        seed: 0 or more.
    """
    global _generator
    with _lock:
        before, _generator = _generator, np.random.default_rng(seed)
    try:
        yield
    finally:
        with _lock:
            _generator = before
