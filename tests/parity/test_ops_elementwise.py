"""The elementwise ops against Keras: values, gradients, ties and kinks."""

from __future__ import annotations

import jax
import keras
import numpy as np
import pytest

from cases import BINARY, BROADCASTS, POSITIVE, UNARY
from fastgd import ops, runtime
from fastgd.ops.builder import PlanBuilder
from fastgd.ops.losses import per_sample
from fastgd.plan import Term

CLOSE = 1e-12


def keras_gradients(function, arrays):
    """Value of `function(*arrays)`, a number, and its gradients by each array."""
    value, gradients = jax.value_and_grad(function, argnums=tuple(range(len(arrays))))(*map(jax.numpy.asarray, arrays))
    return float(value), [np.asarray(gradient) for gradient in gradients]


def our_gradients(function, arrays, goal, backend):
    """The mean squared distance of `function(*arrays)` to `goal` and its gradients; the first axis is the batch."""
    builder = PlanBuilder("float64")
    tensors = [builder.input(f"x{k}", (-1, *array.shape[1:])) for k, array in enumerate(arrays)]
    target = builder.input("goal", (-1, *goal.shape[1:]))
    v = per_sample("mean_squared_error", function(*tensors), target)
    plan = builder.build(losses=[Term("loss", v.name)])
    with runtime.backend(backend):
        executor = runtime.create_executor(plan)
    executor.bind_parameters([variable.value for variable in builder.variables])
    seen = executor.inspect([*arrays, goal])
    zeros = {f"d:x{k}": np.zeros_like(array) for k, array in enumerate(arrays)}
    return float(seen[v.name].mean()), [(zeros | dict(seen))[f"d:x{k}"] for k in range(len(arrays))]


def compare(function_of, arrays, goal):
    """Compare both for a function written with the module that it is given."""
    target = keras.ops.convert_to_tensor(goal, "float64")

    def distance(*tensors):
        return ((function_of(keras.ops)(*tensors) - target) ** 2).sum() / goal.size

    want, slopes = keras_gradients(distance, arrays)
    for backend in runtime.BACKENDS:
        got, found = our_gradients(function_of(ops), arrays, goal, backend)
        np.testing.assert_allclose(got, want, rtol=CLOSE)
        for a, b in zip(found, slopes, strict=True):
            np.testing.assert_allclose(a, b, rtol=CLOSE, atol=CLOSE)


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    rng = np.random.default_rng(1)
    x = rng.uniform(0.2, 2.0, (4, 5)) if name in POSITIVE else rng.uniform(-1.4, 1.4, (4, 5))
    x[0, :2] = 1.0
    if name not in ("isfinite", "isinf", "isnan", "logical_not"):
        compare(lambda module: getattr(module, name), [x], rng.normal(size=x.shape))
    special = np.concatenate([x.ravel(), [0.0, 1.0, -1.0, 0.5, 1.5, -2.5, np.inf, -np.inf, np.nan]])
    with np.errstate(all="ignore"):
        want = keras.ops.convert_to_numpy(getattr(keras.ops, name)(keras.ops.convert_to_tensor(special)))
    np.testing.assert_allclose(getattr(ops, name)(special), want.astype("float64"), rtol=CLOSE)


@pytest.mark.parametrize("name", BINARY)
def test_binary(name):
    rng = np.random.default_rng(2)
    function = getattr(keras.ops, name)
    for a, b, y in BROADCASTS:
        shapes = [tuple(3 if d < 0 else d for d in shape) for shape in (a, b, y)]
        x1, x2 = (rng.uniform(0.2, 2.0, shape) for shape in shapes[:2])
        want = keras.ops.convert_to_numpy(function(keras.ops.convert_to_tensor(x1), keras.ops.convert_to_tensor(x2)))
        got = getattr(ops, name)(x1, x2)
        assert got.shape == want.shape == shapes[2]
        np.testing.assert_allclose(got, want.astype("float64"), rtol=CLOSE)
        if name in ("add", "divide", "maximum", "minimum", "multiply", "power", "subtract"):
            both = [shape for shape in (a, b) if shape[:1] == (-1,) and len(shape) == len(y)]
            if len(both) == 2 and 0 not in y:
                compare(lambda module: getattr(module, name), [x1, x2], rng.normal(size=got.shape))


def test_ties_and_kinks():
    p = np.array([[0.0, 2.0, -1.0, 0.0, 3.0]])
    q = np.array([[0.0, 2.0, -1.0, 1.0, -3.0]])
    goal = np.array([[1.0, -1.0, 0.5, 2.0, 0.0]])
    for name in ("maximum", "minimum"):
        compare(lambda module, name=name: getattr(module, name), [p, q], goal)
    # JAX's absolute has the slope 1 at 0.
    compare(lambda module: module.absolute, [p[:, 1:3]], goal[:, 1:3])
    powers = np.array([[0.0, 1.0, 2.0, 2.0, 0.5]])
    bases = np.array([[1.0, 0.0, 0.0, 3.0, 2.0]])
    compare(lambda module: module.power, [bases, powers], goal)
    inside = np.array([[-2.0, -0.25, 0.0, 0.5, 7.0]])
    compare(lambda module: lambda x: module.clip(x, -1.0, 1.0), [inside], goal)
    compare(lambda module: lambda x: module.clip(x, 0.0, 0.5), [inside], goal)


def test_where_and_a_composition():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 1))
    goal = rng.normal(size=(4, 3))

    def composed(module):
        def function(a, b):
            z = module.where(module.less(a, b), module.exp(a) * b, module.log1p(module.abs(a)) / (b + 4.0))
            return 1.0 - z**2 + module.stop_gradient(a) * module.sin(b) - module.round(a, 1) * b

        return function

    compare(composed, [x, y], goal)
