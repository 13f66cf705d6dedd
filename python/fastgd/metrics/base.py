"""The base of all metrics: the sums that a metric keeps, on arrays as in a model, and the value that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from fastgd import config, initializers
from fastgd.losses.masked import by_steps
from fastgd.ops.builder import Dims, Tensor
from fastgd.ops.eager import evaluate
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_dtype
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.naming import automatic_name, snake_case
from fastgd.utils.registry import Registry
from fastgd.utils.targets import align_ranks, as_labels

Array = npt.NDArray[Any]

registry: Registry[Metric] = Registry(
    "metric",
    {
        "mse": "MeanSquaredError",
        "mae": "MeanAbsoluteError",
        "mape": "MeanAbsolutePercentageError",
        "msle": "MeanSquaredLogarithmicError",
        "bce": "BinaryCrossentropy",
        "kld": "KLDivergence",
        "log_cosh": "LogCoshError",
        "logcosh": "LogCoshError",
    },
)


class Totals(NamedTuple):
    """What has been added up over the samples, each with its weight s.

    Attributes:
        columns: float64 (k,), the sum of s v for each of the metric's k columns.
        weight: the sum of s.
        samples: how many there were, whatever their weights.
    """

    columns: npt.NDArray[np.float64]
    weight: float
    samples: float


class Metric:
    """Base of all metrics: `sum(s v) / sum(s)` over the samples with values v and weights s.

    A subclass implements `lower` and is then found by its name. One whose value is no mean also implements `columns`
    and `combine`: it then keeps several sums, and makes its value of them.

    Args:
        name: the name; if None the class' in snake case, with a number behind it from the second object on.

    Attributes:
        variables: those that `add_variable` made.
        sparse: whether targets are integer labels that lack the axis of classes.
        ignore_class: the label that does not count, None if all do.
        heeds_masks: whether steps that the mask of the predictions leaves out do not count in `compile`; for means over
            all values alone.
        _direction: "up" if more is better, "down" if less is; callbacks with mode "auto" go by it.

    Example:
        >>> metric = fastgd.metrics.BinaryAccuracy()
        >>> metric.update_state([[1], [0]], [[0.9], [0.8]])
        >>> metric.result()
        0.5
    """

    sparse: bool = False
    ignore_class: int | None = None
    heeds_masks: bool = False
    _direction: ClassVar[str] = "down"

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            registry.add(cls)

    def __init__(self, name: str | None = None) -> None:
        self.name = name or automatic_name(snake_case(type(self).__name__))
        self._totals: Totals | None = None
        self.variables: list[Variable] = []

    def add_variable(
        self,
        shape: Sequence[int] = (),
        initializer: Any = "zeros",
        dtype: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Return a new variable for a metric with an `update_state`, a `result` and perhaps a `reset_state` of its own.

        Such a metric works on arrays, in loops and in a `train_step` of one's own; `fit` alone needs `lower`.

        Args:
            shape: its shape.
            initializer: a name, a config, an Initializer or a function.
            dtype: "float32" or "float64"; `config.floatx()` if None.
            name: its name; "variable" if None.
        """
        kind = config.floatx() if dtype is None else check_dtype("dtype", dtype)
        value = initializers.get(initializer)(tuple(shape), kind)
        variable = Variable(value, name or "variable", kind, trainable=False)
        self.variables.append(variable)
        return variable

    add_weight = add_variable

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit what is added up for predictions p and targets t.

        Returns:
            Tensor (batch,) of values; or (batch, k) of values for k columns; or int32 (batch, m) of the numbers of the
            columns in which each sample counts, of k in all.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement lower(p, t)")

    def require_lower(self) -> None:
        """Raise a TypeError if the metric has an `update_state` of its own alone, which `fit` does not call."""
        if type(self).lower is Metric.lower and type(self).update_state is not Metric.update_state:
            raise mistyped(
                "A metric with an `update_state` of its own serves loops and models with a `train_step`. For `fit` "
                "derive from metrics.NumpyMetric, give a function of (y_true, y_pred), or implement lower(p, t).",
                metric=type(self).__name__,
            )

    def lower_steps(self, p: Tensor, t: Tensor, steps: Dims) -> Tensor:
        """Emit the value of every step, shape `steps`, which are the first axes of p; only where `heeds_masks`."""
        return by_steps(self.lower, p, t, steps)

    def columns(self, dims: Dims) -> int:
        """Return how many sums are kept for predictions of shape `dims`."""
        return 1

    def combine(self, totals: Totals) -> float | Array:
        """Return the value that the sums make: a number, or an array of float64 for several; 0 if nothing was seen."""
        return float(totals.columns[0]) / totals.weight if totals.weight else 0.0

    def target_dims(self, dims: Dims) -> Dims:
        """Return the shape that targets must have for predictions of shape `dims`."""
        return dims[:-1] if self.sparse else dims

    def reset_state(self) -> None:
        """Forget everything seen; variables become zeros."""
        self._totals = None
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape))

    def update_state(
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> None:
        """Take up one batch.

        Args:
            y_true: targets (n, ...).
            y_pred: predictions (n, ...).
            sample_weight: None or weights (n,).

        Raises:
            ValueError: if the shapes do not fit, or are other than those of the batches before.
        """
        p = np.asarray(y_pred)
        self._add(self._values(np.asarray(y_true), p), self.columns(p.shape), sample_weight)

    def result(self) -> float | Array:
        """Return the value over everything seen since the last reset, 0 if that is nothing."""
        return 0.0 if self._totals is None else self.combine(self._totals)

    def __call__(
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> float | Array:
        """Take up one batch and return the value so far."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Metric:
        """Make an object from what `get_config` returned."""
        return cls(**config)

    def _values(self, t: Array, p: Array) -> Array:
        """Return what `lower` gives for arrays."""
        t = align_ranks(t, p.ndim - self.sparse, p.shape or (0,))
        if p.ndim == 0 or t.shape != self.target_dims(p.shape):
            raise invalid(f"`y_true` and `y_pred` do not fit the metric {self.name!r}.", y_true=t.shape, y_pred=p.shape)
        targets = self._labels(t, p) if self.sparse else t
        values: Array = evaluate(self.lower, [p, targets], labels=[1] if self.sparse else [])
        return values

    def _labels(self, t: Array, p: Array) -> Array:
        return as_labels(t, p.shape[-1], "y_true")

    def _add(self, values: Array, columns: int, sample_weight: npt.ArrayLike | None) -> None:
        """Add the rows of `values`, as `lower` says what they are, to the sums."""
        n = len(values)
        weight = np.ones(n) if sample_weight is None else np.asarray(sample_weight, np.float64)
        if weight.shape == (n, 1):
            weight = weight[:, 0]
        if weight.shape != (n,):
            raise invalid("`sample_weight` must have one value per sample.", sample_weight=weight.shape)
        if values.dtype == np.int32:
            known = (values >= 0) & (values < columns)
            each = np.broadcast_to(weight[:, None], values.shape)
            sums: Array = np.bincount(values[known], each[known], columns)
        else:
            sums = weight @ values.reshape(n, columns).astype(np.float64)
        before = self._totals or Totals(np.zeros(columns), 0.0, 0.0)
        if before.columns.shape != sums.shape:
            message = "The predictions have another shape than those before: call `reset_state`."
            raise invalid(message, columns=columns, columns_before=len(before.columns))
        self._totals = Totals(before.columns + sums, before.weight + float(weight.sum()), before.samples + n)


def as_value(values: Array) -> float | Array:
    """Return an array with one element as a number, any other as it is: so Keras has them in its logs."""
    return float(values.reshape(-1)[0]) if values.size == 1 else values


def divide_no_nan(top: npt.ArrayLike, bottom: npt.ArrayLike) -> Array:
    """Return the quotient in float64, 0 where `bottom` is 0."""
    a, b = np.broadcast_arrays(np.asarray(top, np.float64), np.asarray(bottom, np.float64))
    quotient: Array = np.divide(a, b, out=np.zeros(a.shape), where=b != 0)
    return quotient
