"""Losses of numbers: errors, their logarithms and shares, and the angle between vectors."""

from __future__ import annotations

from typing import Any

from fastgd import config
from fastgd.losses.loss import NativeLoss
from fastgd.utils.checks import check_last_axis, check_real


class PlainLoss(NativeLoss, abstract=True):
    """Base of the losses without arguments of their own.

    Args:
        reduction: as in `Loss`.
        name: the name; the class' in snake case if None.
        dtype: as in `Loss`.
    """

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: str | None = None
    ) -> None:
        super().__init__(name, reduction, dtype)


class _WithEpsilon(PlainLoss, abstract=True):
    """Base of the plain losses whose formula has epsilon in it."""

    def attrs(self) -> dict[str, Any]:
        """Return the attributes of the op."""
        return {"epsilon": config.epsilon()}


class MeanSquaredError(PlainLoss):
    """The mean of `(y_pred - y_true)^2`."""


class MeanAbsoluteError(PlainLoss):
    """The mean of `|y_pred - y_true|`."""


class MeanAbsolutePercentageError(_WithEpsilon):
    """The mean of `100 |y_true - y_pred| / max(|y_true|, epsilon)`."""


class MeanSquaredLogarithmicError(_WithEpsilon):
    """The mean of `(log(y_true + 1) - log(y_pred + 1))^2`, both at least epsilon."""


class LogCosh(PlainLoss):
    """The mean of `log(cosh(y_pred - y_true))`: half a square near 0, an absolute value far from it."""


class Poisson(_WithEpsilon):
    """The mean of `y_pred - y_true log(y_pred + epsilon)`: what a Poisson distribution of that mean loses."""


class KLDivergence(_WithEpsilon):
    """The mean of `sum(y_true log(y_true / y_pred))` over the last axis, both clipped to [epsilon, 1].

    Source: Kullback, Leibler, On information and sufficiency, 1951.
    """


class Huber(NativeLoss):
    """The mean of `d^2 / 2` where `d = |y_pred - y_true|` is at most delta, else of `delta d - delta^2 / 2`.

    Args:
        delta: where the square becomes a line.
        reduction: as in `Loss`.
        name: the name.
        dtype: as in `Loss`.

    Example:
        >>> fastgd.losses.Huber()([[0.0, 0.0]], [[1.0, 3.0]])
        1.5

    Source: Huber, Robust estimation of a location parameter, 1964.
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.delta = check_real("delta", delta, 0.0)

    def attrs(self) -> dict[str, Any]:
        """Return the attributes of the op."""
        return {"delta": self.delta}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"delta": self.delta, **super().get_config()}


class CosineSimilarity(NativeLoss):
    """The mean of `-sum(y_true y_pred) / (|y_true| |y_pred|)`: -1 for one direction, 1 for the opposite one.

    Args:
        axis: the axis of the vectors, which must be the last.
        reduction: as in `Loss`.
        name: the name.
        dtype: as in `Loss`.
    """

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "cosine_similarity",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = check_last_axis(axis)

    def attrs(self) -> dict[str, Any]:
        """Return the attributes of the op."""
        return {"sign": -1.0, "epsilon": config.epsilon()}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"axis": self.axis, **super().get_config()}
