"""The ops that join branches or change shapes: `add`, `concatenate`, `flatten` and `reshape`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import prod

import numpy as np

from fastgd.plan import resolve_shape
from fastgd.reference.registry import (
    Array,
    Attrs,
    Context,
    Gradients,
    MaybeArrays,
    backward,
    forward,
    require_same_shape,
    sizes,
)


@forward("flatten")
def flatten(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y holds the elements of x (n, ...) as (n, prod)."""
    (x,) = inputs
    return (x.reshape(x.shape[0], prod(x.shape[1:])),)


@forward("reshape")
def reshape(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y holds the elements of x in the attribute `shape`, whose negative sizes are multiples of the batch."""
    (x,) = inputs
    target = resolve_shape(sizes(attrs, "shape"), ctx.batch)
    if prod(target) != x.size:
        raise ValueError(f"x of shape {x.shape} cannot become {target}")
    return (x.reshape(target),)


@backward("flatten")
@backward("reshape")
def reshape_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx holds the elements of dy in the shape of x."""
    (x,), (dy,) = inputs, d_outputs
    assert dy is not None
    return (dy.reshape(x.shape),), ()


@forward("add")
def add(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = x0 + x1 + ..., added from the first to the last."""
    if not inputs:
        raise ValueError("takes at least one input")
    for x in inputs[1:]:
        require_same_shape(inputs[0], x)
    if len(inputs) == 1:
        return (inputs[0],)
    y = inputs[0] + inputs[1]
    for x in inputs[2:]:
        y += x
    return (y,)


@backward("add")
def add_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """Each input gets dy as it is."""
    return [d_outputs[0]] * len(inputs), ()


def _axis(attrs: Attrs) -> int:
    """Return the axis of a concatenation."""
    axis = attrs["axis"]
    if not isinstance(axis, int) or axis < 0:
        raise ValueError(f"`axis` must be an integer and not negative. Received: axis={axis!r}")
    return axis


@forward("concatenate")
def concatenate(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = the inputs, one after the other along `axis`."""
    return (np.concatenate(inputs, axis=_axis(attrs)),)


@backward("concatenate")
def concatenate_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """Each input gets its own part of dy."""
    (dy,) = d_outputs
    assert dy is not None
    axis = _axis(attrs)
    ends = list(accumulate(x.shape[axis] for x in inputs))
    return np.split(dy, ends[:-1], axis=axis), ()
