"""The elementwise ops as users meet them: on arrays, in layers of their own, on placeholders, and through operators."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

import fastgd
import tolerances
from cases import BINARY, BROADCASTS, POSITIVE, UNARY
from fastgd import layers, ops
from fastgd.ops.builder import PlanBuilder

SPECIAL = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 1e-30, -3e30, np.inf, -np.inf, np.nan])


def expected(name: str, *arrays):
    """What NumPy gives, in the arrays' type."""
    special = {
        "erf": lambda x: np.array([math.erf(v) for v in np.ravel(x).tolist()]).reshape(np.shape(x)),
        "rsqrt": lambda x: 1 / np.sqrt(x),
        "round": np.rint,
        "stop_gradient": np.copy,
    }
    with np.errstate(all="ignore"):
        return np.asarray((special.get(name) or getattr(np, name))(*arrays)).astype(arrays[0].dtype)


def same(got, want, scale: float = 8.0):
    assert np.shape(got) == want.shape
    assert got.dtype == want.dtype
    np.testing.assert_allclose(got, want, rtol=scale * tolerances.EPS[str(want.dtype)])


@pytest.mark.parametrize("backend", fastgd.runtime.BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", UNARY)
def test_unary_on_arrays_of_any_shape(name, dtype, backend, rng):
    f = getattr(ops, name)
    with fastgd.backend(backend):
        for shape in ((), (1,), (7,), (2, 3), (0,), (3, 0, 2), (2, 1, 33)):
            x = np.asarray(rng.uniform(0.1, 2.0, shape) if name in POSITIVE else rng.normal(size=shape)).astype(dtype)
            same(f(x), expected(name, x), 64.0 if name == "tan" else 8.0)
        x = SPECIAL.astype(dtype)
        same(f(x), expected(name, x))


@pytest.mark.parametrize("backend", fastgd.runtime.BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", BINARY)
def test_binary_on_arrays_of_any_shape(name, dtype, backend, rng):
    f = getattr(ops, name)
    with fastgd.backend(backend):
        for a, b, _ in BROADCASTS:
            pair = [np.asarray(rng.uniform(0.2, 2.0, [abs(d) * (3 if d < 0 else 1) for d in s])) for s in (a, b)]
            x1, x2 = (x.astype(dtype) for x in pair)
            same(f(x1, x2), expected(name, x1, x2))
        x1, x2 = SPECIAL.astype(dtype)[:, None], SPECIAL.astype(dtype)
        same(f(x1, x2), expected(name, *np.broadcast_arrays(x1, x2)))


def test_numbers_take_the_type_of_the_arrays(rng):
    x = rng.normal(size=(2, 3)).astype(np.float32)
    for y in (ops.add(x, 2), ops.add(0.5, x), ops.where(x > 0, x, 0.0), ops.clip(x, -1, 1.0), ops.power(x, 2)):
        assert y.dtype == np.float32
    assert ops.add(x, np.float64(2)).dtype == np.float64
    assert ops.exp(1).dtype == np.float32
    assert ops.add(np.arange(3), np.arange(3)).dtype == np.float32
    fastgd.config.set_floatx("float64")
    try:
        assert ops.divide(np.arange(3), 2).dtype == np.float64
    finally:
        fastgd.config.set_floatx("float32")


def test_kept_programs_are_not_mixed_up(rng):
    x = rng.normal(size=(2, 3))
    for value in (1, 1.0, 2.0, True, -2.0):
        np.testing.assert_array_equal(ops.multiply(x, value), x * value)
        np.testing.assert_array_equal(ops.subtract(value, x), value - x)
    assert ops.divide(np.array([1.0]), 0.0)[0] == np.inf
    assert ops.divide(np.array([1.0]), -0.0)[0] == -np.inf
    for k in range(100):
        np.testing.assert_array_equal(ops.add(x, float(k)), x + k)
    first = ops.add(x, 1.0)
    ops.add(2 * x, 1.0)
    np.testing.assert_array_equal(first, x + 1)


def test_powers_of_numbers_and_arrays(rng):
    x = rng.uniform(0.1, 2.0, 7)
    for exponent in (2, 1, 0.5, -0.5, -1, 0, 3, 2.0, -2.5):
        np.testing.assert_allclose(ops.power(x, exponent), x**exponent, rtol=1e-15)
    np.testing.assert_allclose(ops.power(2, x), 2**x, rtol=1e-15)
    np.testing.assert_array_equal(ops.power(np.array([-2.0, -2.0, 0.0]), np.array([2.0, 3.0, 0.0])), [4.0, -8.0, 1.0])


def test_choosing_bounding_rounding_and_filling(rng):
    x = rng.normal(size=(3, 4))
    np.testing.assert_array_equal(ops.where(x > 0, x, -x), np.abs(x))
    np.testing.assert_array_equal(
        ops.where(np.array([True, False])[:, None], 1.0, np.arange(3.0)), [[1] * 3, [0, 1, 2]]
    )
    np.testing.assert_array_equal(ops.clip(x, -0.5, 0.25), np.clip(x, -0.5, 0.25))
    np.testing.assert_array_equal(ops.clip(x, x[0], 9), np.maximum(x, x[0]))
    np.testing.assert_array_equal(ops.round(np.array([0.125, -1.375]), 2), [0.12, -1.38])
    np.testing.assert_array_equal(ops.round(np.array([1250.0, 1350.0]), -2), [1200.0, 1400.0])
    np.testing.assert_array_equal(ops.zeros_like(x), np.zeros((3, 4)))
    assert ops.ones_like(np.arange(3)).tolist() == [1.0, 1.0, 1.0]
    assert ops.full_like(x.astype(np.float32), 2.5).dtype == np.float32
    assert ops.cast(x, "int32").dtype == np.int32
    assert ops.abs is ops.absolute


def test_products_of_matrices_without_a_batch(rng):
    a, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
    np.testing.assert_allclose(ops.matmul(a, b), a @ b, rtol=1e-12)
    np.testing.assert_allclose(ops.matmul(rng.normal(size=(0, 4)), b), np.zeros((0, 2)))
    c = rng.normal(size=(5, 3, 4))
    np.testing.assert_allclose(ops.matmul(c, b), c @ b, rtol=1e-12)
    np.testing.assert_allclose(ops.matmul(c, b.T, transpose_b=True), c @ b, rtol=1e-12)


def test_shapes_that_do_not_fit_are_both_named():
    with pytest.raises(ValueError, match=r"^\[add\] the shapes \(2, 3\) and \(4,\) do not fit together"):
        ops.add(np.ones((2, 3)), np.ones(4))
    with pytest.raises(ValueError, match=r"^\[where\] the shapes \(2,\) and \(\) and \(3,\) do not fit together"):
        ops.where(np.ones(2), np.ones(()), np.ones(3))
    builder = PlanBuilder("float32")
    x = builder.input("x", (-1, 3))
    with pytest.raises(ValueError, match=r"^\[multiply\] the shapes \(batch, 3\) and \(5, 3\) do not fit together"):
        _ = x * np.ones((5, 3))
    with pytest.raises(ValueError, match=r"^\[add\] the tensors are of different plans"):
        _ = x + PlanBuilder("float32").input("x", (-1, 3))
    with pytest.raises(TypeError, match=r"^\[add\] takes tensors, variables, arrays and numbers. Received: str"):
        _ = x + "1"
    with pytest.raises(ValueError, match="Arrays must hold numbers"):
        ops.exp(np.array(["a"]))
    with pytest.raises(ValueError, match="`dtype` of a tensor must be that of its model, float32, or bool"):
        ops.cast(x, "float64")
    with pytest.raises(TypeError, match="`decimals` must be an integer"):
        ops.round(np.ones(2), 0.5)


def arithmetic(x, y):
    """An expression with every operator, some with numbers and arrays on either side."""
    row = np.array([0.5, -1.0, 2.0])
    z = (x + 1) * row - 2.0 / (abs(y) + 1.5) + row * (1 - x) - (-y) ** 2
    z = z + (x < y) + 2 * (x <= 0.5) - (y > row) * (x <= 0.25) + 2.0 ** (x / 4)
    return z @ np.arange(6.0).reshape(3, 2) / 10


def test_operators_of_tensors_placeholders_and_arrays_agree(rng):
    class Arithmetic(fastgd.Layer, abstract=True):
        def call(self, inputs):
            return arithmetic(*inputs)

    x, y = (rng.normal(size=(4, 3)) for _ in range(2))
    a, b = (fastgd.Input((3,), dtype="float64") for _ in range(2))
    in_layer = fastgd.Model([a, b], Arithmetic()([a, b]))
    in_graph = fastgd.Model([a, b], arithmetic(a, b))
    want = arithmetic(x, y)
    for model in (in_layer, in_graph):
        np.testing.assert_allclose(model.predict([x, y], verbose=0), want, rtol=1e-12)
        with fastgd.backend("numpy"):
            np.testing.assert_allclose(model.predict([x, y], verbose=0), want, rtol=1e-12)
    assert a == a
    assert a in [b, a]


def test_integers_become_floating():
    builder = PlanBuilder("float32")
    labels = builder.input("labels", (-1,), "int32")
    assert ops.add(labels, 1).dtype == "float32"
    assert [step.op for step in builder.steps] == ["cast", "constant", "binary"]


def test_variables_compute_with_their_values():
    weight = fastgd.Variable([1.0, 2.0], "w", "float64")
    np.testing.assert_array_equal(weight * 2, [2.0, 4.0])
    np.testing.assert_array_equal(np.array([3.0, 4.0]) - weight, [2.0, 2.0])
    np.testing.assert_array_equal(ops.square(weight), [1.0, 4.0])
    weight.assign([5.0, 6.0])
    np.testing.assert_array_equal(-weight, [-5.0, -6.0])
    np.testing.assert_array_equal(np.sqrt(weight), np.sqrt([5.0, 6.0]))


def test_numpy_scalars_leave_their_operators_to_ours(rng):
    weight = fastgd.Variable([1.0, 2.0], "w", "float64")
    np.testing.assert_array_equal(np.float64(2) * weight, [2.0, 4.0])
    x = fastgd.Input((2,), dtype="float64")
    model = fastgd.Model(x, np.float64(1) - x * np.float32(3) + np.int64(2))
    data = rng.normal(size=(3, 2))
    np.testing.assert_allclose(model.predict(data, verbose=0), 3 - 3 * data, rtol=1e-12)
    total = np.ones(2)
    total += weight
    assert total.tolist() == [2.0, 3.0]


def test_threads_share_no_kept_program():
    wrong = []

    def work(k):
        sums = [(i, ops.add(np.full(3, float(k)), np.full(3, float(i)))) for i in range(100)]
        wrong.extend((k, i) for i, total in sums if not np.array_equal(total, np.full(3, float(k + i))))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_product_with_a_weight_checks_its_shape():
    builder = PlanBuilder("float64")
    x = builder.input("x", (-1, 3))
    weight = fastgd.Variable(np.ones((3, 2)), "w", "float64")
    assert (x @ weight).dims == (-1, 2)
    assert [step.op for step in builder.steps] == ["dense"]
    with pytest.raises(ValueError, match="the last axis of x must equal the first of the kernel"):
        _ = (x @ weight) @ weight


class OwnDense(fastgd.Layer, abstract=True):
    """What Dense with tanh computes, and a scale that starts at 1, all written with ops."""

    def build(self, input_shape):
        self.kernel = self.add_weight((input_shape[-1], 5), "zeros", name="kernel")
        self.bias = self.add_weight((5,), "zeros", name="bias")
        super().build(input_shape)

    def call(self, inputs):
        z = inputs @ self.kernel + self.bias
        e = ops.exp(-2.0 * ops.absolute(z))
        return ops.sign(z) * (1.0 - e) / (1.0 + e) + 0.0 * ops.stop_gradient(z)


@pytest.mark.parametrize("work", ["0", "1", None], ids=["every step shared out", "groups of samples", "default"])
@pytest.mark.parametrize("backend", fastgd.runtime.BACKENDS)
def test_a_layer_of_ops_trains_like_the_layer_it_imitates(backend, work, rng, monkeypatch):
    if work is not None:
        monkeypatch.setenv("FASTGD_TEAM_WORK", work)
    x, t = rng.normal(size=(128, 4)), rng.normal(size=(128, 2))
    start = [rng.normal(size=s) / 2 for s in ((4, 5), (5,), (5, 2), (2,))]
    results = []
    with fastgd.backend(backend):
        for hidden in (OwnDense(), layers.Dense(5, "tanh")):
            model = fastgd.Sequential([fastgd.Input((4,), dtype="float64"), hidden, layers.Dense(2)])
            model.set_weights(start)
            model.compile("adam", "mse")
            history = model.fit(x, t, batch_size=64, epochs=3, shuffle=False, verbose=0)
            results.append([history.history["loss"], *model.get_weights()])
    for got, want in zip(*results, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)
    assert not np.array_equal(results[0][1], start[0])


class Affine(fastgd.Layer, abstract=True):
    """`y = gamma x + beta` with a frozen scalar besides."""

    def build(self, input_shape):
        self.gamma = self.add_weight(input_shape[1:], "ones", name="gamma")
        self.beta = self.add_weight((1,), "zeros", name="beta")
        self.scalar = self.add_weight((), "ones", trainable=False, name="scalar")
        super().build(input_shape)

    def call(self, inputs):
        return ops.multiply(inputs, self.gamma) * self.scalar + self.beta


@pytest.mark.parametrize("threads", [1, 3])
def test_parameters_get_the_gradient_of_all_samples(threads, rng, monkeypatch):
    # One step of plain descent on sum((gamma x + beta - t)^2) / (n k), by hand; groups of samples add up.
    before = fastgd.get_num_threads()
    for work in ("0", "1"):
        monkeypatch.setenv("FASTGD_TEAM_WORK", work)
        fastgd.set_num_threads(threads)
        x, t = rng.normal(size=(64, 3)), rng.normal(size=(64, 3))
        model = fastgd.Sequential([fastgd.Input((3,), dtype="float64"), Affine()])
        model.compile(fastgd.optimizers.SGD(0.5), "mse")
        model.fit(x, t, batch_size=64, shuffle=False, verbose=0)
        fastgd.set_num_threads(before)
        error = 2 * (x - t) / t.size
        gamma, beta, scalar = model.get_weights()
        np.testing.assert_allclose(gamma, 1 - 0.5 * (error * x).sum(axis=0), rtol=1e-12)
        np.testing.assert_allclose(beta, -0.5 * error.sum(keepdims=True)[0], rtol=1e-12)
        assert scalar == 1.0


def test_variables_in_a_graph_are_trained_with_the_model(rng):
    weight = fastgd.Variable(np.ones(3), "w", "float64")
    x = fastgd.Input((3,), dtype="float64")
    model = fastgd.Model(x, x * weight + np.array([1.0, 2.0, 3.0]))
    assert [w.path for w in model.trainable_weights] == ["w"]
    model.compile(fastgd.optimizers.SGD(0.1), "mse")
    data = rng.normal(size=(16, 3))
    model.fit(data, data, verbose=0)
    assert not np.array_equal(weight.numpy(), np.ones(3))
    np.testing.assert_allclose(model.predict(data, verbose=0), data * weight.value + [1.0, 2.0, 3.0], rtol=1e-12)


def test_ops_and_activations_on_placeholders(rng):
    x = fastgd.Input((4,))
    y = fastgd.activations.relu(ops.concatenate([x, ops.zeros_like(x) + 1, ops.square(x)], -1))
    assert y.shape == (None, 12)
    model = fastgd.Model(x, ops.where(y > 0.5, y, 0.5))
    data = rng.normal(size=(3, 4)).astype(np.float32)
    want = np.maximum(np.concatenate([data, np.ones((3, 4)), data**2], axis=1), 0.5)
    np.testing.assert_allclose(model.predict(data, verbose=0), want, rtol=1e-6)
    with pytest.raises(ValueError, match="`outputs` must have the batch as their first axis"):
        fastgd.Model(x, without_batch(x))


def without_batch(x):
    """A placeholder without the batch, made of one that has it."""

    class Free(fastgd.Layer, abstract=True):
        def call(self, inputs):
            return inputs.builder.constant(1.0, (3,))

    return Free()(x)
