"""What every layer must do: keep its config and shape, have right gradients, and train alike on both interpreters."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from cases import LayerCase, layer_cases
from contract.registered import make, round_trips
from fastgd import _core, constraints, initializers, layers, reference, regularizers, runtime
from fastgd.layers.host_layer import HostLayer
from fastgd.optimizers import SGD
from fastgd.utils.structure import pack
from reference.gradcheck import check_gradients

Array = np.ndarray[Any, Any]

# The heads of the models flatten what they get.
pytestmark = pytest.mark.filterwarnings("ignore:Layer 'flatten.* was passed an input with a mask:UserWarning")

ROWS = list(layer_cases())
CALLED = [case for case in ROWS if case.inputs]
TIERS = _core.available_isas()
HEAD_UNITS = 3
FINDERS: dict[str, Any] = {"initializer": initializers, "regularizer": regularizers, "constraint": constraints}


def call(layer: Any, values: list[Any]) -> Any:
    """Call a layer on its one input or its list of inputs: the layers that merge take a list of one, too."""
    if isinstance(layer, layers.headed_attention.HeadedAttention):
        return layer(*values)
    if isinstance(layer, (layers.recurrent_cell.RecurrentCell, layers.StackedRNNCells)):
        return layer(values[0], pack(layer.state_size, values[1:]))[0]
    return layer(values if len(values) > 1 or isinstance(layer, layers.merging.Merge) else values[0])


def small_model(case: LayerCase, dtype: str, layer: Any = None) -> Any:
    """Return inputs -> the layer -> Flatten -> Dense(tanh), compiled with mean squared error and random weights."""
    layer = layer or make("layer", case)
    inputs = [fastgd.Input(shape, dtype="int32" if case.integers else dtype) for shape in case.inputs]
    head = layers.Dense(HEAD_UNITS, "tanh", dtype=dtype)
    model = fastgd.Model(inputs, head(layers.Flatten()(call(layer, inputs))))
    model.compile(SGD(0.1), "mse")
    rng = np.random.default_rng(case.seed)
    # Asymmetric weights, biases included, scaled so that every sum is of order one.
    values = [rng.normal(size=w.shape) / (*w.shape, 1)[0] ** 0.5 for w in model.weights]
    # A variance is positive.
    model.set_weights(
        [abs(value) + 0.1 if "variance" in w.name else value for w, value in zip(model.weights, values, strict=True)]
    )
    return model


def weights_of_plan(model: Any) -> list[Array]:
    """Return copies of the weights in the order of the plan's parameters."""
    # Constants of layers, which are no weights, are parameters of the plan too.
    found = [w.numpy() for w in model._lower(()).variables]
    assert [w.shape for w in found] == [p.shape for p in model.make_plan().params]
    return found


def data(case: LayerCase, dtype: str, batch: int) -> tuple[list[Array], Array]:
    """Return random inputs, away from the kinks at 0, and targets."""
    rng = np.random.default_rng(100 + case.seed)
    if case.integers:
        labels = [rng.integers(0, case.integers, (batch, *s)).astype(np.int32) for s in case.inputs]
        return labels, rng.normal(size=(batch, HEAD_UNITS)).astype(dtype)
    arrays = [rng.uniform(0.1, 1.5, (batch, *s)) * rng.choice([-1.0, 1.0], (batch, *s)) for s in case.inputs]
    return [x.astype(dtype) for x in arrays], rng.normal(size=(batch, HEAD_UNITS)).astype(dtype)


@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
def test_config_round_trip(case: LayerCase) -> None:
    layer = make("layer", case)
    config = layer.get_config()
    for key, value in case.config.items():
        if isinstance(value, dict) and isinstance(value.get("config"), dict):
            # The config of a layer inside, of which the row gives a part.
            assert config[key]["class_name"] == value["class_name"], key
            assert config[key]["config"].items() >= value["config"].items(), key
            continue
        finder = FINDERS.get(key.rpartition("_")[2])
        kept = config[key]["class_name"] if finder else config[key]
        assert kept == (type(finder.get(value)).__name__ if finder else value), key
    for way, again in round_trips("layer", layer):
        assert again.name == layer.name, way


@pytest.mark.parametrize("case", CALLED, ids=lambda c: c.id)
def test_a_layer_made_from_a_config_computes_the_same(case: LayerCase) -> None:
    layer = make("layer", case)
    model = small_model(case, "float64", layer)
    x, t = data(case, "float64", 5)
    for way, again in round_trips("layer", layer):
        other = small_model(case, "float64", again)
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0), err_msg=way)
        # In training, too: a seed is part of the config.
        seen = [reference.Executor(each.make_plan()) for each in (model, other)]
        for executor, each in zip(seen, (model, other), strict=True):
            executor.bind_parameters(weights_of_plan(each))
        first, second = (list(executor.inspect([*x, t]).values()) for executor in seen)
        assert all(map(np.array_equal, first, second)), way


@pytest.mark.parametrize("cls", sorted({case.cls for case in CALLED}))
def test_base_arguments_survive_the_round_trip(cls: str) -> None:
    case = next(case for case in CALLED if case.cls == cls)
    given = {"name": "mine", "dtype": "float64", "trainable": False, "input_shape": case.inputs[0]}
    layer = make("layer", LayerCase(cls, {**case.config, **given}))
    for _, again in round_trips("layer", layer):
        assert (again.name, again.dtype, again.trainable, again.first_shape) == tuple(given.values())


