"""The layers that join several inputs into one output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastgd import ops
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_int
from fastgd.utils.errors import mistyped


class Merge(Layer, abstract=True):
    """Base of the layers that take a list of inputs."""

    def build(self, input_shape: Any) -> None:
        """Check that the layer was called on a list."""
        if not isinstance(input_shape, list) or not input_shape:
            raise mistyped(f"{type(self).__name__} must be called on a list of inputs.", input_shape=input_shape)
        super().build(input_shape)


class Add(Merge):
    """The sum of inputs of one shape (batch, ...).

    Args:
        **kwargs: those of `Layer`.

    Example:
        >>> y = fastgd.layers.Add()([x, fastgd.layers.Dense(8)(x)])
    """

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Emit the step."""
        return ops.sum_of(inputs)


class Concatenate(Merge):
    """The inputs joined along an axis; their shapes are equal but on it.

    Args:
        axis: any axis but the batch, 0; negative ones count from the last.
        **kwargs: those of `Layer`.

    Example:
        >>> y = fastgd.layers.Concatenate()([a, b])
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = check_int("axis", axis, -(2**31))

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Emit the step."""
        return ops.concatenate(inputs, self.axis)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "axis": self.axis}


def add(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the sum of placeholders or arrays of one shape; `kwargs` are those of `Add`."""
    return Add(**kwargs)(inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """Return placeholders or arrays joined along an axis; `kwargs` are those of `Concatenate`."""
    return Concatenate(axis, **kwargs)(inputs)
