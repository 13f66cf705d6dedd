"""The ops behind losses: values per sample, which `fastgd.losses` is made of, and what stands between these and terms.

Nothing here is part of `fastgd.ops`: its functions of like names, in `crossentropies`, do not average.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod

from fastgd.ops.binary import divide, multiply
from fastgd.ops.builder import Dims, Tensor, show_dims
from fastgd.ops.checks import require, require_same_dims, require_tensors
from fastgd.ops.moving import broadcast_to
from fastgd.ops.reductions import mean, sum
from fastgd.ops.selecting import where
from fastgd.plan import Attribute


def per_sample(op: str, p: Tensor, t: Tensor, **attrs: Attribute) -> Tensor:
    """Return the value per sample, shape (batch,), of the loss op `op` for predictions p and targets t.

    Raises:
        ValueError: if their shapes do not fit.
    """
    return _emit(op, p, t, [p.dims[:1]], attrs)[0]


def with_probabilities(op: str, z: Tensor, t: Tensor, **attrs: Attribute) -> tuple[Tensor, Tensor]:
    """Return the value per sample of a loss op that takes logits z, and the probabilities that it finds on the way.

    Raises:
        ValueError: if the shapes do not fit.
    """
    v, p = _emit(op, z, t, [z.dims[:1], z.dims], attrs)
    return v, p


def signed_labels(t: Tensor) -> Tensor:
    """Return `2 t - 1` if every target of the batch is 0 or 1, else t."""
    return t.builder.emit("signed_labels", [t], [t.dims])[0]


def label_share(t: Tensor, ignore_class: int) -> Tensor:
    """Return for each sample the share of its labels that are not `ignore_class`, shape (batch,)."""
    return t.builder.emit("label_share", [t], [t.dims[:1]], attrs={"ignore_class": ignore_class})[0]


def sample_mean(x: Tensor) -> Tensor:
    """Return the mean of x (batch, ...) over all axes but the first; x itself if it has no other."""
    return x if len(x.dims) == 1 else mean(x, axis=tuple(range(1, len(x.dims))))


def divide_by_mean(v: Tensor, divisors: Sequence[Tensor], scale: float) -> Tensor:
    """Return `scale v / m`, m being the mean over the batch of the product of the divisors; 0 where m is 0."""
    m = mean(reduce(multiply, divisors), axis=0, keepdims=True)
    y: Tensor = multiply(v, where(m, divide(scale, m), 0.0))
    return y


def reduced(v: Tensor, share: Tensor | None, weight: Tensor | None, reduction: str, values: float) -> Tensor:
    """Return the number that a loss reduces its values to, or for "none" its values per sample.

    Args:
        v: the values, one per sample or one for the whole batch.
        share: which share of the values of each sample counts in a mean, None if all do.
        weight: the weights of the samples (batch,), None for ones.
        reduction: as in `losses.Loss`.
        values: how many values of the loss a value of v is the mean of.
    """
    divisors = [] if share is None or reduction == "sum" else [share]
    scale = 1.0
    if weight is not None:
        v = multiply(broadcast_to(v, (None,)) if v.dims == (1,) else v, weight)
        if reduction == "mean_with_sample_weight":
            scale = 1.0 if divisors else values
            divisors.append(weight)
    if reduction == "none":
        return v
    if reduction == "sum":
        total = sum(v)
        return total if values == 1 else multiply(total, values)
    return mean(divide_by_mean(v, divisors, scale) if divisors else v)


def by_rows(op: str, p: Tensor, t: Tensor, from_logits: bool, **attrs: Attribute) -> Tensor:
    """Return the value of the loss op for every row of the last axis, shape p.dims[:-1]."""
    flat = p if len(p.dims) == 2 else _reshaped(p, (-abs(prod(p.dims[:-1])), p.dims[-1]))
    rows = t if len(p.dims) == 2 else _reshaped(t, flat.dims[: 1 + (len(t.dims) == len(p.dims))])
    emit = with_probabilities if from_logits else per_sample
    value = emit(op, flat, rows, **attrs)
    v = value[0] if isinstance(value, tuple) else value
    return v if len(p.dims) == 2 else _reshaped(v, p.dims[:-1])


def by_elements(op: str, p: Tensor, t: Tensor, from_logits: bool, **attrs: Attribute) -> Tensor:
    """Return the value of the loss op for every element, of the shape of p."""
    require_same_dims(op, [p, t])
    flat, targets = (_reshaped(x, (-abs(prod(x.dims)),)) for x in (p, t))
    emit = with_probabilities if from_logits else per_sample
    value = emit(op, flat, targets, **attrs)
    return _reshaped(value[0] if isinstance(value, tuple) else value, p.dims)


def _reshaped(x: Tensor, dims: Dims) -> Tensor:
    if x.dims == dims:
        return x
    return x.builder.emit("reshape", [x], [dims], attrs={"shape": dims}, dtype=x.dtype)[0]


def _emit(op: str, p: Tensor, t: Tensor, outputs: list[Dims], attrs: dict[str, Attribute]) -> tuple[Tensor, ...]:
    require_tensors(op, p, t)
    if op.startswith("sparse_"):
        require(
            t.dtype == "int32" and len(p.dims) >= 2 and t.dims == p.dims[:-1],
            op,
            f"labels are int32 and lack only the axis of classes: they are {show_dims(t.dims)} {t.dtype}, "
            f"the predictions {show_dims(p.dims)}",
        )
    else:
        require_same_dims(op, [p, t])
    return p.builder.emit(op, [p, t], outputs, attrs=attrs)
