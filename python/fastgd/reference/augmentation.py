"""What each image draws for itself: `random_flip`, `random_affine`, `random_crop` and `random_tone`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgd.reference.random import image_words, uniform
from fastgd.reference.registry import (
    Array,
    Attrs,
    Context,
    Gradients,
    MaybeArrays,
    backward,
    forward,
    integer,
    number,
)

FILL_MODES = ("constant", "nearest", "reflect", "wrap")
INTERPOLATIONS = ("bilinear", "nearest")


@dataclass(frozen=True)
class Sampling:
    """Where images are sampled: pixel (i, j) at the row m[0] i + m[1] j + m[2] and the column m[3] i + m[4] j + m[5].

    Attributes:
        maps: the six numbers of each image, (n, 6).
        sizes: rows and columns of the results.
        window: the rows and the columns that are looked at, beyond which the image is continued.
        nearest: whether places are rounded to the nearest pixel.
        fill: how the image is continued.
        value: the constant beyond the edges.
    """

    maps: Array
    sizes: tuple[int, int]
    window: tuple[slice, slice]
    nearest: bool = True
    fill: str = "constant"
    value: float = 0.0

    def sources(self, dtype: Any) -> list[tuple[Array, Array, Array, Array]]:
        """Return, for the four pixels around each place or the one: rows, columns, which are inside, weights."""
        i, j = np.meshgrid(*(np.arange(size, dtype=np.float64) for size in self.sizes), indexing="ij")
        m = self.maps[:, :, None, None]
        rows = self._along(m[:, 0] * i + m[:, 1] * j + m[:, 2], self.window[0])
        columns = self._along(m[:, 3] * i + m[:, 4] * j + m[:, 5], self.window[1])
        return [
            (row, column, row_inside & column_inside, row_weight.astype(dtype) * column_weight.astype(dtype))
            for row, row_inside, row_weight in rows
            for column, column_inside, column_weight in columns
        ]

    def _along(self, places: Array, part: slice) -> list[tuple[Array, Array, Array]]:
        if self.nearest:
            whole = np.where(places < 0, -np.floor(0.5 - places), np.floor(places + 0.5))
            return [(*self._continued(whole, part), np.ones_like(places))]
        lower = np.floor(places)
        share = places - lower
        return [(*self._continued(lower, part), 1.0 - share), (*self._continued(lower + 1.0, part), share)]

    def _continued(self, places: Array, part: slice) -> tuple[Array, Array]:
        """Return which pixels stand at whole places, those outside being 0, and which are inside."""
        i, size = places.astype(np.int64), part.stop - part.start
        if self.fill == "constant":
            inside = (i >= 0) & (i < size)
            return part.start + np.where(inside, i, 0), inside
        if self.fill == "nearest":
            i = np.clip(i, 0, size - 1)
        elif self.fill == "wrap":
            i = i % size
        else:
            i = i % (2 * size)
            i = np.where(i < size, i, 2 * size - 1 - i)
        return part.start + i, np.ones(i.shape, np.bool_)


def _sample(ctx: Context, x: Array, how: Sampling | None) -> Sequence[Array]:
    """y = sum over the pixels around each place of weight times pixel; the images themselves where `how` is None."""
    if how is None:
        return (x,)
    image = np.arange(len(x))[:, None, None]
    y = np.zeros((len(x), *how.sizes, x.shape[3]), ctx.dtype)
    for row, column, inside, weight in how.sources(ctx.dtype):
        y += weight[..., None] * np.where(inside[..., None], x[image, row, column], ctx.dtype.type(how.value))
    return (y,)


def _check(x: Array) -> None:
    if x.ndim != 4 or 0 in x.shape[1:]:
        raise ValueError(f"takes images (batch, rows, columns, channels). Received: {x.shape}")


def _whole(x: Array) -> tuple[slice, slice]:
    return slice(0, x.shape[1]), slice(0, x.shape[2])


def _flipping(ctx: Context, x: Array, attrs: Attrs) -> Sampling | None:
    _check(x)
    if not ctx.training:
        return None
    maps = np.tile([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], (len(x), 1))
    chosen = image_words(len(x), integer(attrs, "seed"), ctx.iteration)[:, 0] < 1 << 31
    if attrs.get("vertical", False):
        maps[chosen, 0], maps[chosen, 2] = -1.0, x.shape[1] - 1.0
    if attrs.get("horizontal", False):
        maps[chosen, 4], maps[chosen, 5] = -1.0, x.shape[2] - 1.0
    return Sampling(maps, (x.shape[1], x.shape[2]), _whole(x))


def _ranges(attrs: Attrs, name: str, missing: tuple[float, ...]) -> list[float]:
    given = attrs.get(name, missing)
    if not isinstance(given, (tuple, list)) or len(given) != len(missing):
        raise ValueError(f"`{name}` must hold {len(missing)} numbers. Received: {name}={given!r}")
    if not all(abs(value) <= 1e6 for value in given):
        raise ValueError(f"`{name}` must hold numbers from -1e6 to 1e6. Received: {name}={given!r}")
    return [float(value) for value in given]


def _mapping(ctx: Context, x: Array, attrs: Attrs) -> Sampling | None:
    _check(x)
    shift, zoom = _ranges(attrs, "shift", (0.0,) * 4), _ranges(attrs, "zoom", (1.0,) * 4)
    rotation = _ranges(attrs, "rotation", (0.0, 0.0))
    fill, interpolation = attrs.get("fill_mode", "reflect"), attrs.get("interpolation", "bilinear")
    if fill not in FILL_MODES:
        raise ValueError(f"`fill_mode` must be one of {', '.join(FILL_MODES)}. Received: fill_mode={fill!r}")
    if interpolation not in INTERPOLATIONS:
        raise ValueError(f"`interpolation` must be 'bilinear' or 'nearest'. Received: interpolation={interpolation!r}")
    if not ctx.training:
        return None
    words = image_words(len(x), integer(attrs, "seed"), ctx.iteration)
    rows, cols = float(x.shape[1]), float(x.shape[2])
    down, right = uniform(words[:, 0], *shift[:2]) * rows, uniform(words[:, 1], *shift[2:]) * cols
    zoom_rows = uniform(words[:, 2], *zoom[:2])
    zoom_cols = zoom_rows if attrs.get("same_zoom", False) else uniform(words[:, 3], *zoom[2:])
    angle = 2.0 * math.pi * uniform(words[:, 4], *rotation)
    middle_row, middle_col = (rows - 1.0) / 2.0, (cols - 1.0) / 2.0
    a, b = np.cos(angle) * zoom_rows, np.sin(angle) * zoom_cols
    c, d = -np.sin(angle) * zoom_rows, np.cos(angle) * zoom_cols
    maps = np.stack(
        [
            *(a, b, middle_row - a * middle_row - b * middle_col - down),
            *(c, d, middle_col - c * middle_row - d * middle_col - right),
        ],
        axis=1,
    )
    value = number(attrs, "fill_value", 0.0)
    return Sampling(maps, (x.shape[1], x.shape[2]), _whole(x), interpolation == "nearest", str(fill), value)


def _cropping(ctx: Context, x: Array, attrs: Attrs) -> Sampling | None:
    _check(x)
    height, width = integer(attrs, "height"), integer(attrs, "width")
    if height < 1 or width < 1:
        raise ValueError(f"`height` and `width` must be 1 or more. Received: height={height}, width={width}")
    n, rows, cols, _ = x.shape
    if ctx.training and rows >= height and cols >= width:
        words = image_words(n, integer(attrs, "seed"), ctx.iteration).astype(np.uint64)
        down, right = (
            ((words[:, k] * np.uint64(most)) >> np.uint64(32)).astype(np.float64)
            for k, most in enumerate((rows - height + 1, cols - width + 1))
        )
        one, zero = np.ones(n), np.zeros(n)
        return Sampling(np.stack([one, zero, down, zero, one, right], axis=1), (height, width), _whole(x))
    # The largest part in the middle with the sides' ratio of the result, resized to it.
    window_rows = max(1, min(rows, cols * height // width))
    window_cols = max(1, min(cols, rows * width // height))
    first_row, first_col = (rows - window_rows) // 2, (cols - window_cols) // 2
    window = slice(first_row, first_row + window_rows), slice(first_col, first_col + window_cols)
    down, right = window_rows / height, window_cols / width
    places = [down, 0.0, 0.5 * down - 0.5, 0.0, right, 0.5 * right - 0.5]
    return Sampling(np.tile(places, (n, 1)), (height, width), window, False, "nearest")


SAMPLINGS = {"random_flip": _flipping, "random_affine": _mapping, "random_crop": _cropping}


def _register(op: str) -> None:
    find = SAMPLINGS[op]

    @forward(op)
    def run(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
        """y = the images sampled at the places that they draw."""
        (x,) = inputs
        return _sample(ctx, x, find(ctx, x, attrs))

    @backward(op)
    def run_backward(
        ctx: Context,
        inputs: Sequence[Array],
        params: Sequence[Array],
        outputs: Sequence[Array],
        d_outputs: MaybeArrays,
        attrs: Attrs,
    ) -> Gradients:
        """dx = the adjoint: each pixel of dy goes, by its weights, to the pixels that it was sampled from."""
        (x,), (dy,) = inputs, d_outputs
        assert dy is not None
        how = find(ctx, x, attrs)
        if how is None:
            return (dy,), ()
        dx = np.zeros(x.shape, ctx.dtype)
        image = np.arange(len(x))[:, None, None]
        for row, column, inside, weight in how.sources(ctx.dtype):
            np.add.at(dx, (image, row, column), (weight * inside)[..., None] * dy)
        return (dx,), ()


for _op in SAMPLINGS:
    _register(_op)


@forward("random_tone")
def random_tone(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """y = (x - m) f + m + d cut to the range of values in training, m being the mean of each channel; else y = x."""
    (x,) = inputs
    _check(x)
    brightness, contrast = _ranges(attrs, "brightness", (0.0, 0.0)), _ranges(attrs, "contrast", (1.0, 1.0))
    low, high = (ctx.dtype.type(bound) for bound in _ranges(attrs, "value_range", (0.0, 255.0)))
    if low > high:
        raise ValueError(f"`value_range` must ascend. Received: {low} and {high}")
    if not ctx.training:
        return (x,)
    words = image_words(len(x), integer(attrs, "seed"), ctx.iteration)[:, :, None, None, None]
    brighter = uniform(words[:, 0], *brightness).astype(ctx.dtype)
    factor = uniform(words[:, 1], *contrast).astype(ctx.dtype)
    mean = x.mean(axis=(1, 2), keepdims=True, dtype=np.float64).astype(ctx.dtype)
    z = (x - mean) * factor + (mean + brighter)
    ctx.saved["factor"] = factor
    # Half the gradient on a bound, as where the maximum and the minimum of two equal numbers are taken.
    ctx.saved["passes"] = ((z > low) + 0.5 * (z == low)) * ((z < high) + 0.5 * (np.maximum(z, low) == high))
    return (np.minimum(np.maximum(z, low), high),)


@backward("random_tone")
def random_tone_backward(
    ctx: Context,
    inputs: Sequence[Array],
    params: Sequence[Array],
    outputs: Sequence[Array],
    d_outputs: MaybeArrays,
    attrs: Attrs,
) -> Gradients:
    """dx = f dz + (1 - f) mean(dz), where dz = dy within the range of values."""
    (dy,) = d_outputs
    assert dy is not None
    if not ctx.training:
        return (dy,), ()
    dz = dy * ctx.saved["passes"]
    factor = ctx.saved["factor"]
    mean = dz.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
    return ((factor * dz + (1 - factor) * mean).astype(ctx.dtype),), ()
