"""The rows that the contract tests run over: a small plan for every op, with every option that changes its arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

    @property
    def id(self) -> str:
        options = ",".join(f"{k}={v}" for k, v in self.attrs.items())
        return f"{self.op}{list(self.inputs)}{options}".replace(" ", "")


def op_plan(case: OpCase, dtype: str) -> Plan:
    """Return a plan that runs the op and sums its first output with random weights: the loss is sum(weights * y)."""
    kinds = case.kinds or "x" * len(case.inputs)
    tensors = [
        TensorSpec(f"x{i}", shape, "int32" if kinds[i] == "i" else dtype) for i, shape in enumerate(case.inputs)
    ]
    tensors += [TensorSpec(f"y{i}", shape, dtype) for i, shape in enumerate(case.outputs)]
    params = tuple(ParamSpec(f"w{i}", shape) for i, shape in enumerate(case.params))
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
        metrics = (Term("metric", "y0"),)
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
    return [(rng.normal(size=shape) / max(1, shape[0]) ** 0.5).astype(dtype) for shape in case.params]


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
