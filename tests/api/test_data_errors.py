"""Wrong data and wrong arguments: each is a clear error that names the argument."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd.layers import Dense

X = np.arange(40.0).reshape(10, 4)
Y = np.arange(10) % 3


@pytest.fixture
def model():
    model = fastgd.Sequential([fastgd.Input((4,)), Dense(3, "softmax", name="out")])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def put(array, place, value):
    changed = np.array(array, dtype=float)
    changed[place] = value
    return changed


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite(model, bad):
    with pytest.raises(ValueError, match=rf"^`x` must hold finite numbers. Received: x\[3, 1\]={bad}$"):
        model.fit(put(X, (3, 1), bad), Y, verbose=0)
    with pytest.raises(ValueError, match=rf"`x` must hold finite numbers. Received: x\[3, 1\]={bad}$"):
        model.predict(put(X, (3, 1), bad).astype(np.float32), verbose=0)
    with pytest.raises(ValueError, match=rf"^`y` must hold finite numbers. Received: y\[2\]={bad}$"):
        model.evaluate(X, put(Y, 2, bad), verbose=0)
    with pytest.raises(
        ValueError, match=rf"^`sample_weight` must hold finite numbers. Received: sample_weight\[9\]={bad}"
    ):
        model.fit(X, Y, sample_weight=put(np.ones(10), 9, bad), verbose=0)
    with pytest.raises(ValueError, match=r"^`validation x` must hold finite numbers. Received: validation x\[0, 0\]"):
        model.fit(X, Y, validation_data=(put(X, (0, 0), bad), Y), verbose=0)


def test_huge_numbers_are_finite(model):
    x = np.full((10, 4), 3e38, np.float32)
    model.predict(x, verbose=0)


def test_wrong_shapes(model):
    with pytest.raises(
        ValueError, match=r"`x` must have the shape \(n, 4\) of the input 'input_layer'. Received: x.shape=\(10, 3\)"
    ):
        model.fit(X[:, :3], Y)
    with pytest.raises(ValueError, match=r"Received: x.shape=\(10, 2, 2\)"):
        model.predict(X.reshape(10, 2, 2))
    with pytest.raises(
        ValueError, match=r"`y` must have the shape \(n,\) of the output 'out'.*categorical_crossentropy"
    ):
        model.fit(X, np.eye(3)[Y])
    with pytest.raises(ValueError, match=r"`sample_weight` must have the shape \(n,\) of one weight per sample"):
        model.fit(X, Y, sample_weight=np.ones((10, 2)))
    model.compile("sgd", "categorical_crossentropy")
    with pytest.raises(
        ValueError, match=r"`y` must have the shape \(n, 3\) of the output 'out'; integer labels go with"
    ):
        model.fit(X, Y)


def test_unequal_lengths(model):
    with pytest.raises(ValueError, match=r"equal numbers of rows. Received: len\(x\)=10, len\(y\)=9"):
        model.fit(X, Y[:9])
    with pytest.raises(ValueError, match=r"len\(x\)=10, len\(y\)=10, len\(sample_weight\)=4"):
        model.fit(X, Y, sample_weight=np.ones(4))


@pytest.mark.parametrize(("bad", "shown"), [(3, "3"), (-1, "-1"), (2**40, "1099511627776")])
def test_labels_out_of_range(model, bad, shown):
    labels = np.array(Y, dtype=np.int64)
    labels[4] = bad
    with pytest.raises(
        ValueError, match=rf"`y` must hold labels from 0 to 2, one per class. Received: y\[4\]={shown}$"
    ):
        model.fit(X, labels)
    with pytest.raises(ValueError, match=rf"Received: y\[4\]={shown}"):
        model.fit(X, labels.astype(float))


def test_labels_with_fractions(model):
    with pytest.raises(ValueError, match=r"`y` must hold integer labels. Received: y\[1\]=0.5"):
        model.fit(X, put(Y, 1, 0.5))


@pytest.mark.parametrize(
    ("x", "error", "text"),
    [
        (X.astype(object), TypeError, "`x` must hold real numbers; convert it with astype. Received: x.dtype='object'"),
        (X.astype(str), TypeError, "`x` must hold real numbers. Received: x.dtype='<U"),
        (X.astype(complex), TypeError, "`x` must hold real numbers. Received: x.dtype='complex128'"),
        (X.astype("datetime64[s]"), TypeError, "`x` must hold real numbers. Received: x.dtype='datetime64"),
        ([[1.0, 2.0], [3.0]], ValueError, "`x` must be an array of numbers with rows of one shape"),
        ([["a", "b", "c", "d"]], TypeError, "`x` must hold real numbers"),
        ([[None, 1.0, 2.0, 3.0]], ValueError, r"`x` must hold finite numbers. Received: x\[0, 0\]=nan"),
        (X[:0], ValueError, r"`x` must have at least one row. Received: x.shape=\(0, 4\)"),
        (None, ValueError, "`x` must be given. Received: x=None"),
        (3.0, TypeError, "`x` must be an array with one row per sample. Received: x='float'"),
        (np.ma.masked_greater(X, 30), ValueError, "`x` must have no masked entries"),
        ({1.0}, TypeError, "`x` must hold real numbers"),
    ],
)
def test_things_that_are_no_arrays_of_numbers(model, x, error, text):
    with pytest.raises(error, match=text):
        model.fit(x, Y)
    with pytest.raises(error, match=text):
        model.predict(x)


def test_missing_targets(model):
    with pytest.raises(ValueError, match="`y` must be given"):
        model.fit(X)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"batch_size": 0}, "`batch_size` must be 1 or more. Received: batch_size=0"),
        ({"batch_size": 2.5}, "`batch_size` must be an integer. Received: batch_size=2.5"),
        ({"batch_size": True}, "`batch_size` must be an integer. Received: batch_size=True"),
        ({"epochs": 0}, "`epochs` must be 1 or more. Received: epochs=0"),
        ({"initial_epoch": -1}, "`initial_epoch` must be 0 or more"),
        ({"steps_per_epoch": 0}, "`steps_per_epoch` must be 1 or more"),
        ({"validation_split": 1.0}, "`validation_split` must be below 1. Received: validation_split=1.0"),
        ({"validation_split": -0.1}, "`validation_split` must be 0 or more"),
        ({"validation_split": 0.01}, "`validation_split` must leave rows on both sides|keeps 9"),
        ({"validation_split": 0.95}, "`validation_split` must leave rows on both sides; of 10 it keeps 0"),
        ({"validation_data": X}, r"`validation_data` must be a tuple \(x, y\) or \(x, y, sample_weight\)"),
        ({"validation_data": (X, Y), "validation_steps": 0}, "`validation_steps` must be 1 or more"),
        ({"validation_data": (X, Y), "validation_batch_size": 0}, "`validation_batch_size` must be 1 or more"),
        ({"validation_freq": 0}, "`validation_freq` must be 1 or more"),
        ({"shuffle": "batch"}, "`shuffle` must be True or False. Received: shuffle='batch'"),
        ({"verbose": 3}, "`verbose` must be 0, 1, 2 or 'auto'. Received: verbose=3"),
        ({"callbacks": [print]}, "`callbacks` must hold instances of Callback"),
    ],
)
def test_wrong_arguments_of_fit(model, arguments, text):
    if arguments == {"validation_split": 0.01}:
        model.fit(X, Y, verbose=0, **arguments)
        return
    with pytest.raises((ValueError, TypeError), match=text):
        model.fit(X, Y, **{"verbose": 0, **arguments})


def test_wrong_arguments_of_evaluate_and_predict(model):
    with pytest.raises(ValueError, match="`batch_size` must be 1 or more"):
        model.evaluate(X, Y, batch_size=0)
    with pytest.raises(ValueError, match="`steps` must be 1 or more"):
        model.predict(X, steps=0)


def test_inputs_by_name():
    a, b = fastgd.Input((4,), name="a"), fastgd.Input((4,), name="b")
    model = fastgd.Model([a, b], fastgd.layers.add([a, b]))
    assert model.predict({"b": X, "a": X}, verbose=0).shape == (10, 4)
    assert model.predict((X, X), verbose=0).shape == (10, 4)
    with pytest.raises(ValueError, match=r"`x` must hold the input 'b'. Received: x=\['a'\]"):
        model.predict({"a": X})
    with pytest.raises(ValueError, match=r"`x` is not a known input. Known: a, b. Received: x='c'"):
        model.predict({"a": X, "c": X})
    with pytest.raises(TypeError, match="`x` must be a list of 2 arrays or a dict"):
        model.predict(X)
    with pytest.raises(ValueError, match=r"`x` must hold 2 arrays. Received: len\(x\)=3"):
        model.predict([X, X, X])
    with pytest.raises(ValueError, match=r"`x\['b'\]` must have the shape \(n, 4\)"):
        model.predict([X, X[:, :2]])
    with pytest.raises(ValueError, match=r"len\(x\['a'\]\)=10, len\(x\['b'\]\)=5"):
        model.predict([X, X[:5]])


def test_nothing_is_changed_by_a_refused_call(model):
    before = model.get_weights()
    for x, y in ((X[:, :3], Y), (X, Y + 1), (put(X, 0, np.nan), Y)):
        with pytest.raises(ValueError, match="must h"):
            model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert model.optimizer.iterations == 0
