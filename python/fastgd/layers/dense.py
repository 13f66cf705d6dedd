"""The fully connected layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd import activations, constraints, initializers, ops, regularizers
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_bool, check_int
from fastgd.utils.errors import invalid
from fastgd.utils.registry import to_config


class Dense(Layer):
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

    kernel: Variable
    bias: Variable | None

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
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = check_int("units", units, 1)
        self.activation = activations.get(activation)
        self.use_bias = check_bool("use_bias", use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        if isinstance(input_shape, list) or len(input_shape) < 2 or input_shape[-1] is None:
            raise invalid(
                f"The layer {self.name!r} needs one input of shape (batch, ..., features).", input_shape=input_shape
            )
        self.kernel = self.add_weight(
            (input_shape[-1], self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit one step, and a second one for an activation that the step cannot take along."""
        fused = activations.fused_form(self.activation)
        if fused is None:
            y: Tensor = self.activation(ops.dense(inputs, self.kernel, self.bias))
            return y
        name, numbers = fused
        return ops.dense(inputs, self.kernel, self.bias, activation=name, **numbers)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": to_config(self.kernel_initializer),
            "bias_initializer": to_config(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }
