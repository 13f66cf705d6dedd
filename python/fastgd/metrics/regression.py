"""Metrics of regressions: the root of the squared error, explained variance and correlations."""

from __future__ import annotations

import warnings
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import losses, ops
from fastgd.metrics.base import Array, Metric, Totals, as_value
from fastgd.ops.builder import Dims, Tensor
from fastgd.ops.losses import per_sample
from fastgd.ops.metric_columns import squared_moments
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid, unknown

AGGREGATIONS = ("uniform_average", "variance_weighted_average")


class RootMeanSquaredError(Metric):
    """The root of the mean of `(y_pred - y_true)^2`."""

    def __init__(self, name: str = "root_mean_squared_error") -> None:
        super().__init__(name)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the squared error per sample."""
        return per_sample("mean_squared_error", p, t)

    def combine(self, totals: Totals) -> float | Array:
        """Return the root of the mean."""
        return float(np.sqrt(super().combine(totals)))


class R2Score(Metric):
    """The share of variance explained: `1 - sum s (t - p)^2 / sum s (t - mean t)^2` for each output.

    Predictions are (n, outputs) or (n,). Where the targets of an output do not vary, its score is 0, or NaN if they
    are met exactly.

    Args:
        class_aggregation: "uniform_average", the mean over the outputs, "variance_weighted_average", the mean weighted
            by the variances of their targets, or None for one score per output.
        num_regressors: the number p of variables that the model draws on. If not 0, the score is adjusted for it:
            `1 - (1 - score) (n - 1) / (n - p - 1)`, where n counts the targets: samples times outputs.
        name: the name.
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str = "r2_score",
    ) -> None:
        super().__init__(name)
        if class_aggregation is not None and class_aggregation not in AGGREGATIONS:
            raise unknown("aggregation", AGGREGATIONS, class_aggregation=class_aggregation)
        self.class_aggregation = class_aggregation
        self.num_regressors = check_int("num_regressors", num_regressors, 0)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the moments per sample."""
        _require_vectors("R2Score", p.dims)
        return squared_moments(p, t)

    def columns(self, dims: Dims) -> int:
        """Return four sums per output."""
        return 4 * prod(dims[1:])

    def combine(self, totals: Totals) -> float | Array:
        """Return the score or the scores."""
        sums, square, rest, residual = totals.columns.reshape(4, -1)
        with np.errstate(all="ignore"):
            spread = square - sums * sums / totals.weight + rest
            raw = 1.0 - residual / spread
            raw = np.where(np.isinf(raw), 0.0, raw)
            if self.class_aggregation == "uniform_average":
                score: Array = np.asarray(raw.mean())
            elif self.class_aggregation == "variance_weighted_average":
                score = np.asarray(np.sum(spread * raw) / np.sum(spread))
            else:
                score = raw
        return as_value(np.asarray(self._adjust(score, int(totals.samples) * len(sums))))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        own = {"class_aggregation": self.class_aggregation, "num_regressors": self.num_regressors}
        return {**super().get_config(), **own}

    def _adjust(self, score: Array, count: int) -> Array:
        if self.num_regressors == 0:
            return score
        if self.num_regressors >= count - 1:
            message = f"R2 is not adjusted: {self.num_regressors} regressors need more than {count} targets."
            warnings.warn(message, stacklevel=2)
            return score
        return 1.0 - (1.0 - score) * (count - 1.0) / (count - self.num_regressors - 1.0)


class _Correlation(Metric, abstract=True):
    """A correlation along the last axis."""

    heeds_masks = True

    _direction = "up"

    def __init__(self, name: str, axis: int) -> None:
        super().__init__(name)
        if axis != -1:
            raise invalid("`axis` must be -1: correlations run along the last axis.", axis=axis)
        self.axis = axis

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), "axis": self.axis}


class PearsonCorrelation(_Correlation):
    """The mean over the samples of `cov(t, p) / (std(t) std(p))` along the last axis; NaN where one does not vary.

    Args:
        name: the name.
        axis: -1.
    """

    def __init__(self, name: str = "pearson_correlation", axis: int = -1) -> None:
        super().__init__(name, axis)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the coefficient per sample."""
        return ops.pearson_correlation(p, t)


class ConcordanceCorrelation(_Correlation):
    """The mean of `2 cov(t, p) / (var(t) + var(p) + (mean(t) - mean(p))^2 + epsilon)` along the last axis.

    Source: L. I. Lin, A concordance correlation coefficient to evaluate reproducibility, Biometrics 45, 1989.

    Args:
        name: the name.
        axis: -1.
    """

    def __init__(self, name: str = "concordance_correlation", axis: int = -1) -> None:
        super().__init__(name, axis)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the coefficient per sample."""
        return ops.concordance_correlation(p, t)


def pearson_correlation(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Array:
    """Return Pearson's coefficient along the last axis."""
    return losses.value_per_row(ops.pearson_correlation, y_true, y_pred, sparse=False)


def concordance_correlation(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Array:
    """Return Lin's coefficient along the last axis."""
    return losses.value_per_row(ops.concordance_correlation, y_true, y_pred, sparse=False)


def _require_vectors(name: str, dims: Dims) -> None:
    if len(dims) > 2:
        raise invalid(f"{name} needs predictions of shape (n, outputs).", y_pred=dims)
