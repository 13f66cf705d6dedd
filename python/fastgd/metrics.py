"""Metrics by Keras' names: classes for `compile` that also accumulate on arrays, and functions on arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fastgd import config, losses, ops
from fastgd.losses import Loss
from fastgd.ops.builder import Dims, Tensor
from fastgd.ops.eager import evaluate
from fastgd.ops.losses import per_sample
from fastgd.utils.checks import check_real
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.naming import snake_case
from fastgd.utils.registry import Registry
from fastgd.utils.targets import align_ranks, as_labels

Array = npt.NDArray[Any]

_registry: Registry[Metric] = Registry(
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


class Metric:
    """Base of all metrics: `sum(s v) / sum(s)` over the samples with values v and weights s.

    A subclass implements `lower` and is then found by its name.

    Args:
        name: the name; the class' in snake case if None.

    Attributes:
        sparse: whether targets are integer labels that lack the axis of classes.
        _direction: "up" if more is better, "down" if less is; callbacks with mode "auto" go by it.

    Example:
        >>> metric = fastgd.metrics.BinaryAccuracy()
        >>> metric.update_state([[1], [0]], [[0.9], [0.8]])
        >>> metric.result()
        0.5
    """

    sparse: ClassVar[bool] = False
    _direction: ClassVar[str] = "down"

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            _registry.add(cls)

    def __init__(self, name: str | None = None) -> None:
        self.name = name or snake_case(type(self).__name__)
        self.reset_state()

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric of predictions p against targets t and return its value per sample, shape (batch,)."""
        raise NotImplementedError(f"{type(self).__name__} must implement lower(p, t)")

    def target_dims(self, dims: Dims) -> Dims:
        """Return the shape that targets must have for predictions of shape `dims`."""
        return dims[:-1] if self.sparse else dims

    def reset_state(self) -> None:
        """Forget everything seen."""
        self._total = 0.0
        self._count = 0.0

    def update_state(
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> None:
        """Take up one batch.

        Args:
            y_true: targets (n, ...).
            y_pred: predictions (n, ...).
            sample_weight: None or weights (n,).

        Raises:
            ValueError: if the shapes do not fit.
        """
        values = self._values(np.asarray(y_true), np.asarray(y_pred)).astype(np.float64)
        weight = np.ones_like(values) if sample_weight is None else np.asarray(sample_weight, np.float64)
        if weight.shape != values.shape:
            raise invalid("`sample_weight` must have one value per sample.", sample_weight=weight.shape)
        self._total += float((weight * values).sum())
        self._count += float(weight.sum())

    def result(self) -> float:
        """Return the value over everything seen since the last reset, 0 if that is nothing."""
        return self._total / self._count if self._count else 0.0

    def __call__(
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> float:
        """Take up one batch and return the value so far."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def _values(self, t: Array, p: Array) -> Array:
        t = align_ranks(t, p.ndim - self.sparse, p.shape or (0,))
        if p.ndim == 0 or t.shape != self.target_dims(p.shape):
            raise invalid(f"`y_true` and `y_pred` do not fit the metric {self.name!r}.", y_true=t.shape, y_pred=p.shape)
        targets = as_labels(t, p.shape[-1], "y_true") if self.sparse else t
        values: Array = evaluate(self.lower, [p, targets], labels=[1] if self.sparse else [])
        return values

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Metric:
        """Make an object from what `get_config` returned."""
        return cls(**config)


class Accuracy(Metric):
    """The share of `y_pred == y_true`."""

    _direction = "up"

    def __init__(self, name: str = "accuracy") -> None:
        super().__init__(name)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return ops.accuracy(p, t)


class BinaryAccuracy(Metric):
    """The share of `(y_pred > threshold) == y_true`."""

    _direction = "up"

    def __init__(self, name: str = "binary_accuracy", threshold: float = 0.5) -> None:
        super().__init__(name)
        self.threshold = check_real("threshold", threshold)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return ops.binary_accuracy(p, t, self.threshold)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), "threshold": self.threshold}


class CategoricalAccuracy(Metric):
    """The share of `argmax y_pred == argmax y_true` over the last axis."""

    _direction = "up"

    def __init__(self, name: str = "categorical_accuracy") -> None:
        super().__init__(name)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return ops.categorical_accuracy(p, t)


class SparseCategoricalAccuracy(Metric):
    """The share of `argmax y_pred == y_true` for integer labels."""

    sparse = True
    _direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy") -> None:
        super().__init__(name)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return ops.sparse_categorical_accuracy(p, t)


class _LossMetric(Metric, abstract=True):
    """A loss observed as a metric."""

    loss: Loss
    # The arguments that the metric shares with the loss.
    _options: ClassVar[tuple[str, ...]] = ()

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return self.loss.lower_given(p, t)


class _PlainLossMetric(_LossMetric, abstract=True):
    """A loss without arguments of its own, observed as a metric; the name is the loss' if none is given."""

    _loss: ClassVar[type[Loss]]

    def __init__(self, name: str | None = None) -> None:
        self.loss = self._loss()
        super().__init__(name or self.loss.name)


class MeanSquaredError(_PlainLossMetric):
    """The mean of `(y_pred - y_true)^2`."""

    _loss = losses.MeanSquaredError


class MeanAbsoluteError(_PlainLossMetric):
    """The mean of `|y_pred - y_true|`."""

    _loss = losses.MeanAbsoluteError


class MeanAbsolutePercentageError(_PlainLossMetric):
    """The mean of `100 |y_true - y_pred| / max(|y_true|, epsilon)`."""

    _loss = losses.MeanAbsolutePercentageError


class MeanSquaredLogarithmicError(_PlainLossMetric):
    """The mean of `(log(y_true + 1) - log(y_pred + 1))^2`."""

    _loss = losses.MeanSquaredLogarithmicError


class KLDivergence(_PlainLossMetric):
    """The mean of `sum(y_true log(y_true / y_pred))` over the last axis."""

    _loss = losses.KLDivergence


class Poisson(_PlainLossMetric):
    """The mean of `y_pred - y_true log(y_pred + epsilon)`."""

    _loss = losses.Poisson


class Hinge(_PlainLossMetric):
    """The mean of `max(1 - y_true y_pred, 0)`."""

    _loss = losses.Hinge


class SquaredHinge(_PlainLossMetric):
    """The mean of `max(1 - y_true y_pred, 0)^2`."""

    _loss = losses.SquaredHinge


class CategoricalHinge(_PlainLossMetric):
    """The mean of `max(neg - pos + 1, 0)` with `pos = sum(y_true y_pred)`, `neg = max((1 - y_true) y_pred)`."""

    _loss = losses.CategoricalHinge


class LogCoshError(_PlainLossMetric):
    """The mean of `log(cosh(y_pred - y_true))`."""

    _loss = losses.LogCosh

    def __init__(self, name: str | None = "logcosh") -> None:
        super().__init__(name)


class CosineSimilarity(_LossMetric):
    """The mean cosine between the vectors of the last axis: unlike the loss, 1 for one direction."""

    _direction = "up"

    def __init__(self, name: str = "cosine_similarity", axis: int = -1) -> None:
        super().__init__(name)
        self.loss = losses.CosineSimilarity(axis)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the metric per sample."""
        return per_sample("cosine_similarity", p, t, epsilon=config.epsilon())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), "axis": -1}


class _FunctionMetric(_LossMetric, abstract=True):
    """A plain function of (y_true, y_pred), observed under its name."""

    def __init__(self, fn: Callable[[Any, Any], Any]) -> None:
        made = losses.get(fn)
        assert made is not None
        self.loss = made
        super().__init__(made.name)


class BinaryCrossentropy(_LossMetric):
    """The binary cross-entropy; the arguments are those of the loss."""

    _options = ("from_logits", "label_smoothing")

    def __init__(
        self, name: str = "binary_crossentropy", from_logits: bool = False, label_smoothing: float = 0.0
    ) -> None:
        super().__init__(name)
        self.loss = losses.BinaryCrossentropy(from_logits, label_smoothing)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {k: v for k, v in self.loss.get_config().items() if k in self._options} | super().get_config()


class CategoricalCrossentropy(_LossMetric):
    """The cross-entropy over classes; the arguments are those of the loss."""

    _options = ("from_logits", "label_smoothing", "axis")

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
    ) -> None:
        super().__init__(name)
        self.loss = losses.CategoricalCrossentropy(from_logits, label_smoothing, axis)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {k: v for k, v in self.loss.get_config().items() if k in self._options} | super().get_config()


class SparseCategoricalCrossentropy(_LossMetric):
    """The cross-entropy with integer labels; the arguments are those of the loss."""

    sparse = True
    _options = ("from_logits", "axis")

    def __init__(
        self, name: str = "sparse_categorical_crossentropy", from_logits: bool = False, axis: int = -1
    ) -> None:
        super().__init__(name)
        self.loss = losses.SparseCategoricalCrossentropy(from_logits, axis=axis)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {k: v for k, v in self.loss.get_config().items() if k in self._options} | super().get_config()


def binary_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, threshold: float = 0.5) -> Array:
    """Return the mean over the last axis of `(y_pred > threshold) == y_true`."""
    return losses.value_per_row(BinaryAccuracy(threshold=threshold).lower, y_true, y_pred, sparse=False)


def categorical_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Array:
    """Return 1 where the largest of the last axis is at the same place in both, else 0."""
    return losses.value_per_row(ops.categorical_accuracy, y_true, y_pred, sparse=False)


def sparse_categorical_accuracy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Array:
    """Return 1 where the largest of the last axis is at the place that the label names, else 0."""
    return losses.value_per_row(ops.sparse_categorical_accuracy, y_true, y_pred, sparse=True)


# The functions on arrays that stand for a metric in `compile`, those of the losses included.
_FUNCTIONS: dict[Callable[..., Any], type[Metric]] = {
    binary_accuracy: BinaryAccuracy,
    categorical_accuracy: CategoricalAccuracy,
    sparse_categorical_accuracy: SparseCategoricalAccuracy,
    losses.mean_squared_error: MeanSquaredError,
    losses.mean_absolute_error: MeanAbsoluteError,
    losses.mean_absolute_percentage_error: MeanAbsolutePercentageError,
    losses.mean_squared_logarithmic_error: MeanSquaredLogarithmicError,
    losses.kl_divergence: KLDivergence,
    losses.poisson: Poisson,
    losses.hinge: Hinge,
    losses.squared_hinge: SquaredHinge,
    losses.categorical_hinge: CategoricalHinge,
    losses.log_cosh: LogCoshError,
    losses.binary_crossentropy: BinaryCrossentropy,
    losses.categorical_crossentropy: CategoricalCrossentropy,
    losses.sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
}

mean_squared_error = losses.mean_squared_error
mean_absolute_error = losses.mean_absolute_error
mean_absolute_percentage_error = losses.mean_absolute_percentage_error
mean_squared_logarithmic_error = losses.mean_squared_logarithmic_error
kl_divergence = losses.kl_divergence
poisson = losses.poisson
hinge = losses.hinge
squared_hinge = losses.squared_hinge
categorical_hinge = losses.categorical_hinge
binary_crossentropy = losses.binary_crossentropy
categorical_crossentropy = losses.categorical_crossentropy
sparse_categorical_crossentropy = losses.sparse_categorical_crossentropy

ACCURACY_NAMES = ("accuracy", "acc")
CROSSENTROPY_NAMES = ("crossentropy", "ce")


def get(identifier: Any, dims: Dims | None = None, sparse: bool = False) -> Metric:
    """Return the metric that `identifier` names; a name given as a string becomes the name of the metric.

    Args:
        identifier: a name or alias, a config, a class, a Metric, or a function of (y_true, y_pred): one of this module,
            or one of your own that is written with `fastgd.ops`.
        dims: the shape of the predictions, by which "accuracy" and "crossentropy" choose their form: binary where it
            ends in one, else with integer labels or one-hot targets.
        sparse: whether targets are integer labels.

    Returns:
        The metric.

    Raises:
        ValueError: for an unknown name.
        TypeError: for anything else.
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    if isinstance(identifier, str):
        metric = _shorthand(identifier, dims, sparse) or _registry.find(identifier, "metric")()
        metric.name = identifier
        return metric
    if isinstance(identifier, Mapping):
        return _registry.from_config(identifier, "metric")
    if callable(identifier) and not isinstance(identifier, (type, Loss)):
        return _FUNCTIONS[identifier]() if identifier in _FUNCTIONS else _FunctionMetric(identifier)
    raise mistyped("`metric` must be a name, a Metric or a function of (y_true, y_pred).", metric=identifier)


def _shorthand(name: str, dims: Dims | None, sparse: bool) -> Metric | None:
    """Return the accuracy or cross-entropy that a short name stands for, None for any other name."""
    if dims is None or name.lower() not in ACCURACY_NAMES + CROSSENTROPY_NAMES:
        return None
    form = 0 if dims[-1] == 1 and not sparse else 1 if sparse else 2
    if name.lower() in ACCURACY_NAMES:
        return (BinaryAccuracy, SparseCategoricalAccuracy, CategoricalAccuracy)[form]()
    return (BinaryCrossentropy, SparseCategoricalCrossentropy, CategoricalCrossentropy)[form]()
