"""Losses and metrics of predictions that carry a mask: values for every step, and which of them count."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import NamedTuple

from fastgd import ops
from fastgd.losses.loss import Loss
from fastgd.ops.builder import Dims, Tensor, show_dims
from fastgd.ops.losses import sample_mean
from fastgd.ops.shaping import view
from fastgd.utils.errors import invalid


class MaskedValues(NamedTuple):
    """What a loss gives for predictions of which some steps do not count.

    Attributes:
        v: for each sample the mean over all steps of the values that count, those that do not being 0.
        share: for each sample the share of its steps that count, None if all do.
        p: the predictions that metrics read.
    """

    v: Tensor
    share: Tensor | None
    p: Tensor


def masked_loss(loss: Loss, y: Tensor, t: Tensor, mask: Tensor, from_logits: bool) -> MaskedValues:
    """Emit a loss of predictions y against targets t.

    Args:
        loss: the loss.
        y: the predictions, or the logits that they come from.
        t: the targets.
        mask: which steps count, shape (batch, ...) of the first axes of y.
        from_logits: whether y are logits for a loss that has a form for them.

    Raises:
        ValueError: if the loss has no values for each step.
    """
    values = loss.value_dims(y.dims)
    if values[: len(mask.dims)] != mask.dims:
        text = f"The loss {loss.name!r} has values of shape {show_dims(values)}, which a mask of steps does not fit."
        raise invalid(text, mask=show_dims(mask.dims))
    if loss.ignore_class is not None:
        mask = ops.multiply(mask, ops.not_equal(t, float(loss.ignore_class)))
    p = y
    if loss.is_written_by_hand:
        v = mean_of_steps(loss.values_of(y, t), mask.dims)
    elif from_logits:
        v, p = loss.lower_logits(fold(y, mask.dims), fold(t, mask.dims))
        v = view(v, mask.dims)
        # Who asks for a loss of logits reads these in metrics, too.
        p = y if loss.from_logits else view(p, y.dims)
    else:
        v = by_steps(loss.lower, y, t, mask.dims)
    return MaskedValues(sample_mean(ops.multiply(v, mask)), sample_mean(mask), p)


def by_steps(lower: Callable[[Tensor, Tensor], Tensor], p: Tensor, t: Tensor, steps: Dims) -> Tensor:
    """Return what `lower`, which gives one value per sample, gives for every step, shape `steps`."""
    return view(lower(fold(p, steps), fold(t, steps)), steps)


def mean_of_steps(v: Tensor, steps: Dims) -> Tensor:
    """Return the mean of values over the axes behind those of the sizes `steps`.

    Raises:
        ValueError: if the values do not begin with these.
    """
    if v.dims[: len(steps)] != steps:
        raise invalid(f"A mask of shape {show_dims(steps)} does not fit the values.", values=show_dims(v.dims))
    y: Tensor = ops.mean(v, tuple(range(len(steps), len(v.dims)))) if len(v.dims) > len(steps) else v
    return y


def fold(x: Tensor, steps: Dims) -> Tensor:
    """Return x with its first axes, of the sizes `steps`, as one."""
    return view(x, (-abs(prod(steps)), *x.dims[len(steps) :]))
