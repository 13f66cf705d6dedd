"""What a compiled model can do with data: fit, evaluate, predict, and the same on single batches."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import Any, cast

import numpy.typing as npt

from fastgd.callbacks import CallbackList, History
from fastgd.callbacks.progbar_logger import resolve_verbose
from fastgd.models.class_weight import check_class_weight, weights_of_classes
from fastgd.models.data import (
    BATCH_SIZE,
    ArrayData,
    Data,
    Loop,
    StreamData,
    make_feeds,
    new_outputs,
    refuse_beside_stream,
)
from fastgd.models.feeds import input_feeds
from fastgd.models.fitting import report, split_off, unpack_validation, validation_epochs
from fastgd.models.gradients import loss_and_gradient, read_flat, without_constraints, write_flat
from fastgd.models.loop import TrainingLoop, predict_batch, train_batch
from fastgd.models.lowering import lower_prediction
from fastgd.models.objectives import Objectives
from fastgd.models.session import Engine
from fastgd.models.stepping import StepData, StepLoop
from fastgd.models.steps import Steps
from fastgd.models.streams import Stream, is_stream
from fastgd.utils.batches import unpack_x_y_sample_weight
from fastgd.utils.checks import check_bool, check_int, check_real
from fastgd.utils.errors import invalid
from fastgd.utils.seeds import draw_seed
from fastgd.utils.structure import pack

Array = npt.NDArray[Any]


class Trainer(Steps):
    """The part of a model that deals with data.

    Attributes:
        stop_training: set to True by a callback, it ends `fit` after the current batch or stretch of batches.
        history: the History of the last `fit`.
    """

    stop_training: bool
    history: History | None

    def _init_trainer(self) -> None:
        self._init_steps()
        self.stop_training = False
        self.history = None
        self._training_data: ArrayData | None = None
        self._loop: Loop | StepLoop | None = None
        self._resumed_at: tuple[int, Mapping[str, Any]] | None = None

    def training_position(self) -> dict[str, Any]:
        """Return where the running `fit` stands in its data, as numbers and lists; for callbacks.

        Raises:
            ValueError: outside `fit`.
        """
        if self._loop is None:
            raise ValueError(f"The model {self._model.name!r} is not training.")
        return self._loop.position()

    def resume_training(self, epoch: int, position: Mapping[str, Any]) -> None:
        """Let the running `fit` go on from an epoch, counted from 0, and a position; for `on_train_begin` of callbacks.

        Args:
            epoch: the epoch.
            position: what `training_position` returned in a `fit` over the same data.
        """
        self._resumed_at = epoch, position

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> History:
        """Train for some epochs.

        Args:
            x: an array (n, ...) of any number type or a data frame; for several inputs a list, or a dict by their
                names. Or data in batches: a `utils.PyDataset`, a generator or anything else that can be iterated over
                and gives (x,), (x, y) or (x, y, sample_weight); then the next two and the weights are not given.
            y: targets (n, ...); for several outputs a list or a dict.
            batch_size: the samples per update, 32 if None; the last batch of an epoch may be smaller.
            epochs: the number of the last epoch, counted from `initial_epoch`.
            verbose: 0 silent, 1 a live line per epoch, 2 a line per epoch; "auto" is 1 on terminals, else 2.
            callbacks: a list of callbacks.
            validation_split: the share of the last rows, taken before shuffling, to validate on.
            validation_data: a tuple (x, y) or (x, y, sample_weight), or data in batches, to validate on instead.
            shuffle: whether every epoch goes through the rows, or the batches of a PyDataset, in another order.
            class_weight: a dict from classes to the weights of their samples, 1 for those it leaves out.
            sample_weight: weights (n,) by which the losses of the samples are multiplied.
            initial_epoch: the epoch to begin with, from 0.
            steps_per_epoch: the batches that make an epoch; passes over the rows then go on across epochs.
            validation_steps: the batches to validate on, all if None.
            validation_batch_size: the samples per batch of validation, `batch_size` if None.
            validation_freq: validate every so many epochs, or in the epochs of this list, counted from 1.

        Returns:
            The History.

        Raises:
            ValueError: for data that do not fit the model, hold NaN, or labels out of range, and for wrong arguments.
            TypeError: for data that are no numbers, and for arguments of a wrong type.
            KeyboardInterrupt: on Ctrl-C; the model remains usable.
        """
        level = resolve_verbose(verbose)
        test_size = batch_size if validation_batch_size is None else validation_batch_size
        epochs, first = check_int("epochs", epochs, 1), check_int("initial_epoch", initial_epoch, 0)
        steps = None if steps_per_epoch is None else check_int("steps_per_epoch", steps_per_epoch, 1)
        is_validated = validation_epochs(validation_freq)
        seed = draw_seed() if check_bool("shuffle", shuffle) else None
        data, objectives = self._data("fit", x, y, sample_weight, batch_size, class_weight, steps)
        validation: Data | StepData | None = None
        if validation_data is not None:
            validation = self._validation_data(objectives, validation_data, test_size, validation_steps)
        elif isinstance(data, StepData):
            data, validation = data.split_off(check_real("validation_split", validation_split, 0.0))
        elif isinstance(data, ArrayData):
            kept, rest = split_off(data.feeds, validation_split)
            data = ArrayData(self._model, kept, data.batch_size)
            if rest is not None:
                size = check_int("validation_batch_size", test_size or BATCH_SIZE, 1)
                validation = ArrayData(self._model, rest, size).first(validation_steps, "validation_steps")
        elif validation_split:
            raise invalid("`validation_split` needs arrays; give `validation_data`.", validation_split=validation_split)
        with nullcontext() if isinstance(data, StepData) else self._engine("train", data) as engine:
            loop: Loop | StepLoop
            if isinstance(data, StepData):
                loop = data.train(steps, seed, first)
            else:
                assert engine is not None and objectives is not None
                engine.bind_optimizer(self.optimizer)
                loop = data.train(engine, objectives, steps, seed, first)
            listeners = CallbackList(
                callbacks, True, level > 0, self._model, verbose=level, epochs=epochs, steps=loop.steps
            )
            history = cast(History, listeners.history)
            self.stop_training = False
            self._training_data = data if isinstance(data, ArrayData) else None
            self._loop, self._resumed_at = loop, None
            with closing(listeners), self._forgetting_data():
                listeners.on_train_begin()
                first = self._resume(loop, engine, () if isinstance(data, StepData) else data.weighted, first)
                logs: dict[str, Any] = {}
                epoch = first

                def end_epoch(of_epoch: dict[str, Any]) -> None:
                    nonlocal epoch, logs
                    logs = of_epoch
                    listeners.on_epoch_end(epoch, logs)
                    epoch += 1

                while epoch < epochs and not (epoch > first and self.stop_training):
                    if validation is None and isinstance(loop, TrainingLoop) and loop.runs_epochs_at_once(listeners):
                        loop.run_epochs(epochs - epoch, end_epoch)
                        continue
                    listeners.on_epoch_begin(epoch)
                    results = loop.run_epoch(listeners)
                    if validation is not None and is_validated(epoch):
                        test_logs = self._test(validation, objectives, listeners)
                        results.update({f"val_{name}": value for name, value in test_logs.items()})
                    end_epoch(results)
                if engine is not None:
                    self.optimizer.finalize_variable_values(engine.lowered.trained)
                listeners.on_train_end(logs)
        self.history = history
        return history

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Return the loss and the metrics on data; the arguments are those of `fit`.

        Args:
            x: as in `fit`.
            y: as in `fit`.
            batch_size: the samples per batch, 32 if None.
            verbose: as in `fit`.
            sample_weight: as in `fit`.
            steps: the batches to run, all if None.
            callbacks: as in `fit`.
            return_dict: whether to return a dict by names.

        Returns:
            The loss if there is nothing else, or a list: the loss, the losses of several outputs, then the metrics.
        """
        level = resolve_verbose(verbose)
        data, objectives = self._data("evaluate", x, y, sample_weight, batch_size, steps=steps)
        if isinstance(data, (ArrayData, StepData)):
            data = data.first(steps, "steps")
        listeners = CallbackList(callbacks, False, level > 0, self._model, verbose=level, epochs=1, steps=data.steps)
        with closing(listeners):
            logs = self._test(data, objectives, listeners)
            return report(logs, [*logs] if objectives is None else objectives.names, return_dict)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Return the outputs for data.

        Args:
            x: as in `fit`.
            batch_size: the samples per batch, 32 if None.
            verbose: as in `fit`.
            steps: the batches to run, all if None.
            callbacks: as in `fit`.

        Returns:
            An array (n, ...) in the dtype of the model; for several outputs a structure like that of the outputs.

        Raises:
            ValueError: if the model is not built, or for data that do not fit it or hold NaN.
        """
        level = resolve_verbose(verbose)
        data: Data
        if is_stream(x):
            refuse_beside_stream(batch_size=batch_size)
            data = StreamData(self._model, Stream(x, steps))
        else:
            size = check_int("batch_size", BATCH_SIZE if batch_size is None else batch_size, 1)
            data = ArrayData(self._model, input_feeds(self._model, x), size).first(steps, "steps")
        listeners = CallbackList(callbacks, False, level > 0, self._model, verbose=level, epochs=1, steps=data.steps)
        with closing(listeners):
            return self._predict(data, listeners)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """Do one update with all rows of x as one batch, and return loss and metrics before it, as `evaluate` does."""
        data, objectives = self._batch("train_on_batch", x, y, sample_weight, class_weight)
        with self._engine("train", data) as engine:
            totals = train_batch(engine, self.optimizer, data.feeds)
            return report(objectives.logs(totals), objectives.names, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Return loss and metrics of all rows of x as one batch, as `evaluate` does."""
        data, objectives = self._batch("test_on_batch", x, y, sample_weight)
        return report(self._test(data, objectives, CallbackList()), objectives.names, return_dict)

    def loss_and_gradient(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, batch_size: int | None = None
    ) -> tuple[float, Array]:
        """Return the loss over all rows of x and its gradient by the trained weights; nothing is changed.

        The weights are those of `flat_parameters`, and so is their order. Layers work as in training: the masks of
        dropout are those of the optimizer's next step, the same in every call until it moves.

        Args:
            x: as in `fit`, but not batches.
            y: as in `fit`.
            sample_weight: as in `fit`.
            class_weight: as in `fit`.
            batch_size: how many rows to run at a time, which saves memory; all if None. The loss is then the mean over
                the batches, weighted by their rows.

        Returns:
            The loss, penalties included, as `evaluate` reports it; and a vector in the dtype of the model.

        Example:
            >>> def objective(w):
            ...     model.flat_parameters = w
            ...     return model.loss_and_gradient(x, y)
            >>> scipy.optimize.minimize(objective, model.flat_parameters, jac=True, method="L-BFGS-B")
        """
        data, objectives = self._batch("loss_and_gradient", x, y, sample_weight, class_weight)
        if batch_size is not None:
            data = ArrayData(self._model, data.feeds, check_int("batch_size", batch_size, 1))
        with self._gradient_engine(data) as engine:
            return loss_and_gradient(self._model, engine, objectives, data)

    def training_loss_and_gradient(self) -> tuple[float, Array]:
        """Return what `loss_and_gradient` does for the rows that the running `fit` trains on; for callbacks.

        Raises:
            ValueError: outside `fit`, or if it trains on data in batches.
        """
        data = self._training_data
        if data is None:
            raise ValueError(
                f"The model {self._model.name!r} is not training on rows in memory, so there is no gradient over all."
            )
        objectives = self._ready("training_loss_and_gradient")
        with self._gradient_engine(data) as engine:
            return loss_and_gradient(self._model, engine, objectives, data)

    @property
    def flat_parameters(self) -> Array:
        """The trained weights, one after the other, as a new vector; a vector assigned to it overwrites them."""
        return read_flat(self._trained_variables(), self._model.dtype)

    @flat_parameters.setter
    def flat_parameters(self, values: npt.ArrayLike) -> None:
        write_flat(self._trained_variables(), values)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for all rows of x as one batch."""
        model = self._model
        feeds = input_feeds(model, x)
        with self._prediction_engine() as engine:
            outputs = new_outputs(model, feeds.rows)
            predict_batch(engine, feeds, outputs)
            return pack(model.graph.outputs, outputs)

    def _resume(self, loop: Loop | StepLoop, engine: Engine | None, weighted: Collection[int], first: int) -> int:
        """Let a loop go on where a callback has said, if one has; return the epoch to begin with."""
        if self._resumed_at is None:
            return first
        epoch, position = self._resumed_at
        if engine is not None:
            # The plan holds the seeds of layers, which are now those of the training that goes on.
            engine.renew(self._lower(weighted))
            engine.bind_optimizer(self.optimizer)
        loop.resume(position)
        return epoch

    @contextmanager
    def _forgetting_data(self) -> Iterator[None]:
        """Let go of the data of a `fit` when it ends."""
        try:
            yield
        finally:
            self._training_data = self._loop = self._resumed_at = None

    def _data(
        self,
        what: str,
        x: Any,
        y: Any,
        sample_weight: Any,
        batch_size: int | None,
        class_weight: Any = None,
        steps: int | None = None,
    ) -> tuple[Data | StepData, Objectives | None]:
        """Return the data of a run, and the objectives of the model, which is built for them if it waits for that.

        A step of one's own has no objectives.
        """
        if self.overrides("train_step" if what == "fit" else "test_step"):
            self._require_compiled(what)
            return self._step_data(x, y, sample_weight, batch_size, class_weight, steps), None
        if not is_stream(x):
            size = check_int("batch_size", BATCH_SIZE if batch_size is None else batch_size, 1)
            objectives = self._ready(what, x if what == "fit" else None)
            weights = self._class_weight(class_weight, objectives)
            feeds = make_feeds(self._model, objectives, x, y, sample_weight, weights)
            return ArrayData(self._model, feeds, size), objectives
        refuse_beside_stream(y=y, sample_weight=sample_weight, batch_size=batch_size)
        self._require_compiled(what)
        stream = Stream(x, steps)
        objectives = self._ready(what, stream.first[0] if what == "fit" else None)
        return StreamData(self._model, stream, objectives, self._class_weight(class_weight, objectives)), objectives

    def _step_data(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        batch_size: int | None,
        class_weight: Any = None,
        steps: int | None = None,
        name: str = "x",
    ) -> StepData:
        if is_stream(x):
            refuse_beside_stream(y=y, sample_weight=sample_weight, batch_size=batch_size, class_weight=class_weight)
            return StepData(self._model, Stream(x, steps, name), 1, name)
        size = check_int("batch_size", BATCH_SIZE if batch_size is None else batch_size, 1)
        if class_weight is not None:
            sample_weight = weights_of_classes(check_class_weight(class_weight, 1), y, "y")
        return StepData(self._model, (x, y, sample_weight), size, name)

    def _validation_data(
        self, objectives: Objectives | None, validation_data: Any, batch_size: int | None, steps: int | None
    ) -> Data | StepData:
        if self.overrides("test_step"):
            alone = is_stream(validation_data) or not isinstance(validation_data, (tuple, list))
            x, y, weight = (validation_data, None, None) if alone else unpack_x_y_sample_weight(validation_data)
            size = None if is_stream(validation_data) else batch_size
            return self._step_data(x, y, weight, size, None, steps, "validation_data").first(steps, "validation_steps")
        if objectives is None:
            objectives = self._ready("evaluate", None)
        if is_stream(validation_data):
            count = None if steps is None else check_int("validation_steps", steps, 1)
            return StreamData(self._model, Stream(validation_data, count, "validation_data"), objectives)
        size = check_int("validation_batch_size", BATCH_SIZE if batch_size is None else batch_size, 1)
        names = ("validation x", "validation y", "validation sample_weight")
        feeds = make_feeds(self._model, objectives, *unpack_validation(validation_data), None, names)
        return ArrayData(self._model, feeds, size).first(steps, "validation_steps")

    def _batch(
        self, what: str, x: Any, y: Any, sample_weight: Any, class_weight: Any = None
    ) -> tuple[ArrayData, Objectives]:
        """Return all rows of x as one batch."""
        objectives = self._ready(what, None if what == "test_on_batch" else x)
        weights = self._class_weight(class_weight, objectives)
        feeds = make_feeds(self._model, objectives, x, y, sample_weight, weights)
        return ArrayData(self._model, feeds, feeds.rows), objectives

    @staticmethod
    def _class_weight(class_weight: Any, objectives: Objectives) -> dict[int, float] | None:
        return None if class_weight is None else check_class_weight(class_weight, len(objectives.outputs))

    def _predict(self, data: Data, listeners: CallbackList) -> Any:
        with self._prediction_engine() as engine:
            return pack(self._model.graph.outputs, data.predict(engine, listeners))

    def _prediction_engine(self) -> AbstractContextManager[Engine]:
        return self._session.engine(("predict",), lambda: lower_prediction(self._model))

    def _engine(self, role: str, data: Data) -> AbstractContextManager[Engine]:
        return self._session.engine((role, data.weighted), lambda: self._lower(data.weighted))

    def _gradient_engine(self, data: Data) -> AbstractContextManager[Engine]:
        return self._session.engine(
            ("gradient", data.weighted), lambda: without_constraints(self._lower(data.weighted))
        )

    def _test(self, data: Data | StepData, objectives: Objectives | None, listeners: CallbackList) -> dict[str, Any]:
        if isinstance(data, StepData):
            return data.evaluate(listeners)
        objectives = objectives or self._ready("evaluate")
        with self._engine("evaluate", data) as engine:
            return data.evaluate(engine, objectives, listeners)
