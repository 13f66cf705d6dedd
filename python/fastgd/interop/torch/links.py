"""Which variable of a model stands for which tensor of a module, and how their axes correspond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.interop.values import Sizes
from fastgd.ops.parameters import Variable
from fastgd.utils.errors import invalid

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Link:
    """One variable and the tensor that it stands for.

    Attributes:
        variable: the variable.
        name: the tensor's name in the `state_dict` of the module.
        view: the shape in which the tensor is seen before its axes are exchanged.
        axes: the axis of that view that each axis of the variable is, before it takes its own shape.
        blocks: the order in which the blocks of the view's first axis stand in the variable, such as gates; none to
            leave them.
        part: the place on the first axis of the variable that the tensor stands for; None for all of it.
        addend: the name of a second tensor whose sum with this one the variable is. It keeps its value.
        section: which of how many equal sections of the tensor's first axis the variable stands for, such as one of
            three projections; None for the whole tensor. The view is that of the section.
    """

    variable: Variable
    name: str
    view: Sizes
    axes: Sizes
    blocks: Sizes = ()
    part: int | None = None
    addend: str | None = None
    section: tuple[int, int] | None = None

    @property
    def size(self) -> int:
        """The number of elements of the tensor."""
        return prod(self.view) * (1 if self.section is None else self.section[1])

    @property
    def is_plain(self) -> bool:
        """Whether the variable has the axes of the tensor."""
        exchanged = self.axes != tuple(range(len(self.axes))) or self.variable.shape != self.view
        return not (exchanged or self.blocks or self.addend or self.section) and self.part is None

    def put(self, target: Array, value: Array) -> None:
        """Write an array of the tensor's shape to where it belongs in the variable, or in a slot of it."""
        seen = self._blocks(self._section(value).reshape(self.view), self.blocks)
        place = target if self.part is None else target[self.part]
        place[...] = seen.transpose(self.axes).reshape(place.shape)

    def take(self, source: Array, shape: Sequence[int]) -> Array:
        """Return what belongs into the tensor, which has this shape, or into its section, of such an array."""
        value = source if self.part is None else source[self.part]
        moved = value.reshape([self.view[axis] for axis in self.axes])
        seen = self._blocks(moved.transpose(np.argsort(self.axes)), tuple(np.argsort(self.blocks)))
        rows, *rest = shape or (1,)
        return seen.reshape(tuple(shape) if self.section is None else (rows // self.section[1], *rest))

    def write(self, tensor: Any, value: Array) -> None:
        """Overwrite the numbers of a tensor, or of its section, by what `take` returned."""
        write_tensor(self._section(tensor.detach()), value)

    def _section(self, tensor: Any) -> Any:
        """Return the section of a tensor or an array, which shares its numbers."""
        if self.section is None:
            return tensor
        number, count = self.section
        rows = len(tensor) // count
        return tensor[number * rows : (number + 1) * rows]

    @staticmethod
    def _blocks(value: Array, order: Sizes) -> Array:
        """Return an array with equal blocks of its first axis in another order."""
        if not order:
            return value
        parts = np.split(value, len(order))
        return np.concatenate([parts[k] for k in order])


@dataclass(frozen=True)
class MovingVariance:
    """A moving variance: PyTorch divides the squares of a batch by one less than their number.

    Attributes:
        link: the variance.
        samples: the numbers per sample and channel that it is taken of.
        momentum: the share that an update keeps.
        counter: the name of the tensor that counts updates.
    """

    link: Link
    samples: int
    momentum: float
    counter: str


def tensor_array(tensor: Any) -> Array:
    """Return the numbers of a tensor, of any device, as an array."""
    array: Array = tensor.detach().cpu().numpy()
    return array


def write_tensor(tensor: Any, value: Array) -> None:
    """Overwrite the numbers of a tensor in place, which keeps its optimizer and all who share it."""
    import torch

    with torch.no_grad():
        tensor.copy_(torch.from_numpy(np.array(value, order="C")))


def find_tensors(module: Any, links: Sequence[Link]) -> Mapping[str, Any]:
    """Return the tensors of a module that the links name.

    Raises:
        ValueError: if one is missing or has another number of elements.
    """
    tensors = {**dict(module.named_parameters(remove_duplicate=False)), **dict(module.named_buffers())}
    for link in links:
        found = tensors.get(link.name)
        if found is None or found.numel() != link.size:
            shape = None if found is None else tuple(found.shape)
            raise invalid(
                f"`module` must have the tensor {link.name!r} of {link.size} elements, as the module had that "
                "the model was made from.",
                shape=shape,
            )
    return tensors
