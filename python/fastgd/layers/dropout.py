"""The layers that silence a random share of their inputs in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from fastgd import ops
from fastgd.layers.noise import RandomLayer, check_below_one
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.windows import check_data_format


class MaskedLayer(RandomLayer, abstract=True):
    """Base of the layers that draw masks, which may be smaller than the input."""

    rate: float

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = _check_noise_shape(noise_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "noise_shape": self.noise_shape}


class Dropout(MaskedLayer):
    """`y = x keep / (1 - rate)` in training, where each element is kept with probability `1 - rate`; else `y = x`.

    The masks follow from the seed, the place of the element and the number of updates done, for any number of threads.
    Two layers of one model never share masks, not even with equal seeds.

    Args:
        rate: the share of elements set to zero, from 0 to 1.
        noise_shape: the shape in which masks are drawn: one size per axis, 1 where all elements along the axis are
            kept or dropped together, None for the size of the input; None alone is the shape of the input.
        seed: from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Raises:
        ValueError: if `rate` is not between 0 and 1.

    Example:
        >>> fastgd.layers.Dropout(0.5)

    Source:
        Srivastava and others, Dropout: A simple way to prevent neural networks from overfitting, JMLR 2014.
    """

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.dropout(inputs, self.rate, self._drawn, self.noise_shape)


class AlphaDropout(MaskedLayer):
    """Dropout that keeps mean 0 and variance 1, for networks with SELU.

    In training `y = a (x keep + limit (1 - keep)) + b`, where the limit is that of SELU far below zero, about -1.76,
    and a and b restore the moments; else `y = x`.

    Args:
        rate: the share of elements set to the limit, from 0 to below 1.
        noise_shape: as in `Dropout`.
        seed: from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Raises:
        ValueError: if `rate` is not from 0 to below 1, where a would be infinite.

    Example:
        >>> fastgd.layers.AlphaDropout(0.1)

    Source:
        Klambauer and others, Self-normalizing neural networks, NIPS 2017.
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, noise_shape, seed, **kwargs)
        check_below_one(rate)

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.alpha_dropout(inputs, self.rate, self._drawn, self.noise_shape)


class SpatialDropout(RandomLayer, abstract=True):
    """Base of the layers that keep or drop whole channels of a sample.

    Args:
        rate: the share of channels set to zero, from 0 to 1.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        seed: from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: if `rate` is not between 0 and 1, or the input has another number of axes.

    Source:
        Tompson and others, Efficient object localization using convolutional networks, CVPR 2015.
    """

    rate: float
    rank: ClassVar[int]

    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        self.data_format = check_data_format(data_format)

    def build(self, input_shape: Any) -> None:
        """Check the shape."""
        if isinstance(input_shape, list) or len(input_shape) != self.rank + 2:
            axes = ", ".join(["batch", *["steps"] * self.rank, "channels"])
            if self.data_format == "channels_first":
                axes = ", ".join(["batch", "channels", *["steps"] * self.rank])
            raise invalid(f"The layer {self.name!r} needs one input of shape ({axes}).", input_shape=input_shape)
        super().build(input_shape)

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        shared = (1,) * self.rank
        last = self.data_format == "channels_last"
        noise_shape = (None, *shared, None) if last else (None, None, *shared)
        return ops.dropout(inputs, self.rate, self._drawn, noise_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "data_format": self.data_format}


class SpatialDropout1D(SpatialDropout):
    """Dropout of whole channels: all time steps of a channel of a sample are kept or dropped together.

    Args:
        rate: the share of channels set to zero, from 0 to 1.
        seed: from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, steps, channels) gives y of the same shape.

    Example:
        >>> fastgd.layers.SpatialDropout1D(0.2)
    """

    rank = 1

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, "channels_last", seed, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        kept = super().get_config()
        del kept["data_format"]
        return kept


class SpatialDropout2D(SpatialDropout):
    """Dropout of whole channels: all pixels of a channel of a sample are kept or dropped together.

    The arguments are those of `SpatialDropout`.

    Shapes:
        x (batch, height, width, channels), or with the channels first, gives y of the same shape.

    Example:
        >>> fastgd.layers.SpatialDropout2D(0.2)
    """

    rank = 2


class SpatialDropout3D(SpatialDropout):
    """Dropout of whole channels of volumes, as `SpatialDropout2D` is for images.

    Shapes:
        x (batch, depth, height, width, channels), or with the channels first, gives y of the same shape.

    Example:
        >>> fastgd.layers.SpatialDropout3D(0.2)
    """

    rank = 3


def _check_noise_shape(noise_shape: Any) -> tuple[int | None, ...] | None:
    if noise_shape is None:
        return None
    if isinstance(noise_shape, (str, bytes)) or not isinstance(noise_shape, Sequence):
        raise mistyped("`noise_shape` must be a tuple of integers and None.", noise_shape=noise_shape)
    return tuple(None if size is None else check_int("noise_shape", size, 1) for size in noise_shape)
