"""fastgd.testing: finite differences, and backward passes compared with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers, losses, ops
from fastgd.testing import check_gradients, numerical_gradient

Array = np.ndarray[Any, Any]


@pytest.fixture(params=["native", "numpy"], autouse=True)
def _each_backend(request: pytest.FixtureRequest) -> Any:
    with fastgd.backend(request.param):
        yield


def test_the_numerical_gradient(rng):
    x = rng.normal(size=(3, 4))
    kept = x.copy()
    np.testing.assert_allclose(numerical_gradient(lambda x: np.sum(np.sin(x)), x), np.cos(x), rtol=1e-8)
    np.testing.assert_array_equal(x, kept)
    np.testing.assert_allclose(numerical_gradient(lambda x: x @ x, [1e6]), [2e6], rtol=1e-8)
    np.testing.assert_allclose(numerical_gradient(lambda x: x**3, 2.0, step=1e-3), 12.0 + 4e-6, rtol=1e-8)
    assert numerical_gradient(lambda x: [0.0], np.float32(2)).dtype == np.float64
    with pytest.raises(ValueError, match=r"`function` must return one number. Received: shape=\(2,\)"):
        numerical_gradient(lambda x: x, [1.0, 2.0])
    with pytest.raises(ValueError, match="`step` must be above 0. Received: step=0"):
        numerical_gradient(np.sum, [1.0], step=0)


def test_layers_models_losses_and_functions(rng):
    x, t = rng.normal(size=(4, 5)), rng.normal(size=(4, 5))
    assert check_gradients(layers.Dense(3, "tanh"), x).elements == 20 + 15 + 3
    assert check_gradients(layers.Dropout(0.5, seed=3), x).error < 1e-9
    assert check_gradients(layers.Concatenate(), [x, t]).elements == 40
    assert check_gradients(layers.Dense(2, activity_regularizer="l2"), [x]).elements == 20 + 10 + 2
    a = fastgd.Input((5,))
    h = layers.Dense(3, "sigmoid", name="first", dtype="float32")(a)
    model = fastgd.Model(a, [layers.Dense(2)(h), layers.Flatten()(h)])
    model.get_layer("first").kernel.assign(rng.normal(size=(5, 3)))
    kept = model.get_weights()
    assert check_gradients(model, x).elements == 20 + 15 + 3 + 6 + 2
    for got, expected in zip(model.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(got, expected)
    assert check_gradients(losses.MeanSquaredError(), [t, x]).name == "inputs[1]"
    assert check_gradients(losses.CategoricalCrossentropy(from_logits=True), [abs(t), x]).elements == 20
    labels = rng.integers(0, 5, 4)
    assert check_gradients(losses.SparseCategoricalCrossentropy(), [labels, abs(x) + 0.1]).elements == 20
    assert check_gradients(lambda x, t: ops.exp(x) * ops.sum(t, axis=0), [x, t]).elements == 40
    assert check_gradients(lambda x: ops.mean(x), x).elements == 20
    # Elements of one sample may be merged into the batch.
    assert check_gradients(lambda x: ops.reshape(ops.square(x), (-1,)), x).elements == 20
    assert check_gradients(fastgd.regularizers.L1L2(0.1, 0.2), x).elements == 20


class Wrong(layers.NumpyLayer, abstract=True):
    """Multiplies by a weight, with one wrong element in one of the gradients."""

    def __init__(self, place: int, factor: float) -> None:
        super().__init__(name="wrong")
        self.place, self.factor = place, factor

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight(input_shape[1:], name="scale")

    def forward(self, x: Array, scale: Array) -> Array:
        return x * scale

    def backward(self, dy: Array, y: Array, x: Array, scale: Array) -> Any:
        gradients = dy * scale, (dy * x).sum(axis=0)
        gradients[self.place][1, 2] *= self.factor
        return gradients


@pytest.mark.parametrize(("place", "name"), [(0, r"inputs\[0\]"), (1, "wrong/scale")])
def test_a_wrong_backward_is_found(place, name, rng):
    x = rng.uniform(1.0, 2.0, (3, 2, 4)) if place else rng.uniform(1.0, 2.0, (3, 4))
    layer = Wrong(place, 1.001)
    layer(x)
    layer.scale.assign(rng.uniform(1.0, 2.0, x.shape[1:]))
    with pytest.raises(AssertionError, match=rf"^The gradient by {name} is wrong at \(1, 2\): backward gives [0-9.]+"):
        check_gradients(layer, x)
    assert check_gradients(layer, x, tolerance=1e-2).index == (1, 2)
    assert 1e-4 < check_gradients(layer, x, tolerance=1e-2).error < 1e-3
    layer.factor = float("nan")
    with pytest.raises(AssertionError, match=rf"by {name} is wrong at \(1, 2\): backward gives nan, .* error is nan"):
        check_gradients(layer, x)
    layer.factor = 1.0
    assert check_gradients(layer, x).error < 1e-8


def test_wrong_arguments(rng):
    x = rng.normal(size=(4, 3))
    with pytest.raises(ValueError, match="`tolerance` must be above 0"):
        check_gradients(layers.Dense(3), x, tolerance=0.0)
    with pytest.raises(ValueError, match=r"`inputs\[1\]` must be an array of numbers with the batch"):
        check_gradients(layers.Add(), [x, 1.0])
    with pytest.raises(ValueError, match=r"`inputs` of a loss must be \[y_true, y_pred\]. Received: inputs=1"):
        check_gradients(losses.MeanSquaredError(), x)
    with pytest.raises(TypeError, match="`function` must be a layer, a model, a loss or a function"):
        check_gradients("dense", x)
    with pytest.raises(TypeError, match="`function` must return tensors of fastgd.ops"):
        check_gradients(lambda x: 1.0, x)
    with pytest.raises(ValueError, match="neither floating inputs nor weights"):
        check_gradients(lambda t: ops.cast(t, "float64"), np.arange(4))
