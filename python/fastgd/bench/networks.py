"""Networks as data: the layers that workloads are made of, with their shapes and variables. All channels are last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

from fastgd.utils.windows import window_padding, window_sizes

Shape = tuple[int, ...]

# What everyone's batch normalisation uses: Keras' numbers.
NORM_MOMENTUM, NORM_EPSILON = 0.99, 1e-3


@dataclass(frozen=True)
class Variable:
    """A weight of a network.

    Attributes:
        shape: its shape.
        limit: it begins with uniform numbers between `-limit` and `limit`; with `value` if None.
        value: what it begins with where it is not random.
        trained: whether the optimizer changes it; if not, it is an average that the forward pass moves.
    """

    shape: Shape
    limit: float | None = None
    value: float = 0.0
    trained: bool = True


@dataclass(frozen=True)
class Layer:
    """A layer; by itself one that has no variables and keeps the shape."""

    @property
    def label(self) -> str:
        """What the description of a network calls it; nothing if it goes without saying."""
        return ""

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the output for one sample, from that of the input."""
        return shape

    def variables(self, shape: Shape) -> tuple[Variable, ...]:
        """Return the variables for a shape of the input, trained ones first."""
        return ()


@dataclass(frozen=True)
class Dense(Layer):
    """`f(x w + b)` over the last axis."""

    units: int
    activation: str = "linear"

    @property
    def label(self) -> str:
        """The number of units."""
        return str(self.units)

    def output_shape(self, shape: Shape) -> Shape:
        """Return (..., units)."""
        return (*shape[:-1], self.units)

    def variables(self, shape: Shape) -> tuple[Variable, ...]:
        """Return kernel (inputs, units) and bias."""
        limit = (6.0 / (shape[-1] + self.units)) ** 0.5
        return Variable((shape[-1], self.units), limit), Variable((self.units,))


@dataclass(frozen=True)
class Sliding(Layer):
    """What slides a square window over height and width.

    Attributes:
        window: height and width of the window.
        stride: the step between windows.
        padding: "valid" or "same"; the latter only with a stride of 1, where all libraries mean the same by it.
    """

    window: int = 3
    stride: int = 1
    padding: str = "valid"

    def output_sizes(self, shape: Shape) -> Shape:
        """Return height and width of the output."""
        window, steps, ones = (self.window,) * 2, (self.stride,) * 2, (1, 1)
        around = window_padding(self.padding, shape[:2], window, steps, ones)
        return window_sizes(shape[:2], window, steps, ones, *around)

    @property
    def size(self) -> str:
        """The window and the stride, as a description has them."""
        return f"{self.window}x{self.window}" + (f"/{self.stride}" if self.stride > 1 else "")


@dataclass(frozen=True)
class Convolution(Sliding):
    """`f(x * w + b)` for `filters` filters; without b if `bias` is false."""

    filters: int = 1
    activation: str = "linear"
    bias: bool = True

    @property
    def label(self) -> str:
        """Filters and window."""
        return f"conv {self.filters} {self.size}"

    def output_shape(self, shape: Shape) -> Shape:
        """Return (height, width, filters)."""
        return (*self.output_sizes(shape), self.filters)

    def variables(self, shape: Shape) -> tuple[Variable, ...]:
        """Return kernel (window, window, channels, filters) and bias."""
        limit = (6.0 / (self.window**2 * (shape[2] + self.filters))) ** 0.5
        kernel = Variable((self.window, self.window, shape[2], self.filters), limit)
        return (kernel, Variable((self.filters,))) if self.bias else (kernel,)


@dataclass(frozen=True)
class DepthwiseConvolution(Sliding):
    """`x * w` of every channel with a filter of its own, without bias."""

    @property
    def label(self) -> str:
        """The window."""
        return f"depthwise {self.size}"

    def output_shape(self, shape: Shape) -> Shape:
        """Return (height, width, channels)."""
        return (*self.output_sizes(shape), shape[2])

    def variables(self, shape: Shape) -> tuple[Variable, ...]:
        """Return the kernel (window, window, channels, 1)."""
        return (Variable((self.window, self.window, shape[2], 1), (3.0 / self.window**2) ** 0.5),)


@dataclass(frozen=True)
class MaxPooling(Sliding):
    """The largest of each window, in every channel."""

    window: int = 2
    stride: int = 2

    @property
    def label(self) -> str:
        """The usual word."""
        return "pool"

    def output_shape(self, shape: Shape) -> Shape:
        """Return (height, width, channels)."""
        return (*self.output_sizes(shape), shape[2])


@dataclass(frozen=True)
class GlobalAveragePooling(Layer):
    """The mean over height and width."""

    @property
    def label(self) -> str:
        """The usual word."""
        return "mean"

    def output_shape(self, shape: Shape) -> Shape:
        """Return (channels,)."""
        return shape[-1:]


@dataclass(frozen=True)
class BatchNormalization(Layer):
    """Batch normalisation per channel, with scale and offset."""

    @property
    def label(self) -> str:
        """The usual letters."""
        return "BN"

    def variables(self, shape: Shape) -> tuple[Variable, ...]:
        """Return scale, offset, moving mean and moving variance."""
        vector = shape[-1:]
        trained = Variable(vector, value=1.0), Variable(vector)
        return (*trained, Variable(vector, trained=False), Variable(vector, value=1.0, trained=False))


@dataclass(frozen=True)
class Activation(Layer):
    """A function of every element, after a layer that has none of its own."""

    function: str = "relu"


@dataclass(frozen=True)
class Flatten(Layer):
    """Height, width and channels in one axis, in this order."""

    def output_shape(self, shape: Shape) -> Shape:
        """Return (elements,)."""
        return (prod(shape),)


def shapes_of(inputs: Shape, layers: Sequence[Layer]) -> Iterator[tuple[Layer, Shape]]:
    """Yield every layer with the shape of its input."""
    shape = inputs
    for layer in layers:
        yield layer, shape
        shape = layer.output_shape(shape)


def dense(*units: int, activation: str = "relu") -> tuple[Layer, ...]:
    """Return dense layers, the last of which gives logits or plain numbers."""
    return (*(Dense(u, activation) for u in units[:-1]), Dense(units[-1]))


def normalized(layer: Layer) -> tuple[Layer, ...]:
    """Return a layer with batch normalisation and ReLU behind it."""
    return layer, BatchNormalization(), Activation("relu")


def describe(inputs: Shape, layers: Sequence[Layer]) -> str:
    """Return a network in a few words, without its activations."""
    if all(isinstance(layer, Dense) for layer in layers):
        return "-".join(map(str, (*inputs, *(layer.label for layer in layers))))
    words = ["x".join(map(str, inputs))]
    for layer in layers:
        if isinstance(layer, BatchNormalization):
            words[-1] += f" {layer.label}"
        elif layer.label:
            words.append(layer.label)
    return ", ".join(words)
