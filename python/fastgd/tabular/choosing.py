"""Deciding what each column of a table is: numbers, categories, dates, or nothing to learn from."""

from __future__ import annotations

import re

import numpy as np

from fastgd.tabular.cells import (
    Floats,
    Series,
    find_date_format,
    is_numeric,
    is_written_as_code,
    to_dates,
    to_numbers,
    to_texts,
)
from fastgd.tabular.columns import (
    CYCLES,
    CategoryColumn,
    Column,
    DateColumn,
    NumberColumn,
    Scale,
    days_since_1970,
    place_in_cycle,
)

# More categories than these, the most frequent ones, do not get a column of their own.
MOST_CATEGORIES = 100
# From this share of numbers on, what is no number in a column is taken for a mistake.
MOSTLY = 0.9
# Below so many cells of a kind nothing can be learnt of it: a fixed number, and fewer in a small table.
FEWEST_CELLS = 10
FEWEST_SHARE = 0.005

_ID_NAME = re.compile(r"(?i:(^|[_\W])(id|index|uuid|guid|rownames?|row_number)$|^(unnamed: 0)?$)|[a-z]I[dD]$")


def choose_column(name: str, cells: Series, is_category: bool) -> Column | str:
    """Return the column that fits the cells, or the reason why nothing can be learnt from them.

    Args:
        name: the column's name.
        cells: its cells in training.
        is_category: whether numbers, too, are names of categories.
    """
    texts = to_texts(cells)
    present = texts.dropna()
    if present.empty:
        return "it is empty"
    gaps = len(texts) - len(present)
    fewest = max(2, min(FEWEST_CELLS, round(FEWEST_SHARE * len(texts))))
    different = present.nunique()
    if different == 1 and gaps == 0:
        return "it never changes"
    if not is_category:
        values, unreadable = to_numbers(cells)
        if not unreadable.any() and (is_numeric(cells) or not is_written_as_code(texts)):
            if _counts_rows(name, values, different):
                return "it numbers the rows"
            return NumberColumn(name, Scale.fit(values), marks_gaps=bool(np.isnan(values).sum() >= fewest))
        numbers = 1 - float(unreadable.sum()) / len(present)
        if MOSTLY <= numbers < 1 and different > MOST_CATEGORIES:
            row = int(np.argmax(unreadable))
            return f"it holds numbers but for {int(unreadable.sum())} cells, first {texts.iloc[row]!r} in row {row + 1}"
        date_format = find_date_format(texts)
        if date_format is not None:
            return _date_column(name, cells, date_format, marks_gaps=gaps >= fewest)
    return _category_column(name, present, gaps, fewest)


def _category_column(name: str, present: Series, gaps: int, fewest: int) -> CategoryColumn | str:
    counts = present.value_counts()
    if len(counts) > max(2, len(present) / 2):
        return f"nearly every row has another text ({len(counts)} different)"
    # In order of the texts, so that the same rows in another order give the same features.
    frequent = sorted(counts[counts >= fewest].head(MOST_CATEGORIES).index)
    rare = len(present) - int(counts[frequent].sum())
    column = CategoryColumn(name, frequent, marks_gaps=gaps >= fewest, marks_rare=rare >= fewest)
    return column if len(column.features) > 1 else f"fewer than {fewest} rows differ from the others"


def _date_column(name: str, cells: Series, date_format: str, marks_gaps: bool) -> DateColumn:
    dates, _ = to_dates(cells, date_format)
    present = dates.dropna()
    cycles = [cycle for cycle in CYCLES if len(np.unique(place_in_cycle(present, cycle))) > 1]
    return DateColumn(name, date_format, Scale.fit(days_since_1970(present)), cycles, marks_gaps)


def _counts_rows(name: str, values: Floats, different: int) -> bool:
    """Return whether each row has its own whole number, and they count from about 0 or the name says what it is."""
    if np.isnan(values).any() or different < len(values) or (values != np.trunc(values)).any():
        return False
    # Not without gaps: some of the rows may have gone to the test.
    counts = len(values) > 2 and values.min() >= 0 and values.max() <= 2 * len(values)
    return bool(counts) or _ID_NAME.search(name) is not None
