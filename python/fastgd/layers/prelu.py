"""The rectifier whose slopes below zero are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastgd import constraints, initializers, ops, regularizers
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid
from fastgd.utils.registry import to_config


class PReLU(Layer):
    """`y = x` where x is positive, else `alpha * x`, with a trained slope alpha for each element of a sample.

    Args:
        alpha_initializer: the initial slopes, of the shape of one sample with 1 on the shared axes.
        alpha_regularizer: the penalty on the slopes: a name, a config, a Regularizer or a function.
        alpha_constraint: what the slopes go through after each update: a name, a config, a Constraint or a function.
        shared_axes: the axes, counted from the batch as 0, along which elements share a slope: `[1, 2]` gives images
            (batch, height, width, channels) one per channel.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape; all sizes but the batch are fixed.

    Raises:
        ValueError: if an axis is below 1 or x has no such axis.

    Example:
        >>> fastgd.layers.PReLU(shared_axes=[1, 2])

    Source:
        He, Zhang, Ren and Sun, Delving deep into rectifiers: Surpassing human-level performance on ImageNet
        classification, ICCV 2015.
    """

    supports_masking = True
    alpha: Variable

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: int | Sequence[int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        given = shared_axes if shared_axes is None or isinstance(shared_axes, (list, tuple)) else [shared_axes]
        self.shared_axes = None if given is None else [check_int("shared_axes", axis, 1) for axis in given]

    def build(self, input_shape: Any) -> None:
        """Make the slopes."""
        if isinstance(input_shape, list) or len(input_shape) < 2 or None in input_shape[1:]:
            raise invalid(
                f"The layer {self.name!r} needs one input of shape (batch, ...) with fixed sizes.",
                input_shape=input_shape,
            )
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            if axis > len(shape):
                raise invalid(
                    f"`shared_axes` must be axes of the input {tuple(input_shape)}.", shared_axes=self.shared_axes
                )
            shape[axis - 1] = 1
        self.alpha = self.add_weight(
            tuple(shape),
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
            name="alpha",
        )
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.prelu(inputs, self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {
            **super().get_config(),
            "alpha_initializer": to_config(self.alpha_initializer),
            "alpha_regularizer": regularizers.serialize(self.alpha_regularizer),
            "alpha_constraint": constraints.serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }
