"""The layer behind an op in a functional model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastgd.layers.argument_configs import Place, find_op, from_plain, op_name, to_plain
from fastgd.layers.graph import KerasTensor
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.naming import automatic_name
from fastgd.utils.structure import flatten, pack


class Operation(Layer, abstract=True):
    """One call of an op on placeholders: `y = function(*args, **kwargs)`.

    It is made by calling the op, not by its name, so that it is in no registry. Variables among the arguments become
    its weights, and are trained with the model.

    Args:
        function: an op.
        args: its arguments, placeholders or their places among them, perhaps in lists.
        kwargs: its keyword arguments, the same.
        **base: those of `Layer`.

    Attributes:
        placeholders: those among the arguments, in order: what the layer is to be called on.
    """

    def __init__(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], **base: Any
    ) -> None:
        super().__init__(**{"name": automatic_name(function.__name__), **base})
        self.function = function
        structure = (tuple(args), dict(kwargs))
        leaves = flatten(structure)
        self.placeholders = [leaf for leaf in leaves if isinstance(leaf, KerasTensor)]
        numbers = iter(range(len(self.placeholders)))
        self._leaves = [Place(next(numbers)) if isinstance(leaf, KerasTensor) else leaf for leaf in leaves]
        self._structure = pack(structure, self._leaves)
        variables = [leaf for leaf in leaves if isinstance(leaf, Variable)]
        self._variables = list({id(variable): variable for variable in variables}.values())

    def call(self, inputs: Sequence[Tensor]) -> Any:
        """Emit the op, with tensors in their places."""
        leaves = [inputs[leaf.number] if isinstance(leaf, Place) else leaf for leaf in self._leaves]
        args, kwargs = pack(self._structure, leaves)
        return self.function(*args, **kwargs)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Return None: what an op makes carries no mask, as in Keras."""

    def get_config(self) -> dict[str, Any]:
        """Return the name of the op and its arguments, with constants as lists.

        Raises:
            ValueError: if a variable is among the arguments: a config holds no weights.
            TypeError: for a function that is not of `fastgd.ops`, or an argument without a plain form.
        """
        if self._variables:
            names = [variable.name for variable in self._variables]
            raise invalid(f"The op {self.name!r} has no config: there are variables in it.", variables=names)
        function = op_name(self.function)
        if function is None:
            raise mistyped(f"{self.name!r} has no config: it is no function of fastgd.ops.", function=self.function)
        args, kwargs = self._structure
        named = {key: to_plain(value) for key, value in kwargs.items()}
        return {**super().get_config(), "function": function, "args": [to_plain(a) for a in args], "kwargs": named}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Operation:
        """Make an object from what `get_config` returned."""
        args, named = map(from_plain, config["args"]), config["kwargs"]
        base = {key: value for key, value in config.items() if key not in ("function", "args", "kwargs")}
        kwargs = {key: from_plain(value) for key, value in named.items()}
        return cls(find_op(config["function"]), tuple(args), kwargs, **base)
