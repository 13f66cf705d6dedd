"""Ending `fit` when the loss is no number any more."""

from __future__ import annotations

import math

from fastgd.callbacks.callback import Callback, Logs
from fastgd.utils.checks import check_bool
from fastgd.utils.errors import received
from fastgd.utils.messages import say


class TerminateOnNaN(Callback):
    """Stops after the first batch whose loss is NaN or infinite.

    It looks after every batch, so the engine returns to Python after every batch. The weights are then those after the
    update with that batch.

    Args:
        raise_error: whether to raise a RuntimeError, which skips `on_train_end` of all callbacks, in place of ending
            the run in good order.

    Example:
        >>> model.fit(x, y, callbacks=[fastgd.callbacks.TerminateOnNaN()])
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = check_bool("raise_error", raise_error)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Look at the loss, a mean over the epoch so far: once it is no number it stays so.

        Raises:
            RuntimeError: with `raise_error`, if the loss is NaN or infinite.
        """
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"NaN or Inf loss encountered at batch {batch}. {received(loss=loss)}")
        say(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
