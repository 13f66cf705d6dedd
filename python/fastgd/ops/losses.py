"""Losses per sample: ops whose value is the mean of an elementwise loss over all axes but the first."""

from __future__ import annotations

from fastgd import config
from fastgd.ops.builder import Dims, Tensor, show_dims
from fastgd.ops.checks import require, require_same_dims, require_tensors
from fastgd.ops.eager import works_on_arrays


@works_on_arrays("p", "t")
def mean_squared_error(p: Tensor, t: Tensor) -> Tensor:
    """Return the mean of `(p - t)^2` per sample, shape (batch,), for p and t of one shape."""
    return _emit("mean_squared_error", p, t)[0]


@works_on_arrays("p", "t")
def mean_absolute_error(p: Tensor, t: Tensor) -> Tensor:
    """Return the mean of `|p - t|` per sample, shape (batch,), for p and t of one shape."""
    return _emit("mean_absolute_error", p, t)[0]


@works_on_arrays("p", "t")
def binary_crossentropy(p: Tensor, t: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Return the mean of `-(t log p + (1 - t) log(1 - p))` per sample.

    Args:
        p: probabilities (batch, ...), clipped to `config.epsilon()` from 0 and 1.
        t: targets of the same shape; smoothed to `t (1 - s) + s / 2`.
        label_smoothing: s.

    Returns:
        Tensor (batch,).
    """
    return _emit("binary_crossentropy", p, t, label_smoothing=label_smoothing, epsilon=config.epsilon())[0]


@works_on_arrays("p", "t")
def categorical_crossentropy(p: Tensor, t: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Return `-sum(t log p)` over the c classes of the last axis, per sample.

    Args:
        p: probabilities (batch, ..., c), divided by their sum and clipped to `config.epsilon()` from 0 and 1.
        t: one-hot targets of the same shape; smoothed to `t (1 - s) + s / c`.
        label_smoothing: s.

    Returns:
        Tensor (batch,).
    """
    return _emit("categorical_crossentropy", p, t, label_smoothing=label_smoothing, epsilon=config.epsilon())[0]


@works_on_arrays("p", "t", labels=("t",))
def sparse_categorical_crossentropy(p: Tensor, t: Tensor) -> Tensor:
    """Return `-log p[t]` per sample for probabilities p (batch, ..., c) and labels t (batch, ...)."""
    _require_labels("sparse_categorical_crossentropy", p, t)
    return _emit_unchecked("sparse_categorical_crossentropy", p, t, epsilon=config.epsilon())[0]


@works_on_arrays("z", "t")
def sigmoid_crossentropy(z: Tensor, t: Tensor, label_smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """Return the binary cross-entropy of `p = sigmoid(z)` per sample, and p; exact also where p rounds to 0 or 1."""
    v, p = _emit("sigmoid_crossentropy", z, t, second=z.dims, label_smoothing=label_smoothing)
    return v, p


@works_on_arrays("z", "t")
def softmax_crossentropy(z: Tensor, t: Tensor, label_smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """Return the categorical cross-entropy of `p = softmax(z)` per sample, and p."""
    v, p = _emit("softmax_crossentropy", z, t, second=z.dims, label_smoothing=label_smoothing)
    return v, p


@works_on_arrays("z", "t", labels=("t",))
def sparse_softmax_crossentropy(z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    """Return the cross-entropy of `p = softmax(z)` with integer labels per sample, and p."""
    _require_labels("sparse_softmax_crossentropy", z, t)
    v, p = _emit_unchecked("sparse_softmax_crossentropy", z, t, second=z.dims)
    return v, p


def _emit(op: str, p: Tensor, t: Tensor, second: Dims | None = None, **attrs: float) -> tuple[Tensor, ...]:
    require_tensors(op, p, t)
    require_same_dims(op, [p, t])
    return _emit_unchecked(op, p, t, second, **attrs)


def _emit_unchecked(op: str, p: Tensor, t: Tensor, second: Dims | None = None, **attrs: float) -> tuple[Tensor, ...]:
    outputs = [p.dims[:1]] if second is None else [p.dims[:1], second]
    return p.builder.emit(op, [p, t], outputs, attrs=attrs)


def _require_labels(op: str, p: Tensor, t: Tensor) -> None:
    require_tensors(op, p, t)
    require(
        t.dtype == "int32" and len(p.dims) >= 2 and t.dims == p.dims[:-1],
        op,
        f"labels are int32 and lack only the axis of classes: they are {show_dims(t.dims)} {t.dtype}, "
        f"the predictions {show_dims(p.dims)}",
    )
