"""The layers that change images at random in training, each image by numbers of its own."""

from __future__ import annotations

from typing import Any

from fastgd import ops
from fastgd.layers.layer import Layer
from fastgd.ops.augmentation import FILL_MODES, INTERPOLATIONS
from fastgd.ops.builder import Tensor
from fastgd.ops.layouts import from_channels_last, to_channels_last
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
        """Emit the step in training, nothing otherwise."""
        return self._draw_last(inputs) if training else inputs

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


class RandomAffine(RandomImages, abstract=True):
    """Base of the layers that sample images at other places: how, and what is beyond their edges."""

    def __init__(
        self,
        fill_mode: str,
        interpolation: str,
        seed: int | None,
        fill_value: float,
        data_format: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, data_format, **kwargs)
        if fill_mode not in FILL_MODES:
            raise unknown("way to continue an image", FILL_MODES, fill_mode=fill_mode)
        if interpolation not in INTERPOLATIONS:
            raise unknown("interpolation", INTERPOLATIONS, interpolation=interpolation)
        self.fill_mode, self.interpolation = fill_mode, interpolation
        self.fill_value = check_real("fill_value", fill_value)

    def _sample(self, inputs: Tensor, **ranges: Any) -> Tensor:
        return ops.random_affine(
            inputs,
            self._drawn,
            **ranges,
            interpolation=self.interpolation,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
        )

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        own = {name: getattr(self, name) for name in ("fill_mode", "interpolation", "fill_value")}
        return {**super().get_config(), **own}


class RandomTranslation(RandomAffine):
    """Each image moved by a random part of its height and width in training; else as it is.

    Args:
        height_factor: from where to where images are moved down, in parts of their height; a number f means (-f, f).
        width_factor: the same to the right, in parts of their width.
        fill_mode: what moves in, beyond the edges of a b c d: "constant" k k, "nearest" d d, "reflect" d c, "wrap" a b.
        interpolation: between pixels, "bilinear" or "nearest".
        seed: from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        fill_value: the constant k.
        data_format: "channels_last" or "channels_first"; None means the last.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, height, width, channels) gives y of the same shape.

    Raises:
        ValueError: for factors beyond -1 and 1, and for an unknown mode or interpolation.

    Example:
        >>> fastgd.layers.RandomTranslation(0.1, 0.1, fill_mode="constant")
    """

    def __init__(
        self,
        height_factor: Factor,
        width_factor: Factor,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, self._down = _check_factor("height_factor", height_factor)
        self.width_factor, self._right = _check_factor("width_factor", width_factor)

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return self._sample(inputs, shift=(self._down, self._right))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}


class RandomRotation(RandomAffine):
    """Each image turned about its middle by a random angle in training; else as it is.

    Args:
        factor: from where to where, in full turns, counter-clockwise above 0; a number f means (-f, f).
        fill_mode: as in `RandomTranslation`.
        interpolation: as in `RandomTranslation`.
        seed: from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        fill_value: as in `RandomTranslation`.
        data_format: "channels_last" or "channels_first"; None means the last.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, height, width, channels) gives y of the same shape.

    Raises:
        ValueError: for factors beyond -1 and 1, and for an unknown mode or interpolation.

    Example:
        >>> fastgd.layers.RandomRotation(0.05)
    """

    def __init__(
        self,
        factor: Factor,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.factor, self._turns = _check_factor("factor", factor)

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return self._sample(inputs, rotation=self._turns)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "factor": self.factor}


class RandomZoom(RandomAffine):
    """Each image zoomed about its middle by random factors in training; else as it is.

    Args:
        height_factor: from where to where, above 0 zooming out and below 0 in: pixels of the result lie 1 + factor
            rows apart; a number f means (-f, f).
        width_factor: the same for columns; None takes the number that the height has drawn, so that shapes stay.
        fill_mode: as in `RandomTranslation`.
        interpolation: as in `RandomTranslation`.
        seed: from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        fill_value: as in `RandomTranslation`.
        data_format: "channels_last" or "channels_first"; None means the last.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, height, width, channels) gives y of the same shape.

    Raises:
        ValueError: for factors not above -1 or beyond 1, and for an unknown mode or interpolation.

    Example:
        >>> fastgd.layers.RandomZoom(0.1)
    """

    def __init__(
        self,
        height_factor: Factor,
        width_factor: Factor | None = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **kwargs)
        self.height_factor, rows = _check_factor("height_factor", height_factor, zoom=True)
        self.width_factor: Factor | None = None
        self._zoom: tuple[Any, Any] = (_plus_one(rows), None)
        if width_factor is not None:
            self.width_factor, columns = _check_factor("width_factor", width_factor, zoom=True)
            self._zoom = (_plus_one(rows), _plus_one(columns))

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return self._sample(inputs, zoom=self._zoom)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}


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
        """Emit the step, which does something outside training too."""
        return self._draw_last(inputs)

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.random_crop(inputs, self.height, self.width, self._drawn)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "height": self.height, "width": self.width}


def _check_factor(name: str, factor: Any, zoom: bool = False) -> tuple[Factor, tuple[float, float]]:
    """Return a factor as a config keeps it, and the range that it means."""
    single = not isinstance(factor, (tuple, list))
    if not single and len(factor) != 2:
        raise mistyped(f"`{name}` must be a number or hold two.", **{name: factor})
    numbers = [check_real(name, number, -1.0, 1.0) for number in ((factor,) if single else factor)]
    low, high = (-abs(numbers[0]), abs(numbers[0])) if single else (min(numbers), max(numbers))
    if zoom and low <= -1.0:
        raise invalid(f"`{name}` must stay above -1, where nothing would be seen.", **{name: factor})
    return (numbers[0] if single else (numbers[0], numbers[1])), (low, high)


def _plus_one(factors: tuple[float, float]) -> tuple[float, float]:
    return 1.0 + factors[0], 1.0 + factors[1]
