"""The base of losses whose values are computed with plain NumPy."""

from __future__ import annotations

from typing import Any

from fastgd import ops
from fastgd.losses.loss import Loss
from fastgd.utils.errors import invalid


class NumpyLoss(Loss, abstract=True):
    """Base of losses that compute with plain NumPy instead of `fastgd.ops`, which is slow: see `ops.numpy_function`.

    A subclass implements `value` and, to be trained on, `gradient`; it is then found by its name, as all others are.

    Args:
        **kwargs: those of every loss.

    Attributes:
        sparse: set to True in the class, targets are integer labels that lack the axis of classes.

    Example:
        >>> class Quantile(fastgd.losses.NumpyLoss):
        ...     def value(self, y_true, y_pred):
        ...         d = y_true - y_pred
        ...         return np.maximum(0.9 * d, -0.1 * d).mean(axis=-1)
        ...     def gradient(self, y_true, y_pred):
        ...         return np.where(y_true > y_pred, -0.9, 0.1) / y_pred.shape[-1]
    """

    def value(self, y_true: Any, y_pred: Any) -> Any:
        """Return one value per sample, shape (n,).

        Args:
            y_true: array of targets, of the shape of the predictions, or of labels where the class says `sparse`.
            y_pred: array of predictions (n, ...).
        """
        raise NotImplementedError(f"{type(self).__name__} must implement value(y_true, y_pred)")

    def gradient(self, y_true: Any, y_pred: Any) -> Any:
        """Return the derivative of each sample's value by its predictions, of the shape of the predictions."""
        raise NotImplementedError(f"{type(self).__name__} must implement gradient(y_true, y_pred)")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the values of tensors or arrays."""
        has_gradient = type(self).gradient is not NumpyLoss.gradient
        backward = self._backward if has_gradient else None
        return ops.numpy_function(self.value, [y_true, y_pred], (None,), backward, f"the loss {self.name}")

    def _backward(self, dv: Any, v: Any, y_true: Any, y_pred: Any) -> Any:
        slope = self.gradient(y_true, y_pred)
        shape = getattr(slope, "shape", None)
        if shape != y_pred.shape:
            message = f"`gradient` of the loss {self.name!r} must return an array of shape {y_pred.shape}."
            raise invalid(message, shape=shape)
        return None, dv.reshape(-1, *(1 for _ in y_pred.shape[1:])) * slope
