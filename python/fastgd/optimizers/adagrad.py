"""Adagrad: gradient descent with steps divided by the root of all squared gradients so far."""

from __future__ import annotations

from typing import Any

from fastgd.optimizers.optimizer import Optimizer
from fastgd.optimizers.schedules import LearningRateSchedule
from fastgd.plan import UpdateSpec
from fastgd.utils.checks import check_real


class Adagrad(Optimizer):
    """Adagrad: `a += g²; w -= lr g / √(a + e)`.

    Args:
        learning_rate: lr, a float or a LearningRateSchedule.
        initial_accumulator_value: what a starts with, 0 or more.
        epsilon: e, which bounds the step where gradients vanish.
        **kwargs: those of `Optimizer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> model.compile(optimizer=fastgd.optimizers.Adagrad(1e-3), loss="mse")

    Source:
        Duchi, Hazan and Singer, Adaptive subgradient methods for online learning, JMLR 2011.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.initial_accumulator_value = check_real("initial_accumulator_value", initial_accumulator_value, 0.0)
        self.epsilon = check_real("epsilon", epsilon, 0.0)

    def rule(self) -> UpdateSpec:
        """Return the rule "adagrad" with its sum of squares."""
        return UpdateSpec("adagrad", {"epsilon": self.epsilon}, ("a",))

    def slot_start(self, name: str) -> float:
        """Return the first sum of squares."""
        return self.initial_accumulator_value

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        own = {"initial_accumulator_value": self.initial_accumulator_value, "epsilon": self.epsilon}
        return {**super().get_config(), **own}
