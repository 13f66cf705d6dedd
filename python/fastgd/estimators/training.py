"""The epochs of a fit: training, validation, curves, and when to stop."""

from __future__ import annotations

import warnings
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning

from fastgd.callbacks import CallbackList
from fastgd.estimators.objective import Objective
from fastgd.estimators.rows import Rows
from fastgd.estimators.solvers import RatePolicy
from fastgd.models.data import ArrayData
from fastgd.models.loop import run_evaluation
from fastgd.models.model import Model
from fastgd.models.session import Engine
from fastgd.utils.progress import ProgressLine

Array = npt.NDArray[Any]

# The batches of validation and prediction, which change no result but in rounding.
LARGE_BATCH = 1024


@dataclass
class Progress:
    """How far the fits of an estimator have come; what several fits share under `warm_start` and `partial_fit`.

    Attributes:
        losses: the loss of each epoch, penalties included.
        best_loss: the least of them; None with early stopping.
        scores: the score of the validation rows after each epoch; None without early stopping.
        best_score: the best of them; None without early stopping.
        validation_losses: the loss of the validation rows after each epoch, without penalties.
        idle: the epochs since the last improvement.
        seen: the samples trained on.
        epochs: the epochs of the last fit.
    """

    losses: list[float] = field(default_factory=list)
    best_loss: float | None = np.inf
    scores: list[float] | None = None
    best_score: float | None = None
    validation_losses: list[float] = field(default_factory=list)
    idle: int = 0
    seen: int = 0
    epochs: int = 0


@dataclass
class Schedule:
    """The arguments of an estimator that rule its epochs, under their own names.

    Attributes:
        early_stopping: whether scores decide, and the best weights are kept.
        by_loss: whether the score is the negative loss of the validation rows.
        single: whether there is one epoch only, of which nothing is expected.
    """

    max_iter: int
    tol: float
    n_iter_no_change: float
    batch_size: int
    shuffle: bool
    seed: int
    early_stopping: bool
    by_loss: bool
    verbose: Any
    progress: bool
    single: bool


