"""Small examples worked out by hand, their numbers written out."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import cases
from fastgd.plan import Step, UpdateSpec
from fastgd.reference import Executor
from fastgd.reference.registry import OPS, Context
from fastgd.reference.updates import UPDATES
from reference.gradcheck import PlanBuilder


def run_op(op, inputs, params=(), dtype="float64", training=True, iteration=0, **attrs):
    """Run the forward pass of one op by itself, warnings included."""
    arrays = [np.asarray(x, dtype if np.asarray(x).dtype.kind == "f" else "int32") for x in inputs]
    ctx = Context(training, iteration, np.dtype(dtype), len(arrays[0]))
    return OPS[op].forward(ctx, arrays, [np.asarray(w, dtype) for w in params], attrs)


def run_rule(rule, w, gradients, slots, lr, dtype="float64", **hyper):
    """Let a rule make a step with each gradient and return the parameter after each."""
    w = np.array([w], dtype)
    memory = [np.array([slot], dtype) for slot in slots]
    path = []
    for k, g in enumerate(gradients):
        UPDATES[rule].rule(w, np.array([g], dtype), memory, lr, k + 1, hyper)
        path.append(float(w[0]))
    assert w.dtype == dtype
    return path, [float(slot[0]) for slot in memory]


@pytest.mark.parametrize(
    ("before", "after", "sums", "adjoint"),
    [
        # (0, 0), 1, 2, 3 and a window (1, 10) at every second place; then 2, 3, 4, (0, 0).
        (2, -1, [0.0, 21.0], [1.0, 10.0, 0.0, 0.0]),
        (-1, 2, [32.0, 4.0], [0.0, 1.0, 10.0, 1.0]),
    ],
)
def test_convolutions_of_what_is_padded_and_cropped(before, after, sums, adjoint):
    attrs = {"strides": (2,), "dilations": (1,), "padding_before": (before,), "padding_after": (after,)}
    x, kernel = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 4, 1), np.array([1.0, 10.0]).reshape(2, 1, 1)
    assert run_op("convolution", [x], [kernel], **attrs)[0].ravel().tolist() == sums
    back = run_op("transposed_convolution", [np.ones((1, 2, 1))], [kernel], sizes=(4,), **attrs)[0]
    assert back.ravel().tolist() == adjoint


@pytest.mark.parametrize(
    ("op", "changes", "text"),
    [
        ("convolution", {"groups": 2}, r"does not fit the kernel \(2, 1, 1\) in 2 groups"),
        ("convolution", {"strides": (0,)}, "needs 1 numbers in each attribute"),
        ("convolution", {"dilations": (4,)}, r"the window \(2,\) does not fit into the sizes \(4,\)"),
        ("convolution", {"activation": "softmax"}, "`activation` must work element by element"),
        ("convolution", {"activation": "gelu"}, "`activation` must have a derivative that follows from y"),
        ("transposed_convolution", {"sizes": (4,)}, r"x of shape \(1, 4, 1\) does not fit .* windows \(3,\)"),
    ],
)
def test_convolutions_that_do_not_fit(op, changes, text):
    attrs = {"strides": (1,), "dilations": (1,), "padding_before": (0,), "padding_after": (0,), "sizes": (5,)}
    with pytest.raises(ValueError, match=text):
        run_op(op, [np.ones((1, 4, 1))], [np.ones((2, 1, 1))], **{**attrs, **changes})
    with pytest.raises(ValueError, match="b of shape"):
        run_op(op, [np.ones((1, 4, 1))], [np.ones((2, 1, 1)), np.ones(2)], **attrs)
    with pytest.raises(ValueError, match="takes a kernel of as many axes as x"):
        run_op(op, [np.ones((1, 4, 1))], [np.ones((2, 1))], **attrs)


def test_one_sgd_step_of_a_2_2_1_network():
    b = PlanBuilder()
    b.input("x", 2)
    b.input("t", 1)
    for name, shape in (("w1", (2, 2)), ("b1", (2,)), ("w2", (2, 1)), ("b2", (1,))):
        b.param(name, *shape)
    b.step("dense", ["x"], "h", 2, params=["w1", "b1"], activation="relu")
    b.step("dense", ["h"], "y", 1, params=["w2", "b2"])
    b.loss("mean_squared_error", ["y", "t"])
    executor = Executor(b.build())
    # x w1 + b1 = (1 + 1 + 0, -1 + 2 - 0.5) = (2, 0.5); y = 2 + 1 + 0.5 = 3.5; loss = 0.25; dy = 2 (3.5 - 3) = 1.
    w1, b1 = np.array([[1.0, -1.0], [0.5, 1.0]]), np.array([0.0, -0.5])
    w2, b2 = np.array([[1.0], [2.0]]), np.array([0.5])
    executor.bind_parameters([w1, b1, w2, b2])
    executor.bind_update(UpdateSpec("sgd"), [])
    executor.begin("train", [np.array([[1.0, 2.0]]), np.array([[3.0]])], batch_size=1)
    assert executor.advance(1, 10.0, np.array([0.1])) == 1
    assert executor.totals().tolist() == [[0.25, 1.0]]
    # dw2 = h = (2, 0.5), db2 = 1, dh = (1, 2), dw1 = ((1, 2), (2, 4)), db1 = (1, 2), each times 0.1.
    np.testing.assert_allclose(w2, [[0.8], [1.95]], rtol=1e-15)
    np.testing.assert_allclose(b2, [0.4], rtol=1e-15)
    np.testing.assert_allclose(w1, [[0.9, -1.2], [0.3, 0.6]], rtol=1e-15)
    np.testing.assert_allclose(b1, [-0.1, -0.7], rtol=1e-15)


def test_sgd():
    assert run_rule("sgd", 1.0, [0.5, -2.0], [], 0.25) == ([0.875, 1.375], [])


def test_momentum_and_nesterov():
    # v: 0.5 * 0.4 - 0.1 * 1 = 0.1, then 0.5 * 0.1 - 0.1 * 2 = -0.15.
    path, slots = run_rule("momentum", 1.0, [1.0, 2.0], [0.4], 0.1, momentum=0.5, nesterov=0)
    np.testing.assert_allclose([*path, *slots], [1.1, 0.95, -0.15], rtol=1e-14)
    # w: 1 + 0.5 * 0.1 - 0.1 = 0.95, then 0.95 + 0.5 * -0.15 - 0.2 = 0.675.
    path, slots = run_rule("momentum", 1.0, [1.0, 2.0], [0.4], 0.1, momentum=0.5, nesterov=1)
    np.testing.assert_allclose([*path, *slots], [0.95, 0.675, -0.15], rtol=1e-14)


def test_the_first_two_steps_of_adam():
    path, slots = run_rule("adam", 1.0, [2.0, -1.0], [0.0, 0.0], 0.1, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
    # m: 0.2, then 0.2 + (-1 - 0.2) 0.1 = 0.08; v: 0.004, then 0.004 + (1 - 0.004) 0.001 = 0.004996.
    np.testing.assert_allclose(slots, [0.08, 0.004996], rtol=1e-13)
    # a = 0.1 sqrt(0.001) / 0.1 = 0.0316227766; 0.0316227766 * 0.2 / (0.0632455532 + 1e-7) = 0.0999998419.
    # a = 0.1 sqrt(0.001999) / 0.19 = 0.0235316722; 0.0235316722 * 0.08 / (0.0706823882 + 1e-7) = 0.0266336555.
    np.testing.assert_allclose(path, [1 - 0.0999998419, 1 - 0.0999998419 - 0.0266336555], atol=2e-10)
    # Corrected, the roots are 2, then sqrt(0.004996 / 0.001999) = 1.5809015, and m is 2, then 0.08 / 0.19 = 0.4210526.
    numbers = {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 0.5, "corrects_epsilon": 1.0}
    path, _ = run_rule("adam", 1.0, [2.0, -1.0], [0.0, 0.0], 0.1, **numbers)
    np.testing.assert_allclose(path, [1 - 0.1 * 2 / 2.5, 0.92 - 0.1 * 0.4210526 / 2.0809015], atol=2e-9)


@pytest.mark.parametrize("rule", sorted(UPDATES))
def test_rules_keep_float32_and_leave_zeros_alone(rule):
    # Even where nothing but zeros is left to divide by.
    hyper = {
        "momentum": 0.9,
        "nesterov": 1.0,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 0.0,
        "rho": 0.9,
        "centered": 1,
        "learning_rate_power": -0.5,
        "l1": 0.0,
        "l2": 0.0,
        "l2_shrinkage": 0.0,
        "beta": 0.0,
    }
    path, _ = run_rule(rule, 0.0, [0.0], [0.0] * len(UPDATES[rule].slots), 0.1, "float32", **hyper)
    assert path == [0.0]


def test_softmax_crossentropy_of_a_row():
    # logsumexp(1, 2, 3) = 3.4076059644443806.
    p = [0.09003057317038046, 0.24472847105479767, 0.6652409557748219]
    v, got = run_op("softmax_crossentropy", [[[1.0, 2.0, 3.0]], [[0.0, 0.0, 1.0]]])
    np.testing.assert_allclose(v, [0.4076059644443806], rtol=1e-14)
    np.testing.assert_allclose(got, [p], rtol=1e-14)
    v, got = run_op("sparse_softmax_crossentropy", [[[1.0, 2.0, 3.0]], [0]])
    np.testing.assert_allclose(v, [2.4076059644443806], rtol=1e-14)
    # Smoothed by 0.3: t' = (0.1, 0.1, 0.8), so 3.4076 - 0.1 * 1 - 0.1 * 2 - 0.8 * 3.
    v, _ = run_op("softmax_crossentropy", [[[1.0, 2.0, 3.0]], [[0.0, 0.0, 1.0]]], label_smoothing=0.3)
    np.testing.assert_allclose(v, [0.7076059644443806], rtol=1e-14)
    # From probabilities that do not add up to one: (0.2, 0.6) means (0.25, 0.75).
    (v,) = run_op("categorical_crossentropy", [[[0.2, 0.6]], [[0.0, 1.0]]])
    np.testing.assert_allclose(v, [-math.log(0.75)], rtol=1e-14)
    (v,) = run_op("sparse_categorical_crossentropy", [[[0.2, 0.6]], [0]])
    np.testing.assert_allclose(v, [math.log(4)], rtol=1e-14)


def test_binary_losses():
    (v,) = run_op("binary_crossentropy", [[[0.25, 0.5]], [[1.0, 0.0]]])
    np.testing.assert_allclose(v, [(math.log(4) + math.log(2)) / 2], rtol=1e-14)
    # Smoothed by 0.2, the targets 1 and 0 become 0.9 and 0.1.
    (v,) = run_op("binary_crossentropy", [[[0.25]], [[1.0]]], label_smoothing=0.2)
    np.testing.assert_allclose(v, [0.9 * math.log(4) + 0.1 * math.log(4 / 3)], rtol=1e-14)
    v, p = run_op("sigmoid_crossentropy", [[[math.log(3.0)]], [[1.0]]])
    np.testing.assert_allclose([v[0], p[0, 0]], [math.log(4 / 3), 0.75], rtol=1e-14)


def test_regression_losses_average_over_all_axes_but_the_first():
    p, t = [[[1.0, 2.0], [3.0, 4.0]]], [[[0.0, 4.0], [3.0, 1.0]]]
    assert run_op("mean_squared_error", [p, t])[0].tolist() == [(1 + 4 + 0 + 9) / 4]
    assert run_op("mean_absolute_error", [p, t])[0].tolist() == [(1 + 2 + 0 + 3) / 4]
    assert run_op("mean_squared_error", [[1.0, 2.0], [0.0, 4.0]])[0].tolist() == [1.0, 4.0]


def test_metrics():
    p = [[0.2, 0.7, 0.7], [0.9, 0.1, 0.0]]
    assert run_op("accuracy", [p, [[0.2, 0.0, 0.7], [1.0, 1.0, 1.0]]])[0].tolist() == [2 / 3, 0.0]
    assert run_op("binary_accuracy", [p, [[0.0, 1.0, 1.0], [1.0, 1.0, 1.0]]])[0].tolist() == [1.0, 1 / 3]
    assert run_op("binary_accuracy", [[[0.5]], [[1.0]]])[0].tolist() == [0.0]
    assert run_op("binary_accuracy", [[[0.2]], [[1.0]]], threshold=0.1)[0].tolist() == [1.0]
    # The first of two equal maxima counts.
    assert run_op("categorical_accuracy", [p, [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])[0].tolist() == [1.0, 0.0]
    assert run_op("sparse_categorical_accuracy", [p, [2, 0]])[0].tolist() == [0.0, 1.0]
    assert run_op("sparse_categorical_accuracy", [[p], [[1, 1]]])[0].tolist() == [0.5]


SUM_OF_EXPONENTIALS = math.exp(-2) + 1 + math.exp(3)


@pytest.mark.parametrize(
    ("function", "attrs", "expected"),
    [
        ("linear", {}, [-2.0, 0.0, 3.0]),
        ("relu", {}, [0.0, 0.0, 3.0]),
        ("leaky_relu", {"negative_slope": 0.25}, [-0.5, 0.0, 3.0]),
        ("sigmoid", {}, [1 / (1 + math.exp(2)), 0.5, 1 / (1 + math.exp(-3))]),
        ("tanh", {}, [math.tanh(-2), 0.0, math.tanh(3)]),
        ("softmax", {}, [math.exp(k) / SUM_OF_EXPONENTIALS for k in (-2, 0, 3)]),
        ("log_softmax", {}, [k - math.log(SUM_OF_EXPONENTIALS) for k in (-2, 0, 3)]),
        ("sparsemax", {}, [0.0, 0.0, 1.0]),
        ("relu6", {}, [0.0, 0.0, 3.0]),
        ("elu", {"alpha": 2.0}, [2 * math.expm1(-2), 0.0, 3.0]),
        ("celu", {"alpha": 2.0}, [2 * math.expm1(-1), 0.0, 3.0]),
        ("exponential", {}, [math.exp(-2), 1.0, math.exp(3)]),
        ("softplus", {}, [math.log1p(math.exp(k)) for k in (-2, 0, 3)]),
        ("log_sigmoid", {}, [-math.log1p(math.exp(-k)) for k in (-2, 0, 3)]),
        ("softsign", {}, [-2 / 3, 0.0, 0.75]),
        ("squareplus", {"b": 16.0}, [(-2 + 20**0.5) / 2, 2.0, 4.0]),
        ("sparse_plus", {}, [0.0, 0.25, 3.0]),
        ("sparse_sigmoid", {}, [0.0, 0.5, 1.0]),
        ("hard_sigmoid", {}, [1 / 6, 0.5, 1.0]),
        ("hard_silu", {}, [-1 / 3, 0.0, 3.0]),
        ("hard_tanh", {}, [-1.0, 0.0, 1.0]),
        ("soft_shrink", {"threshold": 1.5}, [-0.5, 0.0, 1.5]),
        ("hard_shrink", {"threshold": 2.0}, [0.0, 0.0, 3.0]),
        ("tanh_shrink", {}, [-2 + math.tanh(2), 0.0, 3 - math.tanh(3)]),
        ("threshold", {"threshold": 0.0, "default_value": 7.0}, [7.0, 7.0, 3.0]),
        ("thresholded_relu", {"negative_slope": 0.5, "max_value": 2.5, "threshold": 1.0}, [-1.5, -0.5, 2.5]),
        ("thresholded_relu", {"negative_slope": 0.0, "max_value": math.inf, "threshold": 1.0}, [0.0, 0.0, 3.0]),
        ("silu", {}, [-2 / (1 + math.exp(2)), 0.0, 3 / (1 + math.exp(-3))]),
        ("mish", {}, [k * math.tanh(math.log1p(math.exp(k))) for k in (-2, 0, 3)]),
        ("gelu", {}, [k * math.erfc(-k / 2**0.5) / 2 for k in (-2, 0, 3)]),
    ],
)
def test_activations(function, attrs, expected):
    (y,) = run_op("activation", [[[-2.0, 0.0, 3.0]]], function=function, **attrs)
    np.testing.assert_allclose(y, [expected], rtol=2e-15)


def test_the_approximation_of_gelu():
    x = [-2.0, 0.0, 3.0]
    (y,) = run_op("activation", [[x]], function="gelu_tanh")
    u = [math.sqrt(2 / math.pi) * (k + 0.044715 * k**3) for k in x]
    # Below 0 the sum of 1 and the tangent keeps two digits less.
    np.testing.assert_allclose(y, [[k / (1 + math.exp(-2 * v)) for k, v in zip(x, u, strict=True)]], rtol=2e-14)


@pytest.mark.parametrize(
    ("function", "attrs", "x", "slope"),
    [
        ("relu", {}, 0.0, 0.0),
        ("leaky_relu", {"negative_slope": 0.25}, 0.0, 0.25),
        ("elu", {"alpha": 0.5}, 0.0, 0.5),
        ("relu6", {}, 0.0, 0.0),
        ("relu6", {}, 6.0, 0.0),
        ("hard_tanh", {}, -1.0, 0.0),
        ("hard_sigmoid", {}, 3.0, 0.0),
        ("hard_silu", {}, -3.0, 0.0),
        ("hard_silu", {}, 3.0, 1.0),
        ("soft_shrink", {"threshold": 0.5}, 0.5, 0.0),
        ("hard_shrink", {"threshold": 0.5}, -0.5, 0.0),
        ("threshold", {"threshold": 0.5, "default_value": 2.0}, 0.5, 0.0),
        ("thresholded_relu", {"negative_slope": 0.5, "max_value": 2.0, "threshold": 1.0}, 1.0, 0.0),
        ("thresholded_relu", {"negative_slope": 0.5, "max_value": 2.0, "threshold": 1.0}, 2.0, 1.0),
    ],
)
def test_the_slope_at_the_kink(function, attrs, x, slope):
    ctx = Context(True, 0, np.dtype("float64"), 1, (True,))
    at = np.full((1, 1), x)
    (y,) = run_op("activation", [at], function=function, **attrs)
    given = {"function": function, **attrs}
    (dx,), _ = OPS["activation"].backward(ctx, [at], [], [y], [np.ones((1, 1))], given)
    assert dx.tolist() == [[slope]]


def test_prelu():
    (y,) = run_op("prelu", [[[-2.0, 0.0, 3.0]]], [[0.5, 4.0, 7.0]])
    assert y.tolist() == [[-1.0, 0.0, 3.0]]


def test_matmul_and_its_transposes():
    a, b = np.array([[[1.0, 2.0], [3.0, 4.0]]]), np.array([[[5.0, 6.0], [7.0, 8.0]]])
    expected = [[[19.0, 22.0], [43.0, 50.0]]]
    assert run_op("matmul", [a, b])[0].tolist() == expected
    assert run_op("matmul", [a.swapaxes(1, 2), b], transpose_a=True)[0].tolist() == expected
    assert run_op("matmul", [a, b.swapaxes(1, 2)], transpose_b=True)[0].tolist() == expected


def test_dropout_scales_what_it_keeps():
    x = np.full((100, 100), 3.0)
    (y,) = run_op("dropout", [x], rate=0.25, seed=5)
    assert set(np.unique(y)) == {0.0, 4.0}
    # The mean stays at 3: five standard deviations of 10000 Bernoulli numbers times 4.
    assert abs(y.mean() - 3.0) < 5 * 4 * math.sqrt(0.25 * 0.75 / 10000)
    (again,) = run_op("dropout", [x], rate=0.25, seed=5)
    np.testing.assert_array_equal(y, again)
    for other in ({"seed": 6}, {"seed": 5, "iteration": 1}, {"seed": 5 + 2**32}):
        assert (run_op("dropout", [x], rate=0.25, **other)[0] != y).any()
    assert not run_op("dropout", [x], rate=1.0, seed=5)[0].any()
    np.testing.assert_array_equal(run_op("dropout", [x], rate=0.25, seed=5, training=False)[0], x)


EXTREME = [[-1e30, -1e4, -200.0, 0.0, 200.0, 1e4, 1e30]]
ONE_HOT = [[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("op", "inputs", "attrs"),
    [
        *(("activation", [EXTREME], {"function": f}) for f in ("softmax", "log_softmax", "sparsemax")),
        *(("activation", [EXTREME], {"function": f, **a}) for f, a in cases.ELEMENTWISE if f != "exponential"),
        ("sigmoid_crossentropy", [EXTREME, ONE_HOT], {}),
        ("softmax_crossentropy", [EXTREME, ONE_HOT], {}),
        ("sparse_softmax_crossentropy", [EXTREME, [3]], {}),
        ("binary_crossentropy", [[[0.0, 1.0, 1.0, 0.0]], [[0.0, 1.0, 0.0, 1.0]]], {}),
        ("categorical_crossentropy", [[[0.0, 1.0]], [[1.0, 0.0]]], {}),
        ("sparse_categorical_crossentropy", [[[0.0, 1.0]], [0]], {}),
    ],
)
def test_extreme_numbers_give_finite_results_without_warnings(op, inputs, attrs, dtype):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outputs = run_op(op, inputs, dtype=dtype, **attrs)
        arrays = [np.asarray(x, dtype if np.asarray(x).dtype.kind == "f" else "int32") for x in inputs]
        ctx = Context(True, 0, np.dtype(dtype), 1, (True, False))
        d_outputs = [np.ones_like(outputs[0])] + [None] * (len(outputs) - 1)
        (dx, *_), _ = OPS[op].backward(ctx, arrays, [], outputs, d_outputs, attrs)
    for array in (*outputs, dx):
        assert np.isfinite(array).all()
        assert array.dtype == dtype


def test_the_whole_of_a_float32_plan_stays_float32():
    b = PlanBuilder("float32")
    b.input("x", 3)
    b.input("t", 2)
    b.param("w", 3, 2)
    b.param("b", 2)
    b.step("dense", ["x"], "h", 2, params=["w", "b"], activation="leaky_relu", negative_slope=0.1)
    b.step("dropout", ["h"], "d", 2, rate=0.3, seed=1)
    b.step("activation", ["d"], "y", 2, function="sigmoid")
    b.loss("binary_crossentropy", ["y", "t"], "one", {"weight": 0.3}, label_smoothing=0.1)
    b.tensor("p", 2)
    b.loss("sigmoid_crossentropy", ["d", "t"], "two", {"reduction": "sum"}, label_smoothing=0.1)
    b.steps[-1] = Step("sigmoid_crossentropy", ("d", "t"), ("two", "p"), (), {"label_smoothing": 0.1})
    b.metric("binary_accuracy", ["p", "t"], "right", threshold=0.4)
    executor = Executor(b.build())
    executor.bind_parameters([np.ones((3, 2), "float32"), np.zeros(2, "float32")])
    seen = executor.inspect([np.ones((4, 3)), np.ones((4, 2), bool)])
    assert {array.dtype for array in seen.values()} == {np.dtype("float32")}


IMAGE = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])[None, :, :, None]


@pytest.mark.parametrize(
    ("fill", "left"),
    [
        ("constant", [-1.0, -1.0, 1.0]),
        ("nearest", [1.0, 1.0, 1.0]),
        ("reflect", [2.0, 1.0, 1.0]),
        ("wrap", [2.0, 3.0, 1.0]),
    ],
)
def test_what_moves_into_an_image(fill, left):
    # Two pixels to the right and none down.
    attrs = {"seed": 1, "shift": (0.0, 0.0, 2 / 3, 2 / 3), "fill_mode": fill, "fill_value": -1.0}
    (y,) = run_op("random_affine", [IMAGE], **attrs)
    np.testing.assert_allclose(y[0, 0, :, 0], left, rtol=1e-14)
    np.testing.assert_array_equal(run_op("random_affine", [IMAGE], **attrs, training=False)[0], IMAGE)


def test_a_quarter_turn_and_half_a_pixel():
    for turns, interpolation in ((1, "nearest"), (2, "bilinear"), (-1, "bilinear")):
        attrs = {"seed": 1, "rotation": (turns / 4, turns / 4), "interpolation": interpolation}
        (y,) = run_op("random_affine", [IMAGE], **attrs)
        np.testing.assert_allclose(y[0, :, :, 0], np.rot90(IMAGE[0, :, :, 0], turns), rtol=1e-14)
    (y,) = run_op("random_affine", [IMAGE], seed=1, zoom=(0.5, 0.5, 1.0, 1.0))
    np.testing.assert_allclose(y[0, :, :, 0], [[2.5, 3.5, 4.5], [4.0, 5.0, 6.0], [5.5, 6.5, 7.5]], rtol=1e-14)
    (y,) = run_op("random_affine", [IMAGE], seed=1, zoom=(0.5, 0.5, 9.0, 9.0), same_zoom=True)
    np.testing.assert_allclose(y[0, :, :, 0], [[3.0, 3.5, 4.0], [4.5, 5.0, 5.5], [6.0, 6.5, 7.0]], rtol=1e-14)


def test_flips_and_crops_are_drawn_for_each_image():
    x = np.tile(IMAGE, (400, 1, 1, 1))
    (y,) = run_op("random_flip", [x], seed=1, horizontal=True)
    flipped = (y == IMAGE[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (flipped | (y == IMAGE).all(axis=(1, 2, 3))).all()
    # Ten standard deviations, of 10 images each, are half of them.
    assert 150 < flipped.sum() < 250
    (y,) = run_op("random_crop", [x], seed=1, height=2, width=2)
    corners, counts = np.unique(y[:, 0, 0, 0], return_counts=True)
    assert corners.tolist() == [1.0, 2.0, 4.0, 5.0] and counts.min() > 55
    (y,) = run_op("random_crop", [IMAGE], seed=1, height=1, width=1, training=False)
    np.testing.assert_allclose(y, [[[[5.0]]]])
    (other,) = run_op("random_flip", [x], seed=1, horizontal=True, iteration=1)
    assert (other != run_op("random_flip", [x], seed=1, horizontal=True)[0]).any()


def test_tones_of_an_image():
    (y,) = run_op("random_tone", [IMAGE], seed=1, brightness=(2.0, 2.0), contrast=(0.5, 0.5), value_range=(5.5, 8.5))
    np.testing.assert_allclose(y[0, :, :, 0], [[5.5, 5.5, 6.0], [6.5, 7.0, 7.5], [8.0, 8.5, 8.5]], rtol=1e-14)
