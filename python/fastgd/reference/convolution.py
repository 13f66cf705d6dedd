"""The ops `convolution`, `depthwise_convolution` and `transposed_convolution`, with the channels last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from fastgd.reference.activations import activate, find_fused, gradient
from fastgd.reference.registry import Array, Attrs, Context, Gradients, MaybeArrays, backward, forward, integer, sizes
from fastgd.reference.windows import Geometry, read_geometry

# The elements that the windows of one group of samples have at most, laid out one after the other.
_MOST_ELEMENTS = 1 << 22


def correlate(x: Array, kernel: Array, at: Geometry, groups: int = 1) -> Array:
    """Return y (n, outputs, f): the sums over window and channels of x (n, sizes, c) times kernel (window, c/g, f)."""
    weights = _by_group(kernel, groups)
    weights = weights.reshape(groups, prod(kernel.shape[:-1]), weights.shape[-1])
    y = np.empty((len(x), *at.outputs, kernel.shape[-1]), x.dtype)
    for some in _parts(x, at):
        y[some] = _join(np.matmul(_windows(x[some], at, groups), weights), y[some].shape)
    return y


def adjoint(dy: Array, kernel: Array, at: Geometry, groups: int = 1) -> Array:
    """Return dx (n, sizes, c), the gradient of sum(dy correlate(x)) by x."""
    weights = _by_group(kernel, groups)
    split = _split(dy, groups)
    dx = np.zeros((len(dy), *at.padded, kernel.shape[-2] * groups), dy.dtype)
    shape = (*dy.shape[:-1], dx.shape[-1])
    for k, tap in enumerate(np.ndindex(at.window)):
        dx[at.of_tap(tap)] += _join(np.matmul(split, np.swapaxes(weights[:, k], -1, -2)), shape)
    return at.unpad(dx)


def kernel_gradient(x: Array, dy: Array, at: Geometry, groups: int = 1) -> Array:
    """Return dkernel (window, c/g, f), the gradient of sum(dy correlate(x)) by the kernel."""
    channels, filters = x.shape[-1] // groups, dy.shape[-1]
    total = np.zeros((groups, prod(at.window) * channels, filters // groups), dy.dtype)
    for some in _parts(x, at):
        total += np.matmul(np.swapaxes(_windows(x[some], at, groups), -1, -2), _split(dy[some], groups))
    return np.moveaxis(total, 0, 1).reshape(*at.window, channels, filters)


def _parts(x: Array, at: Geometry) -> Iterator[slice]:
    """Yield slices of the samples whose windows together have a moderate number of elements."""
    count = max(1, _MOST_ELEMENTS // max(1, prod(at.outputs) * prod(at.window) * x.shape[-1]))
    for first in range(0, len(x), count):
        yield slice(first, first + count)


def _windows(x: Array, at: Geometry, groups: int) -> Array:
    """Return the windows of x as the rows of one matrix per group: (groups, n outputs, window c/g)."""
    count, window, channels = len(x) * prod(at.outputs), prod(at.window), x.shape[-1] // groups
    rows = at.view(at.pad(x)).reshape(count, window, groups, channels)
    return np.moveaxis(rows, 2, 0).reshape(groups, count, window * channels)


def _by_group(kernel: Array, groups: int) -> Array:
    """Return kernel (window, c/g, f) as (groups, elements of the window, c/g, f/g)."""
    *window, channels, filters = kernel.shape
    return np.moveaxis(kernel.reshape(prod(window), channels, groups, filters // groups), 2, 0)


def _split(y: Array, groups: int) -> Array:
    """Return y (..., f) as one matrix per group: (groups, rows, f/g)."""
    return np.moveaxis(y.reshape(prod(y.shape[:-1]), groups, y.shape[-1] // groups), 1, 0)


def _join(matrices: Array, shape: Sequence[int]) -> Array:
    """Return what `_split` made one matrix per group of."""
    return np.moveaxis(matrices, 0, 1).reshape(shape)


def _check(x: Array, params: Sequence[Array]) -> None:
    """Raise a ValueError unless kernel and bias have the right number of axes."""
    if len(params) not in (1, 2) or x.ndim not in (3, 4, 5) or params[0].ndim != x.ndim:
        shapes = [value.shape for value in params]
        raise ValueError(f"takes a kernel of as many axes as x and perhaps a bias. Received: {x.shape} and {shapes}")


def _check_bias(params: Sequence[Array], filters: int) -> None:
    if len(params) == 2 and params[1].shape != (filters,):
        raise ValueError(f"b of shape {params[1].shape} does not fit the {filters} filters")


def _of_convolution(x: Array, params: Sequence[Array], attrs: Attrs) -> tuple[Geometry, int]:
    """Return the geometry of a convolution and its groups."""
    _check(x, params)
    channels, filters = params[0].shape[-2:]
    groups = integer(attrs, "groups") if "groups" in attrs else 1
    if groups < 1 or channels * groups != x.shape[-1] or filters % groups:
        raise ValueError(f"x of shape {x.shape} does not fit the kernel {params[0].shape} in {groups} groups")
    _check_bias(params, filters)
    return read_geometry(x.shape[1:-1], params[0].shape[:-2], attrs), groups


def _of_transposed(x: Array, params: Sequence[Array], attrs: Attrs) -> Geometry:
    """Return the geometry of the convolution of which a step is the adjoint."""
    _check(x, params)
    filters, channels = params[0].shape[-2:]
    _check_bias(params, filters)
    at = read_geometry(sizes(attrs, "sizes"), params[0].shape[:-2], attrs)
    if channels != x.shape[-1] or at.outputs != x.shape[1:-1]:
        raise ValueError(f"x of shape {x.shape} does not fit the kernel {params[0].shape} and windows {at.outputs}")
    return at


def _finish(z: Array, params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """Return f(z + bias) as the only output."""
    if len(params) == 2:
        z += params[1]
    return (activate(*find_fused(attrs), z),)


def _dz(x: Array, outputs: Sequence[Array], d_outputs: MaybeArrays, attrs: Attrs) -> Array:
    """Return dz = f'(z) dy."""
    (y,), (dy,) = outputs, d_outputs
    assert dy is not None
    return gradient(*find_fused(attrs), x, y, dy)


