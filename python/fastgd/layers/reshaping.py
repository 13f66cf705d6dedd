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


class Permute(Layer):
    """The axes of each sample in another order: axis k of y is axis `dims[k - 1]` of x, the batch being axis 0.

    Args:
        dims: the numbers 1 to the number of axes of a sample, in the new order.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: if a number from 1 on is missing.

    Example:
        >>> fastgd.layers.Permute((2, 1))
    """

    def __init__(self, dims: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(dims, (tuple, list)):
            raise mistyped("`dims` must be a tuple of integers.", dims=dims)
        self.dims = tuple(check_int("dims", axis, 1) for axis in dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise invalid("`dims` must hold each number from 1 on once.", dims=dims)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.transpose(inputs, (0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """Each sample several times: x (batch, features) gives y (batch, n, features).

    Args:
        n: how often.
        **kwargs: those of `Layer`.

    Example:
        >>> fastgd.layers.RepeatVector(3)
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = check_int("n", n, 1)

    def build(self, input_shape: Any) -> None:
        """Check that a sample is a vector."""
        if len(input_shape) != 2:
            raise invalid("RepeatVector takes inputs (batch, features).", input_shape=input_shape)
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the steps."""
        return ops.repeat(ops.expand_dims(inputs, 1), self.n, 1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "n": self.n}


class Identity(Layer):
    """The inputs as they are.

    Args:
        **kwargs: those of `Layer`.

    Example:
        >>> fastgd.layers.Identity()
    """

    supports_masking = True

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs."""
        return inputs
