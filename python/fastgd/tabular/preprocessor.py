"""The preprocessing of a table: fitted to the rows of training, applied to any, written as JSON and read again."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgd.tabular.cells import Frame, pandas
from fastgd.tabular.choosing import choose_column
from fastgd.tabular.columns import CategoryColumn, Column, column_from_config
from fastgd.tabular.configs import Config

FORMAT = 1
# What one table may become: float32 features of a million rows at this width are 80 gigabytes.
MOST_FEATURES = 20_000


class TablePreprocessor:
    """Turns the columns of a table into features, all of them numbers of about the same size.

    Numbers are scaled by the quartiles and bounded, a gap is filled with the median and marked; categories become one
    column of 0 and 1 each; dates a day and their place in year, week and day. Columns from which nothing can be learnt,
    such as the numbers of the rows, are dropped, and `dropped` says why.

    Args:
        drop: columns to leave out.
        categories: columns whose numbers are names of categories, such as postal codes.

    Attributes:
        columns: what each column that is used is, in the order of the table.
        dropped: for each other column, why it is not used.

    Raises:
        ImportError: if pandas is not installed.

    Example:
        >>> preprocessor = fastgd.tabular.TablePreprocessor().fit(frame)
        >>> x = preprocessor.transform(frame)
        >>> same = fastgd.tabular.TablePreprocessor.from_json(preprocessor.to_json())
    """

    def __init__(self, drop: Iterable[str] = (), categories: Iterable[str] = ()) -> None:
        self.drop = list(drop)
        self.categories = list(categories)
        self.columns: list[Column] = []
        self.dropped: dict[str, str] = {}

    def fit(self, frame: Frame) -> TablePreprocessor:
        """Decide what each column of a data frame is, measure it, and return this object.

        Raises:
            TypeError: if `frame` is no data frame of pandas.
            ValueError: if it has no rows, two columns of the same name, or none to learn from, or if a column that
                `drop` or `categories` names is missing.
        """
        names = column_names(frame)
        if len(frame) == 0:
            raise ValueError("The table has no rows")
        for name in [*self.drop, *self.categories]:
            require_column(names, name)
        self.columns, self.dropped = [], {}
        for name in names:
            chosen: Column | str = "as asked"
            if name not in self.drop:
                chosen = choose_column(name, frame[name], is_category=name in self.categories)
            if isinstance(chosen, str):
                self.dropped[name] = chosen
            else:
                self.columns.append(chosen)
        if not self.columns:
            reasons = "; ".join(f"{name!r}: {reason}" for name, reason in self.dropped.items())
            raise ValueError(f"The table has no column to learn from. {reasons}")
        if len(self.feature_names) > MOST_FEATURES:
            raise ValueError(
                f"The table becomes {len(self.feature_names)} features; at most {MOST_FEATURES} are possible"
            )
        return self

    @property
    def feature_names(self) -> list[str]:
        """The names of the features in the order of `transform`, such as "LotArea" or "Street=Pave"."""
        return [feature for column in self.columns for feature in column.features]

    def transform(self, frame: Frame, dtype: str = "float32") -> NDArray[Any]:
        """Return the features of each row, shape (rows, features).

        Args:
            frame: a data frame with at least the columns that are used; others are not looked at.
            dtype: "float32" or "float64".

        Raises:
            TypeError: if `frame` is no data frame of pandas.
            ValueError: if a column is missing or holds what cannot be read; nothing was fitted.
        """
        if not self.columns:
            raise ValueError("The preprocessing is not fitted yet; call fit first")
        names = column_names(frame)
        x = np.empty((len(frame), len(self.feature_names)), dtype)
        start = 0
        for column in self.columns:
            require_column(names, column.name)
            part = column.transform(frame[column.name])
            x[:, start : start + part.shape[1]] = part
            start += part.shape[1]
        return x

    def count_unseen(self, frame: Frame) -> dict[str, int]:
        """Return for each column with categories that have no feature of their own how many rows hold one."""
        counts = {
            column.name: column.count_unseen(frame[column.name])
            for column in self.columns
            if isinstance(column, CategoryColumn)
        }
        return {name: count for name, count in counts.items() if count}

    def to_config(self) -> dict[str, Any]:
        """Return what makes this preprocessing again, as JSON can hold it."""
        return {
            "format": FORMAT,
            "columns": [column.to_config() for column in self.columns],
            "dropped": [{"name": name, "reason": reason} for name, reason in self.dropped.items()],
        }

    def to_json(self) -> str:
        """Return the fitted preprocessing as a text of JSON."""
        return json.dumps(self.to_config(), indent=1, allow_nan=False)

    @classmethod
    def from_config(cls, config: Any, place: str = "preprocessing") -> TablePreprocessor:
        """Return the preprocessing that `to_config` gave.

        Raises:
            ValueError: if an entry is missing or has a value that `to_config` cannot give.
        """
        top = Config(config, place)
        top.integer("format", FORMAT, FORMAT)
        made = cls()
        made.columns = [column_from_config(column) for column in top.objects("columns")]
        made.dropped = {entry.text("name"): entry.text("reason") for entry in top.objects("dropped")}
        names = [column.name for column in made.columns]
        if not names or len(set(names)) < len(names) or len(made.feature_names) > MOST_FEATURES:
            raise ValueError(f"`{place}.columns` must be different columns with at most {MOST_FEATURES} features")
        return made

    @classmethod
    def from_json(cls, text: str) -> TablePreprocessor:
        """Return the preprocessing that `to_json` wrote.

        Raises:
            ValueError: if the text is no JSON or not of a preprocessing.
        """
        return cls.from_config(parse_json(text, "preprocessing"))


def column_names(frame: Frame) -> list[str]:
    """Return the names of the columns of a data frame as texts.

    Raises:
        TypeError: if it is no data frame of pandas.
        ValueError: if two columns have the same name.
    """
    if not isinstance(frame, pandas().DataFrame):
        raise TypeError(f"A table must be a data frame of pandas. Received: {type(frame).__name__}")
    names = list(frame.columns)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"Names of columns must be texts. Received: {name!r}")
    double = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if double is not None:
        raise ValueError(f"Two columns have the name {double!r}")
    return names


def require_column(names: Sequence[str], name: str) -> None:
    """Raise the error for a missing column, with the nearest name.

    Raises:
        ValueError: if `name` is not among `names`.
    """
    if name in names:
        return
    by_lower = {known.lower().strip(): known for known in names}
    near = difflib.get_close_matches(name.lower().strip(), by_lower, n=1)
    hint = f" Did you mean {by_lower[near[0]]!r}?" if near else ""
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    raise ValueError(f"There is no column {name!r}.{hint} Columns: {shown}")


def parse_json(text: str | bytes, place: str) -> Any:
    """Return what a text of JSON holds.

    Raises:
        ValueError: if it is none, or nested too deep.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"`{place}` is no valid JSON: {error}") from error
