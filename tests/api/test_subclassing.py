"""Layers made of layers, and models that are a class with a `call` of its own."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd.layers import Dense, Dropout, add

RNG = np.random.default_rng(5)
X = RNG.normal(size=(40, 6)).astype("float32")
Y = RNG.normal(size=(40, 1)).astype("float32")


class Block(fastgd.layers.Layer):
    """Two dense layers with a way around them."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.hidden = [Dense(units, "tanh", name="first"), Dense(6, name="second")]
        self.extra = {"drop": Dropout(0.5, seed=1)}

    def call(self, inputs):
        y = inputs
        for layer in self.hidden:
            y = layer(y)
        return add([inputs, self.extra["drop"](y)])

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Net(fastgd.Model):
    def __init__(self, units=5, **kwargs):
        super().__init__(**kwargs)
        self.block = Block(units)
        self.head = Dense(1)

    def call(self, inputs, training=None):
        y = self.block(inputs)
        if training:
            y = Dropout(0.0)(y)
        return self.head(y)


def like_net(model):
    """The same network from placeholders, with the same weights."""
    x = fastgd.Input((6,))
    block = Block(5)
    y = Dense(1)(block(x))
    made = fastgd.Model(x, y)
    made.set_weights(model.get_weights())
    return made


def test_a_layer_made_of_layers_has_their_weights():
    block = Block(4)
    assert not block.weights and [layer.name for layer in block.sublayers] == ["first", "second", "dropout"]
    block(X)
    assert [v.shape for v in block.weights] == [(6, 4), (4,), (4, 6), (6,)]
    assert block.count_params() == 6 * 4 + 4 + 4 * 6 + 6
    block.hidden[0].trainable = False
    assert [v.shape for v in block.trainable_weights] == [(4, 6), (6,)]
    block.trainable = False
    assert not block.trainable_weights and not block.hidden[1].trainable
    w1, b1, w2, b2 = block.get_weights()
    np.testing.assert_allclose(block(X), X + np.tanh(X @ w1 + b1) @ w2 + b2, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("how", ["fit", "call", "build", "placeholder"])
def test_a_subclassed_model_is_built_by_what_comes_first(how):
    model = Net()
    assert not model.built and model.name == "net"
    if how == "fit":
        model.compile("sgd", "mse")
        model.fit(X, Y, verbose=0)
    elif how == "call":
        model(X)
    elif how == "build":
        model.build((None, 6))
    else:
        y = model(fastgd.Input((6,)))
        assert y.shape == (None, 1)
    assert model.built and len(model.weights) == 6
    assert [layer.name for layer in model.layers] == ["block", "dense"]
    assert model.output_shape == (None, 1) and model.input_shape == (None, 6)


def test_it_trains_as_the_functional_model_does():
    model = Net()
    model.build((None, 6))
    other = like_net(model)
    np.testing.assert_array_equal(model.predict(X, verbose=0), other.predict(X, verbose=0))
    for each in (model, other):
        each.compile(fastgd.optimizers.Adam(0.01), "mse", metrics=["mae"])
        each.layers[-2].extra["drop"].seed = 1
        each.fit(X, Y, epochs=3, shuffle=False, verbose=0)
    assert model.evaluate(X, Y, verbose=0) == other.evaluate(X, Y, verbose=0)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_reaches_call_and_the_layers():
    told = []

    class Told(fastgd.Model):
        def __init__(self):
            super().__init__()
            self.drop, self.head = Dropout(0.9, seed=3), Dense(1, kernel_initializer="ones")

        def call(self, inputs, training=None):
            told.append(training)
            return self.head(self.drop(inputs, training=training))

    model = Told()
    model.compile("sgd", "mse")
    model(X)
    assert told == [True, False]  # a trial to build, then the plan for prediction
    np.testing.assert_allclose(model(X), X.sum(axis=1, keepdims=True), rtol=1e-4, atol=1e-5)
    assert not np.allclose(model(X, training=True), X.sum(axis=1, keepdims=True), rtol=1e-2)


class Two(fastgd.Model):
    def __init__(self):
        super().__init__()
        self.a, self.b = Dense(2, name="a"), Dense(1, name="b")

    def call(self, inputs):
        y = self.a(inputs["left"])
        return {"sum": add([y, self.a(inputs["right"])]), "head": self.b(y)}


def test_dicts_of_inputs_and_outputs():
    model = Two()
    model.compile("sgd", {"sum": "mse", "head": "mae"})
    data = {"left": X, "right": X[:, ::-1].copy()}
    targets = {"sum": np.zeros((40, 2)), "head": Y}
    history = model.fit(data, targets, verbose=0)
    assert set(history.history) == {"loss", "sum_loss", "head_loss"}
    result = model.predict(data, verbose=0)
    assert set(result) == {"sum", "head"} and result["sum"].shape == (40, 2)
    inner = Two()({"left": fastgd.Input((6,)), "right": fastgd.Input((6,))})
    assert inner["head"].shape == (None, 1)


def test_inside_a_sequential_model_and_summary(capsys):
    model = fastgd.Sequential([fastgd.Input((6,)), Net(name="net"), Dense(2)])
    assert model.output_shape == (None, 2) and len(model.weights) == 8
    Net().summary(print_fn=print)
    model.layers[0].summary(line_length=80)
    shown = capsys.readouterr().out
    assert "0 (unbuilt)" in shown and "(Block)" in shown
    assert "(None, 6)" in shown and "Total params: 78" in shown


def test_own_weights_of_a_subclassed_model():
    class Own(fastgd.Model):
        def __init__(self):
            super().__init__()
            self.layer = Dense(1)
            self.unused = self.add_weight((3,), "zeros", trainable=False, name="counter")

        def call(self, inputs):
            return self.layer(inputs)

    model = Own()
    model.build((None, 6))
    assert [v.shape for v in model.weights] == [(3,), (6, 1), (1,)]
    assert [v.shape for v in model.trainable_weights] == [(6, 1), (1,)]
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)


def test_dtype_of_a_subclassed_model():
    model = Net(dtype="float64")
    assert model(X).dtype == np.float64 and {v.dtype for v in model.weights} == {"float64"}


@pytest.mark.parametrize(
    ("returned", "error", "text"),
    [
        (lambda x: 3.0, TypeError, "`call` of Wrong must return tensors of fastgd.ops"),
        (lambda x: fastgd.ops.reshape(x, (-1,)), ValueError, "must return tensors that begin with the batch"),
    ],
)
def test_wrong_results_of_call(returned, error, text):
    class Wrong(fastgd.Model):
        def call(self, inputs):
            return returned(inputs)

    with pytest.raises(error, match=text):
        Wrong()(X)


def test_a_model_without_call_or_placeholders():
    with pytest.raises(ValueError, match="A Model needs `inputs` and `outputs`, or a subclass with a `call`"):
        fastgd.Model()
    with pytest.raises(ValueError, match="is not built"):
        _ = Net().inputs
