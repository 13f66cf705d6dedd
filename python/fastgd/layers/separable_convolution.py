"""Separable convolutions along one or two axes: a depthwise one, then one by windows of a single element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd import constraints, initializers, ops, regularizers
from fastgd.layers.depthwise_convolution import renamed_rules
from fastgd.layers.sliding_kernel import SlidingKernel
from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_int
from fastgd.utils.registry import to_config
from fastgd.utils.windows import Sizes, window_padding, window_sizes


class SeparableConvolution(SlidingKernel, abstract=True):
    """Base of SeparableConv1D and SeparableConv2D: `y = f(z pointwise_kernel + bias)`, z being a depthwise convolution.

    Args:
        filters: the number of channels of y.
        kernel_size: the sizes of the window: an integer, or one for each spatial axis.
        strides: the steps between windows, the same.
        padding: "valid": no zeros around x; "same": so many that y has the sizes `ceil(size / stride)`, the odd one
            behind.
        data_format: "channels_last", for inputs (batch, sizes..., channels), or "channels_first", for (batch, channels,
            sizes...), which is computed with the channels last; `config.image_data_format()` if None.
        dilation_rate: the steps between the elements of a window, like `strides`.
        depth_multiplier: how many channels z has for each channel of x.
        activation: f, as in `Dense`; so are the other arguments.
        use_bias: whether there is a bias.
        depthwise_initializer: the initial kernel of z, of shape (*kernel_size, channels, depth_multiplier).
        pointwise_initializer: the initial kernel of y, of shape (1..., channels depth_multiplier, filters).
        bias_initializer: the initial bias, of shape (filters,).
        depthwise_regularizer: the penalty on the kernel of z.
        pointwise_regularizer: the penalty on the kernel of y.
        bias_regularizer: the penalty on the bias.
        activity_regularizer: the penalty on y, divided by the batch size.
        depthwise_constraint: what the kernel of z goes through after each update.
        pointwise_constraint: the same for the kernel of y.
        bias_constraint: the same for the bias.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: if a number is too small.
    """

    depthwise_kernel: Variable

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: str | Callable[..., Any] | None = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        initial = pointwise_initializer, bias_initializer
        rules = pointwise_regularizer, bias_regularizer, activity_regularizer, pointwise_constraint, bias_constraint
        where = strides, padding, data_format, dilation_rate
        super().__init__(filters, kernel_size, *where, activation, use_bias, *initial, *rules, **kwargs)
        self.pointwise_initializer = self.kernel_initializer
        self.pointwise_regularizer = self.kernel_regularizer
        self.pointwise_constraint = self.kernel_constraint
        self.depth_multiplier = check_int("depth_multiplier", depth_multiplier, 1)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    @property
    def pointwise_kernel(self) -> Variable:
        """The kernel that mixes the channels."""
        return self.kernel

    def output_sizes(self, sizes: Sizes) -> Sizes:
        """Return the spatial sizes of y for those of x."""
        where = sizes, self.kernel_size, self.strides, self.dilation_rate
        return window_sizes(*where, *window_padding(self.padding, *where))

    def build(self, input_shape: Any) -> None:
        """Make both kernels and the bias."""
        self.compute_output_shape(input_shape)
        channels = self._spatial(input_shape)[1]
        self.depthwise_kernel = self.add_weight(
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
            name="depthwise_kernel",
        )
        between = channels * self.depth_multiplier
        self.add_kernel((*(1,) * self.rank, between, self.filters), self.filters, "pointwise_kernel")
        super().build(input_shape)

    def sums(self, inputs: Tensor, **activation: Any) -> Tensor:
        """Emit two steps, the second one with the name and the numbers of an activation that it takes along."""
        where = self.strides, self.padding, self.data_format, self.dilation_rate
        return ops.separable_convolution(inputs, self.depthwise_kernel, self.kernel, self.bias, *where, **activation)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {
            **renamed_rules(super().get_config(), "pointwise"),
            "depth_multiplier": self.depth_multiplier,
            "depthwise_initializer": to_config(self.depthwise_initializer),
            "depthwise_regularizer": regularizers.serialize(self.depthwise_regularizer),
            "depthwise_constraint": constraints.serialize(self.depthwise_constraint),
        }


class SeparableConv1D(SeparableConvolution):
    """A separable convolution along one axis: x (batch, steps, channels) gives y (batch, windows, filters).

    Args:
        **kwargs: those of `SeparableConvolution`, in its order.

    Example:
        >>> fastgd.layers.SeparableConv1D(16, 5, padding="same", activation="relu")
    """

    rank = 1


class SeparableConv2D(SeparableConvolution):
    """A separable convolution of images: x (batch, height, width, channels) gives y (batch, windows, windows, filters).

    Args:
        **kwargs: those of `SeparableConvolution`, in its order.

    Example:
        >>> fastgd.layers.SeparableConv2D(128, 3, padding="same", use_bias=False)

    Source:
        Chollet, Xception: Deep learning with depthwise separable convolutions, CVPR 2017.
    """

    rank = 2
