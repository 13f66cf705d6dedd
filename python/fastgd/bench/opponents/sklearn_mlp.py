"""scikit-learn: perceptrons by `partial_fit`, and for logistic regression its compiled SGDClassifier."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from fastgd.bench.opponents.base import Array, Opponent
from fastgd.bench.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATES, MOMENTUM, Problem, Workload

ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic", "linear": "identity"}


class Adapter(Opponent):
    """One `partial_fit` per epoch: batches in order, no penalty, no early stopping."""

    configuration = "MLPClassifier or MLPRegressor.partial_fit; SGDClassifier.partial_fit for one layer on batches of 1"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        importlib.import_module("sklearn.neural_network")

    @staticmethod
    def refusal(workload: Workload) -> str | None:
        """Refuse what is not dense, and one layer on larger batches: an SGDClassifier updates after each sample."""
        if not workload.is_dense:
            return "has dense layers only"
        single = len(workload.widths) == 2
        if single and (workload.batch, workload.loss, workload.widths[1]) != (1, "sigmoid", 1):
            return "has no network without hidden layers"
        return None

    def prepare(self, problem: Problem) -> None:
        """Make the estimator; one pass over a first batch makes its arrays."""
        self._problem, workload = problem, problem.workload
        self._classes = None if workload.loss == "mse" else np.arange(max(2, workload.widths[-1]))
        self._linear = len(workload.widths) == 2
        if self._linear:
            module: Any = importlib.import_module("sklearn.linear_model")
            rate = LEARNING_RATES[workload.optimizer]
            self._model = module.SGDClassifier(
                loss="log_loss", penalty=None, alpha=0.0, learning_rate="constant", eta0=rate, shuffle=False
            )
        else:
            self._model = self._make_network(workload)
        self.load(1)
        self._fit()
        self.restart()
        self.load(workload.steps)

    def _make_network(self, workload: Workload) -> Any:
        module: Any = importlib.import_module("sklearn.neural_network")
        rate, epsilon = LEARNING_RATES[workload.optimizer], EPSILON
        kind = module.MLPClassifier
        if workload.loss == "mse":
            kind = module.MLPRegressor
            # Its gradient is that of half the squared error, summed over the outputs instead of averaged.
            scale = 2.0 / workload.widths[-1]
            rate, epsilon = (rate, epsilon / scale) if workload.optimizer == "adam" else (rate * scale, epsilon)
        return kind(
            hidden_layer_sizes=workload.widths[1:-1],
            activation=ACTIVATIONS[workload.activation],
            solver="adam" if workload.optimizer == "adam" else "sgd",
            alpha=0.0,
            batch_size=workload.batch,
            learning_rate_init=rate,
            momentum=MOMENTUM if workload.optimizer == "momentum" else 0.0,
            nesterovs_momentum=False,
            beta_1=BETA_1,
            beta_2=BETA_2,
            epsilon=epsilon,
            shuffle=False,
        )

    def load(self, steps: int) -> None:
        """Keep views of the first rows; labels and single outputs are one-dimensional."""
        rows = steps * self._problem.workload.batch
        y = self._problem.y[:rows]
        self._x = self._problem.x[:rows]
        self._y = y if y.ndim == 1 else y[:, 0] if y.shape[1] == 1 else y
        if self._classes is not None:
            self._y = self._y.astype(np.int64)

    def _fit(self) -> None:
        if self._classes is None:
            self._model.partial_fit(self._x, self._y)
        else:
            self._model.partial_fit(self._x, self._y, classes=self._classes)

    def restart(self) -> None:
        """Set the weights, and drop the optimizer, which the next epoch then makes anew."""
        weights, model = self._problem.weights, self._model
        if self._linear:
            model.coef_[...] = weights[0].T
            model.intercept_[...] = weights[1]
            return
        model.coefs_ = [value.copy() for value in weights[0::2]]
        model.intercepts_ = [value.copy() for value in weights[1::2]]
        if hasattr(model, "_optimizer"):
            del model._optimizer

    def run(self, epochs: int) -> None:
        """Fit so many epochs, one call for each."""
        for _ in range(epochs):
            self._fit()

    def weights(self) -> list[Array]:
        """Return copies of the weights."""
        if self._linear:
            return [self._model.coef_.T.copy(), self._model.intercept_.copy()]
        pairs = zip(self._model.coefs_, self._model.intercepts_, strict=True)
        return [value.copy() for pair in pairs for value in pair]
