"""The layers that change the brightness and the contrast of images at random in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from fastgd import ops
from fastgd.layers.augmentation import Factor, RandomImages, check_factor
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_real
from fastgd.utils.errors import mistyped


class RandomTone(RandomImages, abstract=True):
    """Base of the layers that change the values of the pixels: by how much, and which values there are."""

    _least: ClassVar[float] = -1.0

    def __init__(self, factor: Factor, value_range: Sequence[float], seed: int | None, **kwargs: Any) -> None:
        super().__init__(seed, **kwargs)
        self.factor, self._range = check_factor("factor", factor, self._least)
        if not isinstance(value_range, (tuple, list)) or len(value_range) != 2:
            raise mistyped("`value_range` must hold two numbers.", value_range=value_range)
        low, high = sorted(check_real("value_range", bound) for bound in value_range)
        self.value_range = (low, high)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "factor": self.factor, "value_range": self.value_range}


class RandomBrightness(RandomTone):
    """Each image made brighter or darker in training, `y = x + d`, cut to the range of values; else as it is.

    Args:
        factor: from where to where d lies, in parts of the range of values, at most from -1 to 1; a number f means
            (-f, f).
        value_range: the least and the largest value of a pixel.
        seed: from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        **kwargs: those of `Layer`, and `data_format`.

    Shapes:
        x (batch, height, width, channels) gives y of the same shape.

    Raises:
        ValueError: for factors beyond -1 and 1.

    Example:
        >>> fastgd.layers.RandomBrightness(0.2, value_range=(0, 1))
    """

    def __init__(
        self, factor: Factor, value_range: Sequence[float] = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(factor, value_range, seed, **kwargs)

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        low, high = self.value_range
        brightness = tuple(share * (high - low) for share in self._range)
        return ops.random_tone(inputs, self._drawn, brightness=brightness, value_range=self.value_range)


class RandomContrast(RandomTone):
    """Each image of more or less contrast in training, `y = (x - mean) f + mean`, cut to the range of values.

    The mean is that of each channel of the image. Outside training images are as they are.

    Args:
        factor: f lies between 1 - low and 1 + high for the pair (low, high) of numbers from 0 to 1; a number means
            both.
        value_range: the least and the largest value of a pixel.
        seed: from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        **kwargs: those of `Layer`, and `data_format`.

    Shapes:
        x (batch, height, width, channels) gives y of the same shape.

    Raises:
        ValueError: for factors beyond 0 and 1.

    Example:
        >>> fastgd.layers.RandomContrast(0.2, value_range=(0, 1))
    """

    _least = 0.0

    def __init__(
        self, factor: Factor, value_range: Sequence[float] = (0, 255), seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(factor, value_range, seed, **kwargs)

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        low, high = self._range
        contrast = (1.0 - abs(low), 1.0 + high)
        return ops.random_tone(inputs, self._drawn, contrast=contrast, value_range=self.value_range)
