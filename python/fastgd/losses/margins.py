"""Losses of margins: targets say on which side predictions must lie, by at least one."""

from __future__ import annotations

from fastgd.losses.regression import PlainLoss
from fastgd.ops import losses as emit
from fastgd.ops.builder import Tensor


class _Margin(PlainLoss, abstract=True):
    """Base of the losses whose targets of 0 and 1 stand for -1 and 1, where all of a batch are of these two."""

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the loss per sample."""
        return super().lower(p, emit.signed_labels(t))


class Hinge(_Margin):
    """The mean of `max(1 - y_true y_pred, 0)` for targets of -1 and 1, or of 0 and 1, which is made into them."""


class SquaredHinge(_Margin):
    """The mean of `max(1 - y_true y_pred, 0)^2` for targets of -1 and 1, or of 0 and 1, which is made into them."""


class CategoricalHinge(PlainLoss):
    """The mean of `max(neg - pos + 1, 0)` with `pos = sum(y_true y_pred)`, `neg = max((1 - y_true) y_pred)`."""
