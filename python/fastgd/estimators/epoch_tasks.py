"""scikit-learn's own callbacks, from 1.9 on: each epoch is a task of the fit to them."""

from __future__ import annotations

from typing import Any

from fastgd.callbacks import Callback

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:
    # Older versions have none: `set_callbacks` is missing, and there is nothing to tear down.
    class CallbackSupportMixin:  # type: ignore[no-redef]
        """What stands for the class that is missing."""

    def with_callbacks(method: Any) -> Any:
        """Return the method as it is."""
        return method


class EpochTasks(Callback):
    """Hands epochs on to what `set_callbacks` was given; a hook that returns True ends the fit.

    Args:
        estimator: the estimator, which begins to fit.
        X: the samples as the user gave them.
        y: their targets as the user gave them.
        sample_weight: their weights, or None.
        epochs: how many epochs there are at most.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any, epochs: int) -> None:
        super().__init__()
        self._estimator = estimator
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._data: dict[str, Any] = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._fit = estimator._init_callback_context(max_subtasks=epochs).call_on_fit_task_begin(**self._data)
        self._epoch: Any = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin a task."""
        self._epoch = self._fit.subcontext(task_name="epoch").call_on_fit_task_begin(**self._data)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """End the task; callbacks that want an estimator get one with the weights of now."""
        if self._epoch.call_on_fit_task_end(**self._data, reconstruction_attributes=self._attributes):
            self.model.stop_training = True

    def finish(self) -> None:
        """End the task of the whole fit, when the estimator is ready."""
        self._fit.call_on_fit_task_end(**self._data, reconstruction_attributes={})

    def _attributes(self) -> dict[str, Any]:
        """Bring the estimator, of which scikit-learn makes a copy, up to date; it needs nothing besides."""
        self._estimator._store_weights()
        return {}


def tasks_of(estimator: Any, X: Any, y: Any, sample_weight: Any, epochs: int) -> EpochTasks | None:
    """Return what hands the epochs of a fit on, None where nobody listens."""
    if "_skl_callbacks" in estimator.__dict__ or "_parent_callback_ctx" in estimator.__dict__:
        return EpochTasks(estimator, X, y, sample_weight, epochs)
    return None


__all__ = ["CallbackSupportMixin", "EpochTasks", "tasks_of", "with_callbacks"]
