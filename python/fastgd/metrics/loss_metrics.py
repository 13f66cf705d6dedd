"""The losses observed as metrics: their means over the samples, weighted by the samples' weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from fastgd import config, losses
from fastgd.losses import Loss
from fastgd.losses.masked import mean_of_steps
from fastgd.metrics.base import Array, Metric, Totals
from fastgd.metrics.batch_values import COLUMNS, columns_of_batch, mean_of_batches
from fastgd.ops.builder import Dims, Tensor
from fastgd.ops.losses import per_sample
from fastgd.plan import BATCH


class _LossMetric(Metric, abstract=True):
    """A loss observed as a metric."""

    heeds_masks = True
    loss: Loss
    # The arguments that the metric shares with the loss.
    _options: ClassVar[tuple[str, ...]] = ()

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return self.loss.lower_given(p, t)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        shared = {key: value for key, value in self.loss.get_config().items() if key in self._options}
        return {**shared, **super().get_config()}


class _PlainLossMetric(_LossMetric, abstract=True):
    """A loss without arguments of its own, observed as a metric; the name is the loss' if none is given."""

    _loss: ClassVar[type[Loss]]

    def __init__(self, name: str | None = None) -> None:
        self.loss = self._loss()
        super().__init__(name or self.loss.name)


class MeanSquaredError(_PlainLossMetric):
    """The mean of `(y_pred - y_true)^2`."""

    _loss = losses.MeanSquaredError


class MeanAbsoluteError(_PlainLossMetric):
    """The mean of `|y_pred - y_true|`."""

    _loss = losses.MeanAbsoluteError


class MeanAbsolutePercentageError(_PlainLossMetric):
    """The mean of `100 |y_true - y_pred| / max(|y_true|, epsilon)`."""

    _loss = losses.MeanAbsolutePercentageError


class MeanSquaredLogarithmicError(_PlainLossMetric):
    """The mean of `(log(y_true + 1) - log(y_pred + 1))^2`."""

    _loss = losses.MeanSquaredLogarithmicError


class KLDivergence(_PlainLossMetric):
    """The mean of `sum(y_true log(y_true / y_pred))` over the last axis."""

    _loss = losses.KLDivergence


class Poisson(_PlainLossMetric):
    """The mean of `y_pred - y_true log(y_pred + epsilon)`."""

    _loss = losses.Poisson


class Hinge(_PlainLossMetric):
    """The mean of `max(1 - y_true y_pred, 0)`."""

    _loss = losses.Hinge


class SquaredHinge(_PlainLossMetric):
    """The mean of `max(1 - y_true y_pred, 0)^2`."""

    _loss = losses.SquaredHinge


class CategoricalHinge(_PlainLossMetric):
    """The mean of `max(neg - pos + 1, 0)` with `pos = sum(y_true y_pred)`, `neg = max((1 - y_true) y_pred)`."""

    _loss = losses.CategoricalHinge


class LogCoshError(_PlainLossMetric):
    """The mean of `log(cosh(y_pred - y_true))`."""

    _loss = losses.LogCosh

    def __init__(self, name: str | None = "logcosh") -> None:
        super().__init__(name)


class CosineSimilarity(_LossMetric):
    """The mean cosine between the vectors of the last axis: unlike the loss, 1 for one direction."""

    _direction = "up"
    _options = ("axis",)

    def __init__(self, name: str = "cosine_similarity", axis: int = -1) -> None:
        super().__init__(name)
        self.loss = losses.CosineSimilarity(axis)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return per_sample("cosine_similarity", p, t, epsilon=config.epsilon())


class FunctionMetric(_LossMetric, abstract=True):
    """A plain function of (y_true, y_pred), written with `fastgd.ops` and observed under its name.

    Values without a batch, such as one number, are averaged over the batches; where samples have weights that are not
    all 1, with the sums of these.

    Args:
        fn: the function.
        name: the name; that of the function if None.
    """

    def __init__(self, fn: Callable[[Any, Any], Any], name: str | None = None) -> None:
        made = losses.get(fn)
        assert made is not None
        super().__init__(name or made.name)
        self.fn = fn
        self.loss = made

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the values per sample, or the columns that keep one value per batch."""
        v = super().lower(p, t)
        return columns_of_batch(v, p.dims[0]) if v.dims == (1,) else v

    def lower_steps(self, p: Tensor, t: Tensor, steps: Dims) -> Tensor:
        """Emit the value of every step."""
        by_hand = self.loss.is_written_by_hand
        return mean_of_steps(self.loss.values_of(p, t), steps) if by_hand else super().lower_steps(p, t, steps)

    def columns(self, dims: Dims) -> int:
        """Return how many sums are kept for predictions of shape `dims`."""
        return COLUMNS if self.loss.is_of_batches((BATCH, *dims[1:])) else 1

    def combine(self, totals: Totals) -> float | Array:
        """Return the mean over samples or batches."""
        return mean_of_batches(totals) if len(totals.columns) == COLUMNS else super().combine(totals)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object; the function stands for itself."""
        return {**super().get_config(), "fn": self.fn}


class BinaryCrossentropy(_LossMetric):
    """The binary cross-entropy; the arguments are those of the loss."""

    _options = ("from_logits", "label_smoothing")

    def __init__(
        self, name: str = "binary_crossentropy", from_logits: bool = False, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(name)
        self.loss = losses.BinaryCrossentropy(from_logits, label_smoothing)


class CategoricalCrossentropy(_LossMetric):
    """The cross-entropy over classes; the arguments are those of the loss."""

    _options = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
    ) -> None:
        super().__init__(name)
        self.loss = losses.CategoricalCrossentropy(from_logits, label_smoothing, axis)


class SparseCategoricalCrossentropy(_LossMetric):
    """The cross-entropy with integer labels; the arguments are those of the loss."""

    sparse = True
    _options = ("from_logits", "axis")

    def __init__(
        self, name: str = "sparse_categorical_crossentropy", from_logits: bool = False, axis: int = -1
    ) -> None:
        super().__init__(name)
        self.loss = losses.SparseCategoricalCrossentropy(from_logits, axis=axis)
