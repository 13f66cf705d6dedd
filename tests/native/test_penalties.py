"""Penalties and constraints in the engine: added in the update, streamed or not, in groups of samples or not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tolerances
from fastgd import _core, reference
from fastgd.plan import ConstraintSpec, ParamSpec, Plan, Step, TensorSpec, Term, UpdateSpec, flat_layout
from native.plans import classifier, random_params

Array = np.ndarray[Any, Any]

RULES = {
    "sgd": UpdateSpec("sgd"),
    "decayed momentum": UpdateSpec("momentum", {"momentum": 0.9, "nesterov": 1.0, "weight_decay": 0.1}, ("v",)),
    "adam": UpdateSpec("adam", {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-3}, ("m", "v")),
    "corrected adam": UpdateSpec(
        "adam", {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-2, "corrects_epsilon": 1.0}, ("m", "v")
    ),
    "corrected amsgrad": UpdateSpec(
        "amsgrad", {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-2, "corrects_epsilon": 1.0}, ("m", "v", "top")
    ),
}


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = _core.get_num_threads()
    yield
    _core.set_num_threads(before)


def penalised(widths: tuple[int, ...] = (19, 33, 17, 5), dtype: str = "float64") -> Plan:
    """A classifier whose parameters have penalties of every kind, two of them constraints."""
    plan = classifier(widths, dtype, "tanh")
    tensors, steps, losses = list(plan.tensors), list(plan.steps), list(plan.losses)

    def add(op: str, param: str, weight: float = 1.0, reduction: str = "sum", **attrs: Any) -> None:
        name = f"{op} {len(steps)}"
        tensors.append(TensorSpec(name, (1,), dtype))
        steps.append(Step(op, (), (name,), (param,), attrs))
        losses.append(Term(name, name, weight, reduction))

    add("penalty", "w0", l1=0.02, l2=0.03)
    add("penalty", "w0", 0.5, l2=0.01)
    add("penalty", "w1", 2.0, l1=0.01)
    add("penalty", "b1", 0.7, "sum_over_batch_size", l2=0.5)
    add("penalty", "b0", 0.0, l2=0.5)
    add("orthogonality", "w2", 0.3, factor=0.5)
    params = list(plan.params)
    params[0] = replace(params[0], constraint=ConstraintSpec("norm", (0,), 0.0, 0.8, 1.0, 1e-7))
    params[4] = replace(params[4], constraint=ConstraintSpec("norm", (1,), 0.2, 0.7, 0.5, 1e-7))
    params[5] = replace(params[5], constraint=ConstraintSpec("non_neg"))
    return replace(plan, tensors=tuple(tensors), steps=tuple(steps), losses=tuple(losses), params=tuple(params))


def data(plan: Plan, rows: int = 333) -> list[Array]:
    rng = np.random.default_rng(0)
    width, classes = plan.tensor("x").shape[1], plan.tensor("logits").shape[1]
    return [rng.normal(size=(rows, width)), rng.integers(0, classes, rows).astype(np.int32)]


def run(executor: Any, plan: Plan, rule: UpdateSpec, batch: int) -> tuple[list[Array], Array]:
    """Train for two epochs and return parameters, slots and totals."""
    params = random_params(plan)
    size = flat_layout((p.size for p in plan.params if p.trainable), plan.dtype).size
    slots = [np.zeros(size, plan.dtype) for _ in rule.slots]
    executor.bind_parameters(params)
    executor.bind_update(rule, slots)
    totals = []
    iteration = 0
    for epoch in range(2):
        executor.begin("train", data(plan), batch, shuffle_seed=5, epoch=epoch, iteration=iteration)
        while executor.advance(7, 1.0, np.array([0.02])):
            pass
        iteration = executor.iteration
        totals.append(executor.totals())
        # In between, so that nothing of training is lost by it.
        executor.begin("evaluate", data(plan), batch)
        while executor.advance(7, 1.0):
            pass
        totals.append(executor.totals())
    return [*params, *slots], np.array(totals)


@pytest.mark.parametrize("work", ["0", "1", "1e12"], ids=["shared out", "groups", "one thread"])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_follows_the_reference(
    dtype: str, rule: UpdateSpec, work: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTGD_TEAM_WORK", work)
    _core.set_num_threads(3)
    plan = penalised(dtype=dtype)
    got, got_totals = run(_core.Executor(plan), plan, rule, 150)
    want, want_totals = run(reference.Executor(plan), plan, rule, 150)
    tolerances.assert_close(got_totals[..., 1], want_totals[..., 1], 0.0)
    close = 1e-3 if dtype == "float32" else 1e-10
    tolerances.assert_close(got_totals, want_totals, close)
    for a, b in zip(got, want, strict=True):
        tolerances.assert_close(a, b, close)


def test_parameters_that_two_steps_use_are_penalised_once() -> None:
    plan = penalised((17, 17, 17, 5))
    steps = [replace(s, params=("w0", "b0")) if s.params == ("w1", "b1") else s for s in plan.steps]
    plan = replace(plan, steps=tuple(steps))
    got, _ = run(_core.Executor(plan), plan, RULES["sgd"], 64)
    want, _ = run(reference.Executor(plan), plan, RULES["sgd"], 64)
    for a, b in zip(got, want, strict=True):
        tolerances.assert_close(a, b, 1e-11)


def test_a_parameter_that_no_loss_reaches_follows_its_penalty_alone() -> None:
    # A branch that only a metric reads: its kernel gets no gradient, but decay and penalty all the same.
    plan = penalised()
    tensors = (*plan.tensors, TensorSpec("side", (-1, 5), "float64"), TensorSpec("side hit", (-1,), "float64"))
    tensors += (TensorSpec("side penalty", (1,), "float64"),)
    steps = (*plan.steps, Step("dense", ("x",), ("side",), ("side w",)))
    steps += (Step("sparse_categorical_accuracy", ("side", "t"), ("side hit",)),)
    steps += (Step("penalty", (), ("side penalty",), ("side w",), {"l1": 0.1, "l2": 0.2}),)
    losses = (*plan.losses, Term("side penalty", "side penalty", reduction="sum"))
    metrics = (*plan.metrics, Term("side hit", "side hit"))
    params = (*plan.params, ParamSpec("side w", (19, 5)))
    plan = replace(plan, tensors=tensors, steps=steps, losses=losses, metrics=metrics, params=params)
    for rule in RULES.values():
        got, _ = run(_core.Executor(plan), plan, rule, 64)
        want, _ = run(reference.Executor(plan), plan, rule, 64)
        assert not np.array_equal(want[6], random_params(plan)[6])
        for a, b in zip(got, want, strict=True):
            tolerances.assert_close(a, b, 1e-10)


def test_a_value_of_the_whole_batch_keeps_its_samples_together(monkeypatch: pytest.MonkeyPatch) -> None:
    # |n_i . n_j| over pairs of samples, twice: by the sum, and divided by the batch.
    tensors = [TensorSpec("x", (-1, 4), "float64"), TensorSpec("h", (-1, 6), "float64")]
    tensors += [TensorSpec(name, (1,), "float64") for name in ("v", "v2")]
    steps = [Step("dense", ("x",), ("h",), ("w",))]
    steps += [Step("orthogonality", ("h",), (name,), (), {"factor": 0.9}) for name in ("v", "v2")]
    losses = (Term("v", "v", 0.5, "sum"), Term("v2", "v2", 3.0))
    plan = Plan("float64", tuple(tensors), (ParamSpec("w", (4, 6)),), tuple(steps), ("x",), (), losses)
    x = np.random.default_rng(0).normal(size=(64, 4))
    results = []
    for work in ("0", "1"):
        monkeypatch.setenv("FASTGD_TEAM_WORK", work)
        for executor in (_core.Executor(plan), reference.Executor(plan)):
            params = random_params(plan)
            executor.bind_parameters(params)
            executor.bind_update(UpdateSpec("sgd"), [])
            executor.begin("train", [x], 64)
            executor.advance(1, 1e9, np.array([0.5]))
            results.append((params[0], executor.totals()))
    first, totals = results[1]
    assert totals[0, 0] / 64 == pytest.approx(totals[1, 0])
    for other, other_totals in results:
        tolerances.assert_close(other, first, 1e-12)
        tolerances.assert_close(other_totals, totals, 1e-12)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"metrics": (Term("m", "penalty 5", 1.0),)}, r"The term 'm' needs one value per sample"),
        ({"losses": (Term("l", "penalty 5", sample_weight="s"),)}, r"The term 'l' needs one value per sample"),
        (
            {"params": (ParamSpec("w0", (19, 33), True, ConstraintSpec("round")),)},
            r"Unknown constraint. .*kind='round'",
        ),
        (
            {"params": (ParamSpec("w0", (19, 33), True, ConstraintSpec("norm", (0, 2))),)},
            r"neighbouring axes. Received: axes \(0, 2\) for a parameter of shape \(19, 33\)",
        ),
    ],
)
def test_wrong_plans_are_refused(change: dict[str, Any], text: str) -> None:
    plan = penalised()
    plan = replace(plan, tensors=(*plan.tensors, TensorSpec("s", (-1,), "float64")), inputs=(*plan.inputs, "s"))
    if "params" in change:
        change = {"params": (*change["params"], *plan.params[1:])}
    with pytest.raises(ValueError, match=text):
        _core.Executor(replace(plan, **change))
