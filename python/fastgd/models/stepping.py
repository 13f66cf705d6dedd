"""Training and evaluation by steps of one's own: `fit` and `evaluate` of models that override `train_step`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastgd.callbacks import CallbackList
from fastgd.models.arrays import as_array, check_finite
from fastgd.models.loop import batches_of
from fastgd.models.stream_loop import warn_of_end
from fastgd.models.streams import Stream
from fastgd.utils.batches import pack_x_y_sample_weight
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.structure import flatten, pack

if TYPE_CHECKING:
    from fastgd.models.model import Model

Array = npt.NDArray[Any]


class StepData:
    """Data for `train_step` and `test_step`: rows in memory, or a stream of batches.

    Args:
        model: the model.
        data: x, y and the sample weights, None for what is missing; or a Stream.
        batch_size: the samples per batch of rows in memory.
        name: what messages call x.
    """

    def __init__(self, model: Model, data: tuple[Any, Any, Any] | Stream, batch_size: int, name: str = "x") -> None:
        self._model = model
        self._size = batch_size
        self._stream = data if isinstance(data, Stream) else None
        self._parts: tuple[Any, ...] = ()
        self._rows = 0
        if not isinstance(data, Stream):
            self._parts = tuple(_arrays(part, name) for part in data)
            rows = {len(leaf) for part in self._parts for leaf in flatten(part) if leaf is not None}
            if len(rows) != 1:
                raise invalid(f"`{name}` and the arrays that go with it must have equal numbers of rows.", rows=rows)
            self._rows = rows.pop()
        self.steps: int | None = data.steps if isinstance(data, Stream) else batches_of(self._rows, batch_size)

    def split_off(self, share: float) -> tuple[StepData, StepData | None]:
        """Return the rows to train on and the last rows, a share of all, to validate on."""
        if not share:
            return self, None
        kept = int(np.floor(self._rows * (1.0 - share)))
        if self._stream is not None or not 0 < kept < self._rows:
            raise invalid("`validation_split` must leave rows of arrays on both sides.", validation_split=share)
        return self._part(slice(0, kept)), self._part(slice(kept, None))

    def first(self, steps: int | None, name: str) -> StepData:
        """Return the first `steps` batches, all if it is None; a stream knows how many it has."""
        if steps is None or self._stream is not None:
            return self
        return self._part(slice(0, check_int(name, steps, 1) * self._size))

    def train(self, steps: int | None, seed: int | None, first_pass: int) -> StepLoop:
        """Return the loop over epochs of `steps` batches, shuffled by `seed` unless it is None."""
        if self._stream is not None:
            self._stream.shuffle(seed)
            return StepLoop(self._model, StreamSteps(self._stream))
        return StepLoop(self._model, RowSteps(self, steps or batches_of(self._rows, self._size), seed, first_pass))

    def evaluate(self, callbacks: CallbackList) -> dict[str, Any]:
        """Return what `test_step` made of one pass."""
        callbacks.on_test_begin()
        batches = StreamSteps(self._stream).epoch(0) if self._stream is not None else self.rows_in_order(None)
        logs, _ = run_steps(self._model, "test", batches, callbacks)
        callbacks.on_test_end(logs)
        return logs

    def _part(self, rows: slice) -> StepData:
        x, y, weight = (_rows_of(part, rows) for part in self._parts)
        return StepData(self._model, (x, y, weight), self._size)

    def rows_in_order(self, seed: Any, skipped: int = 0) -> Iterator[Any]:
        """Yield the batches of rows in memory, without the first `skipped`, shuffled by a seed unless it is None."""
        order = None if seed is None else np.random.default_rng(seed).permutation(self._rows)
        for start in range(skipped * self._size, self._rows, self._size):
            rows: Any = slice(start, start + self._size)
            rows = rows if order is None else order[rows]
            yield pack_x_y_sample_weight(*(_rows_of(part, rows) for part in self._parts))


class StreamSteps:
    """The epochs of a stream.

    Attributes:
        steps: the batches of an epoch, None if nobody knows.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.steps = stream.steps

    def epoch(self, taken: int) -> Iterator[Any]:
        """Yield the batches of the next epoch without the first `taken`."""
        return (pack_x_y_sample_weight(*batch) for batch in self._stream.epoch(taken))

    def position(self) -> dict[str, Any]:
        """Return how far the data were read."""
        return self._stream.position()

    def resume(self, position: Mapping[str, Any]) -> None:
        """Read on where the data were left."""
        self._stream.resume(position)


