"""Learning rates that follow a formula of the step, by Keras' names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastgd.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from fastgd.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from fastgd.optimizers.schedules.schedule import LearningRateSchedule, registry
from fastgd.utils.registry import to_config

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Return the config of a schedule."""
    return to_config(learning_rate_schedule)


def deserialize(config: Mapping[str, Any]) -> LearningRateSchedule:
    """Make a schedule from its config."""
    return registry.from_config(config, "config")
