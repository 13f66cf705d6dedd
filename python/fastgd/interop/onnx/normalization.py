"""Normalisations of the plan in ONNX, by what they become outside training."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from fastgd.interop.onnx.graph import Array, GraphWriter, exports, flag, number
from fastgd.plan import Attribute, Step


def _affine(g: GraphWriter, step: Step) -> tuple[Array | None, Array | None, list[Array]]:
    """Return gamma and beta, None without, and the other parameters."""
    params = [g.param(name) for name in step.params]
    gamma = params.pop(0) if flag(step.attrs, "scale", True) else None
    beta = params.pop(0) if flag(step.attrs, "center", True) else None
    return gamma, beta, params


def _axis(attrs: Mapping[str, Attribute]) -> int:
    return int(number(attrs, "axis"))


def _along(value: Array, axis: int, rank: int) -> Array:
    """Return what lies along the axes from `axis` on, in a shape that is broadcast against a tensor."""
    return value.reshape(*value.shape, *(1,) * (rank - axis - value.ndim))


def _scale_and_shift(g: GraphWriter, x: str, gamma: Array | None, beta: Array | None) -> str:
    y = x if gamma is None else g.multiply(x, g.constant(gamma))
    return y if beta is None else g.add(y, g.constant(beta))


@exports("batch_normalization")
def batch_normalization(g: GraphWriter, step: Step) -> None:
    """BatchNormalization over the channels, where these are the last axis; else a factor and a summand."""
    (x,), (y,), axis = step.inputs, step.outputs, _axis(step.attrs)
    gamma, beta, (mean, variance) = _affine(g, step)
    size, rank, epsilon = len(mean), len(g.dims[x]), number(step.attrs, "epsilon", 1e-3)
    gamma, beta = np.ones(size) if gamma is None else gamma, np.zeros(size) if beta is None else beta
    if axis == rank - 1:
        given = [g.constant(value) for value in (gamma, beta, mean, variance)]
        g.set_first(y, g.node("BatchNormalization", [g.get_first(x), *given], epsilon=epsilon))
        return
    factor = gamma / np.sqrt(variance + epsilon)
    shape = [size if k == axis else 1 for k in range(rank)]
    g.set(y, _scale_and_shift(g, g.get(x), factor.reshape(shape), (beta - mean * factor).reshape(shape)))


def _standardised(g: GraphWriter, x: str, axes: list[int], epsilon: float) -> str:
    """Return (x - mean) / sqrt(variance + epsilon) along axes."""
    centred = g.node("Sub", [x, g.reduce("ReduceMean", x, axes)])
    variance = g.reduce("ReduceMean", g.multiply(centred, centred), axes)
    return g.node("Div", [centred, g.node("Sqrt", [g.add(variance, g.constant(epsilon))])])


@exports("group_normalization")
def group_normalization(g: GraphWriter, step: Step) -> None:
    """Each group of channels as a row that is standardised."""
    (x,), (y,), axis = step.inputs, step.outputs, _axis(step.attrs)
    gamma, beta, _ = _affine(g, step)
    dims, rank = g.dims[x], len(g.dims[x])
    groups, epsilon = int(number(step.attrs, "groups")), number(step.attrs, "epsilon", 1e-3)
    order = [0, axis, *(k for k in range(1, rank) if k != axis)]
    moved = [dims[k] for k in order]
    value = g.get(x) if order == list(range(rank)) else g.node("Transpose", [g.get(x)], perm=order)
    rows = g.reshape(value, [dims[0], groups, math.prod(moved[1:]) // groups])
    value = g.reshape(_standardised(g, rows, [2], epsilon), moved)
    affine = [None if v is None else v.reshape(-1, *(1,) * (rank - 2)) for v in (gamma, beta)]
    value = _scale_and_shift(g, value, *affine)
    g.set(y, value if order == list(range(rank)) else g.node("Transpose", [value], perm=np.argsort(order).tolist()))


def _axes(g: GraphWriter, step: Step) -> list[int]:
    axis = _axis(step.attrs)
    return list(range(axis, axis + int(number(step.attrs, "axes"))))


@exports("layer_normalization")
def layer_normalization(g: GraphWriter, step: Step) -> None:
    """LayerNormalization over the last axes; over others by its formula."""
    (x,), (y,), axes = step.inputs, step.outputs, _axes(g, step)
    gamma, beta, _ = _affine(g, step)
    rank, epsilon = len(g.dims[x]), number(step.attrs, "epsilon", 1e-3)
    if axes[-1] == rank - 1:
        scale = np.ones([g.dims[x][k] for k in axes]) if gamma is None else gamma
        given = [g.constant(scale), *([] if beta is None else [g.constant(beta)])]
        g.set(y, g.node("LayerNormalization", [g.get(x), *given], axis=axes[0], epsilon=epsilon))
        return
    affine = [None if v is None else _along(v, axes[0], rank) for v in (gamma, beta)]
    g.set(y, _scale_and_shift(g, _standardised(g, g.get(x), axes, epsilon), *affine))


@exports("rms_normalization")
def rms_normalization(g: GraphWriter, step: Step) -> None:
    """y = gamma x / sqrt(mean(x^2) + epsilon)."""
    x, axes = g.get(step.inputs[0]), _axes(g, step)
    mean = g.reduce("ReduceMean", g.multiply(x, x), axes)
    y = g.node("Div", [x, g.node("Sqrt", [g.add(mean, g.constant(number(step.attrs, "epsilon", 1e-6)))])])
    gamma = _affine(g, Step(step.op, (), (), step.params, {**step.attrs, "center": False}))[0]
    rank = len(g.dims[step.inputs[0]])
    g.set(step.outputs[0], _scale_and_shift(g, y, None if gamma is None else _along(gamma, axes[0], rank), None))


@exports("unit_normalization")
def unit_normalization(g: GraphWriter, step: Step) -> None:
    """y = x / max(sqrt(sum(x^2)), epsilon)."""
    x = g.get(step.inputs[0])
    length = g.node("Sqrt", [g.reduce("ReduceSum", g.multiply(x, x), _axes(g, step))])
    bound = g.constant(number(step.attrs, "epsilon", 1e-12))
    g.set(step.outputs[0], g.node("Div", [x, g.node("Max", [length, bound])]))


def _placed(g: GraphWriter, step: Step) -> list[Array]:
    """Return the constants of a step in shapes that are broadcast against its input."""
    axis = step.attrs.get("axis")
    rank = len(g.dims[step.inputs[0]])
    found = [g.param(name) for name in step.params]
    return [value.reshape(()) if axis is None else _along(value, int(axis), rank) for value in found]  # type: ignore[arg-type]


@exports("rescale")
def rescale(g: GraphWriter, step: Step) -> None:
    """y = x scale + offset."""
    scale, offset = _placed(g, step)
    g.set(step.outputs[0], _scale_and_shift(g, g.get(step.inputs[0]), scale, offset))


@exports("standardize")
def standardize(g: GraphWriter, step: Step) -> None:
    """y = (x - mean) / d, or x d + mean."""
    mean, variance = _placed(g, step)
    deviation = np.maximum(np.sqrt(variance), number(step.attrs, "epsilon", 1e-7))
    x = g.get(step.inputs[0])
    if flag(step.attrs, "invert"):
        g.set(step.outputs[0], _scale_and_shift(g, x, deviation, mean))
    else:
        g.set(step.outputs[0], g.node("Div", [g.node("Sub", [x, g.constant(mean)]), g.constant(deviation)]))
