"""Ending `fit` when a quantity stops getting better."""

from __future__ import annotations

from typing import Any

from fastgd.callbacks.callback import Logs
from fastgd.callbacks.monitor_callback import MonitorCallback
from fastgd.utils.checks import check_bool, check_int, check_real
from fastgd.utils.messages import say


class EarlyStopping(MonitorCallback):
    """Stops when `monitor` has not got better by more than `min_delta` for `patience` epochs.

    Args:
        monitor: a name in the logs, such as "val_loss".
        min_delta: the least change that counts, 0 or more.
        patience: how many epochs without one are allowed.
        verbose: 1 prints a line when it stops or restores weights.
        mode: "min" or "max" says which way is better; "auto" goes by the name: losses down, metrics as they say.
        baseline: a value to beat: patience runs until `monitor` is better.
        restore_best_weights: whether the weights of the best epoch are put back at the end, stopped early or not.
        start_from_epoch: how many epochs to wait before looking.

    Attributes:
        best: the best value seen.
        best_epoch: its epoch, from 0.
        best_weights: its weights, with `restore_best_weights`.
        stopped_epoch: the epoch that was the last, 0 if it did not stop.

    Example:
        >>> model.fit(x, y, validation_split=0.2, callbacks=[fastgd.callbacks.EarlyStopping(patience=3)])
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = check_int("patience", patience, 0)
        self.verbose = check_int("verbose", verbose, 0)
        self.baseline = None if baseline is None else check_real("baseline", baseline)
        self.restore_best_weights = check_bool("restore_best_weights", restore_best_weights)
        self.start_from_epoch = check_int("start_from_epoch", start_from_epoch, 0)
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget earlier runs."""
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best one and stop the model if patience is over."""
        value = self._monitored(logs or {})
        if value is None or epoch < self.start_from_epoch:
            return
        better = self._is_better(value, self.best)
        if better:
            self.best, self.best_epoch = value, epoch
        if self.restore_best_weights and (better or self.best_weights is None):
            # The first epoch is kept in any case, to go back to if nothing ever gets better.
            self.best_weights = self.model.get_weights()
        beats_baseline = self.baseline is None or self._is_better(value, self.baseline)
        self.wait = 0 if better and beats_baseline else self.wait + 1
        if not better and self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Put the best weights back."""
        if self.stopped_epoch > 0 and self.verbose > 0:
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)
