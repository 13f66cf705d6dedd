"""MNIST: a plain network reaches 95 % on both interpreters, which write the same history."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from fastgd.datasets import mnist
from fastgd.layers import Dense

Array = np.ndarray[Any, Any]

EPOCHS = 10


@pytest.fixture(scope="module")
def images(data_folder: Path) -> tuple[Array, Array, Array, Array]:
    """Return 8,000 images with labels and the 2,000 held out, pixels from 0 to 1."""
    folder = data_folder / "mnist"
    if not folder.is_dir():
        pytest.skip(f"no folder mnist in {data_folder}")
    (x, y), (x_test, y_test) = mnist.load_data(folder)
    x, y, x_test, y_test = x[:8000], y[:8000], x_test[:2000], y_test[:2000]
    return x.reshape(-1, 784) / np.float32(255), y, x_test.reshape(-1, 784) / np.float32(255), y_test


def train(
    backend: str,
    images: tuple[Array, Array, Array, Array],
    activation: str,
    dtype: str = "float32",
    epochs: int = EPOCHS,
) -> tuple[Any, dict[str, list[float]]]:
    x, y, x_test, y_test = images
    with fastgd.backend(backend):
        fastgd.utils.set_random_seed(5)
        entrance = fastgd.Input((784,), dtype=dtype)
        model = fastgd.Sequential([entrance, Dense(128, activation), Dense(10, "softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(x, y, epochs=epochs, verbose=0, validation_data=(x_test, y_test))
        return model, history.history


def assert_alike(history: dict[str, list[float]], expected: dict[str, list[float]]) -> None:
    assert list(history) == list(expected) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    for name in ("loss", "val_loss"):
        ratio = np.array(history[name]) / np.array(expected[name])
        assert np.abs(ratio - 1).max() <= tolerances.HISTORY, name
    # An accuracy is a count: one image may lie so near the border of two classes that rounding decides.
    for name, rows in (("accuracy", 8000), ("val_accuracy", 2000)):
        difference = np.abs(np.array(history[name]) - np.array(expected[name])).max()
        assert difference <= max(tolerances.HISTORY, 1.5 / rows), name


def test_rectifiers_reach_95_percent(images: tuple[Array, Array, Array, Array]) -> None:
    _, _, x_test, y_test = images
    assert images[0].shape == (8000, 784) and x_test.shape == (2000, 784)
    model, history = train("native", images, "relu")
    assert max(history["val_accuracy"]) >= 0.95
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    assert (loss, accuracy) == (history["val_loss"][-1], history["val_accuracy"][-1])
    assert accuracy == np.mean(model.predict(x_test, verbose=0).argmax(axis=1) == y_test)


def test_both_interpreters_reach_95_percent_alike(images: tuple[Array, Array, Array, Array]) -> None:
    # With tanh, because a rectifier that rounding flips on one image parts two runs in float32 for good: of 20 seeds 6
    # change by more than the tolerance when the first weights change by 1e-7.
    _, history = train("native", images, "tanh")
    _, expected = train("numpy", images, "tanh")
    assert max(history["val_accuracy"]) >= 0.95
    assert max(expected["val_accuracy"]) >= 0.95
    assert_alike(history, expected)


def test_both_interpreters_train_rectifiers_alike_in_double_precision(
    images: tuple[Array, Array, Array, Array],
) -> None:
    _, history = train("native", images, "relu", "float64", epochs=3)
    _, expected = train("numpy", images, "relu", "float64", epochs=3)
    assert_alike(history, expected)
