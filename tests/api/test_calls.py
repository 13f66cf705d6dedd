"""Further arguments of `call`: in functional models, their configs and clones, on arrays, in classes and on tapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers, ops

Array = np.ndarray[Any, Any]


class Gated(layers.Layer):
    """`y = x w + scale gate v`, for a gate or the last of a list of them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.shapes: dict[str, Any] = {}

    def build(self, inputs_shape: Any, gate_shape: Any) -> None:
        self.shapes = {"inputs": inputs_shape, "gate": gate_shape}
        self.w = self.add_weight((inputs_shape[-1], 2), name="w")
        self.v = self.add_weight(((gate_shape[-1] if isinstance(gate_shape, list) else gate_shape)[-1], 2), name="v")

    def call(self, inputs: Any, gate: Any, scale: float = 1.0, swap: bool = False) -> Any:
        gate = gate[-1] if isinstance(gate, (list, tuple)) else gate
        y = ops.matmul(inputs, self.w) + scale * ops.matmul(gate, self.v)
        return -y if swap else y


class Pair(fastgd.Model):
    def __init__(self) -> None:
        super().__init__()
        self.gated = Gated(name="inner")

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.gated(inputs[:, :3], gate=inputs[:, 3:], scale=0.5)


def expected(layer: Gated, x: Array, g: Array, scale: float = 1.0) -> Array:
    value: Array = x @ layer.w.numpy() + scale * (g @ layer.v.numpy())
    return value


def data(rows: int = 5) -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    return rng.normal(size=(rows, 3)).astype("float32"), rng.normal(size=(rows, 4)).astype("float32")


@pytest.fixture
def functional() -> tuple[Any, Gated]:
    a, b = fastgd.Input((3,), name="a"), fastgd.Input((4,), name="b")
    layer = Gated(name="gated")
    return fastgd.Model([a, b], layer(a, [b * 2.0, b], scale=0.5, swap=True)), layer


def test_functional_models_take_tensors_and_values_by_place_and_by_name(functional: Any) -> None:
    model, layer = functional
    x, g = data()
    np.testing.assert_allclose(model.predict([x, g]), -expected(layer, x, g, 0.5), rtol=1e-5)
    assert layer.shapes == {"inputs": (None, 3), "gate": [(None, 4), (None, 4)]}


def test_configs_and_clones_keep_further_arguments(functional: Any) -> None:
    model, _ = functional
    x, g = data()
    parsed = fastgd.models.model_from_json(model.to_json(), {"Gated": Gated})
    for other in (parsed, fastgd.models.clone_model(model)):
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(other.predict([x, g]), model.predict([x, g]))


def test_arrays_with_a_row_per_sample_are_tensors_and_other_arrays_are_values() -> None:
    x, g = data()
    layer = Gated()
    np.testing.assert_allclose(layer(x, gate=g), expected(layer, x, g), rtol=1e-5)
    np.testing.assert_allclose(layer(inputs=x, gate=[g, g], scale=2.0), expected(layer, x, g, 2.0), rtol=1e-5)

    class Shifted(layers.Layer):
        def call(self, inputs: Any, shift: Any) -> Any:
            return ops.add(inputs, shift)

    row = np.arange(3.0, dtype="float32")[None]
    np.testing.assert_allclose(Shifted()(x, row), x + row, rtol=1e-6)
    inputs = fastgd.Input((3,))
    model = fastgd.Model(inputs, Shifted(name="shifted")(inputs, shift=row))
    clone = fastgd.models.model_from_json(model.to_json())
    np.testing.assert_allclose(clone.predict(x), x + row, rtol=1e-6)


def test_integers_among_further_arguments_stay_integers() -> None:
    class Picks(layers.Layer):
        def call(self, inputs: Any, places: Any) -> Any:
            return inputs * ops.one_hot(places, 3)

    x, _ = data(3)
    places = np.array([2, 0, 1])
    np.testing.assert_array_equal(Picks()(x, places=places), x * np.eye(3, dtype="float32")[places])
    with fastgd.GradientTape():
        y = Picks()(x, places)
    np.testing.assert_array_equal(y.numpy(), x * np.eye(3, dtype="float32")[places])


def test_subclassed_models_pass_further_arguments_to_their_layers() -> None:
    x, g = data(6)
    both = np.concatenate([x, g], 1)
    model = Pair()
    model.compile("sgd", "mse")
    model.fit(both, np.zeros((6, 2)), epochs=1, verbose=0)
    np.testing.assert_allclose(model.predict(both), expected(model.gated, x, g, 0.5), rtol=1e-4, atol=1e-6)


def test_models_may_have_a_call_of_several_arguments() -> None:
    class Two(fastgd.Model):
        def __init__(self) -> None:
            super().__init__()
            self.gated = Gated(name="inner")

        def call(self, inputs: Any, gate: Any = None) -> Any:
            return self.gated(inputs, inputs if gate is None else gate)

    x, g = data()
    model = Two()
    np.testing.assert_allclose(model(x, g), expected(model.gated, x, g), rtol=1e-5)
    a, b = fastgd.Input((3,)), fastgd.Input((4,))
    outer = fastgd.Model([a, b], model(a, gate=b))
    np.testing.assert_allclose(outer.predict([x, g]), expected(model.gated, x, g), rtol=1e-5)


def test_tapes_differentiate_through_further_arguments() -> None:
    x, g = data()
    layer = Gated()
    with fastgd.GradientTape() as tape:
        tape.watch(g)
        loss = ops.sum(layer(x, gate=g))
    by_v, by_g = tape.gradient(loss, [layer.v, g])
    np.testing.assert_allclose(by_v, g.sum(0)[:, None] * np.ones((1, 2)), rtol=1e-5)
    np.testing.assert_allclose(by_g, np.tile(layer.v.numpy().sum(1), (5, 1)), rtol=1e-5)


def test_wrong_arguments_are_refused_by_name() -> None:
    x, g = data()
    with pytest.raises(TypeError, match=r"`call` of Gated takes \(inputs, gate, scale, swap\): missing a required"):
        Gated()(x)
    with pytest.raises(TypeError, match=r"`call` of Dense takes \(inputs\): .*'gate'"):
        layers.Dense(2)(x, gate=g)
    with pytest.raises(TypeError, match="takes placeholders or arrays, not both"):
        Gated()(x, fastgd.Input((4,)))
