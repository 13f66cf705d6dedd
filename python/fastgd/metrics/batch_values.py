"""Metrics of whole batches: columns that keep one value per batch, and the means that they make."""

from __future__ import annotations

from fastgd import ops
from fastgd.metrics.base import Totals
from fastgd.ops.builder import Tensor

# How many columns keep the value of a batch.
COLUMNS = 3


def columns_of_batch(v: Tensor, batch: int) -> Tensor:
    """Return v, v / n and 1 / n for each of n samples, whose sums tell the mean over samples and that over batches.

    Args:
        v: one value for the batch.
        batch: the batch as a size of the plan.
    """
    ones = v.builder.constant(1.0, (batch,))
    share = ops.divide(ones, ops.sum(ones))
    return ops.stack([ops.multiply(v, ones), ops.multiply(v, share), share], axis=1)


def mean_of_batches(totals: Totals) -> float:
    """Return the mean of the values over the batches, or over the weights of the samples if they are not all 1."""
    by_sample, by_batch, batches = totals.columns.tolist()
    top, bottom = (by_batch, batches) if totals.weight == totals.samples else (by_sample, totals.weight)
    return float(top / bottom) if bottom else 0.0
