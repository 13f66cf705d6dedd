"""Transposed convolutions along one, two or three axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd import ops
from fastgd.layers.sliding_kernel import SlidingKernel
from fastgd.ops.builder import Tensor
from fastgd.utils.errors import invalid
from fastgd.utils.windows import Sizes, resolve, transposed_sizes


class TransposedConvolution(SlidingKernel, abstract=True):
    """Base of Conv1DTranspose and its kin: each element of x lays the kernel, times itself, into the output.

    y has `(size - 1) stride + extent + p` elements along an axis for "valid", the extent being that of the dilated
    window and p the output padding, by default what lacks from the extent to the stride; and
    `(size - 1) stride + extent % 2 + p` for "same", by default `size stride`. The kernel has the shape
    (*kernel_size, filters, channels).

    Args:
        filters: the number of channels of y.
        kernel_size: the sizes of the window: an integer, or one for each spatial axis.
        strides: the steps in y between neighbours in x, the same.
        padding: "valid" to keep the whole output, or "same" to cut both ends off, the odd element behind.
        output_padding: the elements that y has more behind, below the stride: an integer, one for each spatial axis, or
            None.
        data_format: as in `Convolution`; so are the other arguments.
        dilation_rate: the steps between the elements of a window.
        activation: f, as in `Dense`.
        use_bias: whether there is a bias.
        kernel_initializer: the initial kernel.
        bias_initializer: the initial bias, of shape (filters,).
        kernel_regularizer: the penalty on the kernel.
        bias_regularizer: the penalty on the bias.
        activity_regularizer: the penalty on y, divided by the batch size.
        kernel_constraint: what the kernel goes through after each update.
        bias_constraint: the same for the bias.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: if a number is too small, or `output_padding` is not below `strides`.

    Source:
        Zeiler and others, Deconvolutional networks, CVPR 2010.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        where = strides, padding, data_format, dilation_rate
        super().__init__(filters, kernel_size, *where, activation, use_bias, *initial, *rules, **kwargs)
        self.output_padding: Sizes | None = None
        if output_padding is not None:
            self.output_padding = resolve("output_padding", output_padding, self.rank, 0)
            if any(more >= step for more, step in zip(self.output_padding, self.strides, strict=True)):
                raise invalid(
                    "`output_padding` must be below `strides` along each axis.",
                    output_padding=output_padding,
                    strides=strides,
                )

    def output_sizes(self, sizes: Sizes) -> Sizes:
        """Return the spatial sizes of y for those of x."""
        where = self.kernel_size, self.strides, self.dilation_rate, self.output_padding
        return transposed_sizes(self.padding, sizes, *where)[0]

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        channels = self._spatial(input_shape)[1]
        self.add_kernel((*self.kernel_size, self.filters, channels), self.filters)
        super().build(input_shape)

    def sums(self, inputs: Tensor, **activation: Any) -> Tensor:
        """Emit the step, with the name and the numbers of an activation that it takes along."""
        where = self.strides, self.padding, self.output_padding, self.data_format, self.dilation_rate
        return ops.transposed_convolution(inputs, self.kernel, self.bias, *where, **activation)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "output_padding": self.output_padding}


class Conv1DTranspose(TransposedConvolution):
    """A transposed convolution along one axis: x (batch, steps, channels) gives y (batch, more steps, filters).

    Args:
        **kwargs: those of `TransposedConvolution`, in its order.

    Example:
        >>> fastgd.layers.Conv1DTranspose(16, 4, strides=2, padding="same")
    """

    rank = 1


class Conv2DTranspose(TransposedConvolution):
    """A transposed convolution of images: x (batch, height, width, channels) gives y (batch, taller, wider, filters).

    Args:
        **kwargs: those of `TransposedConvolution`, in its order.

    Example:
        >>> fastgd.layers.Conv2DTranspose(32, 4, strides=2, padding="same", activation="relu")
    """

    rank = 2


class Conv3DTranspose(TransposedConvolution):
    """A transposed convolution of volumes: x (batch, three sizes, channels) gives y (batch, larger sizes, filters).

    Args:
        **kwargs: those of `TransposedConvolution`; `data_format` comes before `output_padding` here.

    Example:
        >>> fastgd.layers.Conv3DTranspose(8, 2, strides=2)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = 1,
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
        # Keras has `data_format` and `output_padding` the other way round in this class alone.
        where = strides, padding, output_padding, data_format, dilation_rate
        initial = kernel_initializer, bias_initializer
        rules = kernel_regularizer, bias_regularizer, activity_regularizer, kernel_constraint, bias_constraint
        super().__init__(filters, kernel_size, *where, activation, use_bias, *initial, *rules, **kwargs)
