"""The layers that give the elements of each sample another shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastgd import ops
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid, mistyped


class Flatten(Layer):
    """Each sample as a vector: x (batch, ...) gives y (batch, product of the others).

    Args:
        **kwargs: those of `Layer`.

    Example:
        >>> fastgd.layers.Flatten(input_shape=(28, 28))
    """

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.flatten(inputs)


class Reshape(Layer):
    """Each sample in another shape: x (batch, ...) gives y (batch, *target_shape).

    Args:
        target_shape: the shape of one sample; one size may be -1, it follows from the others.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: if more than one size is -1.

    Example:
        >>> fastgd.layers.Reshape((28, -1))
    """

    def __init__(self, target_shape: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(target_shape, (tuple, list)):
            raise mistyped("`target_shape` must be a tuple of integers.", target_shape=target_shape)
        self.target_shape = tuple(check_int("target_shape", size, -1) for size in target_shape)
        if self.target_shape.count(-1) > 1:
            raise invalid("`target_shape` may hold -1 once.", target_shape=target_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.reshape(inputs, (None, *self.target_shape))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "target_shape": self.target_shape}
