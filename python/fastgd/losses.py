"""Losses by Keras' names: classes for `compile` and functions on arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fastgd import ops
from fastgd.ops.builder import Dims, Tensor
from fastgd.ops.eager import evaluate
from fastgd.utils.checks import check_bool, check_real
from fastgd.utils.errors import invalid, mistyped, unknown
from fastgd.utils.naming import snake_case
from fastgd.utils.registry import Registry
from fastgd.utils.targets import align_ranks, as_labels

Array = npt.NDArray[Any]

REDUCTIONS = ("sum_over_batch_size", "mean", "sum")

_registry: Registry[Loss] = Registry(
    "loss",
    {
        "mse": "MeanSquaredError",
        "mae": "MeanAbsoluteError",
        "bce": "BinaryCrossentropy",
        "cce": "CategoricalCrossentropy",
        "scce": "SparseCategoricalCrossentropy",
    },
)


class Loss:
    """Base of all losses: `sum(s * l) / n` over the n values l with sample weights s, or `sum(s * l)`.

    A subclass implements `lower` and is then found by its name.

    Args:
        name: the name; the class' in snake case if None.
        reduction: "sum_over_batch_size", which "mean" means too, or "sum".

    Attributes:
        sparse: whether targets are integer labels that lack the axis of classes.
        link: the activation ("sigmoid", "softmax") whose input is the loss' logit, "" if there is none.
        from_logits: whether predictions are logits.
    """

    sparse: ClassVar[bool] = False
    link: ClassVar[str] = ""
    from_logits: bool = False

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            _registry.add(cls)

    def __init__(self, name: str | None = None, reduction: str = "sum_over_batch_size") -> None:
        if reduction not in REDUCTIONS:
            raise unknown("reduction", REDUCTIONS, reduction=reduction)
        self.name = name or snake_case(type(self).__name__)
        self.reduction = reduction

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the loss of predictions p against targets t and return its value per sample, shape (batch,)."""
        raise NotImplementedError(f"{type(self).__name__} must implement lower(p, t)")

    def lower_logits(self, z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Emit the loss of the logits z; return its value per sample and the probabilities. Only with a `link`."""
        raise NotImplementedError(f"{type(self).__name__} has no form for logits")

    def target_dims(self, dims: Dims) -> Dims:
        """Return the shape that targets must have for predictions of shape `dims`."""
        return dims[:-1] if self.sparse else dims

    def __call__(
        self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> float:
        """Return the reduced loss of arrays.

        Args:
            y_true: targets (n, ...).
            y_pred: predictions (n, ...).
            sample_weight: None, or weights of the shape (n,) or of the values (n, ...).

        Returns:
            The sum or the mean; the mean divides by the number of values, not by the sum of weights.

        Raises:
            ValueError: if the shapes do not fit.
        """
        values = self.values(y_true, y_pred).astype(np.float64)
        if sample_weight is not None:
            weight = np.asarray(sample_weight, np.float64)
            if weight.shape == (len(values), 1):
                weight = weight[:, 0]
            if weight.ndim == 0 or weight.shape != values.shape[: weight.ndim]:
                raise invalid(
                    f"`sample_weight` must have one value per sample or the shape {values.shape}.",
                    sample_weight=weight.shape,
                )
            values = values * weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
        total = float(values.sum())
        return total if self.reduction == "sum" else total / max(values.size, 1)

    def values(self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Array:
        """Return the loss of every row: the mean over the last axis alone, as Keras' functions do."""

        def run(p: Tensor, t: Tensor) -> Tensor:
            return self.lower_logits(p, t)[0] if self.from_logits else self.lower(p, t)

        return value_per_row(run, y_true, y_pred, self.sparse)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Loss:
        """Make an object from what `get_config` returned."""
        return cls(**config)


def value_per_row(
    lower: Callable[[Tensor, Tensor], Tensor], y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sparse: bool
) -> Array:
    """Return the value that `lower` gives for every row of the last axis, shape (...) for predictions (..., c).

    Raises:
        ValueError: if the shapes of targets and predictions do not fit.
    """
    p = np.asarray(y_pred)
    t = align_ranks(np.asarray(y_true), p.ndim - sparse, p.shape or (0,))
    if p.ndim == 0 or t.shape != (p.shape[:-1] if sparse else p.shape):
        raise invalid("`y_true` and `y_pred` must have fitting shapes.", y_true=t.shape, y_pred=p.shape)
    rows = p.reshape(-1, p.shape[-1])
    targets = as_labels(t.reshape(-1), p.shape[-1], "y_true") if sparse else t.reshape(rows.shape)
    value: Array = evaluate(lower, [rows, targets], labels=[1] if sparse else [])
    return value.reshape(p.shape[:-1])


class MeanSquaredError(Loss):
    """The mean of `(y_pred - y_true)^2`."""

    def __init__(self, reduction: str = "sum_over_batch_size", name: str = "mean_squared_error") -> None:
        super().__init__(name, reduction)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the loss per sample."""
        return ops.mean_squared_error(p, t)


class MeanAbsoluteError(Loss):
    """The mean of `|y_pred - y_true|`."""

    def __init__(self, reduction: str = "sum_over_batch_size", name: str = "mean_absolute_error") -> None:
        super().__init__(name, reduction)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the loss per sample."""
        return ops.mean_absolute_error(p, t)


class _Crossentropy(Loss, abstract=True):
    """What the cross-entropies share: predictions may be logits, targets may be smoothed."""

    def __init__(self, from_logits: bool, label_smoothing: float, name: str, reduction: str) -> None:
        super().__init__(name, reduction)
        self.from_logits = check_bool("from_logits", from_logits)
        self.label_smoothing = check_real("label_smoothing", label_smoothing, 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        own: dict[str, Any] = {"from_logits": self.from_logits}
        if not self.sparse:
            own["label_smoothing"] = self.label_smoothing
        return {**own, **super().get_config()}


class BinaryCrossentropy(_Crossentropy):
    """The mean of `-(t log p + (1 - t) log(1 - p))` for targets t from 0 to 1.

    Args:
        from_logits: whether predictions are logits z, with `p = sigmoid(z)`, instead of probabilities p.
        label_smoothing: s in `t (1 - s) + s / 2`, which takes the place of t.
        reduction: as in `Loss`.
        name: the name.

    Example:
        >>> fastgd.losses.BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]])
        0.6931471824645996
    """

    link = "sigmoid"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str = "sum_over_batch_size",
        name: str = "binary_crossentropy",
    ) -> None:
        super().__init__(from_logits, label_smoothing, name, reduction)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the loss per sample."""
        return ops.binary_crossentropy(p, t, self.label_smoothing)

    def lower_logits(self, z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Emit the loss per sample and the probabilities."""
        return ops.sigmoid_crossentropy(z, t, self.label_smoothing)


class CategoricalCrossentropy(_Crossentropy):
    """The mean of `-sum(t log p)` over the c classes of the last axis, for one-hot targets t.

    Args:
        from_logits: whether predictions are logits z, with `p = softmax(z)`, instead of probabilities p.
        label_smoothing: s in `t (1 - s) + s / c`, which takes the place of t.
        reduction: as in `Loss`.
        name: the name.
    """

    link = "softmax"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
    ) -> None:
        super().__init__(from_logits, label_smoothing, name, reduction)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the loss per sample."""
        return ops.categorical_crossentropy(p, t, self.label_smoothing)

    def lower_logits(self, z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Emit the loss per sample and the probabilities."""
        return ops.softmax_crossentropy(z, t, self.label_smoothing)


