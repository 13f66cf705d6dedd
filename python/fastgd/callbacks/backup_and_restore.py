"""Going on with a training that was interrupted, as if nothing had happened."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from fastgd.callbacks.callback import Callback, Logs
from fastgd.callbacks.saving_frequency import BatchCounter, check_save_freq
from fastgd.utils.checks import check_bool
from fastgd.utils.errors import invalid
from fastgd.utils.seeds import generator_state, set_generator_state


class BackupAndRestore(Callback):
    """Backs up the state of a training, and lets the next `fit` go on from it: the same script is simply run again.

    The backup holds the weights, the state of the optimizer, epoch and batch, the order of the rows, the seeds of the
    layers that draw numbers and the generator of `utils.set_random_seed`. Over the same data the training that goes on
    ends with the same weights, to the bit, as one that nobody interrupted. In the middle of an epoch the loss of that
    epoch may differ in its last digits, and metrics of a `train_step` of one's own begin anew. What other callbacks
    remember, such as the patience of EarlyStopping, is not part of it; a learning rate that they set is. A generator
    must go on by itself.

    The file is written whole or not at all: a process that dies while it writes leaves the backup before.

    Args:
        backup_dir: the folder, which belongs to this callback alone.
        save_freq: "epoch", or every how many batches.
        double_checkpoint: whether the backup before the last one is kept, too, and taken if the last one is damaged.
        delete_checkpoint: whether the folder is removed when the training has ended.

    Raises:
        ValueError: for an empty `backup_dir`, or a `save_freq` that is neither; when `fit` begins, if the model is not
            built, or the backup is damaged or that of another model.

    Example:
        >>> model.fit(x, y, epochs=100, callbacks=[fastgd.callbacks.BackupAndRestore("backup")])
    """

    def __init__(
        self,
        backup_dir: Any,
        save_freq: int | str = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise invalid("`backup_dir` must name a folder.", backup_dir=backup_dir)
        self.backup_dir = Path(backup_dir)
        self.save_freq = check_save_freq(save_freq)
        self.double_checkpoint = check_bool("double_checkpoint", double_checkpoint)
        self.delete_checkpoint = check_bool("delete_checkpoint", delete_checkpoint)
        self._epoch = 0
        if isinstance(self.save_freq, int):
            self._counter = BatchCounter(self.save_freq)
            # On the instance, so that without batches this hook does not count as overridden.
            setattr(self, "on_train_batch_end", self._end_batch)  # noqa: B010

    @property
    def _path(self) -> Path:
        return self.backup_dir / "latest.weights.h5"

    @property
    def _previous(self) -> Path:
        return self.backup_dir / "previous.weights.h5"

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Go on from the backup, if there is one."""
        if not self.model.built:
            raise invalid(
                "BackupAndRestore needs a model that is built before `fit`: begin it with Input(shape=...), or call "
                "`build`.",
                model=self.model.name,
            )
        from fastgd.saving.models import load_backup

        paths = [path for path in (self._path, self._previous) if path.exists()]
        for number, path in enumerate(paths):
            try:
                state = load_backup(self.model, path)
            except (ValueError, OSError):
                if number == len(paths) - 1:
                    raise
                continue
            set_generator_state(state["generator"])
            self.model.resume_training(int(state["epoch"]), state["position"])
            return

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Note the epoch."""
        self._epoch = epoch

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Back up, if epochs count."""
        if self.save_freq == "epoch":
            self._save(epoch + 1)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Remove the backup, which nobody needs any more."""
        if self.delete_checkpoint and self.backup_dir.exists():
            shutil.rmtree(self.backup_dir)

    def _end_batch(self, batch: int, logs: Logs | None = None) -> None:
        if self._counter.is_time():
            self._save(self._epoch)

    def _save(self, epoch: int) -> None:
        """Write a backup from which the training goes on in `epoch`."""
        from fastgd.saving.models import save_backup

        self.backup_dir.mkdir(parents=True, exist_ok=True)
        if self.double_checkpoint and self._path.exists():
            # A second name for the file: the first one goes to the next backup.
            self._previous.with_suffix(".tmp").unlink(missing_ok=True)
            os.link(self._path, self._previous.with_suffix(".tmp"))
            self._previous.with_suffix(".tmp").replace(self._previous)
        state = {"epoch": epoch, "position": self.model.training_position(), "generator": generator_state()}
        save_backup(self.model, self._path, state)
