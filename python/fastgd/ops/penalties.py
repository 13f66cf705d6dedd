"""Penalties: `penalty` and `orthogonality`, of tensors and of weights."""

from __future__ import annotations

from math import prod

from fastgd import config
from fastgd.ops.builder import PlanBuilder, Tensor, show_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.parameters import Variable
from fastgd.plan import BATCH, Attribute


@works_on_arrays("x")
def penalty(x: Tensor, l1: float = 0.0, l2: float = 0.0) -> Tensor:
    """Return `l1 sum|x| + l2 sum x^2`.

    Args:
        x: tensor of any shape.
        l1: the factor of the absolute values.
        l2: the factor of the squares.

    Returns:
        Tensor (batch,) of one value per sample, or (1,) where x has no batch.
    """
    require_tensors("penalty", x)
    attrs: dict[str, Attribute] = {"l1": float(l1), "l2": float(l2)}
    if all(d >= 0 for d in x.dims):
        return x.builder.emit("penalty", [x], [(1,)], attrs={**attrs, "per_sample": False})[0]
    if x.dims[0] != BATCH:
        # What lies in one sample was merged into the batch.
        dims = (BATCH, -x.dims[0], *x.dims[1:])
        require(prod(x.dims) < 0, "penalty", f"the batch must be the first axis: the shape is {show_dims(x.dims)}")
        (x,) = x.builder.emit("reshape", [x], [dims], attrs={"shape": dims})
    return x.builder.emit("penalty", [x], [(BATCH,)], attrs=attrs)[0]


@works_on_arrays("x")
def orthogonality(x: Tensor, factor: float = 0.01, mode: str = "rows") -> Tensor:
    """Return `factor` times the mean of |n_i . n_j| over all pairs of the rows or columns of x, divided by their norms.

    Args:
        x: a matrix.
        factor: the factor.
        mode: "rows" or "columns".

    Returns:
        Tensor (1,).

    Raises:
        ValueError: if x has not two axes.
    """
    require_tensors("orthogonality", x)
    require(len(x.dims) == 2, "orthogonality", f"takes a matrix: the shape is {show_dims(x.dims)}")
    return x.builder.emit("orthogonality", [x], [(1,)], attrs=_orthogonality_attrs(factor, mode))[0]


def weight_penalty(builder: PlanBuilder, w: Variable, l1: float = 0.0, l2: float = 0.0) -> Tensor:
    """Return `l1 sum|w| + l2 sum w^2` of a weight, shape (1,)."""
    return builder.emit("penalty", [], [(1,)], [w], {"l1": float(l1), "l2": float(l2)})[0]


def weight_orthogonality(builder: PlanBuilder, w: Variable, factor: float = 0.01, mode: str = "rows") -> Tensor:
    """Return the `orthogonality` of a weight, shape (1,)."""
    require(len(w.shape) == 2, "orthogonality", f"takes a matrix: the weight {w.path!r} has the shape {w.shape}")
    return builder.emit("orthogonality", [], [(1,)], [w], _orthogonality_attrs(factor, mode))[0]


def _orthogonality_attrs(factor: float, mode: str) -> dict[str, Attribute]:
    return {"factor": float(factor), "mode": mode, "epsilon": config.epsilon()}
