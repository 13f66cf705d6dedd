"""Windows that slide over images and signals with the channels last: where they lie and what they see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastgd.reference.registry import Array, Attrs, sizes


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where windows lie: one number per spatial axis.

    Attributes:
        sizes: those of the input.
        window: those of the window.
        strides: the steps between windows.
        dilations: the steps between the elements of a window.
        before: the zeros in front; negative numbers crop.
        after: the same behind.
    """

    sizes: tuple[int, ...]
    window: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def extents(self) -> tuple[int, ...]:
        """How many neighbours a window covers, those between its elements included."""
        return tuple((k - 1) * step + 1 for k, step in zip(self.window, self.dilations, strict=True))

    @property
    def padded(self) -> tuple[int, ...]:
        """The sizes of the input with its padding."""
        return tuple(s + b + a for s, b, a in zip(self.sizes, self.before, self.after, strict=True))

    @property
    def outputs(self) -> tuple[int, ...]:
        """The numbers of windows."""
        each = zip(self.padded, self.extents, self.strides, strict=True)
        return tuple((size - extent) // step + 1 for size, extent, step in each)

    def pad(self, x: Array) -> Array:
        """Return x (n, sizes, c) with its padding."""
        padded = np.zeros((len(x), *self.padded, x.shape[-1]), x.dtype)
        inside, kept = self._overlap()
        padded[inside] = x[kept]
        return padded

    def unpad(self, padded: Array) -> Array:
        """Return what `pad` would have put around it without its padding; what it crops is 0."""
        x = np.zeros((len(padded), *self.sizes, padded.shape[-1]), padded.dtype)
        inside, kept = self._overlap()
        x[kept] = padded[inside]
        return x

    def _overlap(self) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """Return where the input lies in the padded one, and which part of the input that is."""
        inside, kept = [slice(None)], [slice(None)]
        for size, before, whole in zip(self.sizes, self.before, self.padded, strict=True):
            first, last = max(before, 0), min(before + size, whole)
            inside.append(slice(first, max(first, last)))
            kept.append(slice(first - before, max(first, last) - before))
        return tuple(inside), tuple(kept)

    def of_tap(self, tap: Sequence[int]) -> tuple[slice, ...]:
        """Return which elements of the padded input the element `tap` of the window meets, one for each window."""
        each = zip(tap, self.dilations, self.strides, self.outputs, strict=True)
        return (slice(None), *(slice(t * d, t * d + (o - 1) * step + 1, step) for t, d, step, o in each))

    def view(self, padded: Array) -> Array:
        """Return the windows of a padded input without copying: (n, outputs, window, c)."""
        d = len(self.window)
        every = np.lib.stride_tricks.sliding_window_view(padded, self.extents, tuple(range(1, d + 1)))
        apart, among = ([slice(None, None, step) for step in steps] for steps in (self.strides, self.dilations))
        return np.moveaxis(every[(slice(None), *apart, slice(None), *among)], d + 1, -1)


def read_geometry(spatial: Sequence[int], window: Sequence[int], attrs: Attrs) -> Geometry:
    """Return the geometry of a step with the attributes `strides`, `dilations`, `padding_before`, `padding_after`.

    Args:
        spatial: the sizes of what the windows slide over.
        window: the sizes of the window.
        attrs: the attributes of the step.

    Raises:
        ValueError: if they do not fit.
    """
    d = len(spatial)
    lists = [sizes(attrs, name) for name in ("strides", "dilations", "padding_before", "padding_after")]
    if len(window) != d or any(len(each) != d for each in lists) or min(*lists[0], *lists[1], *window) < 1:
        raise ValueError(f"needs {d} numbers in each attribute, strides, dilations and window of 1 or more")
    at = Geometry(tuple(spatial), tuple(window), *lists)
    if min(at.outputs) < 1:
        raise ValueError(f"the window {at.window} does not fit into the sizes {at.padded}, padding included")
    return at
