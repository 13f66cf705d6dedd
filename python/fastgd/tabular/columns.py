"""The three kinds of columns: numbers, categories, dates; each turns the cells of one column into features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastgd.tabular.cells import (
    DATE_FORMATS,
    LARGEST,
    Floats,
    Series,
    example_of,
    first_problem,
    pandas,
    to_dates,
    to_numbers,
    to_texts,
)
from fastgd.tabular.configs import Config

# Scaled numbers approach this bound: one absurd cell must not rule a whole network.
BOUND = 3.0
# Between the quartiles of a normal distribution lie so many standard deviations.
QUARTILES_APART = 1.349
# The name of the category for gaps among the names of features; a category of the file can have the same name.
GAP = "missing"
RARE = "rare"
SECONDS_PER_DAY = 86_400.0


@dataclass(frozen=True)
class Column(ABC):
    """One column of a table as it was when the preprocessing was fitted.

    Attributes:
        name: its name in the table.
    """

    name: str
    kind: ClassVar[str]

    @property
    @abstractmethod
    def features(self) -> list[str]:
        """The names of what `transform` gives, in its order."""

    @abstractmethod
    def transform(self, cells: Series) -> NDArray[Any]:
        """Return the features of the cells, shape (n, features).

        Raises:
            ValueError: if a cell cannot be read as what this column holds.
        """

    def to_config(self) -> dict[str, Any]:
        """Return what makes this column again, as JSON can hold it."""
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True)
class Scale:
    """z = (x - center) / scale, then z / sqrt(1 + (z / 3)^2), which keeps it between -3 and 3.

    The center is the median and the scale that of the quartiles (the deviation of a normal distribution with the same
    ones), so that outliers change neither; where the quartiles are equal it is the standard deviation. The smooth bound
    is that of Holzmueller, Grinsztajn, Steinwart, "Better by default" (2024).
    """

    center: float
    scale: float

    @staticmethod
    def fit(values: Floats) -> Scale:
        """Measure `values`, NaN left out; a column that never changes gets the scale 1."""
        present = values[~np.isnan(values)]
        if present.size == 0:
            return Scale(0.0, 1.0)
        low, center, high = np.quantile(present, [0.25, 0.5, 0.75])
        scale = (high - low) / QUARTILES_APART or present.std()
        return Scale(float(center), float(scale) if scale > 0 else 1.0)

    def apply(self, values: Floats) -> Floats:
        """Return the scaled values, 0 for NaN."""
        with np.errstate(over="ignore"):
            z = np.clip(np.nan_to_num((values - self.center) / self.scale, nan=0.0), -1e6, 1e6)
        return np.asarray(z / np.sqrt(1.0 + (z / BOUND) ** 2))

    @staticmethod
    def from_config(config: Config) -> Scale:
        """Return the scale of a configuration."""
        return Scale(config.number("center", -LARGEST, LARGEST), config.number("scale", 1e-300, LARGEST))


@dataclass(frozen=True)
class NumberColumn(Column):
    """Numbers: scaled; a gap becomes the median and, if there were gaps in training, a 1 in a column of its own.

    Attributes:
        scale: how they are scaled.
        marks_gaps: whether there is such a column.
    """

    scale: Scale
    marks_gaps: bool
    kind: ClassVar[str] = "number"

    @property
    def features(self) -> list[str]:
        """The number, then the mark of a gap."""
        return [self.name, *([f"{self.name}={GAP}"] if self.marks_gaps else [])]

    def transform(self, cells: Series) -> NDArray[Any]:
        """Return the scaled numbers and the marks."""
        values, unreadable = to_numbers(cells)
        if unreadable.any():
            raise first_problem(self.name, cells, unreadable, "numbers")
        columns = [self.scale.apply(values)]
        if self.marks_gaps:
            columns.append(np.isnan(values).astype(np.float64))
        return np.stack(columns, axis=1)

    @staticmethod
    def from_config(config: Config) -> NumberColumn:
        """Return the column of a configuration."""
        return NumberColumn(config.text("name"), Scale.from_config(config.object("scale")), config.flag("marks_gaps"))


@dataclass(frozen=True)
class CategoryColumn(Column):
    """Categories: a column of 0 and 1 for each, one for gaps if training had them, and one for all that were rare.

    A category never seen in training counts as rare; without a column for those, all its columns are 0.

    Attributes:
        categories: those with a column of their own.
        marks_gaps: whether gaps have one; if not, a gap counts as a category never seen.
        marks_rare: whether rare ones have one.
    """

    categories: list[str]
    marks_gaps: bool
    marks_rare: bool
    kind: ClassVar[str] = "category"

    @property
    def features(self) -> list[str]:
        """The categories, the gaps, the rare ones."""
        others = [GAP] * self.marks_gaps + [RARE] * self.marks_rare
        return [f"{self.name}={category}" for category in [*self.categories, *others]]

    def transform(self, cells: Series) -> NDArray[Any]:
        """Return one row of 0 and 1 per cell."""
        texts = to_texts(cells)
        count = len(self.categories)
        rare = count + self.marks_gaps if self.marks_rare else -1
        index = pandas().Index(self.categories, dtype=object).get_indexer(texts)
        index = np.where(index < 0, rare, index)
        index[texts.isna().to_numpy()] = count if self.marks_gaps else rare
        hot = np.zeros((len(index), len(self.features)), dtype=np.float32)
        rows = np.flatnonzero(index >= 0)
        hot[rows, index[rows]] = 1.0
        return hot

    def count_unseen(self, cells: Series) -> int:
        """Return how many cells hold a category without a column of its own."""
        return int((~to_texts(cells).dropna().isin(self.categories)).sum())

    @staticmethod
    def from_config(config: Config) -> CategoryColumn:
        """Return the column of a configuration."""
        return CategoryColumn(
            config.text("name"), config.texts("categories"), config.flag("marks_gaps"), config.flag("marks_rare")
        )


@dataclass(frozen=True)
class DateColumn(Column):
    """Dates: the days as a scaled number, and sine and cosine of the place in each cycle that training went round.

    Attributes:
        date_format: how they are written, "ISO8601" or as strftime has it.
        scale: that of the days since 1970.
        cycles: those of "year", "week" and "day" with at least two places in training.
        marks_gaps: whether a gap has a column of its own; its other columns are 0.
    """

    date_format: str
    scale: Scale
    cycles: list[str]
    marks_gaps: bool
    kind: ClassVar[str] = "date"

    @property
    def features(self) -> list[str]:
        """The day, two columns a cycle, the mark of a gap."""
        waves = [f"{self.name} {wave} of {cycle}" for cycle in self.cycles for wave in ("sine", "cosine")]
        return [self.name, *waves, *([f"{self.name}={GAP}"] if self.marks_gaps else [])]

    def transform(self, cells: Series) -> NDArray[Any]:
        """Return the scaled days, the waves and the marks."""
        dates, unreadable = to_dates(cells, self.date_format)
        if unreadable.any():
            raise first_problem(self.name, cells, unreadable, f"dates like {example_of(self.date_format)}")
        columns = [self.scale.apply(days_since_1970(dates))]
        for cycle in self.cycles:
            angles = 2.0 * np.pi * place_in_cycle(dates, cycle)
            columns += [np.nan_to_num(np.sin(angles)), np.nan_to_num(np.cos(angles))]
        if self.marks_gaps:
            columns.append(dates.isna().to_numpy().astype(np.float64))
        return np.stack(columns, axis=1)

    @staticmethod
    def from_config(config: Config) -> DateColumn:
        """Return the column of a configuration."""
        cycles = config.texts("cycles")
        if not set(cycles) <= set(CYCLES):
            raise ValueError(f"`{config.place}.cycles` must be of {CYCLES}. Received: {cycles}")
        return DateColumn(
            config.text("name"),
            config.text("date_format", DATE_FORMATS),
            Scale.from_config(config.object("scale")),
            cycles,
            config.flag("marks_gaps"),
        )


CYCLES = ("year", "week", "day")
KINDS: dict[str, Any] = {column.kind: column for column in (NumberColumn, CategoryColumn, DateColumn)}


def column_from_config(config: Config) -> Column:
    """Return the column of a configuration that `to_config` made.

    Raises:
        ValueError: if an entry is missing or has a value that no column has.
    """
    column: Column = KINDS[config.text("kind", tuple(KINDS))].from_config(config)
    return column


def days_since_1970(dates: Series) -> Floats:
    """Return dates as days with fractions, NaN for NaT."""
    seconds = (dates - pandas().Timestamp(0, tz="UTC")).dt.total_seconds()
    return np.asarray(seconds / SECONDS_PER_DAY, dtype=np.float64)


def place_in_cycle(dates: Series, cycle: str) -> NDArray[np.float64]:
    """Return how far each date is round its year (by months), its week (by days) or its day, 0 to below 1."""
    part = dates.dt
    if cycle == "year":
        place = (part.month - 1) / 12
    elif cycle == "week":
        place = part.day_of_week / 7
    else:
        place = (part.hour * 3600 + part.minute * 60 + part.second) / SECONDS_PER_DAY
    return np.asarray(place, dtype=np.float64)
