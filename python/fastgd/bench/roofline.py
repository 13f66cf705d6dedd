"""What a training step must cost at least: arithmetic and bytes counted from the plan, against the measured limits."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from fastgd.bench.results import Roofline
from fastgd.plan import ITEM_SIZES, Plan, UpdateSpec, resolve_shape

# The ops that multiply every element of their first parameter once for each point of a tensor: of their output, or,
# where they are the adjoint of another, of their input.
POINTS_OF_OUTPUT = ("dense", "convolution", "depthwise_convolution")
POINTS_OF_INPUT = ("transposed_convolution",)
# The ops that do so for each step of a sequence with their first two: the second always has a gradient by its operand,
# the state before.
RECURRENT = ("lstm", "gru", "simple_rnn")


@dataclass(frozen=True)
class Limits:
    """What the machine can do with the threads of a run.

    Attributes:
        flops: floating-point operations per second in the dtype of the workload.
        bandwidth: bytes per second from and to memory.
        cache: bytes of the last cache.
    """

    flops: float
    bandwidth: float
    cache: int


def count_arithmetic(plan: Plan, batch: int) -> float:
    """Return the floating-point operations of the products in one training step, a multiply-add counted as two.

    Elementwise functions, losses and updates are not counted: they are few beside the products, and no two people count
    them alike. A product's gradient by its first input is counted only where something that is trained lies behind it.
    A convolution counts as if its zeros beyond the borders were multiplied too.
    """
    trained = {spec.name for spec in plan.params if spec.trainable}
    differentiated: set[str] = set()
    total = 0.0
    for step in plan.steps:
        inputs_matter = [name in differentiated for name in step.inputs]
        if any(inputs_matter) or any(name in trained for name in step.params):
            differentiated.update(step.outputs)
        if step.op in (*POINTS_OF_OUTPUT, *POINTS_OF_INPUT):
            kernel = next(spec for spec in plan.params if spec.name == step.params[0])
            tensor = step.inputs[0] if step.op in POINTS_OF_INPUT else step.outputs[0]
            points = prod(resolve_shape(plan.tensor(tensor).shape, batch)[:-1])
            products = 1 + inputs_matter[0] + (kernel.name in trained)
            total += products * 2.0 * points * kernel.size
        elif step.op in RECURRENT:
            points = prod(resolve_shape(plan.tensor(step.inputs[0]).shape, batch)[:2])
            for name, matters in zip(step.params[:2], (inputs_matter[0], True), strict=True):
                kernel = next(spec for spec in plan.params if spec.name == name)
                total += (1 + matters + (name in trained)) * 2.0 * points * kernel.size
        elif step.op == "attention":
            q, k, v = (resolve_shape(plan.tensor(name).shape, batch) for name in step.inputs[:3])
            # The scores, and the sums of values by them; each with the gradients by both of its operands.
            total += (1 + 2 * any(inputs_matter)) * 2.0 * q[0] * q[1] * k[1] * (q[2] + v[2])
        elif step.op == "matmul":
            a = resolve_shape(plan.tensor(step.inputs[0]).shape, batch)
            y = resolve_shape(plan.tensor(step.outputs[0]).shape, batch)
            depth = a[-2] if step.attrs.get("transpose_a") else a[-1]
            total += (1 + sum(inputs_matter)) * 2.0 * prod(y) * depth
    return total


def count_traffic(plan: Plan, update: UpdateSpec) -> float:
    """Return the bytes of weights and slots that one update must move: each read once and written once.

    That is an update made while the gradient is at hand; a gradient that goes through memory costs two passes more.
    """
    parameters = sum(spec.size for spec in plan.params if spec.trainable)
    return 2.0 * (1 + len(update.slots)) * parameters * ITEM_SIZES[plan.dtype]


def make_roofline(plan: Plan, update: UpdateSpec, batch: int, limits: Limits) -> Roofline:
    """Return the least time of a step, without what fastgd made of it.

    The bytes take time of their own where what they belong to is more than half of the last cache.
    """
    arithmetic, traffic = count_arithmetic(plan, batch), count_traffic(plan, update)
    seconds = arithmetic / limits.flops
    if traffic / 2 > limits.cache / 2:
        seconds += traffic / limits.bandwidth
    return Roofline(arithmetic=arithmetic, traffic=traffic, floor=seconds * 1e6, peak_share=None, floor_share=None)


def add_shares(roofline: Roofline, microseconds: float, limits: Limits) -> None:
    """Enter which share of the peak and of the least time a measured step reached."""
    roofline["peak_share"] = roofline["arithmetic"] / (microseconds * 1e-6) / limits.flops
    roofline["floor_share"] = roofline["floor"] / microseconds
