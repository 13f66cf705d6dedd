"""Values and gradients of the same function in both libraries, in float64."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

import fastgd
from fastgd import layers, reference

Array = np.ndarray[Any, Any]

# What the two may differ by: rounding, in formulas that are written in different ways.
VALUE, GRADIENT = 1e-12, 1e-11


class Applied(fastgd.Layer, abstract=True):
    """A layer of one function."""

    def __init__(self, function: Any) -> None:
        super().__init__(dtype="float64")
        self.function = function

    def call(self, inputs: Any) -> Any:
        return self.function(inputs)


def numbers(seed: int, *shape: int) -> Array:
    """Return numbers of several sizes, off the kinks."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) * rng.choice([0.1, 1.0, 4.0], shape)


def of_keras(function: Any, factors: Array, *arguments: Any) -> tuple[Array, Any]:
    """Return Keras' y = f(arguments) and the gradients of sum(factors y) by each of the arguments."""
    y, back = jax.vjp(function, *arguments)
    assert y.dtype == np.float64
    return np.asarray(y), back(jax.numpy.asarray(factors))


def of_keras_layer(layer: Any, factors: Array, arrays: Sequence[Array]) -> tuple[Array, list[Array]]:
    """Return what Keras' layer makes of the arrays, and the gradients by these and by its weights."""

    def call(given: Any, variables: Any) -> Any:
        return layer.stateless_call(variables, [], given if len(given) > 1 else given[0])[0]

    y, (by_input, by_weight) = of_keras(call, factors, list(arrays), [v.value for v in layer.trainable_variables])
    return y, [np.asarray(gradient) for gradient in (*by_input, *by_weight)]


def of_fastgd(layer: Any, factors: Array, arrays: Sequence[Array]) -> tuple[Array, list[Array]]:
    """Return the same of our layer, of both interpreters after seeing that they agree."""
    entrances = [fastgd.Input(x.shape[1:], dtype="float64") for x in arrays]
    first, given = (entrances, list(arrays)) if len(arrays) > 1 else (entrances[0], arrays[0])
    model = fastgd.Model(first, layers.Flatten()(layer(first)))
    # The gradient of the mean of the squared distances to y - factors size / 2, over n samples, is factors / n.
    y = np.asarray(layer(given))
    n, size = len(y), int(np.prod(y.shape[1:]))
    target = (y - factors * size / 2).reshape(n, size)
    model.compile("sgd", "mse")
    plan = model.make_plan()
    # Constants of layers are parameters of the plan too.
    values = [w.numpy() for w in model._lower(()).variables]
    seen = []
    for run in (reference.Executor(plan), fastgd._core.Executor(plan)):
        run.bind_parameters(values)
        got = run.inspect([*arrays, target])
        value = got[plan.outputs[0] if plan.outputs else plan.steps[-2].outputs[0]].reshape(y.shape)
        # No gradient flows to a mask.
        by_input = [got.get(f"d:{name}", np.zeros_like(x)) for name, x in zip(plan.inputs, arrays, strict=False)]
        seen.append([value, *(d * n for d in (*by_input, *(got[f"d:{p.name}"] for p in plan.params if p.trainable)))])
    for ours, native in zip(*seen, strict=True):
        np.testing.assert_allclose(native, ours, rtol=GRADIENT, atol=GRADIENT)
    value, *gradients = seen[1]
    np.testing.assert_allclose(value, y, rtol=VALUE, atol=VALUE)
    return value, gradients


def compare_layers(ours: Any, theirs: Any, arrays: Sequence[Array]) -> None:
    """Build both layers, give them the same weights, and compare values and gradients."""
    shapes = [(None, *x.shape[1:]) for x in arrays]
    for layer in (ours, theirs):
        layer.build(shapes if len(shapes) > 1 else shapes[0])
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    values = [np.random.default_rng(5).normal(size=w.shape) for w in ours.weights]
    for layer in (ours, theirs):
        layer.set_weights(values)
    given = list(arrays) if len(arrays) > 1 else arrays[0]
    factors = np.random.default_rng(9).normal(size=np.shape(theirs(given)))
    expected, wanted = of_keras_layer(theirs, factors, arrays)
    y, gradients = of_fastgd(ours, factors, arrays)
    np.testing.assert_allclose(y, expected, rtol=VALUE, atol=VALUE)
    for got, want in zip(gradients, wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=GRADIENT, atol=GRADIENT)
