"""Convolutions along one, two or three axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd import ops
from fastgd.layers.sliding_kernel import SlidingKernel
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid
from fastgd.utils.windows import Sizes, window_padding, window_sizes


class Convolution(SlidingKernel, abstract=True):
    """Base of Conv1D, Conv2D and Conv3D: `y = f(sums of x kernel over a sliding window + bias)`.

    The kernel has the shape (*kernel_size, channels / groups, filters), whatever the order of the axes of x.

    Args:
        filters: the number of channels of y, a multiple of `groups`.
        kernel_size: the sizes of the window: an integer, or one for each spatial axis.
        strides: the steps between windows, the same.
        padding: "valid": no zeros around x; "same": so many that y has the sizes `ceil(size / stride)`, the odd one
            behind; in Conv1D also "causal": all of them in front, so that y knows nothing of what comes later.
        data_format: "channels_last", for inputs (batch, sizes..., channels), or "channels_first", for (batch, channels,
            sizes...), which is computed with the channels last; `config.image_data_format()` if None.
        dilation_rate: the steps between the elements of a window, like `strides`.
        groups: into how many groups the channels are cut; each group of neighbouring filters sees one of them.
        activation: f, as in `Dense`; so are the other arguments.
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
        ValueError: if a number is too small, or the groups do not divide `filters`.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
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
        self.groups = check_int("groups", groups, 1)
        if self.filters % self.groups:
            raise invalid("`filters` must be a multiple of `groups`.", filters=filters, groups=groups)

    def _knows_causal(self) -> bool:
        return self.rank == 1

    def output_sizes(self, sizes: Sizes) -> Sizes:
        """Return the spatial sizes of y for those of x."""
        where = sizes, self.kernel_size, self.strides, self.dilation_rate
        return window_sizes(*where, *window_padding(self.padding, *where))

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        channels = self._spatial(input_shape)[1]
        if channels == 0 or channels % self.groups:
            raise invalid("`groups` must divide the channels of x.", groups=self.groups, input_shape=input_shape)
        self.compute_output_shape(input_shape)
        self.add_kernel((*self.kernel_size, channels // self.groups, self.filters), self.filters)
        super().build(input_shape)

    def sums(self, inputs: Tensor, **activation: Any) -> Tensor:
        """Emit the step, with the name and the numbers of an activation that it takes along."""
        where = self.strides, self.padding, self.data_format, self.dilation_rate
        return ops.convolution(inputs, self.kernel, self.bias, *where, **activation)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "groups": self.groups}


class Conv1D(Convolution):
    """A convolution along one axis, as of signals: x (batch, steps, channels) gives y (batch, windows, filters).

    Args:
        **kwargs: those of `Convolution`, in its order.

    Example:
        >>> fastgd.layers.Conv1D(16, 5, padding="causal", activation="relu")
    """

    rank = 1


class Conv2D(Convolution):
    """A convolution of images: x (batch, height, width, channels) gives y (batch, windows, windows, filters).

    Args:
        **kwargs: those of `Convolution`, in its order.

    Example:
        >>> fastgd.layers.Conv2D(32, 3, padding="same", activation="relu")

    Source:
        LeCun and others, Gradient-based learning applied to document recognition, Proceedings of the IEEE 86, 1998.
    """

    rank = 2


class Conv3D(Convolution):
    """A convolution of volumes or films: x (batch, three sizes, channels) gives y (batch, three sizes, filters).

    Args:
        **kwargs: those of `Convolution`, in its order.

    Example:
        >>> fastgd.layers.Conv3D(8, (3, 3, 2), strides=(2, 2, 1))
    """

    rank = 3
