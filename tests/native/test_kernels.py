"""fastgd.kernels: the raw kernels against NumPy, in place where they say so, and their refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from fastgd import kernels

Array = np.ndarray[Any, Any]

# Sizes around every edge of the tiles, deep enough for several blocks, and far apart enough in memory to be packed.
SIZES = [
    (1, 1, 1), (1, 64, 33), (64, 1, 33), (7, 10, 3), (31, 77, 129), (64, 65, 63), (15, 1000, 17), (130, 130, 1100),
    (200, 640, 520), (520, 600, 30), (150, 300, 140), (30, 600, 520), (30, 530, 400), (33, 70, 1), (300, 600, 1),
    (3, 0, 5), (3, 5, 0),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("ta", [False, True])
@pytest.mark.parametrize("tb", [False, True])
def test_products(size: tuple[int, int, int], dtype: str, ta: bool, tb: bool) -> None:
    m, n, k = size
    rng = np.random.default_rng(m + n + k)
    a = rng.normal(size=(k, m) if ta else (m, k)).astype(dtype)
    b = rng.normal(size=(n, k) if tb else (k, n)).astype(dtype)
    wide = (a.T if ta else a).astype(np.longdouble) @ (b.T if tb else b).astype(np.longdouble)
    out = np.full((m, n), np.nan, dtype)
    before = fastgd.get_num_threads()
    results = []
    for threads in (1, 2, 3):
        fastgd.set_num_threads(threads)
        results.append(kernels.matmul(a, b, ta, tb).copy())
    fastgd.set_num_threads(before)
    assert all(np.array_equal(r, results[0]) for r in results)
    assert kernels.matmul(a, b, ta, tb, out=out) is out
    assert np.array_equal(out, results[0])
    tolerances.assert_close(out, wide, tolerances.summed(dtype, k))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("offset", [0, 1, 7, 15])
def test_products_of_operands_at_any_address(offset: int, dtype: str) -> None:
    # Rows of a round length, copied from the border of a line on, and shorter ones that end before it.
    rng = np.random.default_rng(offset)
    for m, n, k in ((40, 70, 1024), (40, 70, 8), (150, 200, 1000)):
        a, b = (rng.normal(size=size).astype(dtype) for size in ((m, k), (n, k)))
        odd_a, odd_b = (np.empty(x.size + offset, dtype)[offset:].reshape(x.shape) for x in (a, b))
        odd_a[:], odd_b[:] = a, b
        out = kernels.matmul(odd_a, odd_b, transpose_b=True)
        assert np.array_equal(out, kernels.matmul(a, np.ascontiguousarray(b.T)))
        tolerances.assert_close(out, a.astype(np.longdouble) @ b.astype(np.longdouble).T, tolerances.summed(dtype, k))


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sigmoid"])
def test_elementary_functions(name: str) -> None:
    x = np.random.default_rng(0).uniform(0.1, 3, (7, 33)).astype(np.float32)
    expected = 1 / (1 + np.exp(-x.astype(float))) if name == "sigmoid" else getattr(np, name)(x.astype(float))
    np.testing.assert_allclose(getattr(kernels, name)(x), expected, rtol=2 * tolerances.EPS["float32"])
    assert getattr(kernels, name)(x, out=x) is x
    np.testing.assert_allclose(x, expected, rtol=2 * tolerances.EPS["float32"])


def test_what_is_no_array_is_named() -> None:
    a, x = np.ones((2, 2), np.float32), np.ones((1, 4, 1), np.float32)
    calls: list[tuple[str, Any]] = [
        ("a", lambda wrong: kernels.matmul(wrong, a)),
        ("a", lambda wrong: kernels.matmul(wrong, a, out=a)),
        ("b", lambda wrong: kernels.matmul(a, wrong)),
        ("out", lambda wrong: kernels.matmul(a, a, out=wrong)),
        ("w", lambda wrong: kernels.convolution(x, wrong)),
        ("x", lambda wrong: kernels.exp(wrong)),
        ("out", lambda wrong: kernels.exp(a, wrong)),
        ("logits", lambda wrong: kernels.softmax_crossentropy(wrong, np.zeros(2, np.int32))),
        ("labels", lambda wrong: kernels.softmax_crossentropy(a, wrong)),
        ("g", lambda wrong: kernels.sgd_update(a, wrong)),
        ("v", lambda wrong: kernels.momentum_update(a, a, wrong)),
        ("m", lambda wrong: kernels.adam_update(a, a, wrong, a, 1)),
    ]
    for name, call in calls:
        with pytest.raises(TypeError, match=rf"`{name}` must be a NumPy array. Received: {name}=\[\[1.0, 2.0\]\]"):
            call([[1.0, 2.0]])
    with pytest.raises(TypeError, match="incompatible function arguments"):
        kernels.adam_update(a, a, a, a, "1")  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("isa", fastgd.runtime.available_isas())
def test_peaks_are_those_of_a_processor(isa: str, dtype: str) -> None:
    # Between one operation in ten cycles of a slow processor, and two vectors of 16 in each of a fast one.
    for loads in (False, True):
        assert 1e7 < kernels.peak_flops(isa, 1, dtype, 0.001, loads=loads) < 1e12


def test_updates_are_in_place() -> None:
    rng = np.random.default_rng(1)
    w, g = rng.normal(size=200_001), rng.normal(size=200_001)
    expected = w - 0.1 * g
    kernels.sgd_update(w, g, 0.1)
    np.testing.assert_allclose(w, expected, rtol=1e-12, atol=1e-14)
    v = rng.normal(size=w.size)
    velocity = 0.8 * v - 0.1 * g
    expected = w + 0.8 * velocity - 0.1 * g
    kernels.momentum_update(w, g, v, 0.1, 0.8, nesterov=True)
    np.testing.assert_allclose(v, velocity, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(w, expected, rtol=1e-12, atol=1e-14)
    m, s = np.zeros_like(w), np.zeros_like(w)
    first, second, expected = np.zeros_like(w), np.zeros_like(w), w.copy()
    for step in (1, 2, 3):
        kernels.adam_update(w, g, m, s, step, 0.01, 0.8, 0.95, 1e-6)
        first += (g - first) * (1 - 0.8)
        second += (g * g - second) * (1 - 0.95)
        rate = 0.01 * np.sqrt(1 - 0.95**step) / (1 - 0.8**step)
        expected -= rate * first / (np.sqrt(second) + 1e-6)
    np.testing.assert_allclose(w, expected, rtol=1e-11, atol=1e-13)


def test_softmax_crossentropy() -> None:
    rng = np.random.default_rng(2)
    logits, labels = rng.normal(size=(9, 5)), rng.integers(0, 5, 9).astype(np.int32)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    loss, gradient = kernels.softmax_crossentropy(logits, labels)
    np.testing.assert_allclose(loss, -np.log(p[np.arange(9), labels]), rtol=1e-13)
    p[np.arange(9), labels] -= 1
    np.testing.assert_allclose(gradient, p / 9, atol=1e-16)


def test_the_door_converts_nothing() -> None:
    a = np.ones((3, 4), np.float32)
    with pytest.raises(ValueError, match="summed over 4 and 3 elements"):
        kernels.matmul(a, a)
    with pytest.raises(ValueError, match="`b` must be an array of float32. Received: dtype=float64"):
        kernels.matmul(a, np.ones((4, 2)))
    with pytest.raises(ValueError, match="`a` must be an array of float32 or float64. Received: dtype=int64"):
        kernels.matmul(a.astype(np.int64), a.T.astype(np.int64))
    with pytest.raises(ValueError, match="`b` must be C-contiguous"):
        kernels.matmul(a, a.T)
    with pytest.raises(ValueError, match=r"`out` must have the shape \(3, 3\). Received: \(4, 4\)"):
        kernels.matmul(a, a, transpose_b=True, out=np.ones((4, 4), np.float32))
    with pytest.raises(ValueError, match="must have two axes"):
        kernels.matmul(a, np.ones(4, np.float32))
    with pytest.raises(ValueError, match="`step` counts from 1. Received: step=0"):
        kernels.adam_update(a, a, a, a, 0)
    with pytest.raises(ValueError, match="`m` must have 12 elements. Received: 2"):
        kernels.adam_update(a, a, np.ones(2, np.float32), a, 1)
    with pytest.raises(ValueError, match="`dtype` must be 'float32' or 'float64'"):
        kernels.peak_flops(dtype="float16")
    with pytest.raises(ValueError, match="`threads` must be at least 1. Received: threads=0"):
        kernels.bandwidth(threads=0)
