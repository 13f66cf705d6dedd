"""Schedules that fall: by a power of the step, by its inverse, along a polynomial, and in steps."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from fastgd.optimizers.schedules.schedule import LearningRateSchedule
from fastgd.utils.checks import check_above_zero, check_bool, check_real
from fastgd.utils.errors import invalid, mistyped


class _PeriodDecay(LearningRateSchedule, abstract=True):
    """What decays with the steps counted in periods of `decay_steps`, whole ones only with `staircase`."""

    def __init__(
        self, initial_learning_rate: float, decay_steps: float, decay_rate: float, staircase: bool, name: str
    ) -> None:
        self.initial_learning_rate = check_real("initial_learning_rate", initial_learning_rate, 0.0)
        self.decay_steps = check_above_zero("decay_steps", decay_steps)
        self.decay_rate = check_real("decay_rate", decay_rate, 0.0)
        self.staircase = check_bool("staircase", staircase)
        self.name = name

    def _periods(self, step: int) -> float:
        periods = step / self.decay_steps
        return math.floor(periods) if self.staircase else periods

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class ExponentialDecay(_PeriodDecay):
    """`lr decay_rate^(step / decay_steps)`.

    Args:
        initial_learning_rate: lr, 0 or more.
        decay_steps: after how many steps the rate is `decay_rate` times as high; above 0.
        decay_rate: 0 or more.
        staircase: whether the exponent is rounded down, so that the rate falls only every `decay_steps`.
        name: a name, kept for the config.

    Example:
        >>> fastgd.optimizers.SGD(fastgd.optimizers.schedules.ExponentialDecay(0.1, 1000, 0.96))
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: int) -> float:
        """Return the learning rate of the update that comes after `step` others."""
        return self.initial_learning_rate * math.pow(self.decay_rate, self._periods(step))


class InverseTimeDecay(_PeriodDecay):
    """`lr / (1 + decay_rate step / decay_steps)`.

    Args:
        initial_learning_rate: lr, 0 or more.
        decay_steps: the unit in which steps are counted; above 0.
        decay_rate: 0 or more.
        staircase: whether `step / decay_steps` is rounded down, so that the rate falls only every `decay_steps`.
        name: a name, kept for the config.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        super().__init__(initial_learning_rate, decay_steps, decay_rate, staircase, name)

    def __call__(self, step: int) -> float:
        """Return the learning rate of the update that comes after `step` others."""
        return self.initial_learning_rate / (1 + self.decay_rate * self._periods(step))


class PolynomialDecay(LearningRateSchedule):
    """`(lr - end) (1 - step / T)^power + end`, and end from step T on.

    Args:
        initial_learning_rate: lr, 0 or more.
        decay_steps: T, above 0.
        end_learning_rate: end, 0 or more.
        power: 0 or more; 1 for a straight line.
        cycle: whether from step T on, T is the next multiple of `decay_steps` at or above the step, so that the rate
            jumps up and falls to the end again, each time from lower and for longer.
        name: a name, kept for the config.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = check_real("initial_learning_rate", initial_learning_rate, 0.0)
        self.decay_steps = check_above_zero("decay_steps", decay_steps)
        self.end_learning_rate = check_real("end_learning_rate", end_learning_rate, 0.0)
        self.power = check_real("power", power, 0.0)
        self.cycle = check_bool("cycle", cycle)
        self.name = name

    def __call__(self, step: int) -> float:
        """Return the learning rate of the update that comes after `step` others."""
        cycles = max(1, math.ceil(step / self.decay_steps)) if self.cycle else 1
        left: float = max(0.0, 1 - step / (self.decay_steps * cycles))
        span = self.initial_learning_rate - self.end_learning_rate
        return span * math.pow(left, self.power) + self.end_learning_rate

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[i]` for the first i with `step <= boundaries[i]`, and the last value beyond all boundaries.

    Args:
        boundaries: steps, each higher than the one before.
        values: learning rates, 0 or more, one more than there are boundaries.
        name: a name, kept for the config.

    Example:
        >>> fastgd.optimizers.schedules.PiecewiseConstantDecay([1000, 5000], [0.1, 0.01, 0.001])
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        for argument, given in {"boundaries": boundaries, "values": values}.items():
            if not isinstance(given, (list, tuple)):
                raise mistyped(f"`{argument}` must be a list of numbers.", **{argument: given})
        if len(boundaries) != len(values) - 1:
            raise invalid("`boundaries` must hold one number less than `values`.", boundaries=boundaries, values=values)
        self.boundaries = [check_real("boundaries", boundary) for boundary in boundaries]
        self.values = [check_real("values", value, 0.0) for value in values]
        if any(a >= b for a, b in pairwise(self.boundaries)):
            raise invalid("`boundaries` must increase.", boundaries=boundaries)
        self.name = name

    def __call__(self, step: int) -> float:
        """Return the learning rate of the update that comes after `step` others."""
        return self.values[bisect_left(self.boundaries, step)]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}
