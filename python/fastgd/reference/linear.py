"""The linear ops: `dense`, with its bias and activation, and `matmul`."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from fastgd.reference.activations import activate, find_fused, gradient
from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward


def _matrix(x: Array, params: Sequence[Array]) -> Array:
    """Return w as a matrix: its first axes are those of size i together, the last of x.

    Raises:
        ValueError: unless some first axes make i, and b, if there is one, has an element for each column.
    """
    if len(params) not in (1, 2):
        raise ValueError(f"takes the parameters w and perhaps b. Received: {len(params)} parameters")
    w = params[0]
    cut = next((k for k in range(1, w.ndim) if prod(w.shape[:k]) == x.shape[-1]), 0)
    if not cut:
        raise ValueError(f"x of shape {x.shape} does not fit w of shape {w.shape}")
    matrix = w.reshape(x.shape[-1], prod(w.shape[cut:]))
    if len(params) == 2 and params[1].size != matrix.shape[1]:
        raise ValueError(f"b of shape {params[1].shape} does not fit w of shape {w.shape}")
    return matrix


def _rows(x: Array) -> Array:
    """Return x as a matrix, its leading axes merged: one large product is much faster than many small ones."""
    return x.reshape(prod(x.shape[:-1]), x.shape[-1])


@forward("dense")
def dense(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = f(x w + b), over the last axis of x."""
    (x,) = inputs
    y = np.matmul(_rows(x), _matrix(x, params))
    if len(params) == 2:
        y += params[1].ravel()
    y = activate(*find_fused(attrs), y)
    return (y.reshape(*x.shape[:-1], y.shape[-1]),)


@backward("dense")
def dense_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """With z = x w + b and dz = f'(z) dy: dx = dz w^T, dw = x^T dz, db = the sum of dz over the rows."""
    (x,), (y,), (dy,) = inputs, outputs, d_outputs
    assert dy is not None
    dz = _rows(gradient(*find_fused(attrs), x, y, dy))
    dx = np.matmul(dz, _matrix(x, params).T).reshape(x.shape) if ctx.input_needs[0] else None
    dw = np.matmul(_rows(x).T, dz).reshape(params[0].shape) if ctx.param_needs[0] else None
    if len(params) == 1:
        return (dx,), (dw,)
    db = np.sum(dz, axis=0).reshape(params[1].shape) if ctx.param_needs[1] else None
    return (dx,), (dw, db)


def _swap(a: Array, swapped: object) -> Array:
    """Return a with its last two axes swapped where `swapped` is true."""
    return np.swapaxes(a, -1, -2) if swapped else a


@forward("matmul")
def matmul(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = a b for each matrix of the leading axes; `transpose_a`, `transpose_b`: stored with the last axes swapped."""
    a, b = inputs
    if min(a.ndim, b.ndim) < 2 or a.shape[:-2] != b.shape[:-2]:
        raise ValueError(f"the leading axes must be equal. Received: {a.shape} and {b.shape}")
    return (np.matmul(_swap(a, attrs.get("transpose_a")), _swap(b, attrs.get("transpose_b"))),)


@backward("matmul")
def matmul_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """da = dy b^T and db = a^T dy, each swapped back to the way its matrix is stored."""
    (dy,) = d_outputs
    assert dy is not None
    swap_a, swap_b = attrs.get("transpose_a"), attrs.get("transpose_b")
    a, b = _swap(inputs[0], swap_a), _swap(inputs[1], swap_b)
    da = _swap(np.matmul(dy, _swap(b, True)), swap_a) if ctx.input_needs[0] else None
    db = _swap(np.matmul(_swap(a, True), dy), swap_b) if ctx.input_needs[1] else None
    return (da, db), ()
