"""Data frames and columns of pandas, Polars and Arrow train like the arrays they hold."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd.models.arrays import as_array

X = np.random.default_rng(8).normal(size=(12, 3))
Y = np.arange(12) % 2
NAMES = ["age", "height", "b"]


def pandas_frame(data):
    return pytest.importorskip("pandas").DataFrame(data)


def polars_frame(data):
    return pytest.importorskip("polars").DataFrame(data)


def lazy_frame(data):
    return pytest.importorskip("polars").LazyFrame(data)


def arrow_table(data):
    return pytest.importorskip("pyarrow").table(data)


FRAMES = [pandas_frame, polars_frame, lazy_frame, arrow_table]


def columns(x=X):
    return {name: x[:, k] for k, name in enumerate(NAMES)}


def train(x, y):
    fastgd.utils.set_random_seed(1)
    model = fastgd.Sequential([fastgd.Input((3,)), fastgd.layers.Dense(1, "sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=2, verbose=0)
    return model.predict(x, verbose=0)


@pytest.mark.parametrize("make", FRAMES)
def test_a_frame_trains_like_its_array(make):
    frame, target = make(columns()), make({"y": Y})
    np.testing.assert_array_equal(train(frame, target), train(X, Y))


@pytest.mark.parametrize("make", FRAMES[:2] + FRAMES[3:])
def test_a_column_is_a_vector(make):
    frame = make({**columns(), "y": Y})
    column = frame["y"]
    np.testing.assert_array_equal(as_array(column, "y"), Y)
    np.testing.assert_array_equal(train(X, column), train(X, Y))


@pytest.mark.parametrize("make", FRAMES)
def test_types_of_columns(make):
    assert as_array(make({"a": np.arange(3, dtype="uint8"), "b": np.arange(3, dtype="uint8")}), "x").dtype == np.uint8
    assert as_array(make({"a": np.arange(3, dtype="float32")}), "x").dtype == np.float32
    mixed = as_array(make({"a": np.arange(3), "b": np.arange(3) / 4, "c": np.arange(3) > 1}), "x")
    np.testing.assert_array_equal(mixed, [[0, 0, 0], [1, 0.25, 0], [2, 0.5, 1]])


@pytest.mark.parametrize("make", FRAMES)
def test_columns_that_hold_no_numbers_are_named(make):
    with pytest.raises(TypeError, match=r"`x\['city'\]` must hold real numbers. Received: x\['city'\].dtype='String'"):
        as_array(make({"age": [1.0, 2.0], "city": ["a", "b"]}), "x")


@pytest.mark.parametrize("make", FRAMES)
def test_missing_values_are_named(make):
    with pytest.raises(ValueError, match=r"`x\['age'\]` must have no missing values.* Received: missing=1"):
        as_array(make({"age": [1.0, None], "b": [1, 2]}), "x")


def test_nullable_and_categorical_columns_of_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": pandas.array([1, 2], dtype="Int64"), "b": pandas.array([True, False], "boolean")})
    np.testing.assert_array_equal(as_array(frame, "x"), [[1, 1], [2, 0]])
    with pytest.raises(TypeError, match=r"`x\['c'\]` must hold real numbers. Received: x\['c'\].dtype='Categorical'"):
        as_array(pandas.DataFrame({"c": pandas.Categorical(["u", "v"])}), "x")


def test_a_frame_without_columns():
    with pytest.raises(ValueError, match="`x` must have at least one column"):
        as_array(pytest.importorskip("pandas").DataFrame(index=[0, 1]), "x")


def test_numbers_that_are_not_finite_are_found():
    x = X.copy()
    x[3, 1] = np.inf
    with pytest.raises(ValueError, match=r"`x` must hold finite numbers. Received: x\[3, 1\]=inf"):
        train(polars_frame(columns(x)), Y)
