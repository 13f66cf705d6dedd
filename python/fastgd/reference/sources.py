"""The ops that make a tensor of something else: `constant` of a number, `parameter` of a parameter, `cast` of int32."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.plan import resolve_shape
from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward, number, sizes


@forward("constant")
def constant(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y holds `value` in each element."""
    shape = resolve_shape(sizes(attrs, "shape"), ctx.batch)
    return (np.full(shape, number(attrs, "value", 0.0), ctx.dtype),)


@forward("parameter")
def parameter(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = w."""
    (w,) = params
    return (w,)


@backward("parameter")
def parameter_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dw = dy."""
    return (), (d_outputs[0],)


@forward("cast")
def cast(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = x in the plan's floating type."""
    (x,) = inputs
    if x.dtype != np.int32:
        raise ValueError(f"takes an int32 tensor. Received: dtype={x.dtype}")
    return (x.astype(ctx.dtype),)
