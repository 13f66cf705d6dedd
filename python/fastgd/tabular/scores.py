"""How good predictions are: the measures for numbers and for classes, with the better direction of each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgd.tabular.targets import ClassTarget, NumberTarget, Target
from fastgd.utils.extras import import_extra

Array = NDArray[Any]
# Of these less is better, of all others more.
LESS_IS_BETTER = frozenset({"RMSE", "MAE", "RMSE of log", "log loss"})


def check_available() -> None:
    """Check, before a training, that what measures its result is installed.

    Raises:
        ImportError: if scikit-learn is not; the message names the extra that brings it.
    """
    import_extra("sklearn", "tabular", "Measuring predictions")


def score(target: Target, cells: Any, outputs: Array) -> dict[str, float]:
    """Return the measures of a network's or a baseline's outputs, the most telling one first.

    RMSE = sqrt(mean (p - y)^2); MAE = mean |p - y|; R2 = 1 - sum (p - y)^2 / sum (y - mean y)^2; RMSE of log is that of
    the logarithms, first where they are learnt. The others are scikit-learn's: accuracy, balanced accuracy (the mean of
    the accuracies of the classes), area under the ROC curve (of each class against the rest and averaged where there
    are several), average precision of the second class where there are two, and log loss. What needs rows of every
    class is left out where one has none.

    Args:
        target: what the outputs stand for.
        cells: the true cells of the target column.
        outputs: probabilities of shape (n, classes), or scaled numbers of shape (n,) or (n, 1).

    Raises:
        ValueError: if a cell cannot be read as the target.
    """
    if isinstance(target, NumberTarget):
        return _score_numbers(target, cells, outputs)
    return _score_classes(target, cells, outputs)


def _score_numbers(target: NumberTarget, cells: Any, outputs: Array) -> dict[str, float]:
    true, predicted = target.values(cells), target.decode(outputs)
    scores: dict[str, float] = {}
    if target.log:
        target.encode(cells)
        scores["RMSE of log"] = _rmse(np.log(predicted), np.log(true))
    scores["RMSE"] = _rmse(predicted, true)
    scores["MAE"] = float(np.abs(predicted - true).mean())
    spread = float(((true - true.mean()) ** 2).sum())
    if spread > 0:
        scores["R2"] = 1.0 - float(((predicted - true) ** 2).sum()) / spread
    return scores


def _score_classes(target: ClassTarget, cells: Any, outputs: Array) -> dict[str, float]:
    metrics = import_extra("sklearn.metrics", "tabular", "Measuring predictions")
    true = target.encode(cells)
    p = np.asarray(outputs, dtype=np.float64)
    p /= p.sum(axis=1, keepdims=True)
    classes = np.arange(len(target.classes))
    chosen = p.argmax(axis=1)
    scores = {"accuracy": float((chosen == true).mean())}
    if len(np.unique(true)) == len(classes):
        scores["balanced accuracy"] = float(metrics.balanced_accuracy_score(true, chosen))
        if len(classes) == 2:
            scores["ROC AUC"] = float(metrics.roc_auc_score(true, p[:, 1]))
            scores["average precision"] = float(metrics.average_precision_score(true, p[:, 1]))
        else:
            scores["ROC AUC"] = float(metrics.roc_auc_score(true, p, multi_class="ovr", average="macro"))
    scores["log loss"] = float(metrics.log_loss(true, p, labels=classes))
    return scores


def _rmse(a: Array, b: Array) -> float:
    return float(np.sqrt(((a - b) ** 2).mean()))
