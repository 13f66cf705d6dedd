"""The layer that applies an activation function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd import activations
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor


class Activation(Layer):
    """`y = f(x)`, element by element but for softmax and its kin, which run over the last axis.

    Args:
        activation: f: a name, a function of `fastgd.activations` or one written with `fastgd.ops`.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape, but glu halves the last axis.

    Example:
        >>> fastgd.layers.Activation("tanh")
    """

    supports_masking = True

    def __init__(self, activation: str | Callable[..., Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the function."""
        y: Tensor = self.activation(inputs)
        return y

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
