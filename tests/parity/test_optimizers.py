"""Every optimizer against Keras in float64: weights after each of 200 steps from 20 random problems."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

# Small eager steps are fastest there.
os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
if keras.backend.backend() != "torch":
    pytest.skip("needs Keras on PyTorch", allow_module_level=True)

import fastgd  # noqa: E402
import tolerances  # noqa: E402
from fastgd.layers import Concatenate, Dense  # noqa: E402

Array = np.ndarray[Any, Any]
Config = dict[str, Any]

SEEDS = 20
STEPS = 200
UNITS = 6

# Each goes with the arguments of `OWN` in turn, so that every optimizer runs in 16 ways.
STEPS_AROUND: list[Config] = [
    {},
    {},
    {"weight_decay": 0.1},
    {"clipvalue": 0.5},
    {"clipnorm": 1.0},
    {"global_clipnorm": 1.5},
    {"use_ema": True},
    {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 7},
    {"gradient_accumulation_steps": 3},
    {"loss_scale_factor": 1024.0},
    {"loss_scale_factor": 0.3, "clipvalue": 0.2, "weight_decay": 0.01},
    {"gradient_accumulation_steps": 2, "use_ema": True, "ema_overwrite_frequency": 5, "clipvalue": 0.5},
    {"gradient_accumulation_steps": 5, "clipnorm": 0.7, "weight_decay": 0.1, "use_ema": True},
    {"use_ema": True, "ema_momentum": 0.0, "clipvalue": 0.5},
    {"exclude": ["bias"], "weight_decay": 0.2},
    {"exclude": ["kernel"], "weight_decay": 0.2, "gradient_accumulation_steps": 4, "clipvalue": 0.5},
]
OWN: dict[str, list[Config]] = {
    "SGD": [{}, {"momentum": 0.9}, {"momentum": 0.7, "nesterov": True}],
    "RMSprop": [
        {},
        {"centered": True},
        {"rho": 0.8, "momentum": 0.9},
        {"momentum": 0.5, "epsilon": 1e-3, "centered": True},
    ],
    "Adam": [{}, {"amsgrad": True}, {"beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3}],
    "AdamW": [{}, {"weight_decay": 0.05, "amsgrad": True}, {"beta_1": 0.0, "beta_2": 0.99}],
    "Adagrad": [{}, {"initial_accumulator_value": 0.0}, {"epsilon": 1e-2}],
    "Adadelta": [{}, {"rho": 0.8}, {"epsilon": 1e-2}],
    "Adamax": [{}, {"beta_1": 0.8, "beta_2": 0.9}, {"epsilon": 1e-2}],
    "Nadam": [{}, {"beta_1": 0.8, "beta_2": 0.9}, {"epsilon": 1e-2}],
    "Lion": [{}, {"beta_1": 0.7, "beta_2": 0.9}, {"beta_1": 1.0}],
    "Ftrl": [
        {},
        {"learning_rate_power": -0.7, "beta": 0.1},
        {"l1_regularization_strength": 0.01, "l2_regularization_strength": 0.02},
        {"l2_shrinkage_regularization_strength": 0.03, "initial_accumulator_value": 0.5},
        {"learning_rate_power": 0.0},
    ],
}  # fmt: skip
RATES = {"Adadelta": 1.0, "Ftrl": 0.1, "SGD": 0.05}


def cases() -> Iterator[Any]:
    for name, own in OWN.items():
        for k, around in enumerate(STEPS_AROUND):
            config = {"learning_rate": RATES.get(name, 0.01), **own[k % len(own)], **around}
            yield pytest.param(name, config, id=f"{name}-{k}")


@pytest.fixture(autouse=True)
def float64(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # On PyTorch Keras takes maxima and minima in float32 whatever it is given: clipping by norm would keep 7 digits.
    for name in ("maximum", "minimum"):
        exact = getattr(torch, name)
        monkeypatch.setattr(
            f"keras.src.backend.torch.numpy.{name}",
            lambda a, b, f=exact: f(*(torch.as_tensor(v, dtype=torch.float64) for v in (a, b))),
        )
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx(before)


class Problem:
    """Layers x w + b with one input per step and noisy targets: the loss is half the sum of the squared errors.

    Args:
        layers: the seeds in each layer, `UNITS` units for each. Their gradients know nothing of each other.
    """

    def __init__(self, layers: list[range]) -> None:
        parts = [np.random.default_rng(seed) for layer in layers for seed in layer]
        kernel, bias, *self.goals = (np.concatenate([rng.normal(size=UNITS) for rng in parts]) for _ in range(4))
        self.noise = np.concatenate([rng.normal(size=(STEPS, UNITS)) for rng in parts], axis=-1)
        self.x = np.random.default_rng(99 + layers[0].start).normal(size=STEPS)
        self.sizes = [UNITS * len(layer) for layer in layers]
        self.start = self._per_layer(kernel, bias)

    def _per_layer(self, kernel: Array, bias: Array) -> list[Array]:
        cuts = np.cumsum(self.sizes)[:-1]
        pairs = zip(np.split(kernel, cuts), np.split(bias, cuts), strict=True)
        return [array for w, b in pairs for array in (w[None], b)]

    def target(self, step: int) -> Array:
        target: Array = self.x[step] * self.goals[0] + self.goals[1] + 0.3 * self.noise[step]
        return target

    def gradients(self, weights: list[Array], step: int) -> list[Array]:
        w, b = np.concatenate(weights[::2], axis=1)[0], np.concatenate(weights[1::2])
        error = self.x[step] * w + b - self.target(step)
        return self._per_layer(self.x[step] * error, error)


def of_keras(name: str, config: Config, problem: Problem) -> Iterator[list[Array]]:
    """Yield the weights after every step of Keras' optimizer."""
    optimizer = getattr(keras.optimizers, name)(**{k: v for k, v in config.items() if k != "exclude"})
    if "exclude" in config:
        optimizer.exclude_from_weight_decay(var_names=config["exclude"])
    variables = [
        keras.Variable(value, dtype="float64", name=("kernel", "bias")[k % 2]) for k, value in enumerate(problem.start)
    ]
    scale = config.get("loss_scale_factor", 1.0)
    for step in range(STEPS):
        gradients = problem.gradients([keras.ops.convert_to_numpy(v) for v in variables], step)
        optimizer.apply([keras.ops.convert_to_tensor(g * scale) for g in gradients], variables)
        yield [np.array(keras.ops.convert_to_numpy(v)) for v in variables]
    optimizer.finalize_variable_values(variables)
    yield [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def of_fastgd(name: str, config: Config, problem: Problem) -> Iterator[list[Array]]:
    """Yield the weights after every step of ours."""
    optimizer = getattr(fastgd.optimizers, name)(**{k: v for k, v in config.items() if k != "exclude"})
    if "exclude" in config:
        optimizer.exclude_from_weight_decay(var_names=config["exclude"])
    x = fastgd.Input((1,), dtype="float64")
    outputs = [Dense(size)(x) for size in problem.sizes]
    model = fastgd.Model(x, Concatenate()(outputs) if len(outputs) > 1 else outputs[0])
    model.compile(optimizer, "mse", loss_weights=[sum(problem.sizes) / 2])
    model.set_weights(problem.start)
    for step in range(STEPS):
        model.train_on_batch(problem.x[step].reshape(1, 1), problem.target(step)[None])
        yield model.get_weights()
    optimizer.finalize_variable_values(model.weights)
    yield model.get_weights()


@pytest.mark.parametrize(("name", "config"), list(cases()))
def test_every_step_is_that_of_keras(name: str, config: Config) -> None:
    # One norm of all weights makes one problem of all seeds, and one of each array a problem of what is in a layer.
    seeds = [range(seed, seed + 1) for seed in range(SEEDS)]
    if "global_clipnorm" in config:
        problems = [Problem([seed]) for seed in seeds]
    else:
        problems = [Problem(seeds if "clipnorm" in config else [range(SEEDS)])]
    for problem in problems:
        expected = list(of_keras(name, config, problem))
        for step, weights in enumerate(of_fastgd(name, config, problem)):
            for got, want in zip(weights, expected[step], strict=True):
                assert np.isfinite(want).all()
                tolerances.assert_close(got, want, tolerances.TWO_HUNDRED_UPDATES, what=f"step {step}")


def test_configs_are_those_of_keras() -> None:
    for name, own in OWN.items():
        config = {**own[-1], **STEPS_AROUND[11]}
        theirs = getattr(keras.optimizers, name)(**config).get_config()
        ours = getattr(fastgd.optimizers, name)(**config).get_config()
        assert {**ours, "name": None} == {**theirs, "name": None}
        again = fastgd.optimizers.get(keras.optimizers.serialize(getattr(keras.optimizers, name)(**config)))
        assert {**again.get_config(), "name": None} == {**ours, "name": None}
