"""What a tensor of a PyTorch module is in a fastgd model: a placeholder and the order of its axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from fastgd.layers.reshaping import Flatten, Permute, Reshape

Sizes = tuple[int, ...]

# The orders of the axes of a sample: as in PyTorch; with the channels, PyTorch's first axis, last; and what a flattened
# sample of channels last is.
SAME, LAST, FLAT = "same", "last", "flat"


class BatchSize:
    """What `x.size(0)` is: no number yet."""

    def __repr__(self) -> str:
        """Show what it stands for."""
        return "batch"


BATCH_SIZE = BatchSize()


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor while a module is converted.

    Attributes:
        tensor: the placeholder, a KerasTensor.
        shape: the shape of a sample in PyTorch.
        order: how the axes of the placeholder lie.
        origin: for a flattened sample the shape in PyTorch before.
    """

    tensor: Any
    shape: Sizes
    order: str = SAME
    origin: Sizes = ()

    def like(self, tensor: Any) -> Value:
        """Return the value of an elementwise function of this one."""
        return Value(tensor, self.shape, self.order, self.origin)

    def axis(self, dim: int) -> int:
        """Return the placeholder's axis for an axis of PyTorch's tensor, the batch being 0; not for flattened ones."""
        rank = len(self.shape)
        dim = dim % (rank + 1)
        if self.order == SAME or dim == 0:
            return dim
        return rank if dim == 1 else dim - 1


def moved(shape: Sequence[int]) -> Sizes:
    """Return the shape of a sample with the channels last."""
    return (*shape[1:], shape[0])


def plain(value: Value) -> Value:
    """Return the value with its axes in PyTorch's order."""
    x, rank = value.tensor, len(value.shape)
    if value.order == SAME:
        return value
    if value.order == FLAT:
        inner = Reshape(moved(value.origin))(x)
        return Value(Flatten()(plain(Value(inner, value.origin, LAST)).tensor), value.shape)
    if _is_trivial(value.shape):
        return Value(Reshape(value.shape)(x), value.shape)
    return Value(Permute((rank, *range(1, rank)))(x), value.shape)


def channels_last(value: Value) -> Value:
    """Return the value with the channels last."""
    value = plain(value) if value.order == FLAT else value
    rank = len(value.shape)
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
    if len(value.shape) == 1:
        return value
    tensor = Flatten()(value.tensor)
    if value.order == SAME or _is_trivial(value.shape):
        return Value(tensor, size)
    return Value(tensor, size, FLAT, value.shape)


def aligned(values: Sequence[Value]) -> list[Value]:
    """Return values of one order: channels last if one has that and all have as many axes, else PyTorch's."""
    if len({(v.order, v.origin) for v in values}) == 1:
        return list(values)
    ranks = {len(v.shape) for v in values}
    if len(ranks) == 1 and ranks != {1} and all(v.order != FLAT for v in values):
        return [channels_last(v) for v in values]
    return [plain(v) for v in values]


def _is_trivial(shape: Sequence[int]) -> bool:
    """Return whether the elements lie the same with the channels first and last."""
    return shape[0] == 1 or prod(shape[1:]) == 1
