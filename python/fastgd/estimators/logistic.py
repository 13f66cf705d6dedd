"""LogisticRegression under scikit-learn's name, solved by L-BFGS or by any optimizer of fastgd."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd.estimators.classifier import ScoringPart
from fastgd.estimators.linear import LinearEstimator
from fastgd.estimators.network import Penalty
from fastgd.estimators.objective import Objective
from fastgd.estimators.settings import Settings, store_arguments
from fastgd.losses import BinaryCrossentropy, SparseCategoricalCrossentropy
from fastgd.utils.checks import check_real
from fastgd.utils.errors import invalid


class LogisticRegression(ScoringPart, LinearEstimator):
    """Logistic regression: `C sum(log loss) + (1 - r) / 2 sum w^2 + r sum|w|` is minimised, r = `l1_ratio`.

    Two classes have one column of weights, more have one each and a softmax; several labels per sample are learnt
    apart.

    Args:
        C: how much the samples count against the penalty; infinity for no penalty.
        l1_ratio: r; above 0 only with optimizers.
        tol: "lbfgs" stops where no element of the gradient is larger; other solvers as in `MLPClassifier`.
        fit_intercept: whether there is an intercept.
        class_weight: "balanced" or a dict from classes to weights.
        random_state: a seed or a RandomState for the order of optimizers.
        solver: "lbfgs", or any name or object of `fastgd.optimizers`.
        max_iter: the iterations at most; for optimizers the epochs.
        verbose: whether to print each iteration.
        warm_start: whether `fit` goes on from the last one.
        n_jobs: the threads, as in `MLPClassifier`.
        batch_size: the samples per update of an optimizer; "auto" is 200, or all if there are fewer.
        learning_rate_init: the learning rate of an optimizer.
        n_iter_no_change: the epochs without anything better after which an optimizer stops.
        callbacks: a list of callbacks of fastgd.

    Attributes:
        coef_: the weights, (classes, features), or (1, features) for two classes.
        intercept_: the intercepts.
        n_iter_: the iterations of the last fit.

    Example:
        >>> from fastgd.estimators import LogisticRegression
        >>> LogisticRegression(C=0.1, class_weight="balanced").fit(X, y).predict_proba(X_test)
    """

    C: Any
    l1_ratio: Any

    def __init__(
        self,
        *,
        C: float = 1.0,
        l1_ratio: float = 0.0,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        class_weight: Any = None,
        random_state: Any = None,
        solver: Any = "lbfgs",
        max_iter: int = 100,
        verbose: int = 0,
        warm_start: bool = False,
        n_jobs: int | None = None,
        batch_size: int | str = "auto",
        learning_rate_init: float = 0.01,
        n_iter_no_change: int = 10,
        callbacks: Any = None,
    ) -> None:
        store_arguments(self, locals())

    def _settings(self) -> Settings:
        if not (isinstance(self.C, (int, float, np.number)) and self.C > 0):
            raise invalid("`C` must be a number above 0.", C=self.C)
        # As close as scikit-learn's comes.
        settings = Settings.of(self, ftol=64 * float(np.finfo(np.float64).eps))
        if check_real("l1_ratio", self.l1_ratio, 0.0, 1.0) > 0 and not settings.is_stochastic:
            raise invalid("`l1_ratio` above 0 needs an optimizer as `solver`: 'lbfgs' follows no corners.",
                          l1_ratio=self.l1_ratio)  # fmt: skip
        return settings

    def _make_objective(self) -> Objective:
        kind, classes = self._classes_seen()
        if kind == "multiclass":
            loss = SparseCategoricalCrossentropy(from_logits=True)
            return Objective(loss, "identity", classes, one_hot=False, link="softmax")
        units = 1 if kind == "binary" else classes
        return Objective(
            BinaryCrossentropy(from_logits=True), "identity", units, float(units), float(units), link="logistic"
        )

    def _penalty(self, mean_weight: float, divisor: int | None) -> Penalty:
        # The sum over all samples becomes a mean: what is added is divided by the sum of their weights.
        alpha = 1.0 / (float(self.C) * mean_weight * self._samples)
        return Penalty(alpha * float(self.l1_ratio), 0.5 * alpha * (1 - float(self.l1_ratio)))
