"""Depthwise convolutions along one or two axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd import ops
from fastgd.layers.sliding_kernel import SlidingKernel
from fastgd.ops.builder import Shape, Tensor
from fastgd.utils.checks import check_int
from fastgd.utils.windows import Sizes, window_padding, window_sizes


class DepthwiseConvolution(SlidingKernel, abstract=True):
    """Base of DepthwiseConv1D and DepthwiseConv2D: each channel is convolved with kernels of its own.

    The kernel has the shape (*kernel_size, channels, depth_multiplier), whatever the order of the axes of x; channel
    `i * depth_multiplier + j` of y comes from channel i of x and the kernel [..., i, j].

    Args:
        kernel_size: the sizes of the window: an integer, or one for each spatial axis.
        strides: the steps between windows, the same.
        padding: "valid": no zeros around x; "same": so many that y has the sizes `ceil(size / stride)`, the odd one
            behind.
        depth_multiplier: how many kernels each channel has.
        data_format: "channels_last", for inputs (batch, sizes..., channels), or "channels_first", for (batch, channels,
            sizes...), which is computed with the channels last; `config.image_data_format()` if None.
        dilation_rate: the steps between the elements of a window, like `strides`.
        activation: f, as in `Dense`; so are the other arguments.
        use_bias: whether there is a bias.
        depthwise_initializer: the initial kernel.
        bias_initializer: the initial bias, of shape (channels depth_multiplier,).
        depthwise_regularizer: the penalty on the kernel.
        bias_regularizer: the penalty on the bias.
        activity_regularizer: the penalty on y, divided by the batch size.
        depthwise_constraint: what the kernel goes through after each update.
        bias_constraint: the same for the bias.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: if a number is too small.
    """

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: str | Callable[..., Any] | None = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        self.depth_multiplier = check_int("depth_multiplier", depth_multiplier, 1)
        initial = depthwise_initializer, bias_initializer
        rules = depthwise_regularizer, bias_regularizer, activity_regularizer, depthwise_constraint, bias_constraint
        where = strides, padding, data_format, dilation_rate
        # The filters are those of one channel here.
        super().__init__(depth_multiplier, kernel_size, *where, activation, use_bias, *initial, *rules, **kwargs)
        self.depthwise_initializer = self.kernel_initializer
        self.depthwise_regularizer = self.kernel_regularizer
        self.depthwise_constraint = self.kernel_constraint

    def output_sizes(self, sizes: Sizes) -> Sizes:
        """Return the spatial sizes of y for those of x."""
        where = sizes, self.kernel_size, self.strides, self.dilation_rate
        return window_sizes(*where, *window_padding(self.padding, *where))

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of y for that of x, both with None for the batch.

        Raises:
            ValueError: if x does not fit, or is smaller than a single window.
        """
        shape = list(super().compute_output_shape(input_shape))
        shape[-1 if self.data_format == "channels_last" else 1] = self._units(input_shape)
        return tuple(shape)

    def _units(self, input_shape: Any) -> int:
        return self._spatial(input_shape)[1] * self.depth_multiplier

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        self.compute_output_shape(input_shape)
        channels = self._spatial(input_shape)[1]
        self.add_kernel((*self.kernel_size, channels, self.depth_multiplier), self._units(input_shape))
        super().build(input_shape)

    def sums(self, inputs: Tensor, **activation: Any) -> Tensor:
        """Emit the step, with the name and the numbers of an activation that it takes along."""
        where = self.strides, self.padding, self.data_format, self.dilation_rate
        return ops.depthwise_convolution(inputs, self.kernel, self.bias, *where, **activation)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        given = renamed_rules(super().get_config(), "depthwise")
        del given["filters"]
        return {**given, "depth_multiplier": self.depth_multiplier}


class DepthwiseConv1D(DepthwiseConvolution):
    """A depthwise convolution along one axis: x (batch, steps, channels) gives (batch, windows, channels multiplied).

    Args:
        **kwargs: those of `DepthwiseConvolution`, in its order.

    Example:
        >>> fastgd.layers.DepthwiseConv1D(5, padding="same", activation="relu")
    """

    rank = 1


class DepthwiseConv2D(DepthwiseConvolution):
    """A depthwise convolution of images: x (batch, height, width, channels) gives as many, multiplied, channels.

    Args:
        **kwargs: those of `DepthwiseConvolution`, in its order.

    Example:
        >>> fastgd.layers.DepthwiseConv2D(3, strides=2, padding="same", use_bias=False)

    Source:
        Howard and others, MobileNets: Efficient convolutional neural networks for mobile vision applications, 2017.
    """

    rank = 2


def renamed_rules(config: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a config in which what begins with "kernel" and says how it is made, penalised and bound has a name."""
    own = [f"kernel_{rule}" for rule in ("initializer", "regularizer", "constraint")]
    return {key.replace("kernel", name) if key in own else key: value for key, value in config.items()}
