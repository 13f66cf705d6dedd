"""Setting the learning rate of every epoch by a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from fastgd.callbacks.callback import Callback, Logs
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.messages import say


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of every epoch.

    The logs get "learning_rate", the rate at the end of the epoch.

    Args:
        schedule: called as `schedule(epoch, learning_rate)`, or as `schedule(epoch)` if it takes no more, with the
            epoch from 0 and the rate so far; returns the new rate, a float.
        verbose: 1 prints a line for every epoch.

    Raises:
        TypeError: if `schedule` cannot be called in either way.
        ValueError: in `fit`, if it returns anything but a float.

    Example:
        >>> def halve_every_ten(epoch, learning_rate):
        ...     return learning_rate / 2 if epoch and epoch % 10 == 0 else learning_rate
        >>> model.fit(x, y, epochs=30, callbacks=[fastgd.callbacks.LearningRateScheduler(halve_every_ten)])
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise mistyped("`schedule` must be callable.", schedule=schedule)
        self.schedule = schedule
        self.verbose = check_int("verbose", verbose, 0)
        self._takes_rate = _accepts(schedule, 0, 0.0)
        if not self._takes_rate and not _accepts(schedule, 0):
            raise mistyped("`schedule` must take the epoch, or the epoch and the learning rate.", schedule=schedule)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Set the learning rate of the epoch."""
        optimizer = self.model.optimizer
        rate: Any = self.schedule(epoch, float(optimizer.learning_rate)) if self._takes_rate else self.schedule(epoch)
        if not isinstance(rate, (float, np.floating)):
            raise invalid("`schedule` must return a float.", returned=rate, epoch=epoch)
        optimizer.learning_rate = rate
        if self.verbose > 0:
            say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Put the learning rate into the logs."""
        if logs is not None:
            logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def _accepts(function: Callable[..., Any], *arguments: object) -> bool:
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    except ValueError:
        # Some functions written in C tell no signature; they learn by the call.
        return True
    return True
