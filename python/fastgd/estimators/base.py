"""What all estimators share: a fit from checked data to trained weights, outputs for rows, and pickling."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from fastgd import optimizers
from fastgd.estimators.epoch_tasks import CallbackSupportMixin, tasks_of, with_callbacks
from fastgd.estimators.lbfgs import Limits, minimise
from fastgd.estimators.objective import Objective
from fastgd.estimators.rows import Rows
from fastgd.estimators.settings import Settings
from fastgd.estimators.solvers import RatePolicy, StoredOptimizer, make_optimizer
from fastgd.estimators.threads import limited_threads
from fastgd.estimators.training import LARGE_BATCH, EpochLoop, Progress, Schedule
from fastgd.estimators.weights import combined_weights
from fastgd.models.model import Model
from fastgd.optimizers import Optimizer
from fastgd.utils.errors import invalid

Array = npt.NDArray[Any]

# Rows, and their targets as the user gave them.
Validation = tuple[Rows, Array]

_SEEDS = 2**31 - 1


class NetworkEstimator(CallbackSupportMixin, BaseEstimator):
    """Base of all estimators; a subclass says how its network is made and where its weights are kept."""

    # What a fit leaves besides the attributes for users.
    _model: Model
    _objective: Objective
    _optimizer: Optimizer | StoredOptimizer | None
    _progress: Progress
    _seed: int

    _numeric_targets = False

    n_jobs: Any
    random_state: Any
    warm_start: Any

    # ---- What subclasses say.

    @abstractmethod
    def _settings(self) -> Settings:
        """Return the checked arguments."""

    @abstractmethod
    def _make_objective(self) -> Objective:
        """Return the objective for the targets that were seen."""

    @abstractmethod
    def _encode(self, y: Array, fresh: bool, incremental: bool, classes: Any) -> Array:
        """Check and return targets in the form that `_network_targets` takes; note the classes."""

    @abstractmethod
    def _network_targets(self, encoded: Array, dtype: Any) -> Array:
        """Return encoded targets in the form of the loss."""

    @abstractmethod
    def _start_network(self, X: Any, state: np.random.RandomState) -> None:
        """Make new weights."""

    @abstractmethod
    def _ready_model(self) -> Model:
        """Return the model with the weights that the attributes hold."""

    @abstractmethod
    def _store_weights(self) -> None:
        """Set the attributes to the weights that the model has now."""

    @abstractmethod
    def _has_weights(self) -> bool:
        """Return whether there are weights to go on from."""

    @abstractmethod
    def _default_score(self, outputs: Array, y: Array, weights: Array | None) -> float:
        """Return accuracy or R2 of outputs."""

    def _prepare(self, X: Any, fresh: bool, state: np.random.RandomState) -> None:
        """Do what comes before the objective is known."""

    def _penalise(self, mean_weight: float, rows: int, batch_size: int) -> bool:
        """Set the penalty on weights for samples of this mean weight; return whether it has changed."""
        return False

    def _split_labels(self, encoded: Array) -> Array | None:
        """Return what a split for validation is stratified by, None for nothing."""
        return None

    def _weight_labels(self, y: Array) -> Array | None:
        """Return the labels that `class_weight` is about, None where there are no classes."""
        return None

    # ---- The fit.

    def _check_rows(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        """Return checked samples and targets."""
        X, y = validate_data(
            self, X, y, reset=reset, accept_sparse=["csr", "csc"], multi_output=True, y_numeric=self._numeric_targets,
            dtype=(np.float64, np.float32),
        )  # fmt: skip
        return X, y

    def _check_samples(self, X: Any) -> Any:
        """Return checked samples to predict for."""
        return validate_data(self, X, reset=False, accept_sparse=["csr", "csc"], dtype=(np.float64, np.float32))

    @with_callbacks
    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        eval_set: Any = None,
        incremental: bool = False,
        classes: Any = None,
    ) -> NetworkEstimator:
        """Fit, anew or from where the last fit ended."""
        settings = self._settings()
        if incremental and settings.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        fresh = not self._has_weights() or not (self.warm_start or incremental)
        epochs = 1 if incremental else settings.max_iter
        tasks = tasks_of(self, X, y, sample_weight, epochs)
        X, y = self._check_rows(X, y, fresh)
        encoded = self._encode(y, fresh, incremental, classes)
        y = _plain(y)
        weights = combined_weights(sample_weight, settings.class_weight, X, self._weight_labels(y))
        state = check_random_state(self.random_state)
        self._prepare(X, fresh, state)
        settings = self._settings()
        if tasks is not None:
            settings.callbacks = [*(settings.callbacks or ()), tasks]
        self._objective = self._make_objective()
        with limited_threads(self.n_jobs):
            if fresh:
                self._start_network(X, state)
                self._optimizer = None
                self._progress = Progress()
            places = None if eval_set is not None else self._split(encoded, settings, state)
            if fresh:
                # Drawn last: weights and split are those of scikit-learn for the same `random_state`.
                self._seed = int(state.randint(_SEEDS))
            self._progress = self.__dict__.get("_progress") or Progress()
            self._seed = self.__dict__.get("_seed", 0)
            model = self._ready_model()
            if eval_set is not None:
                validation: Validation | None = self._given_validation(eval_set, model.dtype)
                training = self._rows(X, encoded, weights, settings, model.dtype)
            else:
                training, validation = self._divide(X, y, encoded, weights, places, settings, model.dtype)
            if settings.is_stochastic:
                self._fit_stochastic(model, settings, training, validation, incremental)
            else:
                self._fit_lbfgs(model, settings, training)
            self._store_weights()
            self._store_progress()
        if not all(np.isfinite(variable.value).all() for variable in model.weights):
            raise ValueError(
                "Solver produced non-finite parameter weights. The input data may contain large values and need to be "
                "preprocessed."
            )
        if tasks is not None:
            tasks.finish()
        return self

    def _split(self, encoded: Array, settings: Settings, state: Any) -> tuple[Array, Array] | None:
        """Return the places of the rows to train on and of those to validate on, None to train on all."""
        if not (settings.early_stopping and settings.is_stochastic):
            return None
        kept, held = train_test_split(
            np.arange(len(encoded)),
            random_state=state,
            test_size=settings.validation_fraction,
            stratify=self._split_labels(encoded),
        )
        if len(held) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        return kept, held

    def _divide(
        self,
        X: Any,
        y: Array,
        encoded: Array,
        weights: Array | None,
        places: tuple[Array, Array] | None,
        settings: Settings,
        dtype: str,
    ) -> tuple[Rows, Validation | None]:
        """Return the rows to train on, and those to validate on with their targets as the user gave them."""
        if places is None:
            return self._rows(X, encoded, weights, settings, dtype), None
        kept, held = places
        parts = (None, None) if weights is None else (weights[kept], weights[held])
        validation = Rows(X[held], self._network_targets(encoded[held], dtype), parts[1], LARGE_BATCH)
        return self._rows(X[kept], encoded[kept], parts[0], settings, dtype), (validation, y[held])

    def _given_validation(self, eval_set: Any, dtype: str) -> Validation:
        if not isinstance(eval_set, (tuple, list)) or len(eval_set) not in (2, 3):
            raise invalid("`eval_set` must be (X, y) or (X, y, sample_weight).", eval_set=type(eval_set))
        X, y = self._check_rows(eval_set[0], eval_set[1], False)
        targets = self._network_targets(self._encode(y, False, True, None), dtype)
        y = _plain(y)
        weights = combined_weights(eval_set[2] if len(eval_set) == 3 else None, None, X, None)
        return Rows(X, targets, weights, LARGE_BATCH), y

    def _rows(self, X: Any, encoded: Array, weights: Array | None, settings: Settings, dtype: str) -> Rows:
        self._samples = int(X.shape[0])
        if weights is not None:
            # Their scale only sets them off against the penalty, which is told their mean.
            self._mean_weight = float(weights.mean())
            weights = weights / self._mean_weight
        else:
            self._mean_weight = 1.0
        return Rows(X, self._network_targets(encoded, dtype), weights, self._batch_size(settings, X.shape[0], False))

    def _batch_size(self, settings: Settings, rows: int, warn: bool) -> int:
        if settings.batch_size == "auto":
            return min(200, rows)
        if settings.batch_size > rows and warn:
            warnings.warn(f"`batch_size` is larger than the number of samples, {rows}, and is clipped.", stacklevel=5)
        return int(min(settings.batch_size, rows))

    def _compile(self, model: Model, optimizer: Optimizer, reduction: str) -> None:
        """Compile the model unless it is compiled like that already."""
        objective = self._objective
        if objective.loss.reduction != "sum":
            objective.loss.reduction = reduction
        key = (id(optimizer), reduction, objective.scale, repr(getattr(self, "loss", None)), type(objective.loss))
        if model.__dict__.get("_estimator_key") == key:
            return
        model.compile(optimizer=optimizer, loss=objective.loss, loss_weights=[objective.scale])
        model.__dict__["_estimator_key"] = key

    def _fit_stochastic(
        self,
        model: Model,
        settings: Settings,
        rows: Rows,
        validation: Validation | None,
        incremental: bool,
    ) -> None:
        batch_size = self._batch_size(settings, rows.count, True)
        optimizer = self._ready_optimizer(model, settings, incremental)
        if self._penalise(self._mean_weight, rows.count, batch_size):
            model.__dict__.pop("_estimator_key", None)
        self._compile(model, optimizer, "mean_with_sample_weight")
        policy = RatePolicy(settings.policy, optimizer, settings.learning_rate_init, settings.power_t)
        schedule = Schedule(
            1 if incremental else settings.max_iter, settings.tol, settings.n_iter_no_change, batch_size,
            settings.shuffle, self._seed, settings.early_stopping, settings.scoring == "loss", settings.verbose,
            settings.progress, incremental,
        )  # fmt: skip
        held = None if validation is None else validation[0]
        score = None if validation is None else self._scorer(model, settings.scoring, *validation)
        loop = EpochLoop(model, self._objective, rows, held, schedule, policy, score, settings.callbacks)
        loop.run(self._progress)

    def _fit_lbfgs(self, model: Model, settings: Settings, rows: Rows) -> None:
        self._optimizer = None
        if self._penalise(self._mean_weight, rows.count, rows.count):
            model.__dict__.pop("_estimator_key", None)
        # It is never run: the model needs some optimizer to be compiled.
        self._compile(model, optimizers.SGD(), "sum_over_batch_size")
        limits = Limits(settings.max_iter, settings.max_fun, settings.tol, settings.ftol, settings.verbose)
        loss, iterations, curve = minimise(model, self._objective, rows, limits, settings.callbacks)
        progress = self._progress
        progress.losses += curve or [loss]
        progress.losses[-1] = loss
        progress.epochs = iterations
        progress.best_loss = min(progress.losses)

    def _ready_optimizer(self, model: Model, settings: Settings, incremental: bool) -> Optimizer:
        """Return the optimizer of the last fit if it was one of this kind, else a new one."""
        made = make_optimizer(settings.solver, settings.learning_rate_init, settings.numbers)
        kept = self.__dict__.get("_optimizer")
        if isinstance(kept, StoredOptimizer):
            kept = kept.restore([variable for variable in model.weights if variable.trainable], model.dtype)
        if kept is None or _without_rate(kept) != _without_rate(made):
            kept = made
        elif not incremental and settings.policy != "invscaling" and not kept.is_scheduled:
            kept.learning_rate = made.learning_rate
        self._optimizer = kept
        optimizer: Optimizer = kept
        return optimizer

    def _scorer(self, model: Model, scoring: Any, rows: Rows, y: Array) -> Callable[[], float]:
        """Return the function that scores the validation rows with the weights of now."""
        if scoring is None or scoring == "loss":

            def score() -> float:
                outputs = self._run(model, rows)
                return self._default_score(outputs, y, rows.weights)

            return score
        rule = get_scorer(scoring)
        # A scorer hands on arrays, whatever the fit was given; the twin does not ask them for names of features.
        twin = object.__new__(type(self))
        extra = {"sample_weight": rows.weights} if isinstance(scoring, str) and rows.weights is not None else {}

        def score_by_rule() -> float:
            self._store_weights()
            twin.__dict__.update(self.__dict__)
            twin.__dict__.pop("feature_names_in_", None)
            return float(rule(twin, rows.x, y, **extra))

        return score_by_rule

    def _store_progress(self) -> None:
        """Set what scikit-learn's users read after a fit."""
        progress = self._progress
        self.n_iter_ = progress.epochs
        self.t_ = progress.seen
        self.loss_ = progress.losses[-1] if progress.losses else np.nan
        self.loss_curve_ = progress.losses
        self.best_loss_ = progress.best_loss
        self.validation_scores_ = progress.scores
        self.best_validation_score_ = progress.best_score
        self.validation_loss_curve_ = progress.validation_losses or None
        self._no_improvement_count = progress.idle

    # ---- Outputs.

    def _outputs(self, X: Any) -> Array:
        """Return what the last layer makes of samples."""
        check_is_fitted(self)
        X = self._check_samples(X)
        with limited_threads(self.n_jobs):
            return self._run(self._ready_model(), Rows(X, batch_size=LARGE_BATCH))

    def _run(self, model: Model, rows: Rows) -> Array:
        plain = Rows(rows.x)
        parts = [model.predict(feeds.arrays[0], batch_size=LARGE_BATCH, verbose=0) for feeds in plain.parts()]
        outputs: Array = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return outputs

    # ---- Files.

    def __getstate__(self) -> dict[str, Any]:
        """Return weights and settings without what is native."""
        state = dict(super().__getstate__())
        state.pop("_network", None)
        optimizer = state.get("_optimizer")
        if isinstance(optimizer, Optimizer):
            state["_optimizer"] = StoredOptimizer(optimizer)
        return state

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: sparse samples are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _plain(y: Any) -> Array:
    """Return targets as a dense array, one column as a vector."""
    dense: Array = y.toarray() if hasattr(y, "toarray") else y
    return dense[:, 0] if dense.ndim == 2 and dense.shape[1] == 1 else dense


def _without_rate(optimizer: Optimizer) -> Any:
    config = optimizer.get_config()
    if not optimizer.is_scheduled:
        config.pop("learning_rate")
    return type(optimizer), config
