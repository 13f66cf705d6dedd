"""Gradient descent, with momentum and Nesterov's momentum."""

from __future__ import annotations

from typing import Any

from fastgd.optimizers.optimizer import Optimizer
from fastgd.optimizers.schedules import LearningRateSchedule
from fastgd.plan import UpdateSpec
from fastgd.utils.checks import check_bool, check_real
from fastgd.utils.errors import invalid


class SGD(Optimizer):
    """Gradient descent: `w -= lr g`; with momentum m: `v = m v - lr g; w += v`, or with nesterov `w += m v - lr g`.

    Args:
        learning_rate: lr, a float or a LearningRateSchedule.
        momentum: m, a float from 0 to 1.
        nesterov: whether to look ahead along v.
        **kwargs: those of `Optimizer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> model.compile(optimizer=fastgd.optimizers.SGD(0.1, momentum=0.9), loss="mse")

    Source:
        Sutskever and others, On the importance of initialization and momentum in deep learning, ICML 2013.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        # An int is refused, as Keras does.
        if type(momentum) is int:
            raise invalid("`momentum` must be a float between 0 and 1.", momentum=momentum)
        self.momentum = check_real("momentum", momentum, 0.0, 1.0)
        self.nesterov = check_bool("nesterov", nesterov)

    def rule(self) -> UpdateSpec:
        """Return the rule "sgd", or "momentum" with its velocity."""
        if not self.momentum:
            return UpdateSpec("sgd")
        return UpdateSpec("momentum", {"momentum": self.momentum, "nesterov": float(self.nesterov)}, ("v",))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}
