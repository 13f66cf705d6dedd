"""Every op, native against the NumPy reference: every tier of this machine, both dtypes, odd batches, both passes."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
import tolerances
from cases import (
    OpCase,
    depthwise_cases,
    elementwise_cases,
    image_cases,
    moving_cases,
    op_cases,
    op_feeds,
    op_params,
    op_plan,
    pooling_cases,
    recurrent_cases,
    reduction_cases,
    sequence_cases,
)
from fastgd import _core, reference

CASES = list(op_cases())
TIERS = _core.available_isas()


@pytest.mark.parametrize("isa", TIERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_native_matches_the_reference(case: OpCase, dtype: str, isa: str) -> None:
    plan = op_plan(case, dtype)
    native = _core.Executor(plan, isa)
    assert native.isa == isa
    expected = reference.Executor(plan)
    # Parts of vectors and of tiles matter; which ones does not hang on the type.
    for batch in (1, 7, 64, 65) if dtype == "float32" else (1, 65):
        params = op_params(case, dtype, batch)
        feeds = op_feeds(case, plan, batch, batch)
        native.bind_parameters(params)
        expected.bind_parameters(params)
        got = native.inspect(feeds, True, 3)
        want = expected.inspect(feeds, True, 3)
        for name, value in want.items():
            if name.startswith("d:") and name not in got:
                assert not np.any(value), f"{name} is missing"
                continue
            tolerance = tolerances.summed(dtype, max(case.length, 4) * (batch if "d:w" in name else 4))
            magnitude = max(case.scale, float(np.max(np.abs(value), initial=0.0))) if case.scale else None
            tolerances.assert_close(got[name], value, tolerance, magnitude, what=f"{name}, batch {batch}")


FAMILIES = (
    elementwise_cases,
    reduction_cases,
    moving_cases,
    image_cases,
    depthwise_cases,
    pooling_cases,
    sequence_cases,
    recurrent_cases,
)
SHARED = [case for family in FAMILIES for case in family() if case.inputs]


@pytest.mark.parametrize("batch", [3, 37])
@pytest.mark.parametrize("case", SHARED, ids=lambda c: c.id)
def test_an_op_does_not_depend_on_the_number_of_threads(
    case: OpCase, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTGD_TEAM_WORK", "0")
    plan = op_plan(case, "float32")
    feeds, params = op_feeds(case, plan, batch, 1), op_params(case, "float32", 1)
    before = _core.get_num_threads()
    seen = []
    for threads in (1, 2, 5):
        _core.set_num_threads(threads)
        executor = _core.Executor(plan)
        executor.bind_parameters(params)
        seen.append(executor.inspect(feeds))
    _core.set_num_threads(before)
    for other in seen[1:]:
        for name, value in seen[0].items():
            np.testing.assert_array_equal(other[name], value, err_msg=name)


@pytest.mark.parametrize("isa", TIERS)
@pytest.mark.parametrize("axis", [0, 1])
def test_variance_of_numbers_far_from_zero(axis: int, isa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The mean of the squares less the square of the mean would have no digit left.
    monkeypatch.setenv("FASTGD_ISA", isa)
    x = (3000 + np.random.default_rng(4).normal(size=(40, 50))).astype(np.float32)
    expected = x.astype(np.float64).var(axis=axis)
    tolerances.assert_close(fastgd.ops.var(x, axis=axis), expected, tolerances.chained("float32", x.shape[axis], 1))


def test_every_op_has_a_case() -> None:
    assert {case.op for case in CASES} == set(_core.op_names())


@pytest.mark.parametrize("name", ["sse9", "AVX2", "numpy"])
def test_an_unknown_tier_is_refused_with_the_list(name: str) -> None:
    plan = op_plan(CASES[0], "float32")
    with pytest.raises(ValueError, match=f"generic. Received: isa='{name}'"):
        _core.Executor(plan, name)
