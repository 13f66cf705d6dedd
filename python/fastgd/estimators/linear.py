"""SGDClassifier and SGDRegressor: linear models under scikit-learn's names, trained by any optimizer of fastgd."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import losses
from fastgd.estimators.classifier import ScoringPart
from fastgd.estimators.dense import DenseEstimator
from fastgd.estimators.margins import EpsilonInsensitive, ModifiedHuber, Perceptron
from fastgd.estimators.network import Architecture, Penalty
from fastgd.estimators.objective import Objective, regression
from fastgd.estimators.regressor import RegressorPart
from fastgd.estimators.settings import Settings, store_arguments
from fastgd.losses import Loss
from fastgd.utils.checks import check_bool, check_real
from fastgd.utils.errors import unknown

Array = npt.NDArray[Any]

PENALTIES = ("l2", "l1", "elasticnet", None)


class LinearEstimator(DenseEstimator):
    """An estimator with one layer, whose weights begin with 0 and lie in `coef_` and `intercept_`."""

    fit_intercept: Any
    coef_: Array
    intercept_: Array

    def _has_weights(self) -> bool:
        return hasattr(self, "coef_")

    def _start_network(self, X: Any, state: np.random.RandomState) -> None:
        units = self._objective.units
        self._keep_arrays([np.zeros((X.shape[1], units), X.dtype)], [np.zeros(units, X.dtype)])
        self._forget_network()

    def _arrays(self) -> tuple[Sequence[Array], Sequence[Array]]:
        return [np.atleast_2d(self.coef_).T], [self.intercept_]

    def _keep_arrays(self, coefs: list[Array], intercepts: list[Array]) -> None:
        self.coef_, self.intercept_ = np.ascontiguousarray(coefs[0].T), intercepts[0]

    def _architecture(self, sizes: tuple[int, ...], dtype: str) -> Architecture:
        return Architecture(
            sizes, (), self._objective.activation, dtype, use_bias=check_bool("fit_intercept", self.fit_intercept)
        )


class SGDEstimator(LinearEstimator):
    """Base of SGDClassifier and SGDRegressor, with the arguments that they share.

    The penalty is `alpha ((1 - r) / 2 sum w^2 + r sum|w|)` with r = 0 for "l2", 1 for "l1" and `l1_ratio` for
    "elasticnet". Its gradient is followed as it is, so that "l1" brings weights near 0, not exactly there.

    Args:
        loss: see the class.
        penalty: "l2", "l1", "elasticnet" or None.
        alpha: the strength of the penalty.
        l1_ratio: r for "elasticnet".
        fit_intercept: whether there is an intercept.
        max_iter: the epochs at most.
        tol: what counts as better.
        shuffle: whether each epoch has another order.
        verbose: whether to print each epoch.
        epsilon: of the losses "huber", "epsilon_insensitive" and "squared_epsilon_insensitive"; only for regression.
        n_jobs: the threads, as in `MLPClassifier`.
        random_state: a seed or a RandomState for the order and the split.
        solver: any name or object of `fastgd.optimizers`, or "lbfgs".
        learning_rate: "constant", "invscaling" or "adaptive", for the solver "sgd".
        eta0: the first learning rate.
        power_t: the exponent of "invscaling".
        batch_size: the samples per update; "auto" is 200, or all if there are fewer.
        momentum: for the solver "sgd".
        early_stopping: whether to stop by a score of validation samples, and keep the best weights.
        validation_fraction: the share of the samples to validate on.
        n_iter_no_change: the epochs without anything better after which to stop.
        scoring: what early stopping goes by: None for accuracy or R2, "loss", or a scorer.
        class_weight: "balanced" or a dict from classes to weights; only for classes.
        warm_start: whether `fit` goes on from the last one.
        callbacks: a list of callbacks of fastgd.
        progress: whether to draw a progress bar over the epochs.

    Attributes:
        coef_: the weights, (classes, features) or (1, features) for two classes; (features,) for one target.
        intercept_: the intercepts.
        n_iter_: the epochs of the last fit.
        loss_curve_: the loss of each epoch.
    """

    loss: Any
    penalty: Any
    alpha: Any
    l1_ratio: Any
    eta0: Any
    momentum: Any

    def _settings(self) -> Settings:
        if self.penalty not in PENALTIES:
            raise unknown("penalty", [str(name) for name in PENALTIES], penalty=self.penalty)
        check_real("alpha", self.alpha, 0.0)
        check_real("l1_ratio", self.l1_ratio, 0.0, 1.0)
        return Settings.of(self, learning_rate_init=self.eta0, numbers={"momentum": self.momentum, "epsilon": 1e-8})

    def _penalty(self, mean_weight: float, divisor: int | None) -> Penalty:
        ratio = {"l2": 0.0, "l1": 1.0, "elasticnet": float(self.l1_ratio), None: 0.0}[self.penalty]
        alpha = 0.0 if self.penalty is None else float(self.alpha)
        return Penalty(alpha * ratio, 0.5 * alpha * (1 - ratio))

    @abstractmethod
    def _make_objective(self) -> Objective:
        """Return the objective for the targets that were seen."""


class SGDClassifier(ScoringPart, SGDEstimator):
    """A linear classifier, trained in batches; several classes are learnt one against all others.

    The losses are scikit-learn's "hinge" (a linear support vector machine), "log_loss" (logistic regression),
    "modified_huber", "squared_hinge" and "perceptron". Arguments and attributes are those of `SGDEstimator`.

    Unlike scikit-learn's, which follows single samples, it takes batches and any optimizer, by default Adam.

    Example:
        >>> from fastgd.estimators import SGDClassifier
        >>> SGDClassifier("log_loss", alpha=1e-3, random_state=0).fit(X, y).predict_proba(X_test)
    """

    def __init__(
        self,
        loss: str = "hinge",
        *,
        penalty: str | None = "l2",
        alpha: float = 0.0001,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        shuffle: bool = True,
        verbose: int = 0,
        n_jobs: int | None = None,
        random_state: Any = None,
        solver: Any = "adam",
        learning_rate: str = "constant",
        eta0: float = 0.01,
        power_t: float = 0.5,
        batch_size: int | str = "auto",
        momentum: float = 0.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        scoring: Any = None,
        class_weight: Any = None,
        warm_start: bool = False,
        callbacks: Any = None,
        progress: bool = False,
    ) -> None:
        store_arguments(self, locals())

    def _make_objective(self) -> Objective:
        kind, classes = self._classes_seen()
        units = 1 if kind == "binary" else classes
        known: dict[str, tuple[Callable[[], Loss], str | None]] = {
            "hinge": (losses.Hinge, None),
            "squared_hinge": (losses.SquaredHinge, None),
            "perceptron": (Perceptron, None),
            "modified_huber": (ModifiedHuber, "clip"),
            "log_loss": (lambda: losses.BinaryCrossentropy(from_logits=True), "logistic"),
        }
        if self.loss not in known:
            raise unknown("loss", known, loss=self.loss)
        make, link = known[self.loss]
        # The mean over the outputs times their number: the classes do not share anything.
        return Objective(make(), "identity", units, float(units), float(units), link=link)


class SGDRegressor(RegressorPart, SGDEstimator):
    """A linear regressor, trained in batches.

    The losses are scikit-learn's "squared_error" (half of it), "huber", "epsilon_insensitive" and
    "squared_epsilon_insensitive", and any name or object of `fastgd.losses`. Arguments and attributes are those of
    `SGDEstimator`.

    Unlike scikit-learn's, which follows single samples, it takes batches and any optimizer, by default Adam.

    Example:
        >>> from fastgd.estimators import SGDRegressor
        >>> SGDRegressor("huber", epsilon=1.0, random_state=0).fit(X, y).coef_
    """

    epsilon: Any

    def __init__(
        self,
        loss: Any = "squared_error",
        *,
        penalty: str | None = "l2",
        alpha: float = 0.0001,
        l1_ratio: float = 0.15,
        fit_intercept: bool = True,
        max_iter: int = 1000,
        tol: float = 1e-4,
        shuffle: bool = True,
        verbose: int = 0,
        epsilon: float = 0.1,
        n_jobs: int | None = None,
        random_state: Any = None,
        solver: Any = "adam",
        learning_rate: str = "constant",
        eta0: float = 0.01,
        power_t: float = 0.5,
        batch_size: int | str = "auto",
        momentum: float = 0.0,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        scoring: Any = None,
        warm_start: bool = False,
        callbacks: Any = None,
        progress: bool = False,
    ) -> None:
        store_arguments(self, locals())

    def _make_objective(self) -> Objective:
        epsilon = check_real("epsilon", self.epsilon, 0.0)
        units = self._outputs_seen
        own: dict[str, Callable[[], Loss]] = {
            "huber": lambda: losses.Huber(delta=epsilon),
            "epsilon_insensitive": lambda: EpsilonInsensitive(epsilon),
            "squared_epsilon_insensitive": lambda: EpsilonInsensitive(epsilon, squared=True),
        }
        if isinstance(self.loss, str) and self.loss in own:
            return Objective(own[self.loss](), "identity", units, float(units), float(units))
        return regression(self.loss, units)

    def _keep_arrays(self, coefs: list[Array], intercepts: list[Array]) -> None:
        super()._keep_arrays(coefs, intercepts)
        if len(self.coef_) == 1:
            self.coef_ = self.coef_[0]
