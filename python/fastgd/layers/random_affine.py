"""The layers that move, turn and zoom images at random in training."""

from __future__ import annotations

from typing import Any

from fastgd import ops
from fastgd.layers.augmentation import Factor, RandomImages, check_factor
from fastgd.ops.augmentation import FILL_MODES, INTERPOLATIONS
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_real
from fastgd.utils.errors import unknown


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
        self.height_factor, self._down = check_factor("height_factor", height_factor)
        self.width_factor, self._right = check_factor("width_factor", width_factor)

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
        self.factor, self._turns = check_factor("factor", factor)

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
        self.height_factor, rows = check_factor("height_factor", height_factor, zoom=True)
        self.width_factor: Factor | None = None
        self._zoom: tuple[Any, Any] = (_plus_one(rows), None)
        if width_factor is not None:
            self.width_factor, columns = check_factor("width_factor", width_factor, zoom=True)
            self._zoom = (_plus_one(rows), _plus_one(columns))

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return self._sample(inputs, zoom=self._zoom)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "height_factor": self.height_factor, "width_factor": self.width_factor}


def _plus_one(factors: tuple[float, float]) -> tuple[float, float]:
    return 1.0 + factors[0], 1.0 + factors[1]
