"""The optimizers, and `get`, which finds one by Keras' names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastgd.optimizers import schedules
from fastgd.optimizers.adadelta import Adadelta
from fastgd.optimizers.adagrad import Adagrad
from fastgd.optimizers.adam import Adam, AdamW
from fastgd.optimizers.adamax import Adamax
from fastgd.optimizers.ftrl import Ftrl
from fastgd.optimizers.lion import Lion
from fastgd.optimizers.nadam import Nadam
from fastgd.optimizers.optimizer import Optimizer, registry
from fastgd.optimizers.rmsprop import RMSprop
from fastgd.optimizers.sgd import SGD
from fastgd.utils.errors import mistyped
from fastgd.utils.registry import to_config

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "deserialize",
    "get",
    "schedules",
    "serialize",
]


def get(identifier: Any) -> Optimizer:
    """Return the optimizer that `identifier` names: a name, a config, a class or an Optimizer.

    Raises:
        ValueError: for an unknown name.
        TypeError: for anything else.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        made: Optimizer = identifier()  # type: ignore[call-arg]
        return made
    if isinstance(identifier, str):
        return registry.find(identifier, "optimizer")()  # type: ignore[call-arg]
    if isinstance(identifier, Mapping):
        return registry.from_config(identifier, "optimizer")
    raise mistyped("`optimizer` must be a name, a config or an Optimizer.", optimizer=identifier)


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Return the config of an optimizer."""
    return to_config(optimizer)


def deserialize(config: Mapping[str, Any]) -> Optimizer:
    """Make an optimizer from its config."""
    return registry.from_config(config, "optimizer")
