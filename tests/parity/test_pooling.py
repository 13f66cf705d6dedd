"""Pooling, upsampling, padding and cropping against Keras: values and gradients, in both orders of the axes."""

from __future__ import annotations

from typing import Any

import jax
import keras
import numpy as np
import pytest

from fastgd import layers, ops
from parity.gradients import Applied, compare_layers, numbers, of_fastgd, of_keras

FIRST = {"data_format": "channels_first"}
SIZES = {1: (9,), 2: (5, 6), 3: (3, 4, 5)}


def rows() -> list[tuple[str, dict[str, Any], tuple[int, ...]]]:
    """Return a layer, its arguments and the shape of a sample, the channels last; there are three of them."""
    made: list[tuple[str, dict[str, Any], tuple[int, ...]]] = []
    for rank, sizes in SIZES.items():
        x = (*sizes, 3)
        for kind in ("Max", "Average"):
            name = f"{kind}Pooling{rank}D"
            made += [
                (name, {"pool_size": 2}, x),
                (name, {"pool_size": (2, 3, 2)[:rank], "strides": 2, "padding": "same"}, x),
                (name, {"pool_size": 3, "strides": (1, 2, 1)[:rank], "padding": "same", **FIRST}, (3, *sizes)),
                (name, {"pool_size": 2, "strides": 3}, x),
                (f"Global{kind}Pooling{rank}D", {}, x),
                (f"Global{kind}Pooling{rank}D", {"keepdims": True, **FIRST}, (3, *sizes)),
            ]
        ends = ((1, 0), (0, 2), (1, 1))[:rank] if rank > 1 else (1, 2)
        made += [
            (f"ZeroPadding{rank}D", {"padding": ends}, x),
            (f"ZeroPadding{rank}D", {"padding": 2, **FIRST}, (3, *sizes)),
            (f"Cropping{rank}D", {"cropping": ends}, x),
            (f"UpSampling{rank}D", {"size": 2}, x),
        ]
    made += [
        ("ZeroPadding2D", {"padding": (0, 2)}, (3, 2, 3)),
        ("Cropping2D", {"cropping": (1, 2), **FIRST}, (3, 4, 5)),
        ("Cropping3D", {"cropping": 1, **FIRST}, (3, 4, 5, 3)),
        ("UpSampling2D", {"size": (3, 2), **FIRST}, (3, 2, 4)),
        ("UpSampling2D", {"size": (2, 3), "interpolation": "bilinear"}, (4, 3, 2)),
        ("UpSampling2D", {"size": (4, 1), "interpolation": "bilinear", **FIRST}, (2, 1, 3)),
        ("UpSampling3D", {"size": (1, 2, 3), **FIRST}, (2, 2, 1, 3)),
    ]
    return made


ROWS = rows()


@pytest.mark.parametrize(("name", "config", "shape"), ROWS, ids=str)
def test_layer(name: str, config: dict[str, Any], shape: tuple[int, ...]) -> None:
    ours, theirs = getattr(layers, name)(**config, dtype="float64"), getattr(keras.layers, name)(**config)
    compare_layers(ours, theirs, [numbers(3, 2, *shape)])
    settings = {key: value for key, value in theirs.get_config().items() if key in ours.get_config()}
    own = {key: value for key, value in ours.get_config().items() if key not in ("dtype", "name")}
    assert own == {key: settings[key] for key in own}


@pytest.mark.parametrize("seed", range(12))
def test_random_windows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rank = 1 + seed % 3
    sizes = tuple(int(k) for k in rng.integers(4, (40, 12, 7)[rank - 1], rank))
    arguments = {
        "pool_size": tuple(int(k) for k in rng.integers(1, 5, rank)),
        "strides": tuple(int(k) for k in rng.integers(1, 5, rank)),
        "padding": ("valid", "same")[seed // 3 % 2],
    }
    x = rng.normal(size=(3, *sizes, int(rng.integers(1, 40))))
    compare(("max_pool", "average_pool")[seed // 6], arguments, x)


def test_the_first_maximum_takes_the_gradient() -> None:
    x = np.random.default_rng(4).integers(0, 3, (2, 9, 8, 5)).astype(np.float64)
    for arguments in ({"pool_size": 2, "strides": 2}, {"pool_size": 3, "strides": 2, "padding": "same"}):
        compare("max_pool", arguments, x)


def test_a_window_with_nan_has_a_maximum_of_nan() -> None:
    x = numbers(7, 2, 6, 6, 3)
    x[0, 2, 3, 1] = x[1, 5, 5, 2] = np.nan
    for function in ("max_pool", "average_pool"):
        given = {"pool_size": 3, "strides": 1, "padding": "same"}
        expected = getattr(keras.ops, function)(x, **given)
        np.testing.assert_allclose(getattr(ops, function)(x, **given), expected, rtol=1e-12)


def compare(function: str, arguments: dict[str, Any], x: Any) -> None:
    """Compare an op with Keras' own, and its gradient."""
    theirs, ours = getattr(keras.ops, function), getattr(ops, function)
    shape = jax.eval_shape(lambda array: theirs(array, **arguments), x).shape
    factors = np.random.default_rng(1).normal(size=shape)
    expected, (wanted,) = of_keras(lambda array: theirs(array, **arguments), factors, jax.numpy.asarray(x))
    y, (gradient,) = of_fastgd(Applied(lambda array: ours(array, **arguments)), factors, [x])
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-11, atol=1e-11)
