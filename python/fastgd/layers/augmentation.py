"""The layers that change images at random in training, each image by numbers of its own."""

from __future__ import annotations

from typing import Any

from fastgd import ops
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.ops.layouts import from_channels_last, to_channels_last
from fastgd.ops.operands import as_tensors
from fastgd.utils.checks import check_int, check_real, check_seed
from fastgd.utils.errors import invalid, mistyped, unknown
from fastgd.utils.seeds import draw_seed
from fastgd.utils.windows import check_data_format

# A number, which stands for the range from its negative to itself, or the two ends of a range.
Factor = float | tuple[float, float]

FLIPS = {"horizontal": (True, False), "vertical": (False, True), "horizontal_and_vertical": (True, True)}


class RandomImages(Layer, abstract=True):
    """Base of the layers that change images in training and hand them on otherwise.

    The draws follow from the seed, the place of the image in its batch and the number of updates done, for any number
    of threads. Two layers of one model never share draws, not even with equal seeds.
    """

    def __init__(self, seed: int | None = None, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = check_seed("seed", seed)
        self.data_format = check_data_format(data_format)
        self._drawn = draw_seed() if self.seed is None else self.seed

    def build(self, input_shape: Any) -> None:
        """Check the shape."""
        if isinstance(input_shape, list) or len(input_shape) != 4:
            raise invalid(
                f"`input_shape` of the layer {self.name!r} must be that of images, (batch, height, width, channels) or "
                "with the channels first.",
                input_shape=input_shape,
            )
        super().build(input_shape)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Emit the step in training, nothing otherwise; integers are cast."""
        (images,) = as_tensors(self.name, inputs)
        return self._draw_last(images) if training else images

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step for images (batch, height, width, channels)."""
        raise NotImplementedError(f"{type(self).__name__} must implement draw(inputs)")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "seed": self.seed, "data_format": self.data_format}

    def _draw_last(self, inputs: Tensor) -> Tensor:
        last = to_channels_last(type(self).__name__, inputs, self.data_format, (2,))
        return from_channels_last(self.draw(last), self.data_format)


class RandomFlip(RandomImages):
    """Each image mirrored with probability 1/2 in training, with both modes along both axes at once; else as it is.

    Args:
        mode: "horizontal" reverses the columns, "vertical" the rows, "horizontal_and_vertical" both.
        seed: from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        data_format: "channels_last" or "channels_first"; None means the last.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, height, width, channels) gives y of the same shape.

    Raises:
        ValueError: for an unknown mode.

    Example:
        >>> fastgd.layers.RandomFlip("horizontal")
    """

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        if mode not in FLIPS:
            raise unknown("way to flip", FLIPS, mode=mode)
        self.mode = mode

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.random_flip(inputs, self._drawn, *FLIPS[self.mode])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "mode": self.mode}


class RandomCrop(RandomImages):
    """A part of each image: at a random place in training, else the middle, resized.

    Outside training, and for images smaller than the part, it is the largest part in the middle that has the sides'
    ratio `height / width`, resized with bilinear interpolation.

    Args:
        height: the rows of the part.
        width: its columns.
        seed: from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        data_format: "channels_last" or "channels_first"; None means the last.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, rows, columns, channels) gives y (batch, height, width, channels).

    Raises:
        ValueError: for sizes below 1.

    Example:
        >>> fastgd.layers.RandomCrop(24, 24)
    """

    def __init__(
        self, height: int, width: int, seed: int | None = None, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        self.height, self.width = check_int("height", height, 1), check_int("width", width, 1)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Emit the step, which does something outside training too; integers are cast."""
        return self._draw_last(*as_tensors(self.name, inputs))

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.random_crop(inputs, self.height, self.width, self._drawn)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "height": self.height, "width": self.width}


def check_factor(name: str, factor: Any, least: float = -1.0, zoom: bool = False) -> tuple[Factor, tuple[float, float]]:
    """Return a factor as a config keeps it, and the range that it means; its numbers lie from `least` to 1."""
    single = not isinstance(factor, (tuple, list))
    if not single and len(factor) != 2:
        raise mistyped(f"`{name}` must be a number or hold two.", **{name: factor})
    numbers = [check_real(name, number, least, 1.0) for number in ((factor,) if single else factor)]
    low, high = (-abs(numbers[0]), abs(numbers[0])) if single else (min(numbers), max(numbers))
    if zoom and low <= -1.0:
        raise invalid(f"`{name}` must stay above -1, where nothing would be seen.", **{name: factor})
    return (numbers[0] if single else (numbers[0], numbers[1])), (low, high)
