"""The base of layers whose computation is written with plain NumPy."""

from __future__ import annotations

from typing import Any

from fastgd import ops
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Shape, Tensor


class NumpyLayer(Layer, abstract=True):
    """Base of layers that compute with plain NumPy instead of `fastgd.ops`, which is slow: see `ops.numpy_function`.

    A subclass implements `forward`; `backward` if it has weights or stands behind some, which is to say nearly always;
    `build` if it has weights; and `compute_output_shape` if outputs have another shape than inputs.
    `fastgd.testing.check_gradients` compares the two passes.

    Args:
        **kwargs: those of every layer.

    Example:
        >>> class Linear(fastgd.layers.NumpyLayer):
        ...     def build(self, input_shape):
        ...         self.kernel = self.add_weight((input_shape[-1], 3), name="kernel")
        ...     def compute_output_shape(self, input_shape):
        ...         return (*input_shape[:-1], 3)
        ...     def forward(self, x, kernel):
        ...         return x @ kernel
        ...     def backward(self, dy, y, x, kernel):
        ...         return dy @ kernel.T, x.T @ dy
    """

    def forward(self, *inputs_and_weights: Any) -> Any:
        """Return the outputs of a batch; a subclass names the arguments.

        Args:
            *inputs_and_weights: the arrays (n, ...) of the inputs, then those of the layer's own weights in the order
                of `add_weight`. All are copies.

        Returns:
            An array; a tuple of arrays where `compute_output_shape` returns a list of shapes.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement forward(x, *weights)")

    def backward(self, dy: Any, y: Any, *inputs_and_weights: Any) -> Any:
        """Return the gradients of the loss by the inputs and the weights; a subclass names the arguments.

        Args:
            dy: the gradient of the loss by the output, for several outputs a tuple.
            y: what `forward` returned.
            *inputs_and_weights: what `forward` was given.

        Returns:
            One array for each input and each weight, in a tuple if they are several; None stands for zeros.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement backward(dy, y, x, *weights)")

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, or a list of shapes for several outputs.

        Args:
            input_shape: the shape of the input with None for the batch, or a list of shapes for several inputs.
        """
        shape: Shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        return shape

    def call(self, inputs: Any) -> Any:
        """Emit the call of `forward`."""
        tensors: list[Tensor] = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        shapes = [x.shape for x in tensors]
        output_shape = self.compute_output_shape(shapes if isinstance(inputs, (list, tuple)) else shapes[0])
        has_backward = type(self).backward is not NumpyLayer.backward
        return ops.numpy_function(
            self.forward,
            [*tensors, *self._variables],
            output_shape,
            self.backward if has_backward else None,
            f"{type(self).__name__} {self.name}",
        )
