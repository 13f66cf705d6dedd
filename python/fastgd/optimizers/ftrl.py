"""Ftrl: gradient descent that follows the regularised leader and so leaves many weights at exactly 0."""

from __future__ import annotations

from typing import Any

from fastgd.optimizers.optimizer import Optimizer
from fastgd.optimizers.schedules import LearningRateSchedule
from fastgd.plan import UpdateSpec
from fastgd.utils.checks import check_real
from fastgd.utils.errors import invalid


class Ftrl(Optimizer):
    """Ftrl: every step solves for the weights anew, from the sums of all gradients so far.

    With p = -learning_rate_power: `n' = n + g²; z += g + 2 s w - (n'^p - n^p) w / lr; n = n'`, then
    `w = (clip(z, -l1, l1) - z) / (n^p / lr + 2 l2 + b / lr)`. A learning rate of 0 moves nothing.

    Args:
        learning_rate: lr, a float or a LearningRateSchedule.
        learning_rate_power: -p, 0 or less; 0 for a fixed rate.
        initial_accumulator_value: what n starts with, 0 or more.
        l1_regularization_strength: l1, 0 or more: weights whose z stays within it are 0.
        l2_regularization_strength: l2, 0 or more.
        l2_shrinkage_regularization_strength: s, 0 or more, which pulls at the gradient instead of the weights' size.
        beta: b, 0 or more.
        **kwargs: those of `Optimizer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> model.compile(optimizer=fastgd.optimizers.Ftrl(0.1, l1_regularization_strength=0.01), loss="mse")

    Source:
        McMahan and others, Ad click prediction: a view from the trenches, KDD 2013.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.learning_rate_power = check_real("learning_rate_power", learning_rate_power)
        if self.learning_rate_power > 0:
            raise invalid("`learning_rate_power` must be 0 or less.", learning_rate_power=learning_rate_power)
        self.initial_accumulator_value = check_real("initial_accumulator_value", initial_accumulator_value, 0.0)
        self.l1_regularization_strength = check_real("l1_regularization_strength", l1_regularization_strength, 0.0)
        self.l2_regularization_strength = check_real("l2_regularization_strength", l2_regularization_strength, 0.0)
        self.l2_shrinkage_regularization_strength = check_real(
            "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength, 0.0
        )
        self.beta = check_real("beta", beta, 0.0)

    def rule(self) -> UpdateSpec:
        """Return the rule "ftrl" with the sum of squares and the linear term."""
        hyper = {
            "learning_rate_power": self.learning_rate_power,
            "l1": self.l1_regularization_strength,
            "l2": self.l2_regularization_strength,
            "l2_shrinkage": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }
        return UpdateSpec("ftrl", hyper, ("n", "z"))

    def slot_start(self, name: str) -> float:
        """Return the first sum of squares, and 0 for the linear term."""
        return self.initial_accumulator_value if name == "n" else 0.0

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        names = (
            "learning_rate_power", "initial_accumulator_value", "l1_regularization_strength",
            "l2_regularization_strength", "l2_shrinkage_regularization_strength", "beta",
        )  # fmt: skip
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
