"""Gradients of any plan against finite differences: the check, and a small builder of plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.plan import ParamSpec, Plan, Step, TensorSpec, Term
from fastgd.reference import Executor
from tolerances import GRADIENT_CHECK, GRADIENT_STEP

Array = npt.NDArray[Any]


def total_loss(plan: Plan, tensors: Mapping[str, Array]) -> float:
    """Return the weighted sum of the losses from the tensors that `inspect` shows."""
    total = 0.0
    for term in plan.losses:
        v = tensors[term.tensor]
        s = np.ones_like(v) if term.sample_weight is None else tensors[term.sample_weight]
        total += term.weight * float(np.sum(s * v)) / (1 if term.reduction == "sum" else len(tensors[plan.inputs[0]]))
    return total


def finite_differences(f: Callable[[], float], x: Array, step: float = GRADIENT_STEP) -> Array:
    """Return df/dx to the fourth order: (f(x-2h) - 8f(x-h) + 8f(x+h) - f(x+2h)) / 12h, for each element of x."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        kept = x[index]
        values = []
        for multiple in (-2, -1, 1, 2):
            x[index] = kept + multiple * step
            values.append(f())
        x[index] = kept
        gradient[index] = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * step)
    return gradient


def check_gradients(
    plan: Plan,
    feeds: Sequence[Array],
    params: Sequence[Array] = (),
    executor: Any = None,
    tolerance: float = GRADIENT_CHECK,
) -> dict[str, Array]:
    """Compare every gradient that `inspect` gives with finite differences of the total loss.

    Args:
        plan: a float64 plan with losses.
        feeds: one array per input; the floating ones are copied before they are changed.
        params: one array per parameter.
        executor: what runs the plan, the reference by default.
        tolerance: the largest error allowed, relative to the largest element of the gradient.

    Returns:
        What `inspect` gave.
    """
    assert plan.dtype == "float64"
    runner = Executor(plan) if executor is None else executor
    arrays = [np.array(array) for array in feeds]
    weights = [np.array(array) for array in params]
    runner.bind_parameters(weights)
    seen: dict[str, Array] = runner.inspect(arrays)
    moved = dict(zip(plan.inputs, arrays, strict=True))
    trainable = {spec.name: w for spec, w in zip(plan.params, weights, strict=True) if spec.trainable}
    moved |= trainable
    names = [name[2:] for name in seen if name.startswith("d:")]
    assert names
    assert set(trainable) <= set(names)
    for name in names:
        expected = finite_differences(lambda: total_loss(plan, runner.inspect(arrays)), moved[name])
        actual = seen["d:" + name]
        assert actual.shape == expected.shape
        scale = max(float(np.max(np.abs(expected))), float(np.max(np.abs(actual))), 1e-3)
        error = float(np.max(np.abs(actual - expected))) / scale
        assert error < tolerance, f"d:{name} is off by {error:.2e}:\n{actual}\nfinite differences:\n{expected}"
    return seen


class PlanBuilder:
    """Writes a plan down step by step: each method adds to it and returns the new tensor's name."""

    def __init__(self, dtype: str = "float64") -> None:
        self.dtype = dtype
        self.tensors: list[TensorSpec] = []
        self.params: list[ParamSpec] = []
        self.steps: list[Step] = []
        self.inputs: list[str] = []
        self.losses: list[Term] = []
        self.metrics: list[Term] = []

    def tensor(self, name: str, *shape: int, dtype: str | None = None) -> str:
        """Declare a tensor; `shape` leaves the batch out."""
        self.tensors.append(TensorSpec(name, (-1, *shape), dtype or self.dtype))
        return name

    def input(self, name: str, *shape: int, dtype: str | None = None) -> str:
        """Declare a tensor that is fed."""
        self.inputs.append(self.tensor(name, *shape, dtype=dtype))
        return name

    def param(self, name: str, *shape: int, trainable: bool = True) -> str:
        """Declare a parameter."""
        self.params.append(ParamSpec(name, shape, trainable))
        return name

    def step(
        self, op: str, inputs: Sequence[str], name: str, *shape: int, params: Sequence[str] = (), **attrs: Any
    ) -> str:
        """Add a step with one output of the given shape, the batch left out."""
        self.steps.append(Step(op, tuple(inputs), (self.tensor(name, *shape),), tuple(params), attrs))
        return name

    def loss(
        self, op: str, inputs: Sequence[str], name: str = "loss", term: Mapping[str, Any] | None = None, **attrs: Any
    ) -> str:
        """Add a loss and the term that follows it."""
        self.step(op, inputs, name, **attrs)
        self.losses.append(Term(name, name, **(term or {})))
        return name

    def metric(self, op: str, inputs: Sequence[str], name: str, sample_weight: str | None = None, **attrs: Any) -> str:
        """Add a metric and the term that follows it."""
        self.step(op, inputs, name, **attrs)
        self.metrics.append(Term(name, name, sample_weight=sample_weight))
        return name

    def build(self, *outputs: str) -> Plan:
        """Return the plan."""
        return Plan(
            self.dtype,
            tuple(self.tensors),
            tuple(self.params),
            tuple(self.steps),
            tuple(self.inputs),
            outputs,
            tuple(self.losses),
            tuple(self.metrics),
        )
