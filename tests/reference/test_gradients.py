"""The backward pass of every op, activation and loss against finite differences in float64."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

import cases
from cases import (
    convolution_cases,
    depthwise_cases,
    elementwise_cases,
    encoding_cases,
    image_cases,
    moving_cases,
    noise_cases,
    normalization_cases,
    op_feeds,
    op_params,
    op_plan,
    pooling_cases,
    recurrent_cases,
    reduction_cases,
    sequence_cases,
)
from fastgd import _core
from fastgd.plan import Step, TensorSpec, Term
from fastgd.reference import Executor
from fastgd.reference.functions import FUNCTIONS
from fastgd.reference.program import build_program
from fastgd.reference.registry import OPS
from reference.gradcheck import PlanBuilder, check_gradients

GRADIENT_OPS = {
    "dense",
    "matmul",
    "convolution",
    "depthwise_convolution",
    "transposed_convolution",
    "activation",
    "prelu",
    "dropout",
    "alpha_dropout",
    "gaussian_noise",
    "random_flip",
    "random_affine",
    "random_crop",
    "random_tone",
    "batch_normalization",
    "group_normalization",
    "layer_normalization",
    "rms_normalization",
    "unit_normalization",
    "simple_rnn",
    "lstm",
    "gru",
    "rescale",
    "standardize",
    "flatten",
    "reshape",
    "add",
    "concatenate",
    "reduce",
    "cumsum",
    "transpose",
    "broadcast_to",
    "slice",
    "pad",
    "max_pool",
    "average_pool",
    "upsample",
    "gather",
    "embedding",
    "attention",
    "unary",
    "binary",
    "where",
    "numpy_function",
    "parameter",
    "mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "huber",
    "log_cosh",
    "poisson",
    "hinge",
    "squared_hinge",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_hinge",
    "cosine_similarity",
    "kl_divergence",
    "sparse_categorical_crossentropy",
    "sigmoid_crossentropy",
    "softmax_crossentropy",
    "sparse_softmax_crossentropy",
    "penalty",
    "orthogonality",
}


def numbers(seed: int, *shape: int) -> np.ndarray:
    """Random numbers of both signs, at least 0.1 from 0, where some functions have a kink."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.1, 1.5, shape) * rng.choice([-1.0, 1.0], shape)


def shares(seed: int, *shape: int) -> np.ndarray:
    """Random probabilities far from 0 and 1; their sums are not 1."""
    return np.random.default_rng(seed).uniform(0.15, 0.85, shape)


def labels(seed: int, classes: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, classes, shape).astype(np.int32)


def checked(b: PlanBuilder, y: str, feeds, params=(), shape=()):
    """Check a plan that ends in the tensor y, by the distance of y from random targets."""
    b.input("target", *shape)
    b.loss("mean_squared_error", [y, "target"])
    return check_gradients(b.build(), [*feeds, numbers(99, len(feeds[0]), *shape)], params)


def test_every_op_with_a_backward_pass_is_checked_here():
    assert {name for name, op in OPS.items() if op.backward is not None} == GRADIENT_OPS


# Where some function with the numbers of tests/cases.py has a kink or a step.
KINKS = (-3.0, -1.0, -0.7, -0.5, 0.0, 0.3, 0.4, 0.5, 0.7, 0.9, 1.0, 1.5, 3.0, 6.0)


def nearest_kink(x):
    """Return for each element its distance to the nearest kink, with the sign of the difference."""
    differences = np.asarray(x)[..., None] - np.array(KINKS)
    return np.take_along_axis(differences, np.abs(differences).argmin(axis=-1)[..., None], axis=-1)[..., 0]


def smooth_numbers(seed, *shape):
    """Random numbers of both signs, at least 0.02 from every kink."""
    x = np.random.default_rng(seed).uniform(-4.0, 4.0, shape)
    near = nearest_kink(x)
    return np.where(np.abs(near) < 0.02, x + np.copysign(0.02, near), x)


def test_every_function_is_checked_here():
    assert {name for name, _ in cases.ELEMENTWISE} == set(FUNCTIONS)
    assert {name for name, _ in cases.FUSED} == {name for name, each in FUNCTIONS.items() if each.from_output}


