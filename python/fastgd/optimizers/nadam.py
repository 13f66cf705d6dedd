"""Nadam: Adam with Nesterov's look ahead."""

from __future__ import annotations

from typing import Any

from fastgd.optimizers.optimizer import Optimizer
from fastgd.optimizers.schedules import LearningRateSchedule
from fastgd.plan import UpdateSpec
from fastgd.utils.checks import check_real, check_share


class Nadam(Optimizer):
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
        """Return the rule "nadam" with both moments."""
        hyper = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return UpdateSpec("nadam", hyper, ("m", "v"))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
