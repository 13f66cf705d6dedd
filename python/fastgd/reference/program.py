"""Turning a plan into a program: the plan is checked once, then cut down to the steps that a mode needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from fastgd.plan import ITEM_SIZES, ParamSpec, Plan, Step, TensorSpec
from fastgd.reference.constraints import check_constraint
from fastgd.reference.registry import Op, lookup
from fastgd.reference.terms import check_terms

Spec = TypeVar("Spec", TensorSpec, ParamSpec)


@dataclass(frozen=True, slots=True)
class Node:
    """A step made ready to run: its op, its outputs' specs, its parameters' places, and which gradients are wanted."""

    step: Step
    op: Op
    outputs: tuple[TensorSpec, ...]
    params: tuple[int, ...]
    input_needs: tuple[bool, ...]
    param_needs: tuple[bool, ...]

    @property
    def learns(self) -> bool:
        """Whether anything wants a gradient from this step."""
        return self.op.backward is not None and (any(self.input_needs) or any(self.param_needs))


@dataclass(frozen=True, slots=True)
class Program:
    """The steps that a mode runs and the inputs that it reads."""

    nodes: tuple[Node, ...]
    inputs: frozenset[str]


def check_plan(plan: Plan) -> None:
    """Check everything about a plan that does not depend on data.

    Raises:
        ValueError: for the first fault, naming the step and the tensor.
    """
    if plan.dtype not in ("float32", "float64"):
        raise ValueError(f"the plan's dtype must be float32 or float64. Received: dtype={plan.dtype!r}")
    tensors = _by_name(plan.tensors, "tensor")
    params = _by_name(plan.params, "parameter")
    for spec in plan.tensors:
        if spec.dtype not in (plan.dtype, "int32") or spec.dtype not in ITEM_SIZES:
            raise ValueError(f"tensor `{spec.name}` must be {plan.dtype} or int32. Received: dtype={spec.dtype!r}")
    for name in plan.inputs:
        if name not in tensors:
            raise ValueError(f"input `{name}` is not a tensor of the plan")
        if tensors[name].shape[:1] != (-1,):
            raise ValueError(f"input `{name}` must have the batch, -1, first. Received: shape={tensors[name].shape}")
    for param in plan.params:
        check_constraint(param)
    known = set(plan.inputs)
    for step in plan.steps:
        _check_step(step, tensors, params, known)
        known.update(step.outputs)
    check_terms(plan)
    for name in (*plan.outputs, *(term.tensor for term in plan.losses + plan.metrics)):
        if name not in known:
            raise ValueError(f"tensor `{name}` is never produced")


def _by_name(specs: Iterable[Spec], kind: str) -> dict[str, Spec]:
    """Return the specs by their names, which must differ."""
    found: dict[str, Spec] = {}
    for spec in specs:
        if spec.name in found:
            raise ValueError(f"{kind} `{spec.name}` appears twice in the plan")
        found[spec.name] = spec
    return found


def _check_step(step: Step, tensors: dict[str, TensorSpec], params: dict[str, ParamSpec], known: set[str]) -> None:
    """Check the names of one step, given the tensors known before it."""
    lookup(step.op)
    for name in step.inputs:
        if name not in known:
            raise ValueError(f"[{step.op}] tensor `{name}` is used before it is produced")
    for name in step.outputs:
        if name not in tensors:
            raise ValueError(f"[{step.op}] output `{name}` is not a tensor of the plan")
        if name in known:
            raise ValueError(f"[{step.op}] tensor `{name}` is produced twice")
    for name in step.params:
        if name not in params:
            raise ValueError(f"[{step.op}] parameter `{name}` is not in the plan")


def build_program(plan: Plan, wanted: Iterable[str], model_inputs: Iterable[str] = ()) -> Program:
    """Keep the steps that lead to the `wanted` tensors and find out which gradients backward has to compute.

    Args:
        plan: a checked plan.
        wanted: the tensors to compute.
        model_inputs: the inputs whose gradients are wanted, besides those of the trainable parameters.
    """
    needed = set(wanted)
    live = []
    for step in reversed(plan.steps):
        if needed.intersection(step.outputs):
            live.append(step)
            needed.update(step.inputs)
    tensors = {spec.name: spec for spec in plan.tensors}
    places = {spec.name: place for place, spec in enumerate(plan.params)}
    # The tensors on a path from something that is trained: only they get gradients.
    moving = set(model_inputs)
    nodes = []
    for step in reversed(live):
        op = lookup(step.op)
        node = Node(
            step,
            op,
            tuple(tensors[name] for name in step.outputs),
            tuple(places[name] for name in step.params),
            tuple(
                name in moving and op.carries_gradient(k, step.attrs) and not op.is_flat(step.attrs)
                for k, name in enumerate(step.inputs)
            ),
            tuple(plan.params[places[name]].trainable for name in step.params),
        )
        nodes.append(node)
        if node.learns:
            moving.update(spec.name for spec in node.outputs if spec.dtype == plan.dtype)
    return Program(tuple(nodes), frozenset(needed.intersection(plan.inputs)))


def find_model_inputs(plan: Plan) -> tuple[str, ...]:
    """Return the floating inputs that some step can pass a gradient to, which leaves out targets and weights."""
    reached = {
        name
        for step in plan.steps
        for position, name in enumerate(step.inputs)
        if lookup(step.op).carries_gradient(position, step.attrs)
    }
    return tuple(name for name in plan.inputs if name in reached and plan.tensor(name).dtype == plan.dtype)
