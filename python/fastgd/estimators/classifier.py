"""The part of an estimator that deals with classes: encoding them, and predictions from outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from fastgd.estimators.objective import Objective
from fastgd.utils.errors import invalid

Array = npt.NDArray[Any]

# What makes probabilities of scores.
_LINKS: dict[str, Callable[[Array], Array]] = {
    "logistic": expit,
    "softmax": lambda scores: softmax(scores, axis=1),
    # Zhang, Statistical behavior and consistency of classification methods, Annals of Statistics 32, 2004.
    "clip": lambda scores: (np.clip(scores, -1, 1) + 1) / 2,
}


def _goes_by_batches(estimator: Any) -> bool:
    """Return whether an estimator has `partial_fit`."""
    if not isinstance(estimator.solver, str) or estimator.solver != "lbfgs":
        return True
    raise AttributeError("`partial_fit` is for solvers that go by batches. Received: solver='lbfgs'")


def _has_probabilities(estimator: Any) -> bool:
    """Return whether the outputs of an estimator can be made probabilities; before a fit nobody knows better."""
    objective: Objective | None = estimator.__dict__.get("_objective")
    return (objective or estimator._make_objective()).link is not None


class ClassifierPart(ClassifierMixin):
    """What a classifier has besides `NetworkEstimator`.

    Attributes:
        classes_: the classes in sorted order; for several labels per sample the numbers of the labels.
    """

    classes_: Array
    # "binary", "multiclass" or "multilabel".
    _kind: str
    _objective: Objective
    _numeric_targets = False

    def fit(self, X: Any, y: Any, sample_weight: Any = None, eval_set: Any = None) -> Any:
        """Fit to samples and their classes.

        Args:
            X: samples (n, features), dense, sparse or a data frame.
            y: labels (n,), or an indicator matrix (n, labels) of 0 and 1 for several labels per sample.
            sample_weight: weights (n,).
            eval_set: (X, y) or (X, y, sample_weight) to validate on instead of a part of the samples.

        Returns:
            The estimator.
        """
        return self._fit(X, y, sample_weight, eval_set)

    @available_if(_goes_by_batches)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> Any:
        """Train for one epoch from where the last one ended.

        Args:
            X: as in `fit`.
            y: as in `fit`.
            sample_weight: as in `fit`.
            classes: all classes that will ever come; needed in the first call unless y is an indicator matrix.

        Returns:
            The estimator.
        """
        return self._fit(X, y, sample_weight, None, True, classes)

    def _encode(self, y: Array, fresh: bool, incremental: bool, classes: Any) -> Array:
        """Return the numbers of the classes (n,), or the indicator matrix."""
        check_classification_targets(y)
        several = type_of_target(y).startswith("multilabel")
        if hasattr(y, "toarray"):
            y = y.toarray()
        if not several:
            if type_of_target(y) == "multiclass-multioutput":
                raise ValueError("Multioutput target data is not supported with label binarization")
            y = column_or_1d(y, warn=True)
        if incremental:
            self._meet_classes(y, several, classes)
        elif fresh or not hasattr(self, "classes_"):
            self._know_classes(np.arange(y.shape[1]) if several else np.unique(y), several)
        else:
            found = unique_labels(y)
            if set(found) != set(self.classes_):
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                    f"Previously got {self.classes_}, `y` has {found}"
                )
        if self._kind == "multilabel":
            if y.ndim != 2 or y.shape[1] != len(self.classes_):
                raise invalid(f"`y` must have {len(self.classes_)} columns of labels.", shape=y.shape)
            return (np.asarray(y) > 0).astype(np.float64)
        unseen = np.setdiff1d(y, self.classes_)
        if len(unseen):
            raise ValueError(f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has "
                             f"{np.unique(y)}.")  # fmt: skip
        return np.searchsorted(self.classes_, y).astype(np.int32)

    def _meet_classes(self, y: Array, several: bool, classes: Any) -> None:
        """Settle the classes in the first `partial_fit`, and refuse others later."""
        known = hasattr(self, "classes_")
        if classes is None and not known and not several:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if classes is not None:
            given = unique_labels(np.asarray(classes))
            if known and not np.array_equal(given, self.classes_):
                raise invalid("`classes` must be those of the earlier calls.", classes=given, before=self.classes_)
            if not known:
                self._know_classes(np.arange(y.shape[1]) if several else given, several)
        elif not known:
            self._know_classes(np.arange(y.shape[1]), True)

    def _know_classes(self, classes: Array, several: bool) -> None:
        self.classes_ = classes
        self._kind = "multilabel" if several else "multiclass" if len(classes) > 2 else "binary"

    def _classes_seen(self) -> tuple[str, int]:
        """Return the kind of the targets and the number of classes; before a fit those of two classes."""
        return (self._kind, len(self.classes_)) if "_kind" in self.__dict__ else ("binary", 2)

    def _network_targets(self, encoded: Array, dtype: Any) -> Array:
        """Return the numbers of the classes, or rows of 0 and 1."""
        units = self._objective.units
        if encoded.ndim == 2:
            return encoded.astype(dtype)
        if not self._objective.one_hot:
            return encoded
        if units == 1:
            return encoded.astype(dtype)[:, None]
        return np.eye(units, dtype=dtype)[encoded]

    def _split_labels(self, encoded: Array) -> Array | None:
        """Return the classes if a split can have all of them on both sides; two classes always shall."""
        if self._kind == "binary":
            return encoded.astype(bool)[:, None]
        counts = np.bincount(encoded) if encoded.ndim == 1 else np.zeros(1)
        held = len(encoded) * self.validation_fraction
        enough = counts[counts > 0].min(initial=2) >= 2 and held >= len(self.classes_)
        return encoded if encoded.ndim == 1 and enough else None

    def _weight_labels(self, y: Array) -> Array | None:
        return y

    def _decode(self, outputs: Array) -> Array:
        """Return labels for outputs."""
        threshold = 0.5 if self._objective.link == "" else 0.0
        if self._kind == "multilabel":
            return (outputs > threshold).astype(int)
        places = outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > threshold).astype(int)
        labels: Array = self.classes_[np.minimum(places, len(self.classes_) - 1)]
        return labels

    def _default_score(self, outputs: Array, y: Array, weights: Array | None) -> float:
        # scikit-learn's function looks at its arguments for longer than a small network trains.
        hits = self._decode(outputs) == y
        return float(np.average(hits.all(axis=1) if hits.ndim == 2 else hits, weights=weights))

    def predict(self, X: Any) -> Array:
        """Return the most probable class of each sample, or an indicator matrix.

        Args:
            X: samples (n, features).
        """
        return self._decode(self._outputs(X))

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, or of each label, for each sample: (n, classes).

        Args:
            X: samples (n, features).
        """
        return self._probabilities(self._outputs(X))

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> Array:
        """Return the logarithm of `predict_proba`.

        Args:
            X: samples (n, features).
        """
        with np.errstate(divide="ignore"):
            logs: Array = np.log(self.predict_proba(X))
        return logs

    def _probabilities(self, outputs: Array) -> Array:
        if self._objective.link:
            outputs = _LINKS[self._objective.link](outputs)
        if outputs.shape[1] == 1 and self._kind != "multilabel":
            return np.hstack([1 - outputs, outputs])
        return outputs


class ScoringPart(ClassifierPart):
    """A classifier whose outputs are scores: it has a `decision_function`."""

    def decision_function(self, X: Any) -> Array:
        """Return the score of each class, (n, classes), or for two classes that of the second, (n,).

        Args:
            X: samples (n, features).
        """
        outputs: Array = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def _probabilities(self, outputs: Array) -> Array:
        rows = super()._probabilities(outputs)
        if self._objective.link != "softmax" and rows.shape[1] > 2:
            # One class against all others, learnt apart: the shares add up to 1 only after a division.
            total = rows.sum(axis=1, keepdims=True)
            rows = np.where(total > 0, rows / np.where(total > 0, total, 1), 1 / rows.shape[1])
        return rows
