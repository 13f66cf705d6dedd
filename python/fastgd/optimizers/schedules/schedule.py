"""The base of all learning-rate schedules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastgd.utils.registry import Registry

registry: Registry[LearningRateSchedule] = Registry("schedule")


class LearningRateSchedule:
    """Base of all schedules: an object called with a step, the number of updates done, returns a learning rate.

    A subclass implements `__call__(step)`, whose result must be finite and 0 or more, and `get_config` if it is to be
    saved; it is then found by its name. The steps of one stretch of training are asked for before it runs, some more
    than once, so that the rate may depend on nothing but the step.

    Example:
        >>> class Halving(fastgd.optimizers.schedules.LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.1 * 0.5 ** (step // 1000)
        >>> model.compile(optimizer=fastgd.optimizers.SGD(Halving()), loss="mse")
    """

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            registry.add(cls)

    def __call__(self, step: int) -> float:
        """Return the learning rate of the update that comes after `step` others."""
        raise NotImplementedError(f"{type(self).__name__} must implement __call__(step)")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        raise NotImplementedError(f"{type(self).__name__} must implement get_config() to be saved")

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> LearningRateSchedule:
        """Make an object from what `get_config` returned."""
        return cls(**config)
