"""Models that are a class with a `call` of its own: their graph is whatever `call` does, run anew for each plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastgd.layers.graph import KerasTensor, Node
from fastgd.layers.input_layer import Input
from fastgd.models.functional import Graph
from fastgd.ops.builder import PlanBuilder, Tensor, show_dims
from fastgd.plan import BATCH
from fastgd.utils.errors import invalid
from fastgd.utils.naming import distinct_names
from fastgd.utils.structure import flatten, pack

if TYPE_CHECKING:
    from fastgd.models.model import Model


class TracedGraph(Graph):
    """The graph of a subclassed model, for inputs of fixed shapes.

    Args:
        model: the model, whose `call` is run.
        inputs: a KerasTensor or a structure of them, made by Input.
        dtype: the dtype of the model.

    Attributes:
        output_names: the keys of a dict that `call` returns, else "output_1", "output_2" and so on.

    Raises:
        TypeError: if `call` does not return tensors.
        ValueError: if an output does not begin with the batch.
    """

    def __init__(self, model: Model, inputs: Any, dtype: str) -> None:
        self._model = model
        self.flat_inputs: list[KerasTensor] = flatten(inputs)
        self.inputs = inputs
        self.input_names = distinct_names([x.name for x in self.flat_inputs])
        builder = PlanBuilder(dtype, training=True)
        symbols = [
            builder.input(name, x.dims, x.plan_dtype)
            for name, x in zip(self.input_names, self.flat_inputs, strict=True)
        ]
        outputs = self._call(pack(inputs, symbols), None)
        # The trial has built the layers that `call` uses.
        self.layers = model.sublayers
        self.output_names = _output_names(outputs)
        node = Node(model, inputs)
        self.flat_outputs = [
            KerasTensor.like(y, node, name) for y, name in zip(flatten(outputs), self.output_names, strict=True)
        ]
        self.outputs = node.outputs = pack(outputs, self.flat_outputs)

    def run(self, inputs: Any, training: bool | None = None) -> Any:
        """Run `call` on tensors of a plan; the arguments are those of `Graph.run`."""
        self._check_tensors(inputs)
        return self._call(inputs, training)

    def _call(self, inputs: Any, training: bool | None) -> Any:
        model = self._model
        outputs = model.invoke(inputs, training)
        leaves: list[Tensor] = flatten(outputs)
        for y in leaves:
            if y.dims[0] != BATCH:
                raise invalid(
                    f"`call` of {type(model).__name__} must return tensors that begin with the batch.",
                    shape=show_dims(y.dims),
                )
        return outputs


def placeholders_for(x: Any, dtype: str | None) -> Any:
    """Return placeholders like a structure of arrays (n, ...), named by its keys where it is a dict."""
    if isinstance(x, dict):
        return placeholders_of_shapes({key: np.shape(value) for key, value in x.items()}, dtype)
    # A list of numbers is an array written out; a list of arrays is several inputs.
    if isinstance(x, (list, tuple)) and any(hasattr(part, "shape") for part in x):
        return type(x)(placeholders_of_shapes([np.shape(part) for part in x], dtype))
    return placeholders_of_shapes(np.shape(x), dtype)


def placeholders_of_shapes(input_shape: Any, dtype: str | None) -> Any:
    """Return placeholders for a shape with None for the batch, or for a list or dict of such shapes."""
    if isinstance(input_shape, dict):
        return {key: _placeholder(shape, dtype, str(key)) for key, shape in input_shape.items()}
    if input_shape and isinstance(input_shape[0], (list, tuple)):
        return [_placeholder(shape, dtype, None) for shape in input_shape]
    return _placeholder(input_shape, dtype, None)


def _placeholder(shape: Any, dtype: str | None, name: str | None) -> KerasTensor:
    if len(shape) == 0:
        raise invalid("`input_shape` must begin with the batch, None.", input_shape=shape)
    # A vector is a column of samples with one feature each.
    return Input(tuple(shape[1:]) or (1,), dtype=dtype, name=name)


def _output_names(outputs: Any) -> list[str]:
    if isinstance(outputs, dict) and not any(isinstance(y, (list, tuple, dict)) for y in outputs.values()):
        return sorted(outputs)
    return [f"output_{k + 1}" for k in range(len(flatten(outputs)))]
