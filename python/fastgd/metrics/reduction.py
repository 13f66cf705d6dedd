"""Means and sums of values, and of what a function makes of targets and predictions."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import ops
from fastgd.losses.masked import mean_of_steps
from fastgd.metrics.base import Array, Metric, Totals
from fastgd.metrics.batch_values import COLUMNS, columns_of_batch, mean_of_batches
from fastgd.metrics.functions import FUNCTIONS, find_function
from fastgd.ops.builder import Dims, PlanBuilder, Tensor
from fastgd.utils.errors import invalid, mistyped


class _OfValues(Metric, abstract=True):
    """A metric of single values, which has no targets and no predictions, and so no place in `compile`."""

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Raise a TypeError."""
        cls = type(self).__name__
        raise mistyped(f"{cls} takes values, not targets and predictions: use MeanMetricWrapper(fn).", metric=self.name)

    def update_state(self, values: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> None:  # type: ignore[override]
        """Take up values.

        Args:
            values: an array (n, ...) or a number.
            sample_weight: None, weights (n,), or a number for all.
        """
        array = np.asarray(values, np.float64)
        rows = array.reshape(array.shape[0] if array.ndim else 1, -1)
        if sample_weight is not None and np.ndim(sample_weight) == 0:
            sample_weight = np.full(len(rows), sample_weight)
        self._add(self._per_sample(rows), 1, sample_weight)

    def __call__(self, values: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> float | Array:  # type: ignore[override]
        """Take up values and return the value so far."""
        self.update_state(values, sample_weight)
        return self.result()

    def _per_sample(self, rows: Array) -> Array:
        raise NotImplementedError


class Mean(_OfValues):
    """The weighted mean of values: `sum(s v) / sum(s)`, where v is the mean of what belongs to one weight s.

    Example:
        >>> metric = fastgd.metrics.Mean()
        >>> metric.update_state([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])
        >>> metric.result()
        2.0
    """

    def __init__(self, name: str = "mean") -> None:
        super().__init__(name)

    def _per_sample(self, rows: Array) -> Array:
        return np.asarray(rows.mean(axis=1))


class Sum(_OfValues):
    """The weighted sum of values: `sum(s v)`."""

    def __init__(self, name: str = "sum") -> None:
        super().__init__(name)

    def combine(self, totals: Totals) -> float | Array:
        """Return the sum."""
        return float(totals.columns[0])

    def _per_sample(self, rows: Array) -> Array:
        return np.asarray(rows.sum(axis=1))


class MeanMetricWrapper(Metric):
    """The weighted mean over the samples of `fn(y_true, y_pred)`.

    Args:
        fn: a function of `fastgd.losses` or `fastgd.metrics`, or its name; or any function that returns values
            (n, ...) for targets and predictions, or values without a batch, such as one number for the whole batch. In
            `compile` it is called with tensors and must be written with `fastgd.ops`. Numbers for whole batches are
            averaged over the batches; where samples have weights that are not all 1, with the sums of these.
        name: the name; that of the function if None.
        **kwargs: further arguments of the function.

    Example:
        >>> metric = fastgd.metrics.MeanMetricWrapper(lambda t, p: abs(t - p), name="distance")
        >>> metric.update_state(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
        >>> metric.result()
        1.0
    """

    heeds_masks = True

    def __init__(self, fn: Callable[..., Any] | str, name: str | None = None, **kwargs: Any) -> None:
        fn = find_function(fn) if isinstance(fn, str) else fn
        if not callable(fn):
            raise mistyped("`fn` must be a function of targets and predictions.", fn=fn)
        super().__init__(name or getattr(fn, "__name__", None))
        self._fn = fn
        self._arguments = kwargs
        self._known = FUNCTIONS[fn](**kwargs) if fn in FUNCTIONS else None
        # Whether the function gives values of whole batches; known once it has been called with tensors.
        self._of_batches = False
        if self._known is not None:
            self.sparse = self._known.sparse
            self._direction = self._known._direction  # type: ignore[misc]

    def lower_steps(self, p: Tensor, t: Tensor, steps: Dims) -> Tensor:
        """Emit the value of every step."""
        if self._known is not None:
            return self._known.lower_steps(p, t, steps)
        return mean_of_steps(self._fn(t, p, **self._arguments), steps)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the function, one row of its values per sample."""
        values = self._known.lower(p, t) if self._known is not None else self._fn(t, p, **self._arguments)
        if not isinstance(values, Tensor):
            raise mistyped(f"The metric {self.name!r} must return a tensor.", fn=type(values))
        self._of_batches = all(d >= 0 for d in values.dims)
        if (values.dims[:1] != p.dims[:1] and not self._of_batches) or values.dtype == "int32":
            raise invalid(f"The metric {self.name!r} must return floating values, per sample or per batch.", fn=values)
        if self._of_batches:
            return columns_of_batch(ops.mean(values), p.dims[0])
        return values if len(values.dims) == 1 else ops.flatten(values)

    def columns(self, dims: Dims) -> int:
        """Return how many values the function gives for a sample, or how many columns keep one for a batch."""
        if self._known is not None:
            return 1
        trial = PlanBuilder("float32")
        p, t = trial.input("p", (-1, *dims[1:])), trial.input("t", (-1, *dims[1:]))
        return prod(self.lower(p, t).dims[1:])

    def combine(self, totals: Totals) -> float | Array:
        """Return the mean over samples and values, or over batches."""
        if self._of_batches:
            return mean_of_batches(totals)
        count = totals.weight * len(totals.columns)
        return float(totals.columns.sum()) / count if count else 0.0

    def update_state(
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> None:
        """Take up one batch of arrays, with the function called on them; the arguments are those of Metric."""
        if self._known is not None:
            super().update_state(y_true, y_pred, sample_weight)
            return
        values = np.asarray(self._fn(np.asarray(y_true), np.asarray(y_pred), **self._arguments), np.float64)
        self._of_batches = values.ndim == 0
        if self._of_batches:
            n = len(np.asarray(y_pred))
            self._add(np.tile([float(values), float(values) / n, 1 / n], (n, 1)), COLUMNS, sample_weight)
        else:
            self._add(values.reshape(len(values), -1).mean(axis=1), 1, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object; a function of the user's own stands for itself."""
        fn = self._fn.__name__ if self._known is not None else self._fn
        return {**super().get_config(), "fn": fn, **self._arguments}
