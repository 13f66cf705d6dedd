"""The cells of one column of a table as texts, numbers or dates, with gaps told apart from what cannot be read."""

from __future__ import annotations

import datetime
import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgd.utils.extras import import_extra

# A data frame or a column of pandas, which has no types of its own to import.
Frame = Any
Series = Any
Floats = NDArray[np.float64]

# What files write where a value is missing; compared without the spaces around it.
MISSING = frozenset({"", "?", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None", "<NA>", "NaT"})

_CODE = re.compile(r"0\d+$")
_WHOLE = re.compile(r"^(-?\d+)\.0$")

# Beyond this the square of a deviation is no number any more.
LARGEST = 1e150

# How dates are written, in the order in which they are tried; day before month where both are possible.
_DAYS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d", "%d %b %Y", "%d %B %Y")
DATE_FORMATS = ("ISO8601", *(day + time for day in _DAYS for time in ("", " %H:%M", " %H:%M:%S")))


def pandas() -> Any:
    """Return pandas.

    Raises:
        ImportError: if it is not installed; the message names the extra that brings it.
    """
    return import_extra("pandas", "tabular", "Reading tables")


def is_numeric(column: Series) -> bool:
    """Return whether pandas already holds the column as numbers; truth values are categories."""
    return bool(getattr(column.dtype, "kind", "O") in "iuf")


def to_texts(column: Series) -> Series:
    """Return the cells as texts without spaces around them, None where one is missing.

    Whole numbers are written without a fraction, and the texts of such, "3.0", lose it, so that a category "3" is the
    same whether the column had gaps (and came as floats) or not.
    """
    if getattr(column.dtype, "kind", "O") == "M":
        column = column.dt.strftime("%Y-%m-%dT%H:%M:%S")
    try:
        codes, different = pandas().factorize(column)
    except TypeError:
        # Lists and the like, which cannot be told apart as they are.
        codes, different = pandas().factorize(column.map(str))
    write = _write_number if is_numeric(column) else _write_text
    # Each different cell is looked at once; the place of a gap, -1, is the last.
    texts = np.array([*map(write, different), None], dtype=object)
    return pandas().Series(texts[codes], dtype=object)


def to_numbers(column: Series) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the cells as float64, NaN where one is missing or infinite, and which of the others are no numbers."""
    if is_numeric(column):
        numbers = column.astype("float64").to_numpy(dtype=np.float64, na_value=np.nan)
        unreadable = np.zeros(len(numbers), dtype=bool)
    else:
        texts = to_texts(column)
        numbers = pandas().to_numeric(texts, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        unreadable = np.isnan(numbers) & texts.notna().to_numpy()
    return np.clip(np.where(np.isinf(numbers), np.nan, numbers), -LARGEST, LARGEST), unreadable


def is_written_as_code(texts: Series) -> bool:
    """Return whether a text of digits begins with a needless zero, as codes do and numbers do not."""
    return any(_CODE.match(text) for text in texts.dropna().unique())


def to_dates(column: Series, date_format: str) -> tuple[Series, NDArray[np.bool_]]:
    """Return the cells as dates in UTC, NaT where one is missing, and which of the others are not of that format."""
    texts = to_texts(column)
    dates = pandas().to_datetime(texts, format=date_format, errors="coerce", utc=True)
    return dates, (dates.isna() & texts.notna()).to_numpy()


def find_date_format(texts: Series) -> str | None:
    """Return the first of `DATE_FORMATS` in which every text is a date, or None."""
    present = texts.dropna()
    # Cheap, and it spares all other columns of texts the attempts.
    if not present.head(20).str.match(r"\s*\d{1,4}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/. ]\d{1,4}").all():
        return None
    for date_format in DATE_FORMATS:
        for sample in (present.head(100), present):
            _, unreadable = to_dates(sample, date_format)
            if unreadable.any():
                break
        else:
            return date_format
    return None


def example_of(date_format: str) -> str:
    """Return a date as that format writes it, one whose day cannot be taken for a month."""
    example = datetime.datetime(2024, 5, 31, 16, 30)
    return example.strftime("%Y-%m-%d" if date_format == "ISO8601" else date_format)


def first_problem(name: str, column: Series, unreadable: NDArray[np.bool_], what: str) -> ValueError:
    """Return the error for a column that held `what` when the model was trained and has other cells now."""
    row = int(np.argmax(unreadable))
    count = int(unreadable.sum())
    others = f" (and {count - 1} more)" if count > 1 else ""
    cell = str(column.iloc[row])
    shown = cell if len(cell) <= 60 else cell[:57] + "..."
    return ValueError(f"The column {name!r} must hold {what}. Received: {shown!r} in row {row + 1}{others}")


def _write_number(number: float) -> str | None:
    number = float(number)
    if not math.isfinite(number):
        return None
    return str(int(number)) if number.is_integer() else str(number)


def _write_text(cell: Any) -> str | None:
    text = str(cell).strip()
    return None if text in MISSING else _WHOLE.sub(r"\1", text)