class SparseCategoricalCrossentropy(_Crossentropy):
    """The mean of `-log p[t]` for integer labels t of the classes of the last axis.

    Args:
        from_logits: whether predictions are logits z, with `p = softmax(z)`, instead of probabilities p.
        reduction: as in `Loss`.
        name: the name.
    """

    sparse = True
    link = "softmax"

    def __init__(
        self,
        from_logits: bool = False,
        reduction: str = "sum_over_batch_size",
        name: str = "sparse_categorical_crossentropy",
    ) -> None:
        super().__init__(from_logits, 0.0, name, reduction)

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the loss per sample."""
        return ops.sparse_categorical_crossentropy(p, t)

    def lower_logits(self, z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Emit the loss per sample and the probabilities."""
        return ops.sparse_softmax_crossentropy(z, t)


def mean_squared_error(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Array:
    """Return the mean over the last axis of `(y_pred - y_true)^2`."""
    return MeanSquaredError().values(y_true, y_pred)


def mean_absolute_error(y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Array:
    """Return the mean over the last axis of `|y_pred - y_true|`."""
    return MeanAbsoluteError().values(y_true, y_pred)


def binary_crossentropy(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0
) -> Array:
    """Return the mean over the last axis of the binary cross-entropy; the arguments are the class'."""
    return BinaryCrossentropy(from_logits, label_smoothing).values(y_true, y_pred)


def categorical_crossentropy(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0
) -> Array:
    """Return the cross-entropy over the classes of the last axis; the arguments are the class'."""
    return CategoricalCrossentropy(from_logits, label_smoothing).values(y_true, y_pred)


def sparse_categorical_crossentropy(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, from_logits: bool = False) -> Array:
    """Return the cross-entropy with integer labels over the classes of the last axis."""
    return SparseCategoricalCrossentropy(from_logits).values(y_true, y_pred)


_FUNCTIONS: dict[Callable[..., Any], type[Loss]] = {
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
}


def get(identifier: Any) -> Loss:
    """Return the loss that `identifier` names: a name or alias, a config, a class, a function of this module or a Loss.

    Raises:
        ValueError: for an unknown name.
        TypeError: for anything else, a function of the user's own included.
    """
    if isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if isinstance(identifier, str):
        return _registry.find(identifier, "loss")()
    if isinstance(identifier, Mapping):
        return _registry.from_config(identifier, "loss")
    if callable(identifier):
        if identifier in _FUNCTIONS:
            return _FUNCTIONS[identifier]()
        raise mistyped(
            "`loss` must be a name, a Loss or a function of fastgd.losses: a function of your own cannot be used; "
            "derive a class from Loss instead.",
            loss=identifier,
        )
    raise mistyped("`loss` must be a name, a Loss or a function of fastgd.losses.", loss=identifier)
