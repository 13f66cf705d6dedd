"""Counter-based random numbers: Philox 4x32-10, the shuffle of an epoch and the mask of dropout.

Every number is a pure function of a seed and a position, so both interpreters and any number of threads agree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint32]

ROUNDS = 10
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_INCREMENTS = (0x9E3779B9, 0xBB67AE85)
MASK = 0xFFFFFFFF
# The last counter word of the shuffle, "SHUF" in ASCII: it keeps the shuffle's numbers apart from dropout's.
SHUFFLE_STREAM = 0x53485546


def low32(value: int) -> int:
    """Return bits 0 to 31 of a non-negative integer."""
    return value & MASK


def high32(value: int) -> int:
    """Return bits 32 to 63 of a non-negative integer."""
    return (value >> 32) & MASK


def philox(counter: Sequence[npt.ArrayLike], seed: int) -> tuple[Words, Words, Words, Words]:
    """Return the four words of Philox 4x32-10 for each counter.

    One round maps the counter (a, b, c, d) with the key (k, l) to
    (high(M1 c) ^ b ^ k, low(M1 c), high(M0 a) ^ d ^ l, low(M0 a)); between rounds the key grows by the increments.

    Args:
        counter: the four counter words, each a number or an array of numbers below 2^32; they broadcast.
        seed: the 64-bit key, its low word first.

    Returns:
        Four uint32 arrays of the broadcast shape.

    Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
    """
    # 64-bit lanes hold a whole product of two words; the inputs stay below 2^32, so nothing overflows.
    a, b, c, d = np.broadcast_arrays(*(np.asarray(word, dtype=np.uint64) for word in counter))
    key = [low32(seed), high32(seed)]
    for _ in range(ROUNDS):
        first = a * np.uint64(MULTIPLIERS[0])
        second = c * np.uint64(MULTIPLIERS[1])
        a, b, c, d = (
            (second >> np.uint64(32)) ^ b ^ np.uint64(key[0]),
            second & np.uint64(MASK),
            (first >> np.uint64(32)) ^ d ^ np.uint64(key[1]),
            first & np.uint64(MASK),
        )
        key = [low32(word + step) for word, step in zip(key, KEY_INCREMENTS, strict=True)]
    return a.astype(np.uint32), b.astype(np.uint32), c.astype(np.uint32), d.astype(np.uint32)


def below(low: Words, high: Words, bound: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return floor(r bound / 2^64) for r = low + 2^32 high: a random number below `bound`, which is at most 2^32.

    It is the upper half of a 128-bit product, taken by halves; the limit keeps each partial sum below 2^64.
    """
    carry = (low.astype(np.uint64) * bound) >> np.uint64(32)
    drawn: npt.NDArray[np.uint64] = (high.astype(np.uint64) * bound + carry) >> np.uint64(32)
    return drawn


def permutation(n: int, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """Return the order of `n` rows in an epoch: Fisher and Yates's shuffle, from the last row down.

    Row i is swapped with row j = floor(r (i + 1) / 2^64), where r is a 64-bit number drawn for (i, epoch).

    Args:
        n: the number of rows, at most 2^32.
        seed: the 64-bit seed of the whole training.
        epoch: the number of the epoch; its low 32 bits count.

    Returns:
        The numbers 0 to n - 1 in their new order.

    Raises:
        ValueError: if `n` is negative or above 2^32.
    """
    if not 0 <= n <= 1 << 32:
        raise ValueError(f"the number of rows must lie in 0..2^32. Received: n={n}")
    rows = np.arange(n - 1, 0, -1, dtype=np.uint64)
    low, high, _, _ = philox((rows & np.uint64(MASK), rows >> np.uint64(32), low32(epoch), SHUFFLE_STREAM), seed)
    partners = below(low, high, rows + np.uint64(1))
    order = list(range(n))
    # Each swap depends on those before it, so this one loop cannot be vectorised; on a list it is quick.
    for i, j in zip(range(n - 1, 0, -1), partners.tolist(), strict=True):
        order[i], order[j] = order[j], order[i]
    return np.array(order, dtype=np.int64)


def keep_mask(shape: Sequence[int], rate: float, seed: int, iteration: int) -> npt.NDArray[np.bool_]:
    """Return which elements dropout keeps: those whose random word is at least floor(rate 2^32).

    Args:
        shape: the shape of the tensor; element e is counted in C order.
        rate: the share to drop, in [0, 1].
        seed: the seed of the step.
        iteration: the training iteration.

    Returns:
        A boolean array of `shape`; all False for a rate of 1.
    """
    size = math.prod(shape)
    threshold = math.floor(rate * 2.0**32)
    if threshold > MASK:
        return np.zeros(shape, dtype=np.bool_)
    blocks = np.arange(-(-size // 4), dtype=np.uint64)
    counter: tuple[Any, ...] = (
        blocks & np.uint64(MASK),
        blocks >> np.uint64(32),
        low32(iteration),
        high32(iteration),
    )
    words = np.stack(philox(counter, seed), axis=-1).reshape(blocks.size * 4)[:size]
    kept: npt.NDArray[np.bool_] = (words >= np.uint32(threshold)).reshape(shape)
    return kept
