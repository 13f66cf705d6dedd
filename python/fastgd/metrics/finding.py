"""Metrics by their names: what the strings, functions and configs given to `compile` stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastgd.losses import Loss
from fastgd.metrics.accuracy import BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy
from fastgd.metrics.base import Metric, registry
from fastgd.metrics.functions import FUNCTIONS
from fastgd.metrics.loss_metrics import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    FunctionMetric,
    SparseCategoricalCrossentropy,
)
from fastgd.ops.builder import Dims
from fastgd.utils.errors import mistyped
from fastgd.utils.registry import to_config

ACCURACY_NAMES = ("accuracy", "acc")
CROSSENTROPY_NAMES = ("crossentropy", "ce")


def get(identifier: Any, dims: Dims | None = None, sparse: bool = False) -> Metric:
    """Return the metric that `identifier` names; a name given as a string becomes the name of the metric.

    Args:
        identifier: a name or alias, a config, a class, a Metric, or a function of (y_true, y_pred): one of this module,
            or one of your own that is written with `fastgd.ops`.
        dims: the shape of the predictions, by which "accuracy" and "crossentropy" choose their form: binary where it
            ends in one, else with integer labels or one-hot targets.
        sparse: whether targets are integer labels.

    Returns:
        The metric.

    Raises:
        ValueError: for an unknown name.
        TypeError: for anything else.
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    if isinstance(identifier, str):
        metric = _shorthand(identifier, dims, sparse) or registry.find(identifier, "metric")()
        metric.name = identifier
        return metric
    if isinstance(identifier, Mapping):
        return registry.from_config(identifier, "metric")
    if callable(identifier) and not isinstance(identifier, (type, Loss)):
        return FUNCTIONS[identifier]() if identifier in FUNCTIONS else FunctionMetric(identifier)
    raise mistyped("`metric` must be a name, a Metric or a function of (y_true, y_pred).", metric=identifier)


def _shorthand(name: str, dims: Dims | None, sparse: bool) -> Metric | None:
    """Return the accuracy or cross-entropy that a short name stands for, None for any other name."""
    if dims is None or name.lower() not in ACCURACY_NAMES + CROSSENTROPY_NAMES:
        return None
    form = 0 if dims[-1] == 1 and not sparse else 1 if sparse else 2
    if name.lower() in ACCURACY_NAMES:
        return (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy)[form]()
    return (BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy)[form]()


def serialize(metric: Metric) -> dict[str, Any]:
    """Return `{"class_name": ..., "config": ...}`, from which `deserialize` makes a like metric."""
    return to_config(metric)


def deserialize(config: Mapping[str, Any]) -> Metric:
    """Return the metric of what `serialize` returned, with nothing seen yet."""
    return registry.from_config(config, "config")
