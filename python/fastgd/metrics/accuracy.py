"""The accuracies: the share of predictions that hit their targets, as classes and as functions on arrays."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy.typing as npt

from fastgd import losses, ops
from fastgd.metrics.base import Array, Metric
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_int, check_real


class Accuracy(Metric):
    """The share of `y_pred == y_true`."""

    heeds_masks = True
    _direction = "up"

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(name)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return ops.accuracy(p, t)


class BinaryAccuracy(Metric):
    """The share of `(y_pred > threshold) == y_true`."""

    heeds_masks = True
    _direction = "up"

    def __init__(self, name: str = "binary_accuracy", threshold: float = 0.5) -> None:
        super().__init__(name)
        self.threshold = check_real("threshold", threshold)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return ops.binary_accuracy(p, t, self.threshold)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), "threshold": self.threshold}


class CategoricalAccuracy(Metric):
    """The share of `argmax y_pred == argmax y_true` over the last axis."""

    heeds_masks = True
    _direction = "up"

    def __init__(self, name: str = "categorical_accuracy") -> None:
        super().__init__(name)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return ops.categorical_accuracy(p, t)


class SparseCategoricalAccuracy(Metric):
    """The share of `argmax y_pred == y_true` for integer labels."""

    heeds_masks = True
    sparse = True
    _direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy") -> None:
        super().__init__(name)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return ops.sparse_categorical_accuracy(p, t)


class _TopK(Metric, abstract=True):
    """The share of rows whose class is among the k largest predictions."""

    heeds_masks = True
    _direction = "up"

    def __init__(self, k: int, name: str) -> None:
        super().__init__(name)
        self.k = check_int("k", k, 1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), "k": self.k}


class TopKCategoricalAccuracy(_TopK):
    """The share of rows in which fewer than `k` predictions are larger than that for the class `argmax y_true`.

    Args:
        k: how many classes count as found.
        name: the name.
    """

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy") -> None:
        super().__init__(k, name)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return ops.top_k_categorical_accuracy(p, t, self.k)


class SparseTopKCategoricalAccuracy(_TopK):
    """The share of rows in which fewer than `k` predictions are larger than that for the integer label.

    Args:
        k: how many classes count as found.
        name: the name.
    """

    sparse = True

    def __init__(self, k: int = 5, name: str = "sparse_top_k_categorical_accuracy") -> None:
        super().__init__(k, name)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return ops.sparse_top_k_categorical_accuracy(p, t, self.k)


def binary_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, threshold: float = 0.5) -> Array:
    """Return the mean over the last axis of `(y_pred > threshold) == y_true`."""
    return losses.value_per_row(partial(ops.binary_accuracy, threshold=threshold), y_true, y_pred, sparse=False)


def categorical_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Array:
    """Return 1 where the largest of the last axis is at the same place in both, else 0."""
    return losses.value_per_row(ops.categorical_accuracy, y_true, y_pred, sparse=False)


def sparse_categorical_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Array:
    """Return 1 where the largest of the last axis is at the place that the label names, else 0."""
    return losses.value_per_row(ops.sparse_categorical_accuracy, y_true, y_pred, sparse=True)


def top_k_categorical_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, k: int = 5) -> Array:
    """Return 1 where fewer than k of the last axis are larger than the one for `argmax y_true`, else 0."""
    return losses.value_per_row(partial(ops.top_k_categorical_accuracy, k=k), y_true, y_pred, sparse=False)


def sparse_top_k_categorical_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, k: int = 5) -> Array:
    """Return 1 where fewer than k of the last axis are larger than the one for the label, else 0."""
    return losses.value_per_row(partial(ops.sparse_top_k_categorical_accuracy, k=k), y_true, y_pred, sparse=True)
