"""The elementwise functions on every tier: accuracy, kinks, huge numbers, infinities and NaN."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import cases
import tolerances
from cases import ALONG_AN_AXIS, OpCase, op_plan
from fastgd import _core, reference

Array = np.ndarray[Any, Any]

TIERS = _core.available_isas()
HUGE = [1e4, 1e15, 1e30]


def plan_of(function: str, attrs: dict[str, float], dtype: str) -> Any:
    return op_plan(OpCase("activation", ((-1, 1),), ((-1, 1),), (), {"function": function, **attrs}), dtype)


def run(executor: Any, x: Array, goal: float = -1.0) -> dict[str, Array]:
    with np.errstate(all="ignore"):
        seen: dict[str, Array] = executor.inspect([x[:, None], np.full((len(x), 1), goal, x.dtype)])
    return seen


def wide(name: str, x: Array) -> Array:
    """Return f(x) in extended precision."""
    v = x.astype(np.longdouble)
    rest = np.log1p(np.exp(-np.abs(v)))
    if name == "softplus":
        return np.maximum(v, 0) + rest
    if name == "log_sigmoid":
        return np.minimum(v, 0) - rest
    return np.where(v > 0, v, np.expm1(np.minimum(v, 0)))


@pytest.mark.parametrize("isa", TIERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["elu", "softplus", "log_sigmoid"])
def test_sampled_accuracy(name: str, dtype: str, isa: str) -> None:
    kind = np.dtype(dtype)
    rng = np.random.default_rng(8)
    bits = rng.integers(0, 2 ** (8 * kind.itemsize) - 1, 50_000, dtype=np.uint64, endpoint=True)
    everywhere = bits.astype(f"u{kind.itemsize}").view(kind)
    x = np.concatenate([everywhere, rng.normal(size=50_000).astype(kind), rng.uniform(-90, 90, 50_000).astype(kind)])
    x = x[np.isfinite(x)]
    executor = _core.Executor(plan_of(name, {"alpha": 1.0} if name == "elu" else {}, dtype), isa)
    got = run(executor, x)["y0"][:, 0]
    want = wide(name, x)
    unit = np.maximum(np.abs(np.spacing(want.astype(kind))), np.finfo(kind).smallest_subnormal).astype(np.longdouble)
    assert (np.abs(got - want) / unit).max() <= tolerances.ELEMENTARY_ULP[dtype]


@pytest.mark.parametrize("isa", TIERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "attrs"), cases.ELEMENTWISE)
def test_kinks_and_huge_numbers(name: str, attrs: dict[str, float], dtype: str, isa: str) -> None:
    plan = plan_of(name, attrs, dtype)
    finite = [0.0, 1.0, 3.0, 6.0, 20.0, 88.0, *(abs(v) for v in attrs.values() if math.isfinite(v)), *HUGE]
    if name == "exponential":
        finite = [v for v in finite if v <= 20]
    for size in finite:
        # One at a time, because the yardstick is the largest.
        x = np.array([size, -size], dtype)
        got, want = run(_core.Executor(plan, isa), x), run(reference.Executor(plan), x)
        assert np.isfinite(got["y0"]).all()
        assert np.isfinite(got["d:x0"]).all()
        for key in ("y0", "d:x0"):
            # Differences are right in the scale of x, slopes in that of 1, since some are taken from an output near 1.
            least = 1.0 if key == "d:x0" else size if name == "tanh_shrink" else 1e-30
            scale = max(float(np.abs(want[key]).max()), least)
            tolerances.assert_close(got[key], want[key], tolerances.chained(dtype, 4, 1, 1), scale, f"{key} at {size}")


@pytest.mark.parametrize("isa", TIERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "attrs"), cases.ELEMENTWISE)
def test_infinities_and_nan(name: str, attrs: dict[str, float], dtype: str, isa: str) -> None:
    plan = plan_of(name, attrs, dtype)
    x = np.array([-np.inf, np.inf, np.nan, 0.5], dtype)
    got, want = run(_core.Executor(plan, isa), x)["y0"][:, 0], run(reference.Executor(plan), x)["y0"][:, 0]
    assert np.isnan(got[2])
    np.testing.assert_allclose(got, want, rtol=tolerances.chained(dtype, 4, 1))


@pytest.mark.parametrize("isa", TIERS)
@pytest.mark.parametrize("name", ALONG_AN_AXIS)
@pytest.mark.parametrize("axis", [1, 2])
def test_far_logits_along_an_axis(name: str, axis: int, isa: str) -> None:
    attrs = {"function": name, "axis": axis}
    plan = op_plan(OpCase("activation", ((-1, 3, 19),), ((-1, 3, 19),), (), attrs), "float32")
    x = np.random.default_rng(4).normal(size=(2, 3, 19)).astype(np.float32) * 1e4
    x[0, 1, 2], x[1, 2, 3] = -np.inf, np.nan
    with np.errstate(all="ignore"):
        got, want = (e.inspect([x, x])["y0"] for e in (_core.Executor(plan, isa), reference.Executor(plan)))
    np.testing.assert_allclose(got, want, rtol=1e-6)


@pytest.mark.parametrize(
    ("op", "params", "attrs", "message"),
    [
        ("activation", (), {"function": "elu"}, "the function elu needs the attribute `alpha`"),
        ("activation", (), {"function": "rellu"}, "unknown activation 'rellu'"),
        ("activation", (), {"function": "relu", "alpha": 1.0}, "unknown attribute `alpha`"),
        (
            "activation",
            (),
            {"function": "softmax", "axis": 3},
            r"`axis` must be an axis of \(2, 2, 3\). Received: axis=3",
        ),
        ("dense", ((3, 3),), {"activation": "gelu"}, "follows from its output. Received: activation='gelu'"),
        ("prelu", ((3,),), {}, r"\[prelu\] the slopes \(3,\) do not fit the input \(2, 2, 3\)"),
        ("prelu", ((2, 2),), {}, r"\[prelu\] the slopes \(2, 2\) do not fit the input \(2, 2, 3\)"),
    ],
)
def test_native_refuses_what_it_cannot_compute(op: str, params: Any, attrs: Any, message: str) -> None:
    plan = op_plan(OpCase(op, ((-1, 2, 3),), ((-1, 2, 3),), params, attrs), "float32")
    executor = _core.Executor(plan)
    executor.bind_parameters([np.ones(shape, np.float32) for shape in params])
    with pytest.raises(ValueError, match=message):
        executor.inspect([np.ones((2, 2, 3), np.float32)] * 2)
