"""Activation functions and layers against Keras in float64: values, gradients, kinks, infinities and configs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import activations, layers, ops, reference

keras = pytest.importorskip("keras")

Array = np.ndarray[Any, Any]

# What the two may differ by: rounding, in formulas that are written in different ways.
VALUE, GRADIENT = 1e-12, 1e-11

# torch holds the constants of these in float32.
ROUGH_IN_TORCH = ("hard_sigmoid", "celu")

# Each function with each argument that matters.
CALLS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in activations._FUNCTIONS if name != "threshold"),
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
    ("softmax", {"axis": 0}),
    ("log_softmax", {"axis": 1}),
    ("log_softmax", {"axis": -2}),
]


@pytest.fixture(autouse=True)
def _in_float64() -> Iterator[None]:
    floatx = keras.config.floatx()
    keras.config.set_floatx("float64")
    if keras.backend.backend() == "jax":
        import jax

        if not jax.config.jax_enable_x64:
            jax.config.update("jax_enable_x64", True)
    yield
    keras.config.set_floatx(floatx)


def value_and_gradient(function: Any, x: Array, weights: Array) -> tuple[Array, Array]:
    """Return Keras' f(x) and the gradient of sum(weights f(x)) by x."""
    if keras.backend.backend() == "jax":
        import jax

        y, back = jax.vjp(function, x)
        if y.dtype != np.float64:
            pytest.skip("Keras computes this in float32")
        return np.asarray(y), np.asarray(back(weights)[0])
    torch = pytest.importorskip("torch")
    if keras.backend.backend() != "torch":
        pytest.skip("gradients are taken by jax or torch")
    given = torch.tensor(x, requires_grad=True)
    y = function(given)
    y.backward(torch.tensor(weights))
    return y.detach().numpy(), given.grad.numpy()


class Applied(fastgd.Layer, abstract=True):
    """A layer of one function."""

    def __init__(self, function: Any) -> None:
        super().__init__(dtype="float64")
        self.function = function

    def call(self, inputs: Any) -> Any:
        return self.function(inputs)


def own_value_and_gradient(layer: Any, x: Array, weights: Array) -> tuple[Array, Array, list[Array]]:
    """Return fastgd's f(x), and the gradients of sum(weights f(x)) by x and by the layer's weights."""
    entrance = fastgd.Input(x.shape[1:], dtype="float64")
    model = fastgd.Model(entrance, layers.Flatten()(layer(entrance)))
    # The gradient of the mean of the squared distances to y - weights size / 2, over n samples, is weights / n.
    y = layer(x)
    size = int(np.prod(y.shape[1:]))
    model.compile("sgd", "mse")
    plan = model.make_plan()
    trained = [w.numpy() for w in model.trainable_weights]
    seen = []
    for run in (reference.Executor(plan), fastgd._core.Executor(plan)):
        run.bind_parameters(trained)
        target = (y - weights * size / 2).reshape(len(x), size)
        got = run.inspect([x, target])
        n = len(x)
        seen.append([got[plan.outputs[0] if plan.outputs else plan.steps[-2].outputs[0]].reshape(y.shape)])
        seen[-1] += [got["d:" + name] * n for name in (plan.inputs[0], *(p.name for p in plan.params))]
    for first, second in zip(*seen, strict=True):
        np.testing.assert_allclose(first, second, rtol=GRADIENT, atol=GRADIENT)
    value, gradient, *others = seen[1]
    return value, gradient, others


