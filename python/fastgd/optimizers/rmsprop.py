"""RMSprop: gradient descent with steps divided by the root mean square of each weight's gradients."""

from __future__ import annotations

from typing import Any

from fastgd.optimizers.optimizer import Optimizer
from fastgd.optimizers.schedules import LearningRateSchedule
from fastgd.plan import UpdateSpec
from fastgd.utils.checks import check_bool, check_real, check_share


class RMSprop(Optimizer):
    """RMSprop: `v = r v + (1 - r) g²; w -= lr g / √(v + e)`.

    Epsilon is inside the root, as in Keras and not in PyTorch.
    Centered, `a = r a + (1 - r) g` and `v - a²` takes the place of v under the root. With momentum m,
    `s = m s + lr g / √(...); w -= s`.

    Args:
        learning_rate: lr, a float or a LearningRateSchedule.
        rho: r, the share of v and a that an update keeps, from 0 to below 1.
        momentum: m, a float from 0 to 1.
        epsilon: e, which bounds the step where gradients vanish.
        centered: whether to divide by the deviation of the gradient instead of its root mean square.
        **kwargs: those of `Optimizer`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> model.compile(optimizer=fastgd.optimizers.RMSprop(1e-3), loss="mse")

    Source:
        Tieleman and Hinton, Lecture 6.5: rmsprop, Coursera 2012; centered: Graves, Generating sequences with recurrent
        neural networks, 2013.
    """

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = check_share("rho", rho)
        self.momentum = check_real("momentum", momentum, 0.0, 1.0)
        self.epsilon = check_real("epsilon", epsilon, 0.0)
        self.centered = check_bool("centered", centered)

    def rule(self) -> UpdateSpec:
        """Return the rule "rmsprop" with the slots that its options need."""
        hyper = {
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": float(self.centered),
        }
        slots = ("v", *(("a",) if self.centered else ()), *(("speed",) if self.momentum else ()))
        return UpdateSpec("rmsprop", hyper, slots)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        own = {"rho": self.rho, "momentum": self.momentum, "epsilon": self.epsilon, "centered": self.centered}
        return {**super().get_config(), **own}
