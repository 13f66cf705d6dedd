"""The layers that keep one number of each channel: its maximum or its mean over all spatial axes."""

from __future__ import annotations

from typing import Any

from fastgd import ops
from fastgd.layers.spatial import SpatialLayer
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_bool


class GlobalPooling(SpatialLayer, abstract=True):
    """Base of the layers that join all elements of a channel.

    Args:
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        keepdims: whether the spatial axes stay, with the size 1.
        **kwargs: those of `Layer`.
    """

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.keepdims = check_bool("keepdims", keepdims)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "keepdims": self.keepdims}


class GlobalMaxPooling(GlobalPooling, abstract=True):
    """Base of the layers that keep the largest element of a channel."""

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.max(inputs, self.spatial_axes, self.keepdims)


class GlobalAveragePooling(GlobalPooling, abstract=True):
    """Base of the layers that take the mean of a channel."""

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.mean(inputs, self.spatial_axes, self.keepdims)


class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest element of each channel over all steps; equal ones share the gradient.

    Args:
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        keepdims: whether the steps stay, with the size 1.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, steps, channels) gives y (batch, channels), or (batch, 1, channels) with `keepdims`; with
        "channels_first" the channels stand second.

    Example:
        >>> fastgd.layers.GlobalMaxPooling1D()
    """

    rank = 1


class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest element of each channel of images (batch, height, width, channels).

    The arguments are those of `GlobalMaxPooling1D`.

    Example:
        >>> fastgd.layers.GlobalMaxPooling2D()
    """

    rank = 2


class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest element of each channel of volumes (batch, depth, height, width, channels).

    The arguments are those of `GlobalMaxPooling1D`.

    Example:
        >>> fastgd.layers.GlobalMaxPooling3D(keepdims=True)
    """

    rank = 3


class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean of each channel over all steps, or over those that a mask (batch, steps) lets count.

    Args:
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        keepdims: whether the steps stay, with the size 1.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, steps, channels) gives y (batch, channels), or (batch, 1, channels) with `keepdims`; with
        "channels_first" the channels stand second.

    Example:
        >>> fastgd.layers.GlobalAveragePooling1D()

    Source:
        Lin and others, Network in network, ICLR 2014.
    """

    rank = 1

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Emit the mean, over the steps that count if there is a mask; without any such step it is not a number."""
        if mask is None:
            return super().call(inputs)
        axes = self.spatial_axes
        counts = ops.expand_dims(mask, 1 if axes[0] == 2 else 2)
        total = ops.sum(ops.where(counts, inputs, 0.0), axes, self.keepdims)
        y: Tensor = ops.divide(total, ops.sum(counts, axes, self.keepdims))
        return y

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Return None: there are no steps any more."""


class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean of each channel of images (batch, height, width, channels).

    The arguments are those of `GlobalAveragePooling1D`.

    Example:
        >>> fastgd.layers.GlobalAveragePooling2D()
    """

    rank = 2


class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean of each channel of volumes (batch, depth, height, width, channels).

    The arguments are those of `GlobalAveragePooling1D`.

    Example:
        >>> fastgd.layers.GlobalAveragePooling3D(keepdims=True)
    """

    rank = 3
