"""The registered public classes of each kind, and what all of them must be able to do."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

import fastgd
from cases import ClassCase
from fastgd import callbacks, constraints, initializers, layers, losses, metrics, optimizers, regularizers
from fastgd.layers.layer import registry as layer_registry
from fastgd.metrics.base import registry as metric_registry
from fastgd.optimizers import schedules
from fastgd.optimizers.optimizer import registry as optimizer_registry
from fastgd.optimizers.schedules.schedule import registry as schedule_registry
from fastgd.utils.registry import Registry

Array = np.ndarray[Any, Any]

# The kind, its base class, the module that exports its classes, and the registry.
KINDS: dict[str, tuple[type, Any, Registry[Any]]] = {
    "layer": (fastgd.Layer, layers, layer_registry),
    "optimizer": (fastgd.Optimizer, optimizers, optimizer_registry),
    "loss": (fastgd.Loss, losses, losses._registry),
    "metric": (fastgd.Metric, metrics, metric_registry),
    "initializer": (fastgd.Initializer, initializers, initializers._registry),
    "regularizer": (fastgd.Regularizer, regularizers, regularizers._registry),
    "constraint": (fastgd.Constraint, constraints, constraints._registry),
    "schedule": (schedules.LearningRateSchedule, schedules, schedule_registry),
}


def registered(kind: str) -> dict[str, Any]:
    """Return the classes of fastgd itself that are registered; those that other tests made are left out."""
    classes = KINDS[kind][2].classes
    return {name: cls for name, cls in classes.items() if cls.__module__.partition(".")[0] == "fastgd"}


def exported(base: type, module: Any) -> dict[str, type]:
    """Return the public classes derived from `base` that a module offers."""
    found = inspect.getmembers(module, inspect.isclass)
    return {name: cls for name, cls in found if issubclass(cls, base) and cls is not base and name[0] != "_"}


def callback_classes() -> dict[str, type]:
    """Return the public callbacks, which need no registry: they are never found by a name."""
    return exported(callbacks.Callback, callbacks)


def make(kind: str, case: ClassCase) -> Any:
    """Make the object of a row."""
    return registered(kind)[case.cls](**case.config)


def round_trips(kind: str, made: Any) -> Iterator[tuple[str, Any]]:
    """Yield what `made` becomes on every way through its config, after checking that its config stays the same."""
    config = made.get_config()
    through_text = json.loads(json.dumps(config))
    registry = KINDS[kind][2]
    ways = {
        "from_config": type(made).from_config(config),
        "JSON": type(made).from_config(through_text),
        "the registry": registry.from_config({"class_name": type(made).__name__, "config": through_text}),
    }
    for way, again in ways.items():
        assert type(again) is type(made), way
        assert again.get_config() == config, way
        yield way, again
