"""Metrics that are no mean over the samples, in plain NumPy, threshold by threshold and from the textbook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from contract.formulas import EPSILON, Array, sigmoid


def ratio(a: Any, b: Any) -> Array:
    """Return a / b, 0 where b is 0."""
    return np.asarray(np.where(np.asarray(b) == 0, 0.0, np.asarray(a) / np.where(np.asarray(b) == 0, 1.0, b)))


def counts(p: Array, t: Array, s: Array, thresholds: Any, top_k: int | None = None, class_id: int | None = None) -> Any:
    """Return the weights (thresholds, labels) of true and false positives, true and false negatives."""
    able = np.ones(p.shape, bool)
    if top_k is not None:
        able = np.argsort(np.argsort(-p, axis=-1), axis=-1) < top_k
    if class_id is not None:
        p, t, able = (x[..., class_id, None] for x in (p, t, able))
    labels = p.shape[-1]
    rows = s.reshape(-1, *(1,) * (p.ndim - 1)) * np.ones(p.shape)
    p, t, able, rows = (x.reshape(-1, labels) for x in (p, t, able, rows))
    found = []
    for limit in thresholds:
        guess = able & (p > limit)
        found.append(
            [np.sum(rows * (guess == g) * ((t != 0) == x), axis=0) for g, x in ((1, 1), (1, 0), (0, 0), (0, 1))]
        )
    return np.moveaxis(np.array(found), 1, 0)


def count(which: int) -> Callable[..., Any]:
    """Return the formula of one of the four counts."""

    def value(p: Array, t: Array, s: Array, thresholds: Any = None) -> Any:
        limits = [0.5] if thresholds is None else np.atleast_1d(thresholds)
        return np.squeeze(counts(p, t, s, limits)[which].sum(axis=1))

    return value


def share(which: int) -> Callable[..., Any]:
    """Return the formula of precision or recall: of true positives among them and another count."""

    def value(p: Array, t: Array, s: Array, thresholds: Any = None, **options: Any) -> Any:
        default = [-np.inf] if "top_k" in options else [0.5]
        four = counts(p, t, s, default if thresholds is None else np.atleast_1d(thresholds), **options).sum(axis=2)
        return np.squeeze(ratio(four[0], four[0] + four[which]))

    return value


def best(goal: str, least: str) -> Callable[..., Any]:
    """Return the formula of the best rate `goal` where the rate `least` is high enough."""

    def value(
        p: Array, t: Array, s: Array, num_thresholds: int = 200, class_id: int | None = None, **level: Any
    ) -> Any:
        limits = np.linspace(0, 1, num_thresholds) if num_thresholds > 1 else [0.5]
        tp, fp, tn, fn = counts(p, t, s, limits, class_id=class_id).sum(axis=2)
        rates = {"recall": ratio(tp, tp + fn), "specificity": ratio(tn, tn + fp), "precision": ratio(tp, tp + fp)}
        (wanted,) = level.values()
        return max((rates[goal][k] for k in range(len(limits)) if rates[least][k] >= wanted), default=0.0)

    return value


def auc(
    p: Array,
    t: Array,
    s: Array,
    num_thresholds: int = 200,
    curve: str = "ROC",
    summation_method: str = "interpolation",
    thresholds: Any = None,
    multi_label: bool = False,
    label_weights: Any = None,
    from_logits: bool = False,
    num_labels: int | None = None,
) -> Any:
    """Return the area under a curve, label by label where there are several."""
    p = sigmoid(p) if from_logits else p
    inner = np.linspace(0, 1, num_thresholds)[1:-1] if thresholds is None else sorted(thresholds)
    four = counts(p, t, s, [-EPSILON, *inner, 1 + EPSILON])
    weights = np.ones(p.shape[-1]) if label_weights is None else np.asarray(label_weights)
    if not multi_label:
        return area(np.sum(four * weights, axis=2), curve, summation_method)
    areas = np.array([area(four[..., j], curve, summation_method) for j in range(p.shape[-1])])
    return np.sum(areas * weights) / np.sum(weights)


def area(four: Array, curve: str, method: str) -> float:
    """Return the area under one curve as the sum of its pieces between thresholds."""
    tp, fp, tn, fn = four
    recall, precision = ratio(tp, tp + fn), ratio(tp, tp + fp)
    x, y = {"ROC": (ratio(fp, fp + tn), recall), "PR": (recall, precision), "PRGAIN": gains(tp, fp, tn, fn)}[curve]
    total = 0.0
    for k in range(len(tp) - 1):
        if curve == "PR" and method == "interpolation":
            # The integral of TP / P over the straight line between two points (P, TP), by a rule exact up to x^199.
            nodes, shares = np.polynomial.legendre.leggauss(100)
            fine = (nodes + 1) / 2
            hits = tp[k + 1] + (tp[k] - tp[k + 1]) * fine
            chosen = (tp + fp)[k + 1] + ((tp + fp)[k] - (tp + fp)[k + 1]) * fine
            if chosen[-1] > 0:
                total += float(np.sum(shares / 2 * hits / chosen) * (tp[k] - tp[k + 1]) / (tp + fn)[k])
        elif method == "interpolation":
            total += (x[k] - x[k + 1]) * (y[k] + y[k + 1]) / 2
        else:
            total += (x[k] - x[k + 1]) * (min if method == "minoring" else max)(y[k], y[k + 1])
    return total


def gains(tp: Array, fp: Array, tn: Array, fn: Array) -> tuple[Array, Array]:
    """Return recall gain and precision gain, `(rate - prior) / ((1 - prior) rate)` with the prior of the positives."""
    prior = (tp + fn) / (tp + fp + tn + fn)
    recall, precision = ratio(tp, tp + fn), ratio(tp, tp + fp)
    recall_gain = np.where(tp == 0, 0.0, ratio(recall - prior, (1 - prior) * recall))
    return np.maximum(recall_gain, 0), np.where(tp == 0, 1.0, ratio(precision - prior, (1 - prior) * precision))


def f_score(
    p: Array, t: Array, s: Array, average: str | None = None, beta: float = 1.0, threshold: float | None = None
) -> Any:
    """Return the F-scores from precision and recall of each label."""
    guess = p == p.max(axis=-1, keepdims=True) if threshold is None else p > threshold
    rows = s[:, None] * np.ones(p.shape)
    sums = [np.sum(rows * x, axis=0) for x in (guess * t, guess * (1 - t), ~guess * t, t)]
    tp, fp, fn, true = (x.sum() if average == "micro" else x for x in sums)
    precision, recall = tp / (tp + fp + EPSILON), tp / (tp + fn + EPSILON)
    score = (1 + beta**2) * precision * recall / (beta**2 * precision + recall + EPSILON)
    if average == "weighted":
        return np.sum(score * true) / (np.sum(true) + EPSILON)
    return score if average is None else np.mean(score)


def iou(
    p: Array,
    t: Array,
    s: Array,
    num_classes: int = 2,
    target_class_ids: Any = None,
    ignore_class: int | None = None,
    sparse_y_true: bool = True,
    sparse_y_pred: bool = True,
    threshold: float | None = None,
) -> Any:
    """Return the mean over the classes of what is in both regions among what is in one of them."""
    guess = np.argmax(p, axis=-1) if not sparse_y_pred else p if threshold is None else p >= threshold
    true = t if sparse_y_true else np.argmax(t, axis=-1)
    rows = s.reshape(-1, *(1,) * (true.ndim - 1)) * (true != ignore_class)
    values = []
    for label in range(num_classes) if target_class_ids is None else target_class_ids:
        either = np.sum(rows * ((guess == label) | (true == label)))
        if either > 0:
            values.append(np.sum(rows * ((guess == label) & (true == label))) / (either + EPSILON))
    return np.sum(values) / (len(values) + EPSILON)


def r2(p: Array, t: Array, s: Array, class_aggregation: str | None = "uniform_average", num_regressors: int = 0) -> Any:
    """Return the explained variance of each output, or a mean."""
    spread = np.array([np.sum(s * (x - np.average(x, weights=s)) ** 2) for x in t.T])
    score = 1 - np.sum(s[:, None] * (t - p) ** 2, axis=0) / spread
    if class_aggregation is not None:
        score = np.average(score, weights=spread if class_aggregation.startswith("v") else None)
    n = t.size
    return 1 - (1 - score) * (n - 1) / (n - num_regressors - 1) if num_regressors else score


# The value for predictions p and targets t with sample weights s.
METRIC_VALUES: dict[str, Callable[..., Any]] = {
    "TruePositives": count(0),
    "FalsePositives": count(1),
    "TrueNegatives": count(2),
    "FalseNegatives": count(3),
    "Precision": share(1),
    "Recall": share(3),
    "SensitivityAtSpecificity": best("recall", "specificity"),
    "SpecificityAtSensitivity": best("specificity", "recall"),
    "PrecisionAtRecall": best("precision", "recall"),
    "RecallAtPrecision": best("recall", "precision"),
    "AUC": auc,
    "FBetaScore": f_score,
    "F1Score": f_score,
    "IoU": iou,
    "MeanIoU": iou,
    "BinaryIoU": lambda p, t, s, threshold=0.5, **ids: iou(p, t, s, threshold=threshold, **ids),
    "OneHotIoU": lambda p, t, s, **config: iou(p, t, s, sparse_y_true=False, sparse_y_pred=False, **config),
    "OneHotMeanIoU": lambda p, t, s, **config: iou(p, t, s, sparse_y_true=False, sparse_y_pred=False, **config),
    "RootMeanSquaredError": lambda p, t, s: np.sqrt(
        np.average(np.mean((p - t).reshape(len(p), -1) ** 2, axis=1), weights=s)
    ),
    "R2Score": r2,
    # Of values alone: p is not looked at.
    "Mean": lambda p, t, s: np.average(t.reshape(len(t), -1).mean(axis=1), weights=s),
    "Sum": lambda p, t, s: np.sum(s * t.reshape(len(t), -1).sum(axis=1)),
}
