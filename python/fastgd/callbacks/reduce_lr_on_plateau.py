"""Lowering the learning rate when a quantity stops getting better."""

from __future__ import annotations

from fastgd.callbacks.callback import Logs
from fastgd.callbacks.monitor_callback import MonitorCallback
from fastgd.utils.checks import check_int, check_real, check_share
from fastgd.utils.messages import say


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when `monitor` has not got better for `patience` epochs.

    The logs get "learning_rate", the rate with which the epoch was trained.

    Args:
        monitor: a name in the logs, such as "val_loss".
        factor: what the learning rate is multiplied by, 0 or more and below 1.
        patience: after how many epochs without a better value the learning rate goes down; 0 acts as 1.
        verbose: 1 prints a line when the learning rate goes down.
        mode: "min" or "max" says which way is better; "auto" goes by the name: losses down, metrics as they say.
        min_delta: the least change that counts, 0 or more.
        cooldown: for how many epochs after that none is counted.
        min_lr: the learning rate below which it does not go.

    Attributes:
        best: the best value seen.
        wait: the epochs without a better one since then, or since the learning rate went down.
        cooldown_counter: how many epochs of the cooldown are left.

    Example:
        >>> plateau = fastgd.callbacks.ReduceLROnPlateau(factor=0.2, patience=5, min_lr=0.001)
        >>> model.fit(x, y, validation_split=0.2, callbacks=[plateau])
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.factor = check_share("factor", factor)
        self.patience = check_int("patience", patience, 0)
        self.verbose = check_int("verbose", verbose, 0)
        self.cooldown = check_int("cooldown", cooldown, 0)
        self.min_lr = check_real("min_lr", min_lr, 0.0)
        self.wait = 0
        self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Return whether epochs of a cooldown are left."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget earlier runs."""
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Compare the epoch with the best one and lower the learning rate if patience is over."""
        logs = {} if logs is None else logs
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)
        value = self._monitored(logs)
        if value is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
        if self._is_better(value, self.best):
            self.best = value
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        optimizer = self.model.optimizer
        rate = float(optimizer.learning_rate)
        if rate <= self.min_lr:
            return
        optimizer.learning_rate = max(rate * self.factor, self.min_lr)
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to {optimizer.learning_rate}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0
