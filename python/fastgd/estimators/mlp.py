"""MLPClassifier and MLPRegressor: scikit-learn's multilayer perceptrons on the native engine, with what they lack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.estimators.classifier import ClassifierPart
from fastgd.estimators.dense import DenseEstimator
from fastgd.estimators.network import (
    Architecture,
    Penalty,
    draw_weights,
    dropout_rates,
    hidden_sizes,
    per_layer,
    scikit_penalty,
)
from fastgd.estimators.objective import Objective, classification, regression
from fastgd.estimators.regressor import RegressorPart
from fastgd.estimators.settings import Settings, store_arguments
from fastgd.utils.checks import check_bool, check_real

Array = npt.NDArray[Any]


class MultilayerPerceptron(DenseEstimator):
    """Base of both, with the arguments and attributes that they share.

    The arguments of scikit-learn mean what they mean there; those it does not have are marked with a star.

    Args:
        hidden_layer_sizes: the units of each hidden layer: a list, or a number for one layer.
        activation: "identity", "logistic", "tanh", "relu", any name or function of `fastgd.activations`*, or a list
            with one entry per hidden layer*.
        loss*: for a classifier "log_loss", for a regressor "squared_error" or "poisson", for both any name or object
            of `fastgd.losses`.
        solver: "adam", "sgd", "lbfgs" (by SciPy, for small data), or any name or object of `fastgd.optimizers`*.
        alpha: the penalty `alpha / 2 sum w^2` on kernels, divided by the samples of a batch.
        batch_size: the samples per update; "auto" is 200, or all if there are fewer.
        learning_rate: "constant", "invscaling" or "adaptive", for the solver "sgd". Schedules belong to optimizers.
        learning_rate_init: the first learning rate.
        power_t: the exponent of "invscaling".
        max_iter: the epochs at most; for "lbfgs" the iterations.
        shuffle: whether each epoch has another order.
        random_state: a seed or a RandomState for weights, order, dropout and the split.
        tol: what counts as better.
        verbose: whether to print each epoch.
        warm_start: whether `fit` goes on with the weights, the curves and the state of the optimizer* of the last one.
        momentum: for "sgd".
        nesterovs_momentum: for "sgd".
        early_stopping: whether to stop by a score of validation samples, and keep the best weights.
        validation_fraction: the share of the samples to validate on, unless `fit` is given an `eval_set`*.
        beta_1: for "adam".
        beta_2: for "adam".
        epsilon: for "adam".
        n_iter_no_change: the epochs without anything better after which to stop.
        max_fun: the evaluations of "lbfgs" at most.
        dropout*: the share of hidden units to silence in training, or a list with one entry per hidden layer.
        batch_normalization*: whether to normalise hidden layers before their activation.
        class_weight*: for a classifier "balanced" or a dict from classes to weights.
        scoring*: what early stopping goes by: None for accuracy or R2, "loss", or a scorer by name or as a function.
        n_jobs*: the threads; None is 1 inside a worker of joblib, else what `fastgd.set_num_threads` says; -1 is all
            cores.
        callbacks*: a list of callbacks of fastgd. Their logs hold loss, val_loss and val_score.
        progress*: whether to draw a progress bar over the epochs.

    Attributes:
        coefs_: the kernel of each layer, (in, out), in the dtype of X.
        intercepts_: the bias of each layer.
        loss_curve_: the loss of each epoch; `loss_` is the last, `best_loss_` the least.
        validation_scores_: the score after each epoch, None without early stopping.
        validation_loss_curve_: the loss of the validation samples after each epoch, without penalty; None without any.
        n_iter_: the epochs of the last fit.
        t_: the samples seen in all fits.
        n_layers_: the layers, the input included.
        n_outputs_: the units of the last layer.
        out_activation_: its function.
    """

    hidden_layer_sizes: Any
    activation: Any
    loss: Any
    alpha: Any
    dropout: Any
    batch_normalization: Any
    coefs_: list[Array]
    intercepts_: list[Array]

    def _settings(self) -> Settings:
        check_real("alpha", self.alpha, 0.0)
        sizes = hidden_sizes(self.hidden_layer_sizes)
        per_layer("activation", self.activation, len(sizes))
        dropout_rates(self.dropout, len(sizes))
        check_bool("batch_normalization", self.batch_normalization)
        return Settings.of(self)

    def _has_weights(self) -> bool:
        return hasattr(self, "coefs_")

    def _start_network(self, X: Any, state: np.random.RandomState) -> None:
        hidden = hidden_sizes(self.hidden_layer_sizes)
        sizes = (X.shape[1], *hidden, self._objective.units)
        functions = per_layer("activation", self.activation, len(hidden))
        self.coefs_, self.intercepts_ = draw_weights(sizes, functions, state, X.dtype)
        self._forget_network()

    def _arrays(self) -> tuple[Sequence[Array], Sequence[Array]]:
        return self.coefs_, self.intercepts_

    def _keep_arrays(self, coefs: list[Array], intercepts: list[Array]) -> None:
        self.coefs_, self.intercepts_ = coefs, intercepts
        self.n_layers_ = len(coefs) + 1
        self.n_outputs_ = self._objective.units
        self.out_activation_ = self._objective.activation

    def _architecture(self, sizes: tuple[int, ...], dtype: str) -> Architecture:
        functions = per_layer("activation", self.activation, len(sizes) - 2)
        rates = dropout_rates(self.dropout, len(sizes) - 2)
        output = self._objective.activation
        return Architecture(sizes, functions, output, dtype, rates, self.batch_normalization, seed=self._seed)

    def _penalty(self, mean_weight: float, divisor: int | None) -> Penalty:
        return scikit_penalty(self.alpha, mean_weight, divisor)


class MLPClassifier(ClassifierPart, MultilayerPerceptron):
    """scikit-learn's MLPClassifier, faster, and with what its users ask for.

    Two classes and several labels per sample have the output "logistic", more classes "softmax". The arguments and
    attributes are those of `MultilayerPerceptron`.

    Example:
        >>> from fastgd.estimators import MLPClassifier
        >>> MLPClassifier((64, 32), dropout=0.2, early_stopping=True, random_state=0).fit(X, y).score(X_test, y_test)
    """

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        loss: Any = "log_loss",
        dropout: float | Sequence[float] = 0.0,
        batch_normalization: bool = False,
        class_weight: Any = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        callbacks: Any = None,
        progress: bool = False,
    ) -> None:
        store_arguments(self, locals())

    def _make_objective(self) -> Objective:
        return classification(self.loss, *self._classes_seen())

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: several labels per sample are welcome."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class MLPRegressor(RegressorPart, MultilayerPerceptron):
    """scikit-learn's MLPRegressor, faster, and with what its users ask for.

    "squared_error" is half the squared error, "poisson" half the deviance after an exponential output. The arguments
    and attributes are those of `MultilayerPerceptron`.

    Example:
        >>> from fastgd.estimators import MLPRegressor
        >>> MLPRegressor(loss="huber", max_iter=50, random_state=0).fit(X, y).predict(X_test)
    """

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float | Sequence[float] = 0.0,
        batch_normalization: bool = False,
        scoring: Any = None,
        n_jobs: int | None = None,
        callbacks: Any = None,
        progress: bool = False,
    ) -> None:
        store_arguments(self, locals())

    def _make_objective(self) -> Objective:
        return regression(self.loss, self._outputs_seen)

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: several targets per sample are welcome."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
