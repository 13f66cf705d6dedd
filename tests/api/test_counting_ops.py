"""Ops that ask and count, on arrays and in a graph, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd import ops

X = np.array([[[0.0, 1.0, -2.0], [3.0, 4.0, 5.0]], [[0.0, 0.0, 0.0], [np.nan, 0.5, 0.0]]])


@pytest.mark.parametrize("backend", ["native", "numpy"])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, -1, (1, 2)])
@pytest.mark.parametrize("name", ["any", "all", "count_nonzero"])
def test_questions(name, axis, keepdims, backend):
    with fastgd.backend(backend):
        want = getattr(np, name)(X, axis=axis, keepdims=keepdims)
        np.testing.assert_array_equal(getattr(ops, name)(X, axis=axis, keepdims=keepdims), want)
        assert getattr(ops, name)(np.zeros((0, 3)), axis=0).tolist() == [name == "all"] * 3


def test_in_a_graph():
    x = fastgd.Input((2, 3), dtype="float64")
    model = fastgd.Model(x, ops.concatenate([ops.any(x, -1), ops.all(x, -1), ops.count_nonzero(x, -1)], -1))
    finite = np.nan_to_num(X)
    want = np.concatenate([finite.any(-1), finite.all(-1), np.count_nonzero(finite, -1)], -1)
    np.testing.assert_array_equal(model.predict(finite, verbose=0), want)
    np.testing.assert_array_equal(fastgd.models.clone_model(model).predict(finite, verbose=0), want)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("numbers", [{}, {"nan": 2.0, "posinf": 3.0, "neginf": -4.0}])
def test_what_is_not_finite(numbers, dtype):
    x = np.array([np.nan, np.inf, -np.inf, 1.5], dtype)
    np.testing.assert_array_equal(ops.nan_to_num(x, **numbers), np.nan_to_num(x, **numbers))


def test_remainders_and_quotients_are_exact():
    a, b = np.array([1.0, -1.0, 7.5, -7.5, 0.3, 1e10]), np.array([0.1, 0.1, -2.0, 2.0, -0.1, 3.0])
    np.testing.assert_array_equal(ops.floor_divide(a, b), a // b)
    np.testing.assert_array_equal(ops.mod(a, b), a % b)
    np.testing.assert_allclose(ops.arctan2(a, b), np.arctan2(a, b), rtol=1e-15)
