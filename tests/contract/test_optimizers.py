"""What every optimizer must do: keep its config, count, obey its learning rate, and move alike on both interpreters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from cases import OptimizerCase, optimizer_cases
from contract.registered import make, registered, round_trips
from fastgd import _core, runtime
from fastgd.layers import Dense

Array = np.ndarray[Any, Any]

ROWS = list(optimizer_cases())
STEPS = 50
ROWS_OF_DATA = 37
BATCH_SIZE = 8
STEPS_PER_PASS = -(-ROWS_OF_DATA // BATCH_SIZE)


def problem(optimizer: Any, dtype: str = "float64") -> tuple[Any, Array, Array]:
    """Return a smooth random model, compiled, and its data: no unit has a kink, and no weight a vanishing gradient."""
    model = fastgd.Sequential([fastgd.Input((6,), dtype=dtype), Dense(9, "tanh"), Dense(4)])
    model.compile(optimizer, "mse")
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(size=w.shape) / w.shape[0] ** 0.5 for w in model.weights])
    return model, rng.normal(size=(ROWS_OF_DATA, 6)), rng.normal(size=(ROWS_OF_DATA, 4))


def gradients_per_update(case: OptimizerCase) -> int:
    return int(case.config.get("gradient_accumulation_steps", 1))


def train(case: OptimizerCase, steps: int = STEPS, dtype: str = "float64") -> tuple[Any, list[float]]:
    """Train for `steps` shuffled batches, the last of each pass smaller, and return the model and its losses."""
    model, x, t = problem(make("optimizer", case), dtype)
    fastgd.utils.set_random_seed(11)
    history = model.fit(x, t, BATCH_SIZE, epochs=steps // STEPS_PER_PASS, verbose=0)
    return model, history.history["loss"]


@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
def test_config_round_trip(case: OptimizerCase) -> None:
    optimizer = make("optimizer", case)
    config = optimizer.get_config()
    assert config.items() >= case.config.items()
    for way, again in round_trips("optimizer", optimizer):
        assert again.update_spec() == optimizer.update_spec(), way
        assert again.learning_rate == optimizer.learning_rate, way
    assert fastgd.optimizers.deserialize(fastgd.optimizers.serialize(optimizer)).get_config() == config


@pytest.mark.parametrize("name", registered("optimizer"))
def test_defaults_and_keywords(name: str) -> None:
    cls = registered("optimizer")[name]
    assert cls(name="mine").get_config()["name"] == "mine"
    with pytest.raises(TypeError, match=rf"^{name} has no keyword `wrong`. Known: .*learning_rate.*Received: wrong=1$"):
        cls(wrong=1)


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
def test_fifty_steps_native_against_reference(case: OptimizerCase, isa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTGD_ISA", isa)
    assert runtime.isa() == isa
    model, losses = train(case)
    with fastgd.backend("numpy"):
        expected, expected_losses = train(case)
    assert model.optimizer.calls == expected.optimizer.calls == STEPS
    assert model.optimizer.iterations == expected.optimizer.iterations == STEPS // gradients_per_update(case)
    tolerances.assert_close(losses, expected_losses, tolerances.FIFTY_UPDATES, what="loss")
    assert losses[-1] < losses[0]
    for variable, want in zip(model.weights, expected.get_weights(), strict=True):
        tolerances.assert_close(variable.numpy(), want, tolerances.FIFTY_UPDATES, what=variable.path)
    assert tuple(model.optimizer.slots) == tuple(expected.optimizer.slots) == case.slots
    for name, slot in model.optimizer.slots.items():
        assert slot.any(), name
        tolerances.assert_close(slot, expected.optimizer.slots[name], tolerances.FIFTY_UPDATES, what=name)


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
def test_learning_rate_can_be_set_at_any_time(case: OptimizerCase, backend: str) -> None:
    with fastgd.backend(backend):
        model, x, t = problem(make("optimizer", case))
        assert model.optimizer.learning_rate == case.config["learning_rate"]
        model.optimizer.learning_rate = 0.0
        for _ in range(gradients_per_update(case)):
            model.train_on_batch(x, t)
        frozen = model.get_weights()
        start, *_ = problem(make("optimizer", case))
        for old, new in zip(start.get_weights(), frozen, strict=True):
            np.testing.assert_array_equal(old, new)
        model.optimizer.learning_rate = 0.05
        for _ in range(gradients_per_update(case)):
            model.train_on_batch(x, t)
        assert all(not np.array_equal(a, b) for a, b in zip(frozen, model.get_weights(), strict=True))
        assert model.optimizer.iterations == 2


@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
def test_iterations_count_every_update(case: OptimizerCase) -> None:
    model, x, t = problem(make("optimizer", case))
    every = gradients_per_update(case)
    assert model.optimizer.iterations == 0
    model.fit(x, t, BATCH_SIZE, epochs=2, verbose=0)
    assert model.optimizer.iterations == 2 * STEPS_PER_PASS // every
    model.evaluate(x, t, verbose=0)
    model.predict(x, verbose=0)
    assert model.optimizer.calls == 2 * STEPS_PER_PASS
    model.train_on_batch(x, t)
    assert model.optimizer.iterations == (2 * STEPS_PER_PASS + 1) // every
    model.optimizer.iterations = 7
    assert model.optimizer.iterations == 7


# With averages the end of `fit` changes the weights.
@pytest.mark.parametrize("case", [row for row in ROWS if "use_ema" not in row.config], ids=lambda c: c.id)
def test_stopping_and_going_on_changes_nothing(case: OptimizerCase) -> None:
    whole, x, t = problem(make("optimizer", case))
    parts, *_ = problem(make("optimizer", case))
    whole.fit(x, t, BATCH_SIZE, epochs=4, shuffle=False, verbose=0)
    for first in range(4):
        parts.fit(x, t, BATCH_SIZE, epochs=first + 1, initial_epoch=first, shuffle=False, verbose=0)
    for a, b in zip(whole.get_weights(), parts.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for name in case.slots:
        np.testing.assert_array_equal(whole.optimizer.slots[name], parts.optimizer.slots[name])


@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
def test_float32_follows_float64(case: OptimizerCase) -> None:
    # Rounding aside the two types take one path: a wrong constant in one of the two kernels would part them at once.
    single, _ = train(case, steps=5, dtype="float32")
    double, _ = train(case, steps=5)
    for variable, want in zip(single.weights, double.get_weights(), strict=True):
        assert variable.dtype == "float32"
        tolerances.assert_close(variable.numpy(), want, tolerances.HISTORY, what=variable.path)
