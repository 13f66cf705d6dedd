"""Values of losses and metrics for every row of the last axis, on arrays and on tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fastgd import ops
from fastgd.ops.builder import Tensor
from fastgd.ops.eager import evaluate
from fastgd.utils.errors import invalid
from fastgd.utils.targets import align_ranks, as_labels

Lower = Callable[[Tensor, Tensor], Tensor]


@overload
def value_per_row(
    lower: Lower,
    y_true: Tensor,
    y_pred: Tensor,
    sparse: bool,
    dtype: str | None = None,
    ignore_class: int | None = None,
) -> Tensor: ...


@overload
def value_per_row(
    lower: Lower,
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    sparse: bool,
    dtype: str | None = None,
    ignore_class: int | None = None,
) -> npt.NDArray[Any]: ...


def value_per_row(
    lower: Lower,
    y_true: Any,
    y_pred: Any,
    sparse: bool,
    dtype: str | None = None,
    ignore_class: int | None = None,
) -> Any:
    """Return the value that `lower` gives for every row of the last axis, shape (...) for predictions (..., c).

    Args:
        lower: emits values per sample of predictions and targets.
        y_true: targets.
        y_pred: predictions, both arrays or both tensors.
        sparse: whether targets are labels.
        dtype: the floating type to compute arrays in; theirs if None.
        ignore_class: a label that is allowed besides the classes.

    Raises:
        ValueError: if the shapes of targets and predictions do not fit.
    """
    if isinstance(y_true, Tensor) or isinstance(y_pred, Tensor):
        return _of_tensors(lower, y_true, y_pred, sparse)
    p = np.asarray(y_pred)
    t = align_ranks(np.asarray(y_true), p.ndim - sparse, p.shape or (0,))
    if p.ndim == 0 or t.shape != (p.shape[:-1] if sparse else p.shape):
        raise invalid("`y_true` and `y_pred` must have fitting shapes.", y_true=t.shape, y_pred=p.shape)
    rows = p.reshape(-1, p.shape[-1])
    targets = as_labels(t.reshape(-1), p.shape[-1], "y_true", ignore_class) if sparse else t.reshape(rows.shape)
    value: npt.NDArray[Any] = evaluate(lower, [rows, targets], dtype, labels=[1] if sparse else [])
    return value.reshape(p.shape[:-1])


def _of_tensors(lower: Lower, t: Tensor, p: Tensor, sparse: bool) -> Tensor:
    if len(p.dims) <= 2:
        return lower(p, t)
    value = lower(ops.reshape(p, (-1, p.dims[-1])), ops.reshape(t, (-1,) if sparse else (-1, t.dims[-1])))
    return ops.reshape(value, (None, *p.dims[1:-1]))
