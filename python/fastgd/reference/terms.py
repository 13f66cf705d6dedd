"""What happens to the terms of a plan: totals of losses and metrics, and the gradients with which backward begins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fastgd.plan import Plan, TensorSpec, Term
from fastgd.reference.registry import Array

MEAN = "sum_over_batch_size"
SUM = "sum"


def check_terms(plan: Plan) -> None:
    """Raise a ValueError for a term whose tensors or reduction do not exist."""
    tensors = {spec.name: spec for spec in plan.tensors}
    for term in plan.losses + plan.metrics:
        names = [term.tensor] if term.sample_weight is None else [term.tensor, term.sample_weight]
        for name in names:
            if name not in tensors:
                raise ValueError(f"[{term.name}] tensor `{name}` is not in the plan")
            if name == term.tensor and term in plan.metrics and _is_tabular(term, tensors[name]):
                _check_columns(term, tensors[name])
                continue
            whole_batch = tensors[name].shape == (1,) and names == [name] and term in plan.losses
            if tensors[name].shape != (-1,) and not whole_batch:
                raise ValueError(f"[{term.name}] `{name}` must have shape (-1,), the plan says {tensors[name].shape}")
            if tensors[name].dtype != plan.dtype:
                raise ValueError(f"[{term.name}] `{name}` must be {plan.dtype}, the plan says {tensors[name].dtype}")
        if term.sample_weight is not None and term.sample_weight not in plan.inputs:
            raise ValueError(f"[{term.name}] `{term.sample_weight}` must be an input of the plan")
        if term.reduction not in (MEAN, SUM):
            raise ValueError(f"[{term.name}] unknown reduction. Received: reduction={term.reduction!r}")


def _is_tabular(term: Term, spec: TensorSpec) -> bool:
    return term.columns != 1 or spec.dtype == "int32"


def _check_columns(term: Term, spec: TensorSpec) -> None:
    """Raise a ValueError unless a tensor can give a metric its columns."""
    numbered = spec.dtype == "int32" and spec.shape[:1] == (-1,) and len(spec.shape) == 2
    if term.columns < 1 or not (numbered or spec.shape == (-1, term.columns)):
        raise ValueError(f"[{term.name}] `{spec.name}` {spec.shape} {spec.dtype} cannot give {term.columns} columns")


def count_totals(plan: Plan) -> int:
    """Return the rows of the totals: one per loss and one per column of each metric."""
    return sum(term.columns for term in plan.losses + plan.metrics)


def tensors_of(plan: Plan) -> set[str]:
    """Return the tensors that the losses and metrics look at."""
    terms = plan.losses + plan.metrics
    return {term.tensor for term in terms} | {term.sample_weight for term in terms if term.sample_weight is not None}


def observe(plan: Plan, values: Mapping[str, Array], batch: int, totals: Array) -> None:
    """Add a batch of n samples to `totals`, float64 (rows, 2): a numerator and a denominator for each loss and column.

    A loss adds (batch loss) n and n, where the batch loss is sum(s v) / n or, for the reduction "sum", sum(s v).
    A metric adds sum(s v) and sum(s), with v the values or counts of each of its columns.
    """
    row = 0
    for k, term in enumerate(plan.losses + plan.metrics):
        v = values[term.tensor]
        s = np.ones(len(v)) if term.sample_weight is None else values[term.sample_weight].astype(np.float64)
        if k >= len(plan.losses):
            totals[row : row + term.columns] += np.stack(
                [column_sums(v, s, term.columns), np.full(term.columns, s.sum())], 1
            )
        else:
            weighted = np.sum(s * v.astype(np.float64))
            totals[row] += weighted * (batch if term.reduction == SUM else 1), batch
        row += term.columns


def column_sums(values: Array, weights: Array, columns: int) -> Array:
    """Return the float64 sum of each column: of values (n,) or (n, columns), or of counts for int32 numbers (n, m)."""
    if values.dtype == np.int32:
        known = (values >= 0) & (values < columns)
        each = np.broadcast_to(weights[:, None], values.shape)
        return np.bincount(values[known], each[known], columns)
    sums: Array = np.sum(weights[:, None] * values.reshape(len(values), columns).astype(np.float64), axis=0)
    return sums


def start_gradient(term: Term, values: Mapping[str, Array], batch: int) -> Array:
    """Return the gradient of the total loss by the values of one loss: weight s / n, or weight s for "sum"."""
    scale = float(term.weight) / (batch if term.reduction == MEAN else 1)
    if term.sample_weight is None:
        return np.full_like(values[term.tensor], scale)
    gradient: Array = values[term.sample_weight] * scale
    return gradient
