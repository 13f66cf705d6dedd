"""The losses as functions of arrays or tensors: one value for every row of the last axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd.losses import crossentropy, embeddings, margins, overlap, regression
from fastgd.losses.embeddings import circle
from fastgd.losses.loss import Loss


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of `(y_pred - y_true)^2`."""
    return regression.MeanSquaredError().call(y_true, y_pred)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of `|y_pred - y_true|`."""
    return regression.MeanAbsoluteError().call(y_true, y_pred)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of `100 |y_true - y_pred| / max(|y_true|, epsilon)`."""
    return regression.MeanAbsolutePercentageError().call(y_true, y_pred)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of `(log(y_true + 1) - log(y_pred + 1))^2`."""
    return regression.MeanSquaredLogarithmicError().call(y_true, y_pred)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Return the cosine between the vectors of the last axis, negative as a loss is."""
    return regression.CosineSimilarity(axis).call(y_true, y_pred)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """Return the mean over the last axis of the Huber loss."""
    return regression.Huber(delta).call(y_true, y_pred)


def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of `log(cosh(y_pred - y_true))`."""
    return regression.LogCosh().call(y_true, y_pred)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of `y_pred - y_true log(y_pred + epsilon)`."""
    return regression.Poisson().call(y_true, y_pred)


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Return the sum over the last axis of `y_true log(y_true / y_pred)`."""
    return regression.KLDivergence().call(y_true, y_pred)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of `max(1 - y_true y_pred, 0)`."""
    return margins.Hinge().call(y_true, y_pred)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Return the mean over the last axis of `max(1 - y_true y_pred, 0)^2`."""
    return margins.SquaredHinge().call(y_true, y_pred)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """Return `max(neg - pos + 1, 0)` for the rows of the last axis."""
    return margins.CategoricalHinge().call(y_true, y_pred)


def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Return the mean over the last axis of the binary cross-entropy; the arguments are the class'."""
    return crossentropy.BinaryCrossentropy(from_logits, label_smoothing, axis).call(y_true, y_pred)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Return the mean over the last axis of the focal binary cross-entropy; the arguments are the class'."""
    made = crossentropy.BinaryFocalCrossentropy(apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis)
    return made.call(y_true, y_pred)


def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """Return the cross-entropy over the classes of the last axis; the arguments are the class'."""
    return crossentropy.CategoricalCrossentropy(from_logits, label_smoothing, axis).call(y_true, y_pred)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Return the focal cross-entropy over the classes of the last axis; the arguments are the class'."""
    made = crossentropy.CategoricalFocalCrossentropy(alpha, gamma, from_logits, label_smoothing, axis)
    return made.call(y_true, y_pred)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """Return `(1 - p[t]^q) / q` for integer labels t of the classes of the last axis."""
    return crossentropy.CategoricalGeneralizedCrossEntropy(q).call(y_true, y_pred)


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """Return the cross-entropy with integer labels over the classes of the last axis."""
    return crossentropy.SparseCategoricalCrossentropy(from_logits, ignore_class, axis=axis).call(y_true, y_pred)


def dice(y_true: Any, y_pred: Any, axis: overlap.Axis = None) -> Any:
    """Return `1 - 2 sum(y_true y_pred) / (sum(y_true) + sum(y_pred) + epsilon)` with sums over `axis`, None for all."""
    return overlap.Dice(axis=axis).call(y_true, y_pred)


def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: overlap.Axis = None) -> Any:
    """Return the Tversky loss with sums over `axis`, None for all; the arguments are the class'."""
    return overlap.Tversky(alpha, beta, axis=axis).call(y_true, y_pred)


# What each function is in `compile`.
CLASSES: dict[Callable[..., Any], type[Loss]] = {
    mean_squared_error: regression.MeanSquaredError,
    mean_absolute_error: regression.MeanAbsoluteError,
    mean_absolute_percentage_error: regression.MeanAbsolutePercentageError,
    mean_squared_logarithmic_error: regression.MeanSquaredLogarithmicError,
    cosine_similarity: regression.CosineSimilarity,
    huber: regression.Huber,
    log_cosh: regression.LogCosh,
    poisson: regression.Poisson,
    kl_divergence: regression.KLDivergence,
    hinge: margins.Hinge,
    squared_hinge: margins.SquaredHinge,
    categorical_hinge: margins.CategoricalHinge,
    binary_crossentropy: crossentropy.BinaryCrossentropy,
    binary_focal_crossentropy: crossentropy.BinaryFocalCrossentropy,
    categorical_crossentropy: crossentropy.CategoricalCrossentropy,
    categorical_focal_crossentropy: crossentropy.CategoricalFocalCrossentropy,
    categorical_generalized_cross_entropy: crossentropy.CategoricalGeneralizedCrossEntropy,
    circle: embeddings.Circle,
    sparse_categorical_crossentropy: crossentropy.SparseCategoricalCrossentropy,
    dice: overlap.Dice,
    tversky: overlap.Tversky,
}
