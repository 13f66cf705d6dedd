"""The totals of metrics with several columns: native against the reference, weighted, in groups, on several threads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tolerances
from cases import OpCase, metric_op_cases, op_feeds, op_plan
from fastgd import _core, reference
from fastgd.plan import Plan, TensorSpec

CASES = [case for case in metric_op_cases() if case.columns > 1]


def weighted_plan(case: OpCase, dtype: str) -> Plan:
    """Return the plan of an op whose metric takes sample weights."""
    plan = op_plan(case, dtype)
    (term,) = plan.metrics
    return replace(
        plan,
        tensors=(*plan.tensors, TensorSpec("s", (-1,), dtype)),
        inputs=(*plan.inputs, "s"),
        outputs=(),
        metrics=(replace(term, sample_weight="s"), replace(term, name="plain")),
    )


def totals_of(executor: Any, feeds: list[Any], batch: int) -> Any:
    executor.bind_parameters([])
    executor.begin("evaluate", feeds, batch)
    while executor.advance(100, 1.0):
        pass
    return executor.totals()


@pytest.fixture
def _threads() -> Iterator[None]:
    before = _core.get_num_threads()
    yield
    _core.set_num_threads(before)


@pytest.mark.usefixtures("_threads")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_columns_add_up(case: OpCase, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = weighted_plan(case, dtype)
    feeds = op_feeds(case, op_plan(case, dtype), 149, 3)
    feeds.append(np.random.default_rng(4).uniform(0.0, 2.0, 149).astype(dtype))
    expected = totals_of(reference.Executor(plan), feeds, 149)
    assert expected.shape == (2 * case.columns, 2)
    close = tolerances.summed(dtype, 149)
    for work in ("0", "0.001"):  # every step shared out; groups of samples
        monkeypatch.setenv("FASTGD_TEAM_WORK", work)
        bits = []
        for threads in (1, 3):
            _core.set_num_threads(threads)
            for batch in (149, 64):
                got = totals_of(_core.Executor(plan), feeds, batch)
                tolerances.assert_close(got, expected, close, what=f"{work}, {batch}")
            bits.append(got)
        assert np.array_equal(*bits)


def test_numbers_outside_of_the_columns_count_nowhere() -> None:
    for case in (c for c in CASES if c.integer_outputs):
        plan = weighted_plan(replace(case, columns=2), "float64")
        feeds = [*op_feeds(case, op_plan(case, "float64"), 20, 3), np.ones(20)]
        every = totals_of(reference.Executor(weighted_plan(case, "float64")), feeds, 20)
        for executor in (_core.Executor(plan), reference.Executor(plan)):
            assert np.array_equal(totals_of(executor, feeds, 20)[:2], every[:2])


@pytest.mark.parametrize("interpreter", [_core.Executor, reference.Executor])
def test_columns_that_do_not_fit_are_refused(interpreter: Any) -> None:
    case = next(c for c in CASES if not c.integer_outputs)
    plan = op_plan(case, "float32")
    for columns in (0, 1, case.columns + 1):
        with pytest.raises(ValueError, match=r"metric|columns|shape"):
            interpreter(replace(plan, metrics=(replace(plan.metrics[0], columns=columns),)))
