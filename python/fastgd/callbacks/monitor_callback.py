"""The base of callbacks that look at one quantity in the logs and ask whether it has got better."""

from __future__ import annotations

import math
import warnings

from fastgd.callbacks.callback import Callback, Logs
from fastgd.utils.checks import check_real
from fastgd.utils.errors import invalid, unknown

_MODES = ("auto", "min", "max")


class MonitorCallback(Callback):
    """Base of callbacks with `monitor`, `mode` and `min_delta`.

    Args:
        monitor: a name in the logs, such as "val_loss".
        mode: "min" or "max" says which way is better; "auto" goes by the name: losses down, metrics as they say.
        min_delta: the least change that counts, 0 or more.

    Attributes:
        best: the best value seen, None before the first.
    """

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        super().__init__()
        if mode not in _MODES:
            raise unknown("mode", _MODES, mode=mode)
        self.monitor = monitor
        self.mode = mode
        self.min_delta = check_real("min_delta", min_delta, 0.0)
        self.best: float | None = None

    def _monitored(self, logs: Logs) -> float | None:
        """Return the value of `monitor`; None after a warning if the logs have none."""
        if self.monitor not in logs:
            warnings.warn(
                f"{type(self).__name__} looks for {self.monitor!r}, which is not in the logs: {', '.join(logs)}",
                stacklevel=3,
            )
            return None
        return float(logs[self.monitor])

    def _is_better(self, value: float, than: float | None) -> bool:
        """Return whether `value` is better by more than `min_delta`; NaN never is, all else is better than None."""
        sign = self._sign()
        if math.isnan(value):
            return False
        return than is None or sign * value - self.min_delta > sign * than

    def _sign(self) -> int:
        """Return 1 if more is better, -1 if less is."""
        if self.mode != "auto":
            return 1 if self.mode == "max" else -1
        name = self.monitor.removeprefix("val_")
        if name == "loss" or name.endswith("_loss"):
            return -1
        for metric_name, metric in self.model.named_metrics().items():
            if metric_name == name:
                return 1 if metric._direction == "up" else -1
        raise invalid("`mode` must be 'min' or 'max' for what is neither a loss nor a metric.", monitor=self.monitor)
