"""What the optimizers of Adam's family share: two running moments of the gradient and the numbers that rule them."""

from __future__ import annotations

from typing import Any

from fastgd.optimizers.optimizer import Optimizer
from fastgd.optimizers.schedules import LearningRateSchedule
from fastgd.utils.checks import check_real, check_share


class MomentOptimizer(Optimizer, abstract=True):
    """Base of Adam and its relatives; a subclass says in its own text what the numbers do there.

    Args:
        learning_rate: a float or a LearningRateSchedule.
        beta_1: the share of the first moment that an update keeps, from 0 to below 1.
        beta_2: the share of the second moment that an update keeps, from 0 to below 1.
        epsilon: what bounds the step where gradients vanish.
        **kwargs: those of `Optimizer`.
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

    def _moment_numbers(self) -> dict[str, float]:
        return {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), **self._moment_numbers()}
