"""The graph of a functional model: which calls lead from its inputs to its outputs, and replaying them in a plan."""

from __future__ import annotations

from typing import Any

from fastgd.layers.graph import KerasTensor, layers_in_order, nodes_before
from fastgd.layers.input_layer import InputLayer
from fastgd.layers.layer import Layer
from fastgd.ops.builder import PlanBuilder, Tensor, show_dims
from fastgd.plan import BATCH
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.naming import distinct_names
from fastgd.utils.structure import flatten, pack


class Graph:
    """The calls between placeholders.

    Args:
        inputs: a KerasTensor or a structure of them.
        outputs: a KerasTensor or a structure of them that calls of layers made from `inputs`.

    Attributes:
        layers: the layers, each once, in Keras' order.
        nodes: the calls, each after those whose outputs it takes.
        input_names: the names of the inputs, in which arrays may be given in a dict.
        output_names: the names of the layers that make the outputs, made distinct.

    Raises:
        TypeError: if something is no KerasTensor.
        ValueError: if an output depends on an `Input` that is not among `inputs`, or two layers share a name.
    """

    _index_limits: list[int | None] | None = None

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.flat_inputs: list[KerasTensor] = _placeholders("inputs", inputs)
        self.flat_outputs: list[KerasTensor] = _placeholders("outputs", outputs)
        # Copies, because the caller may append to his lists.
        self.inputs = pack(inputs, self.flat_inputs)
        self.outputs = pack(outputs, self.flat_outputs)
        if len({id(x) for x in self.flat_inputs}) < len(self.flat_inputs):
            raise invalid("`inputs` must not hold one placeholder twice.", inputs=inputs)
        entrances = {id(x.node): x.node for x in self.flat_inputs}
        found = nodes_before(self.flat_outputs, self.flat_inputs)
        self.nodes = [node for node in found if id(node) not in entrances]
        made = {id(x) for x in self.flat_inputs}
        for node in self.nodes:
            missing = [x for x in node.placeholders if id(x) not in made]
            if missing or isinstance(node.layer, InputLayer):
                name = missing[0].name if missing else node.layer.name
                names = [x.name for x in self.flat_inputs]
                raise invalid(f"`outputs` depend on the input {name!r}, which is not among `inputs`.", inputs=names)
            made.update(id(y) for y in flatten(node.outputs))
        met = {id(node) for node in found}
        unused = [node for key, node in entrances.items() if key not in met]
        # The layer behind an intermediate placeholder that is taken as an input is no part of this model.
        inner = [n for n in [*unused, *found] if id(n) not in entrances or isinstance(n.layer, InputLayer)]
        self.layers: list[Layer] = layers_in_order(inner)
        _check_names(self.layers)
        self.input_names = distinct_names([x.name for x in self.flat_inputs])
        self.output_names = distinct_names([y.name for y in self.flat_outputs])
        for y in self.flat_outputs:
            if y.dims[:1] != (BATCH,):
                raise invalid(f"`outputs` must have the batch as their first axis; {y.name!r} has not.", shape=y.shape)

    def index_limits(self, dtype: str) -> list[int | None]:
        """Return for each input what integers fed to it must stay below, None if no layer that takes it as it is cares.

        Args:
            dtype: the dtype of the model.
        """
        if self._index_limits is None:
            builder = PlanBuilder(dtype, training=True)
            symbols = [builder.input(x.name, x.dims, x.plan_dtype) for x in self.flat_inputs]
            self.run(pack(self.inputs, symbols))
            self._index_limits = [builder.index_limits.get(x.name) for x in symbols]
        return self._index_limits

    def run(self, inputs: Any, training: bool | None = None) -> Any:
        """Replay the calls on tensors of a plan.

        Args:
            inputs: a structure of as many tensors as the graph has inputs, of their shapes.
            training: what layers are told that were not told otherwise when they were called.

        Returns:
            The outputs, in the structure of the graph's.

        Raises:
            ValueError: if the number or the shapes of the tensors differ.
        """
        tensors = self._check_tensors(inputs)
        made = {id(x): tensor for x, tensor in zip(self.flat_inputs, tensors, strict=True)}
        for node in self.nodes:
            arguments, named = node.arguments(lambda x: made[id(x)])
            told = training if node.training is None else node.training
            results = flatten(node.layer.emit(arguments, told, named))
            made.update({id(y): result for y, result in zip(flatten(node.outputs), results, strict=True)})
        return pack(self.outputs, [made[id(y)] for y in self.flat_outputs])

    def _check_tensors(self, inputs: Any) -> list[Tensor]:
        """Return the tensors of a structure after comparing them with the graph's inputs."""
        tensors: list[Tensor] = flatten(inputs)
        if len(tensors) != len(self.flat_inputs):
            raise invalid(f"The model takes {len(self.flat_inputs)} inputs.", inputs=tensors)
        for x, tensor in zip(self.flat_inputs, tensors, strict=True):
            # The batch of a model inside a layer may be a multiple of the plan's.
            if x.dims[1:] != tensor.dims[1:] or tensor.dims[0] >= 0:
                raise invalid(f"The input {x.name!r} has the shape {show_dims(x.dims)}.", shape=tensor.shape)
        return tensors


def _placeholders(name: str, structure: Any) -> list[KerasTensor]:
    leaves = flatten(structure)
    if not leaves or not all(isinstance(leaf, KerasTensor) for leaf in leaves):
        raise mistyped(f"`{name}` must be made by Input and by calls of layers.", **{name: structure})
    return leaves


def _check_names(layers: list[Layer]) -> None:
    seen: set[str] = set()
    for layer in layers:
        if layer.name in seen:
            raise invalid("The layers of a model must have distinct names.", name=layer.name)
        seen.add(layer.name)
