"""Metrics over the whole range of thresholds: a rate where another one is high enough."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd.metrics.base import Array, Totals
from fastgd.metrics.confusion import ConfusionMetric, Counts
from fastgd.utils.checks import check_int, check_real


class _BestUnderConstraint(ConfusionMetric, abstract=True):
    """The best of one rate over all thresholds at which another rate is at least `value`; 0 if there is none."""

    _direction = "up"
    _argument: str
    _constrained: str
    _best: str

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None) -> None:
        self.num_thresholds = check_int("num_thresholds", num_thresholds, 1)
        last = self.num_thresholds - 1
        super().__init__(name, [k / last for k in range(last + 1)] if last else [0.5], class_id)
        self._value = check_real(self._argument, value, 0.0, 1.0)

    def combine(self, totals: Totals) -> float | Array:
        """Return the best rate."""
        counts: Counts = self.counts(totals)
        good = getattr(counts, self._constrained) >= self._value
        return float(np.max(getattr(counts, self._best)[good], initial=0.0))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        own = {self._argument: self._value, "num_thresholds": self.num_thresholds, "class_id": self.class_id}
        return {**super().get_config(), **own}


class SensitivityAtSpecificity(_BestUnderConstraint):
    """The best sensitivity `TP / (TP + FN)` over thresholds with a specificity `TN / (TN + FP)` of at least so much.

    Args:
        specificity: the least specificity, from 0 to 1.
        num_thresholds: how many thresholds divide 0 to 1; a single one is 0.5.
        class_id: the only class of the last axis that counts, None for all.
        name: the name.
    """

    _argument, _constrained, _best = "specificity", "specificity", "recall"

    def __init__(
        self, specificity: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name)


class SpecificityAtSensitivity(_BestUnderConstraint):
    """The best specificity over thresholds with at least such a sensitivity; see SensitivityAtSpecificity."""

    _argument, _constrained, _best = "sensitivity", "recall", "specificity"

    def __init__(
        self, sensitivity: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name)


class PrecisionAtRecall(_BestUnderConstraint):
    """The best precision over thresholds with a recall of at least `recall`; see SensitivityAtSpecificity."""

    _argument, _constrained, _best = "recall", "recall", "precision"

    def __init__(
        self, recall: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name)


class RecallAtPrecision(_BestUnderConstraint):
    """The best recall over thresholds with a precision of at least `precision`; see SensitivityAtSpecificity."""

    _argument, _constrained, _best = "precision", "precision", "recall"

    def __init__(
        self, precision: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name)
