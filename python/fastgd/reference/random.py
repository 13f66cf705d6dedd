"""Counter-based random numbers: Philox 4x32-10, the shuffle of an epoch, the mask of dropout, normal deviates.

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
    threshold = math.floor(rate * 2.0**32)
    if threshold > MASK:
        return np.zeros(shape, dtype=np.bool_)
    kept: npt.NDArray[np.bool_] = element_words(shape, seed, iteration) >= np.uint32(threshold)
    return kept


def element_words(shape: Sequence[int], seed: int, iteration: int) -> Words:
    """Return one random word per element: word e mod 4 of block e / 4, with e counted in C order."""
    size = math.prod(shape)
    blocks = np.arange(-(-size // 4), dtype=np.uint64)
    counter: tuple[Any, ...] = (
        blocks & np.uint64(MASK),
        blocks >> np.uint64(32),
        low32(iteration),
        high32(iteration),
    )
    return np.stack(philox(counter, seed), axis=-1).reshape(blocks.size * 4)[:size].reshape(shape)


def image_words(images: int, seed: int, iteration: int) -> Words:
    """Return eight random words for each image: those of eight consecutive elements."""
    return element_words((images, 8), seed, iteration)


def uniform(words: Words, low: float, high: float) -> npt.NDArray[np.float64]:
    """Return low + (high - low) (w + 1/2) / 2^32 for each word w."""
    numbers: npt.NDArray[np.float64] = low + (high - low) * ((words.astype(np.float64) + 0.5) / 2.0**32)
    return numbers


# Wichura, Algorithm AS 241, Applied Statistics 37, 1988: numerators and denominators of PPND16, the highest power first
# as numpy.polyval takes them. With words of 32 bits the third of its ranges never occurs.
CENTRAL = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
     1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080e0),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
     5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0),
)  # fmt: skip
TAIL = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e0,
     3.64784832476320460504e0, 5.76949722146069140550e0, 4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e0, 2.05319162663775882187e0, 1.0),
)  # fmt: skip


def deviates(shape: Sequence[int], seed: int, iteration: int) -> npt.NDArray[np.float64]:
    """Return standard normal deviates: for the word w the inverse of the normal distribution at (w + 1/2) / 2^32.

    Args:
        shape: the shape of the tensor; element e is counted in C order.
        seed: the seed of the step.
        iteration: the training iteration.

    Source: Wichura, Algorithm AS 241, Applied Statistics 37, 1988.
    """
    # Exact in float64: 33 bits.
    q = (element_words(shape, seed, iteration) + 0.5) / 2.0**32 - 0.5
    t = 0.5 - np.abs(q)
    r = 0.180625 - q * q
    s = np.sqrt(-np.log(t)) - 1.6
    central = q * np.polyval(CENTRAL[0], r) / np.polyval(CENTRAL[1], r)
    tail = np.copysign(np.polyval(TAIL[0], s) / np.polyval(TAIL[1], s), q)
    found: npt.NDArray[np.float64] = np.where(t >= 0.075, central, tail)
    return found
