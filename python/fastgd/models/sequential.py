"""Models that are a chain of layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from fastgd.layers.graph import KerasTensor
from fastgd.layers.input_layer import Input, InputLayer
from fastgd.layers.layer import Layer, model_classes
from fastgd.models.configs import CustomObjects, layer_config, layer_from_config
from fastgd.models.functional import Graph
from fastgd.models.model import Model
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.naming import automatic_name
from fastgd.utils.structure import flatten


class Sequential(Model, abstract=True):
    """A chain of layers, each applied to the output of the one before.

    The model is built as soon as it knows the shape of its input: from a first `Input`, from `input_shape` of the first
    layer, from `build`, or from the data of the first `fit` or call.

    Args:
        layers: the layers, or an `Input` and layers.
        trainable: whether training may change the weights.
        name: the name; automatic if None.

    Example:
        >>> model = fastgd.Sequential([
        ...     fastgd.layers.Dense(64, activation="relu", input_shape=(784,)),
        ...     fastgd.layers.Dense(10, activation="softmax"),
        ... ])
    """

    def __init__(
        self, layers: Iterable[Any] | Layer | None = None, trainable: bool = True, name: str | None = None
    ) -> None:
        Layer.__init__(self, name=name or automatic_name("sequential"), trainable=trainable)
        self._init_trainer()
        self.subclassed = False
        self._graph = None
        self._chain: list[Layer] = []
        self._entrance: KerasTensor | None = None
        # How many layers of the chain the graph holds already.
        self._depth = 0
        if isinstance(layers, Layer):
            layers = [layers]
        for layer in layers or ():
            self._append(layer)
        self._extend()

    @property
    def layers(self) -> list[Layer]:
        """The layers of the chain, without the `Input`."""
        return list(self._chain)

    def add(self, layer: Any) -> None:
        """Append a layer.

        Args:
            layer: a layer; the first may be what `Input` returned.

        Raises:
            TypeError: if it is no layer.
            ValueError: if an `Input` is not the first, a name is taken, or the shapes do not fit.
        """
        before = list(self._chain)
        self._append(layer)
        try:
            self._extend()
        except (TypeError, ValueError):
            self._chain = before
            raise

    def _append(self, layer: Any) -> None:
        """Check a layer and add it to the chain, not yet to the graph."""
        if isinstance(layer, KerasTensor):
            layer = layer.node.layer
        if not isinstance(layer, Layer):
            raise mistyped("`layer` must be a layer.", layer=layer)
        if isinstance(layer, InputLayer):
            if self._entrance is not None or self._chain:
                raise invalid("An Input must be the first of the chain.", layer=layer)
            self._entrance = layer.output
            return
        if any(other.name == layer.name for other in self._chain):
            raise invalid("The layers of a model must have distinct names.", name=layer.name)
        if not self._chain and self._entrance is None:
            self._entrance = _entrance_of(layer)
        self._chain.append(layer)

    def pop(self) -> Layer:
        """Remove the last layer and return it.

        Raises:
            ValueError: if there is none.
        """
        if not self._chain:
            raise invalid("There is no layer to remove.", layers=self._chain)
        layer = self._chain.pop()
        self._reset_plans()
        if self._graph is not None:
            node = self._graph.flat_outputs[0].node
            layer.forget(node)
            self._depth = len(self._chain)
            if self._chain:
                self._set_graph(Graph(self._graph.inputs, node.inputs))
            else:
                self._graph = None
                self.built = False
        return layer

    def build(self, input_shape: Any = None) -> None:
        """Make the weights.

        Args:
            input_shape: the shape of a batch, with None for its size: (None, 784).

        Raises:
            ValueError: if the shape is wrong.
        """
        if self._graph is not None:
            return
        if not self._chain:
            raise invalid(f"The model {self.name!r} has no layers to build.", layers=self._chain)
        if self._entrance is None:
            dtypes = [layer.given_dtype for layer in self._chain if layer.given_dtype]
            kind = "int32" if self._chain[0].integer_inputs else dtypes[0] if dtypes else None
            self._entrance = Input(batch_shape=input_shape, dtype=kind)
        self._extend()

    def ensure_built(self, inputs: Any, dtype: str, others: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Build the model, if it is not built, for an input given by its sizes."""
        if isinstance(inputs, list) and len(inputs) != 1:
            raise invalid(f"The model {self.name!r} takes one input.", inputs=len(inputs))
        dims = inputs[0] if isinstance(inputs, list) else inputs
        self.build((None, *dims[1:]))

    def get_config(self) -> dict[str, Any]:
        """Return name and layers, the `Input` first if it is known."""
        entrance = [] if self._entrance is None else [self._entrance.node.layer]
        layers = [layer_config(layer) for layer in [*entrance, *self._chain]]
        return {"name": self.name, "trainable": self.trainable, "layers": layers}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: CustomObjects = None) -> Sequential:
        """Make a model from what `get_config` returned; the arguments are those of `Model.from_config`."""
        layers = [layer_from_config(entry, custom_objects) for entry in config["layers"]]
        return cls(layers, trainable=config.get("trainable", True), name=config.get("name"))

    def _extend(self) -> None:
        """Take up into the graph what the chain holds beyond it, once the input is known."""
        done = 0 if self._graph is None else self._depth
        if self._entrance is None or len(self._chain) == done:
            return
        output = self._entrance if self._graph is None else self._graph.flat_outputs[0]
        for layer in self._chain[done:]:
            output = layer(output)
            if len(flatten(output)) != 1:
                raise invalid("A layer of a chain must have one output.", layer=layer)
        self._set_graph(Graph(self._entrance, output))
        self._depth = len(self._chain)

    def _build_for(self, x: Any) -> None:
        if self._graph is None:
            wrapped = isinstance(x, (list, tuple, dict)) and len(x) == 1 and hasattr(flatten(x)[0], "shape")
            shape = np.shape(flatten(x)[0] if wrapped else x)
            # A vector is a column of samples with one feature each.
            self.build((None, *(shape[1:] or (1,))))


def _entrance_of(layer: Layer) -> KerasTensor | None:
    """Return a placeholder for the first layer of a chain, None if it does not tell its input."""
    if layer.first_shape is not None:
        return Input(layer.first_shape, dtype="int32" if layer.integer_inputs else layer.given_dtype)
    if isinstance(layer, Model) and layer.built:
        if len(layer.inputs) != 1:
            raise invalid("The first model of a chain must have one input.", layer=layer)
        return Input(batch_shape=layer.inputs[0].shape, dtype=layer.inputs[0].plan_dtype or layer.dtype)
    return None


model_classes["Sequential"] = Sequential
