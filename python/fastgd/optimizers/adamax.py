"""Adamax: Adam with the largest gradient of late in place of the second moment."""

from __future__ import annotations

from typing import Any

from fastgd.optimizers.optimizer import Optimizer
from fastgd.optimizers.schedules import LearningRateSchedule
from fastgd.plan import UpdateSpec
from fastgd.utils.checks import check_real, check_share


class Adamax(Optimizer):
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

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = check_share("beta_1", beta_1)
        self.beta_2 = check_share("beta_2", beta_2)
        self.epsilon = check_real("epsilon", epsilon, 0.0)

    def rule(self) -> UpdateSpec:
        """Return the rule "adamax" with the mean gradient and the largest one."""
        hyper = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return UpdateSpec("adamax", hyper, ("m", "u"))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