@pytest.mark.parametrize(("activation", "attrs"), cases.FUSED)
@pytest.mark.parametrize("middle", [(), (2,), (2, 3)], ids=["2d", "3d", "4d"])
def test_dense(activation, attrs, middle):
    b = PlanBuilder()
    b.input("x", *middle, 4)
    b.param("w", 4, 3)
    b.param("b", 3)
    b.step("dense", ["x"], "y", *middle, 3, params=["w", "b"], activation=activation, **attrs)
    # Sums this far apart keep every unit away from the kink at 0.
    x, w, bias = numbers(1, 3, *middle, 4), numbers(2, 4, 3) * 0.2, np.array([1.7, -1.9, 1.8])
    assert np.abs(nearest_kink(x @ w + bias)).min() > 0.005
    checked(b, "y", [x], [w, bias], (*middle, 3))


def test_dense_without_bias():
    b = PlanBuilder()
    b.input("x", 4)
    b.param("w", 4, 3)
    b.step("dense", ["x"], "y", 3, params=["w"])
    checked(b, "y", [numbers(3, 5, 4)], [numbers(4, 4, 3)], (3,))


@pytest.mark.parametrize(("function", "attrs"), cases.ELEMENTWISE)
def test_activation(function, attrs):
    b = PlanBuilder()
    b.input("x", 2, 5)
    b.step("activation", ["x"], "y", 2, 5, function=function, **attrs)
    checked(b, "y", [smooth_numbers(5, 3, 2, 5)], shape=(2, 5))


@pytest.mark.parametrize("function", cases.ALONG_AN_AXIS)
@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_activation_along_an_axis(function, axis):
    b = PlanBuilder()
    b.input("x", 2, 5)
    b.step("activation", ["x"], "y", 2, 5, function=function, **({} if axis is None else {"axis": axis}))
    checked(b, "y", [numbers(6, 3, 2, 5)], shape=(2, 5))


@pytest.mark.parametrize("slopes", [(2, 5), (1, 5), (2, 1), (1, 1)])
def test_prelu(slopes):
    b = PlanBuilder()
    b.input("x", 2, 5)
    b.param("alpha", *slopes)
    b.step("prelu", ["x"], "y", 2, 5, params=["alpha"])
    checked(b, "y", [numbers(7, 3, 2, 5)], [numbers(8, *slopes)], (2, 5))


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_matmul(transpose_a, transpose_b):
    b = PlanBuilder()
    b.input("a", *((3, 2) if transpose_a else (2, 3)))
    b.input("b", *((4, 3) if transpose_b else (3, 4)))
    b.step("matmul", ["a", "b"], "y", 2, 4, transpose_a=transpose_a, transpose_b=transpose_b)
    feeds = [numbers(6, 5, *b.tensors[0].shape[1:]), numbers(7, 5, *b.tensors[1].shape[1:])]
    seen = checked(b, "y", feeds, shape=(2, 4))
    assert {"d:a", "d:b"} <= set(seen)


SMALL_CASES = [
    case
    for case in (*noise_cases(), *image_cases(), *normalization_cases(), *encoding_cases())
    if case.differentiable and prod(case.inputs[0][1:]) <= 105
]


@pytest.mark.parametrize("case", SMALL_CASES, ids=lambda c: c.id)
def test_normalisation_and_scaling(case):
    plan = op_plan(case, "float64")
    seen = check_gradients(plan, op_feeds(case, plan, 3, 5), op_params(case, "float64", 5))
    trained = len(case.params) - case.constants
    assert {"d:x0", *(f"d:w{i}" for i in range(trained))} <= set(seen)


SMALL_SEQUENCES = [case for case in sequence_cases() if sum(abs(prod(s)) for s in (*case.inputs, *case.params)) <= 130]


@pytest.mark.parametrize("case", SMALL_SEQUENCES, ids=lambda c: c.id)
def test_embedding_and_attention(case):
    plan = op_plan(case, "float64")
    seen = check_gradients(plan, op_feeds(case, plan, 2, 5), op_params(case, "float64", 5))
    assert {f"d:x{i}" for i in range(3)} <= set(seen) if case.op == "attention" else "d:w0" in seen


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("scores_alone", [False, True])
def test_weights_of_attention_that_a_loss_reads(scores_alone, causal):
    b = PlanBuilder()
    for name in "qkv":
        b.input(name, 2, 4)
    outputs = b.tensor("y", 2, 4), b.tensor("p", 2, 2, 2)
    b.steps.append(Step("attention", tuple("qkv"), outputs, (), {"heads": 2, "rate": 0.3, "seed": 9, "causal": causal}))
    b.step("reshape", ["p"], "flat", 2, 4, shape=(-1, 2, 4))
    if not scores_alone:
        b.step("add", ["y", "flat"], "both", 2, 4)
    feeds = [numbers(k, 3, 2, 4) for k in range(3)]
    seen = checked(b, "flat" if scores_alone else "both", feeds, shape=(2, 4))
    assert np.any(seen["d:k"])
    native = _core.Executor(b.build())
    native.bind_parameters([])
    for name, value in native.inspect([*feeds, numbers(99, 3, 2, 4)]).items():
        np.testing.assert_allclose(value, seen.get(name, 0), rtol=0, atol=1e-13, err_msg=name)


