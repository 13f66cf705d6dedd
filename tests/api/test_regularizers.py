"""Penalties and constraints in models: where they show in the logs, when they act, and what users write themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import _core, constraints, layers, ops, regularizers, runtime
from fastgd.constraints import Constraint, MaxNorm
from fastgd.layers.layer import Layer
from fastgd.optimizers import SGD
from fastgd.regularizers import L1, L2, OrthogonalRegularizer, Regularizer

Array = np.ndarray[Any, Any]


@pytest.fixture(params=runtime.BACKENDS, autouse=True)
def _backend(request: pytest.FixtureRequest) -> Any:
    with fastgd.backend(request.param):
        yield


@pytest.fixture
def data(rng: np.random.Generator) -> tuple[Array, Array]:
    return rng.normal(size=(50, 4)), rng.normal(size=(50, 3))


def dense_model(units: int = 3, optimizer: Any = None, **kwargs: Any) -> Any:
    model = fastgd.Sequential([fastgd.Input((4,), dtype="float64"), layers.Dense(units, **kwargs)])
    model.compile(optimizer or SGD(0.1), "mse", metrics=["mae"])
    return model


def test_the_loss_has_the_penalties_in_it(data: tuple[Array, Array]) -> None:
    x, t = data
    model = dense_model(kernel_regularizer=L2(0.3), bias_regularizer=L1(0.2), activity_regularizer="l1")
    model.set_weights([np.arange(12.0).reshape(4, 3) / 10, np.array([1.0, -2.0, 3.0])])
    y = model.predict(x, verbose=0)
    kernel, bias = model.get_weights()
    weights = 0.3 * np.sum(kernel**2) + 0.2 * np.sum(np.abs(bias))
    np.testing.assert_allclose(sum(model.losses), weights, rtol=1e-12)
    assert [float(value) for value in model.layers[0].losses] == [float(value) for value in model.losses]
    expected = np.mean((y - t) ** 2) + weights + 0.01 * np.sum(np.abs(y)) / len(x)
    for seen in (model.evaluate(x, t, verbose=0, batch_size=7), model.test_on_batch(x, t), model.train_on_batch(x, t)):
        np.testing.assert_allclose(seen, [expected, np.mean(np.abs(y - t))], rtol=1e-12)


def test_the_losses_of_outputs_have_no_penalties_in_them(data: tuple[Array, Array]) -> None:
    x, t = data
    entrance = fastgd.Input((4,), dtype="float64")
    shared = layers.Dense(3, kernel_regularizer=L2(0.1), activity_regularizer=L2(0.2), name="a")
    model = fastgd.Model(entrance, [shared(entrance), layers.Dense(3, bias_constraint="non_neg", name="b")(entrance)])
    model.compile("sgd", "mse", loss_weights=[1.0, 0.5], metrics=[["mae"], []])
    logs = model.evaluate(x, [t, t], verbose=0, return_dict=True, batch_size=9)
    assert list(logs) == ["a_loss", "a_mae", "b_loss", "loss"]
    a, b = model.predict(x, verbose=0)
    np.testing.assert_allclose(logs["a_loss"], np.mean((a - t) ** 2), rtol=1e-12)
    np.testing.assert_allclose(logs["a_mae"], np.mean(np.abs(a - t)), rtol=1e-12)
    penalty = 0.1 * np.sum(shared.kernel.value**2) + 0.2 * np.sum(a**2) / 50
    np.testing.assert_allclose(logs["loss"], logs["a_loss"] + 0.5 * np.mean((b - t) ** 2) + penalty, rtol=1e-12)


def test_one_step_follows_the_gradient_of_the_penalty(data: tuple[Array, Array]) -> None:
    x, t = data
    plain, model = dense_model(), dense_model(kernel_regularizer=regularizers.L1L2(0.3, 0.2))
    plain.set_weights(model.get_weights())
    before = model.get_weights()[0]
    for each in (plain, model):
        each.train_on_batch(x, t)
    step = 0.1 * (0.3 * np.sign(before) + 2 * 0.2 * before)
    np.testing.assert_allclose(plain.get_weights()[0] - model.get_weights()[0], step, rtol=1e-10)


def test_a_frozen_layer_is_neither_penalised_nor_constrained(data: tuple[Array, Array]) -> None:
    x, t = data
    frozen = layers.Dense(4, trainable=False, kernel_regularizer="l2", kernel_constraint="non_neg", dtype="float64")
    model = fastgd.Sequential([fastgd.Input((4,), dtype="float64"), frozen, layers.Dense(3)])
    model.compile("sgd", "mse")
    assert model.losses == []
    before = frozen.get_weights()
    own = np.mean((model.predict(x, verbose=0) - t) ** 2)
    np.testing.assert_allclose(model.train_on_batch(x, t), own, rtol=1e-12)
    np.testing.assert_array_equal(frozen.get_weights()[0], before[0])
    frozen.trainable = True
    model.compile("sgd", "mse")
    assert len(model.losses) == 1
    model.train_on_batch(x, t)
    assert frozen.get_weights()[0].min() == 0


def test_a_layer_called_twice_is_penalised_twice_for_its_activity(data: tuple[Array, Array]) -> None:
    x, t = data
    entrance = fastgd.Input((4,), dtype="float64")
    shared = layers.Dense(4, activity_regularizer=L2(0.5), kernel_regularizer=L2(0.25))
    model = fastgd.Model(entrance, layers.Dense(3)(shared(shared(entrance))))
    model.compile("sgd", "mse")
    w, b = shared.kernel.value, shared.bias.value
    first = x @ w + b
    second = first @ w + b
    activity = 0.5 * (np.sum(first**2) + np.sum(second**2)) / 50
    own = np.mean((model.predict(x, verbose=0) - t) ** 2)
    expected = own + activity + 0.25 * np.sum(w**2)
    np.testing.assert_allclose(model.evaluate(x, t, verbose=0, batch_size=50), expected, rtol=1e-12)


def test_a_penalised_softmax_is_still_the_output(data: tuple[Array, Array]) -> None:
    x, _ = data
    labels = np.arange(50) % 3
    model = fastgd.Sequential([
        fastgd.Input((4,), dtype="float64"), layers.Dense(3, "softmax", activity_regularizer=L2(0.5))
    ])  # fmt: skip
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    p = model.predict(x, verbose=0)
    expected = -np.mean(np.log(p[np.arange(50), labels])) + 0.5 * np.sum(p**2) / 50
    np.testing.assert_allclose(model.evaluate(x, labels, verbose=0)[0], expected, rtol=1e-12)


def test_activities_with_several_places_per_sample(rng: np.random.Generator) -> None:
    x, t = rng.normal(size=(20, 5, 4)), rng.normal(size=(20, 5, 3))
    model = fastgd.Sequential([
        fastgd.Input((5, 4), dtype="float64"), layers.Dense(3, activity_regularizer=L1(0.5)),
        layers.ActivityRegularization(l2=0.3),
    ])  # fmt: skip
    model.compile("sgd", "mse")
    y = model.predict(x, verbose=0)
    expected = np.mean((y - t) ** 2) + (0.5 * np.sum(np.abs(y)) + 0.3 * np.sum(y**2)) / 20
    np.testing.assert_allclose(model.evaluate(x, t, verbose=0, batch_size=20), expected, rtol=1e-12)


def test_what_lies_in_a_sample_may_be_merged_into_the_batch(rng: np.random.Generator) -> None:
    x = rng.normal(size=(6, 4, 2))

    class Merged(Layer, abstract=True):
        def call(self, inputs: Any) -> Any:
            rows = ops.reshape(inputs, (-1, 2))
            self.add_loss(ops.penalty(rows, l2=0.5))
            return inputs

    model = fastgd.Sequential([fastgd.Input((4, 2), dtype="float64"), Merged()])
    model.compile("sgd", "mse")
    np.testing.assert_allclose(model.evaluate(x, x, verbose=0, batch_size=6), 0.5 * np.sum(x**2), rtol=1e-12)


def test_add_loss(data: tuple[Array, Array]) -> None:
    x, t = data

    class Watched(Layer, abstract=True):
        def call(self, inputs: Any) -> Any:
            # One value per sample, which are added up, and one for the batch.
            self.add_loss([ops.mean(ops.square(inputs - inputs), axis=-1), ops.orthogonality(inputs, 0.5)])
            self.add_loss(ops.penalty(inputs, l2=0.01))
            return inputs

    model = fastgd.Sequential([fastgd.Input((4,), dtype="float64"), Watched(), layers.Dense(3)])
    model.compile("sgd", "mse")
    own = np.mean((model.predict(x, verbose=0) - t) ** 2)
    expected = own + OrthogonalRegularizer(0.5)(x) + L2(0.01)(x)
    np.testing.assert_allclose(model.evaluate(x, t, verbose=0, batch_size=50), expected, rtol=1e-12)

    class Wrong(Layer, abstract=True):
        def call(self, inputs: Any) -> Any:
            self.add_loss(inputs)
            return inputs

    with pytest.raises(ValueError, match=r"a loss has one value, or one per sample: this one has the shape \(batch, 4"):
        Wrong()(fastgd.Input((4,)))
    with pytest.raises(TypeError, match=r"`loss` must be a tensor that `call` has made. Received: loss=3.0"):
        Watched().add_loss(3.0)


class Clip(Constraint, abstract=True):
    """Weights between two bounds; nothing that the engine knows."""

    def __init__(self, bound: float = 0.1) -> None:
        self.bound = bound
        self.calls = 0

    def __call__(self, w: Any) -> Array:
        self.calls += 1
        return np.clip(w, -self.bound, self.bound)


def test_a_constraint_of_ones_own_follows_every_update(data: tuple[Array, Array]) -> None:
    x, t = data
    clip = Clip()
    model = dense_model(kernel_constraint=clip, bias_constraint=lambda b: b - b.mean())
    twin = dense_model()
    twin.set_weights(model.get_weights())
    model.fit(x, t, epochs=2, batch_size=16, shuffle=False, verbose=0)
    assert clip.calls == 8
    for _ in range(2):
        for start in range(0, 50, 16):
            twin.train_on_batch(x[start : start + 16], t[start : start + 16])
            kernel, bias = twin.get_weights()
            twin.set_weights([np.clip(kernel, -0.1, 0.1), bias - bias.mean()])
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)
    with pytest.raises(ValueError, match="must have the shape"):
        dense_model(kernel_constraint=lambda w: w[0]).train_on_batch(x, t)


def test_a_subclass_that_calls_something_else_is_called(data: tuple[Array, Array]) -> None:
    x, t = data

    class Halved(MaxNorm, abstract=True):
        def __call__(self, w: Any) -> Array:
            return np.asarray(w) / 2

    model, plain = dense_model(kernel_constraint=Halved()), dense_model()
    plain.set_weights(model.get_weights())
    for each in (model, plain):
        each.train_on_batch(x, t)
    np.testing.assert_allclose(model.get_weights()[0], plain.get_weights()[0] / 2, rtol=1e-12)
    assert constraints.native_spec(MaxNorm(), (4, 3)) is not None
    assert constraints.native_spec(Halved(), (4, 3)) is None


def test_a_constraint_that_does_not_fit_the_weight_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`axis` must be from -1 to 0\. Received: axis=1"):
        dense_model(bias_constraint=MaxNorm(axis=1)).train_on_batch(np.ones((2, 4)), np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"\[orthogonality\] takes a matrix: the weight 'dense.*/bias' has .*\(3,\)"):
        dense_model(bias_regularizer=OrthogonalRegularizer()).train_on_batch(np.ones((2, 4)), np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"\[orthogonality\] takes a matrix"):
        layers.Dense(2, activity_regularizer=OrthogonalRegularizer())(fastgd.Input((3, 4)))


def test_configs() -> None:
    made = layers.Dense(2, kernel_regularizer=L1(0.3), activity_regularizer=L2(0.1), bias_constraint=MaxNorm(3, axis=0))
    again = layers.Dense.from_config(made.get_config())
    assert again.get_config() == made.get_config()
    assert again.kernel_regularizer.l1 == 0.3
    assert again.activity_regularizer.l2 == 0.1
    assert again.bias_constraint.max_value == 3
    assert "activity_regularizer" not in layers.Flatten().get_config()
    assert layers.Flatten(activity_regularizer="l1").get_config()["activity_regularizer"]["class_name"] == "L1"
    assert layers.ActivityRegularization(0.1, 0.2).get_config()["l2"] == 0.2
    with pytest.raises(TypeError, match="A function has no config"):
        layers.Dense(2, kernel_regularizer=abs).get_config()
    with pytest.raises(NotImplementedError, match="must implement get_config"):
        Regularizer().get_config()
    for base, word in ((Regularizer, "x"), (Constraint, "w")):
        with pytest.raises(NotImplementedError, match=rf"must implement __call__\({word}\)"):
            base()(np.ones(2))


def test_weights_of_ones_own(data: tuple[Array, Array]) -> None:
    x, t = data

    class Scaled(Layer, abstract=True):
        def build(self, input_shape: Any) -> None:
            self.scale = self.add_weight(
                shape=(input_shape[-1], 3), initializer="ones", regularizer="l2", constraint="unit_norm", name="scale"
            )
            self.offset = self.add_weight(shape=(3,), initializer="zeros", dtype="float64", trainable=False)

        def call(self, inputs: Any) -> Any:
            return ops.dense(inputs, self.scale, self.offset)

    model = fastgd.Sequential([fastgd.Input((4,), dtype="float64"), Scaled()])
    model.compile("sgd", "mse")
    scaled = model.layers[0]
    assert isinstance(scaled.scale.regularizer, L2)
    assert scaled.offset.regularizer is None
    assert scaled.offset.name == "weight"
    assert float(model.losses[0]) == pytest.approx(0.01 * 12)
    model.train_on_batch(x, t)
    np.testing.assert_allclose(np.linalg.norm(scaled.scale.value, axis=0), 1.0, rtol=1e-6)
    np.testing.assert_array_equal(scaled.offset.value, 0)
    with pytest.raises(ValueError, match=r"All weights of the layer 'scaled.*' have its dtype, float64. .*'float32'"):
        scaled.add_weight((2,), dtype="float32")


def test_a_regularizer_must_return_a_tensor() -> None:
    with pytest.raises(TypeError, match=r"A regularizer must return a tensor of fastgd.ops: .* Received: value=3"):
        layers.Dense(2, activity_regularizer=lambda x: 3)(fastgd.Input((4,)))


def test_an_activity_regularizer_of_ones_own(data: tuple[Array, Array]) -> None:
    x, t = data
    model = dense_model(activity_regularizer=lambda y: ops.penalty(ops.activation(y, "tanh"), l2=0.7))
    y = model.predict(x, verbose=0)
    expected = np.mean((y - t) ** 2) + 0.7 * np.sum(np.tanh(y) ** 2) / 50
    np.testing.assert_allclose(model.evaluate(x, t, verbose=0)[0], expected, rtol=1e-12)


@pytest.mark.skipif("parameter" not in _core.op_names(), reason="needs the op that makes a tensor of a weight")
def test_a_weight_regularizer_of_ones_own(data: tuple[Array, Array]) -> None:
    x, t = data
    model, twin = dense_model(kernel_regularizer=lambda w: ops.penalty(w, 0.2, 0.3)), dense_model()
    twin.layers[0].kernel.regularizer = regularizers.L1L2(0.2, 0.3)
    twin.set_weights(model.get_weights())
    twin.compile(SGD(0.1), "mse", metrics=["mae"])
    for _ in range(3):
        np.testing.assert_allclose(model.train_on_batch(x, t), twin.train_on_batch(x, t), rtol=1e-12)
    np.testing.assert_allclose(model.get_weights()[0], twin.get_weights()[0], rtol=1e-12)
