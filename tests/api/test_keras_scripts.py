"""What ordinary scripts for Keras use besides layers and `fit`: constants, names of variables, metrics with state."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd import layers, metrics, ops


def test_constants():
    for made, expected in (
        (ops.zeros((2, 3)), np.zeros((2, 3))), (ops.ones(2), np.ones(2)), (ops.full((2,), 7.0), [7.0, 7.0]),
        (ops.eye(2, 3, k=1), np.eye(2, 3, 1)), (ops.identity(3), np.eye(3)), (ops.linspace(0, 1, 3), [0.0, 0.5, 1.0]),
        (ops.arange(0.0, 2.0, 0.5), [0.0, 0.5, 1.0, 1.5]), (ops.array([1.0, 2.0]), [1.0, 2.0]),
    ):  # fmt: skip
        assert made.dtype == np.float32
        np.testing.assert_array_equal(made, expected)
    assert ops.arange(3).tolist() == [0, 1, 2] and ops.arange(1, 7, 2).dtype == np.int32
    assert ops.zeros((1,), dtype="int32").dtype == np.int32
    kept = np.arange(3.0)
    assert ops.convert_to_tensor(kept) is kept and ops.convert_to_tensor(kept, "float32").dtype == np.float32
    assert ops.convert_to_tensor([1, 2]).dtype == np.int32 and ops.convert_to_tensor([True]).dtype == np.bool_
    x = fastgd.Input((2,))
    assert ops.convert_to_tensor(x) is x and ops.is_tensor(x) and not ops.is_tensor([1.0])
    np.testing.assert_array_equal(ops.convert_to_numpy(fastgd.Variable(np.ones(2), "v", "float32")), [1.0, 1.0])
    with pytest.raises(TypeError, match="`x` must hold numbers"):
        ops.convert_to_tensor("text")
    y = fastgd.Model(x, x + ops.ones((2,)) * 3)
    np.testing.assert_array_equal(y.predict(np.zeros((1, 2)), verbose=0), [[3.0, 3.0]])


def test_names_of_variables():
    model = fastgd.Sequential([fastgd.Input((2,)), layers.Dense(3), layers.BatchNormalization()])
    assert model.variables == model.weights and len(model.trainable_variables) == 4
    assert model.trainable_variables == model.trainable_weights
    assert model.layers[1].non_trainable_variables == model.non_trainable_weights


class Gain(layers.Layer, abstract=True):
    def __init__(self) -> None:
        super().__init__()
        self.gain = fastgd.Variable(fastgd.initializers.Constant(2.0), shape=(3,), name="gain")
        self.seen = fastgd.Variable(0.0, trainable=False)

    def call(self, inputs):
        return self.gain * inputs


def test_variables_in_attributes_are_trained():
    layer = Gain()
    model = fastgd.Sequential([fastgd.Input((3,)), layer])
    assert model.trainable_variables == [layer.gain] and layer.gain.name == "gain" and layer.gain.dtype == "float32"
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3)), np.zeros((8, 3)), verbose=0)
    assert (layer.gain.numpy() < 2.0).all()
    with pytest.raises(TypeError, match="`shape` must be given"):
        fastgd.Variable(fastgd.initializers.Zeros())
    with pytest.raises(TypeError, match="`shape` is given by its name"):
        fastgd.Variable(np.zeros(3), (3,))
    with pytest.raises(TypeError, match=r"such as initializers.Zeros\(\)"):
        fastgd.Variable("zeros", shape=(3,))


def test_arithmetic_of_variables():
    variable = fastgd.Variable(np.ones((2, 1)), "v", "float64")
    variable.assign_add([[2.0], [3.0]])
    variable.assign_sub(1.0)
    np.testing.assert_array_equal(variable.numpy(), [[2.0], [3.0]])
    assert float(fastgd.Variable(np.full((1,), 4.0), "v", "float32")) == 4.0
    with pytest.raises(ValueError, match="can only convert an array of size 1"):
        float(variable)
    with pytest.raises(ValueError, match="`value` must have the shape"):
        variable.assign_add(np.ones((2, 2)))


class Hits(metrics.Metric, abstract=True):
    """A metric as Keras' guides write them."""

    def __init__(self, name: str = "hits") -> None:
        super().__init__(name=name)
        self.hits = self.add_variable(shape=(), name="hits", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        chosen = ops.argmax(y_pred, axis=1)
        self.hits.assign_add(ops.sum(ops.cast(ops.equal(ops.cast(y_true, "int32"), chosen), "float32")))

    def result(self):
        return self.hits


def test_a_metric_with_state_of_its_own():
    metric = Hits()
    y, p = np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])
    metric.update_state(y, p)
    assert float(metric.result()) == 2.0 and float(metric(y, p)) == 4.0
    assert [v.name for v in metric.variables] == ["hits"]
    metric.reset_state()
    assert float(metric.result()) == 0.0
    model = fastgd.Sequential([fastgd.Input((3,)), layers.Dense(2)])
    with pytest.raises(TypeError, match=r"`update_state` of its own.*metrics.NumpyMetric.*metric='Hits'"):
        model.compile("sgd", "sparse_categorical_crossentropy", metrics=[Hits()])

    class Stepping(fastgd.Model):
        def train_step(self, data):
            x, y = data
            with fastgd.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
            for known in self.metrics[1:]:
                known.update_state(y, y_pred)
            return {"loss": loss, **{known.name: known.result() for known in self.metrics[1:]}}

    x = fastgd.Input((3,))
    stepping = Stepping(x, layers.Dense(2)(x))
    stepping.compile("sgd", fastgd.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=[Hits()])
    history = stepping.fit(np.ones((8, 3)), np.zeros(8), batch_size=4, verbose=0).history
    assert history["hits"][0] in range(9)


def test_a_string_input_says_what_to_do():
    with pytest.raises(ValueError, match="A model holds no strings: apply TextVectorization"):
        fastgd.Input((1,), dtype="string")
