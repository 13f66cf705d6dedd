"""What a forward pass costs: floating-point operations and memory of every layer, read from the plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, cast

from fastgd.ops.builder import PlanBuilder
from fastgd.plan import ITEM_SIZES, Step, resolve_shape
from fastgd.utils.structure import pack

if TYPE_CHECKING:
    from fastgd.models.model import Model

# They move elements or take note of them, and compute nothing.
_MOVES = frozenset(
    {
        "broadcast_to",
        "cast",
        "concatenate",
        "constant",
        "embedding",
        "flatten",
        "gather",
        "pad",
        "parameter",
        "reshape",
        "slice",
    }
    | {"one_hot", "transpose"}
)
# Their outputs are the memory of their input, or of a weight.
_VIEWS = frozenset({"flatten", "parameter", "reshape"})
# Where the kernel's axes of multiply-adds end that each element of the output, or of the input, takes part in.
_BY_OUTPUT = {"convolution": -1, "depthwise_convolution": -2}
_BY_INPUT = {"transposed_convolution": -1}
_RECURRENT = frozenset({"gru", "lstm", "simple_rnn"})
_WINDOWED = frozenset({"average_pool", "max_pool"})


@dataclass(frozen=True)
class Cost:
    """What a step, a layer or a model costs for one batch.

    Attributes:
        flops: the floating-point operations of a forward pass: two for a multiply-add, one for each weight that is
            added and each element that is otherwise computed or, where these are more, read; none for moving elements.
        bytes: the memory of the tensors that a forward pass makes.
    """

    flops: int = 0
    bytes: int = 0

    def __add__(self, other: Cost) -> Cost:
        """Return the sum."""
        return Cost(self.flops + other.flops, self.bytes + other.bytes)


def costs_by_scope(model: Model, batch_size: int = 1) -> dict[str, Cost]:
    """Return the costs of a forward pass in training by the paths of layers, such as "block/dense"; "" outside of all.

    Args:
        model: the model, built.
        batch_size: the samples.
    """
    builder = PlanBuilder(model.dtype, training=True)
    graph = model.graph
    placeholders = zip(graph.input_names, graph.flat_inputs, strict=True)
    graph.run(pack(graph.inputs, [builder.input(name, x.dims, x.plan_dtype) for name, x in placeholders]))
    plan = builder.build()
    shapes = {spec.name: resolve_shape(spec.shape, batch_size) for spec in plan.tensors}
    sizes = {spec.name: ITEM_SIZES[spec.dtype] for spec in plan.tensors}
    weights = {spec.name: spec.shape for spec in plan.params}
    costs: dict[str, Cost] = {}
    for step in plan.steps:
        made = 0 if step.op in _VIEWS else sum(prod(shapes[name]) * sizes[name] for name in step.outputs)
        scope = step.outputs[0].rpartition("/")[0]
        costs[scope] = costs.get(scope, Cost()) + Cost(step_flops(step, shapes, weights), made)
    return costs


def cost_below(costs: Mapping[str, Cost], path: str) -> Cost:
    """Return the costs of the layer at a path, with the layers inside it; of everything for an empty path."""
    inside = (cost for scope, cost in costs.items() if not path or scope == path or scope.startswith(f"{path}/"))
    return sum(inside, Cost())


def step_flops(step: Step, shapes: Mapping[str, tuple[int, ...]], weights: Mapping[str, tuple[int, ...]]) -> int:
    """Return the floating-point operations of a step in a forward pass, as `Cost` counts them.

    Args:
        step: the step.
        shapes: the shapes of all tensors for the batch at hand.
        weights: the shapes of all parameters.
    """
    out = prod(shapes[step.outputs[0]])
    read = [prod(shapes[name]) for name in step.inputs]
    if step.op in _MOVES:
        return 0
    if step.op == "dense" or step.op in _BY_OUTPUT or step.op in _BY_INPUT:
        kernel = weights[step.params[0]]
        if step.op == "dense":
            products = out * shapes[step.inputs[0]][-1]
        elif step.op in _BY_OUTPUT:
            products = out * prod(kernel[: _BY_OUTPUT[step.op]])
        else:
            products = read[0] * prod(kernel[: _BY_INPUT[step.op]])
        added = out * (len(step.params) - 1)
        return 2 * products + added + (out if step.attrs.get("activation", "linear") != "linear" else 0)
    if step.op == "attention":
        # Products with keys and with values, and the softmax of the scores.
        scores, q, v = (shapes[name] for name in (step.outputs[1], step.inputs[0], step.outputs[0]))
        return prod(scores) + 2 * prod(scores) // scores[1] * (q[2] + v[2])
    if step.op in _RECURRENT:
        # Both products of every gate, and what follows of every element of them.
        kernel, recurrent = weights[step.params[0]], weights[step.params[1]]
        return prod(shapes[step.inputs[0]][:2]) * (2 * (prod(kernel) + prod(recurrent)) + 3 * kernel[1])
    if step.op == "matmul":
        a = shapes[step.inputs[0]]
        return 2 * out * (a[-2] if step.attrs.get("transpose_a") else a[-1])
    if step.op in _WINDOWED:
        return out * prod(cast("tuple[int, ...]", step.attrs["window"]))
    return max([out, *read])
