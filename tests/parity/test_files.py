"""Files between fastgd and Keras: written by one, opened by the other, with equal predictions and optimizer state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgd
from cases import ClassCase, LayerCase, layer_cases, loss_cases, metric_cases, optimizer_cases
from contract.registered import make
from contract.test_layers import data
from fastgd import layers, losses, metrics, ops, optimizers, saving

keras = pytest.importorskip("keras")
pytest.importorskip("h5py")

Array = np.ndarray[Any, Any]

CLOSE = {"rtol": 1e-5, "atol": 1e-5}


HEADED = {"MultiHeadAttention", "GroupQueryAttention"}


def is_shared(case: LayerCase) -> bool:
    """Return whether Keras has the layer with these arguments."""
    # Keras scales another axis than the one it normalises, and its sparsemax counts the batch among the classes.
    faulty = case.cls == "RMSNormalization" and case.config.get("axis") == 1
    faulty |= case.config.get("activation") == "sparsemax"
    # With the axes left open it takes the size of the first one for that of the last.
    faulty |= str(case.config.get("equation", "")).startswith("...")
    # Attention with heads is called by several arguments, not side by side with the others.
    faulty |= case.cls in HEADED
    return bool(case.inputs) and hasattr(keras.layers, case.cls) and not faulty


def one_of_each(cases: list[Any]) -> list[Any]:
    """Return for each class the row that says most."""
    longest: dict[str, Any] = {}
    for case in cases:
        if len(case.config) >= len(longest.get(case.cls, ClassCase(case.cls)).config):
            longest[case.cls] = case
    return list(longest.values())


ROWS = one_of_each([case for case in layer_cases() if is_shared(case)])


def layer_of_keras(case: LayerCase) -> Any:
    config = dict(case.config)
    if {"cell", "cells", "layer"} & set(config):
        # There are other layers in it, described as fastgd does.
        described = make("layer", LayerCase(case.cls, {**config, "dtype": keras.config.floatx()}))
        return keras.saving.deserialize_keras_object(saving.serialize_keras_object(described))
    if "seed" in config:
        config["seed"] %= 2**31
    if case.cls == "Lambda":
        config["function"] = getattr(keras.ops, config["function"]["config"])
    return getattr(keras.layers, case.cls)(**config)


def called(case: LayerCase, layer: Any, inputs: list[Any]) -> Any:
    """Return the output, or the first, of a layer of either library."""
    if case.cls.endswith(("Cell", "Cells")):
        states = [inputs[1:3], inputs[3:]] if case.cls == "StackedRNNCells" else inputs[1:]
        return layer(inputs[0], states)[0]
    many = len(inputs) > 1 or issubclass(getattr(layers, case.cls), layers.merging.Merge)
    return layer(inputs if many else inputs[0])


def side_by_side(library: Any, rows: list[LayerCase]) -> tuple[Any, list[Array]]:
    """Return a model with an output for each row, with random weights, and its inputs."""
    inputs, outputs, x = [], [], []
    for case in rows:
        own = [library.Input(shape, dtype="int32" if case.integers else "float32") for shape in case.inputs]
        inputs += own
        outputs.append(called(case, make("layer", case) if library is fastgd else layer_of_keras(case), own))
        x += data(case, "float32", 3)[0]
    model = library.Model(inputs, outputs)
    rng = np.random.default_rng(1)
    # They do for variances, too.
    model.set_weights([rng.uniform(0.1, 1.0, tuple(w.shape)).astype(np.float32) for w in model.weights])
    return model, x


def arguments(layer: Any) -> Any:
    """Return class and arguments of a layer of Keras, without names, types, and seeds, which may have 64 bits here."""

    def known(config: Any) -> Any:
        if isinstance(config, list):
            return [known(part) for part in config]
        if not isinstance(config, dict):
            return config
        left_out = ("name", "seed", "dtype", "shared_object_id", "build_config")
        return {key: known(part) for key, part in config.items() if key not in left_out}

    return type(layer), known(json.loads(json.dumps(layer.get_config(), default=str)))


def compare(rows: list[LayerCase], here: list[Any], there: list[Any]) -> None:
    for case, ours, theirs in zip(rows, here, there, strict=True):
        if case.cls == "RandomCrop":
            # Keras' layer leaves images as they are when a model predicts.
            continue
        np.testing.assert_allclose(ours, np.asarray(theirs), err_msg=case.id, **CLOSE)


# In parts, so that a failure tells more.
@pytest.mark.parametrize("part", range(8))
def test_every_layer_goes_both_ways(part: int, tmp_path: Path) -> None:
    rows = ROWS[part::8]
    theirs, x = side_by_side(keras, rows)
    theirs.save(tmp_path / "k.keras")
    ours = fastgd.models.load_model(tmp_path / "k.keras")
    here = ours.predict(x, verbose=0)
    compare(rows, here, theirs(x, training=False))
    made, _ = side_by_side(fastgd, rows)
    made.save(tmp_path / "m.keras")
    # Compiling Keras' model once more takes seconds: of equal arguments and weights it makes equal predictions.
    again = keras.models.load_model(tmp_path / "m.keras")
    for mine, its in zip(again.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)
    for mine, its in zip(again.layers, theirs.layers, strict=True):
        assert arguments(mine) == arguments(its)


def test_layers_that_keras_lacks_are_none() -> None:
    missing = {case.cls for case in layer_cases() if case.inputs} - {case.cls for case in ROWS}
    assert missing == HEADED


def test_every_optimizer_keeps_its_state_both_ways(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(6, 4)).astype(np.float32), rng.normal(size=(6, 2)).astype(np.float32)
    for case in one_of_each(list(optimizer_cases())):
        ours = fastgd.Sequential([fastgd.Input((4,)), layers.Dense(3, "tanh"), layers.Dense(2)])
        ours.compile(getattr(optimizers, case.cls)(**case.config), "mse")
        ours.fit(x, y, batch_size=2, verbose=0, shuffle=False)
        ours.save(tmp_path / "m.keras")
        theirs = keras.models.load_model(tmp_path / "m.keras")
        arrays = [np.asarray(v) for v in theirs.optimizer.variables]
        assert int(arrays[0]) == ours.optimizer.calls, case.id
        theirs.save(tmp_path / "k.keras")
        again = fastgd.models.load_model(tmp_path / "k.keras")
        assert again.optimizer.calls == ours.optimizer.calls
        for slot, values in ours.optimizer.slots.items():
            np.testing.assert_array_equal(again.optimizer.slots[slot], values, err_msg=f"{case.id} {slot}")
        before = {name: np.asarray(v) for name, v in zip(names_of(theirs.optimizer), arrays, strict=True)}
        check_slots(case.cls, ours.optimizer, before)


def names_of(optimizer: Any) -> list[str]:
    return [v.path.rpartition("/")[2] for v in optimizer.variables]


def check_slots(cls: str, optimizer: Any, theirs: dict[str, Array]) -> None:
    """Compare each slot of the first kernel with what Keras calls by the name that says the same."""
    meanings = {"m": "momentum", "u": "norm", "top": "velocity_hat", "n": "accumulator", "z": "linear"}
    meanings |= {"average": "average", "accumulator": "gradient_accumulator", "speed": "momentum"}
    meanings["v"] = "momentum" if cls == "SGD" else "velocity"
    meanings["a"] = {"Adagrad": "accumulator", "Adadelta": "accumulated_grad"}.get(cls, "average_gradient")
    meanings["d"] = "accumulated_delta_var"
    for slot in optimizer.slots:
        kernel = next(array for name, array in theirs.items() if name.endswith(f"kernel_{meanings[slot]}"))
        np.testing.assert_allclose(kernel, optimizer.slot_values(slot)[0], rtol=1e-6, err_msg=f"{cls} {slot}")


def test_models_of_all_kinds_go_both_ways(tmp_path: Path) -> None:
    x = np.random.default_rng(2).normal(size=(5, 4)).astype(np.float32)
    for library in (fastgd, keras):
        inner_input = library.Input((4,))
        inner = library.Model(inner_input, library.layers.Dense(4, "tanh")(inner_input))
        chain = library.Sequential([library.Input((4,)), library.layers.Dense(3), library.layers.BatchNormalization()])
        a, b = library.Input((4,), name="a"), library.Input((4,), name="b")
        joined = library.layers.Concatenate()([inner(a), inner(b), chain(b)])
        changed = library.ops.exp(joined * 0.5 - 1.0) + library.ops.mean(joined, axis=1, keepdims=True)
        changed = changed[:, ::-2] * changed[:, 1:2] - changed[..., None][:, 3]
        model = library.Model({"a": a, "b": b}, {"first": library.layers.Dense(2)(changed), "second": inner(b)})
        model.compile("sgd", {"first": "mse", "second": library.losses.Huber(0.7)} if library is keras else "mse")
        model.save(tmp_path / "m.keras")
        other = (fastgd if library is keras else keras).models.load_model(tmp_path / "m.keras")
        feeds = {"a": x, "b": x[::-1].copy()}
        first, second = model.predict(feeds, verbose=0), other.predict(feeds, verbose=0)
        for key in ("first", "second"):
            np.testing.assert_allclose(first[key], second[key], err_msg=key, **CLOSE)
        chain.save_weights(tmp_path / "w.weights.h5")
        like = (fastgd if library is keras else keras).models.load_model(tmp_path / "m.keras").get_layer(chain.name)
        like.load_weights(tmp_path / "w.weights.h5")
        for mine, its in zip(chain.get_weights(), like.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, its)


def test_models_that_keras_has_not_trained_load_without_a_warning(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    model.save(tmp_path / "new.keras")
    assert saving.load_model(tmp_path / "new.keras").optimizer.iterations == 0


def test_heads_go_both_ways(tmp_path: Path) -> None:
    x = np.random.default_rng(1).normal(size=(5, 4, 6)).astype("float32")
    for k, (name, arguments) in enumerate((("MultiHeadAttention", (2, 3)), ("GroupQueryAttention", (3, 4, 2)))):
        entrance = fastgd.Input((4, 6))
        ours = fastgd.Model(entrance, getattr(layers, name)(*arguments)(entrance, entrance))
        for weight in ours.weights:
            weight.assign(np.random.default_rng(k).normal(size=weight.shape))
        ours.save(tmp_path / "ours.keras")
        theirs = keras.models.load_model(tmp_path / "ours.keras")
        expected = ours.predict(x, verbose=0)
        np.testing.assert_allclose(np.asarray(theirs(x)), expected, atol=1e-5)
        theirs.save(tmp_path / "theirs.keras")
        np.testing.assert_array_equal(saving.load_model(tmp_path / "theirs.keras").predict(x, verbose=0), expected)


def test_losses_metrics_and_what_keras_calls_functions_are_understood() -> None:
    for kind, ours, cases in (("losses", losses, loss_cases()), ("metrics", metrics, metric_cases())):
        for case in one_of_each(list(cases)):
            if not hasattr(getattr(keras, kind), case.cls):
                continue
            made = getattr(ours, case.cls)(**case.config)
            theirs = keras.saving.deserialize_keras_object(saving.serialize_keras_object(made))
            again = saving.deserialize_keras_object(keras.saving.serialize_keras_object(theirs))
            assert type(again) is type(made), case.id
            lost = {"delta", "axis"} if kind == "losses" else {"axis"}
            config = {key: value for key, value in made.get_config().items() if key not in lost}
            assert {key: again.get_config()[key] for key in config} == config, case.id


def test_what_fastgd_lacks_is_refused_by_name(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization(renorm=True)])
    model.save(tmp_path / "k.keras")
    with pytest.raises(ValueError, match="renorm"):
        fastgd.models.load_model(tmp_path / "k.keras")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x + 1.0)])
    model.save(tmp_path / "k.keras")
    for safe_mode in (True, False):
        with pytest.raises(ValueError, match="code of a lambda"):
            fastgd.models.load_model(tmp_path / "k.keras", safe_mode=safe_mode)
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.RandomGrayscale()])
    model.save(tmp_path / "k.keras")
    with pytest.raises(ValueError, match="RandomGrayscale"):
        fastgd.models.load_model(tmp_path / "k.keras")


@keras.saving.register_keras_serializable("test_files")
class KerasResidual(keras.Model):
    """A subclassed model of Keras."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.blocks = [keras.layers.Dense(units, "tanh"), keras.layers.Dense(units)]
        self.out = keras.layers.Dense(2)
        self.before = keras.layers.Dense(units)

    def call(self, x: Any) -> Any:
        x = self.before(x)
        for block in self.blocks:
            x = x + block(x)
        return self.out(x)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@saving.register_keras_serializable("test_files")
