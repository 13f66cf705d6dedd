"""The base of the layers with a kernel, a bias and an activation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastgd import activations, constraints, initializers, regularizers
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_bool
from fastgd.utils.registry import to_config


class WeightedSum(Layer, abstract=True):
    """Base of `y = f(sums of x kernel + bias)` with the arguments that such layers share.

    Args:
        activation: f: a name, a function of `fastgd.activations` or one written with `fastgd.ops`; None is linear.
        use_bias: whether there is a bias.
        kernel_initializer: the initial kernel.
        bias_initializer: the initial bias.
        kernel_regularizer: the penalty on the kernel: a name, a config, a Regularizer or a function.
        bias_regularizer: the same for the bias.
        activity_regularizer: the penalty on y, divided by the batch size.
        kernel_constraint: what the kernel goes through after each update: a name, a config, a Constraint or a function.
        bias_constraint: the same for the bias.
        **kwargs: those of `Layer`.
    """

    kernel: Variable
    bias: Variable | None

    def __init__(
        self,
        activation: str | Callable[..., Any] | None,
        use_bias: bool,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.activation = activations.get(activation)
        self.use_bias = check_bool("use_bias", use_bias)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def add_kernel(self, shape: Sequence[int], units: int | Sequence[int], name: str = "kernel") -> None:
        """Make the kernel of a shape under a name, and the bias, of so many units or of a shape, if there is one."""
        self.kernel = self.add_weight(
            shape,
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name=name,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                (units,) if isinstance(units, int) else units,
                self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
                name="bias",
            )

    def sums(self, inputs: Tensor, **activation: Any) -> Tensor:
        """Emit the step, with the name and the numbers of an activation that it takes along."""
        raise NotImplementedError(f"{type(self).__name__} must implement sums(inputs, **activation)")

    def call(self, inputs: Tensor) -> Tensor:
        """Emit one step, and a second one for an activation that the step cannot take along."""
        fused = activations.fused_form(self.activation)
        if fused is None:
            y: Tensor = self.activation(self.sums(inputs))
            return y
        name, numbers = fused
        return self.sums(inputs, activation=name, **numbers)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {
            **super().get_config(),
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
