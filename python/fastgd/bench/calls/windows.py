"""The windows of the suite's convolutions as data, and the shapes of what they connect. All channels are last."""

from __future__ import annotations

from dataclasses import dataclass

from fastgd.utils.windows import window_sizes

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Windows:
    """The kernel of a convolution and how it moves.

    Attributes:
        filters: the channels of the output.
        window: its sizes, one for each spatial axis.
        stride: the step between windows along each axis.
        dilation: the step between the elements of a window.
        padding: the zeros at each border, everywhere as many: all libraries have that.
        depthwise: whether every channel has a filter of its own.
    """

    filters: int
    window: Shape
    stride: int = 1
    dilation: int = 1
    padding: int = 0
    depthwise: bool = False

    @property
    def axes(self) -> int:
        """The number of spatial axes."""
        return len(self.window)

    @property
    def description(self) -> str:
        """Kind, window and filters in a few words."""
        words = ["x".join(map(str, self.window)), "depthwise" if self.depthwise else f"to {self.filters}"]
        words += [f"stride {self.stride}"] if self.stride > 1 else []
        words += [f"dilation {self.dilation}"] if self.dilation > 1 else []
        return " ".join(words)

    def shapes(self, x: Shape) -> tuple[Shape, Shape, Shape]:
        """Return the shapes of x, of the kernel (window, channels of one filter, filters) and of the output.

        The kernel of a depthwise convolution is (window, channels, 1).
        """
        each = ((number,) * self.axes for number in (self.stride, self.dilation, self.padding, self.padding))
        y = (x[0], *window_sizes(x[1:-1], self.window, *each), self.filters)
        return x, (*self.window, x[-1], 1 if self.depthwise else self.filters), y


# Those of a case that has none.
NO_WINDOWS = Windows(0, ())
