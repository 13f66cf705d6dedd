"""exp, log, tanh and sigmoid against correctly rounded values: a sample here, all 2^32 inputs in tests/cpp/ulp.cpp."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import tolerances
from fastgd import _core

Array = np.ndarray[Any, Any]
FUNCTIONS = ["exp", "log", "tanh", "sigmoid"]


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


def test_bad_arguments_are_named() -> None:
    x = np.zeros(3, np.float32)
    with pytest.raises(ValueError, match="`name` must be 'exp', 'log', 'tanh' or 'sigmoid'. Received: name='sin'"):
        _core.elementary("sin", x, x.copy())
    with pytest.raises(ValueError, match="`out` must have 3 elements. Received: 4"):
        _core.elementary("exp", x, np.zeros(4, np.float32))
