"""Which variable of a model stands for which tensor of a module, and how their axes correspond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    """

    variable: Variable
    name: str
    view: Sizes
    axes: Sizes

    def to_variable(self, value: Array) -> Array:
        """Return what belongs into the variable, or a slot of it, for an array of the tensor's shape."""
        return value.reshape(self.view).transpose(self.axes).reshape(self.variable.shape)

    def to_tensor(self, value: Array, shape: Sequence[int]) -> Array:
        """Return what belongs into the tensor, which has this shape, for an array of the variable's."""
        moved = value.reshape([self.view[axis] for axis in self.axes])
        return moved.transpose(np.argsort(self.axes)).reshape(tuple(shape))


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
        if found is None or found.numel() != link.variable.size:
            shape = None if found is None else tuple(found.shape)
            raise invalid(
                f"`module` must have the tensor {link.name!r} of {link.variable.size} elements, as the module had that "
                "the model was made from.",
                shape=shape,
            )
    return tensors
