"""Models from Keras and back: the same predictions, and training goes on from the same optimizer state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from fastgd.interop.keras import from_keras, to_keras

keras = pytest.importorskip("keras")
pytest.importorskip("h5py")

# A few updates of a small network through four sums of at most 100 products; Adam's division by small moments and
# what Keras keeps in float32, the learning rate, come on top.
CLOSE = 1e-6


def network(library: Any) -> Any:
    """Return a functional model with an inner chain that is called twice, and two outputs."""
    layers = library.layers
    x = library.Input((5,), name="x")
    inner = library.Sequential([library.Input((4,)), layers.Dense(4, activation="tanh"), layers.Dense(4)], name="inner")
    y = layers.BatchNormalization()(layers.Dense(4, activation="sigmoid")(x))
    y = layers.Add()([inner(inner(y)), y])
    return library.Model(x, [layers.Dense(3, activation="softmax", name="a")(y), layers.Dense(1, name="b")(y)])


def prepared(library: Any) -> Any:
    """Return the network compiled and trained a little."""
    model = network(library)
    losses = {"a": "sparse_categorical_crossentropy", "b": "mse"}
    model.compile(optimizer=library.optimizers.Adam(0.01, epsilon=1e-4), loss=losses)
    x, y = data()
    model.train_on_batch(x, y)
    return model


def data() -> tuple[Any, dict[str, Any]]:
    """Return inputs, and targets by the names of the outputs."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(8, 5)), {"a": rng.integers(0, 3, 8), "b": rng.normal(size=(8, 1))}


def compare(ours: Any, theirs: Any) -> None:
    """Compare predictions and weights, now and after further training."""
    x, y = data()
    for more in (True, False):
        for here, there in zip(ours.predict(x, verbose=0), theirs(x), strict=True):
            tolerances.assert_close(here, np.asarray(there), CLOSE)
        for w, here, there in zip(ours.weights, ours.get_weights(), theirs.get_weights(), strict=True):
            tolerances.assert_close(here, there, CLOSE, what=w.path)
        if more:
            ours.train_on_batch(x, y)
            theirs.train_on_batch(x, y)


def test_a_model_of_keras_goes_on_here(own_float64: None) -> None:
    theirs = prepared(keras)
    ours = from_keras(theirs)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    assert ours.optimizer.iterations == 1
    compare(ours, theirs)
    assert not from_keras(theirs, compile=False).compiled


def test_a_model_goes_on_in_keras(own_float64: None) -> None:
    ours = prepared(fastgd)
    theirs = to_keras(ours)
    assert int(theirs.optimizer.iterations) == 1
    compare(ours, theirs)
    assert not to_keras(ours, compile=False).compiled


def test_optimizers_are_known_as_keras_on_pytorch_writes_them() -> None:
    described = keras.saving.serialize_keras_object(keras.optimizers.Adam(0.25))
    described["module"] = "keras.src.backend.torch.optimizers.torch_adam"
    made = fastgd.saving.deserialize_keras_object(described)
    assert isinstance(made, fastgd.optimizers.Adam)
    assert made.learning_rate == 0.25


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(TypeError, match="`model` must be a model of Keras"):
        from_keras(fastgd.Sequential())
    with pytest.raises(TypeError, match="`model` must be a model. Received"):
        to_keras(keras.Sequential())
    with pytest.raises(ValueError, match="SpectralNormalization"):
        from_keras(keras.Sequential([keras.Input((3,)), keras.layers.SpectralNormalization(keras.layers.Dense(2))]))
