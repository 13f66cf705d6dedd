"""The losses observed as metrics: their means over the samples, weighted by the samples' weights."""

from __future__ import annotations

from typing import Any

from fastgd import losses
from fastgd.losses import Loss
from fastgd.metrics.base import Metric
from fastgd.ops.builder import Tensor


class _LossMetric(Metric, abstract=True):
    """A loss observed as a metric."""

    loss: Loss

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return self.loss.lower_logits(p, t)[0] if self.loss.from_logits else self.loss.lower(p, t)


class MeanSquaredError(_LossMetric):
    """The mean of `(y_pred - y_true)^2`."""

    def __init__(self, name: str = "mean_squared_error") -> None:
        super().__init__(name)
        self.loss = losses.MeanSquaredError()


class MeanAbsoluteError(_LossMetric):
    """The mean of `|y_pred - y_true|`."""

    def __init__(self, name: str = "mean_absolute_error") -> None:
        super().__init__(name)
        self.loss = losses.MeanAbsoluteError()


class BinaryCrossentropy(_LossMetric):
    """The binary cross-entropy; the arguments are those of the loss."""

    def __init__(
        self, name: str = "binary_crossentropy", from_logits: bool = False, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(name)
        self.loss = losses.BinaryCrossentropy(from_logits, label_smoothing)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {k: v for k, v in self.loss.get_config().items() if k != "reduction"} | super().get_config()


class CategoricalCrossentropy(_LossMetric):
    """The cross-entropy over classes; the arguments are those of the loss."""

    def __init__(
        self, name: str = "categorical_crossentropy", from_logits: bool = False, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(name)
        self.loss = losses.CategoricalCrossentropy(from_logits, label_smoothing)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {k: v for k, v in self.loss.get_config().items() if k != "reduction"} | super().get_config()


class SparseCategoricalCrossentropy(_LossMetric):
    """The cross-entropy with integer labels; the arguments are those of the loss."""

    sparse = True

    def __init__(self, name: str = "sparse_categorical_crossentropy", from_logits: bool = False) -> None:
        super().__init__(name)
        self.loss = losses.SparseCategoricalCrossentropy(from_logits)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {k: v for k, v in self.loss.get_config().items() if k != "reduction"} | super().get_config()
