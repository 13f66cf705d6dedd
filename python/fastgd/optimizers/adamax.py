"""Adamax: Adam with the largest gradient of late in place of the second moment."""

from __future__ import annotations

from fastgd.optimizers.moments import MomentOptimizer
from fastgd.plan import UpdateSpec


class Adamax(MomentOptimizer):
    """Adamax: `m += (g - m)(1 - b1); u = max(b2 u, |g|); w -= lr m / ((1 - b1^t)(u + e))`.

    Args:
        learning_rate: lr, a float or a LearningRateSchedule.
        beta_1: b1, the share of m that an update keeps, from 0 to below 1.
        beta_2: b2, by which u shrinks in an update, from 0 to below 1.
        epsilon: e, which bounds the step where gradients vanish.
        **kwargs: those of `Optimizer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> model.compile(optimizer=fastgd.optimizers.Adamax(1e-3), loss="mse")

    Source:
        Kingma and Ba, Adam: A method for stochastic optimization, ICLR 2015, section 7.1.
    """

    def rule(self) -> UpdateSpec:
        """Return the rule "adamax" with the mean gradient and the largest one."""
        return UpdateSpec("adamax", self._moment_numbers(), ("m", "u"))