class RowSteps:
    """The epochs of rows in memory, each of `steps` batches: passes over the rows go on across epochs.

    Args:
        data: the rows.
        steps: the batches of an epoch.
        seed: the seed of the order of rows, None to keep the order.
        first_pass: the number of the first pass.
    """

    def __init__(self, data: StepData, steps: int, seed: int | None, first_pass: int) -> None:
        self._data = data
        self.steps: int | None = steps
        self._seed = seed
        self._pass, self._taken = first_pass, 0
        self._batches: Iterator[Any] = iter(())

    def epoch(self, taken: int) -> Iterator[Any]:
        """Yield the batches of the next epoch without the first `taken`."""
        for _ in range(taken, self.steps or 0):
            batch = next(self._batches, None)
            if batch is None:
                self._begin()
                batch = next(self._batches)
            self._taken += 1
            yield batch

    def _begin(self, skipped: int = 0) -> None:
        seed = None if self._seed is None else [self._seed, self._pass]
        self._batches = self._data.rows_in_order(seed, skipped)
        self._pass, self._taken = self._pass + 1, skipped

    def position(self) -> dict[str, Any]:
        """Return how far the data were read."""
        return {"shuffle_seed": self._seed, "pass": self._pass, "taken": self._taken}

    def resume(self, position: Mapping[str, Any]) -> None:
        """Read on where the data were left."""
        seed = position["shuffle_seed"]
        self._seed = None if seed is None else int(seed)
        self._pass, taken = int(position["pass"]), int(position["taken"])
        if taken:
            self._pass -= 1
            self._begin(taken)


class StepLoop:
    """The epochs of one `fit` by `train_step`.

    Args:
        model: the model.
        data: gives the batches of each epoch.
    """

    def __init__(self, model: Model, data: StreamSteps | RowSteps) -> None:
        self._model = model
        self._data = data
        self.steps = data.steps
        self._done = 0

    def position(self) -> dict[str, Any]:
        """Return where the loop stands, as numbers; what the metrics have seen is not part of it."""
        return {**self._data.position(), "done": self._done}

    def resume(self, position: Mapping[str, Any]) -> None:
        """Go on where a loop over the same data stood."""
        self._data.resume(position)
        self._done = int(position["done"])

    def run_epoch(self, callbacks: CallbackList) -> dict[str, Any]:
        """Train for one epoch and return the logs of its last step."""
        logs, done = run_steps(self._model, "train", self._counted(), callbacks, self._done)
        self._done = 0
        if done < (self.steps or 1) and not self._model.stop_training:
            warn_of_end(self._model, done, self.steps)
        return logs

    def _counted(self) -> Iterator[Any]:
        for batch in self._data.epoch(self._done):
            self._done += 1
            yield batch


def run_steps(
    model: Model, phase: str, batches: Iterator[Any], callbacks: CallbackList, done: int = 0
) -> tuple[dict[str, Any], int]:
    """Hand each batch to `train_step` or `test_step`; return the logs of the last one, and how many there were.

    Args:
        model: the model.
        phase: "train" or "test".
        batches: the batches.
        callbacks: the callbacks.
        done: how many batches of the epoch were done before.
    """
    step = model.train_step if phase == "train" else model.test_step
    heard = callbacks.wants_batches(phase)
    model.reset_metrics()
    logs: dict[str, Any] = {}
    for batch in batches:
        if heard:
            callbacks.on_batch_begin(phase, done)
        logs = _as_logs(step(batch), f"{phase}_step")
        done += 1
        if heard:
            callbacks.on_batch_end(phase, done - 1, dict(logs))
        callbacks.on_progress(done, logs)
        if phase == "train" and model.stop_training:
            break
    return logs, done


def _as_logs(logs: Any, name: str) -> dict[str, Any]:
    """Return the logs of a step with numbers as floats."""
    if not isinstance(logs, Mapping):
        raise mistyped(f"`{name}` must return a dict of numbers by their names.", **{name: type(logs)})
    values = {str(key): np.asarray(value) for key, value in logs.items()}
    return {key: value.item() if value.ndim == 0 else value for key, value in values.items()}


def _arrays(structure: Any, name: str) -> Any:
    """Return a structure of arrays for one of anything like arrays; None stays."""
    if structure is None:
        return None
    leaves = flatten(structure)
    if isinstance(structure, (list, tuple)) and not any(hasattr(leaf, "shape") for leaf in leaves):
        structure, leaves = 0, [structure]
    arrays = [as_array(leaf, name) for leaf in leaves]
    for array in arrays:
        check_finite(array, name)
    return pack(structure, arrays)


def _rows_of(structure: Any, rows: Any) -> Any:
    return None if structure is None else pack(structure, [leaf[rows] for leaf in flatten(structure)])
