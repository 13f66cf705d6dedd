"""What a network learns to tell: the class numbers or the scaled numbers of the target column, and the way back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastgd.tabular.cells import LARGEST, Floats, Series, first_problem, to_numbers, to_texts
from fastgd.tabular.configs import Config

TASKS = ("auto", "classify", "regress")
# Whole numbers with at most so many different values are taken for classes where the task is not given.
MOST_CLASS_NUMBERS = 10
# exp of more than this is no float64.
LARGEST_LOG = 700.0


@dataclass(frozen=True)
class ClassTarget:
    """The classes of the target column, in order.

    Attributes:
        name: the name of the column.
        classes: the classes as texts; numbers are ordered as numbers.
    """

    name: str
    classes: list[str]
    task: ClassVar[str] = "classify"

    @staticmethod
    def fit(name: str, cells: Series) -> ClassTarget:
        """Return the target with the classes that occur.

        Raises:
            ValueError: if a cell is empty, if there is only one class, or if nearly every row has its own.
        """
        texts = to_texts(cells)
        _refuse_gaps(name, texts)
        counts = texts.value_counts()
        if len(counts) < 2:
            raise ValueError(f"The target {name!r} must have at least two classes. Received: only {texts.iloc[0]!r}")
        if len(counts) > max(2, len(texts) / 2):
            raise ValueError(
                f"The target {name!r} has {len(counts)} different values in {len(texts)} rows: those are no classes"
            )
        numbers, unreadable = to_numbers(texts)
        is_number = not unreadable.any() and not np.isnan(numbers).any()
        return ClassTarget(name, sorted(counts.index, key=float if is_number else str))

    def encode(self, cells: Series) -> NDArray[np.int64]:
        """Return the number of each cell's class, counted from 0.

        Raises:
            ValueError: if a cell is empty or holds another class.
        """
        texts = to_texts(cells)
        _refuse_gaps(self.name, texts)
        numbers = {label: index for index, label in enumerate(self.classes)}
        encoded = np.array([numbers.get(text, -1) for text in texts], dtype=np.int64)
        if (encoded < 0).any():
            known = ", ".join(repr(label) for label in self.classes[:10]) + (", ..." if len(self.classes) > 10 else "")
            raise first_problem(self.name, cells, encoded < 0, f"the classes {known}")
        return encoded

    def decode(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Return the most probable class of each row of probabilities."""
        return np.asarray(np.array(self.classes, dtype=object)[outputs.argmax(axis=1)])

    def to_config(self) -> dict[str, Any]:
        """Return what makes this target again, as JSON can hold it."""
        return {"task": self.task, **asdict(self)}


@dataclass(frozen=True)
class NumberTarget:
    """y' = (y - mean) / deviation, of log(y) if `log`.

    Attributes:
        name: the name of the column.
        log: whether logarithms are learnt.
        mean: the mean in training.
        deviation: the standard deviation in training.
    """

    name: str
    log: bool
    mean: float
    deviation: float
    task: ClassVar[str] = "regress"

    @staticmethod
    def fit(name: str, cells: Series, log: bool) -> NumberTarget:
        """Return the target with the mean and deviation of the cells.

        Raises:
            ValueError: if a cell is empty or no number, if all are the same, or if one has no logarithm.
        """
        values = NumberTarget(name, log, 0.0, 1.0).encode(cells)
        deviation = float(values.std())
        if deviation == 0:
            raise ValueError(f"The target {name!r} never changes. Received: {cells.iloc[0]} in every row")
        return NumberTarget(name, log, float(values.mean()), deviation)

    def values(self, cells: Series) -> Floats:
        """Return the numbers themselves.

        Raises:
            ValueError: if a cell is empty or no number.
        """
        values, unreadable = to_numbers(cells)
        if unreadable.any():
            raise first_problem(self.name, cells, unreadable, "numbers, because it is the target")
        _refuse_gaps(self.name, to_texts(cells))
        if np.isnan(values).any():
            raise first_problem(self.name, cells, np.isnan(values), "finite numbers, because it is the target")
        return values

    def encode(self, cells: Series) -> Floats:
        """Return the scaled numbers, or their scaled logarithms.

        Raises:
            ValueError: if a cell is empty or no number, or has no logarithm but needs one.
        """
        values = self.values(cells)
        if self.log:
            if (values <= 0).any():
                raise first_problem(self.name, cells, values <= 0, "numbers above 0, because their logarithm is learnt")
            values = np.log(values)
        return (values - self.mean) / self.deviation

    def decode(self, outputs: NDArray[Any]) -> Floats:
        """Return the numbers that scaled ones, shape (n,) or (n, 1), stand for."""
        values = np.asarray(outputs, dtype=np.float64).reshape(-1) * self.deviation + self.mean
        return np.exp(np.clip(values, -LARGEST_LOG, LARGEST_LOG)) if self.log else values

    def to_config(self) -> dict[str, Any]:
        """Return what makes this target again, as JSON can hold it."""
        return {"task": self.task, **asdict(self)}


Target = ClassTarget | NumberTarget


def fit_target(name: str, cells: Series, task: str, log: bool) -> Target:
    """Return the target for a task; "auto" makes classes of texts, of two values and of a few whole numbers.

    Raises:
        ValueError: if the cells do not fit the task.
    """
    if len(cells) == 0:
        raise ValueError("The table has no rows")
    if task == "auto":
        task = guess_task(cells, log)
    if task == "classify":
        if log:
            raise ValueError("The logarithm of a target is for regressions; this target has classes")
        return ClassTarget.fit(name, cells)
    return NumberTarget.fit(name, cells, log)


def guess_task(cells: Series, log: bool = False) -> str:
    """Return "classify" or "regress", which it is if logarithms are to be learnt."""
    if log:
        return "regress"
    values, unreadable = to_numbers(cells)
    if unreadable.mean() > 0.5:
        return "classify"
    different = np.unique(values[~np.isnan(values)])
    whole = bool((different == np.trunc(different)).all())
    return "classify" if len(different) <= 2 or (whole and len(different) <= MOST_CLASS_NUMBERS) else "regress"


def target_from_config(config: Config) -> Target:
    """Return the target of a configuration that `to_config` made.

    Raises:
        ValueError: if an entry is missing or has a value that no target has.
    """
    name = config.text("name")
    if config.text("task", TASKS[1:]) == "regress":
        mean, deviation = config.number("mean", -LARGEST, LARGEST), config.number("deviation", 1e-300, LARGEST)
        return NumberTarget(name, config.flag("log"), mean, deviation)
    classes = config.texts("classes")
    if len(classes) < 2:
        raise ValueError(f"`{config.place}.classes` must be at least two. Received: {classes}")
    return ClassTarget(name, classes)


def _refuse_gaps(name: str, texts: Series) -> None:
    gaps = texts.isna().to_numpy()
    if gaps.any():
        raise ValueError(
            f"The target {name!r} is missing in {int(gaps.sum())} of {len(gaps)} rows, first in row "
            f"{int(np.argmax(gaps)) + 1}; remove those rows"
        )
