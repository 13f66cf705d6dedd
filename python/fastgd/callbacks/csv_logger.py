"""Writing losses and metrics of every epoch into a CSV file."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from fastgd.callbacks.callback import Callback, Logs
from fastgd.utils.checks import check_bool
from fastgd.utils.errors import invalid, mistyped


class CSVLogger(Callback):
    """Writes a row per epoch: its number, from 0, and the values in the logs under their names in sorted order.

    The columns are what the first epoch has. If it has no validation, columns "val_..." are added for one that may
    follow; what an epoch does not have is "NA". The file is complete after every epoch, also if `fit` is interrupted.

    Args:
        filename: the file, a string or a path.
        separator: the character between values.
        append: whether to add to a file that exists, under its columns, in place of writing it anew.

    Raises:
        ValueError: in `fit`, if a file to append to has no column for a value.

    Example:
        >>> model.fit(x, y, epochs=10, callbacks=[fastgd.callbacks.CSVLogger("log.csv")])
        >>> log = fastgd.callbacks.CSVLogger("log.csv", append=True)
        >>> model.fit(x, y, initial_epoch=10, epochs=20, callbacks=[log])
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        super().__init__()
        if not isinstance(filename, (str, os.PathLike)):
            raise mistyped("`filename` must be a string or a path.", filename=filename)
        if not isinstance(separator, str):
            raise mistyped("`separator` must be a string.", separator=separator)
        if len(separator) != 1 or separator in '"\r\n':
            raise invalid("`separator` must be one character, no quote and no end of a line.", separator=separator)
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = check_bool("append", append)
        self.keys: list[str] | None = None
        self._path = Path(self.filename)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Make the file, or see that it can be appended to."""
        # Held as it is now: a later change of the working directory must not split the rows.
        self._path = Path(self.filename).absolute()
        self.keys = None
        # Opened for every row and not held open, so that nothing is left behind however `fit` ends.
        with self._open("a" if self.append else "w"):
            pass

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write the row of an epoch, after the header if there is none."""
        logs = logs or {}
        rows: list[list[Any]] = []
        if self.keys is None:
            self.keys = self._columns_of_file(logs) if self.append else None
        if self.keys is None:
            self.keys = _columns_of(logs)
            rows.append(["epoch", *self.keys])
        rows.append([epoch, *(_text(logs.get(key, "NA")) for key in self.keys)])
        with self._open("a") as file:
            csv.writer(file, delimiter=self.sep).writerows(rows)

    def _columns_of_file(self, logs: Logs) -> list[str] | None:
        """Return the columns behind the epoch in the file; None if the file is empty."""
        with self._open("r") as file:
            columns = next(csv.reader(file, delimiter=self.sep), [])
        if not columns:
            return None
        absent = [name for name in ("epoch", *logs) if name not in columns]
        if absent or columns[0] != "epoch":
            raise invalid(
                f"`append` adds to a file that has other columns than this run: {', '.join(absent or columns)}.",
                filename=self.filename,
                columns=columns,
            )
        return columns[1:]

    def _open(self, mode: str) -> IO[str]:
        return self._path.open(mode, newline="", encoding="utf-8")


def _columns_of(logs: Logs) -> list[str]:
    """Return the columns for the first logs, with those of a validation to come if there was none."""
    names = sorted(logs)
    if any(name.startswith("val_") for name in names):
        return names
    return names + [f"val_{name}" for name in names]


def _text(value: Any) -> Any:
    """Return what is written for a value: a list of several in brackets, all else as it is."""
    if isinstance(value, str) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0:
        return value
    return f'"[{", ".join(map(str, value))}]"'