SMALL_CONVOLUTIONS = [
    case
    for case in (*convolution_cases(), *depthwise_cases())
    if case.attrs.get("activation", "tanh") in ("tanh", "softplus")
    and abs(prod(case.inputs[0])) + prod(case.params[0]) <= 300
]


@pytest.mark.parametrize("case", SMALL_CONVOLUTIONS, ids=lambda c: c.id)
def test_convolutions(case):
    plan = op_plan(case, "float64")
    seen = check_gradients(plan, op_feeds(case, plan, 2, 5), op_params(case, "float64", 5))
    assert {"d:x0", *(f"d:w{i}" for i in range(len(case.params)))} <= set(seen)


SMALL_SEQUENCES = [case for case in recurrent_cases() if prod(case.params[0]) + prod(case.params[1]) <= 40]


@pytest.mark.parametrize("case", SMALL_SEQUENCES, ids=lambda c: c.id)
def test_recurrent_sequences(case):
    plan = op_plan(case, "float64")
    seen = check_gradients(plan, op_feeds(case, plan, 3, 5), op_params(case, "float64", 5))
    moving = 1 + case.kinds[1:].count("x")
    assert {*(f"d:x{i}" for i in range(moving)), *(f"d:w{i}" for i in range(len(case.params)))} <= set(seen)


@pytest.mark.parametrize("rate", [0.0, 0.4, 1.0])
def test_dropout(rate):
    b = PlanBuilder()
    b.input("x", 6)
    b.step("dropout", ["x"], "y", 6, rate=rate, seed=3)
    checked(b, "y", [numbers(8, 4, 6)], shape=(6,))


def test_flatten_and_reshape_into_the_batch():
    b = PlanBuilder()
    b.input("x", 2, 3)
    b.param("w", 3, 2)
    b.tensors.append(TensorSpec("rows", (-2, 3), "float64"))
    b.steps.append(Step("reshape", ("x",), ("rows",), (), {"shape": (-2, 3)}))
    b.tensors.append(TensorSpec("mapped", (-2, 2), "float64"))
    b.steps.append(Step("dense", ("rows",), ("mapped",), ("w",), {"activation": "tanh"}))
    b.step("reshape", ["mapped"], "back", 2, 2, shape=(-1, 2, 2))
    b.step("flatten", ["back"], "y", 4)
    checked(b, "y", [numbers(9, 3, 2, 3)], [numbers(10, 3, 2)], (4,))


def test_add_and_concatenate_of_several_inputs():
    b = PlanBuilder()
    for name in ("p", "q", "r"):
        b.input(name, 2, 3)
    b.step("add", ["p", "q", "r"], "sum", 2, 3)
    b.step("concatenate", ["sum", "q", "p"], "wide", 2, 9, axis=2)
    b.step("concatenate", ["r", "sum"], "tall", 4, 3, axis=1)
    b.step("flatten", ["wide"], "flat", 18)
    b.step("flatten", ["tall"], "flat2", 12)
    b.step("concatenate", ["flat", "flat2"], "y", 30, axis=1)
    checked(b, "y", [numbers(seed, 2, 2, 3) for seed in (11, 12, 13)], shape=(30,))


SMALL = [
    case
    for case in (*reduction_cases(), *moving_cases())
    if case.differentiable and 0 not in case.inputs[0] and prod(map(abs, case.inputs[0])) < 70
]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.id)
def test_reductions_and_moves(case):
    plan = op_plan(case, "float64")
    check_gradients(plan, op_feeds(case, plan, 3, 50))


