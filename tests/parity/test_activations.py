"""Activation functions and layers against Keras in float64: values, gradients, kinks, infinities and configs."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import pytest

import fastgd
from fastgd import activations, layers, ops
from parity.gradients import GRADIENT, VALUE, Applied, compare_layers, numbers, of_fastgd, of_keras

# Each function with each argument that matters.
CALLS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in activations._FUNCTIONS if name not in ("threshold", "glu")),
    ("glu", {"axis": 1}),
    ("glu", {"axis": -2}),
    ("swish", {}),
    ("hard_swish", {}),
    ("relu", {"negative_slope": 0.3}),
    ("relu", {"negative_slope": -0.3}),
    ("relu", {"max_value": 6.0}),
    ("relu", {"max_value": 1.25}),
    ("relu", {"threshold": 0.4}),
    ("relu", {"threshold": -0.4}),
    ("relu", {"threshold": -0.4, "max_value": 2.0}),
    ("relu", {"negative_slope": 0.2, "max_value": 1.5, "threshold": 0.3}),
    ("relu", {"negative_slope": 0.2, "max_value": 1.5}),
    ("leaky_relu", {"negative_slope": 0.05}),
    ("leaky_relu", {"negative_slope": -0.5}),
    ("elu", {"alpha": 0.4}),
    ("celu", {"alpha": 0.4}),
    ("gelu", {"approximate": True}),
    ("soft_shrink", {"threshold": 1.1}),
    ("hard_shrink", {"threshold": 1.1}),
    ("squareplus", {"b": 0.5}),
    ("threshold", {"threshold": 0.2, "default_value": -1.5}),
    ("softmax", {"axis": 1}),
    ("log_softmax", {"axis": 1}),
    ("log_softmax", {"axis": -2}),
    ("sparsemax", {"axis": 1}),
]


def test_names_and_arguments() -> None:
    for name in activations.__all__:
        ours, theirs = getattr(activations, name), getattr(keras.activations, name)
        mine, its = inspect.signature(ours).parameters, inspect.signature(theirs).parameters
        assert list(mine) == list(its), name
        for key, parameter in its.items():
            assert mine[key].default == parameter.default, (name, key)
    for name in activations._FUNCTIONS:
        theirs = keras.activations.get(name)
        assert keras.activations.serialize(theirs) == activations.serialize(activations.get(name)) == name
        if name not in ops.__all__:
            assert name in ("exponential", "linear", "mish")
            continue
        mine, its = (inspect.signature(getattr(module.ops, name)).parameters for module in (fastgd, keras))
        assert [(k, p.default) for k, p in mine.items()] == [(k, p.default) for k, p in its.items()], name
    for alias in ("swish", "hard_swish"):
        expected = keras.activations.get(alias).__name__
        assert activations.get(alias).__name__ == expected == activations.serialize(activations.get(alias))


@pytest.mark.parametrize(("name", "arguments"), CALLS)
def test_function(name: str, arguments: dict[str, Any]) -> None:
    x = numbers(1, 6, 4, 5)
    if name == "sparsemax":
        # Keras adds up partial sums in the place of what is left: its y is the distribution only where one element is.
        axis = arguments.get("axis", -1)
        x = 3.0 * np.argsort(np.argsort(x, axis), axis)
    theirs = getattr(keras.activations, name, None) or keras.activations.get(name)
    weights = np.random.default_rng(2).normal(size=theirs(x, **arguments).shape)
    ours = activations.get(name)
    expected, (gradient,) = of_keras(lambda v: theirs(v, **arguments), weights, x)
    y, (dx,) = of_fastgd(Applied(lambda v: ours(v, **arguments)), weights, [x])
    np.testing.assert_allclose(y, expected, rtol=VALUE, atol=VALUE)
    np.testing.assert_allclose(dx, gradient, rtol=GRADIENT, atol=GRADIENT)


@pytest.mark.parametrize("name", sorted(name for name in activations._FUNCTIONS if name != "threshold"))
def test_infinities_and_nan(name: str) -> None:
    x = np.array([[-np.inf, 1.0], [np.inf, 1.0], [np.nan, 1.0], [-1e300, 1.0], [1e300, 1.0], [-1000.0, 800.0]])
    with np.errstate(all="ignore"):
        expected = np.array(keras.ops.convert_to_numpy(keras.activations.get(name)(x)))
        y = activations.get(name)(x)
    assert expected.dtype == np.float64
    if name in ("soft_shrink", "hard_shrink"):
        # Ours let NaN through.
        expected[2, 0] = np.nan
    if name == "sparsemax":
        # Ours is NaN where x holds NaN or inf, as softmax is, and large numbers leave the largest.
        expected[1:3], expected[4] = np.nan, (1.0, 0.0)
    if name == "squareplus":
        # Where the square overflows, the root is |x|, and where the sum cancels, it is b / 2 / (root - x).
        expected[3:5, 0], expected[0, 0] = (0.0, 1e300), 0.0
        np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-2)
        return
    np.testing.assert_allclose(y, expected, rtol=VALUE, atol=VALUE)


LAYERS: list[tuple[str, dict[str, Any]]] = [
    ("ReLU", {}),
    ("ReLU", {"max_value": 1.5, "negative_slope": 0.2, "threshold": 0.3}),
    ("LeakyReLU", {}),
    ("LeakyReLU", {"negative_slope": 0.07}),
    ("ELU", {}),
    ("ELU", {"alpha": 0.6}),
    ("Softmax", {}),
    ("Softmax", {"axis": 1}),
    ("Softmax", {"axis": [1, 2]}),
    ("Activation", {"activation": "gelu"}),
    ("PReLU", {}),
    ("PReLU", {"shared_axes": [1]}),
    ("PReLU", {"shared_axes": [2]}),
    ("PReLU", {"shared_axes": [1, 2]}),
]


@pytest.mark.parametrize(("name", "config"), LAYERS)
def test_layer(name: str, config: dict[str, Any]) -> None:
    theirs, ours = getattr(keras.layers, name)(**config), getattr(layers, name)(**config, dtype="float64")
    compare_layers(ours, theirs, [numbers(3, 6, 4, 5)])


@pytest.mark.parametrize(("name", "config"), LAYERS)
def test_layer_config(name: str, config: dict[str, Any]) -> None:
    theirs, ours = getattr(keras.layers, name)(**config), getattr(layers, name)(**config)
    expected = theirs.get_config()
    for key, value in ours.get_config().items():
        if key not in ("name", "dtype", "alpha_initializer"):
            assert value == expected[key], key


@pytest.mark.parametrize("name", ["ReLU", "LeakyReLU", "ELU", "Softmax", "PReLU", "Activation"])
def test_layer_signature(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(module, name)).parameters for module in (layers, keras.layers))
    assert list(theirs) == list(ours)
    for key, parameter in ours.items():
        assert parameter.default == theirs[key].default, key


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("ReLU", {"max_value": -1.0}),
        ("ReLU", {"negative_slope": -1.0}),
        ("ReLU", {"threshold": -0.5}),
        ("LeakyReLU", {"negative_slope": -0.1}),
    ],
)
def test_both_refuse(name: str, config: dict[str, Any]) -> None:
    for module in (layers, keras.layers):
        with pytest.raises(ValueError, match=next(iter(config))):
            getattr(module, name)(**config)


# The function, its arguments, x, and the derivative there of Keras on PyTorch, which takes one side's; JAX takes the
# mean of both sides at some of these, so it is no oracle here.
KINKS: list[tuple[str, dict[str, Any], float, float]] = [
    ("relu", {}, 0.0, 0.0),
    ("leaky_relu", {}, 0.0, 0.2),
    ("elu", {"alpha": 0.5}, 0.0, 0.5),
    ("selu", {}, 0.0, 1.7580993408473766),
    ("celu", {"alpha": 0.5}, 0.0, 1.0),
    ("relu6", {}, 0.0, 0.0),
    ("relu6", {}, 6.0, 0.0),
    ("hard_tanh", {}, 1.0, 0.0),
    ("hard_tanh", {}, -1.0, 0.0),
    ("hard_sigmoid", {}, 3.0, 0.0),
    ("hard_sigmoid", {}, -3.0, 0.0),
    ("soft_shrink", {}, 0.5, 0.0),
    ("hard_shrink", {}, -0.5, 0.0),
    ("threshold", {"threshold": 0.5, "default_value": 0.25}, 0.5, 0.0),
    ("relu", {"threshold": 0.5, "negative_slope": 0.25}, 0.5, 0.0),
    ("relu", {"max_value": 2.0}, 2.0, 1.0),
    ("relu", {"max_value": 2.0, "negative_slope": 0.5}, 0.0, 0.0),
]


@pytest.mark.parametrize(("name", "arguments", "x", "expected"), KINKS)
def test_derivative_at_a_kink(name: str, arguments: dict[str, Any], x: float, expected: float) -> None:
    at, ones = np.full((1, 1), x), np.ones((1, 1))
    _, (dx,) = of_fastgd(Applied(lambda v: getattr(activations, name)(v, **arguments)), ones, [at])
    assert dx.item() == pytest.approx(expected, abs=1e-15)
