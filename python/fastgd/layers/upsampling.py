"""The layers that make spatial axes a whole number of times as long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastgd import ops
from fastgd.layers.spatial import SpatialLayer
from fastgd.ops.builder import Tensor
from fastgd.ops.pooling import INTERPOLATIONS
from fastgd.utils.checks import check_int
from fastgd.utils.errors import mistyped, unknown
from fastgd.utils.windows import resolve


class UpSampling1D(SpatialLayer):
    """Each step `size` times: x (batch, steps, channels) gives y (batch, size steps, channels).

    Args:
        size: how often.
        **kwargs: those of `Layer`.

    Example:
        >>> fastgd.layers.UpSampling1D(2)
    """

    rank = 1
    has_data_format = False

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__("channels_last", **kwargs)
        self.size = check_int("size", size, 1)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.upsample(inputs, self.size, data_format=self.data_format)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "size": self.size}


class UpSampling2D(SpatialLayer):
    """Images `size` times as high and wide: their elements repeated, or values on straight lines between them.

    Args:
        size: the factors of height and width, or one integer for both.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        interpolation: "nearest" repeats each element; "bilinear" takes values between the centres of neighbouring
            elements, first along one axis and then along the other.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, height, width, channels) gives y (batch, size[0] height, size[1] width, channels); with
        "channels_first" the channels stand second.

    Raises:
        ValueError: for another interpolation, or a factor below 1.

    Example:
        >>> fastgd.layers.UpSampling2D((2, 2), interpolation="bilinear")
    """

    rank = 2

    def __init__(
        self,
        size: int | Sequence[int] = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format, **kwargs)
        self.size = resolve("size", size, self.rank)
        if not isinstance(interpolation, str):
            raise mistyped("`interpolation` must be a name.", interpolation=interpolation)
        if interpolation.lower() not in INTERPOLATIONS:
            raise unknown("interpolation", INTERPOLATIONS, interpolation=interpolation)
        self.interpolation = interpolation.lower()

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.upsample(inputs, self.size, self.interpolation, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "size": self.size, "interpolation": self.interpolation}


class UpSampling3D(SpatialLayer):
    """Volumes `size` times as deep, high and wide, their elements being repeated.

    Args:
        size: the factors of the three axes, or one integer for all.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, depth, height, width, channels) gives y of as many axes; with "channels_first" the channels stand
        second.

    Example:
        >>> fastgd.layers.UpSampling3D(2)
    """

    rank = 3

    def __init__(self, size: int | Sequence[int] = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.size = resolve("size", size, self.rank)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.upsample(inputs, self.size, data_format=self.data_format)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "size": self.size}
