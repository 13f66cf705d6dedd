"""The record of losses and metrics that `fit` returns."""

from __future__ import annotations

from fastgd.callbacks.callback import Callback, Logs


class History(Callback):
    """What each epoch gave.

    Attributes:
        history: for every name in the logs the list of its values, one per epoch.
        epoch: the numbers of the epochs, from 0.

    Example:
        >>> history = model.fit(x, y, epochs=3)
        >>> history.history["loss"]
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Start the list of epochs."""
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep the values of an epoch."""
        self.epoch.append(epoch)
        for key, value in (logs or {}).items():
            self.history.setdefault(key, []).append(value)
        self.model.history = self
