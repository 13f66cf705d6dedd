"""The rows that the contract tests run over: every op, and every registered class, with each option that matters."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from fastgd import layers
from fastgd.plan import Attribute, HostFunction, ParamSpec, Plan, Step, TensorSpec, Term

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class OpCase:
    """One op with its operands.

    Shapes are written for any batch, "t" stands for a tensor that holds targets, "p" for probabilities. An input of a
    shape without the batch is the value of a parameter, so that it has a gradient.
    """

    op: str
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    params: tuple[tuple[int, ...], ...] = ()
    attrs: dict[str, Attribute] = field(default_factory=dict)
    # One letter per input: x any, p probabilities, t targets in [0, 1], d distributions, i labels, + above 0,
    # u from -1 to 1.
    kinds: str = ""
    length: int = 1  # the longest sum
    differentiable: bool = True
    constants: int = 0  # how many of the last parameters are not trained; they are positive and ascend
    scale: float = 0.0  # of what cancels in the gradients: the least magnitude that rounding is measured by
    columns: int = 1  # of a metric
    joined: bool = False  # whether the loss follows all outputs, not only the first
    integer_outputs: bool = False

    @property
    def id(self) -> str:
        options = ",".join(f"{k}={v}" for k, v in self.attrs.items())
        return f"{self.op}{list(self.inputs)}{options}".replace(" ", "")


def op_plan(case: OpCase, dtype: str) -> Plan:
    """Return a plan that runs the op; its loss is the distance of the first output from a fed target.

    The outputs of a case that is `joined` are one row of it.
    """
    kinds = case.kinds or "x" * len(case.inputs)
    tensors = [TensorSpec(f"x{i}", shape, "int32" if kinds[i] == "i" else dtype) for i, shape in enumerate(case.inputs)]
    made = "int32" if case.integer_outputs else dtype
    tensors += [TensorSpec(f"y{i}", shape, made) for i, shape in enumerate(case.outputs)]
    trained = len(case.params) - case.constants
    own = tuple(ParamSpec(f"w{i}", shape, i < trained) for i, shape in enumerate(case.params))
    read = {i: ParamSpec(f"wx{i}", shape) for i, shape in enumerate(case.inputs) if not has_batch(shape)}
    params = (*own, *read.values())
    steps = [Step("parameter", (), (f"x{i}",), (spec.name,)) for i, spec in read.items()]
    steps.append(
        Step(
            case.op,
            tuple(f"x{i}" for i in range(len(case.inputs))),
            tuple(f"y{i}" for i in range(len(case.outputs))),
            tuple(p.name for p in own),
            case.attrs,
        )
    )
    inputs = [f"x{i}" for i in range(len(case.inputs)) if i not in read]
    if not inputs:
        # Something must say how large the batch is.
        tensors.append(TensorSpec("rows", (-1,), dtype))
        inputs.append("rows")
    losses: tuple[Term, ...] = ()
    metrics: tuple[Term, ...] = ()
    if not case.differentiable:
        # What is no value per sample, and no row of a metric's columns, is looked at without being followed.
        if case.columns > 1 or (not case.integer_outputs and case.outputs[0] == (-1,)):
            metrics = (Term("metric", "y0", columns=case.columns),)
    elif case.outputs[0] == (-1,):
        losses = (Term("loss", "y0", weight=1.5),)
    elif case.outputs[0] == (1,):
        losses = (Term("loss", "y0", weight=1.5, reduction="sum" if case.params else "sum_over_batch_size"),)
    else:
        # The squared distance to a fed target makes every element of dy different.
        shape = case.outputs[0]
        last = "y0"
        if case.joined:
            flat = [(-1, prod(output[1:])) for output in case.outputs]
            tensors += [TensorSpec(f"flat{i}", size, dtype) for i, size in enumerate(flat)]
            steps += [Step("flatten", (f"y{i}",), (f"flat{i}",)) for i in range(len(flat))]
            shape, last = (-1, sum(size for _, size in flat)), "row"
            tensors.append(TensorSpec(last, shape, dtype))
            steps.append(Step("concatenate", tuple(f"flat{i}" for i in range(len(flat))), (last,), (), {"axis": 1}))
        if not has_batch(shape):
            # Every sample takes part in a tensor without the batch.
            tensors += [TensorSpec("shares", (-1, *(1 for _ in shape)), dtype), TensorSpec("all", (-1, *shape), dtype)]
            steps.append(Step("binary", ("y0", "shares"), ("all",), (), {"function": "multiply"}))
            inputs.append("shares")
            shape, last = (-1, *shape), "all"
        if shape[0] != -1 or len(shape) == 1:
            # Losses need the batch itself as the first axis, and another one.
            shape = (-1, -shape[0] * prod(shape[1:]))
            steps.append(Step("reshape", (last,), ("back",), (), {"shape": shape}))
            tensors.append(TensorSpec("back", shape, dtype))
            last = "back"
        if 0 in shape:
            # A mean needs something to run over.
            tensors += [TensorSpec("rest", (-1, 2), dtype), TensorSpec("wide", (-1, 2), dtype)]
            tensors.append(TensorSpec("none", (-1, 0), dtype))
            steps.append(Step("reshape", (last,), ("none",), (), {"shape": (-1, 0)}))
            steps.append(Step("concatenate", ("none", "rest"), ("wide",), (), {"axis": 1}))
            inputs.append("rest")
            shape, last = (-1, 2), "wide"
        tensors += [TensorSpec("goal", shape, dtype), TensorSpec("v", (-1,), dtype)]
        steps.append(Step("mean_squared_error", (last, "goal"), ("v",)))
        inputs.append("goal")
        losses = (Term("loss", "v", weight=1.5),)
    return Plan(
        dtype, tuple(tensors), params, tuple(steps), tuple(inputs),
        tuple(f"y{i}" for i, shape in enumerate(case.outputs) if shape != (1,)), losses, metrics,
    )  # fmt: skip


def op_feeds(case: OpCase, plan: Plan, batch: int, seed: int) -> list[Array]:
    """Return random operands of the kinds that the op takes."""
    rng = np.random.default_rng(seed)
    kinds = {f"x{i}": kind for i, kind in enumerate(case.kinds)}
    classes = case.inputs[0][-1] if case.inputs and case.inputs[0] else 1
    feeds = []
    for name in plan.inputs:
        shape = tuple(d if d >= 0 else -d * batch for d in plan.tensor(name).shape)
        kind = kinds.get(name, "x")
        if kind == "i":
            feeds.append(rng.integers(0, max(classes, 1), shape).astype(np.int32))
        else:
            feeds.append(draw(rng, kind, shape).astype(plan.dtype))
    return feeds


def has_batch(shape: Sequence[int]) -> bool:
    """Return whether a size of the plan's shape is a multiple of the batch."""
    return any(d < 0 for d in shape)


def draw(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> Array:
    """Return random operands of a floating kind."""
    values: Array = np.asarray(rng.normal(size=shape))
    if kind in "pd" and len(shape) > 1 and shape[-1] > 0:
        values = np.exp(values)
        values /= values.sum(axis=-1, keepdims=True) if kind == "d" else 1.2 * values.max(initial=1.0)
    elif kind == "t":
        values = np.asarray(rng.integers(0, 2, shape)).astype(np.float64)
    elif kind in "+u":
        values = np.asarray(rng.uniform(0.3 if kind == "+" else -1.0, 2.0 if kind == "+" else 1.0, shape))
    return values


def op_params(case: OpCase, dtype: str, seed: int) -> list[Array]:
    """Return random parameters, scaled so that outputs are of order one, then the inputs without the batch."""
    rng = np.random.default_rng(seed + 1000)
    own = [np.asarray(rng.normal(size=s) / max((1, *s[:1])) ** 0.5) for s in case.params]
    first = len(own) - case.constants
    own[first:] = [np.sort(np.abs(value), axis=None).reshape(value.shape) + 0.2 for value in own[first:]]
    kinds = case.kinds or "x" * len(case.inputs)
    read = [draw(rng, k, s) for k, s in zip(kinds, case.inputs, strict=True) if not has_batch(s)]
    return [value.astype(dtype) for value in own + read]


# Every elementwise function with numbers; those of the first list are also taken along by products.
FUSED: Sequence[tuple[str, dict[str, float]]] = (
    ("linear", {}), ("sigmoid", {}), ("tanh", {}), ("relu", {}), ("leaky_relu", {"negative_slope": 0.2}),
    ("leaky_relu", {"negative_slope": 0.0}), ("relu6", {}), ("elu", {"alpha": 1.0}), ("elu", {"alpha": 0.3}),
    ("selu", {}), ("celu", {"alpha": 1.0}), ("celu", {"alpha": 0.4}), ("exponential", {}), ("softplus", {}),
    ("log_sigmoid", {}), ("softsign", {}), ("squareplus", {"b": 4.0}), ("squareplus", {"b": 0.0}), ("sparse_plus", {}),
    ("sparse_sigmoid", {}), ("hard_sigmoid", {}), ("hard_tanh", {}), ("soft_shrink", {"threshold": 0.5}),
    ("hard_shrink", {"threshold": 0.7}),
)  # fmt: skip
ELEMENTWISE: Sequence[tuple[str, dict[str, float]]] = (
    *FUSED,
    ("thresholded_relu", {"negative_slope": 0.2, "max_value": 0.9, "threshold": 0.4}),
    ("thresholded_relu", {"negative_slope": 0.0, "max_value": math.inf, "threshold": -0.5}),
    ("thresholded_relu", {"negative_slope": -0.3, "max_value": 1.5, "threshold": -0.5}),
    ("threshold", {"threshold": 0.3, "default_value": -2.0}),
    ("tanh_shrink", {}), ("silu", {}), ("hard_silu", {}), ("mish", {}), ("gelu", {}), ("gelu_tanh", {}),
)  # fmt: skip

ALONG_AN_AXIS = ("softmax", "log_softmax", "sparsemax")


def pointwise_cases(shape: tuple[int, ...]) -> Iterator[OpCase]:
    """Yield the losses that are a mean of one term per element, with every option."""
    focal: list[dict[str, Attribute]] = [
        {"apply_class_balancing": balanced, "alpha": 0.4, "gamma": gamma, "label_smoothing": smoothing}
        for balanced, gamma, smoothing in ((False, 2.0, 0.0), (True, 1.5, 0.2), (True, 0.0, 0.1), (False, 1.0, 0.0))
    ]
    for op, kinds, options in (
        ("mean_squared_error", "xx", [{}]),
        ("mean_absolute_error", "xx", [{}]),
        ("mean_absolute_percentage_error", "xx", [{}, {"epsilon": 0.3}]),
        ("mean_squared_logarithmic_error", "pp", [{}]),
        ("mean_squared_logarithmic_error", "xx", [{"epsilon": 0.3}]),
        ("huber", "xx", [{}, {"delta": 0.4}]),
        ("log_cosh", "xx", [{}]),
        ("poisson", "px", [{}, {"epsilon": 0.1}]),
        ("hinge", "xx", [{}]),
        ("squared_hinge", "xx", [{}]),
        ("binary_crossentropy", "pt", [{"label_smoothing": 0.2}, {"epsilon": 0.2}]),
        ("binary_focal_crossentropy", "pt", focal),
    ):
        for attrs in options:
            yield OpCase(op, (shape, shape), ((-1,),), attrs=dict(attrs), kinds=kinds, length=abs(prod(shape)))


def row_cases(shape: tuple[int, ...]) -> Iterator[OpCase]:
    """Yield the losses of one value per row, with every option."""
    for op, kinds, options in (
        ("categorical_crossentropy", "pd", [{}, {"label_smoothing": 0.2}, {"epsilon": 0.1}]),
        ("categorical_focal_crossentropy", "pd", [{}, {"alpha": 0.6, "gamma": 1.5, "label_smoothing": 0.2},
                                                  {"gamma": 0.0}, {"gamma": 1.0, "epsilon": 0.1}]),
        ("categorical_hinge", "xt", [{}]),
        ("cosine_similarity", "xx", [{}, {"sign": -1.0}, {"epsilon": 2.0}]),
        ("kl_divergence", "pd", [{}, {"epsilon": 0.2}]),
    ):  # fmt: skip
        # The cosine of single numbers has no slope that a relative error could be measured by.
        for attrs in options if op != "cosine_similarity" or shape[-1] > 1 else []:
            yield OpCase(op, (shape, shape), ((-1,),), attrs=dict(attrs), kinds=kinds, length=abs(prod(shape)))


def product_and_sums() -> HostFunction:
    """Return the function x, w -> tanh(x w), sum x^2 of the rows of x."""

    def forward(inputs: Sequence[Array], shapes: Sequence[tuple[int, ...]]) -> Sequence[Array]:
        x, w = inputs
        assert shapes == ((len(x), w.shape[1]), (len(x),))
        return np.tanh(x @ w), np.sum(x * x, axis=1)

    def backward(d_outputs: Sequence[Array], outputs: Sequence[Array], inputs: Sequence[Array]) -> Any:
        x, w = inputs
        dz = d_outputs[0] * (1 - outputs[0] ** 2)
        return dz @ w.T + 2 * d_outputs[1][:, None] * x, np.ascontiguousarray(x.T @ dz)

    return HostFunction("product", ((-1, 3), (-1,)), forward, backward)


def op_cases() -> Iterator[OpCase]:
    """Yield every case: odd sizes for the products, every option for the rest."""
    for name, numbers in FUSED:
        yield OpCase("dense", ((-1, 7),), ((-1, 5),), ((7, 5), (5,)), {"activation": name, **numbers}, length=7)
    yield OpCase("dense", ((-1, 7),), ((-1, 1),), ((7, 1), (1,)), {"activation": "selu"}, length=7)
    yield OpCase("dense", ((-1, 7),), ((-1, 70),), ((7, 70), (70,)), {"activation": "softplus"}, length=7)
    yield OpCase("dense", ((-1, 2, 3, 7),), ((-1, 2, 3, 5),), ((1, 1, 7, 5), (5,)), {"activation": "tanh"}, length=42)
    yield OpCase("dense", ((-1, 3, 6),), ((-1, 3, 10),), ((2, 3, 5, 2), (5, 2)), {"activation": "tanh"}, length=42)
    yield from sequence_cases()
    yield from convolution_cases()
    yield from depthwise_cases()
    for name, numbers in ELEMENTWISE:
        yield OpCase("activation", ((-1, 3, 21),), ((-1, 3, 21),), (), {"function": name, **numbers})
    for inside, units in ((1, 1), (7, 1), (1, 64), (63, 65), (64, 63), (65, 17), (300, 33), (0, 3)):
        yield OpCase("dense", ((-1, inside),), ((-1, units),), ((inside, units), (units,)), length=max(inside, 65))
    yield OpCase("dense", ((-1, 3, 9),), ((-1, 3, 11),), ((9, 11),), {"activation": "tanh"}, length=200)
    # Sums that are cut into four parts, into two, and into none, by the batch.
    yield OpCase("dense", ((-1, 1100),), ((-1, 35),), ((1100, 35), (35,)), {"activation": "tanh"}, length=1100)
    for cols in (1, 7, 10, 63, 64, 65, 130):
        for name in ALONG_AN_AXIS:
            yield OpCase("activation", ((-1, cols),), ((-1, cols),), (), {"function": name}, length=cols)
        yield OpCase("softmax_crossentropy", ((-1, cols),) * 2, ((-1,), (-1, cols)), kinds="xd", length=cols)
        yield OpCase("mean_squared_error", ((-1, cols),) * 2, ((-1,),), length=cols)
    for name in ALONG_AN_AXIS:
        for axis in (0, 1, 2, 3):
            shape, attrs = (-1, 5, 3, 7), {"function": name, "axis": axis}
            yield OpCase("activation", (shape,), (shape,), (), attrs, length=70)
    for name in ALONG_AN_AXIS:
        yield OpCase("activation", ((-1, 4, 67),), ((-1, 4, 67),), (), {"function": name, "axis": 1}, length=4)
    for slopes in ((5, 3, 7), (1, 1, 7), (5, 1, 1), (1, 3, 1), (1, 1, 1), (5, 1, 7)):
        yield OpCase("prelu", ((-1, 5, 3, 7),), ((-1, 5, 3, 7),), (slopes,), length=105)
    yield OpCase("numpy_function", ((-1, 5), (5, 3)), ((-1, 3), (-1,)), (), {"function": product_and_sums()})
    for ta in (False, True):
        for tb in (False, True):
            a, b = ((9, 5) if ta else (5, 9)), ((6, 9) if tb else (9, 6))
            attrs: dict[str, Attribute] = {"transpose_a": ta, "transpose_b": tb}
            yield OpCase("matmul", ((-1, 2, *a), (-1, 2, *b)), ((-1, 2, 5, 6),), attrs=attrs, length=9)
    for rate in (0.0, 0.3, 1.0):
        yield OpCase("dropout", ((-1, 5, 13),), ((-1, 5, 13),), attrs={"rate": rate, "seed": 2**63 + 12345})
    yield from noise_cases()
    yield from image_cases()
    yield from normalization_cases()
    yield from encoding_cases()
    yield OpCase("flatten", ((-1, 3, 5),), ((-1, 15),))
    yield OpCase("reshape", ((-1, 3, 5),), ((-3, 5),), attrs={"shape": (-3, 5)})
    for n in (1, 2, 4):
        yield OpCase("add", ((-1, 3, 7),) * n, ((-1, 3, 7),))
    yield OpCase("concatenate", ((-1, 3), (-1, 1), (-1, 70)), ((-1, 74),), attrs={"axis": 1})
    yield OpCase("concatenate", ((-1, 2, 4), (-1, 3, 4)), ((-1, 5, 4),), attrs={"axis": 1})
    yield OpCase("concatenate", ((-1, 3), (-1, 3)), ((-2, 3),), attrs={"axis": 0})
    yield from reduction_cases()
    yield from moving_cases()
    yield from pooling_cases()
    yield from elementwise_cases()
    for shape in ((-1, 3, 7), (-1,), (-1, 1), (-1, 70)):
        yield from pointwise_cases(shape)
    for shape in ((-1, 3, 7), (-1, 1), (-1, 4), (-1, 70)):
        yield from row_cases(shape)
    for shape in ((-1,), (-1, 5), (-1, 3, 70)):
        yield OpCase("signed_labels", (shape,), (shape,), kinds="t", differentiable=False)
        yield OpCase("signed_labels", (shape,), (shape,), differentiable=False)
    for shape in ((-1,), (-1, 3), (-1, 2, 5)):
        yield OpCase("label_share", (shape,), ((-1,),), attrs={"ignore_class": 0}, kinds="i", differentiable=False)
    for smoothing in (0.0, 0.1):
        s: dict[str, Attribute] = {"label_smoothing": smoothing}
        yield OpCase("binary_crossentropy", ((-1, 3, 7),) * 2, ((-1,),), attrs=s, kinds="pt", length=21)
        yield OpCase("sigmoid_crossentropy", ((-1, 3, 7),) * 2, ((-1,), (-1, 3, 7)), attrs=s, kinds="xt", length=21)
        yield OpCase("categorical_crossentropy", ((-1, 3, 7),) * 2, ((-1,),), attrs=s, kinds="pd", length=21)
        yield OpCase("softmax_crossentropy", ((-1, 3, 7),) * 2, ((-1,), (-1, 3, 7)), attrs=s, kinds="xd", length=21)
    for shape in ((-1, 7), (-1, 3, 7), (-1, 2, 3, 70)):
        yield OpCase("sparse_categorical_crossentropy", (shape, shape[:-1]), ((-1,),), kinds="pi", length=21)
        yield OpCase("sparse_softmax_crossentropy", (shape, shape[:-1]), ((-1,), shape), kinds="xi", length=21)
        ignore: dict[str, Attribute] = {"ignore_class": 2}
        yield OpCase("sparse_categorical_crossentropy", (shape, shape[:-1]), ((-1,),), (), ignore, "pi", length=21)
        yield OpCase("sparse_softmax_crossentropy", (shape, shape[:-1]), ((-1,), shape), (), ignore, "xi", length=21)
        yield OpCase("sparse_categorical_accuracy", (shape, shape[:-1]), ((-1,),), kinds="xi", differentiable=False)
        yield OpCase("categorical_accuracy", (shape, shape), ((-1,),), kinds="xd", differentiable=False)
    for l1, l2 in ((0.3, 0.0), (0.0, 0.7), (0.2, 0.4)):
        p: dict[str, Attribute] = {"l1": l1, "l2": l2}
        for shape in ((7,), (13, 11), (97, 131), (0, 3)):
            yield OpCase("penalty", (), ((1,),), (shape,), p, length=prod(shape))
        yield OpCase("penalty", ((-1, 3, 7),), ((-1,),), attrs=p, length=21)
        yield OpCase("penalty", ((-1, 67),), ((1,),), attrs={**p, "per_sample": False}, length=67 * 65)
    for mode in ("rows", "columns"):
        m: dict[str, Attribute] = {"factor": 0.7, "mode": mode}
        for shape in ((1, 1), (5, 7), (65, 17), (33, 70)):
            yield OpCase("orthogonality", (), ((1,),), (shape,), m, length=max(shape) ** 2)
    # Columns of a single row would have a gradient of nothing but rounding.
    yield OpCase("orthogonality", ((-1, 9),), ((1,),), attrs={"factor": 0.7, "mode": "rows"}, length=65 * 9)
    yield OpCase("accuracy", ((-1, 3, 7),) * 2, ((-1,),), kinds="tt", differentiable=False)
    for threshold in (0.5, 0.25):
        yield OpCase("binary_accuracy", ((-1, 3, 7),) * 2, ((-1,),), attrs={"threshold": threshold}, kinds="pt",
                     differentiable=False)  # fmt: skip
    yield from metric_op_cases()
    yield from recurrent_cases()


# What each recurrent op has besides: its gates, its states, and its own attributes.
RECURRENT: Sequence[tuple[str, int, int, dict[str, Attribute]]] = (
    ("simple_rnn", 1, 1, {}), ("lstm", 4, 2, {}), ("gru", 3, 1, {"reset_after": True}),
    ("gru", 3, 1, {"reset_after": False}),
)  # fmt: skip


def recurrent_cases() -> Iterator[OpCase]:
    """Yield the recurrent sequences with each of their options, then with other sizes."""
    options: Sequence[dict[str, Attribute]] = (
        {"return_sequences": True, "go_backwards": True, "activation": "softplus"},
        {"initial_state": True, "masked": True, "recurrent_activation": "hard_sigmoid", "use_bias": False},
        {"return_sequences": True, "masked": True, "go_backwards": True, "recurrent_dropout": True},
        {"return_sequences": True, "masked": True, "zero_output_for_mask": True, "initial_state": True,
         "recurrent_dropout": True, "activation": "linear", "recurrent_activation": "tanh"},
        {"masked": True, "zero_output_for_mask": True},
    )  # fmt: skip
    full: dict[str, Attribute] = {"return_sequences": True, "initial_state": True, "masked": True}
    for op, gates, states, own in RECURRENT:
        for attrs in options:
            yield _recurrent_case(op, gates, states, 3, 2, 2, {**own, **attrs})
        for t, i, u in ((1, 1, 1), (3, 65, 16), (2, 3, 66)):
            yield _recurrent_case(op, gates, states, t, i, u, {**own, **full})
        yield _recurrent_case(op, gates, states, 2, 9, 17, own)


def _recurrent_case(op: str, gates: int, states: int, t: int, i: int, u: int, attrs: dict[str, Attribute]) -> OpCase:
    inputs, kinds = [(-1, t, i)], "x"
    if op == "simple_rnn":
        attrs = {name: value for name, value in attrs.items() if name != "recurrent_activation"}
    for name, count, size, kind in (
        ("initial_state", states, u, "x"), ("recurrent_dropout", 1, u, "+"), ("masked", 1, t, "t"),
    ):  # fmt: skip
        if attrs.get(name):
            inputs += [(-1, size)] * count
            kinds += kind * count
    params: list[tuple[int, ...]] = [(i, gates * u), (u, gates * u)]
    if attrs.get("use_bias", True):
        params.append((2, gates * u) if attrs.get("reset_after") else (gates * u,))
    outputs = ((-1, t, u) if attrs.get("return_sequences") else (-1, u), *[(-1, u)] * states)
    # The products of every time step follow one another.
    length = t * t * gates * (i + u)
    return OpCase(op, tuple(inputs), outputs, tuple(params), attrs, kinds, length, scale=0.1, joined=True)


# Sizes, channels, window, filters, strides, dilations, zeros before and after, groups.
CONVOLUTIONS: Sequence[tuple[Any, ...]] = (
    ((9,), 3, (3,), 5, (1,), (1,), (0,), (0,), 1),
    ((10,), 4, (3,), 6, (2,), (1,), (1,), (1,), 2),
    ((12,), 2, (3,), 3, (1,), (2,), (4,), (0,), 1),  # causal
    ((7,), 5, (1,), 4, (1,), (1,), (0,), (0,), 1),
    ((65,), 1, (9,), 7, (3,), (1,), (4,), (2,), 1),
    ((5, 6), 3, (3, 2), 4, (1, 1), (1, 1), (1, 0), (1, 1), 1),
    ((8, 7), 1, (3, 3), 5, (2, 1), (1, 1), (0, 1), (1, 1), 1),
    ((7, 9), 3, (5, 5), 6, (1, 1), (1, 1), (2, 2), (2, 2), 1),
    ((14, 13), 8, (3, 3), 16, (1, 1), (1, 1), (1, 1), (1, 1), 1),
    ((6, 5), 17, (3, 3), 33, (1, 1), (1, 1), (1, 1), (1, 1), 1),
    ((7, 10), 16, (3, 3), 16, (1, 1), (1, 1), (1, 1), (1, 1), 1),  # in tiles from here on
    ((6, 5), 33, (3, 3), 19, (1, 1), (1, 1), (2, 0), (0, 2), 1),
    ((3, 41), 24, (3, 3), 40, (1, 1), (1, 1), (0, 0), (0, 0), 1),
    ((9, 8), 20, (3, 3), 18, (1, 1), (1, 1), (-1, 1), (1, -1), 1),  # and cropped
    ((4, 5), 64, (1, 1), 65, (1, 1), (1, 1), (0, 0), (0, 0), 1),
    ((5, 4), 7, (1, 1), 3, (2, 2), (1, 1), (0, 0), (0, 0), 1),
    ((9, 8), 4, (3, 3), 4, (1, 1), (1, 1), (1, 1), (1, 1), 4),
    ((9, 8), 6, (2, 3), 9, (2, 3), (2, 1), (1, 2), (0, 1), 3),
    ((7, 8), 2, (3, 3), 3, (1, 2), (1, 1), (-1, 1), (1, -2), 1),  # cropped at one end
    ((3, 3), 2, (3, 3), 4, (1, 1), (1, 1), (0, 0), (0, 0), 1),
    ((2, 3), 2, (4, 4), 3, (1, 1), (1, 1), (2, 1), (1, 2), 1),
    ((9, 10), 3, (2, 2), 4, (3, 3), (1, 1), (0, 0), (0, 0), 1),  # elements that no window sees
    ((9, 7), 2, (3, 2), 3, (1, 1), (2, 3), (2, 1), (2, 2), 1),
    ((4, 3, 5), 2, (2, 3, 2), 3, (1, 1, 2), (1, 1, 1), (0, 1, 1), (1, 1, 0), 1),
    ((4, 5, 3), 4, (2, 2, 2), 6, (2, 1, 1), (1, 2, 1), (1, 1, 0), (0, 1, 0), 2),
)


def convolution_cases() -> Iterator[OpCase]:
    """Yield convolutions along one to three axes, and the transposes of those without groups."""
    for row in CONVOLUTIONS:
        yield from _convolution_pair(*row)
    for row in CONVOLUTIONS[::4]:
        yield from _convolution_pair(*row, bias=False)
    for name, numbers in FUSED:
        yield from _convolution_pair(*CONVOLUTIONS[5], activation={"activation": name, **numbers})


def _convolution_pair(
    sizes: tuple[int, ...], channels: int, window: tuple[int, ...], filters: int, strides: tuple[int, ...],
    dilations: tuple[int, ...], before: tuple[int, ...], after: tuple[int, ...], groups: int,
    bias: bool = True, activation: dict[str, Attribute] | None = None,
) -> Iterator[OpCase]:  # fmt: skip
    each = zip(sizes, before, after, window, dilations, strides, strict=True)
    outputs = tuple((s + b + a - (k - 1) * d - 1) // step + 1 for s, b, a, k, d, step in each)
    attrs: dict[str, Attribute] = {
        "strides": strides, "dilations": dilations, "padding_before": before, "padding_after": after,
        **(activation or {}),
    }  # fmt: skip
    kernel = (*window, channels // groups, filters)
    length = max(prod(window) * max(channels, filters), prod(outputs), prod(sizes))
    x, y = (-1, *sizes, channels), (-1, *outputs, filters)
    params = (kernel, (filters,)) if bias else (kernel,)
    yield OpCase("convolution", (x,), (y,), params, {**attrs, "groups": groups}, length=length)
    if groups == 1:
        params = (kernel, (channels,)) if bias else (kernel,)
        yield OpCase("transposed_convolution", (y,), (x,), params, {**attrs, "sizes": sizes}, length=length)


# Sizes, channels, window, kernels per channel, strides, dilations, zeros before and after.
DEPTHWISE: Sequence[tuple[Any, ...]] = (
    ((9,), 3, (3,), 1, (1,), (1,), (1,), (1,)),
    ((21,), 17, (4,), 2, (2,), (3,), (5,), (3,)),
    ((300,), 40, (3,), 1, (1,), (1,), (2,), (0,)),  # several stretches
    ((290,), 33, (5,), 1, (3,), (2,), (4,), (4,)),
    ((64,), 130, (5,), 2, (2,), (1,), (1,), (2,)),
    ((5, 6), 1, (3, 3), 1, (1, 1), (1, 1), (1, 1), (1, 1)),
    ((7, 21), 35, (3, 3), 1, (1, 1), (1, 1), (1, 1), (1, 1)),
    ((9, 22), 16, (3, 3), 1, (2, 2), (1, 1), (0, 0), (1, 1)),
    ((10, 19), 65, (3, 3), 1, (2, 2), (1, 1), (1, 1), (1, 1)),
    ((8, 13), 5, (5, 5), 3, (1, 2), (1, 1), (2, 2), (2, 2)),
    ((6, 9), 9, (2, 3), 2, (2, 1), (1, 2), (1, 2), (0, 2)),
    ((12, 12), 4, (3, 2), 1, (4, 5), (1, 1), (0, 0), (0, 0)),  # elements that no window sees
    ((9, 8), 6, (3, 3), 1, (2, 2), (2, 2), (3, 2), (1, 2)),
    ((11, 9), 3, (3, 4), 2, (3, 2), (2, 3), (2, 5), (4, 4)),
    ((7, 8), 2, (3, 3), 1, (1, 2), (1, 1), (-1, 1), (1, -2)),  # cropped at one end
    ((3, 2), 20, (3, 3), 1, (1, 1), (1, 1), (2, 3), (3, 2)),  # windows that see nothing but zeros
)


def depthwise_cases() -> Iterator[OpCase]:
    """Yield depthwise convolutions of every kind, with and without a bias."""
    for row in DEPTHWISE:
        yield _depthwise_case(*row)
        yield _depthwise_case(*row, bias=False)
    for name, numbers in FUSED:
        for row in (DEPTHWISE[1], DEPTHWISE[7]):
            yield _depthwise_case(*row, activation={"activation": name, **numbers})


def _depthwise_case(
    sizes: tuple[int, ...], channels: int, window: tuple[int, ...], many: int, strides: tuple[int, ...],
    dilations: tuple[int, ...], before: tuple[int, ...], after: tuple[int, ...],
    bias: bool = True, activation: dict[str, Attribute] | None = None,
) -> OpCase:  # fmt: skip
    each = zip(sizes, before, after, window, dilations, strides, strict=True)
    outputs = tuple((s + b + a - (k - 1) * d - 1) // step + 1 for s, b, a, k, d, step in each)
    attrs: dict[str, Attribute] = {
        "strides": strides, "dilations": dilations, "padding_before": before, "padding_after": after,
        **(activation or {}),
    }  # fmt: skip
    kernel, units = (*window, channels, many), channels * many
    params = (kernel, (units,)) if bias else (kernel,)
    length = max(prod(window) * many, prod(outputs))
    return OpCase(
        "depthwise_convolution", ((-1, *sizes, channels),), ((-1, *outputs, units),), params, attrs, length=length
    )


def metric_op_cases() -> Iterator[OpCase]:
    """Yield the cases of the ops that only metrics are made of."""
    for shape in ((-1, 7), (-1, 2, 70)):
        for k in (1, 3, 80):
            top: dict[str, Attribute] = {"k": k}
            yield OpCase("sparse_top_k_categorical_accuracy", (shape, shape[:-1]), ((-1,),), attrs=top, kinds="xi",
                         differentiable=False)  # fmt: skip
            yield OpCase("top_k_categorical_accuracy", (shape,) * 2, ((-1,),), attrs=top, kinds="xd",
                         differentiable=False)  # fmt: skip
        for concordance in (False, True):
            yield OpCase("correlation", (shape,) * 2, ((-1,),), attrs={"concordance": concordance}, length=shape[-1],
                         differentiable=False)  # fmt: skip
        yield OpCase("squared_moments", (shape,) * 2, ((-1, 4 * prod(shape[1:])),), differentiable=False,
                     columns=4 * prod(shape[1:]))  # fmt: skip
    limits = (-1.0, 0.25, 0.5, 0.9)
    for by_label, class_id, top_k in ((False, -1, 0), (True, -1, 0), (False, 3, 0), (False, -1, 2), (False, 3, 2)):
        for shape in ((-1, 7), (-1, 2, 5)):
            attrs: dict[str, Attribute] = {
                "thresholds": limits, "by_label": by_label, "class_id": class_id, "top_k": top_k,
            }  # fmt: skip
            width = prod(shape[1:]) if class_id < 0 else prod(shape[1:-1])
            yield OpCase("threshold_buckets", (shape,) * 2, ((-1, width),), attrs=attrs, kinds="pt",
                         differentiable=False, columns=10 * (shape[-1] if by_label else 1),
                         integer_outputs=True)  # fmt: skip
    plain: dict[str, Attribute] = {"thresholds": limits, "by_label": False, "class_id": -1, "top_k": 0}
    yield OpCase("threshold_buckets", ((-1,),) * 2, ((-1, 1),), attrs=plain, kinds="xt", differentiable=False,
                 columns=10, integer_outputs=True)  # fmt: skip
    for p_form, t_form, shapes, kinds in (
        ("label", "label", ((-1, 3, 2), (-1, 3, 2)), "xt"),
        ("threshold", "label", ((-1, 6), (-1, 6)), "pt"),
        ("one_hot", "label", ((-1, 6, 3), (-1, 6)), "xi"),
        ("one_hot", "one_hot", ((-1, 6, 3), (-1, 6, 3)), "xd"),
        ("label", "one_hot", ((-1, 6), (-1, 6, 3)), "xd"),
    ):
        for ignored in (-1, 1):
            attrs = {"classes": 3, "ignore_class": ignored, "p_form": p_form, "t_form": t_form, "threshold": 0.4}
            yield OpCase("class_pairs", shapes, ((-1, 6),), attrs=attrs, kinds=kinds, differentiable=False, columns=9,
                         integer_outputs=True)  # fmt: skip
    for chosen in ({}, {"threshold": 0.3}):
        yield OpCase("label_matches", ((-1, 7), (-1, 7)), ((-1, 21),), attrs=dict(chosen), kinds="pt",
                     differentiable=False, columns=21)  # fmt: skip


STATISTICS = ("sum", "mean", "prod", "max", "min", "logsumexp", "var", "std")


def reduction_cases() -> Iterator[OpCase]:
    """Yield reductions over rows, columns, several axes and the batch, of odd sizes, and of what runs along an axis."""
    for function in STATISTICS:
        for shape, axes in (
            ((-1, 65), (1,)), ((-1, 7, 9), (1,)), ((-1, 3, 5), (0,)), ((-1, 3, 5), (0, 2)), ((-1, 3, 2, 5), (1, 3)),
            ((-1, 7), (0, 1)), ((-1, 1, 63), (1,)), ((-1, 4), ()), ((-1, 5, 1, 3), (0, 1, 2, 3)),
        ):  # fmt: skip
            for keepdims in (False, True) if len(shape) == 3 else (False,):
                kept = tuple(1 if k in axes else d for k, d in enumerate(shape) if keepdims or k not in axes)
                attrs: dict[str, Attribute] = {"function": function, "axes": axes, "keepdims": keepdims}
                # Variances lose what the mean and the squares are rounded to.
                length = 65 * prod(abs(shape[k]) for k in axes)
                yield OpCase("reduce", (shape,), (kept,), attrs=attrs, length=length)
    for function in ("sum", "prod", "logsumexp"):
        if function != "logsumexp":
            yield OpCase("reduce", ((-1, 3, 0),), ((-1, 3),), attrs={"function": function, "axes": (2,)})
        # More than one thread's work, in rows and in columns.
        yield OpCase("reduce", ((-1, 5000),), ((-1,),), attrs={"function": function, "axes": (1,)}, length=5000)
        yield OpCase("reduce", ((-1, 71, 3),), ((3,),), attrs={"function": function, "axes": (0, 1)}, length=5000)
    yield OpCase("reduce", ((-1, 7, 0),), ((-1, 0),), attrs={"function": "max", "axes": (1,)})
    for axis, shape in ((0, (3, 7)), (1, (-1, 7)), (2, (-1, 3))):
        for name in ("max", "min"):
            yield OpCase("arg_reduce", ((-1, 3, 7),), (shape,), attrs={"function": name, "axis": axis},
                         differentiable=False, integer_outputs=True)  # fmt: skip
        yield OpCase("cumsum", ((-1, 3, 7),), ((-1, 3, 7),), attrs={"axis": axis}, length=65)


def moving_cases() -> Iterator[OpCase]:
    """Yield the ops that move elements: the batch moved too, every inner run a copy knows, empty and odd sizes."""
    for axes in ((0, 2, 1, 3), (0, 1, 3, 2), (3, 2, 1, 0), (1, 0, 2, 3), (0, 1, 2, 3), (2, 3, 0, 1)):
        for x in ((-1, 3, 65, 2), (-1, 7, 1, 63), (-1, 2, 0, 3)):
            yield OpCase("transpose", (x,), (tuple(x[k] for k in axes),), attrs={"axes": axes})
    for x, y in (
        ((-1, 1, 7), (-1, 5, 7)), ((-1, 7, 1), (-1, 7, 65)), ((-1, 3), (4, -1, 3)), ((-1, 1, 3, 1), (-1, 2, 3, 5)),
        ((-1, 1), (-1, 0)),
    ):  # fmt: skip
        yield OpCase("broadcast_to", (x,), (y,), attrs={"shape": y}, length=65)
    for begin, step, y in (
        ((0, 1, 2), (1, 1, 1), (-1, 4, 61)), ((0, 0, 0), (1, 2, 3), (-1, 3, 21)),
        ((0, -1, -1), (1, -1, -2), (-1, 5, 32)), ((-1, 0, 0), (-1, 1, 1), (-1, 5, 63)),
        ((-1, 2, 0), (1, 1, 1), (1, 1, 63)), ((0, 0, 0), (1, 1, 1), (-1, 0, 63)),
    ):  # fmt: skip
        yield OpCase("slice", ((-1, 5, 63),), (y,), attrs={"begin": begin, "step": step, "shape": y})
    yield OpCase("pad", ((-1, 3, 7),), ((-1, 6, 8),), attrs={"before": (0, 1, 0), "after": (0, 2, 1), "value": -1.5})
    yield OpCase("pad", ((-1, 0),), ((-1, 2),), attrs={"before": (0, 2), "after": (0, 0), "value": 0.5})
    for picks in ((2, 0, 2, -1), ()):
        attrs: dict[str, Attribute] = {"axis": 1, "indices": picks}
        yield OpCase("gather", ((-1, 3, 65),), ((-1, len(picks), 65),), attrs=attrs, length=4)
    yield OpCase("gather", ((-1, 5, 7),), ((-1, 5, 3),), attrs={"axis": 2, "indices": (6, -7, 6)}, length=4)
    yield OpCase(
        "gather", ((-1, 3, 7), (-1, 3, 9)), ((-1, 3, 9),), attrs={"axis": 2, "along": True}, kinds="xi", length=9
    )
    yield OpCase(
        "gather", ((-1, 7, 3), (-1, 9, 3)), ((-1, 9, 3),), attrs={"axis": 1, "along": True}, kinds="xi", length=9
    )
    yield OpCase("one_hot", ((-1, 7),), ((-1, 7, 5),), attrs={"classes": 5}, kinds="i", differentiable=False)
    # Integers are moved by the same code.
    integers: dict[str, Any] = {"kinds": "i", "differentiable": False, "integer_outputs": True}
    yield OpCase("transpose", ((-1, 3, 65),), ((-1, 65, 3),), attrs={"axes": (0, 2, 1)}, **integers)
    yield OpCase(
        "slice", ((-1, 65),), ((-1, 33),), attrs={"begin": (0, -1), "step": (1, -2), "shape": (-1, 33)}, **integers
    )
    yield OpCase("pad", ((-1, 7),), ((-1, 9),), attrs={"before": (0, 1), "after": (0, 1), "value": -3.0}, **integers)
    yield OpCase("broadcast_to", ((-1, 1, 9),), ((-1, 3, 9),), attrs={"shape": (-1, 3, 9)}, **integers)
    yield OpCase("gather", ((-1, 9),), ((-1, 3),), attrs={"axis": 1, "indices": (8, 0, -2)}, **integers)
    yield OpCase("concatenate", ((-1, 3), (-1, 4)), ((-1, 7),), attrs={"axis": 1}, kinds="ii", differentiable=False,
                 integer_outputs=True)  # fmt: skip


# Sizes and channels of an input, window, strides, and padding before and after: windows side by side with and without a
# rest, overlapping, with gaps, cut off at the ends, of more terms than a byte counts; few, odd and no channels.
WINDOWS: Sequence[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = (
    ((9, 3), (2,), (2,), (0,), (0,)),
    ((65, 1), (3,), (1,), (1,), (1,)),
    ((7, 5), (2,), (3,), (0,), (0,)),
    ((9, 5), (3,), (3,), (1,), (0,)),
    ((6, 8, 17), (2, 2), (2, 2), (0, 0), (0, 0)),
    ((7, 5, 6), (2, 2), (2, 2), (0, 0), (0, 0)),
    ((5, 6, 33), (3, 2), (2, 1), (1, 0), (1, 1)),
    ((5, 5, 1), (2, 2), (2, 2), (0, 0), (1, 1)),
    ((7, 4, 16), (3, 3), (3, 3), (1, 1), (1, 1)),
    ((5, 4, 2), (3, 3), (4, 4), (0, 0), (0, 0)),
    ((17, 18, 2), (17, 17), (1, 1), (0, 0), (0, 0)),
    ((35, 17, 3), (17, 17), (17, 17), (0, 0), (0, 0)),
    ((5, 5, 7, 3), (2, 2, 2), (2, 2, 2), (0, 0, 0), (0, 0, 0)),
    ((3, 3, 4, 5), (2, 3, 2), (1, 2, 2), (1, 1, 0), (0, 1, 1)),
    ((4, 4, 0), (2, 2), (2, 2), (0, 0), (0, 0)),
)


def pooling_cases() -> Iterator[OpCase]:
    """Yield the ops that look through windows, and those that make axes longer."""
    for (*spatial, channels), window, strides, before, after in WINDOWS:
        each = zip(spatial, window, strides, before, after, strict=True)
        y = (-1, *((s + b + a - k) // step + 1 for s, k, step, b, a in each), channels)
        attrs: dict[str, Attribute] = {
            "window": window, "strides": strides, "padding_before": before, "padding_after": after,
        }  # fmt: skip
        for op in ("max_pool", "average_pool"):
            yield OpCase(op, ((-1, *spatial, channels),), (y,), attrs=attrs, length=prod(window))
    for (*spatial, channels), factors in (
        ((5, 3), (3,)), ((3, 4, 6), (2, 3)), ((1, 4, 33), (3, 2)), ((2, 3, 2, 7), (2, 1, 2)), ((4, 0, 3), (2, 2)),
    ):  # fmt: skip
        for interpolation in ("nearest", "bilinear"):
            longer = (d * factor for d, factor in zip(spatial, factors, strict=True))
            attrs = {"factors": factors, "interpolation": interpolation}
            yield OpCase("upsample", ((-1, *spatial, channels),), ((-1, *longer, channels),), attrs=attrs, length=64)


POSITIVE = ("log", "log10", "log1p", "log2", "reciprocal", "rsqrt", "sqrt")
UNARY = ("absolute", "arctan", "ceil", "cos", "cosh", "erf", "exp", "expm1", "floor", "isfinite", "isinf", "isnan",
         "logical_not", "negative", "round", "sign", "sin", "sinh", "square", "stop_gradient", "tan",
         *POSITIVE)  # fmt: skip
BINARY = ("add", "arctan2", "divide", "equal", "floor_divide", "greater", "greater_equal", "less", "less_equal",
          "logical_and", "logical_or", "logical_xor", "maximum", "minimum", "mod", "multiply", "not_equal", "power",
          "subtract")  # fmt: skip

# Two operands and their common shape: equal, scalar, row, column, and what no fast case covers.
BROADCASTS: Sequence[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = (
    ((-1, 3, 7), (-1, 3, 7), (-1, 3, 7)),
    ((-1, 3, 7), (7,), (-1, 3, 7)),
    ((), (-1, 3, 7), (-1, 3, 7)),
    ((-1, 65), (-1, 1), (-1, 65)),
    ((-1, 1, 7), (3, 1), (-1, 3, 7)),
    ((-1, 3, 1, 5), (-1, 1, 4, 1), (-1, 3, 4, 5)),
    ((3, 7), (-1, 1, 1), (-1, 3, 7)),
    ((-1, 2, 3, 4, 5), (3, 1, 5), (-1, 2, 3, 4, 5)),
    ((1, 2, 1, 4, 1), (-1, 1, 3, 1, 5), (-1, 2, 3, 4, 5)),
    ((-1, 0, 3), (3,), (-1, 0, 3)),
    ((-1, 0), (1,), (-1, 0)),
    ((-1,), (1,), (-1,)),
    ((), (), ()),
    ((1, 5), (3, 1), (3, 5)),
)


def elementwise_cases() -> Iterator[OpCase]:
    """Yield every function of the elementwise ops, and every way in which shapes are broadcast."""
    for name in UNARY:
        f: dict[str, Attribute] = {"function": name}
        kinds = "+" if name in POSITIVE else "u" if name == "tan" else "x"
        yield OpCase("unary", ((-1, 3, 7),), ((-1, 3, 7),), attrs=f, kinds=kinds)
    yield OpCase("unary", ((),), ((),), attrs={"function": "exp"})
    for a, b, y in BROADCASTS:
        for name in ("subtract", "multiply"):
            yield OpCase("binary", (a, b), (y,), attrs={"function": name}, length=70)
        yield OpCase("where", (b, a, b), (y,), kinds="txx", length=70)
    for name in BINARY:
        for kinds in ("++", "tt") if name not in ("arctan2", "divide", "floor_divide", "mod") else ("x+",):
            yield OpCase("binary", ((-1, 3, 7),) * 2, ((-1, 3, 7),), attrs={"function": name}, kinds=kinds)
        yield OpCase("binary", ((-1, 3, 7), (3, 1)), ((-1, 3, 7),), attrs={"function": name}, kinds="++", length=7)
    yield OpCase("where", ((-1, 1), (3,), ()), ((-1, 3),), kinds="txx", length=3)
    yield OpCase("where", ((3,), (-1, 1), (-1, 3)), ((-1, 3),), kinds="txx", length=3)
    for shape in ((-1, 3), (3, 1), ()):
        yield OpCase("constant", (), (shape,), attrs={"value": -1.5, "shape": shape})
    for size in ((3, 70), (1,), ()):
        yield OpCase("parameter", (), (size,), (size,))
    yield OpCase("cast", ((-1, 3, 7),), ((-1, 3, 7),), kinds="i")


def noise_cases() -> Iterator[OpCase]:
    """Yield the random ops, with masks of every shape."""
    seed = 2**63 + 54321
    yield OpCase("alpha_dropout", ((-1, 5),), ((-1, 5),), attrs={"rate": 0.5, "seed": seed, "noise_shape": (-1, 1)})
    yield OpCase("gaussian_noise", ((-1, 5),), ((-1, 5),), attrs={"stddev": 0.5, "seed": seed, "multiply": True})
    yield OpCase("gaussian_noise", ((-1, 5),), ((-1, 5),), attrs={"stddev": 0.5, "seed": seed})
    shape = (-1, 5, 3, 13)
    for rate in (0.0, 0.3):
        yield OpCase("alpha_dropout", (shape,), (shape,), attrs={"rate": rate, "seed": seed})
    for noise in ((-1, 1, 1, 13), (-1, 5, 3, 1), (1, 5, 1, 13), (-1, 1, 3, 1), (1, 1, 1, 1)):
        for op in ("dropout", "alpha_dropout"):
            yield OpCase(op, (shape,), (shape,), attrs={"rate": 0.4, "seed": seed, "noise_shape": noise})
    for multiply in (False, True):
        attrs: dict[str, Attribute] = {"stddev": 0.7, "seed": seed, "multiply": multiply}
        yield OpCase("gaussian_noise", (shape,), (shape,), attrs=attrs)


def sequence_cases() -> Iterator[OpCase]:
    """Yield `embedding` and `attention`: shared heads, masks of every kind, several blocks of scores, dropout."""
    # The indices are below the size of their last axis: some rows of the table are unused, or none is.
    for shape, rows, width in (
        ((-1, 5), 7, 3),
        ((-1, 2, 6), 6, 65),
        ((-1, 3), 1100, 2),
        ((-1, 150), 160, 9),
        ((-1, 1), 1, 1),
    ):
        yield OpCase("embedding", (shape,), ((*shape, width),), ((rows, width),), kinds="i", length=130)
        for pool in ("sum", "mean") if len(shape) > 1 else ():
            pooled = (*shape[:-1], width)
            yield OpCase("embedding", (shape,), (pooled,), ((rows, width),), {"pool": pool}, kinds="i", length=400)
    seed = 2**63 + 777
    # Heads of queries, heads of keys, queries, keys, sizes of keys and of values.
    sizes = ((1, 1, 3, 5, 4, 2), (4, 2, 5, 3, 3, 5), (2, 2, 4, 4, 1, 1), (2, 1, 1, 1, 9, 17))
    for k, (heads, groups, tq, tk, d, e) in enumerate(sizes):
        operands = ((-1, tq, heads * d), (-1, tk, groups * d), (-1, tk, groups * e))
        outputs = ((-1, tq, heads * e), (-1, heads, tq, tk))
        base: dict[str, Attribute] = {"heads": heads, "key_value_heads": groups, "scale": 0.7}
        masks = ((-1, 1, 1, tk), (-1, heads, tq, tk), (1, 1, tq, tk), (-1, 1, tq, 1))
        for causal in (False, True):
            attrs = {**base, "causal": causal}
            yield OpCase("attention", operands, outputs, (), attrs, length=65, scale=1e-3)
            yield OpCase(
                "attention", operands, outputs, (), {**attrs, "rate": 0.3, "seed": seed}, length=65, scale=1e-3
            )
            for mask in (masks[k], masks[k - 3 + causal]):
                yield OpCase("attention", (*operands, mask), outputs, (), attrs, "xxxt", length=65, scale=1e-3)
    for causal in (False, True):
        attrs = {"heads": 2, "scale": 0.3, "causal": causal, "rate": 0.2, "seed": seed}
        operands = ((-1, 70, 14), (-1, 300, 14), (-1, 300, 6))
        yield OpCase("attention", operands, ((-1, 70, 6), (-1, 2, 70, 300)), (), attrs, length=300, scale=1e-3)


def image_cases() -> Iterator[OpCase]:
    """Yield the ops that sample images: every way to continue them, places within and beyond, one tile and several."""
    seed, small, large, wide = 2**64 - 54321, (-1, 3, 4, 2), (-1, 5, 7, 4), (-1, 2, 131, 1)
    for horizontal, vertical in ((True, True), (True, False), (False, True), (False, False)):
        attrs: dict[str, Attribute] = {"seed": seed, "horizontal": horizontal, "vertical": vertical}
        for shape in (small, wide) if horizontal else (small,):
            yield OpCase("random_flip", (shape,), (shape,), attrs=attrs)
    moves: tuple[dict[str, Attribute], ...] = (
        {"shift": (-0.9, 1.0, -1.0, 0.8)},
        {"zoom": (0.3, 1.9, 0.3, 1.9)},
        {"zoom": (0.3, 1.9, 1.0, 1.0), "same_zoom": True},
        {"rotation": (-0.4, 0.5)},
        {"shift": (-2.5, 2.0, -0.1, 0.3), "zoom": (0.5, 1.5, 0.2, 2.5), "rotation": (-1.0, 1.0)},
    )
    for fill in ("constant", "nearest", "reflect", "wrap"):
        how: dict[str, Attribute] = {"seed": seed, "fill_mode": fill, "fill_value": 0.7}
        for move in moves:
            yield OpCase("random_affine", (large,), (large,), attrs={**how, **move}, length=16)
        for interpolation in ("bilinear", "nearest"):
            attrs = {**how, **moves[-1], "interpolation": interpolation}
            yield OpCase("random_affine", (small,), (small,), attrs=attrs, length=16)
    for move in (moves[0], moves[-1]):
        yield OpCase("random_affine", (wide,), (wide,), attrs={"seed": seed, **move}, length=16)
    for height, width in ((2, 3), (3, 4), (1, 4), (6, 2), (2, 6)):
        attrs = {"seed": seed, "height": height, "width": width}
        yield OpCase("random_crop", (small,), ((-1, height, width, 2),), attrs=attrs, length=16)
    # The normal numbers of the tests reach both bounds, and lie off them.
    tones: tuple[dict[str, Attribute], ...] = (
        {"brightness": (-0.5, 0.7)}, {"contrast": (0.2, 1.8)}, {"brightness": (-0.5, 0.7), "contrast": (0.2, 1.8)},
    )  # fmt: skip
    for shape in (small, large, wide):
        for tone in tones:
            attrs = {"seed": seed, "value_range": (-1.0, 1.2), **tone}
            yield OpCase("random_tone", (shape,), (shape,), attrs=attrs, length=262)
    for height, width in ((3, 4), (4, 3)):
        attrs = {"seed": seed, "height": height, "width": width}
        yield OpCase("random_crop", (large,), ((-1, height, width, 4),), attrs=attrs, length=16)


def normalization_cases() -> Iterator[OpCase]:
    """Yield the normalising ops: channels last and elsewhere, odd sizes, with and without parameters."""
    for shape, axis in (((5, 7), 2), ((3, 5), 1), ((4, 3, 6), 2), ((70,), 1), ((300, 3), 2), ((2, 2100), 1)):
        channels = shape[axis - 1]
        for scale, center in ((True, True), (False, True), (True, False), (False, False)):
            own = ((channels,),) * (scale + center)
            options: dict[str, Attribute] = {"axis": axis, "scale": scale, "center": center, "epsilon": 0.01}
            sizes = {"length": 65 * prod(shape), "scale": 1e-3}
            for frozen in (False, True):
                attrs = {**options, "momentum": 0.7, "frozen": frozen}
                params = (*own, (channels,), (channels,))
                yield OpCase(
                    "batch_normalization", ((-1, *shape),), ((-1, *shape),), params, attrs, constants=2, **sizes
                )
            for groups in {1, channels}:
                yield OpCase("group_normalization", ((-1, *shape),), ((-1, *shape),), own,
                             {**options, "groups": groups}, **sizes)  # fmt: skip
    yield OpCase("group_normalization", ((-1, 7, 12),), ((-1, 7, 12),), ((12,), (12,)), {"axis": 2, "groups": 4},
                 length=21, scale=1e-3)  # fmt: skip
    for shape, axis, axes in (((7,), 1, 1), ((3, 65), 2, 1), ((3, 5), 1, 2), ((6, 5), 1, 1), ((4, 3, 5), 2, 1)):
        own = shape[axis - 1 : axis - 1 + axes]
        place: dict[str, Attribute] = {"axis": axis, "axes": axes}
        sizes = {"length": 65 * prod(shape), "scale": 1e-3}
        for scale, center in ((True, True), (False, True), (True, False), (False, False)):
            yield OpCase("layer_normalization", ((-1, *shape),), ((-1, *shape),), (own,) * (scale + center),
                         {**place, "scale": scale, "center": center, "epsilon": 0.01}, **sizes)  # fmt: skip
        yield OpCase("rms_normalization", ((-1, *shape),), ((-1, *shape),), (own,), place, **sizes)
        yield OpCase("rms_normalization", ((-1, *shape),), ((-1, *shape),), (), {**place, "scale": False}, **sizes)
        yield OpCase("unit_normalization", ((-1, *shape),), ((-1, *shape),), (), place, **sizes)
    yield OpCase("unit_normalization", ((-1, 5),), ((-1, 5),), (), {"axis": 1, "axes": 1, "epsilon": 2.0}, length=5)


def encoding_cases() -> Iterator[OpCase]:
    """Yield the ops that prepare data."""
    for own, axis in (((1,), None), ((7,), 3), ((3, 7), 2), ((5,), 1), ((5, 3), 1)):
        attrs: dict[str, Attribute] = {} if axis is None else {"axis": axis}
        both: dict[str, Any] = {
            "inputs": ((-1, 5, 3, 7),),
            "outputs": ((-1, 5, 3, 7),),
            "params": (own, own),
            "constants": 2,
        }
        yield OpCase("rescale", attrs=attrs, **both)
        for invert in (False, True):
            yield OpCase("standardize", attrs={**attrs, "invert": invert}, **both)
    for count in (0, 1, 2, 9):
        yield OpCase("discretize", ((-1, 3, 7),), ((-1, 3, 7),), ((count,),), differentiable=False, constants=1,
                     integer_outputs=True)  # fmt: skip
    for labels in (1, 4):
        for counts in (False, True):
            # The labels are below the size of their last axis: some classes stay empty, and some labels repeat.
            yield OpCase("category_encoding", ((-1, 2, labels),), ((-1, 2, 6),), kinds="i", differentiable=False,
                         attrs={"num_tokens": 6, "count": counts})  # fmt: skip
            yield OpCase("category_encoding", ((-1, labels),), ((-1, 2),), kinds="i", differentiable=False,
                         attrs={"num_tokens": 2, "count": counts})  # fmt: skip


@dataclass(frozen=True)
class ClassCase:
    """A registered class by its name, and the keyword arguments to make one."""

    cls: str
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.cls}({','.join(f'{k}={v}' for k, v in self.config.items())})".replace(" ", "")


@dataclass(frozen=True)
class LayerCase(ClassCase):
    """A layer with the shapes of one sample of its inputs and its output."""

    inputs: tuple[tuple[int, ...], ...] = ()
    output: tuple[int, ...] = ()
    length: int = 1  # the longest sum over one sample
    seed: int = 0  # another draw where one lies too near a kink for finite differences
    differentiable: bool = True  # whether a gradient flows to the inputs
    integers: int = 0  # not 0: the inputs are integers below this


@dataclass(frozen=True)
class OptimizerCase(ClassCase):
    """An optimizer with the slots that it must have."""

    slots: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScoreCase(ClassCase):
    """A loss or metric: what predictions and targets are, as in OpCase, and the shape of one sample's predictions."""

    kinds: str = "xx"
    shape: tuple[int, ...] = (5,)
    whole: bool = False  # whether the value of a sample hangs on the others of its batch


@dataclass(frozen=True)
class InitializerCase(ClassCase):
    """An initializer with mean, deviation and bounds of its values for the shape (200, 300)."""

    mean: float = 0.0
    stddev: float = 0.0
    low: float = -math.inf
    high: float = math.inf
    ranks: tuple[int, ...] = (0, 1, 2, 3, 4)  # how many axes it can fill


@dataclass(frozen=True)
class ScheduleCase(ClassCase):
    """A schedule with its rate at some steps, worked out by hand."""

    rates: dict[int, float] = field(default_factory=dict)


INITIALIZER_SHAPE = (200, 300)

FUNCTIONS = (
    "linear", "sigmoid", "tanh", "relu", "leaky_relu", "softmax", "celu", "elu", "exponential", "gelu", "hard_shrink",
    "hard_sigmoid", "hard_silu", "hard_tanh", "log_sigmoid", "log_softmax", "mish", "relu6", "selu", "silu",
    "soft_shrink", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus",
    "tanh_shrink",
)  # fmt: skip


def augmentation_cases() -> Iterator[LayerCase]:
    """Yield the layers that change images, in both orders of axes."""
    image, first = ((4, 5, 2),), ((2, 4, 5),)
    for mode in ("horizontal", "vertical", "horizontal_and_vertical"):
        yield LayerCase("RandomFlip", {"mode": mode, "seed": 3}, image, image[0])
    ranges = {"height_factor": (-0.5, 0.2), "width_factor": 0.4}
    for fill in ("constant", "nearest", "reflect", "wrap"):
        how = {"fill_mode": fill, "fill_value": 0.5, "seed": 8}
        yield LayerCase("RandomTranslation", {**ranges, **how}, image, image[0], length=8)
    yield LayerCase("RandomTranslation", {**ranges, "interpolation": "nearest", "seed": 8}, image, image[0], length=8)
    yield LayerCase("RandomRotation", {"factor": (0.1, 0.3), "seed": 8}, image, image[0], length=8)
    yield LayerCase("RandomRotation", {"factor": 0.2, "seed": 9, "fill_mode": "constant"}, image, image[0], length=8)
    yield LayerCase("RandomZoom", {**ranges, "seed": 8}, image, image[0], length=8)
    yield LayerCase("RandomZoom", {"height_factor": 0.4, "width_factor": None, "seed": 8}, image, image[0], length=8)
    yield LayerCase("RandomCrop", {"height": 3, "width": 2, "seed": 4}, image, (3, 2, 2))
    yield LayerCase("RandomCrop", {"height": 6, "width": 3, "seed": 4}, image, (6, 3, 2), length=8)
    for cls in ("RandomBrightness", "RandomContrast"):
        for factor in (0.3, (0.1, 0.5)):
            tone = {"factor": factor, "value_range": (-1.2, 1.1), "seed": 6}
            yield LayerCase(cls, tone, image, image[0], length=40, seed=2)
    for cls, config, output in (
        ("RandomFlip", {"mode": "horizontal"}, (2, 4, 5)),
        ("RandomContrast", {"factor": 0.4, "value_range": (-1.2, 1.1)}, (2, 4, 5)),
        ("RandomTranslation", ranges, (2, 4, 5)),
        ("RandomCrop", {"height": 2, "width": 4}, (2, 2, 4)),
    ):
        config = {**config, "seed": 5, "data_format": "channels_first"}
        yield LayerCase(cls, config, first, output, length=8)


def layer_cases() -> Iterator[LayerCase]:
    """Yield at least one row for every layer."""
    yield LayerCase("InputLayer", {"shape": (2, 3)}, (), (2, 3))
    # These work on strings before a model; tests/text_cases.py has more rows for them.
    yield LayerCase("StringLookup", {"vocabulary": ["b", "a"], "mask_token": "", "num_oov_indices": 2, "salt": [1, 2]})
    yield LayerCase("IntegerLookup", {"vocabulary": [7, 3], "invert": True, "oov_token": -5})
    yield LayerCase("TextVectorization", {"max_tokens": 5, "ngrams": 2, "output_sequence_length": 4, "split": None})
    weighted = {"vocabulary": ["[UNK]", "a"], "idf_weights": [0.5, 0.25], "output_mode": "tf_idf"}
    yield LayerCase("TextVectorization", weighted)
    yield LayerCase("Hashing", {"num_bins": 5, "mask_value": "", "salt": [3, 4], "output_mode": "count"})
    yield LayerCase("Hashing", {"num_bins": 5, "dtype": "int32"})
    for function in FUNCTIONS:
        seed = 1 if function.endswith("shrink") else 0
        yield LayerCase("Dense", {"units": 5, "activation": function}, ((7,),), (5,), length=7, seed=seed)
        yield LayerCase("Activation", {"activation": function}, ((3, 7),), (3, 7), length=7, seed=seed)
    yield LayerCase("ReLU", {}, ((3, 7),), (3, 7))
    bent = {"max_value": 1.1, "negative_slope": 0.25, "threshold": 0.05}
    for config in (bent, {"max_value": 6.0}, {"negative_slope": 0.1}, {"threshold": 0.05}, {"max_value": 1.1}):
        yield LayerCase("ReLU", config, ((3, 7),), (3, 7), seed=3)
    for slope in (0.3, 0.0):
        yield LayerCase("LeakyReLU", {"negative_slope": slope}, ((3, 7),), (3, 7))
    for alpha in (1.0, 0.4):
        yield LayerCase("ELU", {"alpha": alpha}, ((3, 7),), (3, 7))
    for softmax_axis in (-1, 1, 2, [1], [1, 2], [-1, -2]):
        yield LayerCase("Softmax", {"axis": softmax_axis}, ((3, 7),), (3, 7), length=21)
    slopes = {"alpha_initializer": "ones", "alpha_regularizer": "l2", "alpha_constraint": "max_norm"}
    yield LayerCase("PReLU", slopes, ((3, 7),), (3, 7), length=21)
    for axes in (None, [1], [2], [1, 2]):
        yield LayerCase("PReLU", {"shared_axes": axes, "alpha_initializer": "ones"}, ((3, 7),), (3, 7), length=21)
    yield LayerCase("Dense", {"units": 6, "activation": "glu"}, ((7,),), (3,), length=7)
    yield LayerCase("Activation", {"activation": "glu"}, ((3, 8),), (3, 4))
    yield LayerCase("Dense", {"units": 4, "use_bias": False, "activation": "tanh"}, ((2, 3),), (2, 4), length=6)
    chosen = {"units": 33, "kernel_initializer": "he_normal", "bias_initializer": "ones"}
    yield LayerCase("Dense", chosen, ((17,),), (33,), length=17)
    yield LayerCase("Dense", {"units": 1}, ((1,),), (1,))
    rules: dict[str, Any] = {
        "kernel_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "orthogonal_regularizer",
        "kernel_constraint": "max_norm", "bias_constraint": "min_max_norm",
    }  # fmt: skip
    yield LayerCase("Dense", {"units": 6, **rules, "kernel_initializer": "he_normal"}, ((7,),), (6,), length=42)
    orthogonal = {"kernel_regularizer": "orthogonal_regularizer", "kernel_constraint": "unit_norm"}
    yield LayerCase("Dense", {"units": 5, **orthogonal, "activity_regularizer": "l2"}, ((3,),), (5,), length=25)
    yield LayerCase("Dense", {"units": 5, "bias_constraint": "non_neg"}, ((3,),), (5,), length=5)
    yield from sequence_layer_cases()

    yield from recurrent_layer_cases()
    yield from convolution_layer_cases()
    yield from depthwise_layer_cases()
    yield LayerCase("ActivityRegularization", {}, ((3, 5),), (3, 5))
    yield LayerCase("ActivityRegularization", {"l1": 0.1, "l2": 0.3}, ((3, 5),), (3, 5), length=15)
    for rate in (0.0, 0.4):
        yield LayerCase("Dropout", {"rate": rate, "seed": 2**64 - 3}, ((3, 5),), (3, 5))
    for noise_shape in ((None, 1, None), (1, 3, 1)):
        for cls in ("Dropout", "AlphaDropout"):
            yield LayerCase(cls, {"rate": 0.4, "noise_shape": noise_shape, "seed": 5}, ((3, 5),), (3, 5))
    yield LayerCase("SpatialDropout1D", {"rate": 0.3, "seed": 1}, ((3, 5),), (3, 5))
    first = {"rate": 0.3, "seed": 1, "data_format": "channels_first"}
    yield LayerCase("SpatialDropout2D", {"rate": 0.3, "seed": 1}, ((3, 2, 5),), (3, 2, 5))
    yield LayerCase("SpatialDropout2D", first, ((5, 3, 2),), (5, 3, 2))
    yield LayerCase("SpatialDropout3D", {"rate": 0.3, "seed": 1}, ((3, 2, 2, 5),), (3, 2, 2, 5))
    yield LayerCase("AlphaDropout", {"rate": 0.2, "seed": 7}, ((3, 5),), (3, 5))
    yield LayerCase("GaussianNoise", {"stddev": 0.5, "seed": 2**64 - 1}, ((3, 5),), (3, 5))
    yield LayerCase("GaussianDropout", {"rate": 0.3, "seed": 0}, ((3, 5),), (3, 5))
    yield from augmentation_cases()
    for axis in (-1, 1):
        yield LayerCase("BatchNormalization", {"axis": axis, "momentum": 0.8}, ((6, 4),), (6, 4), length=65 * 24)
        yield LayerCase("GroupNormalization", {"groups": 2, "axis": axis}, ((6, 4),), (6, 4), length=24)
        yield LayerCase("LayerNormalization", {"axis": axis, "epsilon": 0.1}, ((6, 4),), (6, 4), length=24)
        yield LayerCase("UnitNormalization", {"axis": axis}, ((6, 4),), (6, 4), length=6)
        yield LayerCase("RMSNormalization", {"axis": axis}, ((6, 4),), (6, 4), length=24)
    affine_rules = {
        "beta_regularizer": "l2", "gamma_regularizer": "l1",
        "beta_constraint": "non_neg", "gamma_constraint": "unit_norm",
    }  # fmt: skip
    yield LayerCase("BatchNormalization", affine_rules, ((6, 4),), (6, 4), length=65 * 24)
    yield LayerCase("LayerNormalization", affine_rules, ((6, 4),), (6, 4), length=24)
    yield LayerCase("GroupNormalization", {"groups": 2, **affine_rules}, ((6, 4),), (6, 4), length=24)
    plain = {"scale": False, "center": False, "moving_mean_initializer": "ones"}
    yield LayerCase("BatchNormalization", plain, ((5, 3),), (5, 3), length=65 * 15)
    yield LayerCase("GroupNormalization", {"groups": -1, "gamma_initializer": "zeros"}, ((5, 3),), (5, 3), length=15)
    yield LayerCase("LayerNormalization", {"axis": [1, 2], "scale": False}, ((5, 3),), (5, 3), length=15)
    yield LayerCase("UnitNormalization", {"axis": [-1, -2]}, ((5, 3),), (5, 3), length=15)
    yield LayerCase("Rescaling", {"scale": 0.5, "offset": -1.0}, ((2, 3),), (2, 3))
    yield LayerCase("Rescaling", {"scale": [0.5, 2.0, -1.0], "offset": 1.0}, ((2, 3),), (2, 3))
    yield LayerCase("Normalization", {"axis": (-1,)}, ((2, 3),), (2, 3))
    given = {"axis": (1,), "mean": [1.0, -2.0], "variance": [4.0, 0.5]}
    yield LayerCase("Normalization", given, ((2, 3),), (2, 3))
    yield LayerCase("Normalization", {"axis": (), "mean": 0.5, "variance": 2.0, "invert": True}, ((2, 3),), (2, 3))
    bins = {"bin_boundaries": [-1.0, 0.0, 0.7], "output_mode": "one_hot"}
    yield LayerCase("Discretization", bins, ((3,),), (3, 4), differentiable=False)
    yield LayerCase("CategoryEncoding", {"num_tokens": 5}, ((3,),), (5,), integers=5)
    yield LayerCase("CategoryEncoding", {"num_tokens": 4, "output_mode": "count"}, ((3,),), (4,), integers=4)
    yield LayerCase("CategoryEncoding", {"num_tokens": 4, "output_mode": "one_hot"}, ((3,),), (3, 4), integers=4)
    yield LayerCase("Flatten", {}, ((2, 3, 4),), (24,))
    yield LayerCase("Flatten", {}, ((5,),), (5,))
    yield LayerCase("Reshape", {"target_shape": (4, -1)}, ((2, 6),), (4, 3))
    yield LayerCase("Reshape", {"target_shape": (12,)}, ((2, 6),), (12,))
    for dims, shape in (((1,), (7,)), ((2, 1), (3, 2)), ((3, 1, 2), (4, 2, 3))):
        yield LayerCase("Permute", {"dims": dims}, ((2, 3, 4)[: len(dims)] if len(dims) > 1 else (7,),), shape)
    for n in (1, 3):
        yield LayerCase("RepeatVector", {"n": n}, ((5,),), (n, 5), length=n)
    yield LayerCase("Identity", {}, ((2, 3),), (2, 3))
    yield LayerCase("Masking", {"mask_value": 0.5}, ((4, 3),), (4, 3))
    inner = {"class_name": "Dense", "config": {"units": 2, "activation": "tanh", "name": "inner"}}
    yield LayerCase("TimeDistributed", {"layer": inner}, ((3, 4),), (3, 2), length=12)
    yield from pooling_layer_cases()
    for cls in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        for count in (1, 2, 3):
            yield LayerCase(cls, {}, ((2, 3),) * count, (2, 3), length=count)
        yield LayerCase(cls, {}, ((2, 3), (1, 3), (3,), (2, 1)), (2, 3), length=4)
    yield LayerCase("Subtract", {}, ((2, 3),) * 2, (2, 3), length=2)
    yield LayerCase("Subtract", {}, ((2, 1), (3,)), (2, 3), length=3)
    yield LayerCase("Concatenate", {}, ((3,), (1,), (5,)), (9,))
    yield LayerCase("Concatenate", {"axis": 1}, ((2, 3), (4, 3)), (6, 3))
    yield LayerCase("Concatenate", {"axis": -2}, ((2, 3), (4, 3)), (6, 3))
    for normalize in (False, True):
        yield LayerCase("Dot", {"axes": 1, "normalize": normalize}, ((5,), (5,)), (1,), length=5)
        yield LayerCase("Dot", {"axes": (1, 2), "normalize": normalize}, ((5,), (3, 5)), (3,), length=5)
        yield LayerCase("Dot", {"axes": (-1, -2), "normalize": normalize}, ((3, 5), (5, 4)), (3, 4), length=5)
    yield LayerCase("Dot", {"axes": (2, 1)}, ((3, 5), (5,)), (3,), length=5)
    yield LayerCase("Dot", {"axes": 1}, ((5, 3), (5, 4)), (3, 4), length=5)
    yield LayerCase("Dot", {"axes": -1}, ((3, 5), (4, 5)), (3, 4), length=5)
    yield LayerCase("Dot", {"axes": 2}, ((2, 5, 3), (4, 5, 2)), (2, 3, 4, 2), length=5)
    square = {"class_name": "function", "config": "square"}
    yield LayerCase("Lambda", {"function": square, "output_shape": (3, 7)}, ((3, 7),), (3, 7))
    swap = {"function": {"class_name": "function", "config": "swapaxes"}, "arguments": {"axis1": 1, "axis2": -1}}
    yield LayerCase("Lambda", swap, ((3, 7),), (7, 3))


def sequence_layer_cases() -> Iterator[LayerCase]:
    """Yield the layers that look up vectors, and those of attention; inputs that share a length have another size."""
    yield LayerCase("Embedding", {"input_dim": 4, "output_dim": 3}, ((5,),), (5, 3), integers=4, length=65)
    rules: dict[str, Any] = {"embeddings_regularizer": "l2", "embeddings_constraint": "max_norm"}
    named = {"input_dim": 3, "output_dim": 7, "embeddings_initializer": "he_normal", **rules}
    yield LayerCase("Embedding", named, ((2, 3),), (2, 3, 7), integers=3, length=65)
    pair, triple = ((2, 3), (3, 3)), ((2, 3), (3, 2), (3, 3))
    yield LayerCase("Attention", {"use_scale": True, "dropout": 0.3, "seed": 5}, pair, (2, 3), length=40)
    yield LayerCase("Attention", {"score_mode": "concat", "use_scale": True}, triple, (2, 2), length=40)
    yield LayerCase("AdditiveAttention", {"dropout": 0.2, "seed": 1}, triple, (2, 2), length=40)
    # Nothing hangs on the biases of the keys but penalties: every score of a query moves by the same.
    rules = {"kernel_regularizer": "l2", "bias_regularizer": "l2", "activity_regularizer": "l2",
             "kernel_constraint": "max_norm", "bias_constraint": "min_max_norm"}  # fmt: skip
    heads = {"num_heads": 2, "key_dim": 1, "use_bias": False, "use_gate": True, "sliding_window": 2}
    yield LayerCase("MultiHeadAttention", heads, pair, (2, 3), length=60)
    more = {"num_heads": 2, "key_dim": 2, "value_dim": 1, "dropout": 0.2, "output_shape": (2, 1), "seed": 3, **rules}
    yield LayerCase("MultiHeadAttention", more, triple, (2, 2, 1), length=200)
    grouped = {"head_dim": 1, "num_query_heads": 4, "num_key_value_heads": 2, "use_bias": False, "seed": 4}
    yield LayerCase("GroupQueryAttention", {**grouped, "dropout": 0.3}, triple, (2, 3), length=60)
    for equation, shape, made, bias in (
        ("abc,cde->abde", (2, 3), (2, 2, 2), "e"), ("...cd,cde->...e", (2, 2, 3), (2, 4), "e"),
    ):  # fmt: skip
        config = {"equation": equation, "output_shape": made, "bias_axes": bias, "activation": "tanh"}
        yield LayerCase("EinsumDense", config, (shape,), made, length=60)


def recurrent_layer_cases() -> Iterator[LayerCase]:
    """Yield the recurrent layers and their cells, whose inputs are x and the states, with each of their options."""
    rules: dict[str, Any] = {
        "kernel_regularizer": "l2", "recurrent_regularizer": "l1", "bias_regularizer": "l2",
        "kernel_constraint": "max_norm", "recurrent_constraint": "unit_norm", "bias_constraint": "min_max_norm",
        "kernel_initializer": "he_normal", "recurrent_initializer": "glorot_normal", "bias_initializer": "ones",
    }  # fmt: skip
    noise = {"dropout": 0.3, "recurrent_dropout": 0.2, "seed": 4}
    back = {"return_sequences": True, "go_backwards": True}
    for name, own in (
        ("SimpleRNN", {}), ("LSTM", {"unit_forget_bias": False}), ("GRU", {"reset_after": False}),
    ):  # fmt: skip
        x, states = (3, 4), ((2,),) * (2 if name == "LSTM" else 1)
        yield LayerCase(name, {"units": 2}, (x,), (2,), length=100)
        rich = {"units": 2, **rules, **noise, **back, "activity_regularizer": "l2"}
        yield LayerCase(name, rich, (x,), (3, 2), length=200)
        written = {"units": 2, **own, **noise, "activation": "silu", "zero_output_for_mask": True, "unroll": True}
        yield LayerCase(name, written, (x,), (2,), length=100)
        yield LayerCase(f"{name}Cell", {"units": 2, **own, **rules, **noise}, ((4,), *states), (2,), length=100)
    cells = [_config("LSTMCell", {"units": 2, "seed": 1}), _config("GRUCell", {"units": 3, "seed": 2})]
    stack = _config("StackedRNNCells", {"cells": cells})
    yield LayerCase("StackedRNNCells", {"cells": cells}, ((4,), (2,), (2,), (3,)), (3,), length=100)
    yield LayerCase("RNN", {"cell": stack, **back}, ((3, 4),), (3, 3), length=200)
    for merge, output in (("concat", (3, 4)), ("ave", (3, 2))):
        layer = layers.Bidirectional(layers.GRU(2, return_sequences=True, seed=3)).forward_layer
        pair = {"layer": _config("GRU", layer.get_config()), "merge_mode": merge}
        yield LayerCase("Bidirectional", pair, ((3, 4),), output, length=100)


def _config(cls: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the whole config of a layer."""
    return {"class_name": cls, "config": getattr(layers, cls)(**arguments).get_config()}


def convolution_layer_cases() -> Iterator[LayerCase]:
    """Yield the convolutions and transposed convolutions with each of their options."""
    first = {"data_format": "channels_first"}
    rules: dict[str, Any] = {
        "kernel_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "l2",
        "kernel_constraint": "max_norm", "bias_constraint": "min_max_norm",
        "kernel_initializer": "he_normal", "bias_initializer": "ones",
    }  # fmt: skip
    for cls, config, x, y in (
        ("Conv1D", {"kernel_size": (3,)}, (8, 2), (6, 3)),
        ("Conv1D", {"kernel_size": (3,), "padding": "causal", "dilation_rate": (2,)}, (7, 2), (7, 3)),
        ("Conv1D", {"kernel_size": (4,), "padding": "same", "strides": (2,), **first}, (2, 7), (3, 4)),
        ("Conv1D", {"kernel_size": (2,), "groups": 3, "activation": "softmax"}, (5, 6), (4, 3)),
        ("Conv2D", {"kernel_size": (3, 2), "activation": "tanh", **rules}, (5, 4, 2), (3, 3, 3)),
        ("Conv2D", {"kernel_size": (3, 3), "padding": "same", "activation": "softplus"}, (4, 5, 1), (4, 5, 3)),
        ("Conv2D", {"kernel_size": (3, 2), "padding": "same", "strides": (2, 3)}, (5, 4, 2), (3, 2, 3)),
        ("Conv2D", {"kernel_size": (2, 2), "dilation_rate": (1, 2), "use_bias": False}, (4, 5, 2), (3, 3, 3)),
        ("Conv2D", {"kernel_size": (2, 2), "groups": 3, "activation": "gelu", **first}, (6, 3, 4), (3, 2, 3)),
        ("Conv3D", {"kernel_size": (2, 1, 3), "strides": (1, 2, 1)}, (3, 3, 4, 2), (2, 2, 2, 3)),
        ("Conv3D", {"kernel_size": (2, 2, 2), "padding": "same", **first}, (2, 2, 3, 2), (3, 2, 3, 2)),
        ("Conv1DTranspose", {"kernel_size": (3,), "strides": (2,)}, (4, 2), (9, 3)),
        ("Conv1DTranspose", {"kernel_size": (2,), "dilation_rate": (3,), "padding": "same", **first}, (2, 5), (3, 5)),
        ("Conv2DTranspose", {"kernel_size": (2, 3), "activation": "tanh", **rules}, (3, 2, 2), (4, 4, 3)),
        ("Conv2DTranspose", {"kernel_size": (4, 3), "strides": (2, 2), "padding": "same"}, (2, 3, 2), (4, 6, 3)),
        ("Conv2DTranspose", {"kernel_size": (2, 1), "strides": (3, 2), "use_bias": False}, (2, 2, 2), (6, 4, 3)),
        (
            "Conv2DTranspose",
            {"kernel_size": (3, 3), "strides": (3, 2), "padding": "same", "output_padding": (2, 0), **first},
            (2, 2, 3), (3, 6, 5),
        ),
        ("Conv3DTranspose", {"kernel_size": (2, 2, 1), "strides": (1, 2, 2)}, (2, 2, 2, 2), (3, 4, 4, 3)),
        (
            "Conv3DTranspose",
            {"kernel_size": (2, 1, 2), "strides": (2, 1, 1), "output_padding": (1, 0, 0)},
            (2, 3, 2, 2), (5, 3, 3, 3),
        ),
    ):  # fmt: skip
        yield LayerCase(cls, {"filters": 3, **config}, (x,), y, length=max(prod(x), prod(y)))


def depthwise_layer_cases() -> Iterator[LayerCase]:
    """Yield the depthwise and separable convolutions with each of their options."""
    first = {"data_format": "channels_first"}
    rules: dict[str, Any] = {
        "depthwise_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "l2",
        "depthwise_constraint": "max_norm", "bias_constraint": "min_max_norm",
        "depthwise_initializer": "he_normal", "bias_initializer": "ones",
    }  # fmt: skip
    point = {"pointwise_regularizer": "l1", "pointwise_constraint": "unit_norm", "pointwise_initializer": "he_normal"}
    for cls, config, x, y in (
        ("DepthwiseConv1D", {"kernel_size": (3,)}, (8, 2), (6, 2)),
        ("DepthwiseConv1D", {"kernel_size": (2,), "strides": (2,), "depth_multiplier": 3, **first}, (2, 7), (6, 3)),
        ("DepthwiseConv2D", {"kernel_size": (3, 2), "activation": "tanh", **rules}, (5, 4, 2), (3, 3, 2)),
        ("DepthwiseConv2D", {"kernel_size": (3, 3), "padding": "same", "depth_multiplier": 2}, (4, 5, 2), (4, 5, 4)),
        ("DepthwiseConv2D", {"kernel_size": (3, 2), "padding": "same", "strides": (2, 2)}, (5, 4, 3), (3, 2, 3)),
        ("DepthwiseConv2D", {"kernel_size": (2, 2), "dilation_rate": (1, 2), "use_bias": False}, (4, 5, 2), (3, 3, 2)),
        ("DepthwiseConv2D", {"kernel_size": (2, 2), "activation": "gelu", **first}, (3, 3, 4), (3, 2, 3)),
        ("SeparableConv1D", {"filters": 3, "kernel_size": (3,)}, (8, 2), (6, 3)),
        (
            "SeparableConv1D",
            {"filters": 3, "kernel_size": (2,), "padding": "same", "dilation_rate": (2,), **first},
            (2, 5), (3, 5),
        ),
        ("SeparableConv2D", {"filters": 3, "kernel_size": (3, 2), **rules, **point}, (5, 4, 2), (3, 3, 3)),
        (
            "SeparableConv2D",
            {"filters": 3, "kernel_size": (3, 3), "padding": "same", "depth_multiplier": 2, "activation": "softplus"},
            (4, 3, 2), (4, 3, 3),
        ),
        (
            "SeparableConv2D",
            {"filters": 4, "kernel_size": (2, 2), "strides": (2, 2), "use_bias": False, "activation": "gelu", **first},
            (3, 5, 4), (4, 2, 2),
        ),
    ):  # fmt: skip
        yield LayerCase(cls, config, (x,), y, length=max(prod(x), prod(y)))


def pooling_layer_cases() -> Iterator[LayerCase]:
    """Yield the layers that make spatial axes shorter or longer, in both orders of the axes."""
    for rank, (sizes, halves, wide) in enumerate((((9,), (4,), (5,)), ((4, 5), (2, 2), (2, 3)),
                                                  ((2, 3, 4), (1, 1, 2), (1, 2, 2))), 1):  # fmt: skip
        twos = (2,) * rank
        for kind in ("Max", "Average"):
            pooling = f"{kind}Pooling{rank}D"
            last, first = (*sizes, 3), (3, *sizes)
            yield LayerCase(pooling, {"pool_size": twos}, (last,), (*halves, 3), length=8)
            config = {"pool_size": (3,) * rank, "strides": twos, "padding": "same"}
            yield LayerCase(pooling, config, (last,), (*wide, 3), length=27)
            config = {"pool_size": twos, "data_format": "channels_first"}
            yield LayerCase(pooling, config, (first,), (3, *halves), length=8)
            name = f"Global{kind}Pooling{rank}D"
            yield LayerCase(name, {}, (last,), (3,), length=24)
            yield LayerCase(name, {"keepdims": True}, (last,), (*(1,) * rank, 3), length=24)
            yield LayerCase(name, {"data_format": "channels_first"}, (first,), (3,), length=24)
        ends = ((1, 0), (2, 1), (0, 1))[:rank]
        longer = tuple(size + sum(pair) for size, pair in zip(sizes, ends, strict=True))
        flat = ends if rank > 1 else ends[0]
        yield LayerCase(f"ZeroPadding{rank}D", {"padding": flat}, ((*sizes, 3),), (*longer, 3))
        yield LayerCase(f"ZeroPadding{rank}D", {"padding": flat, "data_format": "channels_first"}, ((3, *sizes),),
                        (3, *longer))  # fmt: skip
        yield LayerCase(f"Cropping{rank}D", {"cropping": flat}, ((*longer, 3),), (*sizes, 3))
    yield LayerCase("Cropping2D", {"cropping": ((1, 0), (2, 1)), "data_format": "channels_first"}, ((2, 3, 5),),
                    (2, 2, 2))  # fmt: skip
    yield LayerCase("UpSampling1D", {"size": 3}, ((4, 2),), (12, 2), length=3)
    for interpolation in ("nearest", "bilinear"):
        config = {"size": (2, 3), "interpolation": interpolation}
        yield LayerCase("UpSampling2D", config, ((3, 2, 5),), (6, 6, 5), length=24)
    yield LayerCase(
        "UpSampling2D", {"size": (2, 2), "data_format": "channels_first"}, ((2, 3, 1),), (2, 6, 2), length=4
    )
    yield LayerCase("UpSampling3D", {"size": (2, 1, 2)}, ((2, 3, 2, 2),), (4, 3, 4, 2), length=4)


def optimizer_cases() -> Iterator[OptimizerCase]:
    """Yield at least one row for every optimizer."""
    yield OptimizerCase("SGD", {"learning_rate": 0.1})
    yield OptimizerCase("SGD", {"learning_rate": 0.05, "momentum": 0.9}, ("v",))
    yield OptimizerCase("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}, ("v",))
    yield OptimizerCase("Adam", {"learning_rate": 0.01}, ("m", "v"))
    yield OptimizerCase("Adam", {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.9, "epsilon": 1e-3}, ("m", "v"))
    yield OptimizerCase("Adam", {"learning_rate": 0.01, "beta_2": 0.9, "amsgrad": True}, ("m", "v", "top"))
    yield OptimizerCase("AdamW", {"learning_rate": 0.01}, ("m", "v"))
    yield OptimizerCase("AdamW", {"learning_rate": 0.01, "weight_decay": 0.5, "amsgrad": True}, ("m", "v", "top"))
    yield OptimizerCase("SGD", {"learning_rate": 0.05, "momentum": 0.5, "weight_decay": 0.1}, ("v",))
    for momentum in (0.0, 0.8):
        for centered in (False, True):
            slots = ("v", *(("a",) if centered else ()), *(("speed",) if momentum else ()))
            config = {"learning_rate": 0.003, "rho": 0.8, "momentum": momentum, "epsilon": 1e-4, "centered": centered}
            yield OptimizerCase("RMSprop", config, slots)
    yield OptimizerCase("Adagrad", {"learning_rate": 0.05}, ("a",))
    yield OptimizerCase("Adagrad", {"learning_rate": 0.02, "initial_accumulator_value": 0.0, "epsilon": 1e-3}, ("a",))
    yield OptimizerCase("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-5}, ("a", "d"))
    yield OptimizerCase("Adamax", {"learning_rate": 0.01, "beta_2": 0.9}, ("m", "u"))
    yield OptimizerCase("Nadam", {"learning_rate": 0.01, "beta_1": 0.8}, ("m", "v"))
    yield OptimizerCase("Lion", {"learning_rate": 0.003, "weight_decay": 0.1}, ("m",))
    yield OptimizerCase("Ftrl", {"learning_rate": 0.1}, ("n", "z"))
    strengths = dict.fromkeys(("l1_regularization_strength", "l2_regularization_strength", "beta"), 0.001)
    chosen = {"learning_rate": 0.1, "learning_rate_power": -0.6, "initial_accumulator_value": 0.3, **strengths}
    yield OptimizerCase("Ftrl", {**chosen, "l2_shrinkage_regularization_strength": 1e-3}, ("n", "z"))
    # The steps around a rule, alone and together.
    descent = {"learning_rate": 0.1}
    for limit in ({"clipnorm": 0.05}, {"clipvalue": 0.01}, {"global_clipnorm": 0.1}):
        yield OptimizerCase("SGD", {**descent, **limit})
        averaged = {"use_ema": True, "ema_momentum": 0.8, "gradient_accumulation_steps": 3, "weight_decay": 0.01}
        slots = ("m", "v", "accumulator", "average")
        yield OptimizerCase("Adam", {"learning_rate": 0.01, **limit, **averaged}, slots)
    yield OptimizerCase("SGD", {**descent, "use_ema": True}, ("average",))
    overwritten = {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3}
    yield OptimizerCase("SGD", {**descent, **overwritten}, ("average",))
    yield OptimizerCase("SGD", {**descent, "gradient_accumulation_steps": 4}, ("accumulator",))
    yield OptimizerCase("RMSprop", {"learning_rate": 0.003, "loss_scale_factor": 1000.0, "clipvalue": 0.01}, ("v",))


def shared_loss_cases() -> Iterator[ScoreCase]:
    """Yield rows for the losses that are metrics too, under the same name and with the same arguments."""
    for shape in ((5,), (3, 4), (1,)):
        for name in ("MeanSquaredError", "MeanAbsoluteError", "MeanAbsolutePercentageError"):
            yield ScoreCase(name, {}, "xx", shape)
        yield ScoreCase("MeanSquaredLogarithmicError", {}, "pp", shape)
        yield ScoreCase("Poisson", {}, "px", shape)
        for name in ("Hinge", "SquaredHinge"):
            yield ScoreCase(name, {}, "xt", shape)
            yield ScoreCase(name, {}, "xx", shape)
        for smoothing in (0.0, 0.2):
            yield ScoreCase("BinaryCrossentropy", {"label_smoothing": smoothing}, "pt", shape)
            yield ScoreCase("BinaryCrossentropy", {"label_smoothing": smoothing, "from_logits": True}, "xt", shape)
    for shape in ((5,), (3, 4)):
        yield ScoreCase("KLDivergence", {}, "pp", shape)
        yield ScoreCase("CategoricalHinge", {}, "xd", shape)
        for smoothing in (0.0, 0.2):
            yield ScoreCase("CategoricalCrossentropy", {"label_smoothing": smoothing}, "pd", shape)
            yield ScoreCase("CategoricalCrossentropy", {"label_smoothing": smoothing, "from_logits": True}, "xd", shape)
        yield ScoreCase("SparseCategoricalCrossentropy", {}, "pi", shape)
        yield ScoreCase("SparseCategoricalCrossentropy", {"from_logits": True}, "xi", shape)


def loss_cases() -> Iterator[ScoreCase]:
    """Yield at least one row for every loss."""
    yield from shared_loss_cases()
    balanced = {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5, "label_smoothing": 0.1}
    for shape in ((5,), (3, 4), (1,)):
        yield ScoreCase("Huber", {}, "xx", shape)
        yield ScoreCase("Huber", {"delta": 0.3}, "xx", shape)
        yield ScoreCase("LogCosh", {}, "xx", shape)
        for config in ({}, balanced):
            yield ScoreCase("BinaryFocalCrossentropy", config, "pt", shape)
            yield ScoreCase("BinaryFocalCrossentropy", {**config, "from_logits": True}, "xt", shape)
    for shape in ((5,), (3, 4)):
        yield ScoreCase("CategoricalGeneralizedCrossEntropy", {}, "pi", shape)
        yield ScoreCase("CategoricalGeneralizedCrossEntropy", {"q": 0.85}, "pi", shape)
        yield ScoreCase("Dice", {"axis": -1}, "pt", shape)
        yield ScoreCase("Dice", {"axis": (1,)}, "pp", shape)
        yield ScoreCase("Tversky", {"axis": -1}, "pt", shape)
        yield ScoreCase("Tversky", {"axis": (1,), "alpha": 0.3, "beta": 0.9}, "pp", shape)
        yield ScoreCase("CosineSimilarity", {}, "xx", shape)
        for config in ({}, {"alpha": 0.4, "gamma": 1.5, "label_smoothing": 0.1}):
            yield ScoreCase("CategoricalFocalCrossentropy", config, "pd", shape)
            yield ScoreCase("CategoricalFocalCrossentropy", {**config, "from_logits": True}, "xd", shape)

    # Exponents that leave no loss 0, as every label is there twice.
    for chosen in ({}, {"margin": 0.1, "remove_diagonal": False}):
        yield ScoreCase("Circle", {"gamma": 0.5, **chosen}, "xi", whole=True)


def metric_cases() -> Iterator[ScoreCase]:
    """Yield at least one row for every metric: many losses are one too."""
    yield from shared_loss_cases()
    for shape in ((5,), (3, 4), (1,)):
        yield ScoreCase("LogCoshError", {}, "xx", shape)
    for shape in ((5,), (3, 4)):
        yield ScoreCase("CosineSimilarity", {}, "xx", shape)
        yield ScoreCase("Accuracy", {}, "tt", shape)
        yield ScoreCase("CategoricalAccuracy", {}, "xd", shape)
        yield ScoreCase("SparseCategoricalAccuracy", {}, "xi", shape)
    for shape in ((5,), (3, 4), (1,)):
        yield ScoreCase("BinaryAccuracy", {}, "pt", shape)
        yield ScoreCase("BinaryAccuracy", {"threshold": 0.25}, "pt", shape)
    yield from _confusion_cases()
    for shape in ((5,), (3, 4)):
        for k in (1, 3):
            yield ScoreCase("TopKCategoricalAccuracy", {"k": k}, "xd", shape)
            yield ScoreCase("SparseTopKCategoricalAccuracy", {"k": k}, "xi", shape)
        yield ScoreCase("PearsonCorrelation", {}, "xx", shape)
        yield ScoreCase("ConcordanceCorrelation", {}, "xx", shape)
        yield ScoreCase("RootMeanSquaredError", {}, "xx", shape)
        yield ScoreCase("MeanMetricWrapper", {"fn": "mean_absolute_error"}, "xx", shape)
        yield ScoreCase("MeanMetricWrapper", {"fn": "sparse_categorical_accuracy"}, "xi", shape)
        yield ScoreCase("Mean", {}, "vv", shape)
        yield ScoreCase("Sum", {}, "vv", shape)
        yield ScoreCase("IoU", {"num_classes": 2, "target_class_ids": [1]}, "tt", shape)
        yield ScoreCase("MeanIoU", {"num_classes": 3}, "tt", shape)
        yield ScoreCase("BinaryIoU", {}, "pt", shape)
        yield ScoreCase("BinaryIoU", {"target_class_ids": [0], "threshold": 0.3}, "pt", shape)
        for ignored in (None, 1):
            some = {"num_classes": shape[-1], "target_class_ids": [0, 2], "ignore_class": ignored}
            every = {"num_classes": shape[-1], "ignore_class": ignored}
            yield ScoreCase("IoU", {**some, "sparse_y_pred": False}, "xi", shape)
            yield ScoreCase("MeanIoU", {**every, "sparse_y_pred": False, "sparse_y_true": False}, "xd", shape)
            yield ScoreCase("OneHotIoU", some, "xd", shape)
            yield ScoreCase("OneHotMeanIoU", every, "xd", shape)
    for average in (None, "micro", "macro", "weighted"):
        for threshold in (None, 0.6):
            yield ScoreCase("F1Score", {"average": average, "threshold": threshold}, "pt")
            yield ScoreCase("FBetaScore", {"average": average, "beta": 2.0, "threshold": threshold}, "pd")
    for aggregation in ("uniform_average", "variance_weighted_average", None):
        for regressors in (0, 4):
            yield ScoreCase("R2Score", {"class_aggregation": aggregation, "num_regressors": regressors}, "xx")


def _confusion_cases() -> Iterator[ScoreCase]:
    """Yield the rows of what compares predictions with thresholds."""
    for shape in ((5,), (3, 4), (1,)):
        for thresholds in (None, 0.3, [0.7, 0.2, 0.4]):
            for name in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives", "Precision", "Recall"):
                yield ScoreCase(name, {"thresholds": thresholds}, "pt", shape)
        for curve in ("ROC", "PR", "PRGAIN"):
            for method in ("interpolation", "minoring", "majoring"):
                chosen = {"curve": curve, "summation_method": method, "num_thresholds": 20}
                yield ScoreCase("AUC", chosen, "pt", shape)
        yield ScoreCase("AUC", {"from_logits": True}, "xt", shape)
        yield ScoreCase("AUC", {"thresholds": [0.1, 0.3, 0.8]}, "pt", shape)
    for shape in ((5,), (3, 4)):
        for name in ("Precision", "Recall"):
            yield ScoreCase(name, {"top_k": 2}, "xt", shape)
            yield ScoreCase(name, {"top_k": 2, "thresholds": 0.4}, "pt", shape)
            yield ScoreCase(name, {"class_id": 2}, "pt", shape)
            yield ScoreCase(name, {"top_k": 2, "class_id": 1}, "pt", shape)
    for curve in ("ROC", "PR"):
        for weights in (None, [1.0, 0.5, 2.0, 0.0, 1.5]):
            chosen = {"curve": curve, "label_weights": weights, "num_thresholds": 20}
            yield ScoreCase("AUC", {**chosen, "multi_label": True}, "pt")
            yield ScoreCase("AUC", chosen, "pt")
    yield ScoreCase("AUC", {"multi_label": True, "num_labels": 5}, "pt")
    for name, argument in (
        ("SensitivityAtSpecificity", "specificity"),
        ("SpecificityAtSensitivity", "sensitivity"),
        ("PrecisionAtRecall", "recall"),
        ("RecallAtPrecision", "precision"),
    ):
        for level in (0.0, 0.45, 1.0):
            yield ScoreCase(name, {argument: level}, "pt")
        yield ScoreCase(name, {argument: 0.4, "num_thresholds": 1, "class_id": 3}, "pt")


def initializer_cases() -> Iterator[InitializerCase]:
    """Yield at least one row for every initializer."""
    # Dividing by the deviation of a standard normal cut at 2 gives it one back: that of scipy.stats.truncnorm(-2, 2).
    cut = 0.8796256610342398
    yield InitializerCase("Zeros", {}, 0.0, 0.0, 0.0, 0.0)
    yield InitializerCase("Ones", {}, 1.0, 0.0, 1.0, 1.0)
    yield InitializerCase("Constant", {"value": -2.5}, -2.5, 0.0, -2.5, -2.5)
    # 200 of the 60,000 elements lie on the diagonal.
    for gain in (1.0, -2.5):
        low, high = min(gain, 0.0), max(gain, 0.0)
        yield InitializerCase("Identity", {"gain": gain}, gain / 300, abs(gain) * 299**0.5 / 300, low, high, (2,))
    yield InitializerCase("RandomNormal", {"seed": 1}, 0.0, 0.05)
    yield InitializerCase("RandomNormal", {"mean": 1.0, "stddev": 0.5, "seed": 2}, 1.0, 0.5)
    yield InitializerCase("TruncatedNormal", {"seed": 3}, 0.0, 0.05 * cut, -0.1, 0.1)
    yield InitializerCase("TruncatedNormal", {"mean": 1.0, "stddev": 0.5, "seed": 4}, 1.0, 0.5 * cut, 0.0, 2.0)
    yield InitializerCase("RandomUniform", {"seed": 5}, 0.0, 0.05 / 3**0.5, -0.05, 0.05)
    yield InitializerCase("RandomUniform", {"minval": 1.0, "maxval": 3.0, "seed": 6}, 2.0, 1 / 3**0.5, 1.0, 3.0)
    for seed, (name, variance) in enumerate(
        {"Glorot": 2 / (200 + 300), "He": 2 / 200, "Lecun": 1 / 200}.items(), start=7
    ):
        limit, bound = (3 * variance) ** 0.5, 2 * variance**0.5 / cut
        yield InitializerCase(f"{name}Uniform", {"seed": seed}, 0.0, variance**0.5, -limit, limit)
        yield InitializerCase(f"{name}Normal", {"seed": seed}, 0.0, variance**0.5, -bound, bound)
    for mode, fan in (("fan_in", 200), ("fan_out", 300), ("fan_avg", 250)):
        variance = 1.5 / fan
        for distribution, bound in (
            ("uniform", (3 * variance) ** 0.5),
            ("truncated_normal", 2 * variance**0.5 / cut),
            ("untruncated_normal", math.inf),
        ):
            config = {"scale": 1.5, "mode": mode, "distribution": distribution, "seed": fan}
            yield InitializerCase("VarianceScaling", config, 0.0, variance**0.5, -bound, bound)
    # Each of the 200 rows has the length `gain`: its 300 squares add up to gain^2.
    for seed, gain in enumerate((1.0, -0.5), start=10):
        config = {"gain": gain, "seed": seed}
        yield InitializerCase("Orthogonal", config, 0.0, abs(gain) / 300**0.5, ranks=(2, 3, 4))


def regularizer_cases() -> Iterator[ClassCase]:
    """Yield at least one row for every regularizer."""
    yield ClassCase("L1")
    yield ClassCase("L1", {"l1": 0.3})
    yield ClassCase("L2", {"l2": 0.7})
    yield ClassCase("L1L2", {"l1": 0.2, "l2": 0.4})
    yield ClassCase("OrthogonalRegularizer", {"factor": 0.5, "mode": "rows"})
    yield ClassCase("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"})


def constraint_cases() -> Iterator[ClassCase]:
    """Yield at least one row for every constraint."""
    yield ClassCase("NonNeg")
    yield ClassCase("MaxNorm")
    yield ClassCase("MaxNorm", {"max_value": 0.8, "axis": 1})
    yield ClassCase("MaxNorm", {"max_value": 1.5, "axis": None})
    yield ClassCase("UnitNorm", {"axis": 0})
    yield ClassCase("UnitNorm", {"axis": [0, 1]})
    yield ClassCase("MinMaxNorm", {"min_value": 0.9, "max_value": 1.1, "rate": 0.3, "axis": -1})
    yield ClassCase("MinMaxNorm", {"min_value": 0.9, "max_value": 1.1, "axis": 0})


def schedule_cases() -> Iterator[ScheduleCase]:
    """Yield at least one row for every schedule: its corners, the steps on both sides, and far beyond the end."""
    half, root = {"initial_learning_rate": 0.8, "decay_steps": 4, "decay_rate": 0.5}, 0.5**0.5
    yield ScheduleCase("ExponentialDecay", half, {0: 0.8, 2: 0.8 * root, 4: 0.4, 6: 0.4 * root, 12: 0.1})
    yield ScheduleCase("ExponentialDecay", {**half, "staircase": True}, {0: 0.8, 3: 0.8, 4: 0.4, 7: 0.4, 8: 0.2})
    yield ScheduleCase("InverseTimeDecay", half, {0: 0.8, 2: 0.64, 4: 0.8 / 1.5, 8: 0.4, 24: 0.2})
    yield ScheduleCase("InverseTimeDecay", {**half, "staircase": True}, {0: 0.8, 3: 0.8, 4: 0.8 / 1.5, 11: 0.4})
    line = {"initial_learning_rate": 0.5, "decay_steps": 10}
    yield ScheduleCase("PolynomialDecay", line, {0: 0.5, 5: 0.25005, 9: 0.05009, 10: 0.0001, 99: 0.0001})
    curve = {**line, "end_learning_rate": 0.1, "power": 2.0}
    yield ScheduleCase("PolynomialDecay", curve, {0: 0.5, 5: 0.2, 8: 0.116, 10: 0.1, 11: 0.1})
    yield ScheduleCase("PolynomialDecay", {**curve, "cycle": True}, {0: 0.5, 5: 0.2, 10: 0.1, 15: 0.125, 20: 0.1,
                                                                      21: 0.136, 30: 0.1})  # fmt: skip
    rises = {"initial_learning_rate": 0.1, "decay_steps": 4, "end_learning_rate": 0.5, "power": 1.0}
    yield ScheduleCase("PolynomialDecay", rises, {0: 0.1, 1: 0.2, 3: 0.4, 4: 0.5, 5: 0.5})
    yield ScheduleCase("PiecewiseConstantDecay", {"boundaries": [2, 5], "values": [1.0, 0.5, 0.1]},
                       {0: 1.0, 2: 1.0, 3: 0.5, 5: 0.5, 6: 0.1, 900: 0.1})  # fmt: skip
    yield ScheduleCase("PiecewiseConstantDecay", {"boundaries": [], "values": [0.3]}, {0: 0.3, 7: 0.3})
    # A third of half a turn has the cosine 1/2, two thirds -1/2.
    wave = {"initial_learning_rate": 0.4, "decay_steps": 6}
    yield ScheduleCase("CosineDecay", wave, {0: 0.4, 2: 0.3, 3: 0.2, 4: 0.1, 6: 0.0, 7: 0.0, 99: 0.0})
    yield ScheduleCase("CosineDecay", {**wave, "alpha": 0.5}, {0: 0.4, 2: 0.35, 4: 0.25, 6: 0.2, 99: 0.2})
    warm = {**wave, "initial_learning_rate": 0.1, "warmup_target": 0.8, "warmup_steps": 7}
    yield ScheduleCase("CosineDecay", warm, {0: 0.1, 1: 0.2, 6: 0.7, 7: 0.8, 9: 0.6, 10: 0.4, 11: 0.2, 13: 0.0, 50: 0})
    yield ScheduleCase("CosineDecay", {**wave, "warmup_target": 0.2, "alpha": 0.25}, {0: 0.2, 2: 0.1625, 6: 0.05})
    turn = {"initial_learning_rate": 0.4, "first_decay_steps": 6}
    yield ScheduleCase("CosineDecayRestarts", turn,
                       {0: 0.4, 2: 0.3, 4: 0.1, 6: 0.4, 10: 0.3, 14: 0.1, 18: 0.4, 26: 0.3, 42: 0.4})  # fmt: skip
    yield ScheduleCase("CosineDecayRestarts", {**turn, "t_mul": 1.0, "m_mul": 0.5, "alpha": 0.5},
                       {0: 0.4, 2: 0.35, 6: 0.3, 8: 0.275, 12: 0.25, 14: 0.2375})  # fmt: skip
    # Five restarts on, the logarithm of 3^5 over that of 3 is less than 5 in float64.
    yield ScheduleCase("CosineDecayRestarts", {**turn, "t_mul": 3.0, "m_mul": 0.5},
                       {6: 0.2, 12: 0.15, 18: 0.05, 24: 0.1, 6 * 121: 0.4 / 32, 6 * (121 + 81): 0.3 / 32})  # fmt: skip


def callback_cases() -> Iterator[ClassCase]:
    """Yield a row for every callback, with arguments under which it only looks on."""
    yield ClassCase("History")
    yield ClassCase("ProgbarLogger")
    yield ClassCase("LambdaCallback", {"on_epoch_end": lambda epoch, logs: None})
    yield ClassCase("EarlyStopping", {"monitor": "loss", "patience": 100})
    yield ClassCase("ReduceLROnPlateau", {"monitor": "loss", "patience": 100})
    yield ClassCase("LearningRateScheduler", {"schedule": lambda epoch, learning_rate: learning_rate})
    yield ClassCase("CSVLogger", {"filename": os.devnull})
    yield ClassCase("ModelCheckpoint", {"filepath": "m.keras"})
    yield ClassCase("ModelCheckpoint", {"filepath": "{epoch}.weights.h5", "save_weights_only": True, "save_freq": 2})
    yield ClassCase("BackupAndRestore", {"backup_dir": "backup", "save_freq": 2})
    yield ClassCase("BackupAndRestore", {"backup_dir": "backup"})
    yield ClassCase("CriticalPoint", {"tolerance": 1e-30, "restore_best_weights": False})
    yield ClassCase("SwapEMAWeights")
    yield ClassCase("TensorBoard")
    yield ClassCase("TensorBoard", {"histogram_freq": 2, "update_freq": 2, "write_steps_per_second": True})
    yield ClassCase("TerminateOnNaN")


def missing(registered: Iterable[str], cases: Iterable[ClassCase]) -> list[str]:
    """Return the registered classes for which there is no row."""
    return sorted(set(registered) - {case.cls for case in cases})
