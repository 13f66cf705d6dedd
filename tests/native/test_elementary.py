"""Elementary functions against correctly rounded values: a sample here, all 2^32 inputs in tests/cpp/ulp.cpp."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tolerances
from fastgd import _core
from fastgd.plan import Plan, Step, TensorSpec

Array = np.ndarray[Any, Any]
FUNCTIONS = ["exp", "log", "tanh", "sigmoid"]

# Functions of the op `unary` in extended precision. For the others NumPy has no such thing, or they come from the C
# library.
EXACT: dict[str, Callable[[Array], Array]] = {
    **{name: getattr(np, name) for name in ("exp", "expm1", "log", "log10", "log1p", "log2", "sqrt", "square")},
    **{name: getattr(np, name) for name in ("absolute", "ceil", "floor", "negative", "sin", "cos", "reciprocal")},
    "round": np.rint,
    "rsqrt": lambda x: 1 / np.sqrt(x),
}


def exact(name: str, x: Array) -> Array:
    """Return the function in extended precision."""
    wide = x.astype(np.longdouble)
    with np.errstate(all="ignore"):
        if name == "sigmoid":
            e = np.exp(-np.abs(wide))
            return np.where(wide >= 0, 1 / (1 + e), e / (1 + e))
        result: Array = getattr(np, name)(wide)
        return result


def ulps(got: Array, want: Array, dtype: Any) -> Array:
    """Return |got - want| in units of the last place of the correctly rounded result."""
    rounded = want.astype(dtype)
    info = np.finfo(dtype)
    unit = np.maximum(np.abs(np.spacing(rounded)), info.smallest_subnormal).astype(np.longdouble)
    return np.abs(got.astype(np.longdouble) - want) / unit


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sampled_accuracy(dtype: str, name: str, isa: str) -> None:
    rng = np.random.default_rng(3)
    kind = np.dtype(dtype)
    bits = rng.integers(0, 2 ** (8 * kind.itemsize) - 1, 200_000, dtype=np.uint64, endpoint=True)
    everywhere = bits.astype(f"u{kind.itemsize}").view(kind)
    x = np.concatenate([everywhere, rng.normal(size=100_000).astype(kind), rng.uniform(-90, 90, 100_000).astype(kind)])
    x = x[~np.isnan(x)]
    got = np.empty_like(x)
    _core.elementary(name, x, got, isa)
    with np.errstate(all="ignore"):
        want = exact(name, x)
        rounded = want.astype(kind)
        assert np.array_equal(np.isnan(got), np.isnan(rounded))
        finite = np.isfinite(rounded)
        assert np.array_equal(got[~finite & ~np.isnan(got)], rounded[~finite & ~np.isnan(got)])
        worst = ulps(got[finite], want[finite], kind).max()
    assert worst <= tolerances.ELEMENTARY_ULP[dtype]


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_values(dtype: str, isa: str) -> None:
    inf, nan = math.inf, math.nan
    rows: dict[str, list[tuple[float, float]]] = {
        "exp": [(0.0, 1.0), (-0.0, 1.0), (inf, inf), (-inf, 0.0), (nan, nan)],
        "log": [(1.0, 0.0), (0.0, -inf), (-0.0, -inf), (inf, inf), (-1.0, nan), (nan, nan)],
        "tanh": [(0.0, 0.0), (-0.0, -0.0), (inf, 1.0), (-inf, -1.0), (nan, nan)],
        "sigmoid": [(0.0, 0.5), (inf, 1.0), (-inf, 0.0), (nan, nan)],
    }
    for name, pairs in rows.items():
        x, want = np.array(pairs, dtype).T.copy()
        got = np.empty_like(x)
        _core.elementary(name, x, got, isa)
        np.testing.assert_array_equal(got, want)
        assert np.array_equal(np.signbit(got[want == 0]), np.signbit(want[want == 0]))


def run_unary(name: str, x: Array, isa: str) -> Array:
    """Return what the op `unary` gives for a vector."""
    dtype, size = str(x.dtype), len(x)
    tensors = tuple(TensorSpec(tensor, (-1, size), dtype) for tensor in "xy")
    plan = Plan(dtype, tensors, (), (Step("unary", ("x",), ("y",), (), {"function": name}),), ("x",), ("y",))
    executor = _core.Executor(plan, isa)
    executor.bind_parameters([])
    y: Array = executor.inspect([x[None]])["y"][0]
    return y


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", EXACT)
def test_functions_of_the_op_unary(name: str, dtype: str, isa: str) -> None:
    rng = np.random.default_rng(5)
    kind = np.dtype(dtype)
    bits = rng.integers(0, 2 ** (8 * kind.itemsize) - 1, 100_000, dtype=np.uint64, endpoint=True)
    special = [0.0, -0.0, math.inf, -math.inf, math.nan, -1.0, 0.5, 1.5, 2.5, -0.5, -2.5, -1e-30]
    near = [scale * rng.normal(size=50_000) + shift for scale, shift in ((1.0, 0.0), (30.0, 0.0), (0.01, 1.0))]
    with np.errstate(all="ignore"):
        everywhere = bits.astype(f"u{kind.itemsize}").view(kind)
        x = np.concatenate([everywhere, *(v.astype(kind) for v in near), np.array(special, kind)])
        want = EXACT[name](x.astype(np.longdouble))
        rounded = want.astype(kind)
    got = run_unary(name, x, isa)
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(rounded))
    np.testing.assert_array_equal(got[~finite], rounded[~finite])
    zero = rounded == 0
    np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(rounded[zero]))
    assert ulps(got[finite], want[finite], kind).max() <= tolerances.UNARY_ULP


@pytest.mark.parametrize("isa", _core.available_isas())
def test_logarithms_to_the_base_2_are_exact_for_powers_of_2(isa: str) -> None:
    exponents = np.arange(-149.0, 128.0)
    np.testing.assert_array_equal(run_unary("log2", (2.0**exponents).astype(np.float32), isa), exponents)


def test_bad_arguments_are_named() -> None:
    x = np.zeros(3, np.float32)
    with pytest.raises(ValueError, match="`name` must be 'exp', 'log', 'tanh' or 'sigmoid'. Received: name='sin'"):
        _core.elementary("sin", x, x.copy())
    with pytest.raises(ValueError, match="`out` must have 3 elements. Received: 4"):
        _core.elementary("exp", x, np.zeros(4, np.float32))
