"""Showing progress as Keras does: a live line on terminals, one line per epoch elsewhere."""

from __future__ import annotations

import sys

from fastgd.callbacks.callback import Callback, Logs
from fastgd.utils.errors import invalid
from fastgd.utils.messages import say
from fastgd.utils.progress import ProgressLine


class ProgbarLogger(Callback):
    """Shows steps, time, losses and metrics; `fit`, `evaluate` and `predict` add it according to `verbose`."""

    def __init__(self) -> None:
        super().__init__()
        self._line: ProgressLine | None = None
        self._fitting = False
        self._validating = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Remember that tests from now on are validations, whose numbers appear in the epoch's line."""
        self._fitting = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Forget that again."""
        self._fitting = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the line of an epoch."""
        epochs = self.params.get("epochs", 1)
        if self.params.get("verbose") and epochs > 1:
            say(f"Epoch {epoch + 1}/{epochs}")
        self._start()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Finish the line of an epoch."""
        self._finish(logs)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Start the line of an evaluation."""
        self._validating = self._fitting
        if not self._fitting:
            self._start()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Finish the line of an evaluation."""
        self._validating = False
        if not self._fitting:
            self._finish(logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Start the line of a prediction."""
        self._start()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Finish the line of a prediction."""
        self._finish(None)

    def on_progress(self, step: int, logs: Logs | None = None) -> None:
        """Redraw the line."""
        # A validation inside `fit` counts other steps than the line does.
        if self._line is not None and not self._validating:
            self._line.update(step, logs or {})

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _start(self) -> None:
        self.close()
        verbose = self.params.get("verbose", 0)
        if verbose:
            self._line = ProgressLine(self.params.get("steps") or 0, live=verbose == 1)

    def _finish(self, logs: Logs | None) -> None:
        if self._line is not None:
            self._line.finish(logs or {})
            self._line = None


def resolve_verbose(verbose: object) -> int:
    """Return 0, 1 or 2 for `verbose`; "auto" is 1 on terminals and in notebooks, else 2.

    Raises:
        ValueError: for anything else.
    """
    if verbose == "auto":
        return 1 if sys.stdout.isatty() or "ipykernel" in sys.modules else 2
    if isinstance(verbose, int) and int(verbose) in (0, 1, 2):
        return int(verbose)
    raise invalid("`verbose` must be 0, 1, 2 or 'auto'.", verbose=verbose)
