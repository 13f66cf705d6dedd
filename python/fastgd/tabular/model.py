"""A model of a table: its preprocessing, its target, and the averaged networks, trained, applied and kept together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgd.callbacks import Callback
from fastgd.datasets.split import shuffled_holdout, stratified_holdout
from fastgd.models import Model
from fastgd.tabular import files
from fastgd.tabular.cells import Frame
from fastgd.tabular.network import (
    NetworkSettings,
    Run,
    balanced_weights,
    build,
    spread_classes,
    train_networks,
)
from fastgd.tabular.preprocessor import TablePreprocessor, column_names, require_column
from fastgd.tabular.scores import score
from fastgd.tabular.targets import TASKS, ClassTarget, Target, fit_target
from fastgd.utils.errors import invalid
from fastgd.utils.seeds import set_random_seed

Array = NDArray[Any]


class TabularModel:
    """Predicts one column of a table from the others with the average of several small networks.

    Each network holds out other rows and stops when the loss on them no longer falls, with its best weights.

    Args:
        settings: the networks and their training.
        task: "classify", "regress", or "auto": classes of texts, of two values and of at most ten whole numbers.
        log_target: whether to learn the logarithm of the target, for numbers above 0 that differ by factors.
        class_weight: "balanced" gives each class the same weight in all, None each row.
        drop: columns to leave out.
        categories: columns whose numbers are names of categories.
        seed: that of everything random; `fit` sets it for the whole process, as `fastgd.utils.set_random_seed` does.

    Attributes:
        preprocessor: what is done to the columns.
        target: what the networks tell.
        network: the average of the networks, a model like any other.
        runs: what became of each network.

    Raises:
        ValueError: if an argument has no such value.

    Example:
        >>> model = fastgd.tabular.TabularModel(log_target=True).fit(frame, "SalePrice")
        >>> model.save("prices.keras")
        >>> fastgd.tabular.TabularModel.load("prices.keras").predict(new_rows)
    """

    def __init__(
        self,
        settings: NetworkSettings | None = None,
        task: str = "auto",
        log_target: bool = False,
        class_weight: str | None = None,
        drop: Iterable[str] = (),
        categories: Iterable[str] = (),
        seed: int = 0,
    ) -> None:
        if task not in TASKS:
            raise invalid(f"`task` must be one of {', '.join(TASKS)}.", task=task)
        if class_weight not in (None, "balanced"):
            raise invalid("`class_weight` must be 'balanced' or None.", class_weight=class_weight)
        self.settings = settings or NetworkSettings()
        self.task = task
        self.log_target = log_target
        self.class_weight = class_weight
        self.seed = seed
        self.preprocessor = TablePreprocessor(drop, categories)
        self.target: Target | None = None
        self.network: Model | None = None
        self.runs: list[Run] = []

    @property
    def fitted_target(self) -> Target:
        """The target.

        Raises:
            ValueError: if nothing was fitted.
        """
        if self.target is None:
            raise ValueError("The model is not fitted yet; call fit first")
        return self.target

    def prepare(self, frame: Frame, target: str) -> tuple[Array, Array]:
        """Fit the preprocessing and the target to a table and return its features and encoded target.

        `fit` does so by itself; this is its first half, for looking at what a table becomes, or for another model.

        Raises:
            TypeError: if `frame` is no data frame of pandas.
            ValueError: if the table cannot be learnt from; the message says why.
        """
        require_column(column_names(frame), target)
        if target in self.preprocessor.drop:
            raise ValueError(f"The target {target!r} cannot be dropped")
        self.target = fit_target(target, frame[target], self.task, self.log_target)
        if self.class_weight is not None and not isinstance(self.target, ClassTarget):
            raise ValueError("Weights of classes are for targets with classes; this one has numbers")
        self.preprocessor.fit(frame.drop(columns=target))
        return self.encode(frame)

    def encode(self, frame: Frame) -> tuple[Array, Array]:
        """Return the features and the encoded target of a table: class numbers, or scaled numbers.

        Raises:
            ValueError: if a column is missing or holds what cannot be read, or nothing was fitted.
        """
        target = self.fitted_target
        require_column(column_names(frame), target.name)
        encoded = target.encode(frame[target.name])
        y = encoded if isinstance(target, ClassTarget) else encoded.astype(self.settings.dtype)
        return self._features(frame), y

    def split(self, frame: Frame, target: str, share: float) -> tuple[Frame, Frame | None]:
        """Return the rows of a table to learn from and a share of them for a test, every class with its share of both.

        Args:
            frame: the table.
            target: the column to predict.
            share: from 0, for which the second is None, to below 1.

        Raises:
            ValueError: if a part has no rows, or lacks a class.
        """
        rows, held = len(frame), round(share * len(frame))
        if share == 0:
            return frame, None
        fitted = fit_target(target, frame[target], self.task, self.log_target)
        if not 2 <= held <= rows - 2:
            raise ValueError(
                f"Of {rows} rows a share of {share:g} leaves fewer than 2 for the test or for the training"
            )
        if isinstance(fitted, ClassTarget):
            labels = fitted.encode(frame[target])
            counts = np.bincount(labels)
            if counts.min() < 2:
                rare = fitted.classes[counts.argmin()]
                raise ValueError(
                    f"The class {rare!r} of the target {target!r} has only 1 row; every class "
                    "needs one to learn from and one for the test. Remove the row or merge the class with another"
                )
            kept, test = stratified_holdout(labels, held, self.seed)
            for part, name in ((kept, "training"), (test, "test")):
                absent = np.setdiff1d(labels, labels[part])
                # A rare class of many may be absent from the test, but then one number of the test says less.
                if absent.size and (name == "training" or len(fitted.classes) - len(absent) < 2):
                    count, label = int(counts[absent[0]]), fitted.classes[absent[0]]
                    raise ValueError(
                        f"Of the {count} rows of the class {label!r} none is in the part for the {name} "
                        f"({len(part)} of {rows} rows); more rows or another share are needed"
                    )
        else:
            kept, test = shuffled_holdout(rows, held, self.seed)
        return frame.iloc[kept].reset_index(drop=True), frame.iloc[test].reset_index(drop=True)

    def fit(
        self, frame: Frame, target: str, callbacks: Callable[[int], Iterable[Callback]] = lambda number: ()
    ) -> TabularModel:
        """Learn to predict a column of a data frame from the others and return this object.

        Args:
            frame: the data frame of pandas; texts that are numbers or dates are read as such.
            target: the name of the column to predict.
            callbacks: gives the callbacks for the network of a number, counted from 0.

        Raises:
            TypeError: if `frame` is no data frame of pandas.
            ValueError: if the table cannot be learnt from; the message says why.
        """
        x, y = self.prepare(frame, target)
        return self.train(x, y, callbacks)

    def train(
        self, x: Array, y: Array, callbacks: Callable[[int], Iterable[Callback]] = lambda number: ()
    ) -> TabularModel:
        """Build the networks, train them on what `prepare` returned and return this object: the second half of `fit`.

        Args:
            x: the features.
            y: the encoded target.
            callbacks: gives the callbacks for the network of a number, counted from 0.

        Raises:
            ValueError: if nothing was prepared, or the loss became infinite or no number.
        """
        target = self.fitted_target
        set_random_seed(self.seed)
        classes = len(target.classes) if isinstance(target, ClassTarget) else None
        self.network, members = build(x.shape[1], classes, self.settings)
        weights = None
        if self.class_weight == "balanced":
            weights = balanced_weights(y).astype(self.settings.dtype)
        order = spread_classes(y, self.seed) if classes else np.random.default_rng(self.seed).permutation(len(y))
        self.runs = train_networks(members, x, y, weights, order, self.settings, callbacks)
        return self

    def predict_outputs(self, frame: Frame) -> Array:
        """Return what the network gives for each row: probabilities (rows, classes), or scaled numbers (rows, 1).

        Raises:
            TypeError: if `frame` is no data frame of pandas.
            ValueError: if a column is missing or holds what cannot be read, or nothing was fitted.
        """
        if self.network is None:
            raise ValueError("The model is not fitted yet; call fit first")
        x = self._features(frame)
        if not len(x):
            raise ValueError("The table has no rows")
        return np.asarray(self.network.predict(x, batch_size=1024, verbose=0))

    def predict(self, frame: Frame) -> Array:
        """Return the predicted class (a text) or number of each row; raises as `predict_outputs` does."""
        outputs = self.predict_outputs(frame)
        return self.fitted_target.decode(outputs)

    def predict_proba(self, frame: Frame) -> Array:
        """Return the probabilities, in the order of `target.classes`; raises as `predict_outputs` does.

        Raises:
            ValueError: if the model predicts numbers.
        """
        if not isinstance(self.target, ClassTarget):
            raise ValueError("Probabilities are for targets with classes; this model predicts numbers")
        return self.predict_outputs(frame)

    def score(self, frame: Frame) -> dict[str, float]:
        """Return the measures of the predictions for a table that holds the target, too; the most telling one first."""
        target = self.fitted_target
        require_column(column_names(frame), target.name)
        return score(target, frame[target.name], self.predict_outputs(frame))

    def save(self, path: str | Path) -> None:
        """Write everything into one file, a `.keras` file with the preprocessing in it, whole or not at all.

        Raises:
            ValueError: if nothing was fitted, or the name does not end in ".keras".
            OSError: if the file cannot be written.
        """
        if self.network is None:
            raise ValueError("The model is not fitted yet; call fit first")
        files.save(Path(path), self.network, self.preprocessor, self.fitted_target)

    @classmethod
    def load(cls, path: str | Path) -> TabularModel:
        """Return the model that `save` wrote, to predict with.

        Raises:
            OSError: if the file cannot be read.
            ValueError: if it is damaged or another kind of file.
        """
        model = cls()
        model.network, model.preprocessor, model.target = files.load(Path(path))
        model.task = model.target.task
        return model

    def _features(self, frame: Frame) -> Array:
        dtype = self.settings.dtype if self.network is None else str(self.network.inputs[0].dtype)
        return self.preprocessor.transform(frame, dtype)
