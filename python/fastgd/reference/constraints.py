"""What constraints do to parameters after an update."""

from __future__ import annotations

import numpy as np

from fastgd.plan import ConstraintSpec, ParamSpec
from fastgd.reference.registry import Array

KINDS = ("non_neg", "norm")


def check_constraint(spec: ParamSpec) -> None:
    """Raise a ValueError for a constraint of an unknown kind, or over axes that are not there or no neighbours."""
    constraint = spec.constraint
    if constraint is None:
        return
    if constraint.kind not in KINDS:
        raise ValueError(f"parameter `{spec.name}` has an unknown constraint. Received: kind={constraint.kind!r}")
    axes, rank = constraint.axes, len(spec.shape)
    if axes and (axes != tuple(range(axes[0], axes[0] + len(axes))) or not 0 <= axes[0] <= axes[-1] < rank):
        raise ValueError(
            f"the constraint of `{spec.name}` must run over neighbouring axes of {spec.shape}. Received: axes={axes}"
        )


def constrain(w: Array, constraint: ConstraintSpec) -> None:
    """Bring w back, in place: max(w, 0), or w (rate clip(norm, low, high) + (1 - rate) norm) / (norm + epsilon)."""
    if constraint.kind == "non_neg":
        np.maximum(w, 0, out=w)
        return
    squares = np.sum(np.square(w), axis=constraint.axes, keepdims=True, dtype=np.float64)
    norm = np.sqrt(squares.astype(w.dtype))
    held = np.clip(norm, constraint.low, constraint.high)
    w *= (constraint.rate * held + (1 - constraint.rate) * norm) / (norm + constraint.epsilon)
