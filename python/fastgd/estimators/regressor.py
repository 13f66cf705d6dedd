"""The part of an estimator that deals with numbers as targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from fastgd.estimators.classifier import _goes_by_batches
from fastgd.utils.errors import invalid

Array = npt.NDArray[Any]


class RegressorPart(RegressorMixin):
    """What a regressor has besides `NetworkEstimator`."""

    _numeric_targets = True
    # How many numbers a sample has.
    _outputs_seen: int

    def fit(self, X: Any, y: Any, sample_weight: Any = None, eval_set: Any = None) -> Any:
        """Fit to samples and their targets.

        Args:
            X: samples (n, features), dense, sparse or a data frame.
            y: targets (n,) or (n, outputs).
            sample_weight: weights (n,).
            eval_set: (X, y) or (X, y, sample_weight) to validate on instead of a part of the samples.

        Returns:
            The estimator.
        """
        return self._fit(X, y, sample_weight, eval_set)

    @available_if(_goes_by_batches)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train for one epoch from where the last one ended; the arguments are those of `fit`."""
        return self._fit(X, y, sample_weight, None, True)

    def _encode(self, y: Array, fresh: bool, incremental: bool, classes: Any) -> Array:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        targets = y[:, None] if y.ndim == 1 else y
        if fresh:
            self._outputs_seen = targets.shape[1]
        elif targets.shape[1] != self.__dict__.get("_outputs_seen", targets.shape[1]):
            raise invalid(f"`y` must have {self._outputs_seen} columns, as in earlier fits.", shape=y.shape)
        self._outputs_seen = targets.shape[1]
        if isinstance(getattr(self, "loss", None), str) and self.loss == "poisson" and targets.min() < 0:
            raise invalid("`y` must not be negative for the loss 'poisson'.", min=float(targets.min()))
        return targets

    def _network_targets(self, encoded: Array, dtype: Any) -> Array:
        return encoded.astype(dtype)

    def _default_score(self, outputs: Array, y: Array, weights: Array | None) -> float:
        if not np.isfinite(outputs).all():
            return float("nan")
        # scikit-learn's function looks at its arguments for longer than a small network trains.
        return mean_r2(y, self._decode(outputs), weights)

    def _decode(self, outputs: Array) -> Array:
        return outputs.ravel() if outputs.shape[1] == 1 else outputs

    def predict(self, X: Any) -> Array:
        """Return the predictions: (n,), or (n, outputs) for several.

        Args:
            X: samples (n, features).
        """
        return self._decode(self._outputs(X))


def mean_r2(y: Array, predictions: Array, weights: Array | None) -> float:
    """Return the mean over the outputs of `1 - sum (y - p)^2 / sum (y - mean y)^2`, as scikit-learn's `r2_score` does.

    Args:
        y: targets (n,) or (n, outputs).
        predictions: of the same shape.
        weights: weights (n,) or None.
    """
    if len(y) < 2:
        return float("nan")
    y, predictions = y.reshape(len(y), -1), predictions.reshape(len(y), -1)
    missed = np.average((y - predictions) ** 2, axis=0, weights=weights)
    spread = np.average((y - np.average(y, axis=0, weights=weights)) ** 2, axis=0, weights=weights)
    # Targets that are all the same are met or not.
    scores = np.where(missed == 0, 1.0, 0.0)
    np.divide(missed, spread, out=missed, where=spread > 0)
    return float(np.where(spread > 0, 1 - missed, scores).mean())
