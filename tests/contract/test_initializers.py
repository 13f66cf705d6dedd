"""What every initializer must do: keep its limits and moments, follow its seed, and keep its config."""

from __future__ import annotations

import math

import numpy as np
import pytest

import fastgd
import tolerances
from cases import INITIALIZER_SHAPE, InitializerCase, initializer_cases
from contract.registered import make, registered, round_trips
from fastgd.layers import Dense

ROWS = list(initializer_cases())
RANDOM = [case for case in ROWS if "seed" in case.config]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
def test_limits_and_moments(case: InitializerCase, dtype: str) -> None:
    value = make("initializer", case)(INITIALIZER_SHAPE, dtype)
    assert value.shape == INITIALIZER_SHAPE
    assert value.dtype == dtype
    wide = value.astype(np.float64)
    edge = tolerances.EPS[dtype] * max(abs(case.mean), case.stddev)
    assert case.low - 4 * edge <= wide.min()
    assert wide.max() <= case.high + 4 * edge
    close = tolerances.sampled(value.size) * case.stddev
    assert abs(wide.mean() - case.mean) <= close + edge
    assert abs(wide.std() - case.stddev) <= close + edge


@pytest.mark.parametrize("case", [c for c in RANDOM if c.high < math.inf], ids=lambda c: c.id)
def test_the_whole_range_is_used(case: InitializerCase) -> None:
    value = make("initializer", case)(INITIALIZER_SHAPE, "float64")
    span = case.high - case.low
    # Of 60,000 draws at a density of at least a tenth of the uniform one, some fall into the outermost thousandth.
    assert value.min() < case.low + 1e-3 * span
    assert value.max() > case.high - 1e-3 * span


@pytest.mark.parametrize("case", RANDOM, ids=lambda c: c.id)
def test_seeds(case: InitializerCase) -> None:
    cls = registered("initializer")[case.cls]
    first = cls(**case.config)((9, 11), "float64")
    np.testing.assert_array_equal(cls(**case.config)((9, 11), "float64"), first)
    other = cls(**{**case.config, "seed": 12345})((9, 11), "float64")
    assert not np.any(other == first)
    # Both types begin alike.
    single = cls(**case.config)((9, 11), "float32")
    np.testing.assert_array_equal(single, first.astype(np.float32))
    unseeded = {**case.config, "seed": None}
    fastgd.utils.set_random_seed(4)
    a, b = cls(**unseeded)((9, 11)), cls(**unseeded)((9, 11))
    assert not np.any(a == b)
    fastgd.utils.set_random_seed(4)
    np.testing.assert_array_equal(cls(**unseeded)((9, 11)), a)


@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
def test_config_round_trip(case: InitializerCase) -> None:
    made = make("initializer", case)
    assert made.get_config() == {**made.get_config(), **case.config}
    for way, again in round_trips("initializer", made):
        np.testing.assert_array_equal(again((4, 5)), made((4, 5)), err_msg=way)


@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
@pytest.mark.parametrize("shape", [(), (0,), (7,), (0, 3), (3, 3, 4, 8)])
def test_every_shape(case: InitializerCase, shape: tuple[int, ...]) -> None:
    value = make("initializer", case)(shape, "float32")
    assert value.shape == shape
    assert np.isfinite(value).all()


@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
def test_a_layer_takes_it_by_name_class_object_and_config(case: InitializerCase) -> None:
    made = make("initializer", case)
    config = {"class_name": case.cls, "config": case.config}
    for given in (case.cls, type(made), made, config):
        layer = Dense(3, kernel_initializer=given)
        layer.build((None, 4))
        assert type(layer.kernel_initializer) is type(made)
        if given is made or given is config:
            np.testing.assert_array_equal(layer.kernel.numpy(), made((4, 3)))
