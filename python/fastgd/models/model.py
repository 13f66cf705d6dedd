"""Models: a graph of layers with weights of its own, which is itself a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgd import config
from fastgd.layers.graph import KerasTensor
from fastgd.layers.layer import Layer
from fastgd.models.functional import Graph
from fastgd.models.trainer import Trainer
from fastgd.ops.builder import Shape
from fastgd.ops.parameters import Variable
from fastgd.utils.errors import invalid, unknown
from fastgd.utils.naming import automatic_name
from fastgd.utils.structure import flatten


class Model(Trainer, Layer, abstract=True):
    """A network from placeholders to outputs: compiled, it trains; called, it is a layer of a larger model.

    Args:
        inputs: what `Input` returned, or a list or dict of such placeholders.
        outputs: what calls of layers made of them, or a list or dict.
        name: the name; automatic if None.
        trainable: whether training may change the weights.

    Raises:
        ValueError: if outputs depend on other inputs, if two layers share a name, or if layers have different dtypes.

    Example:
        >>> x = fastgd.Input(shape=(8,))
        >>> y = fastgd.layers.Dense(1)(x)
        >>> model = fastgd.Model(inputs=x, outputs=y)
        >>> model.compile(optimizer="adam", loss="mse")
    """

    def __init__(
        self, inputs: Any = None, outputs: Any = None, name: str | None = None, trainable: bool = True
    ) -> None:
        if inputs is None or outputs is None:
            raise invalid(
                "A Model needs `inputs` and `outputs`; a subclass with a `call` of its own is not supported.",
                inputs=inputs,
                outputs=outputs,
            )
        super().__init__(name=name or automatic_name("functional"), trainable=trainable)
        self._init_trainer()
        self._set_graph(Graph(inputs, outputs))

    def _set_graph(self, graph: Graph) -> None:
        """Take up a graph: settle the dtype and forget plans made for an earlier one."""
        dtype = _common_dtype(self.name, graph)
        for layer in graph.layers:
            for variable in layer.weights:
                variable.cast(dtype)
        self._graph: Graph | None = graph
        self._built_dtype = dtype
        self.built = True
        self._reset_plans()
        if self._compiled is not None:
            self._compiled.unsettle()

    @property
    def graph(self) -> Graph:
        """The graph.

        Raises:
            ValueError: if the model is not built.
        """
        if self._graph is None:
            raise ValueError(
                f"The model {self.name!r} is not built: it does not know the shape of its input yet. "
                "Begin it with Input(shape=...), call `build`, or call it on data or `fit` first."
            )
        return self._graph

    @property
    def given_dtype(self) -> str | None:
        """The dtype that all its layers have: inside a larger model it is not free any more."""
        return self._built_dtype

    @property
    def inputs(self) -> list[KerasTensor]:
        """The placeholders of the inputs."""
        return self.graph.flat_inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The placeholders of the outputs."""
        return self.graph.flat_outputs

    @property
    def input(self) -> Any:
        """The placeholder of the input, or the structure of them."""
        return self.graph.inputs

    @property
    def output(self) -> Any:
        """The placeholder of the output, or the structure of them."""
        return self.graph.outputs

    @property
    def input_shape(self) -> Shape | list[Shape]:
        """The shape of the input with None for the batch; a list for several."""
        shapes = [x.shape for x in self.inputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def output_shape(self) -> Shape | list[Shape]:
        """The shape of the output with None for the batch; a list for several."""
        shapes = [y.shape for y in self.outputs]
        return shapes[0] if len(shapes) == 1 else shapes

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return list(self.graph.input_names)

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: those of the layers that make them."""
        return list(self.graph.output_names)

    @property
    def layers(self) -> list[Layer]:
        """The layers, from the inputs to the outputs."""
        return list(self.graph.layers)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or its place in `layers`.

        Raises:
            ValueError: if there is none, or unless exactly one of both is given.
        """
        if (name is None) == (index is None):
            raise invalid("Give either `name` or `index`.", name=name, index=index)
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise invalid(f"`index` must be below {len(self.layers)}, the number of layers.", index=index)
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise unknown("layer", [layer.name for layer in self.layers], name=name)

    @property
    def weights(self) -> list[Variable]:
        """All variables, layer by layer, each once."""
        return _distinct([variable for layer in self.layers for variable in layer.weights])

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that training would change if the model were compiled now."""
        if not self.trainable:
            return []
        return _distinct([variable for layer in self.layers for variable in layer.trainable_weights])

    @property
    def moving_weights(self) -> list[Variable]:
        """The variables that the forward pass of training would move if the model were compiled now."""
        if not self.trainable:
            return []
        return _distinct([variable for layer in self.layers for variable in layer.moving_weights])

    @property
    def trainable(self) -> bool:
        """Whether optimizers may change the weights; setting it sets it for every layer."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        Layer.trainable.fset(self, value)  # type: ignore[attr-defined]
        for layer in self.layers:
            layer.trainable = value

    def build(self, input_shape: Any = None) -> None:
        """Do nothing: a model made of placeholders is built from the first."""

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Replay the graph on tensors of a plan."""
        return self.graph.run(inputs, training)

    def __call__(self, inputs: Any, training: bool | None = None) -> Any:
        """Call the model: on placeholders as a layer, on arrays to compute the outputs of one batch at once.

        Args:
            inputs: KerasTensors or arrays, in the structure of the model's inputs.
            training: on arrays, whether dropout and the like are active.

        Returns:
            KerasTensors or arrays, in the structure of the model's outputs.
        """
        symbolic = all(hasattr(leaf, "dims") for leaf in flatten(inputs))
        if symbolic or training:
            return super().__call__(inputs, training)
        self._build_for(inputs)
        return self.predict_on_batch(inputs)

    def summary(
        self,
        line_length: int | None = None,
        print_fn: Callable[[str], object] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
    ) -> None:
        """Print a table of the layers with their output shapes and numbers of weights, and the totals.

        Args:
            line_length: the width of the table; that of the terminal if None.
            print_fn: called with the text instead of printing it.
            expand_nested: whether to list the layers of models inside the model too.
            show_trainable: whether to add a column that tells which layers are trained.
        """
        from fastgd.models.summary import show_summary

        show_summary(self, line_length, print_fn, expand_nested, show_trainable)

    def get_config(self) -> dict[str, Any]:
        """Refuse: the config of a graph comes with saving."""
        raise NotImplementedError(f"{type(self).__name__} has no config")


def _common_dtype(name: str, graph: Graph) -> str:
    """Return the one dtype of a model: that of its layers, else of its inputs, else the default."""
    inputs = {id(x.node.layer) for x in graph.flat_inputs}
    given = {layer.given_dtype: layer.name for layer in graph.layers if id(layer) not in inputs}
    if not any(given):
        given = {x.node.layer.given_dtype: x.name for x in graph.flat_inputs}
    given.pop(None, None)
    if len(given) > 1:
        raise invalid(f"All layers of a model must have one dtype; those of {name!r} differ.", **dict_of(given))
    if given:
        return str(next(iter(given)))
    weights = [variable.dtype for layer in graph.layers for variable in layer.weights]
    return str(np.result_type(*weights)) if weights else config.floatx()


def dict_of(given: dict[str | None, str]) -> dict[str, object]:
    """Return the layers' names with their dtypes."""
    return {layer: dtype for dtype, layer in given.items()}


def _distinct(variables: list[Variable]) -> list[Variable]:
    return list({id(variable): variable for variable in variables}.values())