POOLED = [case for case in pooling_cases() if 0 not in case.inputs[0] and prod(map(abs, case.inputs[0])) < 220]


@pytest.mark.parametrize("case", POOLED, ids=lambda case: case.id)
def test_windows(case):
    plan = op_plan(case, "float64")
    x, goal = op_feeds(case, plan, 2, 50)
    # Elements far enough from each other that a step of the differences swaps no two of them.
    x = np.random.default_rng(50).permutation(x.size).reshape(x.shape) * 0.02 - 2.0
    check_gradients(plan, [x, goal])


@pytest.mark.parametrize("case", [case for case in reduction_cases() if case.attrs.get("function") == "prod"][1:3])
@pytest.mark.parametrize("zeros", [1, 2])
def test_products_with_zeros(case, zeros):
    plan = op_plan(case, "float64")
    x, goal = op_feeds(case, plan, 3, 51)
    x.reshape(3, -1)[1, :zeros] = 0.0
    check_gradients(plan, [x, goal])


def is_smooth(case):
    """Whether finite differences tell the gradients: not at ties, and not where a gradient is cut on purpose."""
    function = case.attrs.get("function")
    return (
        case.op in ("unary", "binary", "parameter")
        and (-1, 0) not in case.inputs
        and (-1, 0, 3) not in case.inputs
        and function != "stop_gradient"
        and (case.kinds != "tt" or function == "multiply")
    )


@pytest.mark.parametrize("case", [case for case in elementwise_cases() if is_smooth(case)], ids=lambda c: c.id)
def test_elementwise(case):
    plan = op_plan(case, "float64")
    # A seed that draws no two operands so near to each other that a step of the differences would swap them.
    check_gradients(plan, op_feeds(case, plan, 2, 5), op_params(case, "float64", 5))


@pytest.mark.parametrize("shape", [(2, 3), (1, 3), (2, 1)])
def test_where(shape):
    b = PlanBuilder()
    b.input("p", 2, 3)
    b.input("a", *shape)
    b.param("w", 3)
    b.tensors.append(TensorSpec("free", (3,), "float64"))
    b.steps.append(Step("parameter", (), ("free",), ("w",)))
    b.step("binary", ["p", "free"], "c", 2, 3, function="less")
    b.step("where", ["c", "a", "free"], "y", 2, 3)
    seen = checked(b, "y", [numbers(50, 4, 2, 3), numbers(51, 4, *shape)], [numbers(52, 3)], (2, 3))
    assert seen["d:w"].all()
    assert not seen["d:p"].any()


def test_ties_share_the_gradient_and_kinks_have_none():
    b = PlanBuilder()
    b.input("p", 3)
    b.input("q", 3)
    b.input("t", 3)
    b.step("binary", ["p", "q"], "high", 3, function="maximum")
    b.step("binary", ["p", "q"], "low", 3, function="minimum")
    b.step("unary", ["p"], "size", 3, function="absolute")
    for name in ("high", "low", "size"):
        b.loss("mean_squared_error", [name, "t"], name + "_loss", {"weight": 1.5, "reduction": "sum"})
    p, q = np.array([[0.0, 2.0, 0.0]]), np.array([[0.0, 2.0, 1.0]])
    seen = Executor(b.build()).inspect([p, q, p - 1.0])
    # The distances to the targets are 1, but for the larger of 0 and 1, which is 2 away.
    assert seen["d:p"].tolist() == [[1.0, 2.0, 1.0]]
    assert seen["d:q"].tolist() == [[1.0, 1.0, 2.0]]


def test_powers_with_the_base_0_have_finite_gradients():
    b = PlanBuilder()
    b.input("p", 4)
    b.input("q", 4)
    b.input("t", 4)
    b.step("binary", ["p", "q"], "y", 4, function="power")
    b.loss("mean_squared_error", ["y", "t"], term={"reduction": "sum", "weight": 2.0})
    p, q = np.array([[0.0, 0.0, 0.0, -2.0]]), np.array([[0.0, 1.0, 2.0, 3.0]])
    seen = Executor(b.build()).inspect([p, q, p**q - 1.0])
    assert seen["d:p"].tolist() == [[0.0, 1.0, 0.0, 12.0]]
    assert seen["d:q"][0, :3].tolist() == [0.0, 0.0, 0.0]
    assert np.isnan(seen["d:q"][0, 3])