class EpochLoop:
    """Trains a compiled model epoch by epoch; each is one call of the engine.

    Args:
        model: the model.
        objective: what is minimised.
        rows: what to train on.
        validation: what to validate on, or None.
        schedule: the arguments.
        policy: what rules the learning rate.
        score: returns the score of the validation rows; called after each epoch with early stopping.
        callbacks: callbacks of fastgd.
    """

    def __init__(
        self,
        model: Model,
        objective: Objective,
        rows: Rows,
        validation: Rows | None,
        schedule: Schedule,
        policy: RatePolicy,
        score: Any,
        callbacks: Any,
    ) -> None:
        self._model, self._objective, self._rows, self._validation = model, objective, rows, validation
        self._schedule, self._policy, self._score = schedule, policy, score
        self._callbacks = list(callbacks or ())
        assert rows.targets is not None
        self._constant = objective.constant(rows.targets, rows.weights)

    def run(self, progress: Progress) -> None:
        """Train until the epochs are over, nothing improves, a callback says so, or the user interrupts."""
        rules, model = self._schedule, self._model
        best: list[Array] | None = None
        progress.epochs = 0
        if rules.early_stopping:
            best = [variable.numpy() for variable in model.weights]
            progress.best_loss = None
            progress.scores = [] if progress.scores is None else progress.scores
            progress.best_score = -np.inf if progress.best_score is None else progress.best_score
        listeners = CallbackList(self._callbacks, model=model, verbose=0, epochs=rules.max_iter, steps=None)
        line = ProgressLine(rules.max_iter, live=True) if rules.progress else None
        model.stop_training = False
        logs: dict[str, Any] = {}
        with closing(listeners), model._engine("train", self._rows) as engine:  # type: ignore[arg-type]
            engine.bind_optimizer(model.optimizer)
            listeners.on_train_begin()
            try:
                for epoch in range(rules.max_iter):
                    listeners.on_epoch_begin(epoch)
                    logs = self._run_epoch(engine, progress, listeners)
                    if best is not None and self._is_best(progress):
                        best = [variable.numpy() for variable in model.weights]
                    listeners.on_epoch_end(epoch, logs)
                    if line is not None:
                        line.update(progress.epochs, logs)
                    self._policy.after_epoch(progress.seen)
                    if model.stop_training or self._is_over(progress) or rules.single:
                        break
                    if progress.epochs == rules.max_iter:
                        warnings.warn(
                            f"Stochastic optimizer: `max_iter`={rules.max_iter} epochs were done, and the loss was "
                            "still improving.",
                            ConvergenceWarning,
                            stacklevel=6,
                        )
            except KeyboardInterrupt:
                warnings.warn("Training interrupted by user.", stacklevel=6)
            listeners.on_train_end(logs)
            if not rules.single:
                model.optimizer.finalize_variable_values(engine.lowered.trained)
        if line is not None:
            line.finish(logs)
        for callback in self._callbacks:
            # A callback that kept the model could not be pickled with its estimator.
            callback.set_model(None)
        if best is not None:
            for variable, value in zip(model.weights, best, strict=True):
                variable.assign(value)

    def _run_epoch(self, engine: Engine, progress: Progress, listeners: CallbackList) -> dict[str, Any]:
        """Train and validate once, and note what came of it."""
        rules, rows = self._schedule, self._rows
        loss = self._train(engine, len(progress.losses), listeners)
        logs: dict[str, Any] = {"loss": loss}
        progress.epochs += 1
        progress.seen += rows.count
        progress.losses.append(loss)
        if rules.verbose:
            print(f"Iteration {progress.epochs}, loss = {loss:.8f}")
        if self._validation is not None:
            logs["val_loss"] = validation_loss(self._model, self._objective, self._validation)
            progress.validation_losses.append(logs["val_loss"])
        if rules.early_stopping:
            score = -logs["val_loss"] if rules.by_loss else float(self._score())
            logs["val_score"] = score
            if rules.verbose:
                print(f"Validation score: {score:f}")
            assert progress.scores is not None and progress.best_score is not None
            progress.scores.append(score)
            # NaN is no improvement, and no reason to stop either: so it is in scikit-learn.
            progress.idle = progress.idle + 1 if score < progress.best_score + rules.tol else 0
        else:
            least = np.inf if progress.best_loss is None else progress.best_loss
            progress.idle = progress.idle + 1 if loss > least - rules.tol else 0
            progress.best_loss = loss if loss < least else least
        return logs

    def _is_best(self, progress: Progress) -> bool:
        assert progress.scores is not None and progress.best_score is not None
        if not progress.scores[-1] > progress.best_score:
            return False
        progress.best_score = progress.scores[-1]
        return True

    def _is_over(self, progress: Progress) -> bool:
        if progress.idle <= self._schedule.n_iter_no_change:
            return False
        stops = self._policy.stops()
        if self._schedule.verbose:
            what = "Validation score" if self._schedule.early_stopping else "Training loss"
            then = "Stopping." if stops else f"Setting learning rate to {self._model.optimizer.learning_rate:f}"
            print(
                f"{what} did not improve more than tol={self._schedule.tol:f} for "
                f"{self._schedule.n_iter_no_change} consecutive epochs. {then}"
            )
        if not stops:
            progress.idle = 0
        return stops

    def _train(self, engine: Engine, epoch: int, listeners: CallbackList) -> float:
        """Train on all rows once and return the loss as scikit-learn has it."""
        model, rules = self._model, self._schedule
        objectives = model._ready("fit")
        seed = rules.seed if rules.shuffle else None
        order = self._rows.order(rules.seed, epoch) if rules.shuffle and self._rows.is_sparse else None
        total, rows = 0.0, 0
        for feeds in self._rows.parts(order):
            data = ArrayData(model, feeds, rules.batch_size)
            loop = data.train(engine, objectives, None, None if self._rows.is_sparse else seed, epoch)
            loop.run_epoch(listeners)
            total += shown_loss(engine, self._objective) * feeds.rows
            rows += feeds.rows
            if model.stop_training:
                break
        return total / rows + self._constant


def shown_loss(engine: Engine, objective: Objective, penalties: bool = True) -> float:
    """Return the loss of the pass that an engine has done, as scikit-learn has it."""
    totals = engine.executor.totals()
    terms = len(engine.lowered.plan.losses) if penalties else 1
    losses = [top / bottom if bottom else 0.0 for top, bottom in totals[:terms].tolist()]
    return float(objective.shown * losses[0] + sum(losses[1:]))


def validation_loss(model: Model, objective: Objective, rows: Rows) -> float:
    """Return the loss of rows that are not trained on, without penalties."""
    assert rows.targets is not None
    objectives = model._ready("evaluate")
    total = 0.0
    with model._engine("evaluate", rows) as engine:  # type: ignore[arg-type]
        for feeds in rows.parts():
            run_evaluation(engine, objectives, feeds, LARGE_BATCH, CallbackList())
            total += shown_loss(engine, objective, penalties=False) * feeds.rows
    return total / rows.count + objective.constant(rows.targets, rows.weights)
