"""Configs and clones of models: the same layers and calls, with weights of their own."""

from __future__ import annotations

import json

import numpy as np
import pytest

import fastgd
from fastgd.layers import Activation, Add, Concatenate, Dense, Dropout, Input

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