class Residual(fastgd.Model):
    """The same model of fastgd."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.blocks = [layers.Dense(units, "tanh"), layers.Dense(units)]
        self.out = layers.Dense(2)
        self.before = layers.Dense(units)

    def call(self, x: Any) -> Any:
        x = self.before(x)
        for block in self.blocks:
            x = ops.add(x, block(x))
        return self.out(x)

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "units": self.units}


def test_subclassed_models_go_both_ways(tmp_path: Path) -> None:
    x = np.random.default_rng(2).normal(size=(5, 4)).astype(np.float32)
    ours, theirs = Residual(3), KerasResidual(3)
    ours(x), theirs(x)
    ours.compile("adam", "mse")
    ours.fit(x, x[:, :2], verbose=0)
    ours.save(tmp_path / "m.keras")
    objects = {"test_files>Residual": KerasResidual}
    opened = keras.models.load_model(tmp_path / "m.keras", custom_objects=objects)
    np.testing.assert_allclose(opened(x), ours.predict(x, verbose=0), **CLOSE)
    assert int(opened.optimizer.iterations) == 1
    theirs.save(tmp_path / "k.keras")
    again = fastgd.models.load_model(tmp_path / "k.keras", custom_objects={"test_files>KerasResidual": Residual})
    np.testing.assert_allclose(theirs(x), again.predict(x, verbose=0), **CLOSE)
