"""Under which names files know the classes and functions of fastgd: the modules of Keras, both ways."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from fastgd import activations, constraints, initializers, losses, metrics, ops, regularizers
from fastgd.constraints import Constraint
from fastgd.initializers import Initializer
from fastgd.layers.layer import Layer, model_classes
from fastgd.layers.layer import registry as layer_registry
from fastgd.losses import Loss
from fastgd.losses.loss import registry as loss_registry
from fastgd.metrics import Metric
from fastgd.metrics.base import registry as metric_registry
from fastgd.models.model import Model
from fastgd.optimizers import Optimizer
from fastgd.optimizers.optimizer import registry as optimizer_registry
from fastgd.optimizers.schedules import LearningRateSchedule
from fastgd.optimizers.schedules.schedule import registry as schedule_registry
from fastgd.regularizers import Regularizer
from fastgd.utils.custom_objects import get_registered_object

FUNCTION = "function"

# The modules with the classes of each, and the base class by which objects are told; models come before layers.
_CLASSES: dict[str, tuple[type, Mapping[str, Any]]] = {
    "keras": (Model, model_classes),
    "keras.layers": (Layer, layer_registry.classes),
    "keras.optimizers": (Optimizer, optimizer_registry.classes),
    "keras.optimizers.schedules": (LearningRateSchedule, schedule_registry.classes),
    "keras.losses": (Loss, loss_registry.classes),
    "keras.metrics": (Metric, metric_registry.classes),
    "keras.initializers": (Initializer, initializers._registry.classes),
    "keras.regularizers": (Regularizer, regularizers._registry.classes),
    "keras.constraints": (Constraint, constraints._registry.classes),
}
_FUNCTIONS: dict[str, Any] = {
    "keras.activations": activations,
    "keras.losses": losses,
    "keras.metrics": metrics,
    "keras.ops": ops,
}
# What the key of a config tells about the class that it names.
_KINDS_OF_KEYS = {
    "initializer": "keras.initializers",
    "regularizer": "keras.regularizers",
    "constraint": "keras.constraints",
    "rate": "keras.optimizers.schedules",
    "layer": "keras.layers",
    "layers": "keras.layers",
    "cell": "keras.layers",
    "cells": "keras.layers",
}


def is_own(thing: Any) -> bool:
    """Return whether a class or function is one of fastgd itself and not one of a user's."""
    return str(getattr(thing, "__module__", "")).partition(".")[0] == "fastgd"


def module_of_class(cls: type) -> str:
    """Return the module that a file names for a class."""
    if is_own(cls):
        for module, (base, _) in _CLASSES.items():
            if issubclass(cls, base):
                return module
    return str(cls.__module__)


def module_of_function(function: Callable[..., Any]) -> str:
    """Return the module that a file names for a function."""
    name = getattr(function, "__name__", "")
    for module, functions in _FUNCTIONS.items():
        if getattr(functions, name, None) is function:
            return module
    return str(getattr(function, "__module__", ""))


def module_of_key(key: str) -> str | None:
    """Return the module of what stands under a key of a config, such as "kernel_initializer"; None if it tells none."""
    return _KINDS_OF_KEYS.get(key.rpartition("_")[2])


def find_class(module: str | None, name: str) -> Any:
    """Return the class of fastgd, or one derived from its bases, that a file names; None if there is none.

    Args:
        module: the module; classes are looked for everywhere if it is not one of Keras' public ones.
        name: the name of the class.
    """
    # Keras says Functional for what is made of placeholders, and keras.models for what is in keras too.
    public = "keras" if module == "keras.models" or name == "Functional" else module
    if module is not None and module.startswith("keras.src.backend.") and ".optimizers" in module:
        # On PyTorch Keras writes the class of that backend behind a public one.
        public = "keras.optimizers"
    if public in _CLASSES:
        return _CLASSES[public][1].get(name)
    if public is not None and public.startswith("keras."):
        return None
    return next((classes[name] for _, classes in _CLASSES.values() if name in classes), None)


def find_function(module: str | None, name: str) -> Any:
    """Return the function that a file names, registered ones first; None if there is none."""
    if (custom := get_registered_object(name)) is not None:
        return custom
    places = [_FUNCTIONS[module]] if module in _FUNCTIONS else list(_FUNCTIONS.values())
    found = (getattr(place, name, None) for place in places if not name.startswith("_"))
    return next((thing for thing in found if inspect.isfunction(thing)), None)


def known_classes() -> list[str]:
    """Return the names of all classes that files may name."""
    return sorted({name for _, classes in _CLASSES.values() for name in classes})


def keywords_of(cls: type) -> set[str]:
    """Return the keyword arguments that a class takes, with those that it hands to its bases."""
    known: set[str] = set()
    for base in cls.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = list(inspect.signature(base.__init__).parameters.values())[1:]  # type: ignore[misc]
        known.update(p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.POSITIONAL_ONLY))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return known
