"""Classes and functions that configs find by the names under which users have registered them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import saving, utils


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    before = dict(saving.get_custom_objects())
    yield
    saving.get_custom_objects().clear()
    saving.get_custom_objects().update(before)


def make_layer(factor: float) -> type[Any]:
    class Scaled(fastgd.layers.Layer, abstract=True):
        def call(self, inputs):
            return factor * inputs

    return Scaled


def test_a_registered_class_is_found_by_its_full_name():
    layer = saving.register_keras_serializable("mine", "Triple")(make_layer(3.0))
    assert saving.get_registered_name(layer) == "mine>Triple"
    assert saving.get_registered_object("mine>Triple") is layer
    assert saving.get_custom_objects()["mine>Triple"] is layer
    assert saving.get_registered_name(make_layer(1.0)) == "Scaled"
    assert saving.get_registered_object("Triple") is None
    assert saving.register_keras_serializable()(layer) is layer
    assert saving.get_registered_name(layer) == "Custom>Scaled"


def test_a_model_finds_registered_layers():
    model = fastgd.Sequential([fastgd.Input((2,)), make_layer(5.0)()])
    config = model.get_config()
    with pytest.raises(ValueError, match="Scaled"):
        fastgd.Sequential.from_config(config)
    for name in ("class_name", "registered_name"):
        config["layers"][1]["class_name"] = "Unknown"
        config["layers"][1][name] = "mine>Five"
        utils.get_custom_objects()["mine>Five"] = make_layer(5.0)
        again = fastgd.Sequential.from_config(config)
        np.testing.assert_array_equal(again.predict(np.ones((1, 2)), verbose=0), [[5.0, 5.0]])


def test_scopes_hold_inside_and_for_their_thread():
    first, second = make_layer(1.0), make_layer(2.0)
    seen: list[Any] = []
    with saving.custom_object_scope({"A": first}) as scope:
        assert saving.get_registered_object("A") is first
        with utils.CustomObjectScope({"B": second}), scope:
            assert saving.get_registered_object("A") is first
        with utils.CustomObjectScope({"B": second}):
            assert saving.get_registered_object("A") is None
            assert saving.get_registered_object("B", {"B": first}) is second
        thread = threading.Thread(target=lambda: seen.append(saving.get_registered_object("A")))
        thread.start()
        thread.join()
        assert "A" not in saving.get_custom_objects()
    assert saving.get_registered_object("A") is None
    assert seen == [None]
    assert saving.get_registered_object("A", {"A": first}, {"A": second}) is first
    assert saving.get_registered_object("A", None, {"A": second}) is second


def test_a_custom_loss_and_regularizer_are_made_of_configs():
    class Ridge(fastgd.regularizers.L2, abstract=True):
        pass

    saving.register_keras_serializable("mine")(Ridge)
    made = fastgd.regularizers.get({"class_name": "L2", "registered_name": "mine>Ridge", "config": {"l2": 0.5}})
    assert type(made) is Ridge
    with saving.custom_object_scope({"Ridge": Ridge}):
        assert type(fastgd.regularizers.get({"class_name": "Ridge", "config": {"l2": 0.5}})) is Ridge


def test_what_cannot_be_registered():
    with pytest.raises(ValueError, match="get_config"):
        saving.register_keras_serializable()(object)
    with pytest.raises(TypeError, match="classes and functions"):
        saving.register_keras_serializable()(3)
    with pytest.raises(TypeError, match="`custom_objects` must be a dict"):
        saving.custom_object_scope([make_layer])