def numbers(seed: int, *shape: int) -> Array:
    """Return numbers of several sizes, off the kinks."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) * rng.choice([0.1, 1.0, 4.0], shape)


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
    x, weights = numbers(1, 6, 4, 5), np.random.default_rng(2).normal(size=(6, 4, 5))
    theirs = getattr(keras.activations, name, None) or keras.activations.get(name)
    ours = activations.get(name)
    expected, gradient = value_and_gradient(lambda v: theirs(v, **arguments), x, weights)
    y, dx, _ = own_value_and_gradient(Applied(lambda v: ours(v, **arguments)), x, weights)
    if keras.backend.backend() == "torch" and name in ROUGH_IN_TORCH:
        np.testing.assert_allclose(dx, gradient, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(y, expected, rtol=1e-6, atol=1e-6)
        return
    np.testing.assert_allclose(y, expected, rtol=VALUE, atol=VALUE)
    np.testing.assert_allclose(dx, gradient, rtol=GRADIENT, atol=GRADIENT)


@pytest.mark.parametrize("name", sorted(name for name in activations._FUNCTIONS if name != "threshold"))
def test_infinities_and_nan(name: str) -> None:
    x = np.array([[-np.inf, 1.0], [np.inf, 1.0], [np.nan, 1.0], [-1e300, 1.0], [1e300, 1.0], [-1000.0, 800.0]])
    with np.errstate(all="ignore"):
        expected = np.array(keras.ops.convert_to_numpy(keras.activations.get(name)(x)))
        y = activations.get(name)(x)
    if expected.dtype != np.float64:
        pytest.skip("Keras computes this in float32")
    if name in ("soft_shrink", "hard_shrink"):
        # Ours let NaN through.
        expected[2, 0] = np.nan
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
    x, weights = numbers(3, 6, 4, 5), np.random.default_rng(4).normal(size=(6, 4, 5))
    theirs, ours = getattr(keras.layers, name)(**config), getattr(layers, name)(**config, dtype="float64")
    theirs.build((None, 4, 5))
    ours.build((None, 4, 5))
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    slopes = [np.random.default_rng(5).normal(size=w.shape) for w in ours.weights]
    ours.set_weights(slopes)
    theirs.set_weights(slopes)
    expected, gradient = value_and_gradient(theirs, x, weights)
    y, dx, d_slopes = own_value_and_gradient(ours, x, weights)
    np.testing.assert_allclose(y, expected, rtol=VALUE, atol=VALUE)
    np.testing.assert_allclose(dx, gradient, rtol=GRADIENT, atol=GRADIENT)
    for slope, d_slope in zip(slopes, d_slopes, strict=True):
        shared = tuple(axis + 1 for axis, size in enumerate(slope.shape) if size == 1)
        whole = np.sum(weights * np.minimum(x, 0), axis=(0, *shared)).reshape(slope.shape)
        np.testing.assert_allclose(d_slope, whole, rtol=GRADIENT, atol=GRADIENT)


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


# x, the function, its arguments, and the derivative there; torch takes these, jax divides ties.
KINKS: list[tuple[str, dict[str, Any], float]] = [
    ("relu", {}, 0.0),
    ("leaky_relu", {}, 0.0),
    ("elu", {"alpha": 0.5}, 0.0),
    ("selu", {}, 0.0),
    ("celu", {"alpha": 0.5}, 0.0),
    ("relu6", {}, 0.0),
    ("relu6", {}, 6.0),
    ("hard_tanh", {}, 1.0),
    ("hard_tanh", {}, -1.0),
    ("hard_sigmoid", {}, 3.0),
    ("hard_sigmoid", {}, -3.0),
    ("soft_shrink", {}, 0.5),
    ("hard_shrink", {}, -0.5),
    ("threshold", {"threshold": 0.5, "default_value": 0.25}, 0.5),
    ("relu", {"threshold": 0.5, "negative_slope": 0.25}, 0.5),
    ("relu", {"max_value": 2.0}, 2.0),
    ("relu", {"max_value": 2.0, "negative_slope": 0.5}, 0.0),
]


@pytest.mark.parametrize(("name", "arguments", "x"), KINKS)
def test_derivative_at_a_kink(name: str, arguments: dict[str, Any], x: float) -> None:
    if keras.backend.backend() != "torch":
        pytest.skip("the convention is that of torch")
    at, ones = np.full((1, 1), x), np.ones((1, 1))
    theirs, ours = (getattr(module.activations, name) for module in (keras, fastgd))
    _, expected = value_and_gradient(lambda v: theirs(v, **arguments), at, ones)
    _, dx, _ = own_value_and_gradient(Applied(lambda v: ours(v, **arguments)), at, ones)
    assert dx.item() == pytest.approx(expected.item(), abs=1e-15)
