"""The base of the layers whose kernel slides along one, two or three axes."""

from __future__ import annotations

from typing import Any, ClassVar

from fastgd.layers.weighted_sum import WeightedSum
from fastgd.ops.builder import Shape
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid
from fastgd.utils.windows import Sizes, check_data_format, check_padding, resolve


class SlidingKernel(WeightedSum, abstract=True):
    """Base of the convolutions of both kinds.

    Args:
        filters: the number of channels of y.
        kernel_size: the sizes of the window.
        strides: the steps between windows.
        padding: what becomes of the ends of the axes.
        data_format: where the channels are.
        dilation_rate: the steps between the elements of a window.
        *rules: the other arguments of `WeightedSum`, in its order.
        **kwargs: those of `Layer`.

    Attributes:
        rank: the number of spatial axes.
    """

    rank: ClassVar[int] = 0

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any,
        padding: str,
        data_format: str | None,
        dilation_rate: Any,
        *rules: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(*rules, **kwargs)
        self.filters = check_int("filters", filters, 1)
        self.kernel_size = resolve("kernel_size", kernel_size, self.rank)
        self.strides = resolve("strides", strides, self.rank)
        self.padding = check_padding(padding, causal=self._knows_causal())
        self.data_format = check_data_format(data_format)
        self.dilation_rate = resolve("dilation_rate", dilation_rate, self.rank)

    def _knows_causal(self) -> bool:
        return False

    def _spatial(self, input_shape: Any) -> tuple[Sizes, int]:
        """Return the spatial sizes of an input and its channels.

        Raises:
            ValueError: for several inputs, another number of axes, or sizes that are not known.
        """
        axes = "sizes..., channels" if self.data_format == "channels_last" else "channels, sizes..."
        fits = not isinstance(input_shape, list) or all(size is None or isinstance(size, int) for size in input_shape)
        if not fits or len(input_shape) != self.rank + 2 or None in input_shape[1:]:
            raise invalid(
                f"The layer {self.name!r} needs one input (batch, {axes}) of {self.rank + 2} axes, all but the batch "
                "of fixed sizes.",
                input_shape=input_shape,
            )
        rest = tuple(input_shape[1:])
        return (rest[:-1], rest[-1]) if self.data_format == "channels_last" else (rest[1:], rest[0])

    def output_sizes(self, sizes: Sizes) -> Sizes:
        """Return the spatial sizes of y for those of x."""
        raise NotImplementedError(f"{type(self).__name__} must implement output_sizes(sizes)")

    def compute_output_shape(self, input_shape: Any) -> Shape:
        """Return the shape of y for that of x, both with None for the batch.

        Raises:
            ValueError: if x does not fit, or is smaller than a single window.
        """
        sizes = self.output_sizes(self._spatial(input_shape)[0])
        if self.data_format == "channels_last":
            return (input_shape[0], *sizes, self.filters)
        return (input_shape[0], self.filters, *sizes)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        names = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
