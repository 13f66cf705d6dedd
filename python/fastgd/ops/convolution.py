"""Convolutions and transposed convolutions, along one, two or three axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.kernel_steps import Weight, fused_attributes, product_params
from fastgd.ops.layouts import from_channels_last, to_channels_last
from fastgd.ops.parameters import Variable, as_variable
from fastgd.plan import Attribute
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid
from fastgd.utils.windows import (
    Sizes,
    check_data_format,
    check_padding,
    resolve,
    transposed_sizes,
    window_extents,
    window_padding,
    window_sizes,
)

Window = int | Sequence[int]
Padding = str | Sequence[Sequence[int]]


@works_on_arrays("x")
def convolution(
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
    """Return `f(sum of x kernel over the window and the channels + bias)`, the window sliding over one to three axes.

    The kernel is not reversed: this is a cross-correlation.

    Args:
        x: tensor (batch, sizes..., channels), or (batch, channels, sizes...) with "channels_first".
        kernel: array or variable (window..., channels / groups, filters), whatever the order of the axes of x. Groups
            of neighbouring filters see one group of neighbouring channels each; how many follows from this size.
        bias: array or variable (filters,), or None.
        strides: the steps between windows, one for each spatial axis or one for all.
        padding: "valid" for no zeros around x; "same" for outputs of the sizes `ceil(size / stride)`, the odd zero
            being behind; "causal", along one axis, for all zeros in front; or a pair `(before, after)` of numbers for
            each axis, negative ones to crop it.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        dilation_rate: the steps between the elements of a window, like `strides`.
        activation: the name of f: an elementwise function whose derivative follows from its output (docs/ops.md).
        **numbers: the numbers of f, such as `negative_slope` for "leaky_relu".

    Returns:
        Tensor (batch, numbers of windows..., filters), its axes in the order of those of x.

    Raises:
        ValueError: if the shapes do not fit, or if the step cannot take f along.

    Example:
        >>> ops.convolution(images, np.ones((3, 3, 1, 8)), padding="same")
    """
    data_format = check_data_format(data_format)
    images = to_channels_last("convolution", x, data_format)
    sizes, channels = images.dims[1:-1], images.dims[-1]
    w = kernel_variable("convolution", images, kernel)
    window, (inside, filters) = w.shape[:-2], w.shape[-2:]
    groups = channels // inside
    divides = groups > 0 and channels % inside == 0 and filters % groups == 0
    sides = f"x has {channels} channels, the kernel is {w.shape}"
    require(divides, "convolution", f"the channels of x must be those of the kernel, or a multiple of them: {sides}")
    outputs, where = window_attributes(sizes, window, strides, padding, dilation_rate, causal=len(sizes) == 1)
    attrs = {**where, "groups": groups, **fused_attributes("convolution", activation, numbers)}
    dims = (images.dims[0], *outputs, filters)
    params = product_params("convolution", w, filters, bias)
    return from_channels_last(x.builder.emit("convolution", [images], [dims], params, attrs)[0], data_format)


@works_on_arrays("x")
def transposed_convolution(
    x: Tensor,
    kernel: Weight,
    bias: Weight | None = None,
    strides: Window = 1,
    padding: Padding = "valid",
    output_padding: Window | None = None,
    data_format: str | None = None,
    dilation_rate: Window = 1,
    activation: str = "linear",
    **numbers: float,
) -> Tensor:
    """Return `f(x transposed + bias)`: each element of x lays the kernel, times itself, into the output.

    Without f and bias that is the gradient of a convolution by its input, at a gradient x of its output. With e the
    extent of the dilated kernel and p the output padding an output has `(size - 1) stride + e + p` elements for
    "valid", where p is by default what lacks from e to the stride, and `(size - 1) stride + e % 2 + p` for "same",
    by default `size stride`.

    Args:
        x: tensor (batch, sizes..., channels), or (batch, channels, sizes...) with "channels_first".
        kernel: array or variable (window..., filters, channels), whatever the order of the axes of x.
        bias: array or variable (filters,), or None.
        strides: the steps in the output between neighbours in x, one for each spatial axis or one for all.
        padding: "valid" to keep all, "same" to cut both ends off, the odd element behind; or a pair `(before, after)`
            for each axis: how many elements are cut off.
        output_padding: the elements that the output has more behind, one number for each spatial axis or one for all.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        dilation_rate: the steps between the elements of the kernel, like `strides`.
        activation: the name of f: an elementwise function whose derivative follows from its output (docs/ops.md).
        **numbers: the numbers of f.

    Returns:
        Tensor (batch, larger sizes..., filters), its axes in the order of those of x.

    Raises:
        ValueError: if the shapes do not fit, or if the step cannot take f along.

    Example:
        >>> ops.transposed_convolution(codes, np.ones((4, 4, 8, 100)), strides=2, padding="same")
    """
    data_format = check_data_format(data_format)
    images = to_channels_last("transposed_convolution", x, data_format)
    sizes, channels = images.dims[1:-1], images.dims[-1]
    w = kernel_variable("transposed_convolution", images, kernel)
    window, (filters, inside) = w.shape[:-2], w.shape[-2:]
    sides = f"x has {channels} channels, the kernel is {w.shape}"
    require(inside == channels, "transposed_convolution", f"the last size of the kernel must be the channels: {sides}")
    steps, apart = resolve("strides", strides, len(sizes)), resolve("dilation_rate", dilation_rate, len(sizes))
    more = None if output_padding is None else resolve("output_padding", output_padding, len(sizes), 0)
    if isinstance(padding, str):
        outputs, before, after = transposed_sizes(check_padding(padding), sizes, window, steps, apart, more)
    else:
        before, behind = _pairs(padding, len(sizes))
        after = tuple(b - m for b, m in zip(behind, more or (0,) * len(sizes), strict=True))
        each = zip(sizes, steps, window_extents(window, apart), before, after, strict=True)
        outputs = tuple((s - 1) * step + extent - b - a for s, step, extent, b, a in each)
    if min(outputs) < 1:
        raise invalid("`padding` leaves nothing of the output.", padding=padding, output_sizes=outputs)
    attrs = {
        "sizes": outputs, "strides": steps, "dilations": apart, "padding_before": before, "padding_after": after,
        **fused_attributes("transposed_convolution", activation, numbers),
    }  # fmt: skip
    dims = (images.dims[0], *outputs, filters)
    params = product_params("transposed_convolution", w, filters, bias)
    return from_channels_last(x.builder.emit("transposed_convolution", [images], [dims], params, attrs)[0], data_format)


def conv(
    inputs: Any,
    kernel: Weight,
    strides: Window = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
    dilation_rate: Window = 1,
) -> Tensor:
    """Return the `convolution` of x, here `inputs`, without bias and activation."""
    y: Tensor = convolution(inputs, kernel, None, strides, padding, data_format, dilation_rate)
    return y


def conv_transpose(
    inputs: Any,
    kernel: Weight,
    strides: Window = 1,
    padding: Padding = "valid",
    output_padding: Window | None = None,
    data_format: str | None = None,
    dilation_rate: Window = 1,
) -> Tensor:
    """Return the `transposed_convolution` of x, here `inputs`, without bias and activation."""
    y: Tensor = transposed_convolution(
        inputs, kernel, None, strides, padding, output_padding, data_format, dilation_rate
    )
    return y


def kernel_variable(op: str, x: Tensor, kernel: Weight) -> Variable:
    """Return the kernel of a step as a variable.

    Raises:
        ValueError: unless it has as many axes as x, none of them empty.
    """
    w = as_variable(kernel, "kernel", x.dtype)
    sizes = f"x is {show_dims(x.dims)}, the kernel {w.shape}"
    require(len(w.shape) == len(x.dims) and 0 not in w.shape, op, f"the kernel must have as many axes as x: {sizes}")
    return w


def window_attributes(
    sizes: Sizes, window: Sizes, strides: Window, padding: Padding, dilation_rate: Window, causal: bool = False
) -> tuple[Sizes, dict[str, Attribute]]:
    """Return the numbers of windows along the spatial axes, and the attributes of a step that say where they lie.

    Args:
        sizes: the sizes of what the window slides over.
        window: the sizes of the window.
        strides: the steps between windows.
        padding: the kind of padding, or pairs.
        dilation_rate: the steps between the elements of a window.
        causal: whether "causal" is allowed.

    Raises:
        TypeError: if something is no integer.
        ValueError: for an unknown kind, a number that is too small, or if no window fits.
    """
    steps, apart = resolve("strides", strides, len(sizes)), resolve("dilation_rate", dilation_rate, len(sizes))
    if isinstance(padding, str):
        before, after = window_padding(check_padding(padding, causal), sizes, window, steps, apart)
    else:
        before, after = _pairs(padding, len(sizes))
    outputs = window_sizes(sizes, window, steps, apart, before, after)
    return outputs, {"strides": steps, "dilations": apart, "padding_before": before, "padding_after": after}


def _pairs(padding: Sequence[Sequence[int]], rank: int) -> tuple[Sizes, Sizes]:
    """Return the numbers before and those after the axes."""
    fits = isinstance(padding, (tuple, list)) and all(isinstance(p, (tuple, list)) and len(p) == 2 for p in padding)
    if not fits or len(padding) != rank:
        raise invalid(f"`padding` must name a kind or hold a pair for each of {rank} axes.", padding=padding)
    before, after = (tuple(check_int("padding", pair[k], -(2**31)) for pair in padding) for k in (0, 1))
    return before, after
