"""The global random generator from which everything without a seed of its own draws one."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

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
    with _lock:
        return int(_made().integers(0, 2**64, dtype=np.uint64))


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


def generator_state() -> dict[str, Any]:
    """Return where the global generator stands, as strings and numbers."""
    with _lock:
        return dict(_made().bit_generator.state)


def set_generator_state(state: Mapping[str, Any]) -> None:
    """Let the global generator go on from what `generator_state` returned.

    Raises:
        ValueError: if it is no such state.
    """
    with _lock:
        try:
            _made().bit_generator.state = dict(state)
        except (TypeError, KeyError, OverflowError) as error:
            raise invalid("`state` is no state of the generator.", state=state) from error


def _made() -> np.random.Generator:
    global _generator
    if _generator is None:
        _generator = np.random.default_rng()
    return _generator
