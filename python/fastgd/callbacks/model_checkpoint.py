"""Writing the model to a file while it trains: after every epoch, or whenever it has got better."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from fastgd.callbacks.callback import Logs
from fastgd.callbacks.monitor_callback import MonitorCallback
from fastgd.callbacks.saving_frequency import BatchCounter, check_save_freq
from fastgd.utils.checks import check_bool, check_int, check_real
from fastgd.utils.errors import invalid, mistyped

_MODEL, _WEIGHTS = ".keras", ".weights.h5"


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights alone, after every epoch or every so many batches.

    Files are written whole or not at all: a process that dies while it saves leaves the file that was there.

    Args:
        filepath: where to, ending in ".keras", or in ".weights.h5" with `save_weights_only`. "{epoch}", counted from 1,
            "{batch}" with a number of batches as `save_freq`, and "{NAME}" for what the logs have are filled in, also
            with a format: "{epoch:02d}-{val_loss:.2f}.keras".
        monitor: a name in the logs, for `save_best_only`.
        verbose: 1 prints a line when it saves.
        save_best_only: whether to save only what is better than anything before.
        save_weights_only: whether to save weights and the state of the optimizer, without the config.
        mode: "min" or "max" says which way is better; "auto" goes by the name: losses down, metrics as they say.
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: what the first value must be better than, None for any.

    Attributes:
        best: the best value seen.

    Raises:
        ValueError: for another ending, and for a `save_freq` that is neither.

    Example:
        >>> best = fastgd.callbacks.ModelCheckpoint("best.keras", save_best_only=True)
        >>> model.fit(x, y, validation_split=0.2, epochs=20, callbacks=[best])
        >>> model = fastgd.models.load_model("best.keras")
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: int | str = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, 0.0)
        if not isinstance(filepath, (str, Path)):
            raise mistyped("`filepath` must be a string or a path.", filepath=filepath)
        self.filepath = str(filepath)
        self.verbose = check_int("verbose", verbose, 0)
        self.save_best_only = check_bool("save_best_only", save_best_only)
        self.save_weights_only = check_bool("save_weights_only", save_weights_only)
        ending = _WEIGHTS if save_weights_only else _MODEL
        if not self.filepath.endswith(ending):
            raise invalid(f"`filepath` must end in {ending!r}.", filepath=self.filepath)
        self.save_freq = check_save_freq(save_freq)
        if initial_value_threshold is not None:
            self.best = check_real("initial_value_threshold", initial_value_threshold)
        self._epoch = 0
        if isinstance(self.save_freq, int):
            self._counter = BatchCounter(self.save_freq)
            # On the instance, so that without batches this hook does not count as overridden.
            setattr(self, "on_train_batch_end", self._end_batch)  # noqa: B010

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Save, if epochs count."""
        if self.save_freq == "epoch":
            self._save(self._path(logs or {}), logs or {})

    def _end_batch(self, batch: int, logs: Logs | None = None) -> None:
        if self._counter.is_time():
            self._save(self._path({"batch": batch + 1, **(logs or {})}), logs or {})

    def _path(self, names: dict[str, Any]) -> str:
        try:
            return self.filepath.format(epoch=self._epoch + 1, **names)
        except KeyError as error:
            known = ", ".join(["epoch", *names])
            raise invalid(
                f"`filepath` names {error}, which is not in the logs: {known}.", filepath=self.filepath
            ) from None

    def _save(self, path: str, logs: Logs) -> None:
        if not self._is_wanted(logs, path):
            return
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)

    def _is_wanted(self, logs: Logs, path: str) -> bool:
        """Return whether to save now, and say so if wanted."""
        said = f"saving model to {path}"
        wanted = True
        if self.save_best_only:
            current = logs.get(self.monitor)
            if current is None or np.ndim(current):
                why = "is not in the logs" if current is None else "is no single number"
                warnings.warn(f"ModelCheckpoint saves every time: {self.monitor!r} {why}.", stacklevel=4)
            else:
                before = "None" if self.best is None else f"{self.best:.5f}"
                wanted = self._is_better(float(current), self.best)
                said = f"{self.monitor} did not improve from {before}"
                if wanted:
                    said = f"{self.monitor} improved from {before} to {current:.5f}, saving model to {path}"
                    self.best = float(current)
        if self.verbose > 0:
            print(f"\nEpoch {self._epoch + 1}: {said}")
        return wanted
