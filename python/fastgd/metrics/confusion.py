"""Counts of true and false positives and negatives at thresholds, and precision and recall made of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, NamedTuple

import numpy as np

from fastgd import config
from fastgd.metrics.base import Array, Metric, Totals, as_value, divide_no_nan
from fastgd.ops.builder import Dims, Tensor
from fastgd.ops.metric_columns import threshold_buckets
from fastgd.utils.checks import check_int, check_real

# The threshold that all of the k largest predictions pass, whatever their sign.
_BELOW_ALL = -1e10


class Counts(NamedTuple):
    """The weights of the four kinds of predictions, arrays (thresholds, ...)."""

    true_positives: Array
    false_positives: Array
    true_negatives: Array
    false_negatives: Array

    @property
    def precision(self) -> Array:
        """The share of what is predicted positive that is; 0 where nothing is predicted positive."""
        return divide_no_nan(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> Array:
        """The share of what is positive that is predicted so, or sensitivity; 0 where nothing is positive."""
        return divide_no_nan(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def specificity(self) -> Array:
        """The share of what is negative that is predicted so; 0 where nothing is negative."""
        return divide_no_nan(self.true_negatives, self.true_negatives + self.false_positives)


class ConfusionMetric(Metric, abstract=True):
    """Base of the metrics that compare predictions with thresholds.

    A prediction is positive where it is strictly above the threshold, a target where it is not 0. What is kept is not
    the four counts of every threshold but how many predictions lie between two thresholds, which costs a sample the
    same for two thresholds and for two hundred.

    Args:
        name: the name.
        thresholds: the thresholds, in any order.
        class_id: the only class of the last axis that counts, None for all.
        top_k: how many predictions of the last axis, the largest, can be positive, None for all.
        by_label: whether the labels of the last axis are counted apart.
    """

    def __init__(
        self,
        name: str | None,
        thresholds: Sequence[float],
        class_id: int | None = None,
        top_k: int | None = None,
        by_label: bool = False,
    ) -> None:
        super().__init__(name)
        self.thresholds = list(thresholds)
        self.class_id = None if class_id is None else check_int("class_id", class_id, 0)
        self.top_k = None if top_k is None else check_int("top_k", top_k, 1)
        self._by_label = by_label
        limits = np.asarray(self.thresholds, np.float64)
        self._order = np.argsort(limits, kind="stable")
        self._limits = _open_ends(limits[self._order])

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the buckets of every element."""
        return threshold_buckets(p, t, self._limits, self._by_label, self.class_id, self.top_k)

    def columns(self, dims: Dims) -> int:
        """Return two sums for each interval between thresholds, and for each label if they are counted apart."""
        return 2 * (len(self.thresholds) + 1) * (dims[-1] if self._by_label else 1)

    def counts(self, totals: Totals) -> Counts:
        """Return the counts (thresholds,), or (thresholds, labels) where labels are counted apart."""
        size = len(self.thresholds) + 1
        table = totals.columns.reshape(-1, size, 2)
        # What lies above a threshold is what lies in the buckets behind it.
        above = np.cumsum(table[:, ::-1], axis=1)[:, ::-1][:, 1:]
        below = np.cumsum(table, axis=1)[:, :-1]
        found = []
        for values, label in ((above, 1), (above, 0), (below, 0), (below, 1)):
            given = np.empty((size - 1, len(table)))
            given[self._order] = values[..., label].T
            found.append(given if self._by_label else given[:, 0])
        return Counts(*found)


def _open_ends(limits: Array) -> list[float]:
    """Return ascending thresholds, with infinities for the ends of an even division of 0 to 1.

    There predictions outside of 0 to 1 count as the nearest number inside, as in Keras.
    """
    size = len(limits)
    if size < 3 or not np.allclose(limits, np.arange(size) / (size - 1), rtol=0.0, atol=2 * config.epsilon()):
        return [float(limit) for limit in limits]
    first = -inf if limits[0] < 0 else float(limits[0])
    return [first, *(float(limit) for limit in limits[1:-1]), inf]


def _as_list(thresholds: Any, default: float) -> list[float]:
    if thresholds is None:
        return [default]
    several = thresholds if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    return [check_real("thresholds", threshold, 0.0, 1.0) for threshold in several]


class _Count(ConfusionMetric, abstract=True):
    """One of the four counts, at the thresholds.

    Args:
        thresholds: a number or a list from 0 to 1; 0.5 if None. A list of several gives an array of counts.
        name: the name.
    """

    _field: str

    def __init__(self, thresholds: float | Sequence[float] | None = None, name: str | None = None) -> None:
        super().__init__(name, _as_list(thresholds, 0.5))
        self._given = thresholds

    def combine(self, totals: Totals) -> float | Array:
        """Return the count or the counts."""
        return as_value(getattr(self.counts(totals), self._field))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), "thresholds": self._given}


class TruePositives(_Count):
    """The weight of the positive targets that are predicted positive: `y_pred > threshold`."""

    _field = "true_positives"


class TrueNegatives(_Count):
    """The weight of the targets of 0 that are predicted negative."""

    _field = "true_negatives"


class FalsePositives(_Count):
    """The weight of the targets of 0 that are predicted positive."""

    _field = "false_positives"


class FalseNegatives(_Count):
    """The weight of the positive targets that are predicted negative."""

    _field = "false_negatives"


class _Share(ConfusionMetric, abstract=True):
    """Precision or recall, at the thresholds."""

    _direction = "up"
    _field: str

    def __init__(
        self,
        thresholds: float | Sequence[float] | None = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
    ) -> None:
        default = 0.5 if top_k is None else _BELOW_ALL
        super().__init__(name, _as_list(thresholds, default), class_id, top_k)
        self._given = thresholds

    def combine(self, totals: Totals) -> float | Array:
        """Return the share or the shares."""
        return as_value(getattr(self.counts(totals), self._field))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        own = {"thresholds": self._given, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


class Precision(_Share):
    """`true positives / (true positives + false positives)`, 0 where nothing is predicted positive.

    Args:
        thresholds: a number or a list from 0 to 1, above which a prediction is positive; 0.5 if None. A list of several
            gives an array.
        top_k: if given, only the k largest predictions of the last axis can be positive; without `thresholds` all of
            them are.
        class_id: the only class of the last axis that counts, None for all.
        name: the name.
    """

    _field = "precision"


class Recall(_Share):
    """`true positives / (true positives + false negatives)`, 0 where nothing is positive; arguments as of Precision."""

    _field = "recall"
