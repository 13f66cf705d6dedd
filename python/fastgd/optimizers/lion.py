"""Lion: gradient descent by signs."""

from __future__ import annotations

from typing import Any

from fastgd.optimizers.optimizer import Optimizer
from fastgd.optimizers.schedules import LearningRateSchedule
from fastgd.plan import UpdateSpec
from fastgd.utils.checks import check_real
from fastgd.utils.errors import invalid


class Lion(Optimizer):
    """Lion: `w -= lr sign(b1 m + (1 - b1) g)`, then `m = b2 m + (1 - b2) g`: every weight moves by lr.

    Args:
        learning_rate: lr, a float; a tenth to a third of what Adam would have.
        beta_1: b1, the share of m in the step, above 0 and up to 1.
        beta_2: b2, the share of m that an update keeps, from 0 to 1.
        **kwargs: those of `Optimizer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> model.compile(optimizer=fastgd.optimizers.Lion(1e-3), loss="mse")

    Source:
        Chen and others, Symbolic discovery of optimization algorithms, NeurIPS 2023.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = check_real("beta_1", beta_1, 0.0, 1.0)
        if not self.beta_1:
            raise invalid("`beta_1` must be above 0.", beta_1=beta_1)
        self.beta_2 = check_real("beta_2", beta_2, 0.0, 1.0)

    def rule(self) -> UpdateSpec:
        """Return the rule "lion" with the mean gradient."""
        return UpdateSpec("lion", {"beta_1": self.beta_1, "beta_2": self.beta_2}, ("m",))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
