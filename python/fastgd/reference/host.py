"""The op that calls a function of the user's on arrays: `numpy_function`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.plan import HostFunction, resolve_shape
from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward


@forward("numpy_function", calls_back=True)
def numpy_function(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = forward(x)."""
    function = _function(attrs)
    shapes = tuple(resolve_shape(shape, ctx.batch) for shape in function.shapes)
    return function.forward(_copies(inputs), shapes)


@backward("numpy_function")
def numpy_function_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx = backward(dy, y, x)."""
    function = _function(attrs)
    if function.backward is None:
        raise ValueError(
            f"[numpy_function] {function.name!r} has no `backward`, but weights before it are trained: "
            "give it one, or put `ops.stop_gradient` before it"
        )
    # A later output that the plan leaves out has no entry.
    given = [*d_outputs, *[None] * (len(outputs) - len(d_outputs))]
    d_all = [np.zeros_like(y) if dy is None else dy for y, dy in zip(outputs, given, strict=True)]
    return function.backward(_copies(d_all), _copies(outputs), _copies(inputs)), ()


def _function(attrs: Attrs) -> HostFunction:
    function = attrs["function"]
    if not isinstance(function, HostFunction):
        raise ValueError(f"attribute `function` must be a HostFunction. Received: {function!r}")
    return function


def _copies(arrays: Sequence[Array]) -> tuple[Array, ...]:
    # Users keep what they are given, and may write into it.
    return tuple(np.array(array, order="C") for array in arrays)
