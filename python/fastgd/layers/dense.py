"""The fully connected layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd import ops
from fastgd.layers.weighted_sum import WeightedSum
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid


class Dense(WeightedSum):
    """A fully connected layer: `y = f(x kernel + bias)` over the last axis.

    Args:
        units: the size of the last axis of y.
        activation: f: a name, a function of `fastgd.activations` or one written with `fastgd.ops`; None is linear.
        use_bias: whether there is a bias.
        kernel_initializer: the initial kernel, of shape (size of the last axis of x, units).
        bias_initializer: the initial bias, of shape (units,).
        kernel_regularizer: the penalty on the kernel: a name, a config, a Regularizer or a function.
        bias_regularizer: the same for the bias.
        activity_regularizer: the penalty on y, divided by the batch size.
        kernel_constraint: what the kernel goes through after each update: a name, a config, a Constraint or a function.
        bias_constraint: the same for the bias.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ..., i) gives y (batch, ..., units).

    Raises:
        ValueError: if `units` is not positive or a name is unknown.

    Example:
        >>> fastgd.layers.Dense(64, activation="relu")
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: str | Callable[..., Any] | None = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        initial = kernel_initializer, bias_initializer
        rules = kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint
        super().__init__(activation, use_bias, *initial, *rules, **kwargs)
        self.units = check_int("units", units, 1)

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        if isinstance(input_shape, list) or len(input_shape) < 2 or input_shape[-1] is None:
            raise invalid(
                f"The layer {self.name!r} needs one input of shape (batch, ..., features).", input_shape=input_shape
            )
        self.add_kernel((input_shape[-1], self.units), self.units)
        super().build(input_shape)

    def sums(self, inputs: Tensor, **activation: Any) -> Tensor:
        """Emit the step, with the name and the numbers of an activation that it takes along."""
        return ops.dense(inputs, self.kernel, self.bias, **activation)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "units": self.units}
