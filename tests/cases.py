"""The rows that the contract tests run over: every op, and every registered class, with each option that matters."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from fastgd.plan import Attribute, ParamSpec, Plan, Step, TensorSpec, Term

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class OpCase:
    """One op with its operands.

    Shapes are written for any batch, "t" stands for a tensor that holds targets, "p" for probabilities.
    """

    op: str
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    params: tuple[tuple[int, ...], ...] = ()
    attrs: dict[str, Attribute] = field(default_factory=dict)
    kinds: str = ""  # one letter per input: x any, p probabilities, t targets in [0, 1], d distributions, i labels
    length: int = 1  # the longest sum
    differentiable: bool = True
    constants: int = 0  # how many of the last parameters are not trained; they are positive and ascend
    integer_output: bool = False
    scale: float = 0.0  # of what cancels in the gradients: the least magnitude that rounding is measured by

    @property
    def id(self) -> str:
        options = ",".join(f"{k}={v}" for k, v in self.attrs.items())
        return f"{self.op}{list(self.inputs)}{options}".replace(" ", "")


def op_plan(case: OpCase, dtype: str) -> Plan:
    """Return a plan that runs the op and sums its first output with random weights: the loss is sum(weights * y)."""
    kinds = case.kinds or "x" * len(case.inputs)
    tensors = [TensorSpec(f"x{i}", shape, "int32" if kinds[i] == "i" else dtype) for i, shape in enumerate(case.inputs)]
    kind = "int32" if case.integer_output else dtype
    tensors += [TensorSpec(f"y{i}", shape, kind) for i, shape in enumerate(case.outputs)]
    trained = len(case.params) - case.constants
    params = tuple(ParamSpec(f"w{i}", shape, i < trained) for i, shape in enumerate(case.params))
    steps = [
        Step(
            case.op,
            tuple(f"x{i}" for i in range(len(case.inputs))),
            tuple(f"y{i}" for i in range(len(case.outputs))),
            tuple(p.name for p in params),
            case.attrs,
        )
    ]
    inputs = [f"x{i}" for i in range(len(case.inputs))]
    losses: tuple[Term, ...] = ()
    metrics: tuple[Term, ...] = ()
    if not case.differentiable:
        metrics = (Term("metric", "y0"),) if case.outputs[0] == (-1,) and not case.integer_output else ()
    elif case.outputs[0] == (-1,):
        losses = (Term("loss", "y0", weight=1.5),)
    else:
        # The squared distance to a fed target makes every element of dy different.
        shape = case.outputs[0]
        last = "y0"
        if shape[0] != -1:
            # Losses need the batch itself as the first axis.
            shape = (-1, -shape[0] * prod(shape[1:]))
            steps.append(Step("reshape", ("y0",), ("back",), (), {"shape": shape}))
            tensors.append(TensorSpec("back", shape, dtype))
            last = "back"
        tensors += [TensorSpec("goal", shape, dtype), TensorSpec("v", (-1,), dtype)]
        steps.append(Step("mean_squared_error", (last, "goal"), ("v",)))
        inputs.append("goal")
        losses = (Term("loss", "v", weight=1.5),)
    return Plan(
        dtype, tuple(tensors), params, tuple(steps), tuple(inputs), tuple(f"y{i}" for i in range(len(case.outputs))),
        losses, metrics,
    )  # fmt: skip


def op_feeds(case: OpCase, plan: Plan, batch: int, seed: int) -> list[Array]:
    """Return random operands of the kinds that the op takes."""
    rng = np.random.default_rng(seed)
    kinds = case.kinds or "x" * len(case.inputs)
    classes = case.inputs[0][-1] if case.inputs else 1
    feeds = []
    for name, kind in zip(plan.inputs, kinds + "x", strict=False):
        shape = tuple(d if d >= 0 else -d * batch for d in plan.tensor(name).shape)
        if kind == "i":
            feeds.append(rng.integers(0, max(classes, 1), shape).astype(np.int32))
            continue
        values = rng.normal(size=shape)
        if kind in "pd" and len(shape) > 1 and shape[-1] > 0:
            values = np.exp(values)
            values /= values.sum(axis=-1, keepdims=True) if kind == "d" else 1.2 * values.max(initial=1.0)
        elif kind == "t":
            values = rng.integers(0, 2, shape).astype(np.float64)
        feeds.append(values.astype(plan.dtype))
    return feeds


def op_params(case: OpCase, dtype: str, seed: int) -> list[Array]:
    """Return random parameters, scaled so that outputs are of order one."""
    rng = np.random.default_rng(seed + 1000)
    values = [rng.normal(size=shape) / max(1, shape[0]) ** 0.5 for shape in case.params]
    first = len(values) - case.constants
    values[first:] = [np.sort(np.abs(value), axis=None).reshape(value.shape) + 0.2 for value in values[first:]]
    return [value.astype(dtype) for value in values]


ACTIVATIONS: Sequence[tuple[str, float]] = (
    ("linear", 0.0), ("sigmoid", 0.0), ("tanh", 0.0), ("relu", 0.0), ("leaky_relu", 0.2), ("leaky_relu", 0.0),
)  # fmt: skip


def op_cases() -> Iterator[OpCase]:
    """Yield every case: odd sizes for the products, every option for the rest."""
    for name, slope in ACTIVATIONS:
        yield OpCase("dense", ((-1, 7),), ((-1, 5),), ((7, 5), (5,)),
                     {"activation": name, "negative_slope": slope}, length=7)  # fmt: skip
        yield OpCase("activation", ((-1, 3, 21),), ((-1, 3, 21),), (), {"function": name, "negative_slope": slope})
    for inside, units in ((1, 1), (7, 1), (1, 64), (63, 65), (64, 63), (65, 17), (300, 33), (0, 3)):
        yield OpCase("dense", ((-1, inside),), ((-1, units),), ((inside, units), (units,)), length=max(inside, 65))
    yield OpCase("dense", ((-1, 3, 9),), ((-1, 3, 11),), ((9, 11),), {"activation": "tanh"}, length=200)
    for cols in (1, 7, 10, 63, 64, 65, 130):
        yield OpCase("activation", ((-1, cols),), ((-1, cols),), (), {"function": "softmax"}, length=cols)
        yield OpCase("softmax_crossentropy", ((-1, cols),) * 2, ((-1,), (-1, cols)), kinds="xd", length=cols)
        yield OpCase("mean_squared_error", ((-1, cols),) * 2, ((-1,),), length=cols)
    for ta in (False, True):
        for tb in (False, True):
            a, b = ((9, 5) if ta else (5, 9)), ((6, 9) if tb else (9, 6))
            attrs: dict[str, Attribute] = {"transpose_a": ta, "transpose_b": tb}
            yield OpCase("matmul", ((-1, 2, *a), (-1, 2, *b)), ((-1, 2, 5, 6),), attrs=attrs, length=9)
    for rate in (0.0, 0.3, 1.0):
        yield OpCase("dropout", ((-1, 5, 13),), ((-1, 5, 13),), attrs={"rate": rate, "seed": 2**63 + 12345})
    yield from noise_cases()
    yield from normalization_cases()
    yield from encoding_cases()
    yield OpCase("flatten", ((-1, 3, 5),), ((-1, 15),))
    yield OpCase("reshape", ((-1, 3, 5),), ((-3, 5),), attrs={"shape": (-3, 5)})
    for n in (1, 2, 4):
        yield OpCase("add", ((-1, 3, 7),) * n, ((-1, 3, 7),))
    yield OpCase("concatenate", ((-1, 3), (-1, 1), (-1, 70)), ((-1, 74),), attrs={"axis": 1})
    yield OpCase("concatenate", ((-1, 2, 4), (-1, 3, 4)), ((-1, 5, 4),), attrs={"axis": 1})
    yield OpCase("mean_absolute_error", ((-1, 3, 7),) * 2, ((-1,),), length=21)
    for smoothing in (0.0, 0.1):
        s: dict[str, Attribute] = {"label_smoothing": smoothing}
        yield OpCase("binary_crossentropy", ((-1, 3, 7),) * 2, ((-1,),), attrs=s, kinds="pt", length=21)
        yield OpCase("sigmoid_crossentropy", ((-1, 3, 7),) * 2, ((-1,), (-1, 3, 7)), attrs=s, kinds="xt", length=21)
        yield OpCase("categorical_crossentropy", ((-1, 3, 7),) * 2, ((-1,),), attrs=s, kinds="pd", length=21)
        yield OpCase("softmax_crossentropy", ((-1, 3, 7),) * 2, ((-1,), (-1, 3, 7)), attrs=s, kinds="xd", length=21)
    for shape in ((-1, 7), (-1, 3, 7), (-1, 2, 3, 70)):
        yield OpCase("sparse_categorical_crossentropy", (shape, shape[:-1]), ((-1,),), kinds="pi", length=21)
        yield OpCase("sparse_softmax_crossentropy", (shape, shape[:-1]), ((-1,), shape), kinds="xi", length=21)
        yield OpCase("sparse_categorical_accuracy", (shape, shape[:-1]), ((-1,),), kinds="xi", differentiable=False)
        yield OpCase("categorical_accuracy", (shape, shape), ((-1,),), kinds="xd", differentiable=False)
    yield OpCase("accuracy", ((-1, 3, 7),) * 2, ((-1,),), kinds="tt", differentiable=False)
    for threshold in (0.5, 0.25):
        yield OpCase("binary_accuracy", ((-1, 3, 7),) * 2, ((-1,),), attrs={"threshold": threshold}, kinds="pt",
                     differentiable=False)  # fmt: skip


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
                     integer_output=True)  # fmt: skip
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

FUNCTIONS = ("linear", "sigmoid", "tanh", "relu", "leaky_relu", "softmax")


def layer_cases() -> Iterator[LayerCase]:
    """Yield at least one row for every layer."""
    yield LayerCase("InputLayer", {"shape": (2, 3)}, (), (2, 3))
    for function in FUNCTIONS:
        yield LayerCase("Dense", {"units": 5, "activation": function}, ((7,),), (5,), length=7)
        yield LayerCase("Activation", {"activation": function}, ((3, 7),), (3, 7), length=7)
    yield LayerCase("Dense", {"units": 4, "use_bias": False, "activation": "tanh"}, ((2, 3),), (2, 4), length=6)
    chosen = {"units": 33, "kernel_initializer": "he_normal", "bias_initializer": "ones"}
    yield LayerCase("Dense", chosen, ((17,),), (33,), length=17)
    yield LayerCase("Dense", {"units": 1}, ((1,),), (1,))
    for rate in (0.0, 0.4):
        yield LayerCase("Dropout", {"rate": rate, "seed": 2**64 - 3}, ((3, 5),), (3, 5))
    for noise_shape in ((None, 1, None), (1, 3, 1)):
        for cls in ("Dropout", "AlphaDropout"):
            yield LayerCase(cls, {"rate": 0.4, "noise_shape": noise_shape, "seed": 5}, ((3, 5),), (3, 5))
    yield LayerCase("SpatialDropout1D", {"rate": 0.3, "seed": 1}, ((3, 5),), (3, 5))
    yield LayerCase("AlphaDropout", {"rate": 0.2, "seed": 7}, ((3, 5),), (3, 5))
    yield LayerCase("GaussianNoise", {"stddev": 0.5, "seed": 2**64 - 1}, ((3, 5),), (3, 5))
    yield LayerCase("GaussianDropout", {"rate": 0.3, "seed": 0}, ((3, 5),), (3, 5))
    for axis in (-1, 1):
        yield LayerCase("BatchNormalization", {"axis": axis, "momentum": 0.8}, ((6, 4),), (6, 4), length=65 * 24)
        yield LayerCase("GroupNormalization", {"groups": 2, "axis": axis}, ((6, 4),), (6, 4), length=24)
        yield LayerCase("LayerNormalization", {"axis": axis, "epsilon": 0.1}, ((6, 4),), (6, 4), length=24)
        yield LayerCase("UnitNormalization", {"axis": axis}, ((6, 4),), (6, 4), length=6)
        yield LayerCase("RMSNormalization", {"axis": axis}, ((6, 4),), (6, 4), length=24)
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
    for count in (1, 2, 3):
        yield LayerCase("Add", {}, ((2, 3),) * count, (2, 3), length=count)
    yield LayerCase("Concatenate", {}, ((3,), (1,), (5,)), (9,))
    yield LayerCase("Concatenate", {"axis": 1}, ((2, 3), (4, 3)), (6, 3))
    yield LayerCase("Concatenate", {"axis": -2}, ((2, 3), (4, 3)), (6, 3))


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


def loss_cases() -> Iterator[ScoreCase]:
    """Yield at least one row for every loss."""
    for shape in ((5,), (3, 4), (1,)):
        yield ScoreCase("MeanSquaredError", {}, "xx", shape)
        yield ScoreCase("MeanAbsoluteError", {}, "xx", shape)
        for smoothing in (0.0, 0.2):
            yield ScoreCase("BinaryCrossentropy", {"label_smoothing": smoothing}, "pt", shape)
            yield ScoreCase("BinaryCrossentropy", {"label_smoothing": smoothing, "from_logits": True}, "xt", shape)
    for shape in ((5,), (3, 4)):
        for smoothing in (0.0, 0.2):
            yield ScoreCase("CategoricalCrossentropy", {"label_smoothing": smoothing}, "pd", shape)
            yield ScoreCase("CategoricalCrossentropy", {"label_smoothing": smoothing, "from_logits": True}, "xd", shape)
        yield ScoreCase("SparseCategoricalCrossentropy", {}, "pi", shape)
        yield ScoreCase("SparseCategoricalCrossentropy", {"from_logits": True}, "xi", shape)


def metric_cases() -> Iterator[ScoreCase]:
    """Yield at least one row for every metric: each loss is one too."""
    yield from loss_cases()
    for shape in ((5,), (3, 4)):
        yield ScoreCase("Accuracy", {}, "tt", shape)
        yield ScoreCase("CategoricalAccuracy", {}, "xd", shape)
        yield ScoreCase("SparseCategoricalAccuracy", {}, "xi", shape)
    for shape in ((5,), (3, 4), (1,)):
        yield ScoreCase("BinaryAccuracy", {}, "pt", shape)
        yield ScoreCase("BinaryAccuracy", {"threshold": 0.25}, "pt", shape)


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
    yield ClassCase("TerminateOnNaN")


def missing(registered: Iterable[str], cases: Iterable[ClassCase]) -> list[str]:
    """Return the registered classes for which there is no row."""
    return sorted(set(registered) - {case.cls for case in cases})
