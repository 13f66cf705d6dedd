"""The two passes over a batch: forward through the steps, then backward with the chain rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgd.plan import Plan, resolve_shape
from fastgd.reference.program import Node, Program
from fastgd.reference.registry import Array, Context
from fastgd.reference.terms import start_gradient


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch on its way through the network: its circumstances (see Context), and every tensor by its name."""

    size: int
    training: bool
    iteration: int
    dtype: np.dtype[Any]
    values: dict[str, Array]
    updates: bool = False
    keeps_states: bool = False


@dataclass(frozen=True, slots=True)
class Trace:
    """What a step leaves behind for its backward pass: its context, its inputs and all its outputs.

    The plan may leave out later outputs of a step, the backward pass may read them all the same.
    """

    node: Node
    ctx: Context
    inputs: Sequence[Array]
    outputs: Sequence[Array]


def run_forward(program: Program, params: Sequence[Array], batch: Batch) -> list[Trace]:
    """Compute every tensor of the program into `batch.values` and return what backward needs of each step.

    Raises:
        ValueError: if a step refuses its inputs or gives another shape than the plan says, after "[op]".
    """
    traces = []
    for node in program.nodes:
        ctx = Context(
            batch.training,
            batch.iteration,
            batch.dtype,
            batch.size,
            node.input_needs,
            node.param_needs,
            batch.updates,
            batch.keeps_states,
        )
        inputs = [batch.values[name] for name in node.step.inputs]
        try:
            outputs = node.op.forward(ctx, inputs, [params[place] for place in node.params], node.step.attrs)
        except ValueError as error:
            if node.op.calls_back:
                raise
            raise ValueError(f"[{node.step.op}] {error}") from error
        _keep_outputs(node, outputs, batch)
        traces.append(Trace(node, ctx, inputs, outputs))
    return traces


def _keep_outputs(node: Node, outputs: Sequence[Array], batch: Batch) -> None:
    """Store the outputs of a step after comparing them with the plan."""
    if len(outputs) < len(node.outputs):
        raise ValueError(f"[{node.step.op}] gives {len(outputs)} outputs, the plan says {len(node.outputs)}")
    for spec, value in zip(node.outputs, outputs, strict=False):
        expected = resolve_shape(spec.shape, batch.size)
        if value.shape != expected:
            raise ValueError(f"[{node.step.op}] `{spec.name}` has shape {value.shape}, the plan says {expected}")
        if value.dtype != spec.dtype:
            raise ValueError(f"[{node.step.op}] `{spec.name}` is {value.dtype}, the plan says {spec.dtype}")
        batch.values[spec.name] = value


def run_backward(
    plan: Plan,
    params: Sequence[Array],
    batch: Batch,
    traces: Sequence[Trace],
    d_params: Sequence[Array | None],
    loss_scale: float = 1.0,
) -> dict[str, Array]:
    """Carry gradients from the losses back through the steps and return those of the inputs.

    The chain rule over a graph: a step runs once all that follow it have run, and then holds the whole gradient of its
    outputs, because gradients that arrive over several branches have been added up.

    Args:
        plan: the plan, for its losses.
        params: the parameters.
        batch: the batch after its forward pass.
        traces: what `run_forward` returned.
        d_params: for each parameter the array to which its gradient is added; None for one that is not trained.
        loss_scale: what the total loss is multiplied by.
    """
    d_values: dict[str, Array] = {}
    for term in plan.losses:
        # A loss of weight 0 is only watched; multiplying by 0 would turn an infinite slope into NaN.
        if term.weight != 0:
            _accumulate(d_values, term.tensor, loss_scale * start_gradient(term, batch.values, batch.size))
    for trace in reversed(traces):
        step, op = trace.node.step, trace.node.op
        # A step takes its outputs' gradients away: nobody before it needs them.
        d_outputs = [d_values.pop(name, None) for name in step.outputs]
        if op.backward is None or not trace.node.learns or all(dy is None for dy in d_outputs):
            continue
        weights = [params[place] for place in trace.node.params]
        d_inputs, d_weights = op.backward(trace.ctx, trace.inputs, weights, trace.outputs, d_outputs, step.attrs)
        for name, needed, dx in zip(step.inputs, trace.node.input_needs, d_inputs, strict=True):
            if needed and dx is not None:
                _accumulate(d_values, name, dx)
        for place, dw in zip(trace.node.params, d_weights, strict=True):
            target = d_params[place]
            if target is not None and dw is not None:
                target += dw
    return d_values


def _accumulate(d_values: dict[str, Array], name: str, d: Array) -> None:
    """Add a gradient to those that a tensor has got so far; not in place, another branch may hold the same array."""
    d_values[name] = d_values[name] + d if name in d_values else d
