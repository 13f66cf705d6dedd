"""Rows of a table by their numbers: `embedding`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.ops.builder import Placeholder, Tensor
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.parameters import Variable, as_variable
from fastgd.ops.recording import RecordedTensor
from fastgd.utils.targets import as_integers


def embedding(x: Tensor | npt.ArrayLike, table: Variable | npt.ArrayLike) -> Tensor:
    """Return the rows of a table that integers point to: `table[x]`.

    The gradient of the table is dense: rows that no index of the batch points to have the gradient 0, so that Adam and
    momentum go on moving them.

    Args:
        x: tensor, placeholder or array of int32 of any shape, from 0 to below the number of rows. Arrays and what
            models are fed are checked; an integer computed on the way that is out of range gives NaN.
        table: variable or array (v, d).

    Returns:
        Tensor, placeholder or array (..., d).

    Raises:
        ValueError: if the table has another number of axes, x is no int32 tensor, or an integer is out of range.
    """
    given: Any = x
    if not isinstance(x, (Tensor, Placeholder, RecordedTensor)):
        rows = table if isinstance(table, Variable) else np.asarray(table)
        given = as_integers(np.asarray(x), rows.shape[0], "x")
    return _embedding(given, table)


@works_on_arrays("x", labels=("x",))
def _embedding(x: Tensor, table: Variable | npt.ArrayLike) -> Tensor:
    require_tensors("embedding", x)
    require(x.dtype == "int32", "embedding", f"x must be int32: it is {x.dtype}")
    w = as_variable(table, "table", x.builder.dtype)
    require(len(w.shape) == 2, "embedding", f"the table must have two axes: it is {w.shape}")
    x.builder.limit_indices(x, w.shape[0])
    return x.builder.emit("embedding", [x], [(*x.dims, w.shape[1])], [w])[0]
