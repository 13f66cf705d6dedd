"""Ending `fit` where the gradient vanishes."""

from __future__ import annotations

import math
from typing import Any

from fastgd.callbacks.callback import Callback, Logs
from fastgd.utils.checks import check_above_zero, check_bool, check_int
from fastgd.utils.messages import say


class CriticalPoint(Callback):
    """Stops when the gradient over all rows has a Euclidean norm of at most `tolerance`: at a critical point.

    The gradient is that of the loss over all rows of the training data with the weights at the end of an epoch, so each
    look costs about as much as an epoch of one batch. The norm joins the logs as "gradient_norm".

    Args:
        tolerance: the norm that counts as none.
        every: how many epochs lie between two looks.
        restore_best_weights: whether the weights with the least norm seen are put back at the end.
        verbose: 1 prints a line when it stops or restores weights.

    Attributes:
        best: the least norm seen, None before the first look.
        best_epoch: its epoch, from 0.
        converged: whether the tolerance was reached.

    Raises:
        ValueError: if `tolerance` is not above 0; in `fit`, if the data come in batches.

    Example:
        >>> stop = fastgd.callbacks.CriticalPoint(1e-4)
        >>> model.fit(x, y, batch_size=len(x), epochs=10_000, callbacks=[stop], verbose=0)

    Not in Keras.
    """

    def __init__(
        self, tolerance: float = 1e-5, every: int = 1, restore_best_weights: bool = True, verbose: int = 0
    ) -> None:
        super().__init__()
        self.tolerance = check_above_zero("tolerance", tolerance)
        self.every = check_int("every", every, 1)
        self.restore_best_weights = check_bool("restore_best_weights", restore_best_weights)
        self.verbose = check_int("verbose", verbose, 0)
        self._forget()

    def _forget(self) -> None:
        self.best: float | None = None
        self.best_epoch = 0
        self.converged = False
        self._best_weights: list[Any] | None = None
        self._last_epoch = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget earlier runs."""
        self._forget()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the gradient and stop the model if it vanishes."""
        self._last_epoch = epoch
        if (epoch + 1) % self.every:
            return
        _, gradient = self.model.training_loss_and_gradient()
        norm = math.sqrt(float((gradient.astype("float64") ** 2).sum()))
        if logs is not None:
            logs["gradient_norm"] = norm
        if self.best is None or norm < self.best:
            self.best, self.best_epoch = norm, epoch
            self._best_weights = self.model.get_weights() if self.restore_best_weights else None
        if norm <= self.tolerance:
            self.converged = True
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Put the best weights back."""
        if self.converged and self.verbose:
            say(f"Epoch {self._last_epoch + 1}: the gradient's norm is {self.best:.3g}")
        if self._best_weights is not None and self.best_epoch != self._last_epoch:
            if self.verbose:
                say(f"Restoring the weights of epoch {self.best_epoch + 1}, where the norm was {self.best:.3g}.")
            self.model.set_weights(self._best_weights)
