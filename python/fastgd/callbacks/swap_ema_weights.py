"""Evaluating with the running averages of the weights in place of the weights."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from fastgd.callbacks.callback import Callback, Logs
from fastgd.utils.checks import check_bool

Array = npt.NDArray[Any]


class SwapEMAWeights(Callback):
    """Swaps the weights with their running averages before `evaluate`, a validation and `predict`, and back afterwards.

    The optimizer must have `use_ema=True`.

    Args:
        swap_on_epoch: whether to swap at the end of every epoch as well, until the next one begins, so that callbacks
            behind this one, such as those that store weights, see the averages. One that may stop the training must
            stand before it.

    Raises:
        ValueError: when data run through the model, if its optimizer keeps no averages.

    Example:
        >>> model.compile(fastgd.optimizers.Adam(use_ema=True), "mse")
        >>> model.fit(x, y, validation_split=0.2, callbacks=[fastgd.callbacks.SwapEMAWeights()])
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = check_bool("swap_on_epoch", swap_on_epoch)
        self._swapped = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Bring back the weights that training goes on with."""
        if self.swap_on_epoch:
            self._bring(False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Bring in the averages; after the last epoch they stay for good."""
        if not self.swap_on_epoch:
            return
        self._bring(True)
        if epoch == self.params["epochs"] - 1 or self.model.stop_training:
            # `fit` ends by putting what stands in the optimizer into the weights.
            for average, weight in self._pairs():
                average[...] = weight
            self._swapped = False

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Bring in the averages."""
        self._bring(True)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Bring back the weights."""
        self._bring(False)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Bring in the averages."""
        self._bring(True)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Bring back the weights."""
        self._bring(False)

    def _bring(self, averages: bool) -> None:
        """See to it that the model has the averages, or the weights."""
        if self._swapped != averages:
            for average, weight in self._pairs():
                kept = weight.copy()
                weight[...] = average
                average[...] = kept
            self._swapped = averages

    def _pairs(self) -> list[tuple[Array, Array]]:
        optimizer = self.model.optimizer
        if not optimizer.use_ema or not optimizer.calls:
            raise ValueError(
                "SwapEMAWeights needs an optimizer with `use_ema=True` that has begun to train. "
                f"Received: use_ema={optimizer.use_ema}"
            )
        weights = [variable.value for variable in optimizer.trainable_variables]
        return list(zip(optimizer.slot_values("average"), weights, strict=True))
