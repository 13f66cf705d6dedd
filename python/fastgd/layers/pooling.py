"""The layers that keep the maximum or the mean of each window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastgd import ops
from fastgd.layers.spatial import SpatialLayer
from fastgd.ops.builder import Tensor
from fastgd.utils.windows import check_padding, resolve


class Pooling(SpatialLayer, abstract=True):
    """Base of the layers that join the elements of windows, for every channel by itself.

    Args:
        pool_size: the size of the window: one integer for all spatial axes, or one for each.
        strides: the steps between windows, likewise; those of `pool_size` if None.
        padding: "valid": windows lie inside the input, `floor((size - pool_size) / stride) + 1` of them; "same": there
            are `ceil(size / stride)`, and what lies outside the input does not count.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        name: the name of the layer.
        **kwargs: those of `Layer`.
    """

    def __init__(
        self,
        pool_size: int | Sequence[int],
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, name=name, **kwargs)
        self.pool_size = resolve("pool_size", pool_size, self.rank)
        self.strides = self.pool_size if strides is None else resolve("strides", strides, self.rank)
        self.padding = check_padding(padding)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        own = {"pool_size": self.pool_size, "padding": self.padding, "strides": self.strides}
        return {**super().get_config(), **own}


class MaxPooling(Pooling, abstract=True):
    """Base of the layers that keep the largest element; the arguments are those of `Pooling`, 2 being the window."""

    def __init__(
        self,
        pool_size: int | Sequence[int] = 2,
        strides: int | Sequence[int] | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, name, **kwargs)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.max_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class AveragePooling(Pooling, abstract=True):
    """Base of the layers that take the mean; the arguments are those of `Pooling`."""

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.average_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class MaxPooling1D(MaxPooling):
    """The largest element of each window along the steps; the first of equal ones gets the gradient.

    Args:
        pool_size: the size of the window.
        strides: the steps between windows; `pool_size` if None.
        padding: "valid": windows lie inside the input; "same": there are `ceil(steps / strides)` of them.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        name: the name of the layer.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, steps, channels) gives y (batch, windows, channels); with "channels_first" the channels stand second.

    Raises:
        ValueError: if no window fits.

    Example:
        >>> fastgd.layers.MaxPooling1D(2)
    """

    rank = 1


class MaxPooling2D(MaxPooling):
    """The largest element of each window over height and width of inputs (batch, height, width, channels).

    The arguments are those of `MaxPooling1D`, sizes and steps being one integer for all axes or one for each.

    Example:
        >>> fastgd.layers.MaxPooling2D((2, 2))
    """

    rank = 2


class MaxPooling3D(MaxPooling):
    """The largest element of each window over all axes of inputs (batch, depth, height, width, channels).

    The arguments are those of `MaxPooling1D`, sizes and steps being one integer for all axes or one for each.

    Example:
        >>> fastgd.layers.MaxPooling3D(2, padding="same")
    """

    rank = 3


class AveragePooling1D(AveragePooling):
    """The mean of each window along the steps; what lies outside the input does not count.

    Args:
        pool_size: the size of the window.
        strides: the steps between windows; `pool_size` if None.
        padding: "valid": windows lie inside the input; "same": there are `ceil(steps / strides)` of them.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        name: the name of the layer.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, steps, channels) gives y (batch, windows, channels); with "channels_first" the channels stand second.

    Raises:
        ValueError: if no window fits.

    Example:
        >>> fastgd.layers.AveragePooling1D(2)
    """

    rank = 1


class AveragePooling2D(AveragePooling):
    """The mean of each window over height and width of inputs (batch, height, width, channels).

    The arguments are those of `AveragePooling1D`, sizes and steps being one integer for all axes or one for each.

    Example:
        >>> fastgd.layers.AveragePooling2D((2, 2))
    """

    rank = 2


class AveragePooling3D(AveragePooling):
    """The mean of each window over all axes of inputs (batch, depth, height, width, channels).

    The arguments are those of `AveragePooling1D`, sizes and steps being one integer for all axes or one for each.

    Example:
        >>> fastgd.layers.AveragePooling3D(2)
    """

    rank = 3
