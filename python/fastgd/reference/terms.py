"""What happens to the terms of a plan: totals of losses and metrics, and the gradients with which backward begins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fastgd.plan import Plan, Term
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
            whole_batch = tensors[name].shape == (1,) and names == [name] and term in plan.losses
            if tensors[name].shape != (-1,) and not whole_batch:
                raise ValueError(f"[{term.name}] `{name}` must have shape (-1,), the plan says {tensors[name].shape}")
            if tensors[name].dtype != plan.dtype:
                raise ValueError(f"[{term.name}] `{name}` must be {plan.dtype}, the plan says {tensors[name].dtype}")
        if term.sample_weight is not None and term.sample_weight not in plan.inputs:
            raise ValueError(f"[{term.name}] `{term.sample_weight}` must be an input of the plan")
        if term.reduction not in (MEAN, SUM):
            raise ValueError(f"[{term.name}] unknown reduction. Received: reduction={term.reduction!r}")


def tensors_of(plan: Plan) -> set[str]:
    """Return the tensors that the losses and metrics look at."""
    terms = plan.losses + plan.metrics
    return {term.tensor for term in terms} | {term.sample_weight for term in terms if term.sample_weight is not None}


def observe(plan: Plan, values: Mapping[str, Array], batch: int, totals: Array) -> None:
    """Add a batch of n samples to `totals`, float64 (terms, 2): a numerator and a denominator for each term.

    A loss adds (batch loss) n and n, where the batch loss is sum(s v) / n or, for the reduction "sum", sum(s v).
    A metric adds sum(s v) and sum(s).
    """
    terms = plan.losses + plan.metrics
    for k, term in enumerate(terms):
        v = values[term.tensor].astype(np.float64)
        s = np.ones_like(v) if term.sample_weight is None else values[term.sample_weight].astype(np.float64)
        weighted = np.sum(s * v)
        if k >= len(plan.losses):
            totals[k] += weighted, np.sum(s)
        else:
            totals[k] += weighted * (batch if term.reduction == SUM else 1), batch


def start_gradient(term: Term, values: Mapping[str, Array], batch: int) -> Array:
    """Return the gradient of the total loss by the values of one loss: weight s / n, or weight s for "sum"."""
    scale = float(term.weight) / (batch if term.reduction == MEAN else 1)
    if term.sample_weight is None:
        return np.full_like(values[term.tensor], scale)
    gradient: Array = values[term.sample_weight] * scale
    return gradient
