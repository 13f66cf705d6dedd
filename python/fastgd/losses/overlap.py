"""Losses of overlap: how little of two sets of points, such as two masks of an image, is common to both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastgd import config, ops
from fastgd.losses.loss import Loss
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_int, check_real

Axis = int | Sequence[int] | None


class _Overlap(Loss, abstract=True):
    """Base of the losses `1 - ratio` of sums over some axes.

    Args:
        axis: the axes to sum over, an integer or several; None for all, the batch included, which makes one value for
            the whole batch.
        reduction: as in `Loss`.
        name: the name.
        dtype: as in `Loss`.
    """

    def __init__(self, reduction: str | None, name: str, axis: Axis, dtype: str | None) -> None:
        super().__init__(name, reduction, dtype)
        least = -(2**31)
        single = axis is None or isinstance(axis, int)
        self.axis: Any = axis if single else tuple(check_int("axis", k, least) for k in axis)  # type: ignore[union-attr]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return `1 - ratio` for what the axes leave: of arrays an array, of tensors a tensor."""
        if isinstance(y_pred, Tensor):
            return ops.subtract(1.0, self._ratio(y_true, y_pred))
        return self.values(y_true, y_pred)

    def _ratio(self, t: Tensor, p: Tensor) -> Tensor:
        """Emit the ratio."""
        raise NotImplementedError

    def _total(self, x: Tensor) -> Tensor:
        return ops.sum(x, axis=self.axis)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), "axis": self.axis}


class Dice(_Overlap):
    """`1 - 2 sum(y_true y_pred) / (sum(y_true) + sum(y_pred) + epsilon)`: 0 for two equal sets, 1 for disjoint ones.

    Args:
        reduction: as in `Loss`.
        name: the name.
        axis: the axes to sum over, an integer or several; None for all, the batch included, which makes one value for
            the whole batch.
        dtype: as in `Loss`.

    Example:
        >>> fastgd.losses.Dice(axis=(1, 2, 3))

    Source: Dice, Measures of the amount of ecologic association between species, 1945.
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "dice",
        axis: Axis = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(reduction, name, axis, dtype)

    def _ratio(self, t: Tensor, p: Tensor) -> Tensor:
        common = self._total(ops.multiply(t, p))
        both = ops.add(self._total(t), self._total(p))
        y: Tensor = ops.divide(ops.multiply(2.0, common), ops.add(both, config.epsilon()))
        return y


class Tversky(_Overlap):
    """`1 - c / (c + alpha a + beta b + epsilon)`: `Dice` for alpha = beta = 1/2.

    Here `c = sum(y_true y_pred)`, `a = sum(y_true (1 - y_pred))` and `b = sum(y_pred (1 - y_true))`.

    Args:
        alpha: the weight of what the predictions lack.
        beta: the weight of what they have too much.
        reduction: as in `Loss`.
        name: the name.
        axis: the axes to sum over, as in `Dice`.
        dtype: as in `Loss`.

    Source: Salehi, Erdogmus, Gholipour, Tversky loss function for image segmentation, https://arxiv.org/abs/1706.05721.
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "tversky",
        axis: Axis = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(reduction, name, axis, dtype)
        self.alpha = check_real("alpha", alpha)
        self.beta = check_real("beta", beta)

    def _ratio(self, t: Tensor, p: Tensor) -> Tensor:
        common = self._total(ops.multiply(t, p))
        missed = self._total(ops.multiply(ops.subtract(1.0, p), t))
        excess = self._total(ops.multiply(p, ops.subtract(1.0, t)))
        weighted = ops.add(ops.multiply(missed, self.alpha), ops.multiply(excess, self.beta))
        y: Tensor = ops.divide(common, ops.add(ops.add(common, weighted), config.epsilon()))
        return y

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), "alpha": self.alpha, "beta": self.beta}
