"""Configs and clones of models: the same layers and calls, with weights of their own."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fastgd
from fastgd import ops
from fastgd.layers import Activation, Add, Concatenate, Dense, Dropout, Input, Lambda

X = np.random.default_rng(2).normal(size=(9, 4)).astype("float32")
Z = np.random.default_rng(3).normal(size=(9, 3)).astype("float32")


def chain():
    return fastgd.Sequential([Input((4,)), Dense(5, "relu"), Dropout(0.2), Dense(2)], name="chain")


def shared():
    """Two inputs, a layer used twice, a model inside, and two outputs in a dict."""
    a, b = Input((4,), name="a"), Input((3,), name="b")
    half = Dense(4, "tanh", name="half")
    inner = fastgd.Sequential([Input((4,)), Dense(6), Activation("sigmoid")], name="inner")
    once, twice = half(a), half(half(a))
    joined = Concatenate()([Add()([once, twice]), inner(once), b])
    return fastgd.Model([a, b], {"p": Dense(1, name="p")(joined), "q": inner(twice)}, name="shared")


def run(model, *arrays):
    return model.predict(arrays[0] if len(arrays) == 1 else list(arrays), verbose=0)


def copies(model):
    yield type(model).from_config(model.get_config())
    yield type(model).from_config(json.loads(json.dumps(model.get_config())))
    yield fastgd.models.model_from_json(model.to_json())
    yield fastgd.models.clone_model(model)


@pytest.mark.parametrize(("make", "arrays"), [(chain, (X,)), (shared, (X, Z))])
def test_a_copy_computes_the_same_with_the_same_weights(make, arrays):
    model = make()
    for copy in copies(model):
        assert type(copy) is type(model) and copy.name == model.name and copy.get_config() == model.get_config()
        assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
        assert not {id(v) for v in copy.weights} & {id(v) for v in model.weights}
        assert not np.array_equal(copy.get_weights()[0], model.get_weights()[0])
        copy.set_weights(model.get_weights())
        expected, got = run(model, *arrays), run(copy, *arrays)
        if isinstance(expected, dict):
            assert set(got) == set(expected)
            expected, got = list(expected.values()), [got[key] for key in expected]
        np.testing.assert_array_equal(np.hstack(got), np.hstack(expected))


def test_shared_layers_stay_shared():
    for copy in copies(shared()):
        assert len(copy.weights) == len(shared().weights) and copy.get_layer("half") in copy.layers


def test_a_chain_without_input_stays_unbuilt():
    model = fastgd.Sequential([Dense(3), Dense(1)])
    for copy in copies(model):
        assert not copy.built and len(copy.layers) == 2


def test_trainable_and_untold_training_survive():
    model = chain()
    model.layers[0].trainable = False
    for copy in copies(model):
        assert len(copy.trainable_weights) == 2


class Scale(fastgd.layers.Layer):
    def __init__(self, factor=2, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, inputs):
        return fastgd.layers.add([inputs] * self.factor)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def test_custom_layers_are_found_by_name_or_in_custom_objects():
    model = fastgd.Sequential([Input((4,)), Scale(3)])
    np.testing.assert_allclose(run(fastgd.Sequential.from_config(model.get_config()), X), 3 * X, rtol=1e-6)

    class Other(Scale):
        def call(self, inputs):
            return inputs

    text = model.to_json().replace('"Scale"', '"Elsewhere"')
    made = fastgd.models.model_from_json(text, custom_objects={"Elsewhere": Other})
    np.testing.assert_array_equal(run(made, X), X)
    with pytest.raises(ValueError, match=r"`class_name` is not a known layer\..*Received: class_name='Elsewhere'"):
        fastgd.models.model_from_json(text)


def test_clone_function_and_input_tensors():
    model = shared()
    kept = model.get_layer("half")

    def clone(layer):
        if layer is kept:
            return layer
        return Dense(1, use_bias=False, name="p") if layer.name == "p" else type(layer).from_config(layer.get_config())

    copy = fastgd.models.clone_model(model, clone_function=clone)
    assert copy.get_layer("half") is kept and len(copy.get_layer("p").weights) == 1
    names = []
    fastgd.models.clone_model(
        model, clone_function=lambda layer: names.append(layer.name) or clone(layer), recursive=True
    )
    assert "dense" in names and "inner" not in names
    a, b = Input((4,), name="new"), Input((3,), name="other")
    assert fastgd.models.clone_model(model, input_tensors=[a, b]).input_names == ["new", "other"]
    begun = fastgd.models.clone_model(chain(), input_tensors=Input((7,)))
    assert begun.input_shape == (None, 7)


def test_a_model_from_the_middle_of_another():
    x = Input((4,))
    middle = Dense(5, name="first")(x)
    model = fastgd.Model(middle, Dense(2)(middle))
    for copy in copies(model):
        copy.set_weights(model.get_weights())
        data = np.ones((2, 5), "float32")
        np.testing.assert_array_equal(run(copy, data), run(model, data))


def test_what_cannot_be_copied():
    class Own(fastgd.Model):
        def call(self, inputs):
            return inputs

    with pytest.raises(NotImplementedError, match=r"Own must implement get_config\(\)"):
        Own().get_config()
    with pytest.raises(ValueError, match="cannot be cloned"):
        fastgd.models.clone_model(Own())
    with pytest.raises(TypeError, match="`model` must be a model"):
        fastgd.models.clone_model(Dense(1))
    with pytest.raises(ValueError, match="`json_string` must describe a model"):
        fastgd.models.model_from_json('{"class_name": "Dense", "config": {"units": 1}}')
    with pytest.raises(TypeError, match="`clone_function` must return a layer"):
        fastgd.models.clone_model(chain(), clone_function=lambda layer: None)
    with pytest.raises(ValueError, match="`input_tensors` must hold 2 placeholders"):
        fastgd.models.clone_model(shared(), input_tensors=[Input((4,))])
    config = shared().get_config()
    config["layers"] = [entry for entry in config["layers"] if entry["name"] != "a"]
    with pytest.raises(ValueError, match="has calls whose inputs nothing makes"):
        fastgd.Model.from_config(config)


def of_ops():
    """A model of ops with every kind of argument: numbers, arrays, slices, tuples, lists and further tensors."""
    x = Input((4,))
    y = (2.0 * x - np.array([1.0, -2.0, 0.5, 3.0], "float32")) @ np.ones((4, 4), "float32")
    y = ops.concatenate([y, ops.clip(x, -1.0, x_max=0.5)], axis=-1)
    y = ops.round(y, 1) + ops.expand_dims(y, 1)[:, 0, ..., ::-1] ** 2 + ops.swish(y)
    return fastgd.Model(x, ops.sum(ops.reshape(y, (None, 2, 4)), axis=(1,), keepdims=False), name="ops")


@pytest.mark.parametrize("kind", range(4))
def test_ops_in_a_graph_are_copied(kind):
    model = of_ops()
    copy = list(copies(model))[kind]
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    np.testing.assert_array_equal(run(copy, X), run(model, X))
    again = [other.layers[3].get_config() for other in (model, copy)]
    assert again[0] == again[1]


def test_ops_that_have_no_config():
    x = Input((3,))
    y = x * fastgd.Variable(np.ones(3), "scale", "float32")
    with pytest.raises(ValueError, match=r"has no config: there are variables in it. Received: variables=\['scale'\]"):
        fastgd.Model(x, y).get_config()
    (entry,) = (e for e in fastgd.Model(x, ops.square(x)).get_config()["layers"] if e["class_name"] == "Operation")
    with pytest.raises(ValueError, match="`function` is not a known function of fastgd.ops"):
        fastgd.models.configs.layer_from_config({**entry, "config": {**entry["config"], "function": "eval"}})
    with pytest.raises(ValueError, match="`class_name` is not a known kind of argument"):
        fastgd.models.configs.layer_from_config({**entry, "config": {**entry["config"], "args": [{"a": 1}]}})


def test_a_lambda_is_cloned_but_is_no_text_unless_it_is_an_op():
    def half(x, by=2.0):
        return x / by

    made = fastgd.Sequential([Input((4,)), Lambda(half, arguments={"by": 4.0}), Lambda(ops.tanh)])
    clone = fastgd.models.clone_model(made)
    np.testing.assert_array_equal(run(clone, X), run(made, X))
    np.testing.assert_allclose(run(made, X), np.tanh(X / 4), rtol=1e-6)
    with pytest.raises(TypeError, match="holds functions or objects of one's own has no JSON. Received: config=<func"):
        made.to_json()
    named = fastgd.Sequential([Input((4,)), Lambda(ops.clip, arguments={"x_min": 0.0, "x_max": 1.0})])
    np.testing.assert_array_equal(run(fastgd.models.model_from_json(named.to_json()), X), np.clip(X, 0, 1))