def test_fan_out_adds_the_gradients_of_all_branches():
    b = PlanBuilder()
    b.input("x", 3)
    b.param("w", 3, 3)
    b.step("dense", ["x"], "h", 3, params=["w"], activation="tanh")
    b.step("add", ["h", "h"], "twice", 3)
    b.step("activation", ["h"], "s", 3, function="sigmoid")
    b.step("add", ["s", "twice", "h"], "y", 3)
    checked(b, "y", [numbers(14, 4, 3)], [numbers(15, 3, 3)], (3,))


def test_a_parameter_shared_by_steps_gets_the_sum():
    b = PlanBuilder()
    b.input("left", 3)
    b.input("right", 3)
    b.param("w", 3, 3)
    b.param("b", 3)
    b.step("dense", ["left"], "l", 3, params=["w", "b"], activation="sigmoid")
    b.step("dense", ["right"], "r", 3, params=["w", "b"], activation="tanh")
    b.step("dense", ["r"], "rr", 3, params=["w"])
    b.step("add", ["l", "rr"], "y", 3)
    checked(b, "y", [numbers(16, 4, 3), numbers(17, 4, 3)], [numbers(18, 3, 3), numbers(19, 3)], (3,))


def test_two_inputs_two_losses_with_weights_and_reductions():
    b = PlanBuilder()
    b.input("x", 3)
    b.input("z", 2)
    b.input("t", 4)
    b.input("labels", dtype="int32")
    b.input("s")
    for name, shape in (("w1", (3, 4)), ("b1", (4,)), ("w2", (2, 4)), ("w3", (4, 3))):
        b.param(name, *shape)
    b.step("dense", ["x"], "hx", 4, params=["w1", "b1"], activation="tanh")
    b.step("dense", ["z"], "hz", 4, params=["w2"])
    b.step("add", ["hx", "hz"], "h", 4)
    b.step("dense", ["h"], "logits", 3, params=["w3"])
    b.loss("mean_squared_error", ["h", "t"], "near", {"weight": 0.7, "reduction": "sum"})
    b.loss("sparse_softmax_crossentropy", ["logits", "labels"], "class", {"weight": -1.3, "sample_weight": "s"})
    b.loss("mean_absolute_error", ["hz", "t"], "watched", {"weight": 0.0})
    feeds = [numbers(20, 5, 3), numbers(21, 5, 2), numbers(22, 5, 4), labels(23, 3, 5), shares(24, 5)]
    params = [numbers(25, 3, 4), numbers(26, 4), numbers(27, 2, 4), numbers(28, 4, 3)]
    seen = check_gradients(b.build(), feeds, params)
    # Neither targets nor sample weights are model inputs.
    assert {name for name in seen if name.startswith("d:")} == {"d:x", "d:z", "d:w1", "d:b1", "d:w2", "d:w3"}


def whole(b, op, inputs=(), params=(), **attrs):
    """Add a loss of one value for the batch, by both reductions in turn."""
    name = f"{op}{len(b.steps)}"
    b.tensors.append(TensorSpec(name, (1,), "float64"))
    b.steps.append(Step(op, tuple(inputs), (name,), tuple(params), attrs))
    b.losses.append(Term(name, name, 0.8, "sum" if len(b.steps) % 2 else "sum_over_batch_size"))


def test_penalty():
    b = PlanBuilder()
    b.input("x", 2, 3)
    b.param("w", 4, 3)
    for attrs in ({"l1": 0.4, "l2": 0.0}, {"l1": 0.0, "l2": 0.7}, {"l1": 0.2, "l2": 0.3}):
        whole(b, "penalty", params=["w"], **attrs)
        whole(b, "penalty", ["x"], per_sample=False, **attrs)
        b.loss("penalty", ["x"], f"each{len(b.steps)}", **attrs)
    check_gradients(b.build(), [numbers(40, 5, 2, 3)], [numbers(41, 4, 3)])


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonality(mode):
    b = PlanBuilder()
    b.input("x", 3)
    b.param("w", 4, 3)
    whole(b, "orthogonality", params=["w"], factor=0.7, mode=mode)
    whole(b, "orthogonality", ["x"], factor=0.3, mode=mode)
    check_gradients(b.build(), [numbers(42, 5, 3)], [numbers(43, 4, 3)])


