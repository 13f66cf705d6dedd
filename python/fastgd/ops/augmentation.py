"""Ops that change each image at random in training: `random_flip`, `random_affine`, `random_crop`, `random_tone`."""

from __future__ import annotations

from collections.abc import Sequence

from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.plan import Attribute

Range = Sequence[float]

FILL_MODES = ("constant", "nearest", "reflect", "wrap")
INTERPOLATIONS = ("bilinear", "nearest")


@works_on_arrays("x")
def random_flip(x: Tensor, seed: int, horizontal: bool = True, vertical: bool = True) -> Tensor:
    """Return each image mirrored with probability 1/2 in training; else x.

    Args:
        x: images (batch, rows, columns, channels).
        seed: from 0 to 2**64 - 1; a second step with the same seed in one plan draws other numbers.
        horizontal: whether the columns of the images chosen are reversed.
        vertical: whether their rows are.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if x holds no images.
    """
    _require_images("random_flip", x)
    attrs: dict[str, Attribute] = {
        "seed": x.builder.distinct_seed(seed), "horizontal": horizontal, "vertical": vertical,
    }  # fmt: skip
    return x.builder.emit("random_flip", [x], [x.dims], attrs=attrs)[0]


@works_on_arrays("x")
def random_affine(
    x: Tensor,
    seed: int,
    shift: Sequence[Range] = ((0.0, 0.0), (0.0, 0.0)),
    zoom: tuple[Range, Range | None] = ((1.0, 1.0), (1.0, 1.0)),
    rotation: Range = (0.0, 0.0),
    interpolation: str = "bilinear",
    fill_mode: str = "reflect",
    fill_value: float = 0.0,
) -> Tensor:
    """Return each image shifted, zoomed and turned about its middle by random amounts in training; else x.

    Args:
        x: images (batch, rows, columns, channels).
        seed: as in `random_flip`.
        shift: from where to where images are moved down, and to the right, in parts of their height and width.
        zoom: the distances of pixels in rows, and in columns, that lie one apart in the result: 2 makes what is seen
            half as large. None in the second place takes the number of the first.
        rotation: from where to where images are turned counter-clockwise, in full turns.
        interpolation: "bilinear" or "nearest".
        fill_mode: what is beyond the edges of a b c d: "constant" k k, "nearest" d d, "reflect" d c, "wrap" a b.
        fill_value: the constant.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if x holds no images, or for an unknown interpolation or mode.
    """
    _require_images("random_affine", x)
    require(interpolation in INTERPOLATIONS, "random_affine", f"interpolation={interpolation!r} is unknown")
    require(fill_mode in FILL_MODES, "random_affine", f"fill_mode={fill_mode!r} is unknown")
    (down, right), (rows, cols) = shift, zoom
    attrs: dict[str, Attribute] = {
        "seed": x.builder.distinct_seed(seed),
        "shift": _numbers(down, right),
        "zoom": _numbers(rows, rows if cols is None else cols),
        "same_zoom": cols is None,
        "rotation": _numbers(rotation),
        "interpolation": interpolation,
        "fill_mode": fill_mode,
        "fill_value": float(fill_value),
    }
    return x.builder.emit("random_affine", [x], [x.dims], attrs=attrs)[0]


@works_on_arrays("x")
def random_crop(x: Tensor, height: int, width: int, seed: int) -> Tensor:
    """Return a part of each image: of a random place in training, else the middle, resized.

    Outside training, and for images that are smaller than the part, it is the largest part in the middle that has the
    sides' ratio, resized with bilinear interpolation.

    Args:
        x: images (batch, rows, columns, channels).
        height: the rows of the part.
        width: its columns.
        seed: as in `random_flip`.

    Returns:
        Tensor (batch, height, width, channels).

    Raises:
        ValueError: if x holds no images, or a size is below 1.
    """
    _require_images("random_crop", x)
    require(height > 0 and width > 0, "random_crop", f"sizes must be 1 or more: they are {height} and {width}")
    attrs: dict[str, Attribute] = {"height": height, "width": width, "seed": x.builder.distinct_seed(seed)}
    return x.builder.emit("random_crop", [x], [(x.dims[0], height, width, x.dims[3])], attrs=attrs)[0]


@works_on_arrays("x")
def random_tone(
    x: Tensor,
    seed: int,
    brightness: Range = (0.0, 0.0),
    contrast: Range = (1.0, 1.0),
    value_range: Range = (0.0, 255.0),
) -> Tensor:
    """Return `(x - m) f + m + d` cut to the range of values in training, m being the mean of each channel; else x.

    Args:
        x: images (batch, rows, columns, channels).
        seed: as in `random_flip`.
        brightness: from where to where the d of an image lies.
        contrast: from where to where its f lies.
        value_range: the least and the largest value of a pixel.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if x holds no images, or the values descend.
    """
    _require_images("random_tone", x)
    low, high = value_range
    require(low <= high, "random_tone", f"`value_range` must ascend: it is {tuple(value_range)}")
    attrs: dict[str, Attribute] = {
        "seed": x.builder.distinct_seed(seed),
        "brightness": _numbers(brightness),
        "contrast": _numbers(contrast),
        "value_range": _numbers(value_range),
    }
    return x.builder.emit("random_tone", [x], [x.dims], attrs=attrs)[0]


def _require_images(op: str, x: Tensor) -> None:
    require_tensors(op, x)
    fits = len(x.dims) == 4 and x.dims[0] < 0 and min(x.dims[1:]) > 0
    require(fits, op, f"takes images (batch, rows, columns, channels): x is {show_dims(x.dims)}")


def _numbers(*ranges: Range) -> tuple[float, ...]:
    return tuple(float(number) for low, high in ranges for number in (low, high))
