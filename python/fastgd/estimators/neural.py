"""NeuralClassifier and NeuralRegressor: any model of fastgd as an estimator."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.utils.validation import validate_data

from fastgd import losses
from fastgd.estimators.base import NetworkEstimator
from fastgd.estimators.classifier import ClassifierPart
from fastgd.estimators.objective import Objective, of_model, resolve_loss
from fastgd.estimators.regressor import RegressorPart
from fastgd.estimators.settings import Settings, store_arguments
from fastgd.estimators.stored_model import StoredModel, copy_model, refuse_subclassed
from fastgd.models.model import Model
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.seeds import seeded_draws

Array = npt.NDArray[Any]


class NeuralEstimator(NetworkEstimator):
    """Base of NeuralClassifier and NeuralRegressor, with the arguments that they share.

    Args:
        model: a Sequential or functional model with one input and one output, which is never changed: each fit begins
            with a copy of it and its weights. Or a function that returns a model, with new weights for each fit; it is
            given those of the arguments `n_features_in`, `n_outputs` and `input_shape` that it has, and `model_params`.
        loss: a name or object of `fastgd.losses`. None is the one that the model was compiled with, else the
            logarithmic loss of its last activation, or the mean squared error.
        solver: a name or object of `fastgd.optimizers`, or "lbfgs". None is the optimizer that the model was compiled
            with, else Adam.
        learning_rate_init: the learning rate, for a name.
        batch_size: the samples per update; "auto" is 200, or all if there are fewer.
        max_iter: the epochs at most.
        shuffle: whether each epoch has another order.
        random_state: a seed or a RandomState for order and split, and for the weights that a function makes.
        tol: what counts as better.
        n_iter_no_change: the epochs without anything better after which to stop; infinity to do all of them.
        early_stopping: whether to stop by a score of validation samples, and keep the best weights.
        validation_fraction: the share of the samples to validate on, unless `fit` is given an `eval_set`.
        scoring: what early stopping goes by: None for accuracy or R2, "loss", or a scorer.
        class_weight: for a classifier "balanced" or a dict from classes to weights.
        warm_start: whether `fit` goes on from the last one, the state of the optimizer included.
        verbose: whether to print each epoch.
        n_jobs: the threads, as in `MLPClassifier`.
        callbacks: a list of callbacks of fastgd.
        progress: whether to draw a progress bar over the epochs.
        model_params: a dict of further arguments for a function, which a search may vary.

    Attributes:
        model_: the trained model.
        n_iter_: the epochs of the last fit.
        loss_curve_: the loss of each epoch; besides it those of `MLPClassifier` about training and validation.
    """

    model: Any
    loss: Any
    solver: Any
    model_params: Any
    model_: Model

    # The optimizer and the loss that the model came compiled with.
    _compiled_with: tuple[Any, Any] | None

    def _settings(self) -> Settings:
        compiled = self.__dict__.get("_compiled_with")
        solver = self.solver if self.solver is not None else compiled[0] if compiled else "adam"
        return Settings.of(self, solver=solver)

    def _check_rows(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(self, X, y, reset=reset, y_numeric=self._numeric_targets, multi_output=True,
                             **self._data_rules())  # fmt: skip
        return X, y

    def _check_samples(self, X: Any) -> Any:
        return validate_data(self, X, reset=False, **self._data_rules())

    def _data_rules(self) -> dict[str, Any]:
        """Return what samples may be: images and sequences where the model takes them."""
        given = self.__dict__.get("model_", self.model)
        axes = len(given.inputs[0].shape) if isinstance(given, Model) and given.built else 2
        return {"accept_sparse": ["csr", "csc"], "allow_nd": axes > 2 or not isinstance(given, Model)}

    def _has_weights(self) -> bool:
        return hasattr(self, "model_")

    def _prepare(self, X: Any, fresh: bool, state: np.random.RandomState) -> None:
        if fresh:
            with seeded_draws(int(state.randint(2**31 - 1))):
                self.model_ = self._make_model(X)

    def _make_model(self, X: Any) -> Model:
        if isinstance(self.model, Model):
            refuse_subclassed(self.model)
            made = copy_model(self.model)
        elif callable(self.model):
            made = _call(self.model, self._known(X), self.model_params)
        else:
            raise mistyped("`model` must be a model, or a function that returns one.", model=self.model)
        if not made.built:
            made.build((None, *X.shape[1:]))
        source = self.model if isinstance(self.model, Model) else made
        self._compiled_with = (source.optimizer, source.loss) if source.compiled else None
        if len(made.inputs) != 1 or len(made.outputs) != 1:
            raise invalid("`model` must have one input and one output.", inputs=len(made.inputs))
        return made

    def _known(self, X: Any) -> dict[str, Any]:
        """Return what a function may want to know."""
        return {"n_features_in": X.shape[1], "input_shape": tuple(X.shape[1:]), "n_outputs": self._n_outputs()}

    def _n_outputs(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must implement _n_outputs()")

    def _given_loss(self) -> Any:
        """Return the loss: the argument, or what the model was compiled with."""
        return self._compiled_with[1] if self.loss is None and self._compiled_with else self.loss

    def _units(self) -> int:
        return int(self.model_.outputs[0].dims[-1])

    def _start_network(self, X: Any, state: np.random.RandomState) -> None:
        """Do nothing more: the model came before the objective."""

    def _ready_model(self) -> Model:
        return self.model_

    def _store_weights(self) -> None:
        self.n_outputs_ = self._units()

    def __getstate__(self) -> dict[str, Any]:
        """Return weights and configs without what is native."""
        state = super().__getstate__()
        for name in ("model", "model_"):
            if isinstance(state.get(name), Model):
                state[name] = StoredModel(state[name])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the models again."""
        restored = {name: value.restore() for name, value in state.items() if isinstance(value, StoredModel)}
        super().__setstate__({**state, **restored})

    def __sklearn_clone__(self) -> Any:
        """Return an estimator of the same arguments that is not fitted; both share the model, which no fit changes."""
        arguments = {
            name: value if name == "model" else clone(value, safe=False)
            for name, value in self.get_params(deep=False).items()
        }
        made = type(self)(**arguments)
        # What scikit-learn's own cloning hands on besides the arguments.
        for name in ("_metadata_request", "_sklearn_output_config"):
            if name in self.__dict__:
                setattr(made, name, copy.deepcopy(getattr(self, name)))
        return made


