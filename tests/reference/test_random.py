"""The random numbers: published answers for Philox, a frozen shuffle, and the statistics of dropout."""

from __future__ import annotations

import numpy as np
import pytest

from fastgd.reference.random import below, keep_mask, permutation, philox

# The known answers of Random123 for philox4x32-10: counter, key, words.
KNOWN_ANSWERS = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def plain_philox(counter: tuple[int, int, int, int], seed: int) -> tuple[int, int, int, int]:
    """Philox in Python's own integers, one counter at a time."""
    a, b, c, d = counter
    k, m = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        p, q = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (q >> 32) ^ b ^ k, q & 0xFFFFFFFF, (p >> 32) ^ d ^ m, p & 0xFFFFFFFF
        k, m = (k + 0x9E3779B9) & 0xFFFFFFFF, (m + 0xBB67AE85) & 0xFFFFFFFF
    return a, b, c, d


def plain_permutation(n: int, seed: int, epoch: int) -> list[int]:
    """The shuffle word for word as docs/ops.md has it."""
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        words = plain_philox((i & 0xFFFFFFFF, i >> 32, epoch, 0x53485546), seed)
        j = ((words[0] + (words[1] << 32)) * (i + 1)) >> 64
        order[i], order[j] = order[j], order[i]
    return order


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_philox_gives_the_published_words(counter, key, words):
    got = philox(counter, key[0] | key[1] << 32)
    assert tuple(int(word) for word in got) == words
    assert all(word.dtype == np.uint32 for word in got)


def test_philox_over_arrays_is_philox_for_each_counter():
    first = np.arange(20, dtype=np.uint64) * 214748364
    seed = 0x0123456789ABCDEF
    words = np.stack(philox((first, 7, 0xFFFFFFFF, 3), seed), axis=-1)
    assert words.tolist() == [list(plain_philox((int(a), 7, 0xFFFFFFFF, 3), seed)) for a in first]


def test_permutation_is_frozen():
    assert permutation(10, seed=42, epoch=3).tolist() == FROZEN_PERMUTATION


@pytest.mark.parametrize("n", [0, 1, 2, 3, 100])
@pytest.mark.parametrize(("seed", "epoch"), [(0, 0), (2**64 - 1, 1), (12345678901234567890, 2**32 - 1)])
def test_permutation_is_the_documented_shuffle(n, seed, epoch):
    assert permutation(n, seed, epoch).tolist() == plain_permutation(n, seed, epoch)
    assert sorted(permutation(n, seed, epoch).tolist()) == list(range(n))


def test_permutation_changes_with_seed_and_epoch():
    orders = {tuple(permutation(50, seed, epoch).tolist()) for seed in (1, 1 << 32) for epoch in (0, 1)}
    assert len(orders) == 4


def test_permutation_refuses_a_negative_number_of_rows():
    with pytest.raises(ValueError, match="n=-1"):
        permutation(-1, 0, 0)


def test_keep_mask_takes_its_words_in_order():
    seed, iteration, rate = 99, (5 << 32) + 6, 0.4
    words = [plain_philox((block, 0, 6, 5), seed)[k] for block in range(4) for k in range(4)][:14]
    expected = [word >= int(0.4 * 2**32) for word in words]
    assert keep_mask((2, 7), rate, seed, iteration).reshape(-1).tolist() == expected


def test_below_is_exact_to_the_last_bit():
    # Halves and bounds where the carry of the lower product decides.
    halves = [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]
    cases = [(low, high, bound) for low in halves for high in halves for bound in (1, 3, 0x80000001, 2**32)]
    low, high, bound = (np.array(column, dtype=np.uint64) for column in zip(*cases, strict=True))
    got = below(low.astype(np.uint32), high.astype(np.uint32), bound)
    assert got.tolist() == [((a + (b << 32)) * c) >> 64 for a, b, c in cases]


def test_keep_mask_keeps_a_word_equal_to_the_threshold():
    word = plain_philox((0, 0, 0, 0), 5)[2]
    assert keep_mask((4,), word / 2**32, 5, 0)[2]
    assert not keep_mask((4,), (word + 1) / 2**32, 5, 0)[2]


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_keep_mask_keeps_the_right_share(rate):
    n = 40000
    kept = int(keep_mask((n,), rate, seed=7, iteration=1).sum())
    # Five standard deviations of a binomial count.
    assert abs(kept - n * (1 - rate)) <= 5 * np.sqrt(n * rate * (1 - rate))


def test_keep_mask_of_nothing():
    assert keep_mask((0, 3), 0.5, 1, 2).shape == (0, 3)


# Written down when the shuffle was checked against plain_permutation; it must never change.
FROZEN_PERMUTATION = [5, 3, 2, 0, 7, 8, 1, 6, 4, 9]
