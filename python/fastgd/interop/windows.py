"""Windows over images with the channels last: paddings as layers of their own where no kind of padding says them."""

from __future__ import annotations

from typing import Any

from fastgd import layers, ops
from fastgd.interop.values import Sizes
from fastgd.utils.windows import window_padding

ORDER = "channels_last"


def class_of(name: str, rank: int) -> Any:
    """Return the layer whose class has a name such as "Conv2D", written "Conv{}D"."""
    return getattr(layers, name.format(rank))


def pad(x: Any, before: Sizes, after: Sizes, value: float = 0.0) -> Any:
    """Return a placeholder with so many elements more at the ends of its spatial axes."""
    pairs = tuple(zip(before, after, strict=True))
    if not any(map(any, pairs)):
        return x
    if value:
        return ops.pad(x, ((0, 0), *pairs, (0, 0)), constant_values=value)
    rank = len(pairs)
    return class_of("ZeroPadding{}D", rank)(pairs if rank > 1 else pairs[0], data_format=ORDER)(x)


def kind_of_padding(
    sizes: Sizes, window: Sizes, strides: Sizes, dilations: Sizes, before: Sizes, after: Sizes
) -> str | None:
    """Return "valid" or "same" if that means these numbers of zeros, else None."""
    for kind in ("valid", "same"):
        if window_padding(kind, sizes, window, strides, dilations) == (before, after):
            return kind
    return None
