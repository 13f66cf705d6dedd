"""Nadam: Adam with Nesterov's look ahead."""

from __future__ import annotations

from fastgd.optimizers.moments import MomentOptimizer
from fastgd.plan import UpdateSpec


class Nadam(MomentOptimizer):
    """Nadam: Adam whose step is `lr m' / (√(v / (1 - b2^t)) + e)`, where m' looks one gradient ahead.

    `u_t = b1 (1 - 0.96^t / 2)`, `P = u_1 ... u_t`, `m' = u_{t+1} m / (1 - P u_{t+1}) + (1 - u_t) g / (1 - P)`; m and v
    as in `Adam`. P follows from the number of updates alone.

    Args:
        learning_rate: lr, a float or a LearningRateSchedule.
        beta_1: b1, the share of m that an update keeps, from 0 to below 1.
        beta_2: b2, the share of v that an update keeps, from 0 to below 1.
        epsilon: e, which bounds the step where gradients vanish.
        **kwargs: those of `Optimizer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> model.compile(optimizer=fastgd.optimizers.Nadam(1e-3), loss="mse")

    Source:
        Dozat, Incorporating Nesterov momentum into Adam, ICLR 2016 workshop.
    """

    def rule(self) -> UpdateSpec:
        """Return the rule "nadam" with both moments."""
        return UpdateSpec("nadam", self._moment_numbers(), ("m", "v"))