def test_orthogonality_of_vectors_shorter_than_epsilon():
    b = PlanBuilder()
    b.input("rows")
    b.param("w", 3, 4)
    whole(b, "orthogonality", params=["w"], factor=0.7, epsilon=2.0)
    w = numbers(44, 3, 4)
    w[1] *= 5
    assert np.linalg.norm(w, axis=1)[0] < 2 < np.linalg.norm(w, axis=1)[1]
    check_gradients(b.build(), [numbers(45, 2)], [w])


def test_two_losses_may_look_at_one_tensor():
    b = PlanBuilder()
    b.input("p", 2)
    b.input("t", 2)
    b.loss("mean_squared_error", ["p", "t"])
    b.losses.append(Term("again", "loss", 0.5, "sum"))
    check_gradients(b.build(), [numbers(29, 3, 2), numbers(30, 3, 2)])


@pytest.mark.parametrize("middle", [(), (2,)], ids=["2d", "3d"])
@pytest.mark.parametrize(
    ("op", "predictions", "targets", "attrs"),
    [
        ("mean_squared_error", numbers, numbers, {}),
        ("mean_absolute_error", numbers, numbers, {}),
        ("mean_absolute_percentage_error", numbers, numbers, {}),
        ("mean_absolute_percentage_error", numbers, numbers, {"epsilon": 0.7}),
        ("mean_squared_logarithmic_error", shares, shares, {}),
        ("mean_squared_logarithmic_error", numbers, shares, {"epsilon": 0.05}),
        ("huber", numbers, numbers, {}),
        ("huber", numbers, numbers, {"delta": 0.4}),
        ("log_cosh", numbers, numbers, {}),
        ("poisson", shares, numbers, {"epsilon": 0.01}),
        ("hinge", numbers, numbers, {}),
        ("squared_hinge", numbers, numbers, {}),
        ("binary_focal_crossentropy", shares, shares, {}),
        ("binary_focal_crossentropy", shares, shares, {"gamma": 0.0, "apply_class_balancing": True, "alpha": 0.3}),
        ("binary_focal_crossentropy", shares, shares, {"gamma": 1.5, "label_smoothing": 0.2, "epsilon": 1e-3}),
        ("categorical_focal_crossentropy", shares, shares, {}),
        ("categorical_focal_crossentropy", shares, shares, {"gamma": 0.0, "alpha": 0.6}),
        ("categorical_focal_crossentropy", shares, shares, {"gamma": 1.5, "label_smoothing": 0.2}),
        ("categorical_hinge", numbers, shares, {}),
        ("cosine_similarity", numbers, numbers, {}),
        ("cosine_similarity", numbers, numbers, {"sign": -1.0}),
        ("cosine_similarity", numbers, numbers, {"epsilon": 2.0}),
        ("kl_divergence", shares, shares, {}),
        ("kl_divergence", shares, shares, {"epsilon": 0.3}),
        ("binary_crossentropy", shares, shares, {}),
        ("binary_crossentropy", shares, shares, {"label_smoothing": 0.2, "epsilon": 1e-3}),
        ("categorical_crossentropy", shares, shares, {}),
        ("categorical_crossentropy", shares, shares, {"label_smoothing": 0.2, "epsilon": 1e-3}),
        ("sigmoid_crossentropy", numbers, shares, {}),
        ("sigmoid_crossentropy", numbers, shares, {"label_smoothing": 0.3}),
        ("softmax_crossentropy", numbers, shares, {}),
        ("softmax_crossentropy", numbers, shares, {"label_smoothing": 0.3}),
    ],
)
def test_loss(op, predictions, targets, attrs, middle):
    b = PlanBuilder()
    b.input("p", *middle, 4)
    b.input("t", *middle, 4)
    b.loss(op, ["p", "t"], **attrs)
    check_gradients(b.build(), [predictions(31, 3, *middle, 4), targets(32, 3, *middle, 4)])


@pytest.mark.parametrize("middle", [(), (2,), (2, 2)], ids=["2d", "3d", "4d"])
@pytest.mark.parametrize(
    ("op", "predictions"), [("sparse_categorical_crossentropy", shares), ("sparse_softmax_crossentropy", numbers)]
)
def test_loss_of_labels(op, predictions, middle):
    b = PlanBuilder()
    b.input("p", *middle, 4)
    b.input("t", *middle, dtype="int32")
    b.loss(op, ["p", "t"])
    b.loss(op, ["p", "t"], "some", {"weight": 0.7}, ignore_class=1)
    check_gradients(b.build(), [predictions(33, 3, *middle, 4), labels(34, 4, 3, *middle)])


