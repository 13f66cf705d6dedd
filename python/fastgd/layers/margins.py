"""The layers that add zeros at the ends of the spatial axes, or cut elements off there."""

from __future__ import annotations

from typing import Any, ClassVar

from fastgd import ops
from fastgd.layers.spatial import SpatialLayer
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid

Pair = tuple[int, int]


def _pair(name: str, value: Any, whole: Any) -> Pair:
    """Return one integer, which holds for both ends, or two."""
    if not isinstance(value, (tuple, list)):
        amount = check_int(name, value, 0)
        return amount, amount
    if len(value) != 2:
        raise invalid(f"`{name}` must have two numbers per spatial axis, for its two ends.", **{name: whole})
    return check_int(name, value[0], 0), check_int(name, value[1], 0)


def _pairs(name: str, value: Any, rank: int) -> tuple[Pair, ...]:
    """Return the numbers for both ends of each axis.

    Args:
        name: the argument, for messages.
        value: an integer for all ends, or per axis an integer for both its ends or one for each.
        rank: the number of axes.

    Raises:
        TypeError: if something is no integer.
        ValueError: for a negative number, or another number of them.
    """
    if not isinstance(value, (tuple, list)):
        return (_pair(name, value, value),) * rank
    if len(value) != rank:
        raise invalid(f"`{name}` must be an integer or have {rank} elements, one per spatial axis.", **{name: value})
    return tuple(_pair(name, part, value) for part in value)


class MarginLayer(SpatialLayer, abstract=True):
    """Base of the layers that add elements at the ends of the spatial axes or cut them off.

    Args:
        margins: how many, the argument `argument` of the subclass.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        **kwargs: those of `Layer`.

    Attributes:
        argument: the name of that argument.
        margins: how many before and after each spatial axis.
    """

    argument: ClassVar[str] = ""

    def __init__(self, margins: Any, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        # For one axis the two numbers stand by themselves, as Keras has them.
        single = self.rank == 1
        name = self.argument
        self.margins = (_pair(name, margins, margins),) if single else _pairs(name, margins, self.rank)
        setattr(self, name, self.margins[0] if single else self.margins)

    def _of_axis(self, axis: int) -> Pair:
        return self.margins[self.spatial_axes.index(axis)] if axis in self.spatial_axes else (0, 0)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), self.argument: getattr(self, self.argument)}


class ZeroPadding(MarginLayer, abstract=True):
    """Base of the layers that add zeros."""

    argument = "padding"

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.pad(inputs, [self._of_axis(axis) for axis in range(self.rank + 2)])


class Cropping(MarginLayer, abstract=True):
    """Base of the layers that cut elements off."""

    argument = "cropping"

    def build(self, input_shape: Any) -> None:
        """Check that something is left of each axis.

        Raises:
            ValueError: if not, or for another number of axes.
        """
        super().build(input_shape)
        if any(input_shape[k] is not None and input_shape[k] <= sum(self._of_axis(k)) for k in self.spatial_axes):
            raise invalid(
                "`cropping` must leave something of each spatial axis.",
                cropping=getattr(self, self.argument),
                input_shape=input_shape,
            )

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        ends = [(self._of_axis(axis), size) for axis, size in enumerate(inputs.dims)]
        return ops.get_item(inputs, tuple(slice(a, size - b) if a + b else slice(None) for (a, b), size in ends))


class ZeroPadding1D(ZeroPadding):
    """Zeros before the first step and after the last one.

    Args:
        padding: how many at both ends, or a pair of numbers.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, steps, channels) gives y (batch, padding[0] + steps + padding[1], channels); with "channels_first" the
        channels stand second.

    Raises:
        ValueError: for a negative number.

    Example:
        >>> fastgd.layers.ZeroPadding1D((2, 0))
    """

    rank = 1

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding2D(ZeroPadding):
    """Rows and columns of zeros around images (batch, height, width, channels).

    Args:
        padding: how many at all ends, or one number per axis, or a pair per axis: ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: for a negative number, or another number of them.

    Example:
        >>> fastgd.layers.ZeroPadding2D(((1, 0), (1, 0)))
    """

    rank = 2

    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(ZeroPadding):
    """Zeros around volumes (batch, depth, height, width, channels).

    Args:
        padding: how many at all ends, or one number per axis, or a pair per axis.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: for a negative number, or another number of them.

    Example:
        >>> fastgd.layers.ZeroPadding3D((1, 2, 2))
    """

    rank = 3

    def __init__(self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class Cropping1D(Cropping):
    """Steps cut off: x (batch, steps, channels) gives y (batch, steps - cropping[0] - cropping[1], channels).

    Args:
        cropping: how many at both ends, or a pair of numbers.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: for a negative number, or if nothing is left.

    Example:
        >>> fastgd.layers.Cropping1D((0, 3))
    """

    rank = 1
    has_data_format = False

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)


class Cropping2D(Cropping):
    """Rows and columns of images (batch, height, width, channels) cut off.

    Args:
        cropping: how many at all ends, or one number per axis, or a pair per axis: ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: for a negative number, another number of them, or if nothing is left.

    Example:
        >>> fastgd.layers.Cropping2D(((2, 2), (4, 4)))
    """

    rank = 2

    def __init__(self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(Cropping):
    """Elements of volumes (batch, depth, height, width, channels) cut off at the ends.

    Args:
        cropping: how many at all ends, or one number per axis, or a pair per axis.
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: for a negative number, another number of them, or if nothing is left.

    Example:
        >>> fastgd.layers.Cropping3D(1)
    """

    rank = 3

    def __init__(self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(cropping, data_format, **kwargs)
