"""Every optimizer against Keras in float64: weights after each of 200 steps from 20 random problems."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import keras
import numpy as np
import pytest

import fastgd
import tolerances
from fastgd.layers import Concatenate, Dense

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


class Problems:
    """One layer x w + b for each seed, with one input per step and noisy targets; all seeds have the same inputs.

    The loss of a seed is half the sum of its squared errors. `start` holds its w and b, shape (seeds, 2, units), and
    `targets` is of shape (steps, seeds, units).
    """

    def __init__(self) -> None:
        parts = [np.random.default_rng(seed) for seed in range(SEEDS)]
        self.start, goals = (np.stack([rng.normal(size=(2, UNITS)) for rng in parts]) for _ in range(2))
        noise = np.stack([rng.normal(size=(STEPS, UNITS)) for rng in parts], axis=1)
        self.x = np.random.default_rng(99).normal(size=STEPS)
        self.targets = self.x[:, None, None] * goals[:, 0] + goals[:, 1] + 0.3 * noise


PROBLEMS = Problems()


def of_keras(name: str, config: Config) -> Array:
    """Return the weights of all seeds after every step of Keras' optimizer, and those that it leaves in the end.

    One optimizer is built, and JAX maps its trajectory over the seeds, so that each has norms and slots of its own.
    """
    optimizer = getattr(keras.optimizers, name)(**{k: v for k, v in config.items() if k != "exclude"})
    if "exclude" in config:
        optimizer.exclude_from_weight_decay(var_names=config["exclude"])
    variables = [keras.Variable(np.zeros(UNITS), name=part) for part in ("kernel", "bias")]
    optimizer.build(variables)
    slots = [variable.value for variable in optimizer.variables]
    scale = config.get("loss_scale_factor", 1.0)

    def step(state: Any, given: Any) -> Any:
        (w, b), slots = state
        x, target = given
        error = x * w + b - target
        state = optimizer.stateless_apply(slots, [x * error * scale, error * scale], [w, b])
        return state, state[0]

    def trajectory(start: Any, targets: Any) -> Any:
        (last, slots_then), path = jax.lax.scan(step, ([start[0], start[1]], slots), (PROBLEMS.x, targets))
        values = [*zip(variables, last, strict=True), *zip(optimizer.variables, slots_then, strict=True)]
        with keras.StatelessScope(state_mapping=values) as scope:
            optimizer.finalize_variable_values(variables)
        left = [scope.get_current_value(variable) for variable in variables]
        return [jax.numpy.concatenate([part, end[None]]) for part, end in zip(path, left, strict=True)]

    by_seed = jax.jit(jax.vmap(trajectory, in_axes=(0, 1), out_axes=1))
    return np.stack(by_seed(PROBLEMS.start, PROBLEMS.targets), axis=2)


def of_fastgd(name: str, config: Config, layers: list[slice]) -> Iterator[Array]:
    """Yield the same of ours, from a model with one layer of `UNITS` units per seed for each slice of the seeds."""
    optimizer = getattr(fastgd.optimizers, name)(**{k: v for k, v in config.items() if k != "exclude"})
    if "exclude" in config:
        optimizer.exclude_from_weight_decay(var_names=config["exclude"])
    targets = np.concatenate([PROBLEMS.targets[:, seeds] for seeds in layers], axis=1).reshape(STEPS, 1, -1)
    starts = [PROBLEMS.start[seeds] for seeds in layers]
    x = fastgd.Input((1,), dtype="float64")
    outputs = [Dense(len(start) * UNITS)(x) for start in starts]
    model = fastgd.Model(x, Concatenate()(outputs) if len(outputs) > 1 else outputs[0])
    model.compile(optimizer, "mse", loss_weights=[targets.shape[-1] / 2])
    model.set_weights([part for start in starts for part in (start[:, 0].reshape(1, -1), start[:, 1].ravel())])

    def weights() -> Array:
        values = model.get_weights()
        return np.stack([np.concatenate([v.reshape(-1, UNITS) for v in values[k::2]]) for k in range(2)], axis=1)

    for step in range(STEPS):
        model.train_on_batch(PROBLEMS.x[step].reshape(1, 1), targets[step])
        yield weights()
    optimizer.finalize_variable_values(model.weights)
    yield weights()


@pytest.mark.parametrize(("name", "config"), list(cases()))
def test_every_step_is_that_of_keras(name: str, config: Config) -> None:
    # One norm of all weights makes one model of each seed, one of each array a layer: no other rule mixes elements.
    seeds = [slice(seed, seed + 1) for seed in range(SEEDS)]
    if "global_clipnorm" in config:
        models = [[layer] for layer in seeds]
    else:
        models = [seeds if "clipnorm" in config else [slice(0, SEEDS)]]
    got = np.concatenate([np.stack(list(of_fastgd(name, config, layers))) for layers in models], axis=1)
    want = of_keras(name, config)
    assert got.shape == want.shape == (STEPS + 1, SEEDS, 2, UNITS) and np.isfinite(want).all()
    apart = np.max(np.abs(got - want), axis=-1) / np.max(np.abs(want), axis=-1)
    worst = np.unravel_index(np.argmax(apart), apart.shape)
    assert apart[worst] <= tolerances.TWO_HUNDRED_UPDATES, f"step, seed, array: {worst}"


def test_configs_are_those_of_keras() -> None:
    for name, own in OWN.items():
        config = {**own[-1], **STEPS_AROUND[11]}
        theirs = getattr(keras.optimizers, name)(**config).get_config()
        ours = getattr(fastgd.optimizers, name)(**config).get_config()
        assert {**ours, "name": None} == {**theirs, "name": None}
        again = fastgd.optimizers.get(keras.optimizers.serialize(getattr(keras.optimizers, name)(**config)))
        assert {**again.get_config(), "name": None} == {**ours, "name": None}
