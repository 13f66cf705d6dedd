"""Adam and AdamW: gradient descent with a step size per weight from running moments of the gradient."""

from __future__ import annotations

from typing import Any

from fastgd.optimizers.moments import MomentOptimizer
from fastgd.optimizers.schedules import LearningRateSchedule
from fastgd.plan import UpdateSpec
from fastgd.utils.checks import check_bool
from fastgd.utils.errors import invalid


class Adam(MomentOptimizer):
    """Adam: `a = lr sqrt(1 - b2^t) / (1 - b1^t); m += (g - m)(1 - b1); v += (g² - v)(1 - b2); w -= a m / (√v + e)`.

    Epsilon e is added before the bias of v is corrected (the "epsilon hat" of the paper), as Keras does and PyTorch
    does not.

    Args:
        learning_rate: lr, a float or a LearningRateSchedule.
        beta_1: b1, the share of m that an update keeps, from 0 to below 1.
        beta_2: b2, the share of v that an update keeps, from 0 to below 1.
        epsilon: e, which bounds the step where gradients vanish.
        amsgrad: whether to divide by the largest v so far (Reddi, Kale and Kumar, ICLR 2018).
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
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.amsgrad = check_bool("amsgrad", amsgrad)

    def rule(self) -> UpdateSpec:
        """Return the rule "adam" with both moments, or "amsgrad" with the largest second moment as well."""
        if self.amsgrad:
            return UpdateSpec("amsgrad", self._moment_numbers(), ("m", "v", "top"))
        return UpdateSpec("adam", self._moment_numbers(), ("m", "v"))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), "amsgrad": self.amsgrad}


class AdamW(Adam):
    """Adam with weight decay d, by default: `w -= d lr w`, then the step of `Adam`.

    Args:
        learning_rate: lr, a float or a LearningRateSchedule.
        weight_decay: d, a float of 0 or more.
        beta_1: as in `Adam`.
        beta_2: as in `Adam`.
        epsilon: as in `Adam`.
        amsgrad: as in `Adam`.
        **kwargs: those of `Optimizer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> model.compile(optimizer=fastgd.optimizers.AdamW(1e-3, weight_decay=0.01), loss="mse")

    Source:
        Loshchilov and Hutter, Decoupled weight decay regularization, ICLR 2019.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        if weight_decay is None:
            raise invalid("`weight_decay` must be a float.", weight_decay=weight_decay)
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs)
