"""Ops that make images and signals smaller by windows, or longer by repeating and interpolating elements."""

from __future__ import annotations

from collections.abc import Sequence

from fastgd.ops.builder import Tensor
from fastgd.ops.checks import require
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.layouts import from_channels_last, to_channels_last
from fastgd.plan import Attribute
from fastgd.utils.windows import check_data_format, check_padding, resolve, window_padding, window_sizes

Sizes = int | Sequence[int]

INTERPOLATIONS = ("nearest", "bilinear")


def _pool(
    op: str, inputs: Tensor, pool_size: Sizes, strides: Sizes | None, padding: str, data_format: str | None
) -> Tensor:
    """Return what the op makes of windows over the spatial axes."""
    order, kind = check_data_format(data_format), check_padding(padding)
    x = to_channels_last(op, inputs, order)
    spatial = x.dims[1:-1]
    window = resolve("pool_size", pool_size, len(spatial))
    steps = window if strides is None else resolve("strides", strides, len(spatial))
    undilated = (1,) * len(spatial)
    before, after = window_padding(kind, spatial, window, steps, undilated)
    dims = (x.dims[0], *window_sizes(spatial, window, steps, undilated, before, after), x.dims[-1])
    attrs: dict[str, Attribute] = {
        "window": window,
        "strides": steps,
        "padding_before": before,
        "padding_after": after,
    }
    return from_channels_last(x.builder.emit(op, [x], [dims], attrs=attrs)[0], order)


@works_on_arrays("inputs")
def max_pool(
    inputs: Tensor,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the largest element of each window, for every channel.

    NaN in a window gives NaN. The first element that reaches the maximum gets the gradient.

    Args:
        inputs: tensor (batch, sizes..., channels) or (batch, channels, sizes...), with 1 to 3 sizes.
        pool_size: the size of the window along each spatial axis, or one for all.
        strides: the steps between windows, likewise; those of `pool_size` if None.
        padding: "valid": windows lie inside the input; "same": there are `ceil(size / stride)` of them, and what lies
            outside the input does not count.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.

    Returns:
        Tensor with the channels in the same place.

    Raises:
        ValueError: if an argument does not fit the input.

    Example:
        >>> ops.max_pool(images, 2)
    """
    return _pool("max_pool", inputs, pool_size, strides, padding, data_format)


@works_on_arrays("inputs")
def average_pool(
    inputs: Tensor,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Return the mean of the elements of each window, for every channel; the arguments are those of `max_pool`.

    With `padding="same"` windows at the ends are the means of fewer elements: padding does not count.
    """
    return _pool("average_pool", inputs, pool_size, strides, padding, data_format)


@works_on_arrays("x")
def upsample(
    x: Tensor, size: int | Sequence[int], interpolation: str = "nearest", data_format: str | None = None
) -> Tensor:
    """Return x with each spatial axis a whole number of times as long.

    Args:
        x: tensor (batch, sizes..., channels) or (batch, channels, sizes...), with 1 to 3 sizes.
        size: how many times along each spatial axis, or one number for all.
        interpolation: "nearest" repeats each element; "bilinear" takes values on the straight line between the centres
            of neighbouring elements, and those of the first and last one beyond them.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.

    Returns:
        Tensor with the channels in the same place.

    Raises:
        ValueError: if an argument does not fit the input.

    Example:
        >>> ops.upsample(images, 2)
    """
    order = check_data_format(data_format)
    message = f"`interpolation` must be one of {', '.join(INTERPOLATIONS)}. Received: interpolation={interpolation!r}"
    require(interpolation in INTERPOLATIONS, "upsample", message)
    y = to_channels_last("upsample", x, order)
    factors = resolve("size", size, len(y.dims) - 2)
    dims = (y.dims[0], *(d * factor for d, factor in zip(y.dims[1:-1], factors, strict=True)), y.dims[-1])
    attrs: dict[str, Attribute] = {"factors": factors, "interpolation": interpolation}
    return from_channels_last(y.builder.emit("upsample", [y], [dims], attrs=attrs)[0], order)
