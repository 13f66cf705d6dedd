"""Ops that bring activations to mean 0 and variance 1, or to length 1."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

import numpy.typing as npt

from fastgd import config
from fastgd.ops.axes import axes_behind_batch, require_neighbours
from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.parameters import Variable, as_variable
from fastgd.plan import Attribute

Weight = Variable | npt.ArrayLike


@works_on_arrays("x")
def batch_normalization(
    x: Tensor,
    mean: Weight,
    variance: Weight,
    axis: int = -1,
    offset: Weight | None = None,
    scale: Weight | None = None,
    epsilon: float = 1e-3,
    momentum: float | None = None,
) -> Tensor:
    """Return `scale (x - mean) / sqrt(variance + epsilon) + offset`, with one value of each per channel.

    Args:
        x: tensor (batch, ...).
        mean: array or variable (channels,).
        variance: array or variable (channels,).
        axis: the axis of the channels, any but the batch.
        offset: array or variable (channels,), or None for 0.
        scale: array or variable (channels,), or None for 1.
        epsilon: added to the variance.
        momentum: None, or the share of their values that `mean` and `variance`, variables that are not trainable, keep
            in training: then mean and biased variance of the batch take their place, and their rest flows into them.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if the shapes do not fit.
    """
    require_tensors("batch_normalization", x)
    place = _axes("batch_normalization", x, axis)[0]
    names = ("scale", "offset", "mean", "variance")
    params = _params(
        "batch_normalization", x, (x.dims[place],), zip(names, (scale, offset, mean, variance), strict=True)
    )
    attrs: dict[str, Attribute] = {
        "axis": place,
        "epsilon": float(epsilon),
        "scale": scale is not None,
        "center": offset is not None,
        "frozen": momentum is None,
    }
    if momentum is not None:
        attrs["momentum"] = float(momentum)
    return x.builder.emit("batch_normalization", [x], [x.dims], params, attrs)[0]


@works_on_arrays("x")
def group_normalization(
    x: Tensor,
    groups: int,
    axis: int = -1,
    gamma: Weight | None = None,
    beta: Weight | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    """Return `gamma (x - mean) / sqrt(variance + epsilon) + beta`, the moments being those of groups of channels.

    Args:
        x: tensor (batch, ...).
        groups: the number of groups into which the channels of each sample are cut.
        axis: the axis of the channels, any but the batch.
        gamma: array or variable (channels,), or None for 1.
        beta: array or variable (channels,), or None for 0.
        epsilon: added to the variance.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if the shapes do not fit or the groups do not divide the channels.
    """
    require_tensors("group_normalization", x)
    place = _axes("group_normalization", x, axis)[0]
    channels = x.dims[place]
    divides = groups >= 1 and channels % groups == 0
    require(divides, "group_normalization", f"the {channels} channels cannot be cut into groups={groups}")
    params = _params("group_normalization", x, (channels,), (("gamma", gamma), ("beta", beta)))
    attrs: dict[str, Attribute] = {
        "axis": place, "groups": groups, "epsilon": float(epsilon),
        "scale": gamma is not None, "center": beta is not None,
    }  # fmt: skip
    return x.builder.emit("group_normalization", [x], [x.dims], params, attrs)[0]


@works_on_arrays("x")
def layer_normalization(
    x: Tensor,
    gamma: Weight | None = None,
    beta: Weight | None = None,
    axis: int | Sequence[int] = -1,
    epsilon: float | None = None,
) -> Tensor:
    """Return `gamma (x - mean) / sqrt(variance + epsilon) + beta` with the moments along some axes of each sample.

    Args:
        x: tensor (batch, ...).
        gamma: array or variable of the sizes of those axes, or None for 1.
        beta: the same, or None for 0.
        axis: one axis, or several neighbours, none of them the batch.
        epsilon: added to the variance; `config.epsilon()` if None.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if the shapes do not fit or the axes are not neighbours.
    """
    return _normalize_rows("layer_normalization", x, axis, epsilon, {"gamma": gamma, "beta": beta})


@works_on_arrays("x")
def rms_normalization(
    x: Tensor, scale: Weight | None = None, axis: int | Sequence[int] = -1, epsilon: float | None = None
) -> Tensor:
    """Return `scale x / sqrt(mean(x^2) + epsilon)` with the mean along some axes of each sample.

    Args:
        x: tensor (batch, ...).
        scale: array or variable of the sizes of those axes, or None for 1.
        axis: one axis, or several neighbours, none of them the batch.
        epsilon: added to the mean; `config.epsilon()` if None.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if the shapes do not fit or the axes are not neighbours.
    """
    return _normalize_rows("rms_normalization", x, axis, epsilon, {"scale": scale})


@works_on_arrays("x")
def unit_normalization(x: Tensor, axis: int | Sequence[int] = -1, epsilon: float = 1e-12) -> Tensor:
    """Return `x min(1 / sqrt(sum(x^2)), 1 / epsilon)` with the sum along some axes of each sample.

    Args:
        x: tensor (batch, ...).
        axis: one axis, or several neighbours, none of them the batch.
        epsilon: shorter vectors than this are divided by it instead of their length.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if the axes are not neighbours.
    """
    return _normalize_rows("unit_normalization", x, axis, epsilon, {})


def _normalize_rows(
    op: str, x: Tensor, axis: int | Sequence[int], epsilon: float | None, weights: dict[str, Weight | None]
) -> Tensor:
    require_tensors(op, x)
    places = _axes(op, x, axis)
    require_neighbours(op, places)
    sizes = tuple(x.dims[place] for place in places)
    require(prod(sizes) > 0, op, f"the axes must not be empty: x is {show_dims(x.dims)}")
    params = _params(op, x, sizes, weights.items())
    attrs: dict[str, Attribute] = {
        "axis": places[0],
        "axes": len(places),
        "epsilon": config.epsilon() if epsilon is None else float(epsilon),
    }
    names = {"gamma": "scale", "scale": "scale", "beta": "center"}
    attrs |= {names[name]: weight is not None for name, weight in weights.items()}
    return x.builder.emit(op, [x], [x.dims], params, attrs)[0]


def _axes(op: str, x: Tensor, axis: int | Sequence[int]) -> tuple[int, ...]:
    """Return the axes counted from the first, in ascending order."""
    places = axes_behind_batch(op, axis, len(x.dims))
    require(x.dtype != "int32", op, "takes floating tensors: x holds integers")
    return places


def _params(op: str, x: Tensor, shape: tuple[int, ...], weights: Iterable[tuple[str, Weight | None]]) -> list[Variable]:
    """Return the weights that are given as variables, after checking their shapes."""
    found = []
    for name, weight in weights:
        if weight is None:
            continue
        constant = name in ("mean", "variance")
        variable = as_variable(weight, name, x.dtype, trainable=not constant)
        require(not (constant and variable.trainable), op, f"`{name}` must not be a trainable variable")
        require(variable.shape == shape, op, f"`{name}` must have the shape {shape}: it has {variable.shape}")
        found.append(variable)
    return found
