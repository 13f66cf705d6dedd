"""Schedules that fall along half a cosine: once, after a warm-up, or again and again."""

from __future__ import annotations

import math
from typing import Any

from fastgd.optimizers.schedules.schedule import LearningRateSchedule
from fastgd.utils.checks import check_above_zero, check_real


class CosineDecay(LearningRateSchedule):
    """`lr ((1 - alpha) (1 + cos(pi step / T)) / 2 + alpha)`, and `lr alpha` from step T on; after a warm-up if asked.

    The warm-up rises in a straight line from lr to `warmup_target` in `warmup_steps` steps; the cosine then begins at
    its step 0, from the target.

    Args:
        initial_learning_rate: lr, 0 or more.
        decay_steps: T, above 0; the warm-up comes on top.
        alpha: the share of the rate that is left at the end, 0 or more.
        name: a name, kept for the config.
        warmup_target: the learning rate after the warm-up, 0 or more; None for no warm-up.
        warmup_steps: the length of the warm-up, 0 or more.

    Example:
        >>> schedules = fastgd.optimizers.schedules
        >>> fastgd.optimizers.Adam(schedules.CosineDecay(0.0, 10000, warmup_target=0.001, warmup_steps=500))

    Source:
        Loshchilov and Hutter, SGDR: Stochastic gradient descent with warm restarts, ICLR 2017.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        self.initial_learning_rate = check_real("initial_learning_rate", initial_learning_rate, 0.0)
        self.decay_steps = check_above_zero("decay_steps", decay_steps)
        self.alpha = check_real("alpha", alpha, 0.0)
        self.name = name
        self.warmup_target = None if warmup_target is None else check_real("warmup_target", warmup_target, 0.0)
        self.warmup_steps = check_real("warmup_steps", warmup_steps, 0.0)

    def __call__(self, step: int) -> float:
        """Return the learning rate of the update that comes after `step` others."""
        top, done = self.initial_learning_rate, float(step)
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return (self.warmup_target - top) * (step / self.warmup_steps) + top
            top, done = self.warmup_target, step - self.warmup_steps
        return top * _half_cosine(min(done / self.decay_steps, 1.0), 1.0, self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


class CosineDecayRestarts(LearningRateSchedule):
    """`lr ((1 - alpha) m_mul^i (1 + cos(pi p)) / 2 + alpha)` at the share p of the period i, counted from 0.

    Args:
        initial_learning_rate: lr, 0 or more.
        first_decay_steps: the length of period 0, above 0.
        t_mul: how many times as long each period is as the one before, 1 or more.
        m_mul: how many times as high the rate begins in each period as in the one before, 0 or more.
        alpha: the share of lr that is left at the end of each period, 0 or more.
        name: a name, kept for the config.

    Source:
        Loshchilov and Hutter, SGDR: Stochastic gradient descent with warm restarts, ICLR 2017.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.initial_learning_rate = check_real("initial_learning_rate", initial_learning_rate, 0.0)
        self.first_decay_steps = check_above_zero("first_decay_steps", first_decay_steps)
        self.t_mul = check_real("t_mul", t_mul, 1.0)
        self.m_mul = check_real("m_mul", m_mul, 0.0)
        self.alpha = check_real("alpha", alpha, 0.0)
        self.name = name

    def __call__(self, step: int) -> float:
        """Return the learning rate of the update that comes after `step` others."""
        done = step / self.first_decay_steps
        period = self._period(done)
        share = (done - self._start(period)) / self.t_mul**period
        return self.initial_learning_rate * _half_cosine(share, self.m_mul**period, self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }

    def _start(self, period: int) -> float:
        """Return when a period begins, in lengths of the first: the sum of the powers of t_mul below it."""
        return float(period) if self.t_mul == 1 else (self.t_mul**period - 1) / (self.t_mul - 1)

    def _period(self, done: float) -> int:
        """Return the last period that begins at or before `done`."""
        if self.t_mul == 1:
            return math.floor(done)
        period = math.floor(math.log1p(done * (self.t_mul - 1)) / math.log(self.t_mul))
        # At a restart the quotient of the logarithms is a whole number, which rounding may miss on either side.
        if self._start(period + 1) <= done:
            return period + 1
        return period - (self._start(period) > done)


def _half_cosine(share: float, height: float, alpha: float) -> float:
    return (1 - alpha) * (0.5 * height * (1 + math.cos(math.pi * share))) + alpha
