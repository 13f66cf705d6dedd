"""Adam: gradient descent with a step size per weight from running moments of the gradient."""

from __future__ import annotations

from typing import Any

from fastgd.optimizers.optimizer import Optimizer
from fastgd.optimizers.schedules import LearningRateSchedule
from fastgd.plan import UpdateSpec
from fastgd.utils.checks import check_real
from fastgd.utils.errors import invalid


class Adam(Optimizer):
    """Adam: `a = lr sqrt(1 - b2^t) / (1 - b1^t); m += (g - m)(1 - b1); v += (g² - v)(1 - b2); w -= a m / (√v + e)`.

    Epsilon e is added before the bias of v is corrected (the "epsilon hat" of the paper), as Keras does and PyTorch
    does not.

    Args:
        learning_rate: lr, a float or a LearningRateSchedule.
        beta_1: b1, the share of m that an update keeps, from 0 to below 1.
        beta_2: b2, the share of v that an update keeps, from 0 to below 1.
        epsilon: e, which bounds the step where gradients vanish.
        **kwargs: those of `Optimizer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> model.compile(optimizer=fastgd.optimizers.Adam(1e-3), loss="mse")

    Source:
        Kingma and Ba, Adam: A method for stochastic optimization, ICLR 2015.
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
        self.beta_1 = _check_share("beta_1", beta_1)
        self.beta_2 = _check_share("beta_2", beta_2)
        self.epsilon = check_real("epsilon", epsilon, 0.0)

    def update_spec(self) -> UpdateSpec:
        """Return the rule "adam" with both moments."""
        hyper = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return UpdateSpec("adam", hyper, ("m", "v"))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        own = {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
        return {**super().get_config(), **own}


def _check_share(name: str, value: float) -> float:
    share = check_real(name, value, 0.0)
    # A share of 1 would divide by zero in the correction of the bias.
    if share >= 1.0:
        raise invalid(f"`{name}` must be below 1.", **{name: value})
    return share