def _d_params(ctx: Context, params: Sequence[Array], d_kernel: Array | None, dz: Array) -> MaybeArrays:
    """Return the gradients of kernel and bias: db is the sum of dz over everything but the channels."""
    if len(params) == 1:
        return (d_kernel,)
    return d_kernel, np.sum(dz, axis=tuple(range(dz.ndim - 1))) if ctx.param_needs[1] else None


@forward("convolution")
def convolution(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = f(sum of x kernel over window and channels + b)."""
    (x,) = inputs
    return _finish(correlate(x, params[0], *_of_convolution(x, params, attrs)), params, attrs)


@backward("convolution")
def convolution_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx is the adjoint of dz; dkernel sums, for each of its elements, the products of what it met in x and dz."""
    (x,) = inputs
    at, groups = _of_convolution(x, params, attrs)
    dz = _dz(x, outputs, d_outputs, attrs)
    dx = adjoint(dz, params[0], at, groups) if ctx.input_needs[0] else None
    d_kernel = kernel_gradient(x, dz, at, groups) if ctx.param_needs[0] else None
    return (dx,), _d_params(ctx, params, d_kernel, dz)


def _in_groups(x: Array, params: Sequence[Array]) -> Sequence[Array]:
    """Return the parameters of a depthwise convolution as those of one whose groups are single channels.

    Raises:
        ValueError: unless the kernel is (window, c, m), along one or two axes.
    """
    kernel, *rest = params
    if kernel.ndim not in (3, 4) or kernel.shape[-2] != x.shape[-1]:
        raise ValueError(f"x of shape {x.shape} does not fit the kernel {kernel.shape}")
    return kernel.reshape(*kernel.shape[:-2], 1, prod(kernel.shape[-2:])), *rest


@forward("depthwise_convolution")
def depthwise_convolution(
    ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs
) -> Sequence[Array]:
    """The convolution with as many groups as channels: output i m + j is channel i with the kernel [..., i, j]."""
    return convolution(ctx, inputs, _in_groups(inputs[0], params), {**attrs, "groups": inputs[0].shape[-1]})


@backward("depthwise_convolution")
def depthwise_convolution_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """The gradients of that convolution."""
    grouped = {**attrs, "groups": inputs[0].shape[-1]}
    own = _in_groups(inputs[0], params)
    d_inputs, (d_kernel, *rest) = convolution_backward(ctx, inputs, own, outputs, d_outputs, grouped)
    return d_inputs, (None if d_kernel is None else d_kernel.reshape(params[0].shape), *rest)


@forward("transposed_convolution")
def transposed_convolution(
    ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs
) -> Sequence[Array]:
    """y = f(the adjoint of the convolution of an input of `sizes`, at x, + b)."""
    (x,) = inputs
    return _finish(adjoint(x, params[0], _of_transposed(x, params, attrs)), params, attrs)


@backward("transposed_convolution")
def transposed_convolution_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx is the convolution of dz; dkernel is that of a convolution of dz whose output has the gradient x."""
    (x,) = inputs
    at = _of_transposed(x, params, attrs)
    dz = _dz(x, outputs, d_outputs, attrs)
    dx = correlate(dz, params[0], at) if ctx.input_needs[0] else None
    d_kernel = kernel_gradient(dz, x, at) if ctx.param_needs[0] else None
    return (dx,), _d_params(ctx, params, d_kernel, dz)
