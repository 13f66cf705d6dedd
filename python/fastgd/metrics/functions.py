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
