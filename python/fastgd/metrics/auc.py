"""The area under a curve of rates over thresholds: ROC, precision and recall, or their gains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgd import config, ops
from fastgd.metrics.base import Array, Totals, divide_no_nan
from fastgd.metrics.confusion import ConfusionMetric, Counts
from fastgd.ops.builder import Dims, Tensor
from fastgd.utils.checks import check_bool, check_int, check_real
from fastgd.utils.errors import invalid, unknown

CURVES = ("ROC", "PR", "PRGAIN")
METHODS = ("interpolation", "minoring", "majoring")


class AUC(ConfusionMetric):
    """The area under a curve whose points belong to thresholds of the predictions.

    Between two points it takes the trapezoid ("interpolation"), the lower or the higher of them. Precision over recall
    is interpolated as Davis and Goadrich show, since no straight lines join its points.

    Source: J. Davis and M. Goadrich, The relationship between precision-recall and ROC curves, ICML 2006; P. Flach and
    M. Kull, Precision-recall-gain curves, NIPS 2015.

    Args:
        num_thresholds: how many thresholds divide 0 to 1 evenly, two or more.
        curve: "ROC", the rate of true over that of false positives; "PR", precision over recall; "PRGAIN", the gains of
            both over a guess.
        summation_method: "interpolation", "minoring" or "majoring".
        name: the name.
        thresholds: thresholds between 0 and 1 in place of an even division; one below 0 and one above 1 are added.
        multi_label: whether each label of predictions (n, labels) has a curve of its own; the mean of their areas is
            taken.
        num_labels: with `multi_label`, how many labels there are, if that shall be checked.
        label_weights: the weight of each label: in the mean with `multi_label`, else in the counts.
        from_logits: whether predictions are logits, of which the sigmoid is taken.

    Example:
        >>> metric = fastgd.metrics.AUC(num_thresholds=3)
        >>> metric.update_state([0, 0, 1, 1], [0, 0.5, 0.3, 0.9])
        >>> metric.result()
        0.75
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        if curve not in CURVES:
            raise unknown("curve", CURVES, curve=curve)
        if str(summation_method).lower() not in METHODS:
            raise unknown("method", METHODS, summation_method=summation_method)
        self.curve = curve
        self.summation_method = str(summation_method).lower()
        self.multi_label = check_bool("multi_label", multi_label)
        self.from_logits = check_bool("from_logits", from_logits)
        self.label_weights = None if label_weights is None else [check_real("label_weights", w) for w in label_weights]
        self.num_labels = None if num_labels is None else check_int("num_labels", num_labels, 1)
        if self.num_labels is not None and not self.multi_label:
            raise invalid("`num_labels` goes with `multi_label=True` only.", num_labels=num_labels)
        self._inner: list[float] | None = None
        if thresholds is None:
            self.num_thresholds = check_int("num_thresholds", num_thresholds, 2)
            inner = [k / (self.num_thresholds - 1) for k in range(1, self.num_thresholds - 1)]
        else:
            inner = self._inner = sorted(check_real("thresholds", threshold, 0.0, 1.0) for threshold in thresholds)
            self.num_thresholds = len(inner) + 2
        ends = config.epsilon()
        by_label = self.multi_label or self.label_weights is not None
        super().__init__(name, [-ends, *inner, 1.0 + ends], by_label=by_label)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the buckets of every element."""
        self._check_labels(p.dims)
        return super().lower(ops.activation(p, "sigmoid") if self.from_logits else p, t)

    def combine(self, totals: Totals) -> float | Array:
        """Return the area."""
        counts = self.counts(totals)
        if self.multi_label:
            areas = self._areas(counts)
            return float(np.average(areas, weights=self._weights(areas)) if areas.size else 0.0)
        if self.label_weights is not None:
            counts = Counts(*(count @ np.asarray(self.label_weights) for count in counts))
        return float(self._areas(counts))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        own: dict[str, Any] = {
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self.from_logits,
        }
        if self._inner is not None:
            own["thresholds"] = self._inner
        return {**super().get_config(), **own}

    def _check_labels(self, dims: Dims) -> None:
        if self.multi_label and len(dims) != 2:
            raise invalid("`y_pred` must have the shape (n, labels) with `multi_label`.", y_pred=dims)
        wanted = self.num_labels or (None if self.label_weights is None else len(self.label_weights))
        if wanted is not None and dims[-1] != wanted:
            name = "num_labels" if self.num_labels else "label_weights"
            raise invalid(f"`{name}` is for {wanted} labels, and the predictions have others.", y_pred=dims)

    def _weights(self, areas: Array) -> Array | None:
        """Return the weights of the labels in the mean, None if they are equal."""
        weights = None if self.label_weights is None else np.asarray(self.label_weights)
        return np.ones(areas.shape) if weights is not None and weights.sum() == 0 else weights

    def _areas(self, counts: Counts) -> Array:
        if self.curve == "PR" and self.summation_method == "interpolation":
            return _interpolated_pr(counts)
        x, y = _points(self.curve, counts)
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2.0
        else:
            heights = (np.minimum if self.summation_method == "minoring" else np.maximum)(y[:-1], y[1:])
        area: Array = np.sum((x[:-1] - x[1:]) * heights, axis=0)
        return area


def _points(curve: str, counts: Counts) -> tuple[Array, Array]:
    """Return abscissas and ordinates of a curve at the thresholds."""
    if curve == "ROC":
        negatives = counts.false_positives + counts.true_negatives
        return divide_no_nan(counts.false_positives, negatives), counts.recall
    if curve == "PR":
        return counts.recall, counts.precision
    hits, missed, wrong = counts.true_positives, counts.false_negatives, counts.false_positives
    odds = divide_no_nan(hits + missed, counts.true_negatives + wrong)
    recall_gain = np.where(hits == 0, 0.0, 1.0 - odds * divide_no_nan(missed, hits))
    precision_gain = np.where(hits == 0, 1.0, 1.0 - odds * divide_no_nan(wrong, hits))
    return np.maximum(recall_gain, 0.0), precision_gain


def _interpolated_pr(counts: Counts) -> Array:
    """Return the area under precision over recall where between two points TP grows with TP + FP in proportion.

    From point 2 to point 1, with P = TP + FP and the slope s = dTP / dP: TP = TP_2 + s (P - P_2), and the area is the
    integral of TP / P over TP, `s (dTP + (TP_2 - s P_2) log(P_1 / P_2))`, divided by the number of positives.
    """
    hits = counts.true_positives
    chosen = hits + counts.false_positives
    rise = hits[:-1] - hits[1:]
    slope = divide_no_nan(rise, np.maximum(chosen[:-1] - chosen[1:], 0.0))
    both = (chosen[:-1] > 0) & (chosen[1:] > 0)
    ratio = np.where(both, divide_no_nan(chosen[:-1], chosen[1:]), 1.0)
    pieces = slope * (rise + (hits[1:] - slope * chosen[1:]) * np.log(np.where(both, ratio, 1.0)))
    area: Array = np.sum(divide_no_nan(pieces, hits[1:] + counts.false_negatives[1:]), axis=0)
    return area