@pytest.mark.parametrize("cls", sorted({case.cls for case in CALLED}))
def test_unknown_keywords_are_refused(cls: str) -> None:
    case = next(case for case in CALLED if case.cls == cls)
    with pytest.raises(TypeError, match=rf"^{cls} has no keyword `wrong`. Known: .*Received: wrong=1$"):
        make("layer", LayerCase(cls, {**case.config, "wrong": 1}))


@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
def test_output_has_the_declared_shape(case: LayerCase) -> None:
    layer = make("layer", case)
    if isinstance(layer, HostLayer):
        return
    if not case.inputs:
        assert layer.output.shape == (None, *case.output)
        return
    kind = "int32" if case.integers else None
    placeholders = call(layer, [fastgd.Input(shape, dtype=kind) for shape in case.inputs])
    assert placeholders.shape == (None, *case.output)
    for batch in (1, 7):
        x, _ = data(case, "float32", batch)
        for backend in runtime.BACKENDS:
            with fastgd.backend(backend):
                y = call(layer, list(x))
            assert y.shape == (batch, *case.output), backend
            assert y.dtype == np.float32, backend


@pytest.mark.parametrize("case", CALLED, ids=lambda c: c.id)
def test_gradients(case: LayerCase) -> None:
    model = small_model(case, "float64")
    x, t = data(case, "float64", 2)
    plan = model.make_plan()
    seen = check_gradients(plan, [*x, t], weights_of_plan(model))
    if case.differentiable and not case.integers:
        assert {"d:" + name for name in plan.inputs[: len(x)]} <= set(seen)


@pytest.mark.parametrize("isa", TIERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CALLED, ids=lambda c: c.id)
def test_native_matches_the_reference(case: LayerCase, dtype: str, isa: str) -> None:
    model = small_model(case, dtype)
    plan, params = model.make_plan(), weights_of_plan(model)
    native, expected = _core.Executor(plan, isa), reference.Executor(plan)
    assert native.isa == isa
    native.bind_parameters(params)
    expected.bind_parameters(params)
    for batch in (1, 7, 65):
        x, t = data(case, dtype, batch)
        got, want = native.inspect([*x, t], True, 3), expected.inspect([*x, t], True, 3)
        # Forwards through the layer, the head and the loss, and back; gradients of weights sum over the batch.
        inner = (case.length, prod(case.output), HEAD_UNITS)
        close = tolerances.chained(dtype, *inner, 1, *inner, batch)
        for name, value in want.items():
            if name.startswith("d:") and name not in got:
                assert not np.any(value), f"{name} is missing"
                continue
            tolerances.assert_close(got[name], value, close, what=f"{name}, batch {batch}")


@pytest.mark.parametrize("isa", TIERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CALLED, ids=lambda c: c.id)
def test_one_step_trains_alike(case: LayerCase, dtype: str, isa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTGD_ISA", isa)
    x, t = data(case, dtype, 9)
    after, losses = {}, {}
    for backend in runtime.BACKENDS:
        with fastgd.backend(backend):
            model = small_model(case, dtype)
            before = model.get_weights()
            losses[backend] = model.train_on_batch(x, t)
            after[backend] = model.get_weights()
        assert model.optimizer.iterations == 1
        changing = {id(w) for w in model.trainable_weights + model.moving_weights}
        for variable, old, new in zip(model.weights, before, after[backend], strict=True):
            assert new.dtype == dtype
            moved = not np.array_equal(old, new)
            assert moved == (id(variable) in changing), f"{backend}: {variable.path} moved: {moved}"
    inner = (case.length, prod(case.output), HEAD_UNITS)
    close = tolerances.chained(dtype, *inner, 1, *inner, 9)
    tolerances.assert_close(losses["native"], losses["numpy"], close, what="loss")
    for got, want in zip(after["native"], after["numpy"], strict=True):
        tolerances.assert_close(got, want, close)


@pytest.mark.parametrize("case", CALLED, ids=lambda c: c.id)
def test_a_frozen_layer_is_left_alone(case: LayerCase) -> None:
    layer = make("layer", LayerCase(case.cls, {**case.config, "trainable": False}))
    model = small_model(case, "float32", layer)
    x, t = data(case, "float32", 9)
    before, all_before = layer.get_weights(), model.get_weights()
    model.train_on_batch(x, t)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert not np.array_equal(all_before[-2], model.get_weights()[-2])


def test_lists_may_change_after_the_call() -> None:
    # Growing the list that was just joined is how densely connected networks are written.
    x = fastgd.Input((4,))
    parts, outputs = [x], []
    for units in (3, 2):
        joined = layers.Concatenate()(parts)
        parts.append(layers.Dense(units)(joined))
    assert joined.shape == (None, 7)
    outputs.append(layers.Dense(1)(parts[-1]))
    model = fastgd.Model([x], outputs)
    outputs.append(joined)
    assert len(model.predict(np.ones((2, 4)), verbose=0)) == 1
    assert model.count_params() == (4 * 3 + 3) + (7 * 2 + 2) + (2 * 1 + 1)
