"""Data frames and columns of pandas, Polars and Arrow, read through narwhals."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.utils.errors import invalid, mistyped

Array = npt.NDArray[Any]

# The modules whose objects narwhals reads; nothing else is worth importing it for.
_LIBRARIES = frozenset({"pandas", "polars", "pyarrow", "modin", "cudf", "dask", "duckdb", "ibis", "pyspark"})


def read_frame(value: Any, name: str) -> Array | None:
    """Return a data frame as an array (rows, columns), or a column as a vector; None for anything else.

    Integer and boolean columns of one type keep it; columns of several types take the one that holds them all.

    Args:
        value: what a user gave.
        name: what messages call it.

    Raises:
        TypeError: if a column does not hold numbers or booleans; the message names it.
        ValueError: if a column has missing values.
    """
    if type(value).__module__.partition(".")[0] not in _LIBRARIES:
        return None
    import narwhals.stable.v1 as narwhals

    frame: Any = narwhals.from_native(value, pass_through=True, allow_series=True)
    if isinstance(frame, narwhals.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, narwhals.Series):
        return _column(frame, name)
    if not isinstance(frame, narwhals.DataFrame):
        return None
    if not frame.columns:
        raise invalid(f"`{name}` must have at least one column.", **{f"{name}.columns": []})
    columns = [_column(frame[column], f"{name}[{column!r}]") for column in frame.columns]
    return np.column_stack(columns)


def _column(column: Any, name: str) -> Array:
    """Return a column as a vector of numbers or booleans."""
    if not (column.dtype.is_numeric() or str(column.dtype) == "Boolean"):
        raise mistyped(f"`{name}` must hold real numbers.", **{f"{name}.dtype": str(column.dtype)})
    missing = int(column.null_count())
    if missing:
        raise invalid(f"`{name}` must have no missing values; fill or drop them first.", missing=missing)
    values: Array = np.asarray(column.to_numpy())
    # Decimals and extension types may arrive as objects.
    return values.astype(np.float64) if values.dtype.kind == "O" else values
