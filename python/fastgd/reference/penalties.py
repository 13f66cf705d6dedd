"""The penalties `penalty` and `orthogonality`, of a parameter or of a tensor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward, number


def _operand(inputs: Sequence[Array], params: Sequence[Array]) -> Array:
    """Return the one array that a penalty is of: an input, or a parameter where there is no input."""
    if len(inputs) + len(params) != 1:
        raise ValueError(f"takes one input or one parameter. Received: {len(inputs)} and {len(params)}")
    return (*inputs, *params)[0]


def _route(inputs: Sequence[Array], slope: Array) -> Gradients:
    """Return the gradient as that of the input or of the parameter."""
    return ((slope,), ()) if inputs else ((), (slope,))


def _is_whole(inputs: Sequence[Array], attrs: Attrs) -> bool:
    return not inputs or not attrs.get("per_sample", True)


@forward("penalty")
def penalty(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """v = l1 sum |x| + l2 sum x^2, over a whole parameter or tensor, or over each sample."""
    x = _operand(inputs, params)
    rows = x.reshape(1, x.size) if _is_whole(inputs, attrs) else x.reshape(len(x), -1 if x.size else 0)
    e = number(attrs, "l1", 0.0) * np.abs(rows) + number(attrs, "l2", 0.0) * np.square(rows)
    return (np.sum(e, axis=1, dtype=np.float64).astype(x.dtype),)


@backward("penalty")
def penalty_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx = dv (l1 sign(x) + 2 l2 x), where the sign of 0 is 0."""
    x, dv = _operand(inputs, params), d_outputs[0]
    assert dv is not None
    slope = number(attrs, "l1", 0.0) * np.sign(x) + 2 * number(attrs, "l2", 0.0) * x
    return _route(inputs, slope * (dv[0] if _is_whole(inputs, attrs) else dv.reshape(-1, *(1,) * (x.ndim - 1))))


def _unit_vectors(x: Array, attrs: Attrs) -> tuple[Array, Array]:
    """Return the rows or columns of x, as rows, divided by their lengths, and what they were multiplied by."""
    vectors = x.T if attrs.get("mode", "rows") == "columns" else x
    with np.errstate(divide="ignore"):
        inverse = 1 / np.sqrt(np.sum(np.square(vectors), axis=1, keepdims=True))
    inverse = np.minimum(inverse, 1 / number(attrs, "epsilon", 1e-7)).astype(x.dtype)
    return vectors * inverse, inverse


def _share_of_a_pair(vectors: Array, attrs: Attrs) -> float:
    """Return what each |n_i . n_j| counts: factor over the number of pairs, each of which the sum meets twice."""
    pairs = len(vectors) * (len(vectors) - 1) / 2
    return number(attrs, "factor", 0.01) / 2 / pairs if pairs else 0.0


@forward("orthogonality")
def orthogonality(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """v = factor times the mean of |n_i . n_j| over all pairs of unit vectors n."""
    x = _operand(inputs, params)
    if x.ndim != 2:
        raise ValueError(f"takes a matrix. Received: {x.shape}")
    if attrs.get("mode", "rows") not in ("rows", "columns"):
        raise ValueError(f"`mode` must be 'rows' or 'columns'. Received: mode={attrs['mode']!r}")
    n, _ = _unit_vectors(x, attrs)
    products = np.abs(n @ n.T)
    np.fill_diagonal(products, 0)
    return (np.array([_share_of_a_pair(n, attrs) * np.sum(products, dtype=np.float64)], x.dtype),)


@backward("orthogonality")
def orthogonality_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """With the signs S of the products n n^T: dn = 2 share dv S n, and dx = (dn - n (n . dn)) / length.

    A vector shorter than epsilon was divided by epsilon instead of its length, and nothing is subtracted.
    """
    x, dv = _operand(inputs, params), d_outputs[0]
    assert dv is not None
    n, inverse = _unit_vectors(x, attrs)
    signs = np.sign(n @ n.T)
    np.fill_diagonal(signs, 0)
    dn = 2 * _share_of_a_pair(n, attrs) * dv[0] * (signs @ n)
    along = np.sum(n * dn, axis=1, keepdims=True) * (inverse < 1 / number(attrs, "epsilon", 1e-7))
    slope = (dn - n * along) * inverse
    return _route(inputs, np.ascontiguousarray(slope.T) if attrs.get("mode", "rows") == "columns" else slope)
