"""A progress bar for loops of one's own, with Keras' arguments."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from fastgd.utils.checks import check_int, check_real
from fastgd.utils.errors import invalid
from fastgd.utils.progress import BAR_WIDTH, ProgressLine


class Progbar:
    """A bar with steps, time and values, as `fit` shows it.

    Args:
        target: the number of steps; None if nobody knows it.
        width: the characters of the bar.
        verbose: 0 shows nothing, 1 a bar, 2 one line at the end.
        interval: the least seconds between two drawings.
        stateful_metrics: the names of values that are shown as they are; all others are averaged over the steps.
        stateless_metrics: the names of values that are averaged; all others are shown as they are.
        unit_name: what a step is called.

    Raises:
        ValueError: if both lists of names are given, or a number is out of range.

    Example:
        >>> bar = fastgd.utils.Progbar(100)
        >>> for step in range(100):
        ...     bar.update(step + 1, [("loss", train_step())])
    """

    def __init__(
        self,
        target: int | None,
        width: int = BAR_WIDTH,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise invalid(
                "Give `stateful_metrics` or `stateless_metrics`, not both.", stateful_metrics=stateful_metrics
            )
        if verbose not in (0, 1, 2):
            raise invalid("`verbose` must be 0, 1 or 2.", verbose=verbose)
        self.target = None if target is None else check_int("target", target, 0)
        self.width = check_int("width", width, 1)
        self.verbose = int(verbose)
        self.interval = check_real("interval", interval, 0.0)
        self.unit_name = unit_name
        self._shown_as_they_are = None if stateless_metrics is not None else set(stateful_metrics or ())
        self._averaged = set(stateless_metrics or ())
        self._done = 0
        # Sum and number of steps of each value.
        self._sums: dict[str, tuple[float, int]] = {}
        self._line: ProgressLine | None = None
        self._last_drawing = 0.0
        if self.verbose:
            self._line = ProgressLine(self.target or 0, self.verbose == 1, self.width, unit_name)

    def update(
        self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Show how far the loop is.

        Args:
            current: the steps done.
            values: names and values of the steps since the last call; arrays count with their mean.
            finalize: whether this is the last call; None for whether `current` has reached the target.
        """
        last = finalize if finalize is not None else self.target is not None and current >= self.target
        for name, value in values or ():
            number = float(np.mean(value))
            steps = max(current - self._done, 1)
            # The last values stand for themselves, as in Keras: they are those of the whole loop.
            if last or not self._is_averaged(name):
                self._sums[name] = (number, 1)
            else:
                total, count = self._sums.get(name, (0.0, 0))
                self._sums[name] = (total + number * steps, count + steps)
        self._done = current
        if self._line is None:
            return
        means = {name: total / count for name, (total, count) in self._sums.items()}
        if last:
            self._line.done = current
            self._line.finish(means)
            self._line = None
        elif time.perf_counter() - self._last_drawing >= self.interval:
            self._last_drawing = time.perf_counter()
            self._line.update(current, means)

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Show that `n` further steps are done; `values` are those of `update`."""
        self.update(self._done + n, values)

    def _is_averaged(self, name: str) -> bool:
        return name in self._averaged if self._shown_as_they_are is None else name not in self._shown_as_they_are