class NeuralClassifier(ClassifierPart, NeuralEstimator):
    """A classifier around any model of fastgd.

    The model has one output per class, or a single one for two classes; for several labels per sample one per label.
    The arguments and attributes are those of `NeuralEstimator`.

    Example:
        >>> model = fastgd.Sequential([fastgd.layers.Dense(64, "relu"), fastgd.layers.Dense(3, "softmax")])
        >>> NeuralClassifier(model, max_iter=20).fit(X, y).predict_proba(X_test)
    """

    def __init__(
        self,
        model: Any,
        *,
        loss: Any = None,
        solver: Any = None,
        learning_rate_init: float = 0.001,
        batch_size: int | str = "auto",
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        n_iter_no_change: float = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: Any = None,
        class_weight: Any = None,
        warm_start: bool = False,
        verbose: bool = False,
        n_jobs: int | None = None,
        callbacks: Any = None,
        progress: bool = False,
        model_params: Mapping[str, Any] | None = None,
    ) -> None:
        store_arguments(self, locals())

    def _n_outputs(self) -> int:
        kind, classes = self._classes_seen()
        return 1 if kind == "binary" else classes

    def _make_objective(self) -> Objective:
        kind, classes = self._classes_seen()
        if "model_" not in self.__dict__:
            return of_model(self.loss, kind, classes, 1)
        return of_model(self._given_loss(), kind, classes, self._units())


class NeuralRegressor(RegressorPart, NeuralEstimator):
    """A regressor around any model of fastgd.

    The model has one output per target. The arguments and attributes are those of `NeuralEstimator`.

    Example:
        >>> def make(n_features_in, units=32):
        ...     layers = fastgd.layers
        ...     return fastgd.Sequential([layers.Dense(units, "relu", input_shape=(n_features_in,)), layers.Dense(1)])
        >>> NeuralRegressor(make, loss="huber", model_params={"units": 64}).fit(X, y).predict(X_test)
    """

    def __init__(
        self,
        model: Any,
        *,
        loss: Any = None,
        solver: Any = None,
        learning_rate_init: float = 0.001,
        batch_size: int | str = "auto",
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        n_iter_no_change: float = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        scoring: Any = None,
        warm_start: bool = False,
        verbose: bool = False,
        n_jobs: int | None = None,
        callbacks: Any = None,
        progress: bool = False,
        model_params: Mapping[str, Any] | None = None,
    ) -> None:
        store_arguments(self, locals())

    def _n_outputs(self) -> int:
        return self._outputs_seen

    def _make_objective(self) -> Objective:
        if self._units() != self._outputs_seen:
            raise invalid(f"`model` must have {self._outputs_seen} outputs for the targets.", units=self._units())
        loss = self._given_loss()
        return Objective(losses.MeanSquaredError() if loss is None else resolve_loss(loss), "", self._outputs_seen)


def _call(function: Callable[..., Any], known: Mapping[str, Any], params: Mapping[str, Any] | None) -> Model:
    """Call a function that makes a model with what its signature asks for."""
    signature = inspect.signature(function).parameters
    chosen = {name: value for name, value in known.items() if name in signature}
    made = function(**{**chosen, **(params or {})})
    if not isinstance(made, Model):
        raise mistyped("`model` must return a model.", model=made)
    return made
