"""Automatic names as Keras gives them: snake case with a counter per prefix."""

from __future__ import annotations

import gc
import re
from collections import Counter
from collections.abc import Container, Sequence

from fastgd.utils.locks import ForkSafeLock

# A capital starts a word after a small letter, and wherever a small letter follows it: Conv2DTranspose gives
# conv2d_transpose.
_WORD_START = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])")

_counts: Counter[str] = Counter()
_lock = ForkSafeLock()


def snake_case(name: str) -> str:
    """Return a class name in snake case, as Keras writes it."""
    return _WORD_START.sub("_", name).lower()


def automatic_name(prefix: str) -> str:
    """Return `prefix` the first time, then `prefix_1`, `prefix_2` and so on."""
    with _lock:
        count = _counts[prefix]
        _counts[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def distinct_name(name: str, taken: Container[str]) -> str:
    """Return `name`, or `name_1`, `name_2`... if it is among those `taken`."""
    candidate, count = name, 0
    while candidate in taken:
        count += 1
        candidate = f"{name}_{count}"
    return candidate


def distinct_names(names: Sequence[str]) -> list[str]:
    """Return the names in their order, each made distinct from those before it."""
    result: list[str] = []
    for name in names:
        result.append(distinct_name(name, result))
    return result


def clear_session(free_memory: bool = True) -> None:
    """Start the automatic names of layers and models anew: the next Dense is called "dense" again.

    Args:
        free_memory: whether to collect models at once that nobody uses any more.
    """
    with _lock:
        _counts.clear()
    if free_memory:
        gc.collect()
