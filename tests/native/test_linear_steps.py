"""Single samples of one linear unit, whose steps the engine does many at a time: the bits of ordinary steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tolerances
from fastgd import _core, reference
from fastgd.plan import ConstraintSpec, ParamSpec, Plan, Step, TensorSpec, Term, UpdateSpec, flat_layout
from native.plans import random_params

Array = np.ndarray[Any, Any]

ROWS = 77
# With the attributes that each takes.
LOSSES: dict[str, Mapping[str, Any]] = {
    "sigmoid_crossentropy": {"label_smoothing": 0.2},
    "mean_squared_error": {},
    "mean_absolute_error": {},
    "mean_absolute_percentage_error": {"epsilon": 1e-7},
    "huber": {"delta": 0.7},
    "log_cosh": {},
    "hinge": {},
    "squared_hinge": {},
    "poisson": {"epsilon": 0.5},
}
# Of two threads every step of two is shared out, however small it is; one alone does whole steps at once.
TEAMS = {"alone": (1, "1"), "together": (2, "0")}


def unit(width: int, loss: str = "mean_squared_error", dtype: str = "float32", biased: bool = True) -> Plan:
    """Return y = x w (+ b) with one output and a loss: x (n, width), targets t (n, 1)."""
    tensors = [TensorSpec("x", (-1, width), dtype), TensorSpec("t", (-1, 1), dtype), TensorSpec("y", (-1, 1), dtype)]
    outputs = ["v"]
    tensors.append(TensorSpec("v", (-1,), dtype))
    if loss == "sigmoid_crossentropy":
        outputs.append("p")
        tensors.append(TensorSpec("p", (-1, 1), dtype))
    params = [ParamSpec("w", (width, 1)), *([ParamSpec("b", (1,))] if biased else [])]
    steps = (
        Step("dense", ("x",), ("y",), tuple(param.name for param in params), {"activation": "linear"}),
        Step(loss, ("y", "t"), tuple(outputs), (), LOSSES[loss]),
    )
    terms = (Term("loss", "v", weight=0.75),)
    return Plan(dtype, tuple(tensors), tuple(params), steps, ("x", "t"), (), terms)


def data(width: int, dtype: str = "float32", loss: str = "") -> list[Array]:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(ROWS, width)).astype(np.float32) / np.float32(width**0.5)
    # Positive where a logarithm is taken of the prediction.
    x = np.abs(x) if loss == "poisson" else x
    t = (x @ rng.normal(size=(width, 1)) > 0.1).astype(np.float32) + np.float32(0.25)
    return [x.astype(dtype), t.astype(dtype)]


def converted(arrays: list[Array]) -> list[Array]:
    """Return the same numbers in another type: such samples are gathered, and their steps done one by one."""
    return [array.astype("f8" if array.dtype == "f4" else "f4") for array in arrays]


def learn(
    executor: Any,
    plan: Plan,
    arrays: list[Array],
    seed: int | None = None,
    update: UpdateSpec | None = None,
    at_once: int = 1000,
    scheduled: bool = False,
) -> list[Array]:
    """Return the weights and the totals after three passes over single samples, `at_once` of them in a call."""
    update = update or UpdateSpec("sgd")
    params = [np.abs(param) for param in random_params(plan)]
    size = flat_layout((param.size for param in plan.params), plan.dtype).size
    executor.bind_parameters(params)
    executor.bind_update(update, [np.zeros(size, plan.dtype) for _ in update.slots])
    totals = []
    for epoch in range(3):
        executor.begin("train", arrays, 1, shuffle_seed=seed, epoch=epoch, iteration=epoch * ROWS)
        done = 0
        while done < ROWS:
            rates = 0.05 / (1 + np.arange(done, done + at_once)) if scheduled else np.array([0.02])
            done += executor.advance(at_once, 1e9, rates)
        totals.append(executor.totals())
    assert executor.iteration == 3 * ROWS
    return [*params, np.array(totals)]


def same(got: list[Array], wanted: list[Array]) -> None:
    for mine, other in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.fixture(params=sorted(TEAMS))
def team(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    threads, work = TEAMS[request.param]
    before = _core.get_num_threads()
    monkeypatch.setenv("FASTGD_TEAM_WORK", work)
    _core.set_num_threads(threads)
    yield
    _core.set_num_threads(before)


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
# Below a vector of any tier, whole vectors, and some with a rest.
@pytest.mark.parametrize("width", [1, 16, 30, 101])
def test_steps_have_the_bits_of_ordinary_ones(
    width: int, dtype: str, loss: str, isa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTGD_ISA", isa)
    plan, arrays = unit(width, loss, dtype), data(width, dtype, loss)
    got = learn(_core.Executor(plan), plan, arrays)
    same(got, learn(_core.Executor(plan), plan, converted(arrays)))
    wanted = learn(reference.Executor(plan), plan, arrays)
    for mine, other in zip(got, wanted, strict=True):
        tolerances.assert_close(mine, other, tolerances.HISTORY)


@pytest.mark.parametrize("at_once", [1, 10, 1000])
@pytest.mark.parametrize("seed", [None, 11])
@pytest.mark.parametrize("scheduled", [False, True])
@pytest.mark.parametrize("biased", [False, True])
def test_orders_rates_and_stretches(biased: bool, scheduled: bool, seed: int | None, at_once: int, team: None) -> None:
    plan, arrays = unit(30, "sigmoid_crossentropy", biased=biased), data(30)
    got = learn(_core.Executor(plan), plan, arrays, seed, None, at_once, scheduled)
    same(got, learn(_core.Executor(plan), plan, converted(arrays), seed, None, at_once, scheduled))
    wanted = learn(reference.Executor(plan), plan, arrays, seed, None, at_once, scheduled)
    for mine, other in zip(got, wanted, strict=True):
        tolerances.assert_close(mine, other, tolerances.HISTORY)


def test_more_samples_than_are_done_at_once(team: None) -> None:
    plan = unit(3)
    arrays = [np.tile(array, (40, 1)) for array in data(3)]
    rates = 0.05 / (1 + np.arange(len(arrays[0])))
    results = []
    for feeds in (arrays, converted(arrays)):
        executor, params = _core.Executor(plan), random_params(plan)
        executor.bind_parameters(params)
        executor.bind_update(UpdateSpec("sgd"), [])
        executor.begin("train", feeds, 1, shuffle_seed=8)
        assert executor.advance(len(rates), 1e9, rates) == len(rates)
        results.append([*params, executor.totals()])
    same(*results)


def test_samples_that_lie_apart(team: None) -> None:
    plan, arrays = unit(30), data(30)
    apart = [np.zeros((ROWS, 2 * array.shape[1] + 1), np.float32) for array in arrays]
    views = [wide[:, 1 : 1 + array.shape[1]] for wide, array in zip(apart, arrays, strict=True)]
    for view, array in zip(views, arrays, strict=True):
        view[:] = array
    executor = _core.Executor(plan)
    wanted = learn(executor, plan, arrays, 3)
    for x in (arrays[0], views[0]):
        for t in (arrays[1], views[1]):
            same(learn(executor, plan, [x, t], 3), wanted)


# Whatever else a step has to do, it does.
VARIANTS = {
    "momentum": (lambda plan: plan, UpdateSpec("momentum", {"momentum": 0.9, "nesterov": 0.0}, ("velocity",))),
    "decay": (lambda plan: plan, UpdateSpec("sgd", {"weight_decay": 0.1})),
    "clipping": (lambda plan: plan, UpdateSpec("sgd", {"clipvalue": 0.01})),
    "norm": (lambda plan: plan, UpdateSpec("sgd", {"clipnorm": 0.01})),
    "average": (lambda plan: plan, UpdateSpec("sgd", {"ema_momentum": 0.9}, ("average",))),
    "metric": (lambda plan: replace(plan, metrics=(Term("error", "v"),)), None),
    "constraint": (
        lambda plan: replace(
            plan, params=(replace(plan.params[0], constraint=ConstraintSpec("non_neg", ())), *plan.params[1:])
        ),
        None,
    ),
    "frozen kernel": (
        lambda plan: replace(plan, params=(replace(plan.params[0], trainable=False), *plan.params[1:])),
        None,
    ),
    "frozen bias": (
        lambda plan: replace(plan, params=(plan.params[0], replace(plan.params[1], trainable=False))),
        None,
    ),
    "sum": (lambda plan: replace(plan, losses=(replace(plan.losses[0], reduction="sum"),)), None),
    "activation": (
        lambda plan: replace(plan, steps=(replace(plan.steps[0], attrs={"activation": "tanh"}), *plan.steps[1:])),
        None,
    ),
    "no weight": (lambda plan: replace(plan, losses=(replace(plan.losses[0], weight=0.0),)), None),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_other_steps_are_left_as_they_are(variant: str, team: None) -> None:
    change, update = VARIANTS[variant]
    plan, arrays = change(unit(30)), data(30)
    got = learn(_core.Executor(plan), plan, arrays, 3, update)
    wanted = learn(reference.Executor(plan), plan, arrays, 3, update)
    for mine, other in zip(got, wanted, strict=True):
        tolerances.assert_close(mine, other, tolerances.HISTORY)


def test_sample_weights_count(team: None) -> None:
    plan = unit(30)
    plan = replace(
        plan,
        tensors=(*plan.tensors, TensorSpec("s", (-1,), "float32")),
        inputs=("x", "t", "s"),
        losses=(Term("loss", "v", sample_weight="s"),),
    )
    arrays = [*data(30), np.random.default_rng(1).random(ROWS).astype(np.float32)]
    got = learn(_core.Executor(plan), plan, arrays)
    wanted = learn(reference.Executor(plan), plan, arrays)
    for mine, other in zip(got, wanted, strict=True):
        tolerances.assert_close(mine, other, tolerances.HISTORY)


def test_a_call_ends_in_time() -> None:
    plan, arrays = unit(30), data(30)
    executor = _core.Executor(plan)
    executor.bind_parameters(random_params(plan))
    executor.bind_update(UpdateSpec("sgd"), [])
    many = [np.tile(array, (400, 1)) for array in arrays]
    executor.begin("train", many, 1)
    done = executor.advance(len(many[0]), 0.0, np.array([0.01]))
    assert 0 < done < len(many[0])
    assert executor.totals()[0, 1] == executor.iteration == done
