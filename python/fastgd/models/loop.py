"""The loops over batches: each lets the engine run long stretches, or single batches where a callback asks for them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastgd.callbacks import CallbackList
from fastgd.models.feeds import Feeds
from fastgd.models.objectives import Objectives
from fastgd.models.session import Engine
from fastgd.ops.parameters import Variable, announce_change
from fastgd.optimizers import Optimizer
from fastgd.runtime import Executor, row_order

if TYPE_CHECKING:
    from fastgd.models.model import Model

Array = npt.NDArray[Any]

# How long the engine may run before Python looks after the progress bar and Ctrl-C.
CHUNK_SECONDS = 0.1

# How many learning rates of a schedule are worked out at a time: more than so many batches seldom fit into a chunk.
SCHEDULED_BATCHES = 256


def batches_of(rows: int, batch_size: int) -> int:
    """Return how many batches hold `rows` samples; the last may be smaller."""
    return -(-rows // batch_size)


class TrainingLoop:
    """The epochs of one `fit` over rows in memory.

    An epoch is one pass over the rows, or `steps` batches: the next epoch then goes on where the last one stopped.

    Args:
        model: the model, compiled.
        engine: the executor, bound to weights and optimizer.
        objectives: what the numbers of the executor mean.
        feeds: the data.
        batch_size: the samples per batch.
        steps: the batches per epoch, None for one pass.
        shuffle_seed: the seed of the order of rows, None to keep the order.
        first_pass: the number of the first pass, from which with the seed its order follows.
    """

    def __init__(
        self,
        model: Model,
        engine: Engine,
        objectives: Objectives,
        feeds: Feeds,
        batch_size: int,
        steps: int | None,
        shuffle_seed: int | None,
        first_pass: int = 0,
    ) -> None:
        self._model = model
        self._engine = engine
        self._objectives = objectives
        self._feeds = feeds
        self._batch_size = min(batch_size, feeds.rows)
        self.steps = steps or batches_of(feeds.rows, batch_size)
        self._shuffle_seed = shuffle_seed
        self._pass = first_pass
        self._left = 0
        # The batches of the epoch so far, and what they added up to besides what the executor has.
        self._done = 0
        self._carried: Array | None = None
        # Whether the current pass was begun by another process.
        self._resumed = False
        # How long the last epoch took.
        self._seconds = math.inf

    def position(self) -> dict[str, Any]:
        """Return where the loop stands, as numbers and lists: `resume` of a like loop goes on there."""
        totals = self._totals() if self._done else None
        return {
            "shuffle_seed": self._shuffle_seed,
            "pass": self._pass,
            "left": self._left,
            "done": self._done,
            "totals": None if totals is None else totals.tolist(),
        }

    def resume(self, position: Mapping[str, Any]) -> None:
        """Go on where a loop over the same rows stood."""
        seed = position["shuffle_seed"]
        self._shuffle_seed = None if seed is None else int(seed)
        self._pass, self._left, self._done = (int(position[key]) for key in ("pass", "left", "done"))
        self._carried = None if position["totals"] is None else np.array(position["totals"])
        self._resumed = self._left > 0

    def run_epoch(self, callbacks: CallbackList) -> dict[str, Any]:
        """Train for one epoch and return its logs.

        After an interrupt or an error in a callback the optimizer knows how many batches were done.
        """
        started = time.perf_counter()
        optimizer = self._model.optimizer
        executor = self._engine.executor
        heard = callbacks.wants_batches("train")
        constrained = self._engine.lowered.constrained_in_python
        single = heard or bool(constrained)
        begun = self._left > 0 and not self._resumed
        # What passes of this epoch before the current one added up, less what the current one had before this epoch.
        if begun:
            self._carried = -executor.totals() if self._carried is None else self._carried - executor.totals()
        logs: dict[str, Any] = {}
        while self._done < self.steps and not (self._done and self._model.stop_training):
            if self._resumed:
                self._begin_rest(executor, optimizer)
            elif self._left == 0:
                if begun:
                    self._carried = self._totals()
                self._begin(executor, optimizer)
            begun = True
            if heard:
                callbacks.on_batch_begin("train", self._done)
                self._engine.bind_weights()
            wanted = 1 if single else min(self.steps - self._done, self._left)
            ran = advance_training(self._engine, optimizer, wanted)
            self._left -= ran
            self._done += ran
            logs = self._objectives.logs(self._totals())
            if heard:
                callbacks.on_batch_end("train", self._done - 1, logs)
            callbacks.on_progress(self._done, logs)
        self._done, self._carried = 0, None
        self._seconds = time.perf_counter() - started
        return logs

    def runs_epochs_at_once(self, callbacks: CallbackList) -> bool:
        """Return whether the engine may go from epoch to epoch by itself: nobody wants to know, and a pass is an epoch.

        It then looks at the clock between epochs, of which the last one was short.
        """
        return (
            callbacks.hears_only_the_ends_of_epochs
            and self._left == 0
            and self.steps == batches_of(self._feeds.rows, self._batch_size)
            and self._seconds < CHUNK_SECONDS / 10
            and not self._model.optimizer.is_scheduled
            and not self._engine.lowered.constrained_in_python
        )

    def run_epochs(self, most: int, finished: Callable[[dict[str, Any]], None]) -> None:
        """Train for at most `most` epochs, as many as fit into a tenth of a second.

        Args:
            most: how many.
            finished: called with the logs of each, after the last one or after an interrupt.
        """
        optimizer, executor = self._model.optimizer, self._engine.executor
        self._begin(executor, optimizer)
        announce_change()
        before = executor.iteration
        try:
            executor.run_passes(most, CHUNK_SECONDS, optimizer.learning_rate)
        finally:
            ran = executor.iteration - before
            optimizer.calls += ran
            totals = executor.pass_totals()
            # What is left of a pass that was interrupted; `_begin` has counted the first one.
            self._done = ran - len(totals) * self.steps
            self._left = self.steps - self._done if self._done else 0
            self._pass += len(totals) - (0 if self._done else 1)
            for each in totals:
                finished(self._objectives.logs(each))

    def _totals(self) -> Array:
        """Return what the batches of the epoch so far added up to."""
        totals = self._engine.executor.totals()
        return totals if self._carried is None else totals + self._carried

    def _begin_rest(self, executor: Executor, optimizer: Optimizer) -> None:
        """Start with the batches that are left of a pass which another process began."""
        self._engine.bind_weights()
        self._engine.bind_optimizer(optimizer)
        first = (batches_of(self._feeds.rows, self._batch_size) - self._left) * self._batch_size
        rows: Any = slice(first, None)
        if self._shuffle_seed is not None:
            rows = row_order(self._feeds.rows, self._shuffle_seed, self._pass - 1)[first:]
        arrays = [np.ascontiguousarray(array[rows]) for array in self._feeds.arrays]
        executor.begin("train", arrays, self._batch_size, iteration=optimizer.calls)
        self._resumed = False

    def _begin(self, executor: Executor, optimizer: Optimizer) -> None:
        """Start a pass over the rows."""
        # Callbacks may have moved the weights into a larger model or changed the optimizer since the last pass.
        self._engine.bind_weights()
        self._engine.bind_optimizer(optimizer)
        executor.begin(
            "train",
            self._feeds.arrays,
            self._batch_size,
            shuffle_seed=self._shuffle_seed,
            epoch=self._pass,
            iteration=optimizer.calls,
        )
        self._pass += 1
        self._left = batches_of(self._feeds.rows, self._batch_size)


def train_batch(engine: Engine, optimizer: Optimizer, feeds: Feeds) -> Array:
    """Train on all rows of `feeds` as one batch, in an engine that has just been lent; return its totals."""
    engine.bind_optimizer(optimizer)
    executor = engine.executor
    executor.begin("train", feeds.arrays, feeds.rows, iteration=optimizer.calls)
    advance_training(engine, optimizer, 1)
    return executor.totals()


def predict_batch(engine: Engine, feeds: Feeds, outputs: Sequence[Array]) -> None:
    """Fill `outputs` with the predictions for all rows of `feeds` as one batch."""
    engine.executor.begin("predict", feeds.arrays, feeds.rows, outputs=outputs)
    engine.executor.advance(1, CHUNK_SECONDS)


def advance_training(engine: Engine, optimizer: Optimizer, wanted: int) -> int:
    """Train on at most `wanted` further batches and return how many ran; the optimizer counts them in any case.

    Constraints that only Python knows follow: whoever has some asks for one batch at a time.
    """
    executor = engine.executor
    announce_change()
    if optimizer.is_scheduled:
        wanted = min(wanted, SCHEDULED_BATCHES)
    # Without a schedule one number stands for all batches.
    rates = optimizer.learning_rates(wanted if optimizer.is_scheduled else 1)
    before = executor.iteration
    try:
        return executor.advance(wanted, CHUNK_SECONDS, rates)
    finally:
        optimizer.calls += executor.iteration - before
        if executor.iteration > before:
            _constrain(engine.lowered.constrained_in_python)


def _constrain(variables: Sequence[Variable]) -> None:
    """Let variables go through their constraints, those that only Python knows."""
    for variable in variables:
        assert variable.constraint is not None
        variable.assign(variable.constraint(variable.numpy()))


def run_evaluation(
    engine: Engine, objectives: Objectives, feeds: Feeds, batch_size: int, callbacks: CallbackList
) -> dict[str, Any]:
    """Return losses and metrics over the rows of `feeds`, in their order."""
    executor = engine.executor
    engine.bind_weights()
    executor.begin("evaluate", feeds.arrays, min(batch_size, feeds.rows))
    callbacks.on_test_begin()
    _run_pass(
        engine,
        "test",
        batches_of(feeds.rows, batch_size),
        callbacks,
        lambda batch: dict(objectives.logs(executor.totals())),
        lambda: objectives.logs(executor.totals()),
    )
    logs = objectives.logs(executor.totals())
    callbacks.on_test_end(logs)
    return logs


def run_prediction(
    engine: Engine, feeds: Feeds, batch_size: int, outputs: Sequence[Array], callbacks: CallbackList
) -> None:
    """Fill `outputs` with the predictions for the rows of `feeds`."""
    engine.executor.begin("predict", feeds.arrays, min(batch_size, feeds.rows), outputs=outputs)
    callbacks.on_predict_begin()

    def batch_logs(batch: int) -> dict[str, Any]:
        rows = slice(batch * batch_size, (batch + 1) * batch_size)
        parts = [output[rows] for output in outputs]
        return {"outputs": parts[0] if len(parts) == 1 else parts}

    _run_pass(engine, "predict", batches_of(feeds.rows, batch_size), callbacks, batch_logs, dict)
    callbacks.on_predict_end()


def _run_pass(
    engine: Engine,
    phase: str,
    batches: int,
    callbacks: CallbackList,
    batch_logs: Callable[[int], dict[str, Any]],
    progress_logs: Callable[[], dict[str, Any]],
) -> None:
    """Run a pass that has begun, with the hooks of `phase` around each batch if a callback has them."""
    single = callbacks.wants_batches(phase)
    done = 0
    while done < batches:
        if single:
            callbacks.on_batch_begin(phase, done)
        done += engine.executor.advance(1 if single else batches - done, CHUNK_SECONDS)
        if single:
            callbacks.on_batch_end(phase, done - 1, batch_logs(done - 1))
        callbacks.on_progress(done, progress_logs())
