"""Regularizers, constraints and their place in the logs against Keras: trajectories of small models in float64."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import fastgd

Array = np.ndarray[Any, Any]

STEPS = 50
# Weights after 50 updates of both: what each update rounds is carried along.
CLOSE = 1e-10
OUTPUTS = 4
# What is logged are sums and means of smooth functions of these weights.
LOGS = 1e-11

RULES: dict[str, dict[str, tuple[str, str, dict[str, Any]]]] = {
    "nothing": {},
    "L1": {"kernel_regularizer": ("regularizers", "L1", {"l1": 0.02})},
    "L2": {"kernel_regularizer": ("regularizers", "L2", {"l2": 0.05})},
    "L1L2": {
        "kernel_regularizer": ("regularizers", "L1L2", {"l1": 0.01, "l2": 0.03}),
        "bias_regularizer": ("regularizers", "L2", {"l2": 0.3}),
    },
    "rows": {"kernel_regularizer": ("regularizers", "OrthogonalRegularizer", {"factor": 0.4})},
    "columns": {"kernel_regularizer": ("regularizers", "OrthogonalRegularizer", {"factor": 0.4, "mode": "columns"})},
    "activity L1": {"activity_regularizer": ("regularizers", "L1", {"l1": 0.02})},
    "activity L1L2": {"activity_regularizer": ("regularizers", "L1L2", {"l1": 0.02, "l2": 0.05})},
    "activity columns": {
        "activity_regularizer": ("regularizers", "OrthogonalRegularizer", {"factor": 0.7, "mode": "columns"})
    },
    "MaxNorm": {"kernel_constraint": ("constraints", "MaxNorm", {"max_value": 0.7})},
    "MaxNorm of rows": {"kernel_constraint": ("constraints", "MaxNorm", {"max_value": 0.5, "axis": 1})},
    "NonNeg": {"kernel_constraint": ("constraints", "NonNeg", {}), "bias_constraint": ("constraints", "NonNeg", {})},
    "UnitNorm": {
        "kernel_constraint": ("constraints", "UnitNorm", {}),
        "bias_constraint": ("constraints", "UnitNorm", {}),
    },
    "UnitNorm of all": {"kernel_constraint": ("constraints", "UnitNorm", {"axis": [0, 1]})},
    "MinMaxNorm": {
        "kernel_constraint": ("constraints", "MinMaxNorm", {"min_value": 0.6, "max_value": 0.9, "rate": 0.4}),
        "bias_regularizer": ("regularizers", "L1", {"l1": 0.1}),
        "activity_regularizer": ("regularizers", "L2", {"l2": 0.02}),
    },
}  # fmt: skip

OPTIMIZERS = {
    "sgd": ("SGD", {"learning_rate": 0.01, "momentum": 0.5}),
    "adamw": ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.1, "epsilon": 1e-3}),
}


def made(library: Any, rules: dict[str, tuple[str, str, dict[str, Any]]]) -> dict[str, Any]:
    """The arguments of a layer with objects of one of the libraries."""
    return {key: getattr(getattr(library, module), name)(**config) for key, (module, name, config) in rules.items()}


def model_of(library: Any, rules: dict[str, Any], optimizer: str) -> Any:
    layers = library.layers
    x = library.Input((5,), dtype="float64")
    h = layers.Dense(7, "relu", **made(library, rules))(x)
    model = library.Model(x, layers.Dense(OUTPUTS, kernel_regularizer=library.regularizers.L2(0.01))(h))
    name, config = OPTIMIZERS[optimizer]
    model.compile(getattr(library.optimizers, name)(**config), loss=library.losses.MeanSquaredError(reduction="sum"))
    return model


def twins(rules: dict[str, Any], optimizer: str) -> tuple[Any, Any]:
    ours, theirs = (model_of(library, rules, optimizer) for library in (fastgd, keras))
    rng = np.random.default_rng(3)
    weights = [rng.normal(size=w.shape) * 0.6 for w in ours.weights]
    for model in (ours, theirs):
        model.set_weights(weights)
    return ours, theirs


def data(rows: int = 40) -> tuple[Array, Array]:
    rng = np.random.default_rng(4)
    return rng.normal(size=(rows, 5)), rng.normal(size=(rows, OUTPUTS)) + 1


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_trajectories(rules: dict[str, Any], optimizer: str) -> None:
    ours, theirs = twins(rules, optimizer)
    x, t = data()
    for step in range(STEPS):
        part = slice(8 * (step % 5), 8 * (step % 5) + 8)
        mine, keras_own = (model.train_on_batch(x[part], t[part]) for model in (ours, theirs))
        np.testing.assert_allclose(mine, keras_own, rtol=LOGS, err_msg=f"step {step}")
    for mine, keras_own in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, keras_own, rtol=CLOSE, atol=CLOSE)


@pytest.mark.parametrize("rules", [RULES["MinMaxNorm"], RULES["L1L2"], RULES["activity columns"]])
def test_histories(rules: dict[str, Any]) -> None:
    ours, theirs = twins(rules, "sgd")
    x, t = data(45)
    arguments: dict[str, Any] = {"epochs": 4, "batch_size": 16, "shuffle": False, "verbose": 0}
    mine, keras_own = (model.fit(x, t, validation_data=(x[:9], t[:9]), **arguments).history for model in (ours, theirs))
    assert sorted(mine) == sorted(keras_own)
    for name, values in keras_own.items():
        np.testing.assert_allclose(mine[name], values, rtol=LOGS, err_msg=name)
    seen = [model.evaluate(x, t, batch_size=7, verbose=0, return_dict=True) for model in (ours, theirs)]
    assert seen[0].keys() == seen[1].keys()
    np.testing.assert_allclose(list(seen[0].values()), list(seen[1].values()), rtol=LOGS)
    # Keras keeps the activity's penalty of its last call; those of the weights come behind it.
    own = [float(value) for value in ours.losses]
    np.testing.assert_allclose(own, [float(value) for value in theirs.losses][-len(own) :], rtol=1e-9)


def test_histories_of_two_outputs() -> None:
    models = []
    for library in (fastgd, keras):
        x = library.Input((5,), dtype="float64")
        rules = made(library, RULES["MinMaxNorm"])
        h = library.layers.ActivityRegularization(0.01, 0.02)(library.layers.Dense(4, "tanh", **rules)(x))
        outputs = [library.layers.Dense(4, name="a")(h), library.layers.Dense(4, kernel_regularizer="l2", name="b")(h)]
        model = library.Model(x, outputs)
        model.compile(library.optimizers.SGD(0.05), ["mse", "mae"], loss_weights=[1.0, 0.5])
        rng = np.random.default_rng(5)
        model.set_weights([rng.normal(size=w.shape) for w in model.weights])
        x_data, t = data(30)
        arguments: dict[str, Any] = {"epochs": 3, "batch_size": 8, "shuffle": False, "verbose": 0}
        models.append(model.fit(x_data, [t, t], **arguments).history)
    mine, keras_own = models
    assert sorted(mine) == sorted(keras_own)
    for name, values in keras_own.items():
        np.testing.assert_allclose(mine[name], values, rtol=LOGS, err_msg=name)


@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_values_and_configs(rules: dict[str, Any]) -> None:
    x = np.random.default_rng(6).normal(size=(6, 4))
    for mine, keras_own in zip(made(fastgd, rules).values(), made(keras, rules).values(), strict=True):
        expected = np.asarray(keras.ops.convert_to_numpy(keras_own(keras.ops.convert_to_tensor(x))))
        np.testing.assert_allclose(mine(x), expected, rtol=LOGS)
        config, theirs = mine.get_config(), keras_own.get_config()
        assert config.keys() == theirs.keys()
        for key, value in config.items():
            assert value == theirs[key]


def test_defaults() -> None:
    names = {"regularizers": ["L1", "L2", "L1L2", "OrthogonalRegularizer"]}
    names["constraints"] = ["MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm"]
    for module, classes in names.items():
        for name in classes:
            mine, keras_own = (getattr(getattr(library, module), name)().get_config() for library in (fastgd, keras))
            assert mine == keras_own