@pytest.mark.parametrize(
    ("op", "p", "t"),
    [
        ("binary_crossentropy", [[0.001, 0.4, 0.999]], [[0.3, 0.6, 0.2]]),
        ("categorical_crossentropy", [[0.001, 0.6, 0.399]], [[0.2, 0.5, 0.3]]),
        ("sparse_categorical_crossentropy", [[0.001, 0.6, 0.399]], [0]),
    ],
)
def test_no_gradient_where_a_probability_is_clipped(op, p, t):
    b = PlanBuilder()
    b.input("p", 3)
    b.input("t", *np.shape(t)[1:], dtype="int32" if op.startswith("sparse") else None)
    b.loss(op, ["p", "t"], epsilon=0.02)
    # Steps of 1e-3 stay on the flat side of the bound.
    seen = check_gradients(b.build(), [np.array(p), np.array(t)])
    if op != "categorical_crossentropy":
        assert seen["d:p"][0, 0] == 0.0


def test_the_second_output_carries_no_gradient_and_may_be_left_out():
    b = PlanBuilder()
    b.input("z", 3)
    b.input("t", 3)
    b.loss("softmax_crossentropy", ["z", "t"])
    alone = check_gradients(b.build(), [numbers(35, 2, 3), shares(36, 2, 3)])
    b.tensor("p", 3)
    b.steps[0] = Step("softmax_crossentropy", ("z", "t"), ("loss", "p"))
    b.loss("mean_squared_error", ["p", "t"], "other")
    both = b.build()
    seen = Executor(both).inspect([numbers(35, 2, 3), shares(36, 2, 3)])
    np.testing.assert_array_equal(seen["d:z"], alone["d:z"])


def test_a_frozen_parameter_gets_no_gradient():
    b = PlanBuilder()
    b.input("x", 2)
    b.param("w1", 2, 3, trainable=False)
    b.param("w2", 3, 2)
    b.step("dense", ["x"], "h", 3, params=["w1"], activation="tanh")
    b.step("dense", ["h"], "y", 2, params=["w2"])
    seen = checked(b, "y", [numbers(37, 3, 2)], [numbers(38, 2, 3), numbers(39, 3, 2)], (2,))
    assert "d:w1" not in seen


def test_no_backward_pass_below_the_last_trained_step():
    b = PlanBuilder()
    b.input("x", 2)
    b.param("w1", 2, 3, trainable=False)
    b.param("w2", 3, 2)
    b.step("dense", ["x"], "h", 3, params=["w1"])
    b.step("dense", ["h"], "y", 2, params=["w2"])
    frozen, trained = build_program(b.build("y"), ["y"]).nodes
    assert (frozen.learns, frozen.input_needs, frozen.param_needs) == (False, (False,), (False,))
    assert (trained.learns, trained.input_needs, trained.param_needs) == (True, (False,), (True,))


@pytest.mark.parametrize("op", ["sigmoid_crossentropy", "softmax_crossentropy", "sparse_softmax_crossentropy"])
def test_backward_leaves_the_probabilities_alone(op):
    b = PlanBuilder()
    b.input("z", 3)
    b.input("t", *(() if op.startswith("sparse") else (3,)), dtype="int32" if op.startswith("sparse") else None)
    b.loss(op, ["z", "t"])
    b.tensor("p", 3)
    b.steps[0] = Step(op, ("z", "t"), ("loss", "p"))
    t = labels(40, 3, 2) if op.startswith("sparse") else shares(41, 2, 3)
    p = Executor(b.build()).inspect([np.zeros((2, 3)), t])["p"]
    np.testing.assert_allclose(p, 0.5 if op.startswith("sigmoid") else 1 / 3, rtol=1e-15)


def test_a_loss_of_weight_0_cannot_spoil_the_gradient():
    b = PlanBuilder()
    b.input("p", 2)
    b.input("t", 2)
    b.loss("mean_squared_error", ["p", "t"])
    b.loss("categorical_crossentropy", ["p", "t"], "watched", {"weight": 0.0})
    seen = Executor(b.build()).inspect([np.zeros((1, 2)), np.ones((1, 2))])
    assert np.isnan(seen["watched"]).all()
    assert seen["d:p"].tolist() == [[-1.0, -1.0]]
