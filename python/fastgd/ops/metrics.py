"""What metrics are made of: values per sample, means over all axes but the first, without a gradient."""

from __future__ import annotations

from fastgd import config
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
    _require_labels("sparse_categorical_accuracy", p, t)
    return p.builder.emit("sparse_categorical_accuracy", [p, t], [p.dims[:1]])[0]


@works_on_arrays("p", "t")
def top_k_categorical_accuracy(p: Tensor, t: Tensor, k: int = 5) -> Tensor:
    """Return the share of rows in which fewer than k of p are larger than p at the first maximum of t, per sample.

    Args:
        p: predictions (batch, ..., c).
        t: one-hot targets of the same shape.
        k: how many may be larger, and the one itself.

    Returns:
        Tensor (batch,).
    """
    _require_rows("top_k_categorical_accuracy", p, t)
    return p.builder.emit("top_k_categorical_accuracy", [p, t], [p.dims[:1]], attrs={"k": k})[0]


@works_on_arrays("p", "t", labels=("t",))
def sparse_top_k_categorical_accuracy(p: Tensor, t: Tensor, k: int = 5) -> Tensor:
    """Return the share of rows whose label is among the k largest of p, per sample, for p (..., c) and labels (...)."""
    _require_labels("sparse_top_k_categorical_accuracy", p, t)
    return p.builder.emit("sparse_top_k_categorical_accuracy", [p, t], [p.dims[:1]], attrs={"k": k})[0]


@works_on_arrays("p", "t")
def pearson_correlation(p: Tensor, t: Tensor) -> Tensor:
    """Return Pearson's `cov(p, t) / (std(p) std(t))` along the last axis, per sample, for p and t of one shape."""
    _require_rows("correlation", p, t)
    return p.builder.emit("correlation", [p, t], [p.dims[:1]])[0]


@works_on_arrays("p", "t")
def concordance_correlation(p: Tensor, t: Tensor) -> Tensor:
    """Return Lin's `2 cov(p, t) / (var(p) + var(t) + (mean(p) - mean(t))^2 + epsilon)` of the last axis, per sample."""
    _require_rows("correlation", p, t)
    attrs = {"concordance": True, "epsilon": config.epsilon()}
    return p.builder.emit("correlation", [p, t], [p.dims[:1]], attrs=attrs)[0]


def _require_rows(op: str, p: Tensor, t: Tensor) -> None:
    require_tensors(op, p, t)
    require_same_dims(op, [p, t])
    require(len(p.dims) >= 2, op, f"needs a last axis to go along: the predictions are {show_dims(p.dims)}")


def _require_labels(op: str, p: Tensor, t: Tensor) -> None:
    require_tensors(op, p, t)
    require(
        t.dtype == "int32" and len(p.dims) >= 2 and t.dims == p.dims[:-1],
        op,
        f"labels are int32 and lack only the axis of classes: they are {show_dims(t.dims)} {t.dtype}, "
        f"the predictions {show_dims(p.dims)}",
    )
