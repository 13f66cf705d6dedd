"""Reductions and shape ops on arrays and inside models: against NumPy, on both backends, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.linalg import norm

import fastgd
import tolerances
from fastgd import _core, layers, ops, runtime
from fastgd.layers import Layer
from fastgd.ops.builder import PlanBuilder

RNG = np.random.default_rng(7)
A = RNG.normal(size=(5, 3, 7))
LABELS = np.array([[0, 4, -1], [2, 5, 1]])


def logsumexp(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": np.sum, "mean": np.mean, "prod": np.prod, "max": np.max, "min": np.min, "var": np.var, "std": np.std,
    "logsumexp": logsumexp,
}  # fmt: skip


@pytest.fixture(params=runtime.BACKENDS)
def backend(request: pytest.FixtureRequest) -> Any:
    with fastgd.backend(request.param):
        yield request.param


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (1, -1), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions(backend: str, name: str, axis: Any, keepdims: bool) -> None:
    got = getattr(ops, name)(A, axis, keepdims)
    tolerances.assert_close(got, REDUCTIONS[name](A, axis=axis, keepdims=keepdims), tolerances.summed("float64", 105))


MOVES: list[tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = [
    ("argmax", lambda x: ops.argmax(x, -1), lambda x: np.argmax(x, -1)),
    ("argmax all", lambda x: ops.argmax(x, keepdims=True), lambda x: np.argmax(x, keepdims=True)),
    ("argmin", lambda x: ops.argmin(x, 1, True), lambda x: np.argmin(x, 1, keepdims=True)),
    ("cumsum", lambda x: ops.cumsum(x, 1), lambda x: np.cumsum(x, 1)),
    ("cumsum all", lambda x: ops.cumsum(x), lambda x: np.cumsum(x)),
    ("transpose", lambda x: ops.transpose(x), lambda x: np.transpose(x)),
    ("transpose axes", lambda x: ops.transpose(x, (1, -1, 0)), lambda x: np.transpose(x, (1, 2, 0))),
    ("swapaxes", lambda x: ops.swapaxes(x, 0, -1), lambda x: np.swapaxes(x, 0, -1)),
    ("moveaxis", lambda x: ops.moveaxis(x, 0, 1), lambda x: np.moveaxis(x, 0, 1)),
    ("moveaxis two", lambda x: ops.moveaxis(x, (0, 1), (-1, 0)), lambda x: np.moveaxis(x, (0, 1), (-1, 0))),
    ("ravel", lambda x: ops.ravel(x), lambda x: np.ravel(x)),
    ("expand_dims", lambda x: ops.expand_dims(x, (0, -1)), lambda x: np.expand_dims(x, (0, -1))),
    ("squeeze", lambda x: ops.squeeze(ops.expand_dims(x, 1)), lambda x: x),
    ("stack", lambda x: ops.stack([x, 2 * x], 0), lambda x: np.stack([x, 2 * x], 0)),
    ("stack last", lambda x: ops.stack([x, 2 * x], -1), lambda x: np.stack([x, 2 * x], -1)),
    ("concatenate", lambda x: ops.concatenate([x, 2 * x]), lambda x: np.concatenate([x, 2 * x])),
    ("flip", lambda x: ops.flip(x), lambda x: np.flip(x)),
    ("flip axes", lambda x: ops.flip(x, (0, 2)), lambda x: np.flip(x, (0, 2))),
    ("pad", lambda x: ops.pad(x, ((0, 0), (2, 0), (1, 3)), constant_values=1.5),
     lambda x: np.pad(x, ((0, 0), (2, 0), (1, 3)), constant_values=1.5)),
    ("tile", lambda x: ops.tile(x, (2, 1, 3)), lambda x: np.tile(x, (2, 1, 3))),
    ("tile one", lambda x: ops.tile(x, 2), lambda x: np.tile(x, 2)),
    ("tile more", lambda x: ops.tile(x, (2, 1, 1, 2)), lambda x: np.tile(x, (2, 1, 1, 2))),
    ("repeat", lambda x: ops.repeat(x, 3, 1), lambda x: np.repeat(x, 3, 1)),
    ("repeat batch", lambda x: ops.repeat(x, 2, 0), lambda x: np.repeat(x, 2, 0)),
    ("repeat each", lambda x: ops.repeat(x, (0, 2, 1), 1), lambda x: np.repeat(x, (0, 2, 1), 1)),
    ("repeat all", lambda x: ops.repeat(x, 2), lambda x: np.repeat(x, 2)),
    ("take", lambda x: ops.take(x, [[0, -1], [3, 3]], -1), lambda x: np.take(x, [[0, -1], [3, 3]], -1)),
    ("take one", lambda x: ops.take(x, 2, 1), lambda x: np.take(x, 2, 1)),
    ("take rows", lambda x: ops.take(x, [4, 0], 0), lambda x: np.take(x, [4, 0], 0)),
    ("dot", lambda x: ops.dot(x, x[0].T), lambda x: np.dot(x, x[0].T)),
    ("dot of vectors", lambda x: ops.dot(x[0, 0], x[1, 1]), lambda x: np.dot(x[0, 0], x[1, 1])),
    ("dot of a stack", lambda x: ops.dot(x[0], x.swapaxes(1, 2)), lambda x: np.dot(x[0], x.swapaxes(1, 2))),
    ("dot of a number", lambda x: ops.dot(x, 2.0), lambda x: 2 * x),
    ("tensordot", lambda x: ops.tensordot(x, x, [(2, 0), (2, 0)]), lambda x: np.tensordot(x, x, [(2, 0), (2, 0)])),
    ("tensordot 2", lambda x: ops.tensordot(x, x[0]), lambda x: np.tensordot(x, x[0])),
    ("tensordot 0", lambda x: ops.tensordot(x, x[0], 0), lambda x: np.tensordot(x, x[0], 0)),
    ("outer", lambda x: ops.outer(x, x[0]), lambda x: np.outer(x, x[0])),
    ("slice", lambda x: ops.slice(x, (1, 0, 3), (2, None, 4)), lambda x: x[1:3, :, 3:]),
    ("diff", lambda x: ops.diff(x, 2, 1), lambda x: np.diff(x, 2, 1)),
    ("no diff", lambda x: ops.diff(x, 0), lambda x: x),
    *(
        (f"norm {order} {axis}", lambda x, k=(order, axis): ops.norm(x, *k), lambda x, k=(order, axis): norm(x, *k))
        for order, axis in (
            (None, None), (None, 1), (None, (0, 2)), ("fro", (2, 0)), (2, -1), (0, 1), (1, 0), (-1, 0), (3, 2),
            (-0.5, 2), (np.inf, 1), (-np.inf, 1), (1, (0, 2)), (1, (2, 0)), (-1, (0, 2)), (np.inf, (0, 2)),
            (-np.inf, (1, 2)),
        )
    ),
    ("norm kept", lambda x: ops.norm(x, 1, (0, 2), True), lambda x: norm(x, 1, (0, 2), True)),
    ("broadcast_to", lambda x: ops.broadcast_to(x, (2, 5, 3, 7)), lambda x: np.broadcast_to(x, (2, 5, 3, 7))),
]  # fmt: skip


@pytest.mark.parametrize(("of_ops", "of_numpy"), [row[1:] for row in MOVES], ids=[row[0] for row in MOVES])
def test_moves_and_searches(backend: str, of_ops: Any, of_numpy: Any) -> None:
    got, want = of_ops(A), of_numpy(A)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-14)
    assert got.dtype == (np.int32 if want.dtype.kind == "i" else np.float64)


def test_lists_of_parts(backend: str) -> None:
    for got, want in (
        (ops.split(A, 3, 1), np.split(A, 3, 1)),
        (ops.split(A, [2, 2, 5], -1), np.split(A, [2, 2, 5], -1)),
        (ops.unstack(A, axis=1), [A[:, k] for k in range(3)]),
    ):
        assert len(got) == len(want)
        for mine, other in zip(got, want, strict=True):
            np.testing.assert_array_equal(mine, other)


def test_one_hot_and_take_along_axis(backend: str) -> None:
    hot = np.eye(6)[LABELS] * (LABELS >= 0)[..., np.newaxis]
    np.testing.assert_array_equal(ops.one_hot(LABELS, 6), hot)
    np.testing.assert_array_equal(ops.one_hot(LABELS, 6, axis=1), np.moveaxis(hot, -1, 1))
    picks = RNG.integers(-7, 7, (5, 3, 2))
    np.testing.assert_array_equal(ops.take_along_axis(A, picks, -1), np.take_along_axis(A, picks, -1))


KEYS: list[Any] = [
    np.s_[:, 1], np.s_[..., -1], np.s_[:, ::-1], np.s_[::-1, 1:, ::3], np.s_[0], np.s_[-1, None, :, 2:5],
    np.s_[:, None, ..., 6:1:-2], np.s_[..., 3:3], np.s_[:], np.s_[...],
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_indexing(backend: str, key: Any) -> None:
    class Pick(Layer, abstract=True):
        def call(self, inputs: Any) -> Any:
            return inputs[key]

    np.testing.assert_array_equal(Pick()(A.astype(np.float32)), A.astype(np.float32)[key])


def test_extremes_share_their_gradient_and_nan_stays() -> None:
    class Top(Layer, abstract=True):
        def call(self, inputs: Any) -> Any:
            return ops.max(inputs, -1)

    for backend in runtime.BACKENDS:
        with fastgd.backend(backend):
            assert np.isnan(ops.max([[1.0, np.nan, 2.0] * 30])).all()
            assert np.isnan(ops.min([[np.nan] + [1.0] * 70], 1)).all()
            assert ops.argmax([[1.0, np.nan, 2.0]], 1).tolist() == [1]
            assert ops.logsumexp([[-np.inf, -np.inf], [1000.0, 1000.0]], 1).tolist() == [-np.inf, 1000 + np.log(2)]
    inputs = fastgd.Input((4,), dtype="float64")
    model = fastgd.Model(inputs, Top()(inputs))
    model.compile("sgd", "mse")
    for executor in (_core.Executor(model.make_plan()), fastgd.reference.Executor(model.make_plan())):
        seen = executor.inspect([np.array([[3.0, 1.0, 3.0, 2.0]]), np.array([2.0])])
        assert seen["d:" + model.make_plan().inputs[0]].tolist() == [[1.0, 0.0, 1.0, 0.0]]


def test_long_sums_in_float32_stay_exact_enough() -> None:
    x = np.full((1, 3_000_001), 0.1, np.float32)
    for axis, array in ((1, x), (0, x.T)):
        got = float(ops.sum(array, axis).item())
        assert abs(got - 3_000_001 * float(np.float32(0.1))) < 1e-5 * got


def test_sums_over_the_batch_do_not_depend_on_threads() -> None:
    x = RNG.normal(size=(3001, 5, 3)).astype(np.float32)
    before = fastgd.get_num_threads()
    seen = []
    for threads in (1, 2, 3):
        fastgd.set_num_threads(threads)
        seen.append([getattr(ops, name)(x, axis) for name in REDUCTIONS for axis in (None, 0, (0, 2), 1)])
    fastgd.set_num_threads(before)
    for other in seen[1:]:
        for a, b in zip(seen[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_mean_over_the_batch_sees_the_whole_batch() -> None:
    class Centre(Layer, abstract=True):
        def call(self, inputs: Any) -> Any:
            return ops.concatenate([ops.broadcast_to(ops.mean(inputs, 0, True), (None, 3)), inputs], 1)

    x = RNG.normal(size=(256, 3))
    inputs = fastgd.Input((3,))
    model = fastgd.Model(inputs, layers.Dense(1, kernel_initializer="ones")(Centre()(inputs)))
    want = x.sum(1) + x.mean(0).sum()
    np.testing.assert_allclose(model.predict(x, batch_size=256, verbose=0)[:, 0], want, rtol=1e-3, atol=1e-4)


def symbol(*dims: int, dtype: str = "float32") -> Any:
    return PlanBuilder("float32").input("x", dims, dtype)


ERRORS: list[tuple[Callable[[], Any], str]] = [
    (lambda: ops.sum(symbol(-1, 3), 2), r"^\[sum\] `axis` must be from -2 to 1. Received: axis=2"),
    (lambda: ops.mean(symbol(-1, 3), (1, -1)), r"^\[mean\] `axis` must not name an axis twice"),
    (lambda: ops.sum(symbol(-1, 3, dtype="int32")), r"^\[sum\] takes floating tensors"),
    (lambda: ops.argmax(symbol(-1, 3), 5), r"^\[argmax\] `axis` must be"),
    (lambda: ops.transpose(symbol(-1, 3), (0, 0)), r"^\[transpose\] `axes` must name each of the 2 axes once"),
    (lambda: ops.squeeze(symbol(-1, 3), 1), r"^\[squeeze\] axis 1 must have the size 1"),
    (lambda: ops.concatenate([symbol(-1, 3), symbol(-1, 3)]), r"^\[concatenate\] the tensors are of different plans"),
    (lambda: ops.stack([]), r"^\[stack\] needs at least one"),
    (lambda: ops.split(symbol(-1, 5), 2, 1), r"^\[split\] the parts of axis 1 are not equal"),
    (lambda: ops.split(symbol(-1, 5), 2), r"^\[split\] a multiple of the batch cannot be cut"),
    (lambda: ops.unstack(symbol(-1, 5)), r"^\[unstack\] axis 0 must have a fixed size"),
    (lambda: ops.pad(symbol(-1, 5), 1), r"^\[pad\] a multiple of the batch cannot be padded"),
    (lambda: ops.pad(symbol(-1, 5), ((0, 0), (-1, 0))), r"^\[pad\] `pad_width` must hold"),
    (lambda: ops.pad(symbol(-1, 5), 0, "reflect"), r"^\[pad\] `mode` must be 'constant'. Received: mode='reflect'"),
    (lambda: ops.broadcast_to(symbol(-1, 5), (None, 4)), r"^\[broadcast_to\] \(batch, 5\) cannot be"),
    (lambda: ops.tile(symbol(-1, 5), -1), r"^\[tile\] `repeats` must not be negative"),
    (lambda: ops.repeat(symbol(-1, 5), (1, 2), 1), r"^\[repeat\] `repeats` must be one number or"),
    (lambda: ops.take(symbol(-1, 5), [5], 1), r"^\[take\] `indices` must lie in -5..4. Received: indices=\[5\]"),
    (lambda: ops.take(symbol(-1, 5), [0.5], 1), r"^\[take\] `indices` must be integers"),
    (lambda: ops.dot(symbol(-1, 5), np.ones((4, 2))), r"^\[dot\] the sizes \(5,\) and \(4,\) differ: a is \(batch"),
    (lambda: ops.tensordot(symbol(-1, 5), np.ones((4, 5)), 3), r"^\[tensordot\] `axes` must be from 0 to 2"),
    (lambda: ops.tensordot(symbol(-1, 5), np.ones((4, 5)), [(1,), (1, 0)]), r"^\[tensordot\] `axes` must name as many"),
    (lambda: ops.norm(symbol(-1, 5), "nuc", (0, 1)), r"^\[norm\] `ord` must be .* Received: ord='nuc'"),
    (lambda: ops.norm(symbol(-1, 5), "fro", 1), r"^\[norm\] `ord` must be"),
    (lambda: ops.norm(symbol(-1, 5), 2, (0, 1)), r"^\[norm\] `ord` must be"),
    (lambda: ops.norm(symbol(-1, 5, 2), 1), r"^\[norm\] `axis` must name one axis or two"),
    (lambda: ops.slice(symbol(-1, 5), (0, 3), (None, 3)), r"^\[slice\] the block must lie within the tensor"),
    (lambda: ops.slice(symbol(-1, 5), (1, 0), (None, 3)), r"^\[slice\] the block must lie within the tensor"),
    (lambda: ops.slice(symbol(-1, 5), (0,), (None, 3)), r"^\[slice\] each axis needs a start and a size"),
    (lambda: ops.diff(symbol(-1, 5), axis=0), r"^\[diff\] `axis` must not be a multiple of the batch"),
    (lambda: ops.diff(symbol(-1, 5), -1), r"^\[diff\] `n` must be 0 or more. Received: n=-1"),
    (lambda: ops.sparsemax(symbol(-1, 5), 0), r"^\[sparsemax\] `axis` must not be the batch of \(batch, 5\)"),
    (lambda: ops.softmax(symbol(-1, 5), 2), r"^\[softmax\] `axis` must be from -2 to 1. Received: axis=2"),
    (lambda: ops.one_hot(symbol(-1, 5), 3), r"^\[one_hot\] x must be int32"),
    (lambda: symbol(-1, 5)[:, 5], r"^\[slice\] an index is out of range: x is \(batch, 5\)"),
    (lambda: symbol(-1, 5)[:, 0, 0], r"^\[slice\] there are too many indices"),
    (lambda: symbol(-1, 5)[1:], r"^\[slice\] a multiple of the batch can be taken whole"),
    (lambda: ops.reshape(symbol(2, 3), (None, 3)), r"^\[reshape\] .*: there is no batch in it"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), ERRORS, ids=[row[1][3:24] for row in ERRORS])
def test_what_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_tensors_are_not_iterated_over() -> None:
    with pytest.raises(TypeError, match="use `ops.unstack`"):
        list(symbol(-1, 3))
    with pytest.raises(TypeError, match="indices are integers"):
        symbol(-1, 3)[:, "a"]
    assert ops.shape(symbol(-1, 3)) == (None, 3)
    assert ops.shape(A) == (5, 3, 7)
