"""Losses of scores and of residuals that scikit-learn's linear models have and Keras lacks."""

from __future__ import annotations

from typing import Any

from fastgd import ops
from fastgd.losses import Loss


class Perceptron(Loss, abstract=True):
    """`max(0, -t p)`, t = -1 or 1 for targets of 0 or 1."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the mean over the outputs."""
        z = _signed(y_true) * y_pred
        # Unlike a relu it has a slope at 0, where weights begin.
        return ops.mean(0.5 * (ops.abs(z) - z), axis=-1)


class ModifiedHuber(Loss, abstract=True):
    """`max(0, 1 - z)^2` for z = t p above -1, else `-4 z` (Zhang, Annals of Statistics 32, 2004)."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the mean over the outputs."""
        z = _signed(y_true) * y_pred
        # Beyond -1 the second square takes from the first all but its tangent.
        return ops.mean(ops.square(ops.relu(1.0 - z)) - ops.square(ops.relu(-1.0 - z)), axis=-1)


class EpsilonInsensitive(Loss, abstract=True):
    """`max(0, |t - p| - epsilon)`, or its square.

    Args:
        epsilon: the distance that costs nothing.
        squared: whether to square.
    """

    def __init__(self, epsilon: float, squared: bool = False) -> None:
        super().__init__()
        self.epsilon, self.squared = epsilon, squared

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the mean over the outputs."""
        beyond = ops.relu(ops.abs(y_true - y_pred) - self.epsilon)
        return ops.mean(ops.square(beyond) if self.squared else beyond, axis=-1)


def _signed(targets: Any) -> Any:
    return 2.0 * targets - 1.0
