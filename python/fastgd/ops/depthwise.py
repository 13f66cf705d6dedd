"""Depthwise and separable convolutions, along one or two axes."""

from __future__ import annotations

from typing import Any

from fastgd.ops.builder import Tensor
from fastgd.ops.checks import require
from fastgd.ops.convolution import Padding, Window, kernel_variable, window_attributes
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.kernel_steps import Weight, fused_attributes, product_params
from fastgd.ops.layouts import from_channels_last, to_channels_last
from fastgd.ops.linear import dense
from fastgd.ops.parameters import as_variable
from fastgd.utils.windows import check_data_format


@works_on_arrays("x")
def depthwise_convolution(
    x: Tensor,
    kernel: Weight,
    bias: Weight | None = None,
    strides: Window = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
    dilation_rate: Window = 1,
    activation: str = "linear",
    **numbers: float,
) -> Tensor:
    """Return `f(sum of x kernel over the window + bias)`, each channel by kernels of its own.

    Args:
        x: tensor (batch, sizes..., channels), or (batch, channels, sizes...) with "channels_first", of one or two
            spatial axes.
        kernel: array or variable (window..., channels, m), whatever the order of the axes of x.
        bias: array or variable (channels m,), or None.
        strides: the steps between windows, one for each spatial axis or one for all.
        padding: "valid", "same" or pairs, as for `convolution`.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        dilation_rate: the steps between the elements of a window, like `strides`.
        activation: the name of f: an elementwise function whose derivative follows from its output (docs/ops.md).
        **numbers: the numbers of f, such as `negative_slope` for "leaky_relu".

    Returns:
        Tensor (batch, numbers of windows..., channels m), its axes in the order of those of x: channel i m + j comes
        from channel i of x and the kernel [..., i, j].

    Raises:
        ValueError: if the shapes do not fit, or if the step cannot take f along.

    Example:
        >>> ops.depthwise_convolution(images, np.ones((3, 3, 64, 1)), padding="same")
    """
    op = "depthwise_convolution"
    data_format = check_data_format(data_format)
    images = to_channels_last(op, x, data_format, (1, 2))
    w = kernel_variable(op, images, kernel)
    channels, many = w.shape[-2:]
    sides = f"x has {images.dims[-1]} channels, the kernel is {w.shape}"
    require(channels == images.dims[-1], op, f"the kernel must have the channels of x last but one: {sides}")
    outputs, where = window_attributes(images.dims[1:-1], w.shape[:-2], strides, padding, dilation_rate)
    attrs = {**where, **fused_attributes(op, activation, numbers)}
    params = product_params(op, w, channels * many, bias)
    dims = (images.dims[0], *outputs, channels * many)
    return from_channels_last(x.builder.emit(op, [images], [dims], params, attrs)[0], data_format)


@works_on_arrays("x")
def separable_convolution(
    x: Tensor,
    depthwise_kernel: Weight,
    pointwise_kernel: Weight,
    bias: Weight | None = None,
    strides: Window = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
    dilation_rate: Window = 1,
    activation: str = "linear",
    **numbers: float,
) -> Tensor:
    """Return `f(z pointwise_kernel + bias)`, z being the `depthwise_convolution` of x.

    Args:
        x: tensor, as for `depthwise_convolution`.
        depthwise_kernel: array or variable (window..., channels, m).
        pointwise_kernel: array or variable (1..., channels m, filters), which mixes the channels of z.
        bias: array or variable (filters,), or None.
        strides: those of the window.
        padding: the zeros around x.
        data_format: the order of the axes.
        dilation_rate: the steps between the elements of the window.
        activation: the name of f.
        **numbers: the numbers of f.

    Returns:
        Tensor (batch, numbers of windows..., filters), its axes in the order of those of x.

    Raises:
        ValueError: if the shapes do not fit, or if the steps cannot take f along.

    Example:
        >>> ops.separable_convolution(images, np.ones((3, 3, 64, 1)), np.ones((1, 1, 64, 128)))
    """
    op = "separable_convolution"
    data_format = check_data_format(data_format)
    images = to_channels_last(op, x, data_format, (1, 2))
    w = as_variable(pointwise_kernel, "pointwise_kernel", x.dtype)
    ones = len(w.shape) == len(images.dims) and set(w.shape[:-2]) == {1}
    require(ones, op, f"the pointwise kernel must have windows of 1 along each spatial axis: it is {w.shape}")
    z = depthwise_convolution(images, depthwise_kernel, None, strides, padding, "channels_last", dilation_rate)
    return from_channels_last(dense(z, w, bias, activation, **numbers), data_format)


def depthwise_conv(
    inputs: Any,
    kernel: Weight,
    strides: Window = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
    dilation_rate: Window = 1,
) -> Tensor:
    """Return the `depthwise_convolution` of x, here `inputs`, without bias and activation."""
    y: Tensor = depthwise_convolution(inputs, kernel, None, strides, padding, data_format, dilation_rate)
    return y


def separable_conv(
    inputs: Any,
    depthwise_kernel: Weight,
    pointwise_kernel: Weight,
    strides: Window = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
    dilation_rate: Window = 1,
) -> Tensor:
    """Return the `separable_convolution` of x, here `inputs`, without bias and activation."""
    kernels = depthwise_kernel, pointwise_kernel
    y: Tensor = separable_convolution(inputs, *kernels, None, strides, padding, data_format, dilation_rate)
    return y
