"""The layer that silences a random share of its inputs in training."""

from __future__ import annotations

from typing import Any

from fastgd import ops
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_real, check_seed
from fastgd.utils.seeds import draw_seed


class Dropout(Layer):
    """`y = x keep / (1 - rate)` in training, where each element is kept with probability `1 - rate`; else `y = x`.

    The masks follow from the seed, the place of the element and the number of updates done, for any number of threads.
    Two layers of one model never share masks, not even with equal seeds.

    Args:
        rate: the share of elements set to zero, from 0 to 1.
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

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = check_real("rate", rate, 0.0, 1.0)
        self.seed = check_seed("seed", seed)
        self._drawn = draw_seed() if self.seed is None else self.seed

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Emit the step in training, nothing otherwise."""
        return ops.dropout(inputs, self.rate, self._drawn) if training and self.rate else inputs

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
