"""What every learning-rate schedule must do: follow its formula, keep its config, and set each update's rate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from cases import OptimizerCase, ScheduleCase, optimizer_cases, schedule_cases
from contract.registered import make, registered, round_trips
from fastgd import optimizers, runtime
from fastgd.layers import Dense
from fastgd.models import loop
from fastgd.optimizers import schedules

Array = np.ndarray[Any, Any]

ROWS = list(schedule_cases())
BATCHES = 5


class Steps(schedules.LearningRateSchedule):
    """A schedule of a user: a rate of its own for each of the first steps."""

    def __call__(self, step: int) -> float:
        return 0.1 / (1 + step)


def train(optimizer: Any, epochs: int = 3, callback: Any = None) -> tuple[list[Array], list[float]]:
    """Train in batches of 8, the last of each epoch smaller, and return weights and losses."""
    rng = np.random.default_rng(5)
    model = fastgd.Sequential([fastgd.Input((4,), dtype="float64"), Dense(6, "tanh"), Dense(2)])
    model.set_weights([rng.normal(size=w.shape) for w in model.weights])
    model.compile(optimizer, "mse")
    x, t = rng.normal(size=(8 * BATCHES - 3, 4)), rng.normal(size=(8 * BATCHES - 3, 2))
    callbacks = [callback] if callback else []
    history = model.fit(x, t, 8, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)
    return model.get_weights(), history.history["loss"]


class SetRates(fastgd.callbacks.Callback):
    """Sets the rate of each batch by hand."""

    def __init__(self, rates: list[float]) -> None:
        super().__init__()
        self.rates = rates

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.model.optimizer.learning_rate = self.rates[self.model.optimizer.calls]


@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
def test_rates_worked_out_by_hand(case: ScheduleCase) -> None:
    schedule = make("schedule", case)
    for step, rate in case.rates.items():
        # The rates are of order one, and a formula has about ten operations.
        assert schedule(step) == pytest.approx(rate, rel=0, abs=10 * tolerances.EPS["float64"]), step
        assert type(schedule(step)) is float


def test_restarts_follow_the_periods_walked_one_by_one() -> None:
    for first, growth in ((1, 1.0), (3, 1.0), (1, 2.0), (5, 2.0), (2, 3.0), (7, 1.5)):
        schedule = schedules.CosineDecayRestarts(1.0, first, growth, 0.5, 0.25)
        start, length, top = 0.0, float(first), 1.0
        for step in range(400):
            while step >= start + length:
                start, length, top = start + length, length * growth, 0.5 * top
            share = (step - start) / length
            expected = 0.75 * top * math.cos(math.pi * share / 2) ** 2 + 0.25
            assert schedule(step) == pytest.approx(expected, abs=1e-12), (first, growth, step)


@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
def test_config_round_trip(case: ScheduleCase) -> None:
    schedule = make("schedule", case)
    assert schedule.get_config() == {**schedule.get_config(), **case.config}
    for way, again in round_trips("schedule", schedule):
        assert [again(step) for step in case.rates] == [schedule(step) for step in case.rates], way
    assert schedules.deserialize(schedules.serialize(schedule)).get_config() == schedule.get_config()


@pytest.mark.parametrize("name", registered("schedule"))
def test_defaults_are_those_of_keras(name: str) -> None:
    names = {"PiecewiseConstantDecay": "PiecewiseConstant", "CosineDecayRestarts": "SGDRDecay"}
    if name == "PiecewiseConstantDecay":
        config = {"boundaries": [1.0], "values": [0.1, 0.2]}
    else:
        steps = "first_decay_steps" if name == "CosineDecayRestarts" else "decay_steps"
        config = {"initial_learning_rate": 0.1, steps: 10.0}
        config |= {"decay_rate": 0.5} if name in ("ExponentialDecay", "InverseTimeDecay") else {}
    defaults = {
        "ExponentialDecay": {"staircase": False},
        "InverseTimeDecay": {"staircase": False},
        "PolynomialDecay": {"end_learning_rate": 0.0001, "power": 1.0, "cycle": False},
        "PiecewiseConstantDecay": {},
        "CosineDecay": {"alpha": 0.0, "warmup_target": None, "warmup_steps": 0},
        "CosineDecayRestarts": {"t_mul": 2.0, "m_mul": 1.0, "alpha": 0.0},
    }
    made = registered("schedule")[name](**config)
    assert made.get_config() == {**config, **defaults[name], "name": names.get(name, name)}


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
def test_a_fit_equals_rates_set_by_hand(case: ScheduleCase, backend: str) -> None:
    schedule = make("schedule", case)
    with fastgd.backend(backend):
        weights, losses = train(optimizers.SGD(schedule, momentum=0.5))
        rates = [schedule(step) for step in range(3 * BATCHES)]
        expected, expected_losses = train(optimizers.SGD(0.5, momentum=0.5), callback=SetRates(rates))
        single, _ = train(optimizers.SGD(schedule, momentum=0.5), callback=LooksOn())
    assert losses == expected_losses
    for got, alone, want in zip(weights, single, expected, strict=True):
        np.testing.assert_array_equal(got, want)
        np.testing.assert_array_equal(alone, want)


class LooksOn(fastgd.callbacks.Callback):
    """Has a batch hook, so that every batch runs alone, and notes the learning rate after it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.seen.append(self.model.optimizer.learning_rate)


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize("case", list(optimizer_cases()), ids=lambda c: c.id)
def test_every_optimizer_takes_a_schedule(case: OptimizerCase, backend: str) -> None:
    cls = registered("optimizer")[case.cls]
    with fastgd.backend(backend):
        weights, _ = train(cls(**{**case.config, "learning_rate": Steps()}))
        expected, _ = train(cls(**case.config), callback=SetRates([0.1 / (1 + step) for step in range(15)]))
    for got, want in zip(weights, expected, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_an_epoch_longer_than_one_stretch_of_rates(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with fastgd.backend(backend):
        whole, _ = train(optimizers.SGD(Steps()))
        monkeypatch.setattr(loop, "SCHEDULED_BATCHES", 2)
        parts, _ = train(optimizers.SGD(Steps()))
    for a, b in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_current_rate_follows_iterations() -> None:
    optimizer, looks_on = optimizers.Adam(Steps()), LooksOn()
    assert optimizer.learning_rate == 0.1
    train(optimizer, epochs=2, callback=looks_on)
    assert looks_on.seen == [0.1 / (1 + step) for step in range(1, 2 * BATCHES + 1)]
    assert optimizer.learning_rate == 0.1 / (1 + 2 * BATCHES)
    optimizer.iterations = 0
    assert optimizer.learning_rate == 0.1
    np.testing.assert_array_equal(optimizer.learning_rates(3), [0.1, 0.05, 0.1 / 3])
    np.testing.assert_array_equal(optimizers.SGD(0.2).learning_rates(2), [0.2, 0.2])


def test_a_schedule_may_be_set_and_replaced_but_not_overwritten_by_a_number() -> None:
    optimizer = optimizers.SGD(0.5)
    optimizer.learning_rate = schedules.ExponentialDecay(0.2, 10, 0.5)
    assert optimizer.learning_rate == 0.2
    optimizer.learning_rate = Steps()
    assert optimizer.learning_rate == 0.1
    pattern = "follows a Steps and cannot be set to a number.*Received: learning_rate=0.3$"
    with pytest.raises(TypeError, match=pattern):
        optimizer.learning_rate = 0.3
    with pytest.raises(TypeError, match=pattern):
        train(optimizer, callback=SetRates([0.3]))
    assert optimizer.learning_rate == 0.1


@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
def test_an_optimizer_keeps_its_schedule_in_its_config(case: ScheduleCase) -> None:
    optimizer = optimizers.Adam(make("schedule", case), beta_1=0.8)
    assert optimizer.get_config()["learning_rate"]["class_name"] == case.cls
    for way, again in round_trips("optimizer", optimizer):
        assert list(again.learning_rates(9)) == list(optimizer.learning_rates(9)), way


def test_a_schedule_of_a_user() -> None:
    class Plain(schedules.LearningRateSchedule):
        def __call__(self, step: int) -> Any:
            return np.where(step < 2, np.float32(0.5), np.float32(0.25))

    assert list(optimizers.SGD(Plain()).learning_rates(4)) == [0.5, 0.5, 0.25, 0.25]
    with pytest.raises(NotImplementedError, match=r"Plain must implement get_config\(\) to be saved"):
        optimizers.SGD(Plain()).get_config()
    with pytest.raises(NotImplementedError, match=r"LearningRateSchedule must implement __call__\(step\)"):
        schedules.LearningRateSchedule()(0)


@pytest.mark.parametrize(("rate", "error"), [(-0.5, ValueError), (math.nan, ValueError), ("fast", TypeError)])
def test_a_schedule_that_returns_no_rate_is_an_error(rate: Any, error: type[Exception]) -> None:
    class Wrong(schedules.LearningRateSchedule):
        def __call__(self, step: int) -> Any:
            return rate

    with pytest.raises(error, match=rf"`learning_rate` must be .* Received: learning_rate={rate!r}$"):
        train(optimizers.SGD(Wrong()))
