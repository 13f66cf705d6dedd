"""The layer behind an op in a functional model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastgd.layers.graph import KerasTensor
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.naming import automatic_name
from fastgd.utils.structure import flatten, pack


class Operation(Layer, abstract=True):
    """One call of an op on placeholders: `y = function(*args, **kwargs)`.

    It is made by calling the op, not by its name, so that it is in no registry. Variables among the arguments become
    its weights, and are trained with the model.

    Args:
        function: an op.
        args: its arguments, the placeholders among them, perhaps in lists.
        kwargs: its keyword arguments, the same.

    Attributes:
        placeholders: those among the arguments, in order: what the layer is to be called on.
    """

    def __init__(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        super().__init__(name=automatic_name(function.__name__))
        self.function = function
        self._structure = (tuple(args), dict(kwargs))
        self._leaves = flatten(self._structure)
        self.placeholders = [leaf for leaf in self._leaves if isinstance(leaf, KerasTensor)]
        variables = [leaf for leaf in self._leaves if isinstance(leaf, Variable)]
        self._variables = list({id(variable): variable for variable in variables}.values())

    def call(self, inputs: Sequence[Tensor]) -> Any:
        """Emit the op, with tensors in the places of the placeholders."""
        given = iter(inputs)
        leaves = [next(given) if isinstance(leaf, KerasTensor) else leaf for leaf in self._leaves]
        args, kwargs = pack(self._structure, leaves)
        return self.function(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Refuse: the function and its arguments cannot be told from a config."""
        raise NotImplementedError(f"The op {self.name!r} of a functional model has no config.")
