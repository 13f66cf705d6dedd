"""Every metric against Keras: random predictions, weights, several updates, and the corners where nothing is left."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import fastgd

N = 40
MEANS = ["Mean", "Sum"]
CLOSE = 1e-12
# Keras divides the counts of these in float32 whatever the floating type.
CLOSE_OF_IOU = 1e-7


def draw(kind: str, seed: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    if kind == "binary":
        return rng.integers(0, 2, (N, 1)).astype(float), rng.uniform(size=(N, 1))
    if kind == "labels":
        return rng.integers(0, 2, (N, 4)).astype(float), rng.uniform(size=(N, 4))
    if kind == "logits":
        return rng.integers(0, 2, (N, 4)).astype(float), rng.normal(size=(N, 4))
    if kind == "one_hot":
        return np.eye(4)[rng.integers(0, 4, N)], rng.uniform(size=(N, 4))
    if kind == "sparse":
        return rng.integers(0, 4, N), rng.uniform(size=(N, 4))
    if kind == "classes":
        return rng.integers(0, 4, N), rng.integers(0, 4, N).astype(float)
    if kind == "one_hot_classes":
        return np.eye(4)[rng.integers(0, 4, N)], rng.integers(0, 4, N).astype(float)
    return rng.normal(size=(N, 4)) + 3.0, rng.normal(size=(N, 4)) + 2.5


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("Accuracy", {}, "labels"),
    ("BinaryAccuracy", {"threshold": 0.3}, "labels"),
    ("CategoricalAccuracy", {}, "one_hot"),
    ("SparseCategoricalAccuracy", {}, "sparse"),
    *(("TopKCategoricalAccuracy", {"k": k}, "one_hot") for k in (1, 2)),
    *(("SparseTopKCategoricalAccuracy", {"k": k}, "sparse") for k in (1, 2)),
    *(
        (name, {"thresholds": thresholds}, "labels")
        for name in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives", "Precision", "Recall")
        for thresholds in (None, 0.7, [0.6, 0.2], [0.0, 0.5, 1.0])
    ),
    *(
        (name, options, "labels")
        for name in ("Precision", "Recall")
        for options in ({"top_k": 2}, {"top_k": 2, "class_id": 1}, {"class_id": 3}, {"top_k": 1, "thresholds": 0.9})
    ),
    *(
        (name, {argument: level, **options}, "labels")
        for name, argument in (
            ("SensitivityAtSpecificity", "specificity"), ("SpecificityAtSensitivity", "sensitivity"),
            ("PrecisionAtRecall", "recall"), ("RecallAtPrecision", "precision"),
        )
        for level in (0.3, 0.55, 1.0)
        for options in ({}, {"num_thresholds": 1}, {"num_thresholds": 30, "class_id": 2})
    ),
    *(
        ("AUC", {"curve": curve, "summation_method": method, **options}, "labels")
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
        for options in ({}, {"num_thresholds": 7}, {"multi_label": True}, {"thresholds": [0.8, 0.3]})
    ),
    ("AUC", {"from_logits": True}, "logits"),
    ("AUC", {}, "logits"),
    ("AUC", {}, "binary"),
    ("AUC", {"label_weights": [1.0, 0.5, 0.0, 2.0]}, "labels"),
    ("AUC", {"label_weights": [1.0, 0.5, 0.0, 2.0], "multi_label": True}, "labels"),
    *(
        ("F1Score", {"average": average, "threshold": threshold}, kind)
        for average in (None, "micro", "macro", "weighted")
        for threshold, kind in ((None, "one_hot"), (0.4, "labels"))
    ),
    ("FBetaScore", {"beta": 2.0, "average": "macro"}, "one_hot"),
    ("IoU", {"num_classes": 4, "target_class_ids": [0, 2]}, "classes"),
    ("IoU", {"num_classes": 4, "target_class_ids": [1], "sparse_y_pred": False, "ignore_class": 3}, "sparse"),
    ("MeanIoU", {"num_classes": 4}, "classes"),
    ("MeanIoU", {"num_classes": 3, "ignore_class": 0}, "classes"),
    ("BinaryIoU", {"threshold": 0.3}, "labels"),
    ("BinaryIoU", {"target_class_ids": [1]}, "labels"),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [0, 3]}, "one_hot"),
    ("OneHotIoU", {"num_classes": 4, "target_class_ids": [0, 3], "sparse_y_pred": True}, "one_hot_classes"),
    ("OneHotMeanIoU", {"num_classes": 4}, "one_hot"),
    ("MeanSquaredError", {}, "values"),
    ("MeanAbsoluteError", {}, "values"),
    ("RootMeanSquaredError", {}, "values"),
    *(
        ("R2Score", {"class_aggregation": aggregation, "num_regressors": regressors}, "values")
        for aggregation in ("uniform_average", "variance_weighted_average", None)
        for regressors in (0, 5)
    ),
    ("PearsonCorrelation", {}, "values"),
    ("ConcordanceCorrelation", {}, "values"),
    *((name, {}, "values") for name in ("MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "LogCoshError")),
    ("CosineSimilarity", {}, "values"),
    ("Hinge", {}, "logits"),
    ("SquaredHinge", {}, "logits"),
    ("CategoricalHinge", {}, "one_hot"),
    ("KLDivergence", {}, "one_hot"),
    ("Poisson", {}, "labels"),
    ("BinaryCrossentropy", {"label_smoothing": 0.1}, "labels"),
    ("CategoricalCrossentropy", {}, "one_hot"),
    ("SparseCategoricalCrossentropy", {}, "sparse"),
]  # fmt: skip


def pair(name: str, config: dict[str, Any]) -> tuple[Any, Any]:
    more = {"dtype": "float64"} if "IoU" in name else {}
    return getattr(fastgd.metrics, name)(**config), getattr(keras.metrics, name)(**config, **more)


def compare(ours: Any, theirs: Any) -> None:
    want = np.asarray(keras.ops.convert_to_numpy(theirs.result()), np.float64)
    close = CLOSE_OF_IOU if "IoU" in type(ours).__name__ else CLOSE
    np.testing.assert_allclose(np.asarray(ours.result()), want, rtol=close, atol=close)


@pytest.mark.parametrize(("name", "config", "kind"), CASES, ids=lambda v: str(v).replace(" ", ""))
def test_metrics(name: str, config: dict[str, Any], kind: str) -> None:
    ours, theirs = pair(name, config)
    assert ours.name == theirs.name or ours.name == ours.name.rstrip("_0123456789")
    for seed in range(3):
        t, p = draw(kind, seed)
        s = np.random.default_rng(seed + 50).uniform(0.0, 2.0, N) if seed else None
        if "IoU" in name and "OneHot" not in name and kind == "labels" and s is not None:
            # Keras wants one weight per element here.
            theirs.update_state(t, p, np.repeat(s, 4))
        else:
            theirs.update_state(t, p, s)
        ours.update_state(t, p, s)
        compare(ours, theirs)


@pytest.mark.parametrize("positive", [0.0, 1.0])
@pytest.mark.parametrize("spread", [0.0, 1.0, 3.0])
@pytest.mark.parametrize(("name", "config", "kind"), [c for c in CASES if c[2] == "labels"], ids=lambda v: str(v)[:60])
def test_one_class_alone(name: str, config: dict[str, Any], kind: str, spread: float, positive: float) -> None:
    # All targets alike, and predictions of 0 alone, within 0 to 1, or partly beyond.
    t, p = np.full((N, 4), positive), spread * draw(kind, 0)[1]
    if name == "BinaryCrossentropy" and spread > 1:
        pytest.skip("not a probability")
    if "top_k" in config and spread == 0:
        pytest.skip("ties are broken by the backend")
    ours, theirs = pair(name, config)
    ours.update_state(t, p)
    theirs.update_state(t, p)
    compare(ours, theirs)


@pytest.mark.parametrize("name", MEANS)
def test_values(name: str) -> None:
    rng = np.random.default_rng(0)
    ours, theirs = pair(name, {})
    for values, s in ((rng.normal(size=7), None), (rng.normal(size=(5, 3)), rng.uniform(size=5)), (4.5, None)):
        ours.update_state(values, s)
        theirs.update_state(values, s)
        compare(ours, theirs)
