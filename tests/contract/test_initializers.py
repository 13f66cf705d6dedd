"""What every initializer must do: keep its limits and moments, follow its seed, and keep its config."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import fastgd
import tolerances
from cases import INITIALIZER_SHAPE, InitializerCase, initializer_cases
from contract.registered import make, registered, round_trips
from fastgd.layers import Dense
from fastgd.utils.naming import snake_case

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
    again = fastgd.initializers.deserialize(fastgd.initializers.serialize(made))
    np.testing.assert_array_equal(again((4, 5)), made((4, 5)))


@pytest.mark.parametrize("case", ROWS, ids=lambda c: c.id)
@pytest.mark.parametrize("shape", [(), (0,), (7,), (0, 3), (3, 0), (2, 5, 3), (3, 3, 4, 8)])
def test_every_shape(case: InitializerCase, shape: tuple[int, ...]) -> None:
    made = make("initializer", case)
    if len(shape) not in case.ranks:
        with pytest.raises(ValueError, match=rf"`shape` must have two .*Received: shape={re.escape(str(shape))}$"):
            made(shape)
        return
    value = made(shape, "float32")
    assert value.shape == shape
    assert value.dtype == np.float32
    assert np.isfinite(value).all()


@pytest.mark.parametrize("gain", [1.0, -0.5])
@pytest.mark.parametrize("shape", [(6, 6), (9, 4), (4, 9), (1, 5), (5, 1), (3, 3, 4, 8), (2, 3, 11)])
def test_orthogonal_columns_or_rows(shape: tuple[int, ...], gain: float) -> None:
    flat = fastgd.initializers.Orthogonal(gain, seed=3)(shape, "float64").reshape(-1, shape[-1])
    short = flat if flat.shape[0] <= flat.shape[1] else flat.T
    expected = gain**2 * np.eye(len(short))
    tolerances.assert_close(short @ short.T, expected, tolerances.summed("float64", short.shape[1]))


def test_orthogonal_matrices_are_drawn_uniformly() -> None:
    # Under the uniform distribution the trace has mean 0 and variance 1 for every size. The q of a decomposition whose
    # diagonal keeps its signs, as LAPACK gives it, is off: its traces lean to one side.
    traces = np.array([np.trace(fastgd.initializers.Orthogonal(seed=s)((3, 3), "float64")) for s in range(2000)])
    close = tolerances.sampled(traces.size)
    assert abs(traces.mean()) <= close
    # The fourth moment of the trace is 3, so that its square has the variance 2.
    assert abs((traces**2).mean() - 1) <= close * math.sqrt(2)


@pytest.mark.parametrize(
    ("shape", "fan_in", "fan_out"),
    [
        ((20, 30), 20, 30),
        ((5, 20, 30), 100, 150),
        ((3, 3, 20, 30), 180, 270),
        ((2, 3, 4, 5, 6), 120, 144),
        ((40,), 40, 40),
    ],
)
def test_fans_of_dense_and_convolution_kernels(shape: tuple[int, ...], fan_in: int, fan_out: int) -> None:
    for name, limit in {
        "GlorotUniform": math.sqrt(6 / (fan_in + fan_out)),
        "HeUniform": math.sqrt(6 / fan_in),
        "LecunUniform": math.sqrt(3 / fan_in),
        "GlorotNormal": 2 * math.sqrt(2 / (fan_in + fan_out)) / 0.8796256610342398,
        "HeNormal": 2 * math.sqrt(2 / fan_in) / 0.8796256610342398,
        "LecunNormal": 2 * math.sqrt(1 / fan_in) / 0.8796256610342398,
    }.items():
        made = [np.abs(registered("initializer")[name](seed=seed)(shape, "float64")).max() for seed in range(100)]
        assert 0.98 * limit < max(made) <= limit, name


def test_names_of_keras() -> None:
    initializers = fastgd.initializers
    aliases = {
        "zero": "Zeros", "one": "Ones", "normal": "RandomNormal", "uniform": "RandomUniform",
        "IdentityInitializer": "Identity", "OrthogonalInitializer": "Orthogonal",
    }  # fmt: skip
    for alias, name in aliases.items():
        assert type(initializers.get(alias)) is registered("initializer")[name]
    for name, cls in registered("initializer").items():
        assert getattr(initializers, snake_case(name)) is cls
    assert initializers.OrthogonalInitializer is initializers.Orthogonal
    assert initializers.IdentityInitializer is initializers.Identity


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
