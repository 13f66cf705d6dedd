"""Products, norms, slices and differences against Keras: values, gradients and signatures."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest

from fastgd import ops
from parity.test_ops_elementwise import CLOSE, compare

RNG = np.random.default_rng(11)
X = RNG.normal(size=(4, 3, 6))
W = RNG.normal(size=(6, 5))

# What is computed of x by either library, and the shape of one sample of the result.
CALLS = {
    "dot a matrix": (lambda m: lambda x: m.dot(x, W), (3, 5)),
    "dot a vector": (lambda m: lambda x: m.dot(x, W[:, 0]), (3,)),
    "dot a stack": (lambda m: lambda x: m.dot(x, np.stack([W, 2 - W])), (3, 2, 5)),
    "dot a number": (lambda m: lambda x: m.dot(x, 2.5), (3, 6)),
    "tensordot": (lambda m: lambda x: m.tensordot(x, np.stack([W, W**2, -W]), 2), (5,)),
    "tensordot one": (lambda m: lambda x: m.tensordot(x, W, axes=1), (3, 5)),
    "tensordot axes": (lambda m: lambda x: m.tensordot(x, np.stack([W, W**2, -W]), [[2, 1], [1, 0]]), (5,)),
    "tensordot middle": (lambda m: lambda x: m.tensordot(x, np.stack([W, W**2, -W]), [1, 0]), (6, 6, 5)),
    "norm of all axes": (lambda m: lambda x: m.norm(x, axis=(1, 2)), ()),
    "norm 2": (lambda m: lambda x: m.norm(x, 2, -1), (3,)),
    "norm 1": (lambda m: lambda x: m.norm(x, 1, 1, True), (1, 6)),
    "norm 3": (lambda m: lambda x: m.norm(x, 3, 1), (6,)),
    "norm inf": (lambda m: lambda x: m.norm(x, np.inf, 2), (3,)),
    "norm -inf": (lambda m: lambda x: m.norm(x, -np.inf, 2), (3,)),
    "norm fro": (lambda m: lambda x: m.norm(x, "fro", (1, 2), True), (1, 1)),
    "norm columns": (lambda m: lambda x: m.norm(x, 1, (1, 2)), ()),
    "norm least column": (lambda m: lambda x: m.norm(x, -1, (1, 2)), ()),
    "norm rows": (lambda m: lambda x: m.norm(x, np.inf, (1, 2)), ()),
    "norm least row": (lambda m: lambda x: m.norm(x, -np.inf, (2, 1)), ()),
    "normalize": (lambda m: lambda x: m.normalize(x), (3, 6)),
    "normalize 1": (lambda m: lambda x: m.normalize(x, 1, 1), (3, 6)),
    "normalize 3": (lambda m: lambda x: m.normalize(x, order=3, epsilon=3.0), (3, 6)),
    "mean of moments": (lambda m: lambda x: m.moments(x, [1])[0], (6,)),
    "variance of moments": (lambda m: lambda x: m.moments(x, [1], True)[1], (1, 6)),
    "divide_no_nan": (lambda m: lambda x: m.divide_no_nan(x, m.maximum(x, 0.0)), (3, 6)),
    "diff": (lambda m: lambda x: m.diff(x), (3, 5)),
    "diff twice": (lambda m: lambda x: m.diff(x, 2, 1), (1, 6)),
    "glu": (lambda m: lambda x: m.glu(x), (3, 3)),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_and_gradients(name):
    function_of, shape = CALLS[name]
    goal = np.random.default_rng(12).normal(size=(4, *(shape or (1,))))
    own = function_of if shape else lambda m: lambda x: m.expand_dims(function_of(m)(x), -1)
    compare(own, [X], goal)


def test_on_arrays():
    for function_of, _ in CALLS.values():
        want = keras.ops.convert_to_numpy(function_of(keras.ops)(X))
        np.testing.assert_allclose(function_of(ops)(X), want, rtol=CLOSE, atol=CLOSE)
    want = keras.ops.convert_to_numpy(keras.ops.slice(X, [1, 0, 2], [2, 3, 4]))
    np.testing.assert_array_equal(ops.slice(X, [1, 0, 2], [2, 3, 4]), want)
    np.testing.assert_allclose(ops.outer(X, W), keras.ops.convert_to_numpy(keras.ops.outer(X, W)), rtol=CLOSE)
    assert ops.norm(X) == pytest.approx(float(keras.ops.norm(X)), rel=CLOSE)
    assert ops.norm(X[0], 0, 1).tolist() == [6.0, 6.0, 6.0]


@pytest.mark.parametrize(
    "name", ["dot", "tensordot", "outer", "norm", "normalize", "moments", "divide_no_nan", "slice", "diff"]
)
def test_signature(name):
    ours, theirs = (inspect.signature(getattr(module, name)).parameters for module in (ops, keras.ops))
    assert [(k, p.default) for k, p in ours.items()] == [(k, p.default) for k, p in theirs.items()]
