"""Each error of the executor by its text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fastgd.plan import ConstraintSpec, ParamSpec, Plan, Step, TensorSpec, Term, UpdateSpec
from fastgd.reference import Executor
from reference.gradcheck import PlanBuilder


def small_plan() -> Plan:
    b = PlanBuilder("float32")
    b.input("x", 4)
    b.input("t", 3)
    b.param("w", 4, 3)
    b.step("dense", ["x"], "y", 3, params=["w"])
    b.loss("mean_squared_error", ["y", "t"])
    return b.build("y")


X, T, W = np.ones((6, 4)), np.ones((6, 3)), np.ones((4, 3), "float32")


def ready(plan: Plan | None = None) -> Executor:
    executor = Executor(plan or small_plan())
    executor.bind_parameters([W.copy()])
    executor.bind_update(UpdateSpec("sgd"), [])
    return executor


def with_tensor(name: str, shape: tuple[int, ...], dtype: str = "float32") -> Plan:
    """The small plan with another spec for one tensor."""
    plan = small_plan()
    specs = tuple(TensorSpec(name, shape, dtype) if spec.name == name else spec for spec in plan.tensors)
    return replace(plan, tensors=specs)


def with_step(step: Step, *tensors: TensorSpec) -> Plan:
    """The small plan with a further step."""
    plan = small_plan()
    return replace(plan, steps=(*plan.steps, step), tensors=(*plan.tensors, *tensors))


def with_constraint(kind: str, axes: tuple[int, ...]) -> Plan:
    """The small plan with a constraint on its parameter."""
    return replace(small_plan(), params=(ParamSpec("w", (4, 3), True, ConstraintSpec(kind, axes)),))


Z = TensorSpec("z", (-1, 3), "float32")


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        (with_step(Step("convolve", ("y",), ("z",)), Z), r"\[convolve\] unknown op\. Known ops: accuracy, activation"),
        (with_step(Step("add", ("q",), ("z",)), Z), r"\[add\] tensor `q` is used before it is produced"),
        (with_step(Step("add", ("y",), ("z",))), r"\[add\] output `z` is not a tensor of the plan"),
        (with_step(Step("add", ("x",), ("y",))), r"\[add\] tensor `y` is produced twice"),
        (with_step(Step("dense", ("x",), ("z",), ("v",)), Z), r"\[dense\] parameter `v` is not in the plan"),
        (with_step(Step("add", ("y",), ("z",)), Z, Z), "tensor `z` appears twice"),
        (replace(small_plan(), dtype="float16"), "dtype='float16'"),
        (replace(small_plan(), params=(ParamSpec("w", (4, 3)),) * 2), "parameter `w` appears twice"),
        (replace(small_plan(), inputs=("x", "t", "q")), "input `q` is not a tensor of the plan"),
        (replace(small_plan(), outputs=("q",)), "tensor `q` is never produced"),
        (with_tensor("x", (4,)), r"input `x` must have the batch, -1, first. Received: shape=\(4,\)"),
        (with_tensor("y", (-1, 3), "float64"), "tensor `y` must be float32 or int32. Received: dtype='float64'"),
        (replace(small_plan(), losses=(Term("l", "q"),)), r"\[l\] tensor `q` is not in the plan"),
        (
            replace(small_plan(), losses=(Term("l", "y"),)),
            r"\[l\] `y` must have shape \(-1,\), the plan says \(-1, 3\)",
        ),
        (
            replace(small_plan(), losses=(Term("l", "loss", sample_weight="loss"),)),
            r"\[l\] `loss` must be an input of the plan",
        ),
        (replace(small_plan(), losses=(Term("l", "loss", reduction="mean"),)), "unknown reduction"),
        (
            replace(with_tensor("loss", (1,)), losses=(), metrics=(Term("m", "loss"),)),
            r"\[m\] `loss` must have shape \(-1,\), the plan says \(1,\)",
        ),
        (with_constraint("round", (0,)), r"parameter `w` has an unknown constraint. Received: kind='round'"),
        (with_constraint("norm", (0, 2)), r"the constraint of `w` must run over neighbouring axes of \(4, 3\)"),
        (with_constraint("norm", (1, 2)), r"Received: axes=\(1, 2\)"),
    ],
)
def test_a_wrong_plan(plan, text):
    with pytest.raises(ValueError, match=text):
        Executor(plan)


def test_steps_out_of_order():
    plan = small_plan()
    with pytest.raises(ValueError, match=r"\[mean_squared_error\] tensor `y` is used before it is produced"):
        Executor(replace(plan, steps=plan.steps[::-1]))


def test_an_unknown_tier():
    with pytest.raises(ValueError, match="isa='avx2'"):
        Executor(small_plan(), isa="avx2")
    assert Executor(small_plan(), isa="numpy").isa == "numpy"


def test_a_shape_that_differs_from_the_plan():
    executor = ready(with_tensor("y", (-1, 5)))
    with pytest.raises(ValueError, match=r"\[dense\] `y` has shape \(6, 3\), the plan says \(6, 5\)"):
        executor.inspect([X, T])
    executor.begin("train", [X, T], 4)
    with pytest.raises(ValueError, match=r"\[dense\] `y` has shape \(4, 3\), the plan says \(4, 5\)"):
        executor.advance(1, 1.0, 0.1)


def test_a_dtype_that_differs_from_the_plan():
    with pytest.raises(ValueError, match=r"\[dense\] `y` is float32, the plan says int32"):
        ready(with_tensor("y", (-1, 3), "int32")).inspect([X, T])


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (Step("add", ("y", "x"), ("z",)), r"\[add\] inputs must have one shape. Received: \(6, 3\) and \(6, 4\)"),
        (Step("add", (), ("z",)), r"\[add\] takes at least one input"),
        (Step("dense", ("y",), ("z",), ("w",)), r"\[dense\] x of shape \(6, 3\) does not fit w of shape \(4, 3\)"),
        (Step("dense", ("x",), ("z",), ("w", "w")), r"\[dense\] b of shape \(4, 3\) does not fit w of shape \(4, 3\)"),
        (Step("dense", ("x",), ("z",)), r"\[dense\] takes the parameters w and perhaps b"),
        (Step("dense", ("x",), ("z",), ("w",), {"activation": "softmax"}), r"\[dense\] `activation` must work element"),
        (Step("dense", ("x",), ("z",), ("w",), {"activation": "selo"}), r"\[dense\] .*activation='selo'"),
        (Step("activation", ("y",), ("z",), (), {"function": "exp"}), r"\[activation\] .*function='exp'"),
        (
            Step("activation", ("y",), ("z",), (), {"function": "leaky_relu", "negative_slope": "a"}),
            r"\[activation\] .*`negative_slope` must be",
        ),
        (Step("activation", ("y",), ("z",), (), {"function": "elu"}), r"\[activation\] .*needs the attribute `alpha`"),
        (Step("activation", ("y",), ("z",), (), {"function": "softmax", "axis": 2}), r"\[activation\] `axis` .*axis=2"),
        (Step("dense", ("x",), ("z",), ("w",), {"activation": "mish"}), r"\[dense\] `activation` must have a deriv"),
        (Step("dropout", ("y",), ("z",), (), {"rate": 1.5}), r"\[dropout\] `rate` must lie in \[0, 1\].*rate=1.5"),
        (Step("dropout", ("y",), ("z",), (), {"rate": 0.5, "seed": 0.5}), r"\[dropout\] `seed` must be an integer"),
        (Step("reshape", ("y",), ("z",), (), {"shape": (-1, 4)}), r"\[reshape\] x of shape \(6, 3\) .* \(6, 4\)"),
        (Step("reshape", ("y",), ("z",), (), {"shape": 3}), r"\[reshape\] `shape` must be a tuple"),
        (Step("concatenate", ("y", "x"), ("z",), (), {"axis": -1}), r"\[concatenate\] `axis` must be .*axis=-1"),
        (Step("matmul", ("y", "loss"), ("z",)), r"\[matmul\] the leading axes must be equal"),
        (Step("accuracy", ("y", "x"), ("z",)), r"\[accuracy\] inputs must have one shape"),
        (Step("mean_squared_error", ("y", "loss"), ("z",)), r"\[mean_squared_error\] .* \(6, 3\) and \(6,\)"),
        (Step("flatten", ("y", "x"), ("z",)), r"\[flatten\] "),
    ],
)
def test_what_an_op_refuses(step, text):
    with pytest.raises(ValueError, match=text):
        ready(with_step(step, Z)).inspect([X, T])


@pytest.mark.parametrize("label", [-1, 3])
@pytest.mark.parametrize("op", ["sparse_softmax_crossentropy", "sparse_categorical_crossentropy"])
def test_a_label_that_is_no_class(op, label):
    b = PlanBuilder()
    b.input("p", 3)
    b.input("t", dtype="int32")
    b.loss(op, ["p", "t"])
    with pytest.raises(ValueError, match=rf"\[{op}\] labels must lie in 0\.\.2\. Received: {label} to {label}"):
        Executor(b.build()).inspect([np.ones((2, 3)), np.full(2, label)])


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ([], "the plan has 1 parameters. Received: 0 arrays"),
        ([W.astype("float64")], "`w` must be float32. Received: float64"),
        ([W.T.copy()], r"`w` must have shape \(4, 3\). Received: \(3, 4\)"),
        ([W.T.copy().T], "`w` must be C-contiguous and writeable"),
        ([np.broadcast_to(W, W.shape)], "`w` must be C-contiguous and writeable"),
        ([W.tolist()], "`w` must be a NumPy array. Received: list"),
    ],
)
def test_wrong_parameters(arrays, text):
    with pytest.raises(ValueError, match=text):
        Executor(small_plan()).bind_parameters(arrays)


@pytest.mark.parametrize(
    ("spec", "slots", "text"),
    [
        (UpdateSpec("muon"), [], r"\[muon\] unknown update rule. Known rules: sgd, momentum, adam"),
        (UpdateSpec("momentum", {"momentum": 0.9}, ("v",)), [], r"\[momentum\] needs the numbers nesterov"),
        (UpdateSpec("sgd", {"momentum": 0.9}), [], r"\[sgd\] does not know the numbers momentum"),
        (UpdateSpec("sgd", {"ema_momentum": 0.9}), [], r"\[sgd\] has 1 slots. Received: slots=\(\)"),
        (UpdateSpec("sgd", {"clipnorm": 1.0, "clipvalue": 1.0}), [], r"\[sgd\] a gradient is clipped in one way only"),
        (UpdateSpec("sgd", {}, (), (2,)), [], r"\[sgd\] names parameters that do not exist: undecayed=\(2,\)"),
        (UpdateSpec("sgd", {}, ("v",)), [], r"\[sgd\] has 0 slots. Received: slots=\('v',\)"),
        (
            UpdateSpec("momentum", {"momentum": 0.9, "nesterov": 0}, ("v",)),
            [],
            r"\[momentum\] has 1 slots. Received: 0 arrays",
        ),
        (
            UpdateSpec("momentum", {"momentum": 0.9, "nesterov": 0}, ("v",)),
            [np.zeros(12, "float32")],
            r"`v` must have shape \(16,\). Received: \(12,\)",
        ),
    ],
)
def test_wrong_updates(spec, slots, text):
    with pytest.raises(ValueError, match=text):
        Executor(small_plan()).bind_update(spec, slots)


Y = np.zeros((6, 3), "float32")


@pytest.mark.parametrize(
    ("mode", "feeds", "options", "text"),
    [
        ("test", [X, T], {}, "the mode must be one of train, evaluate, predict. Received: mode='test'"),
        ("train", [X, T], {"batch_size": 0}, "batch_size=0"),
        ("train", [X], {}, "feeds must hold one array per input, 2. Received: 1"),
        ("train", [X, T[:5]], {}, r"feeds must have equal lengths. Received: \{'x': 6, 't': 5\}"),
        ("evaluate", [X, None], {}, "input `t` has no array"),
        ("train", [X[:0], T[:0]], {}, "feeds must have at least one row"),
        ("train", [X[:, :3], T], {}, r"`x` has shape \(6, 3\), the plan says \(-1, 4\)"),
        ("train", [X.astype(complex), T], {}, "`x` must be float16, float32, float64, an integer type or bool"),
        ("train", [X, T], {"outputs": [Y, Y]}, "mode 'train' fills 1 outputs. Received: 2 arrays"),
        ("predict", [X, None], {}, "mode 'predict' fills 1 outputs. Received: 0 arrays"),
        ("predict", [None, T], {"outputs": [Y]}, "input `x` has no array"),
        ("predict", [X, None], {"outputs": [Y[:5]]}, r"`y` must have shape \(6, 3\). Received: \(5, 3\)"),
        ("predict", [X, None], {"outputs": [Y.astype("float64")]}, "`y` must be float32. Received: float64"),
        ("predict", [X, None], {"outputs": [Y], "shuffle_seed": 1}, "`shuffle_seed` must be None"),
    ],
)
def test_wrong_begins(mode, feeds, options, text):
    with pytest.raises(ValueError, match=text):
        ready().begin(mode, feeds, **{"batch_size": 4, **options})


def test_what_comes_too_early():
    executor = Executor(small_plan())
    with pytest.raises(ValueError, match="call `begin` before `advance`"):
        executor.advance(1, 1.0)
    with pytest.raises(ValueError, match="call `bind_parameters` first"):
        executor.begin("train", [X, T], 4)
    with pytest.raises(ValueError, match="call `bind_parameters` first"):
        executor.inspect([X, T])
    executor.bind_parameters([W.copy()])
    with pytest.raises(ValueError, match="call `bind_update` before `begin`"):
        executor.begin("train", [X, T], 4)
    executor.begin("evaluate", [X, T], 4)


def test_wrong_learning_rates():
    executor = ready()
    executor.begin("train", [X, T], 2)
    with pytest.raises(ValueError, match="training needs `learning_rates`"):
        executor.advance(2, 1.0)
    with pytest.raises(ValueError, match="`learning_rates` must hold 1 or 3 numbers. Received: 2"):
        executor.advance(9, 1.0, np.array([0.1, 0.2]))
    assert executor.iteration == 0
    assert executor.advance(2, 1.0, np.array([0.1, 0.2])) == 2
