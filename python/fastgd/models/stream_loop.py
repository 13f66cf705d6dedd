"""The loops over streams of batches: one call of the engine for each, since only the stream knows the next one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgd.callbacks import CallbackList
from fastgd.models.feeds import Feeds
from fastgd.models.loop import CHUNK_SECONDS, advance_training
from fastgd.models.objectives import Objectives
from fastgd.models.session import Engine
from fastgd.models.streams import Stream

if TYPE_CHECKING:
    from fastgd.models.model import Model

# What makes arrays of x, y and the sample weights of a batch.
ToFeeds = Callable[[Any, Any, Any], Feeds]


class StreamLoop:
    """The epochs of one `fit` over a stream of batches.

    Args:
        model: the model, compiled.
        engine: the executor, bound to weights and optimizer.
        objectives: what the numbers of the executor mean.
        stream: the batches.
        to_feeds: makes their arrays.
    """

    def __init__(self, model: Model, engine: Engine, objectives: Objectives, stream: Stream, to_feeds: ToFeeds) -> None:
        self._model = model
        self._engine = engine
        self._objectives = objectives
        self._stream = stream
        self._to_feeds = to_feeds
        self.steps = stream.steps
        self._done = 0
        self._totals: Any = 0.0

    def position(self) -> dict[str, Any]:
        """Return where the loop stands, as numbers and lists: `resume` of a like loop goes on there."""
        totals = np.asarray(self._totals).tolist() if self._done else None
        return {**self._stream.position(), "done": self._done, "totals": totals}

    def resume(self, position: Mapping[str, Any]) -> None:
        """Go on where a loop over the same stream stood."""
        self._stream.resume(position)
        self._done = int(position["done"])
        self._totals = 0.0 if position["totals"] is None else np.array(position["totals"])

    def run_epoch(self, callbacks: CallbackList) -> dict[str, Any]:
        """Train for one epoch and return its logs; a stream without further batches ends the training."""
        executor, optimizer = self._engine.executor, self._model.optimizer
        single = callbacks.wants_batches("train")
        logs: dict[str, Any] = {}
        for batch in self._stream.epoch(self._done):
            if single:
                callbacks.on_batch_begin("train", self._done)
            feeds = self._to_feeds(*batch)
            # Callbacks may have moved the weights into a larger model or changed the optimizer since the last batch.
            self._engine.bind_weights()
            self._engine.bind_optimizer(optimizer)
            executor.begin("train", feeds.arrays, feeds.rows, iteration=optimizer.calls)
            advance_training(self._engine, optimizer, 1)
            self._totals = self._totals + executor.totals()
            self._done += 1
            logs = self._objectives.logs(self._totals)
            if single:
                callbacks.on_batch_end("train", self._done - 1, logs)
            callbacks.on_progress(self._done, logs)
            if self._model.stop_training:
                break
        else:
            if self._done < (self.steps or 1):
                warn_of_end(self._model, self._done, self.steps)
        self._done, self._totals = 0, 0.0
        return logs


def warn_of_end(model: Model, done: int, steps: int | None) -> None:
    """Warn that a stream has no further batches, and end the training."""
    warnings.warn(
        f"The data ended after {done} of the {steps or 'expected'} batches of this epoch; training stops. "
        "A generator must give `steps_per_epoch * epochs` batches.",
        stacklevel=5,
    )
    model.stop_training = True


def run_stream_evaluation(
    engine: Engine, objectives: Objectives, stream: Stream, to_feeds: ToFeeds, callbacks: CallbackList
) -> dict[str, Any]:
    """Return losses and metrics over the batches of the stream's next epoch."""
    executor = engine.executor
    engine.bind_weights()
    callbacks.on_test_begin()
    totals: Any = 0.0
    logs: dict[str, Any] = {}

    def batch_logs(feeds: Feeds) -> dict[str, Any]:
        nonlocal totals, logs
        executor.begin("evaluate", feeds.arrays, feeds.rows)
        executor.advance(1, CHUNK_SECONDS)
        totals = totals + executor.totals()
        logs = objectives.logs(totals)
        return dict(logs)

    _run_stream("test", stream, to_feeds, callbacks, batch_logs)
    callbacks.on_test_end(logs)
    return logs


def run_stream_prediction(
    engine: Engine,
    stream: Stream,
    to_feeds: ToFeeds,
    new_outputs: Callable[[int], list[Any]],
    callbacks: CallbackList,
) -> list[list[Any]]:
    """Return the outputs of each batch of the stream's next epoch.

    Args:
        engine: the executor.
        stream: the batches.
        to_feeds: makes their arrays.
        new_outputs: makes the arrays for the outputs of so many rows.
        callbacks: the callbacks.
    """
    results: list[list[Any]] = []
    callbacks.on_predict_begin()

    def batch_logs(feeds: Feeds) -> dict[str, Any]:
        results.append(new_outputs(feeds.rows))
        engine.executor.begin("predict", feeds.arrays, feeds.rows, outputs=results[-1])
        engine.executor.advance(1, CHUNK_SECONDS)
        return {"outputs": results[-1][0] if len(results[-1]) == 1 else results[-1]}

    _run_stream("predict", stream, to_feeds, callbacks, batch_logs)
    callbacks.on_predict_end()
    return results


def _run_stream(
    phase: str,
    stream: Stream,
    to_feeds: ToFeeds,
    callbacks: CallbackList,
    batch_logs: Callable[[Feeds], dict[str, Any]],
) -> None:
    """Run the batches of an epoch, with the hooks of `phase` around each."""
    for k, batch in enumerate(stream.epoch()):
        callbacks.on_batch_begin(phase, k)
        logs = batch_logs(to_feeds(*batch))
        callbacks.on_batch_end(phase, k, logs)
        callbacks.on_progress(k + 1, {} if phase == "predict" else logs)
