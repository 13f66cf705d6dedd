"""What metrics with several sums are made of: a row of values, or of numbers of columns, for each sample."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require, require_same_dims, require_tensors
from fastgd.plan import Attribute


def threshold_buckets(
    p: Tensor,
    t: Tensor,
    thresholds: Sequence[float],
    by_label: bool = False,
    class_id: int | None = None,
    top_k: int | None = None,
) -> Tensor:
    """Return for every element `2 b + [t != 0]`, where b of the thresholds are below p, shape (batch, m), int32.

    Args:
        p: predictions (batch, ...).
        t: targets of the same shape.
        thresholds: ascending numbers, K of them.
        by_label: whether element j of the last axis adds `2 j (K + 1)`, which counts the labels apart.
        class_id: the only element of the last axis that gives a number, None for all.
        top_k: how many of the last axis, the largest, are compared; the others have b = 0. None for all.

    Returns:
        Tensor (batch, m), with m elements per sample.
    """
    require_tensors("threshold_buckets", p, t)
    require_same_dims("threshold_buckets", [p, t])
    if by_label or class_id is not None or top_k is not None:
        sizes = show_dims(p.dims)
        require(len(p.dims) >= 2, "threshold_buckets", f"needs an axis of labels: the predictions are {sizes}")
    if class_id is not None:
        message = f"`class_id` must be below {p.dims[-1]}, the number of classes. Received: class_id={class_id}"
        require(class_id < p.dims[-1], "threshold_buckets", message)
    attrs: dict[str, Attribute] = {
        "thresholds": tuple(float(threshold) for threshold in thresholds),
        "by_label": by_label,
        "class_id": -1 if class_id is None else class_id,
        "top_k": 0 if top_k is None else top_k,
    }
    width = prod(p.dims[1:] if class_id is None else p.dims[1:-1])
    return p.builder.emit("threshold_buckets", [p, t], [(p.dims[0], width)], attrs=attrs, dtype="int32")[0]


def class_pairs(
    p: Tensor,
    t: Tensor,
    classes: int,
    ignore_class: int | None = None,
    p_form: str = "label",
    t_form: str = "label",
    threshold: float = 0.5,
) -> Tensor:
    """Return the cells `t classes + p` of the confusion matrix of `classes` classes, (batch, m), int32.

    Args:
        p: predictions.
        t: targets.
        classes: how many classes there are; a pair with a class outside of them gives -1.
        ignore_class: a target whose pairs give -1.
        p_form: how p says the class: "label" its number, "one_hot" the largest of the last axis, or "threshold", 1
            where `p >= threshold` and else 0.
        t_form: the same for t, without "threshold".
        threshold: the threshold.

    Returns:
        Tensor (batch, m), with m classified elements per sample.
    """
    require_tensors("class_pairs", p, t)
    parts = [x.dims[:-1] if form == "one_hot" else x.dims for x, form in ((p, p_form), (t, t_form))]
    sizes = f"targets {show_dims(t.dims)} do not fit predictions {show_dims(p.dims)}"
    require(parts[0] == parts[1] and len(parts[0]) >= 1, "class_pairs", sizes)
    attrs: dict[str, Attribute] = {
        "classes": classes,
        "ignore_class": -1 if ignore_class is None else ignore_class,
        "p_form": p_form,
        "t_form": t_form,
        "threshold": threshold,
    }
    return p.builder.emit("class_pairs", [p, t], [(p.dims[0], prod(parts[0][1:]))], attrs=attrs, dtype="int32")[0]


def label_matches(p: Tensor, t: Tensor, threshold: float | None = None) -> Tensor:
    """Return for every one of c labels whether it is chosen, t where it is, and t, shape (batch, 3 c).

    Args:
        p: predictions (batch, c).
        t: targets (batch, c).
        threshold: a label is chosen where `p > threshold`; if None, where p is the largest and not 0.
    """
    require_tensors("label_matches", p, t)
    require_same_dims("label_matches", [p, t])
    require(len(p.dims) == 2, "label_matches", f"takes a batch of vectors: the predictions are {show_dims(p.dims)}")
    attrs: dict[str, Attribute] = {} if threshold is None else {"threshold": threshold}
    return p.builder.emit("label_matches", [p, t], [(p.dims[0], 3 * p.dims[1])], attrs=attrs)[0]


def squared_moments(p: Tensor, t: Tensor) -> Tensor:
    """Return for every output t, t^2, the rest of t^2 in float64, and `(t - p)^2`, shape (batch, 4 m)."""
    require_tensors("squared_moments", p, t)
    require_same_dims("squared_moments", [p, t])
    return p.builder.emit("squared_moments", [p, t], [(p.dims[0], 4 * prod(p.dims[1:]))])[0]
