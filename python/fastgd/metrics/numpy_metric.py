"""The base of metrics whose values are computed with plain NumPy."""

from __future__ import annotations

from typing import Any

from fastgd import ops
from fastgd.metrics.base import Metric
from fastgd.ops.builder import Tensor


class NumpyMetric(Metric, abstract=True):
    """Base of metrics that compute with plain NumPy instead of `fastgd.ops`, which is slow: see `ops.numpy_function`.

    A subclass implements `value`, whose mean over the samples, by their weights, is the metric.

    Args:
        name: as in `Metric`.

    Attributes:
        sparse: set to True in the class, targets are integer labels that lack the axis of classes.

    Example:
        >>> class MedianError(fastgd.metrics.NumpyMetric):
        ...     def value(self, y_true, y_pred):
        ...         return np.median(np.abs(y_true - y_pred), axis=-1)
    """

    def value(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample, shape (n,).

        Args:
            y_true: array of targets, of the shape of the predictions, or of labels where the class says `sparse`.
            y_pred: array of predictions (n, ...).
        """
        raise NotImplementedError(f"{type(self).__name__} must implement value(y_true, y_pred)")

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the call of `value`."""
        v: Tensor = ops.numpy_function(self.value, [t, p], (None,), name=f"the metric {self.name}")
        return v
