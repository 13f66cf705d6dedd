"""What `fit`, `evaluate` and `predict` run over: rows in memory or a stream of batches, behind one face."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from fastgd.callbacks import CallbackList
from fastgd.models.class_weight import weights_of_classes
from fastgd.models.feeds import Feeds, all_feeds, input_feeds
from fastgd.models.loop import TrainingLoop, batches_of, run_evaluation, run_prediction
from fastgd.models.objectives import Objectives
from fastgd.models.session import Engine
from fastgd.models.stream_loop import StreamLoop, run_stream_evaluation, run_stream_prediction
from fastgd.models.streams import Stream
from fastgd.plan import resolve_shape
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid

if TYPE_CHECKING:
    from fastgd.models.model import Model

Array = npt.NDArray[Any]

BATCH_SIZE = 32


class Loop(Protocol):
    """The epochs of one `fit`."""

    @property
    def steps(self) -> int | None:
        """The batches of an epoch, None if nobody knows."""

    def run_epoch(self, callbacks: CallbackList) -> dict[str, Any]:
        """Train for one epoch and return its logs."""

    def position(self) -> dict[str, Any]:
        """Return where the loop stands, as numbers and lists: `resume` of a like loop goes on there."""

    def resume(self, position: Mapping[str, Any]) -> None:
        """Go on where a loop over the same data stood."""


class Data(Protocol):
    """Inputs, and but for a prediction targets and weights too.

    Attributes:
        weighted: the outputs, by their place, that have sample weights.
        steps: the batches of one pass, None if nobody knows.
    """

    weighted: frozenset[int]
    steps: int | None

    def train(
        self, engine: Engine, objectives: Objectives, steps: int | None, seed: int | None, first_pass: int
    ) -> Loop:
        """Return the loop over epochs of `steps` batches, shuffled by `seed` unless it is None."""

    def evaluate(self, engine: Engine, objectives: Objectives, callbacks: CallbackList) -> dict[str, Any]:
        """Return losses and metrics over one pass."""

    def predict(self, engine: Engine, callbacks: CallbackList) -> list[Array]:
        """Return the outputs over one pass."""


class ArrayData:
    """Rows in memory, cut into batches of `batch_size`."""

    def __init__(self, model: Model, feeds: Feeds, batch_size: int) -> None:
        self._model = model
        self.feeds = feeds
        self.batch_size = batch_size
        self.weighted = feeds.weighted
        self.steps: int | None = batches_of(feeds.rows, batch_size)

    def first(self, steps: int | None, name: str) -> ArrayData:
        """Return the first `steps` batches, all if it is None."""
        if steps is None:
            return self
        rows = check_int(name, steps, 1) * self.batch_size
        return ArrayData(self._model, self.feeds.part(0, rows), self.batch_size)

    def train(
        self, engine: Engine, objectives: Objectives, steps: int | None, seed: int | None, first_pass: int
    ) -> TrainingLoop:
        """Return the loop over epochs of `steps` batches."""
        return TrainingLoop(self._model, engine, objectives, self.feeds, self.batch_size, steps, seed, first_pass)

    def evaluate(self, engine: Engine, objectives: Objectives, callbacks: CallbackList) -> dict[str, Any]:
        """Return losses and metrics over all rows."""
        return run_evaluation(engine, objectives, self.feeds, self.batch_size, callbacks)

    def predict(self, engine: Engine, callbacks: CallbackList) -> list[Array]:
        """Return the outputs for all rows."""
        outputs = new_outputs(self._model, self.feeds.rows)
        run_prediction(engine, self.feeds, self.batch_size, outputs, callbacks)
        return outputs


class StreamData:
    """A stream of batches; its first one settles which outputs have sample weights."""

    def __init__(
        self,
        model: Model,
        stream: Stream,
        objectives: Objectives | None = None,
        class_weight: Mapping[int, float] | None = None,
    ) -> None:
        self._model = model
        self._stream = stream
        self._objectives = objectives
        self._class_weight = class_weight
        self.steps = stream.steps
        self.weighted: frozenset[int] = self._make_feeds(*stream.first).weighted

    def train(
        self, engine: Engine, objectives: Objectives, steps: int | None, seed: int | None, first_pass: int
    ) -> StreamLoop:
        """Return the loop over epochs; the stream was told how many batches they have."""
        self._stream.shuffle(seed)
        return StreamLoop(self._model, engine, objectives, self._stream, self._to_feeds)

    def evaluate(self, engine: Engine, objectives: Objectives, callbacks: CallbackList) -> dict[str, Any]:
        """Return losses and metrics over one pass of the stream."""
        return run_stream_evaluation(engine, objectives, self._stream, self._to_feeds, callbacks)

    def predict(self, engine: Engine, callbacks: CallbackList) -> list[Array]:
        """Return the outputs over one pass of the stream."""
        parts = run_stream_prediction(
            engine, self._stream, self._to_feeds, lambda rows: new_outputs(self._model, rows), callbacks
        )
        return [np.concatenate(batches) for batches in zip(*parts, strict=True)]

    def _to_feeds(self, x: Any, y: Any, sample_weight: Any) -> Feeds:
        feeds = self._make_feeds(x, y, sample_weight)
        if feeds.weighted != self.weighted:
            raise invalid("Either all batches have sample weights or none.", sample_weight=sample_weight)
        return feeds

    def _make_feeds(self, x: Any, y: Any, sample_weight: Any) -> Feeds:
        if self._objectives is None:
            return input_feeds(self._model, x)
        return make_feeds(self._model, self._objectives, x, y, sample_weight, self._class_weight)


def make_feeds(
    model: Model,
    objectives: Objectives,
    x: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Mapping[int, float] | None = None,
    names: tuple[str, str, str] = ("x", "y", "sample_weight"),
) -> Feeds:
    """Return the arrays of rows with their targets and weights; `class_weight` gives the weights if it is not None.

    Raises:
        ValueError: if there are sample weights and class weights, or if data do not fit the model.
    """
    if class_weight is not None:
        if sample_weight is not None:
            raise invalid("Give either `class_weight` or `sample_weight`.", class_weight=dict(class_weight))
        sample_weight = weights_of_classes(class_weight, y, names[1])
    return all_feeds(model, objectives, x, y, sample_weight, names)


def refuse_beside_stream(**arguments: Any) -> None:
    """Raise a ValueError for the first argument that is not None: the stream itself says what it would."""
    for name, value in arguments.items():
        if value is not None:
            raise invalid(f"`{name}` must not be given where `x` gives batches, which hold it.", **{name: value})


def new_outputs(model: Model, rows: int) -> list[Array]:
    """Return an array for each output of `rows` samples, not filled."""
    return [np.empty(resolve_shape(y.dims, rows), y.plan_dtype or model.dtype) for y in model.outputs]
