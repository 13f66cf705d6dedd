"""The layers that add or multiply Gaussian noise in training."""

from __future__ import annotations

from math import sqrt
from typing import Any, ClassVar

from fastgd import ops
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_real, check_seed
from fastgd.utils.errors import invalid
from fastgd.utils.seeds import draw_seed


class RandomLayer(Layer, abstract=True):
    """Base of the layers that do something random in training: one number says how much, a seed which draws.

    The draws follow from the seed, the place of the element and the number of updates done, for any number of threads.
    Two layers of one model never share draws, not even with equal seeds.
    """

    supports_masking = True
    _strength: ClassVar[str] = "rate"

    def __init__(self, strength: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        setattr(self, self._strength, check_real(self._strength, strength, 0.0, 1.0))
        self.seed = check_seed("seed", seed)
        self._drawn = draw_seed() if self.seed is None else self.seed

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Emit the step in training, nothing otherwise."""
        return self.draw(inputs) if training and getattr(self, self._strength) else inputs

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        raise NotImplementedError(f"{type(self).__name__} must implement draw(inputs)")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), self._strength: getattr(self, self._strength), "seed": self.seed}


class GaussianNoise(RandomLayer):
    """`y = x + stddev z` in training, with normal deviates z; else `y = x`.

    Args:
        stddev: the standard deviation of the noise, from 0 to 1.
        seed: from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Raises:
        ValueError: if `stddev` is not between 0 and 1.

    Example:
        >>> fastgd.layers.GaussianNoise(0.1)
    """

    stddev: float
    _strength = "stddev"

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(stddev, seed, **kwargs)

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.gaussian_noise(inputs, self.stddev, self._drawn)


class GaussianDropout(RandomLayer):
    """`y = x (1 + sqrt(rate / (1 - rate)) z)` in training, with normal deviates z; else `y = x`.

    Args:
        rate: the share of elements that a dropout with noise of this variance would drop, from 0 to below 1.
        seed: from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Raises:
        ValueError: if `rate` is not from 0 to below 1, where the noise would be infinite.

    Example:
        >>> fastgd.layers.GaussianDropout(0.2)

    Source:
        Srivastava and others, Dropout: A simple way to prevent neural networks from overfitting, JMLR 2014.
    """

    rate: float

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, seed, **kwargs)
        check_below_one(rate)

    def draw(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.gaussian_noise(inputs, sqrt(self.rate / (1.0 - self.rate)), self._drawn, multiply=True)


def check_below_one(rate: float) -> None:
    """Raise a ValueError for a rate of 1, at which a layer divides by zero."""
    if rate >= 1.0:
        raise invalid("`rate` must be below 1.", rate=rate)
