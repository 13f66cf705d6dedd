"""F-scores: the weighted harmonic means of precision and recall for each label."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd import config
from fastgd.metrics.base import Array, Metric, Totals, as_value
from fastgd.ops.builder import Dims, Tensor
from fastgd.ops.metric_columns import label_matches
from fastgd.utils.checks import check_above_zero, check_real
from fastgd.utils.errors import invalid, unknown

AVERAGES = ("micro", "macro", "weighted")


class FBetaScore(Metric):
    """`(1 + b^2) precision recall / (b^2 precision + recall)` for each label of predictions (n, labels).

    Args:
        average: None for one score per label; "micro" for the score of all labels counted together, "macro" for the
            mean of the scores, "weighted" for the mean weighted by how often each label is true.
        beta: b, above 0: how many times more recall matters than precision.
        threshold: a label is chosen where its prediction is above it, from 0 to 1; if None the largest is chosen.
        name: the name.
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str = "fbeta_score",
    ) -> None:
        super().__init__(name)
        if average is not None and average not in AVERAGES:
            raise unknown("average", AVERAGES, average=average)
        self.average = average
        self.beta = check_above_zero("beta", beta)
        self.threshold = None if threshold is None else check_real("threshold", threshold, 0.0, 1.0)
        if self.threshold == 0.0:
            raise invalid("`threshold` must be above 0.", threshold=threshold)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the matches per sample."""
        return label_matches(p, t, self.threshold)

    def columns(self, dims: Dims) -> int:
        """Return three sums per label."""
        return 3 * dims[-1]

    def combine(self, totals: Totals) -> float | Array:
        """Return the score or the scores."""
        chosen, hits, true = totals.columns.reshape(3, -1)
        if self.average == "micro":
            chosen, hits, true = chosen.sum(keepdims=True), hits.sum(keepdims=True), true.sum(keepdims=True)
        epsilon = config.epsilon()
        precision = hits / (chosen + epsilon)
        recall = hits / (true + epsilon)
        square = self.beta**2
        scores: Array = (1.0 + square) * precision * recall / (square * precision + recall + epsilon)
        if self.average == "weighted":
            scores = np.sum(scores * true / (true.sum() + epsilon), keepdims=True)
        elif self.average is not None:
            scores = scores.mean(keepdims=True)
        return as_value(scores)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        own = {"average": self.average, "beta": self.beta, "threshold": self.threshold}
        return {**super().get_config(), **own}


class F1Score(FBetaScore):
    """`2 precision recall / (precision + recall)` for each label: FBetaScore with beta = 1."""

    def __init__(self, average: str | None = None, threshold: float | None = None, name: str = "f1_score") -> None:
        super().__init__(average, 1.0, threshold, name)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {key: value for key, value in super().get_config().items() if key != "beta"}
