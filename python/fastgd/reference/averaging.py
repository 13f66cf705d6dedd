"""What all losses and metrics share: one value per sample, the mean of an elementwise value over the other axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Protocol, TypeVar

import numpy as np

from fastgd.reference.registry import (
    Array,
    Attrs,
    Context,
    Gradients,
    MaybeArrays,
    backward,
    forward,
    require_same_shape,
)


class Loss(Protocol):
    """An elementwise loss e(p, t) and its slope de/dp."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e, and after it any further output of the op."""

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return de/dp, where `extras` are the further outputs of `value`."""


LossClass = TypeVar("LossClass", bound=type[Loss])


def mean_per_sample(e: Array) -> Array:
    """Return the mean of e over all axes but the first."""
    rows = e.reshape(e.shape[0], prod(e.shape[1:]))
    mean: Array = np.sum(rows, axis=1) / max(rows.shape[1], 1)
    return mean


def require_labels(p: Array, t: Array, attrs: Attrs) -> None:
    """Raise a ValueError unless t holds, for each row of p (..., c), a class from 0 to c - 1 or the ignored one."""
    if t.shape != p.shape[:-1]:
        raise ValueError(f"predictions of shape {p.shape} do not fit labels of shape {t.shape}")
    t = t[t != attrs["ignore_class"]] if "ignore_class" in attrs else t
    # NumPy would take a negative label for one counted from the end.
    if t.size and not 0 <= int(t.min()) <= int(t.max()) < p.shape[-1]:
        raise ValueError(f"labels must lie in 0..{p.shape[-1] - 1}. Received: {t.min()} to {t.max()}")


def _require_fit(p: Array, t: Array, attrs: Attrs) -> None:
    require_same_shape(p, t)


def loss(
    name: str, class_axis: bool = False, check: Callable[[Array, Array, Attrs], None] = _require_fit
) -> Callable[[LossClass], LossClass]:
    """Return a decorator that registers a `Loss` as the op `name`.

    With e over m elements per sample, v = sum(e) / m, hence dp = de/dp dv / m. The target gets no gradient, and
    neither does anything flow back from a further output.

    Args:
        name: the op.
        class_axis: whether e has already been summed over the last axis of p.
        check: raises a ValueError for a p and a t that do not fit together.
    """

    def register(definition: LossClass) -> LossClass:
        @forward(name)
        def values(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
            p, t = inputs
            check(p, t, attrs)
            e, *extras = definition.value(p, t, attrs)
            return (mean_per_sample(e), *extras)

        @backward(name, differentiable=1)
        def slopes(
            ctx: Context,
            inputs: Sequence[Array],
            params: Sequence[Array],
            outputs: Sequence[Array],
            d_outputs: MaybeArrays,
            attrs: Attrs,
        ) -> Gradients:
            (p, t), dv = inputs, d_outputs[0]
            if dv is None or not ctx.input_needs[0]:
                return (None, None), ()
            share = dv / max(prod(p.shape[1:-1] if class_axis else p.shape[1:]), 1)
            slope = definition.slope(p, t, outputs[1:], attrs)
            return (slope * share.reshape(-1, *(1,) * (p.ndim - 1)), None), ()

        return definition

    return register
