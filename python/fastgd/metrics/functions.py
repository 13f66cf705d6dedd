"""The functions on arrays that stand for a metric, those of the losses included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd import losses
from fastgd.metrics import accuracy, loss_metrics, regression
from fastgd.metrics.base import Metric
from fastgd.utils.errors import unknown

FUNCTIONS: dict[Callable[..., Any], type[Metric]] = {
    accuracy.binary_accuracy: accuracy.BinaryAccuracy,
    accuracy.categorical_accuracy: accuracy.CategoricalAccuracy,
    accuracy.sparse_categorical_accuracy: accuracy.SparseCategoricalAccuracy,
    accuracy.top_k_categorical_accuracy: accuracy.TopKCategoricalAccuracy,
    accuracy.sparse_top_k_categorical_accuracy: accuracy.SparseTopKCategoricalAccuracy,
    regression.pearson_correlation: regression.PearsonCorrelation,
    regression.concordance_correlation: regression.ConcordanceCorrelation,
    losses.mean_squared_error: loss_metrics.MeanSquaredError,
    losses.mean_absolute_error: loss_metrics.MeanAbsoluteError,
    losses.mean_absolute_percentage_error: loss_metrics.MeanAbsolutePercentageError,
    losses.mean_squared_logarithmic_error: loss_metrics.MeanSquaredLogarithmicError,
    losses.kl_divergence: loss_metrics.KLDivergence,
    losses.poisson: loss_metrics.Poisson,
    losses.hinge: loss_metrics.Hinge,
    losses.squared_hinge: loss_metrics.SquaredHinge,
    losses.categorical_hinge: loss_metrics.CategoricalHinge,
    losses.log_cosh: loss_metrics.LogCoshError,
    losses.binary_crossentropy: loss_metrics.BinaryCrossentropy,
    losses.categorical_crossentropy: loss_metrics.CategoricalCrossentropy,
    losses.sparse_categorical_crossentropy: loss_metrics.SparseCategoricalCrossentropy,
}


def find_function(name: str) -> Callable[..., Any]:
    """Return the function called `name`.

    Raises:
        ValueError: if there is none.
    """
    for function in FUNCTIONS:
        if function.__name__ == name:
            return function
    raise unknown("function", [function.__name__ for function in FUNCTIONS], fn=name)
