"""Losses by Keras' names: classes for `compile`, functions on arrays and tensors, and finding either by a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastgd.losses.crossentropy import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    SparseCategoricalCrossentropy,
)
from fastgd.losses.embeddings import Circle, circle
from fastgd.losses.functions import CLASSES as _CLASSES
from fastgd.losses.functions import (
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    categorical_hinge,
    cosine_similarity,
    dice,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
    tversky,
)
from fastgd.losses.loss import FunctionLoss as _FunctionLoss
from fastgd.losses.loss import Loss
from fastgd.losses.loss import registry as _registry
from fastgd.losses.margins import CategoricalHinge, Hinge, SquaredHinge
from fastgd.losses.numpy_loss import NumpyLoss
from fastgd.losses.overlap import Dice, Tversky
from fastgd.losses.regression import (
    CosineSimilarity,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
)
from fastgd.losses.values import value_per_row
from fastgd.utils.errors import mistyped
from fastgd.utils.registry import to_config

__all__ = [
    "BinaryCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
    "CategoricalHinge",
    "Circle",
    "CosineSimilarity",
    "Dice",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredError",
    "MeanSquaredLogarithmicError",
    "NumpyLoss",
    "Poisson",
    "SparseCategoricalCrossentropy",
    "SquaredHinge",
    "Tversky",
    "binary_crossentropy",
    "binary_focal_crossentropy",
    "categorical_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
    "categorical_hinge",
    "circle",
    "cosine_similarity",
    "deserialize",
    "dice",
    "get",
    "hinge",
    "huber",
    "kl_divergence",
    "log_cosh",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "poisson",
    "serialize",
    "sparse_categorical_crossentropy",
    "squared_hinge",
    "tversky",
    "value_per_row",
]


def get(identifier: Any) -> Loss | None:
    """Return the loss that `identifier` names.

    Args:
        identifier: a name or alias, a config, a class, a Loss, None, or a function of (y_true, y_pred): one of this
            module, or one of your own that is written with `fastgd.ops`.

    Returns:
        The loss; None for None.

    Raises:
        ValueError: for an unknown name.
        TypeError: for anything else.
    """
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if isinstance(identifier, str):
        return _registry.find(identifier, "loss")()
    if isinstance(identifier, Mapping):
        return _registry.from_config(identifier, "loss")
    if callable(identifier):
        return _CLASSES[identifier]() if identifier in _CLASSES else _FunctionLoss(identifier)
    raise mistyped("`loss` must be a name, a Loss or a function of (y_true, y_pred).", loss=identifier)


def serialize(loss: Loss | Callable[..., Any]) -> dict[str, Any] | str:
    """Return what `deserialize` makes a like loss from: a dict for a Loss, the name of a function.

    Raises:
        TypeError: for anything else.
    """
    if isinstance(loss, _FunctionLoss):
        return serialize(loss.fn)
    if isinstance(loss, Loss):
        return to_config(loss)
    if hasattr(loss, "__name__"):
        return str(loss.__name__)
    raise mistyped("`loss` must be a Loss or a function.", loss=loss)


def deserialize(name: Any, custom_objects: Mapping[str, Any] | None = None) -> Loss | Callable[..., Any] | None:
    """Return the loss that `serialize` described.

    Args:
        name: a dict with "class_name" and "config", or the name of a function or class.
        custom_objects: classes and functions of your own by their names; they are looked up first.

    Returns:
        A Loss for a dict or the name of a class, a function for the name of one.

    Raises:
        ValueError: for an unknown name.
    """
    own = custom_objects or {}
    if isinstance(name, Mapping) and name.get("class_name") in own:
        made: Loss = own[name["class_name"]].from_config(name.get("config", {}))
        return made
    if isinstance(name, str):
        functions = {function.__name__: function for function in _CLASSES}
        found: Callable[..., Any] | None = own.get(name, functions.get(name))
        if found is not None:
            return found
    return get(name)
