"""One line that tells how far a run has come, drawn with rich on terminals."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from fastgd import config
from fastgd.utils.messages import say

BAR_WIDTH = 20


class ProgressLine:
    """The line of one epoch: `12/100 ━━━━ 3s 4ms/step - accuracy: 0.9123 - loss: 0.2345`.

    Args:
        total: the number of steps; 0 where nobody knows it.
        live: whether to draw a bar, and on a terminal to redraw it at each `update`; else `finish` prints one line, or
            logs it if nothing is to be printed.
        width: the characters of the bar.
        unit: what a step is called.

    Attributes:
        done: the steps done at the last update.
    """

    def __init__(self, total: int, live: bool, width: int = BAR_WIDTH, unit: str = "step") -> None:
        self.total = total
        self.done = 0
        self._live_wanted = live and config.is_interactive_logging_enabled()
        self._width = width
        self._unit = unit
        self._display: Any = None
        self._start = time.perf_counter()

    def update(self, done: int, logs: Mapping[str, float]) -> None:
        """Redraw the line after `done` steps, with the means so far."""
        self.done = done
        if not self._live_wanted or not sys.stdout.isatty():
            return
        if self._display is None:
            from rich.console import Console
            from rich.live import Live

            # No refreshing thread: the loop comes by a few times a second.
            self._display = Live(console=Console(highlight=False), auto_refresh=False)
            self._display.start()
        self._display.update(self._bar(logs, finished=False), refresh=True)

    def finish(self, logs: Mapping[str, float]) -> None:
        """Show the line for the last time."""
        # At its end every run knows how many steps it had.
        self.done = self.total = self.total or self.done
        if not self._live_wanted:
            seconds = time.perf_counter() - self._start
            parts = [f"{self.done}/{self.total}", f"{seconds:.0f}s", self._pace(seconds), *format_logs(logs)]
            say(" - ".join(parts))
        elif self._display is not None:
            self._display.update(self._bar(logs, finished=True), refresh=True)
        else:
            from rich.console import Console

            Console(highlight=False).print(self._bar(logs, finished=True), soft_wrap=True)
        self.close()

    def close(self) -> None:
        """Give the terminal back."""
        if self._display is not None:
            self._display.stop()
            self._display = None

    def _bar(self, logs: Mapping[str, float], finished: bool) -> Any:
        from rich.text import Text

        seconds = time.perf_counter() - self._start
        filled = min(self._width * self.done // max(self.total, 1), self._width)
        left = seconds / max(self.done, 1) * (self.total - self.done)
        counter = f"{self.done:>{len(str(self.total))}}/{self.total or '?'}"
        return Text.assemble(
            (counter, "bold"),
            " ",
            ("━" * filled, "green"),
            ("━" * (self._width - filled), "dim"),
            " ",
            f"{seconds:.0f}s" if finished or not self.total else (f"{left:.0f}s", "bold"),
            " ",
            " - ".join([self._pace(seconds), *format_logs(logs)]),
        )

    def _pace(self, seconds: float) -> str:
        return format_pace(seconds / max(self.done, 1), self._unit)


def format_pace(seconds: float, unit: str = "step") -> str:
    """Return a time per step in the largest unit of time that shows a whole number."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/{unit}"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms/{unit}"
    return f"{seconds * 1e6:.0f}us/{unit}"


def format_logs(logs: Mapping[str, Any]) -> list[str]:
    """Return "name: value" for each entry, sorted; small values get an exponent, several stand in brackets."""
    return [f"{name}: {_format(value)}" for name, value in sorted(logs.items())]


def _format(value: Any) -> str:
    if getattr(value, "ndim", 0):
        return f"[{' '.join(map(_format, value))}]"
    return f"{value:{'.4f' if abs(value) > 1e-3 else '.4e'}}"
