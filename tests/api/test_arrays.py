"""Arrays of every kind give what their plain copies give, and are never changed."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd.layers import Dense
from fastgd.models.arrays import as_array


@pytest.fixture
def model():
    model = fastgd.Sequential([fastgd.Input((4,)), Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def variants(x):
    """Yield the integers in x, 0 to 100, in many kinds of arrays."""
    yield from (x.astype(t) for t in ("f2", "f4", "f8", "g", "i1", "u1", "i2", "i4", "i8", "u8", ">f4", ">f8", ">i4"))
    yield np.asfortranarray(x)
    yield np.repeat(x, 2, axis=1)[:, ::2]
    yield np.repeat(x, 3, axis=0)[::3]
    yield x[::-1].copy()[::-1]
    read_only = x.copy()
    read_only.flags.writeable = False
    yield read_only
    raw = np.zeros(x.nbytes + 1, np.uint8)
    unaligned = raw[1:].view(x.dtype).reshape(x.shape)
    unaligned[:] = x
    yield unaligned
    yield x.tolist()
    yield np.ma.array(x)
    yield type("Frame", (), {"__array__": lambda self, *args, **kwargs: x.astype(object)})()


def test_every_kind_of_array_gives_the_same(model, rng):
    x = rng.integers(0, 100, size=(20, 4)).astype(np.float64)
    expected = model.predict(x, verbose=0)
    for variant in variants(x):
        kept = np.array(variant, copy=True) if isinstance(variant, np.ndarray) else None
        np.testing.assert_array_equal(model.predict(variant, verbose=0), expected)
        if kept is not None:
            np.testing.assert_array_equal(variant, kept)


def test_broadcast_rows(model):
    row = np.broadcast_to(np.arange(4.0), (5, 4))
    np.testing.assert_array_equal(model.predict(row, verbose=0), model.predict(row.copy(), verbose=0))


def test_booleans(model):
    x = np.arange(40).reshape(10, 4) % 3 == 0
    np.testing.assert_array_equal(model.predict(x, verbose=0), model.predict(x.astype(float), verbose=0))


@pytest.mark.parametrize("kind", ["i1", "u1", "i4", "i8", "u8", "f4", "f8", "?"])
def test_labels_of_every_kind(model, kind, rng):
    x, y = rng.normal(size=(6, 4)), np.array([0, 1, 1, 0, 1, 0])
    expected = model.evaluate(x, y, verbose=0)
    assert model.evaluate(x, y.astype(kind), verbose=0) == expected
    assert model.evaluate(x, y.astype(kind)[:, None], verbose=0) == expected
    assert model.evaluate(x, y.tolist(), verbose=0) == expected


@pytest.mark.parametrize("shape", [(10,), (10, 1)])
def test_targets_gain_or_lose_a_last_axis(shape, rng):
    x, y = rng.normal(size=(10, 4)), rng.normal(size=10)
    model = fastgd.Sequential([fastgd.Input((4,)), Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    expected = model.evaluate(x, y, verbose=0)
    assert model.evaluate(x, y.reshape(shape), verbose=0) == expected


def test_executors_get_large_arrays_without_a_copy():
    for kind in ("f2", "f4", "f8", "i1", "u2", "i8", "u1", "?"):
        x = np.ones((4, 6), kind)
        assert as_array(x, "x") is x
        assert np.shares_memory(as_array(x[::2, 1:], "x"), x)


def test_list_of_one_array_is_that_array(model, rng):
    x = rng.normal(size=(10, 4))
    np.testing.assert_array_equal(model.predict([x], verbose=0), model.predict(x, verbose=0))
    np.testing.assert_array_equal(model.predict({"input_layer": x}, verbose=0), model.predict(x, verbose=0))
