"""Tensors of other libraries, which have the channels of images first, as placeholders with the channels last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from fastgd.layers.reshaping import Flatten, Permute, Reshape

Sizes = tuple[int, ...]

# The orders of the axes of a sample: as in the other library; with the channels, its first axis, last; and what a
# flattened sample of channels last is.
SAME, LAST, FLAT = "same", "last", "flat"


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor while a model is converted.

    Attributes:
        tensor: the placeholder, a KerasTensor.
        shape: the shape of a sample there.
        order: how the axes of the placeholder lie.
        origin: for a flattened sample the shape there before.
    """

    tensor: Any
    shape: Sizes
    order: str = SAME
    origin: Sizes = ()

    def like(self, tensor: Any) -> Value:
        """Return the value of an elementwise function of this one."""
        return Value(tensor, self.shape, self.order, self.origin)

    def axis(self, dim: int) -> int:
        """Return the placeholder's axis for an axis there, the batch being 0; not of flattened ones."""
        rank = len(self.shape)
        dim = dim % (rank + 1)
        _require_image(self)
        if self.order == SAME or dim == 0:
            return dim
        return rank if dim == 1 else dim - 1


def moved(shape: Sequence[int]) -> Sizes:
    """Return the shape of a sample with the channels last."""
    return (*shape[1:], shape[0])


def plain(value: Value) -> Value:
    """Return the value with its axes in the other library's order."""
    x, rank = value.tensor, len(value.shape)
    if value.order == SAME:
        return value
    if value.order == FLAT:
        inner = Reshape(moved(value.origin))(x)
        return Value(Flatten()(plain(Value(inner, value.origin, LAST)).tensor), value.shape)
    if value.order != LAST:
        raise ValueError(
            f"Only recurrent layers take tensors that do not begin with the batch. Received: {value.order}"
        )
    if _is_trivial(value.shape):
        return Value(Reshape(value.shape)(x), value.shape)
    return Value(Permute((rank, *range(1, rank)))(x), value.shape)


def channels_last(value: Value) -> Value:
    """Return the value with the channels last."""
    value = plain(value) if value.order == FLAT else value
    rank = len(value.shape)
    _require_image(value)
    if value.order == LAST:
        return value
    if rank == 1:
        return value
    if _is_trivial(value.shape):
        return Value(Reshape(moved(value.shape))(value.tensor), value.shape, LAST)
    return Value(Permute((*range(2, rank + 1), 1))(value.tensor), value.shape, LAST)


def flat(value: Value) -> Value:
    """Return every sample as a vector, in the order in which its elements lie."""
    size = (prod(value.shape),)
    _require_image(value)
    if len(value.shape) == 1:
        return value
    tensor = Flatten()(value.tensor)
    if value.order == SAME or _is_trivial(value.shape):
        return Value(tensor, size)
    return Value(tensor, size, FLAT, value.shape)


def aligned(values: Sequence[Value]) -> list[Value]:
    """Return values of one order: channels last if one has that and all have as many axes, else the other library's."""
    if len({(v.order, v.origin) for v in values}) == 1:
        return list(values)
    ranks = {len(v.shape) for v in values}
    if len(ranks) == 1 and ranks != {1} and all(v.order != FLAT for v in values):
        return [channels_last(v) for v in values]
    return [plain(v) for v in values]


def reshaped(value: Value, shape: Sizes) -> Value:
    """Return the elements of each sample, in the other library's order, in another shape."""
    if value.order == FLAT and shape == value.origin:
        return Value(Reshape(moved(shape))(value.tensor), shape, LAST)
    if len(shape) == 1:
        return flat(value)
    value = plain(value)
    return value if shape == value.shape else Value(Reshape(shape)(value.tensor), shape)


def permuted(value: Value, order: Sequence[int]) -> Value:
    """Return the axes in another order, the batch, axis 0, being first; channels that go last or come first stay."""
    rank = len(order)
    shape = tuple(value.shape[d - 1] for d in order[1:])
    value = plain(value) if value.origin else value
    if rank > 2 and value.order == LAST and list(order) == [0, *range(2, rank), 1]:
        return Value(value.tensor, shape)
    if rank > 2 and value.order == SAME and list(order) == [0, rank - 1, *range(1, rank - 1)]:
        return Value(value.tensor, shape, LAST)
    return Value(Permute(order[1:])(plain(value).tensor), shape)


def reduced(value: Value, function: Callable[..., Any], dims: Sequence[int], keepdims: bool) -> Value:
    """Return a reduction over axes, not the batch; `function(x, axes, keepdims)` does it."""
    value = plain(value) if value.origin else value
    y = function(value.tensor, tuple(value.axis(d) for d in dims), keepdims)
    if keepdims:
        return Value(y, tuple(1 if k + 1 in dims else s for k, s in enumerate(value.shape)), value.order)
    shape = tuple(s for k, s in enumerate(value.shape) if k + 1 not in dims)
    # Without the channels, or with nothing else, the axes lie as there.
    return Value(y, shape, LAST if value.order == LAST and 1 not in dims and len(shape) > 1 else SAME)


def _require_image(value: Value) -> None:
    """Raise a ValueError if the axes lie in an order that one reader alone knows, such as time before samples."""
    if value.order not in (SAME, LAST, FLAT):
        raise ValueError(
            "Only recurrent layers take tensors that do not begin with the batch. Received: "
            f"a tensor of {', '.join(map(str, value.shape))} per sample"
        )


def _is_trivial(shape: Sequence[int]) -> bool:
    """Return whether the elements lie the same with the channels first and last."""
    return shape[0] == 1 or prod(shape[1:]) == 1
