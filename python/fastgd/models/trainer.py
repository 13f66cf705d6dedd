"""What a compiled model can do with data: fit, evaluate, predict, and the same on single batches."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing
from typing import Any, cast

import numpy as np

from fastgd.callbacks import CallbackList, History
from fastgd.callbacks.progbar_logger import resolve_verbose
from fastgd.models.compiling import Compilable
from fastgd.models.feeds import Feeds, all_feeds, input_feeds
from fastgd.models.fitting import report, split_off, unpack_validation, validation_epochs
from fastgd.models.loop import TrainingLoop, batches_of, run_evaluation, run_prediction
from fastgd.models.lowering import lower_prediction
from fastgd.models.objectives import Objectives
from fastgd.models.session import Engine
from fastgd.plan import resolve_shape
from fastgd.utils.checks import check_bool, check_int
from fastgd.utils.seeds import draw_seed
from fastgd.utils.structure import pack

BATCH_SIZE = 32


class Trainer(Compilable):
    """The part of a model that deals with data.

    Attributes:
        stop_training: set to True by a callback, it ends `fit` after the current batch or stretch of batches.
        history: the History of the last `fit`.
    """

    stop_training: bool
    history: History | None

    def _init_trainer(self) -> None:
        self._init_compiling()
        self.stop_training = False
        self.history = None

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
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
    ) -> History:
        """Train for some epochs.

        Args:
            x: an array (n, ...) of any number type; for several inputs a list, or a dict by their names.
            y: targets (n, ...); for several outputs a list or a dict.
            batch_size: the samples per update, 32 if None; the last batch of an epoch may be smaller.
            epochs: the number of the last epoch, counted from `initial_epoch`.
            verbose: 0 silent, 1 a live line per epoch, 2 a line per epoch; "auto" is 1 on terminals, else 2.
            callbacks: a list of callbacks.
            validation_split: the share of the last rows, taken before shuffling, to validate on.
            validation_data: a tuple (x, y) or (x, y, sample_weight) to validate on instead.
            shuffle: whether every epoch goes through the rows in another order.
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
        model, level = self._model, resolve_verbose(verbose)
        size = check_int("batch_size", BATCH_SIZE if batch_size is None else batch_size, 1)
        test_size = check_int(
            "validation_batch_size", size if validation_batch_size is None else validation_batch_size, 1
        )
        epochs, first = check_int("epochs", epochs, 1), check_int("initial_epoch", initial_epoch, 0)
        steps = None if steps_per_epoch is None else check_int("steps_per_epoch", steps_per_epoch, 1)
        is_validated = validation_epochs(validation_freq)
        seed = draw_seed() if check_bool("shuffle", shuffle) else None
        objectives = self._ready("fit", x)
        feeds = all_feeds(model, objectives, x, y, sample_weight, ("x", "y", "sample_weight"))
        if validation_data is not None:
            names = ("validation x", "validation y", "validation sample_weight")
            validation: Feeds | None = all_feeds(model, objectives, *unpack_validation(validation_data), names)
        else:
            feeds, validation = split_off(feeds, validation_split)
        validation = _first_batches(validation, validation_steps, test_size, "validation_steps")
        with self._engine("train", feeds) as engine:
            engine.bind_optimizer(self.optimizer)
            loop = TrainingLoop(model, engine, objectives, feeds, size, steps, seed, first)
            listeners = CallbackList(callbacks, True, level > 0, model, verbose=level, epochs=epochs, steps=loop.steps)
            history = cast(History, listeners.history)
            self.stop_training = False
            with closing(listeners):
                listeners.on_train_begin()
                logs: dict[str, float] = {}
                for epoch in range(first, epochs):
                    listeners.on_epoch_begin(epoch)
                    logs = loop.run_epoch(listeners)
                    if validation is not None and is_validated(epoch):
                        test_logs = self._test(validation, objectives, test_size, listeners)
                        logs.update({f"val_{name}": value for name, value in test_logs.items()})
                    listeners.on_epoch_end(epoch, logs)
                    if self.stop_training:
                        break
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
        size = check_int("batch_size", BATCH_SIZE if batch_size is None else batch_size, 1)
        objectives = self._ready("evaluate")
        feeds = all_feeds(self._model, objectives, x, y, sample_weight, ("x", "y", "sample_weight"))
        feeds = _first_batches(feeds, steps, size, "steps") or feeds
        count = batches_of(feeds.rows, size)
        listeners = CallbackList(callbacks, False, level > 0, self._model, verbose=level, epochs=1, steps=count)
        with closing(listeners):
            return report(self._test(feeds, objectives, size, listeners), objectives.names, return_dict)

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
        size = check_int("batch_size", BATCH_SIZE if batch_size is None else batch_size, 1)
        feeds = input_feeds(self._model, x)
        feeds = _first_batches(feeds, steps, size, "steps") or feeds
        count = batches_of(feeds.rows, size)
        listeners = CallbackList(callbacks, False, level > 0, self._model, verbose=level, epochs=1, steps=count)
        with closing(listeners):
            return self._predict(feeds, size, listeners)

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Do one update with all rows of x as one batch, and return loss and metrics before it, as `evaluate` does."""
        objectives = self._ready("train_on_batch", x)
        feeds = all_feeds(self._model, objectives, x, y, sample_weight, ("x", "y", "sample_weight"))
        with self._engine("train", feeds) as engine:
            loop = TrainingLoop(self._model, engine, objectives, feeds, feeds.rows, None, None)
            return report(loop.run_epoch(CallbackList()), objectives.names, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Return loss and metrics of all rows of x as one batch, as `evaluate` does."""
        objectives = self._ready("test_on_batch")
        feeds = all_feeds(self._model, objectives, x, y, sample_weight, ("x", "y", "sample_weight"))
        return report(self._test(feeds, objectives, feeds.rows, CallbackList()), objectives.names, return_dict)

    def predict_on_batch(self, x: Any) -> Any:
        """Return the outputs for all rows of x as one batch."""
        feeds = input_feeds(self._model, x)
        return self._predict(feeds, feeds.rows, CallbackList())

    def _predict(self, feeds: Feeds, size: int, listeners: CallbackList) -> Any:
        model = self._model
        outputs = [np.empty(resolve_shape(y.dims, feeds.rows), y.plan_dtype or model.dtype) for y in model.outputs]
        with self._session.engine(("predict",), lambda: lower_prediction(model)) as engine:
            run_prediction(engine, feeds, size, outputs, listeners)
        return pack(model.graph.outputs, outputs)

    def _engine(self, role: str, feeds: Feeds) -> AbstractContextManager[Engine]:
        return self._session.engine((role, feeds.weighted), lambda: self._lower(feeds.weighted))

    def _test(self, feeds: Feeds, objectives: Objectives, size: int, listeners: CallbackList) -> dict[str, float]:
        with self._engine("evaluate", feeds) as engine:
            return run_evaluation(engine, objectives, feeds, size, listeners)


def _first_batches(feeds: Feeds | None, steps: int | None, batch_size: int, name: str) -> Feeds | None:
    """Return the rows of the first `steps` batches, all if it is None."""
    if feeds is None or steps is None:
        return feeds
    return feeds.part(0, check_int(name, steps, 1) * batch_size)
