"""Adadelta: steps as large as the last ones, relative to the gradients."""

from __future__ import annotations

from typing import Any

from fastgd.optimizers.optimizer import Optimizer
from fastgd.optimizers.schedules import LearningRateSchedule
from fastgd.plan import UpdateSpec
from fastgd.utils.checks import check_real, check_share


class Adadelta(Optimizer):
    """Adadelta: `a = r a + (1 - r) g²; s = √(d + e) / √(a + e) g; d = r d + (1 - r) s²; w -= lr s`.

    Args:
        learning_rate: lr, a float; the paper has 1.
        rho: r, the share of a and d that an update keeps, from 0 to below 1.
        epsilon: e, which makes the first steps.
        **kwargs: those of `Optimizer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> model.compile(optimizer=fastgd.optimizers.Adadelta(1e-3), loss="mse")

    Source:
        Zeiler, ADADELTA: An adaptive learning rate method, 2012.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = check_share("rho", rho)
        self.epsilon = check_real("epsilon", epsilon, 0.0)

    def rule(self) -> UpdateSpec:
        """Return the rule "adadelta" with the mean squares of gradients and steps."""
        return UpdateSpec("adadelta", {"rho": self.rho, "epsilon": self.epsilon}, ("a", "d"))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}
