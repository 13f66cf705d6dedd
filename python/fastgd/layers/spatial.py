"""The base of the layers without weights that work along one, two or three spatial axes."""

from __future__ import annotations

from typing import Any, ClassVar

from fastgd.layers.layer import Layer
from fastgd.utils.errors import invalid
from fastgd.utils.windows import check_data_format


class SpatialLayer(Layer, abstract=True):
    """Base of the layers for inputs (batch, sizes..., channels) or (batch, channels, sizes...).

    Args:
        data_format: "channels_last" or "channels_first"; `config.image_data_format()` if None.
        **kwargs: those of `Layer`.

    Attributes:
        rank: the number of spatial axes.
        has_data_format: whether `data_format` is an argument of the subclass too.
    """

    rank: ClassVar[int] = 0
    has_data_format: ClassVar[bool] = True

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = check_data_format(data_format)

    def build(self, input_shape: Any) -> None:
        """Check the number of axes.

        Raises:
            ValueError: for several inputs or another number of axes.
        """
        if isinstance(input_shape, list) or len(input_shape) != self.rank + 2:
            sizes = ", ".join(("steps",) if self.rank == 1 else ("depth", "height", "width")[3 - self.rank :])
            axes = f"{sizes}, channels" if self.data_format == "channels_last" else f"channels, {sizes}"
            raise invalid(f"The layer {self.name!r} needs one input (batch, {axes}).", input_shape=input_shape)
        super().build(input_shape)

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """The numbers of the spatial axes."""
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        own = {"data_format": self.data_format} if self.has_data_format else {}
        return {**super().get_config(), **own}
