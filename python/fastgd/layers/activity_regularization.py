"""The layer that puts a penalty on what passes through it."""

from __future__ import annotations

from typing import Any

from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.regularizers import L1L2


class ActivityRegularization(Layer):
    """`y = x`, with `(l1 sum|x| + l2 sum x^2) / n` over the n samples of the batch joining the loss.

    Args:
        l1: the factor of the absolute values, 0 or more.
        l2: the factor of the squares, 0 or more.
        **kwargs: those of `Layer` but `activity_regularizer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Example:
        >>> fastgd.layers.ActivityRegularization(l1=1e-4)
    """

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        regularizer = L1L2(l1, l2)
        super().__init__(activity_regularizer=regularizer, **kwargs)
        self.l1, self.l2 = regularizer.l1, regularizer.l2

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs."""
        return inputs

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        config = super().get_config()
        del config["activity_regularizer"]
        return {**config, "l1": self.l1, "l2": self.l2}
