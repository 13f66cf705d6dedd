"""The base of all losses: how values are reduced, how a loss is lowered, and how one is written by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fastgd import ops
from fastgd.losses.values import value_per_row
from fastgd.ops import losses as emit
from fastgd.ops.builder import Dims, PlanBuilder, Tensor, show_dims
from fastgd.ops.eager import evaluate
from fastgd.ops.recording import Recording, recording_of, without_records
from fastgd.plan import BATCH
from fastgd.utils.checks import check_dtype
from fastgd.utils.errors import invalid, mistyped, unknown
from fastgd.utils.naming import snake_case
from fastgd.utils.registry import Registry
from fastgd.utils.targets import align_ranks, as_labels

Array = npt.NDArray[Any]

REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none")

registry: Registry[Loss] = Registry(
    "loss",
    {
        "mse": "MeanSquaredError",
        "mae": "MeanAbsoluteError",
        "mape": "MeanAbsolutePercentageError",
        "msle": "MeanSquaredLogarithmicError",
        "bce": "BinaryCrossentropy",
        "kld": "KLDivergence",
        "cce": "CategoricalCrossentropy",
        "scce": "SparseCategoricalCrossentropy",
    },
)


class Loss:
    """Base of all losses.

    A loss of one's own is a subclass with `call(y_true, y_pred)`, written with `fastgd.ops`; it is then found by its
    name, as all others are.

    Args:
        name: the name; the class' in snake case if None.
        reduction: what becomes of the values l with sample weights s, each of which belongs to a sample; a single value
            for the whole batch counts for every sample where there are weights, else once. "sum_over_batch_size" and
            "mean": `sum(s l)` divided by the number of values; "sum": `sum(s l)`; "mean_with_sample_weight":
            `sum(s l) / sum(s)`; "none" or None: `s l` as it is, which is not for training.
        dtype: None, or the floating type of the model; arrays are computed in it.

    Attributes:
        sparse: whether targets are integer labels that lack the axis of classes.
        link: the activation ("sigmoid", "softmax") whose input is the loss' logit, "" if there is none.
        from_logits: whether predictions are logits.
        ignore_class: the label that does not count, None if all do.

    Example:
        >>> class Quarter(fastgd.losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return 0.25 * ops.mean(ops.square(y_pred - y_true), axis=-1)
    """

    sparse: ClassVar[bool] = False
    link: str = ""
    from_logits: bool = False
    ignore_class: int | None = None

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "call" in cls.__dict__ and "lower" not in cls.__dict__:
            # A `call` of one's own takes the place of what a loss of fastgd does.
            cls.lower, cls.values, cls.link, cls.from_logits = Loss.lower, Loss.values, "", False  # type: ignore[method-assign]
        if not abstract:
            registry.add(cls)

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: str | None = None
    ) -> None:
        if reduction is not None and reduction not in REDUCTIONS:
            raise unknown("reduction", REDUCTIONS, reduction=reduction)
        self.name = name or snake_case(type(self).__name__)
        self.reduction = reduction
        self.dtype = None if dtype is None else check_dtype("dtype", dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the values of predictions against targets; a subclass implements it.

        Their first axis is the batch, or they have no batch: then they are values of the batch as a whole, such as a
        single number.

        Args:
            y_true: targets of the shape of the predictions, or labels where the class says `sparse`.
            y_pred: predictions (batch, ...).
        """
        raise NotImplementedError(f"{type(self).__name__} must implement call(y_true, y_pred)")

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the loss of predictions p against targets t.

        Returns:
            Its value per sample, shape (batch,); or its value for the whole batch, shape (1,), where `call` returns
            nothing that has a batch. In either case the mean over what `call` returns.
        """
        v = self.values_of(p, t)
        if v.dims[:1] == (BATCH,):
            return emit.sample_mean(v)
        return ops.reshape(v if v.dims in ((), (1,)) else ops.mean(v), (1,))

    def lower_logits(self, z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Emit the loss of the logits z; return its value per sample and the probabilities. Only with a `link`."""
        raise NotImplementedError(f"{type(self).__name__} has no form for logits")

    def lower_given(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the loss of predictions as they are, logits or not; return its value per sample."""
        return self.lower_logits(p, t)[0] if self.from_logits else self.lower(p, t)

    def target_dims(self, dims: Dims) -> Dims:
        """Return the shape that targets must have for predictions of shape `dims`."""
        return dims[:-1] if self.sparse else dims

    def label_limit(self, dims: Dims) -> int:
        """Return what labels must stay below for predictions of shape `dims`; only where the class says `sparse`."""
        return dims[-1]

    @property
    def is_written_by_hand(self) -> bool:
        """Whether it is its `call` alone that says what the loss is."""
        return type(self).lower is Loss.lower

    def share(self, v: Tensor, t: Tensor) -> Tensor | None:
        """Return which share of the values of each sample counts in a mean, shape (batch,); None if all do.

        Args:
            v: the loss per sample.
            t: the targets.
        """
        return None if self.ignore_class is None else emit.label_share(t, self.ignore_class)

    def values_per_sample(self, dims: Dims) -> int:
        """Return how many values the loss has for one sample of predictions of shape `dims`, or for the whole batch."""
        return abs(prod(self.value_dims(dims)))

    def is_of_batches(self, dims: Dims) -> bool:
        """Return whether the loss has values of the batch as a whole for predictions of shape `dims`."""
        return all(d >= 0 for d in self.value_dims(dims))

    def value_dims(self, dims: Dims) -> Dims:
        """Return the shape of what `call` returns for predictions of shape `dims`."""
        builder = PlanBuilder("float32")
        t = builder.input("t", self.target_dims(dims), "int32" if self.sparse else None)
        return self.values_of(builder.input("p", dims), t).dims

    def values_of(self, p: Tensor, t: Tensor) -> Tensor:
        """Return the values that `call` gives for tensors."""
        v = self.call(t, p)
        if not isinstance(v, Tensor):
            raise mistyped(f"The loss {self.name!r} must return a tensor made with fastgd.ops.", returned=v)
        if any(d < 0 for d in v.dims) and (v.dims[0] != BATCH or any(d < 0 for d in v.dims[1:])):
            raise ValueError(
                f"The loss {self.name!r} must return values whose first axis is the batch, or that have no batch. "
                f"Received: shape={show_dims(v.dims)}"
            )
        return v

    def __call__(self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Any:
        """Return the reduced loss of arrays.

        Args:
            y_true: targets (n, ...).
            y_pred: predictions (n, ...).
            sample_weight: None, or weights of the shape (n,) or of the values (n, ...).

        Returns:
            A float; an array of values for the reduction "none" or None.

        Raises:
            ValueError: if the shapes do not fit.
            TypeError: for tensors, which `call` takes.
        """
        given: list[Any] = [y_true, y_pred]
        recording = recording_of(given)
        if recording is not None:
            return self._record(recording, y_true, y_pred, sample_weight)
        y_true, y_pred, sample_weight = given = [*map(without_records, [*given, sample_weight])]
        if any(isinstance(y, Tensor) for y in given):
            raise mistyped("A loss is called with arrays; on tensors use its `call`.", y_pred=y_pred)
        raw = self.values(y_true, y_pred)
        valid = self._valid(y_true, raw)
        values = raw.astype(np.float64)
        if sample_weight is not None and values.shape in ((), (1,)):
            # One value for the whole batch is that of every sample.
            values = np.full(len(np.asarray(y_pred)), values)
        weight = None if sample_weight is None else _fit_weight(sample_weight, values.shape)
        if weight is not None:
            values = values * weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
        if self.reduction in (None, "none"):
            return values.astype(raw.dtype)
        total = float(values.sum())
        if self.reduction == "sum":
            return total
        if self.reduction == "mean_with_sample_weight" and weight is not None:
            if valid is not None:
                weight = weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim)) * valid
            divisor = float(weight.sum())
        else:
            divisor = float(values.size if valid is None else valid.sum())
        return total / divisor if divisor else 0.0

    def _record(self, recording: Recording, y_true: Any, y_pred: Any, sample_weight: Any) -> Tensor:
        """Return the reduced loss of what a GradientTape records: a number, or for "none" a value per sample."""
        p = recording.feed(y_pred, recording.dtype, "y_pred")
        t = without_records(y_true)
        if not isinstance(t, Tensor):
            t = align_ranks(np.asarray(t), len(p.dims) - self.sparse, p.dims)
            if self.sparse:
                t = as_labels(t, p.dims[-1], "y_true", self.ignore_class)
            t = recording.feed(t, recording.dtype, "y_true", integer=self.sparse)
        if t.dims != self.target_dims(p.dims):
            raise invalid("`y_true` and `y_pred` must have fitting shapes.", y_true=t.shape, y_pred=p.shape)
        weight = None
        if sample_weight is not None:
            given = without_records(sample_weight)
            flat = given if isinstance(given, Tensor) else np.asarray(given, recording.dtype).reshape(-1)
            weight = recording.feed(flat, recording.dtype, "sample_weight")
        if p.mask is None:
            v = self.lower_given(p, t)
            share = self.share(v, t)
        else:
            # Imported late: it is written with this module.
            from fastgd.losses.masked import masked_loss

            v, share, _ = masked_loss(self, p, t, p.mask, self.from_logits)
        return emit.reduced(v, share, weight, self.reduction or "none", self.values_per_sample(p.dims))

    def values(self, y_true: npt.ArrayLike, y_pred: npt.ArrayLike) -> Array:
        """Return the values that `call` gives for arrays."""
        p = np.asarray(y_pred)
        t = align_ranks(np.asarray(y_true), p.ndim - self.sparse, p.shape or (0,))
        if p.ndim == 0 or t.shape != self.target_dims(p.shape):
            raise invalid("`y_true` and `y_pred` must have fitting shapes.", y_true=t.shape, y_pred=p.shape)
        if self.sparse:
            t = as_labels(t, self.label_limit(p.shape), "y_true")
        values: Array = evaluate(self.values_of, [p, t], self.dtype, labels=[1] if self.sparse else [])
        return values

    def _valid(self, y_true: npt.ArrayLike, values: Array) -> Array | None:
        """Return which of the values count, None if all do."""
        if self.ignore_class is None:
            return None
        return np.asarray(np.asarray(y_true).reshape(values.shape) != self.ignore_class)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        own = {} if self.dtype is None else {"dtype": self.dtype}
        return {"name": self.name, "reduction": self.reduction, **own}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Loss:
        """Make an object from what `get_config` returned."""
        return cls(**config)


class FunctionLoss(Loss, abstract=True):
    """A loss that is a plain function of (y_true, y_pred), under the function's name.

    Args:
        fn: the function, written with `fastgd.ops`.
        reduction: as in `Loss`.
        name: the name; the function's if None.
        dtype: as in `Loss`.
    """

    def __init__(
        self,
        fn: Callable[[Any, Any], Any],
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(name or getattr(fn, "__name__", snake_case(type(fn).__name__)), reduction, dtype)
        self.fn = fn

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return what the function returns."""
        return self.fn(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"fn": self.fn, **super().get_config()}


class NativeLoss(Loss, abstract=True):
    """Base of the losses that one op computes.

    A subclass names its op in snake case by its class name, or sets `op`.

    Attributes:
        op: the op; it takes predictions and targets.
    """

    op: str = ""

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        if not abstract and not cls.op:
            cls.op = snake_case(cls.__name__)
        super().__init_subclass__(abstract=abstract, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the value of every row of the last axis: of arrays an array, of tensors a tensor."""
        return self.values(y_true, y_pred)

    def attrs(self) -> dict[str, Any]:
        """Return the attributes of the op."""
        return {}

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the loss per sample."""
        return emit.per_sample(self.op, p, t, **self.attrs())

    def values_per_sample(self, dims: Dims) -> int:
        """Return how many rows one sample has."""
        return prod(dims[1:-1])

    def is_of_batches(self, dims: Dims) -> bool:
        """Return False: every sample has values."""
        return False

    def values(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of every row: the mean over the last axis alone, as Keras' functions do."""
        return value_per_row(self.lower_given, y_true, y_pred, self.sparse, self.dtype, self.ignore_class)


def _fit_weight(sample_weight: npt.ArrayLike, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Return weights that have one number for each sample, or the shape of the values."""
    weight = np.asarray(sample_weight, np.float64)
    if weight.shape == (*shape[:1], 1):
        weight = weight[:, 0]
    if weight.ndim == 0 or weight.shape != shape[: weight.ndim]:
        raise invalid(
            f"`sample_weight` must have one value per sample or the shape {shape}.", sample_weight=weight.shape
        )
    return weight
