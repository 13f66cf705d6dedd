"""Accuracies per sample: ops whose value is the share of hits over all axes but the first. They have no gradient."""

from __future__ import annotations

from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require, require_same_dims, require_tensors
from fastgd.ops.eager import works_on_arrays


@works_on_arrays("p", "t")
def accuracy(p: Tensor, t: Tensor) -> Tensor:
    """Return the share of `p == t` per sample, shape (batch,), for p and t of one shape."""
    require_tensors("accuracy", p, t)
    require_same_dims("accuracy", [p, t])
    return p.builder.emit("accuracy", [p, t], [p.dims[:1]])[0]


@works_on_arrays("p", "t")
def binary_accuracy(p: Tensor, t: Tensor, threshold: float = 0.5) -> Tensor:
    """Return the share of `(p > threshold) == t` per sample, for p and t of one shape."""
    require_tensors("binary_accuracy", p, t)
    require_same_dims("binary_accuracy", [p, t])
    return p.builder.emit("binary_accuracy", [p, t], [p.dims[:1]], attrs={"threshold": threshold})[0]


@works_on_arrays("p", "t")
def categorical_accuracy(p: Tensor, t: Tensor) -> Tensor:
    """Return the share of `argmax p == argmax t` over the last axis per sample, for p and t of one shape (..., c)."""
    require_tensors("categorical_accuracy", p, t)
    require_same_dims("categorical_accuracy", [p, t])
    sizes = show_dims(p.dims)
    require(len(p.dims) >= 2, "categorical_accuracy", f"needs an axis of classes: the predictions are {sizes}")
    return p.builder.emit("categorical_accuracy", [p, t], [p.dims[:1]])[0]


@works_on_arrays("p", "t", labels=("t",))
def sparse_categorical_accuracy(p: Tensor, t: Tensor) -> Tensor:
    """Return the share of `argmax p == t` per sample, for p (..., c) and int32 labels t (...)."""
    require_tensors("sparse_categorical_accuracy", p, t)
    require(
        t.dtype == "int32" and t.dims == p.dims[:-1],
        "sparse_categorical_accuracy",
        f"labels are int32 and lack only the axis of classes: they are {show_dims(t.dims)} {t.dtype}, "
        f"the predictions {show_dims(p.dims)}",
    )
    return p.builder.emit("sparse_categorical_accuracy", [p, t], [p.dims[:1]])[0]
