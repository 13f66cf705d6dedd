"""Models: a graph of layers with weights of its own, which is itself a layer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from fastgd import config
from fastgd.layers.calling import as_shapes
from fastgd.layers.graph import INTEGER, KerasTensor
from fastgd.layers.layer import Layer, model_classes
from fastgd.layers.masks import set_masks
from fastgd.layers.weights import distinct
from fastgd.models.configs import CustomObjects, graph_config, graph_from_config, layer_config
from fastgd.models.costs import cost_below, costs_by_scope
from fastgd.models.feeds import input_feeds
from fastgd.models.functional import Graph
from fastgd.models.saving import Saving
from fastgd.models.subclassing import TracedGraph, placeholders_for, placeholders_of_shapes
from fastgd.models.trainer import Trainer
from fastgd.ops.builder import Shape
from fastgd.ops.parameters import Variable
from fastgd.ops.recording import RecordedTensor, Recording, current_recording, without_records
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid, mistyped, unknown
from fastgd.utils.naming import automatic_name, snake_case
from fastgd.utils.structure import change, flatten, pack


class Model(Saving, Trainer, Layer, abstract=True):
    """A network from placeholders to outputs: compiled, it trains; called, it is a layer of a larger model.

    A subclass may leave out `inputs` and `outputs` and implement `call(self, inputs)` instead, with layers that it
    keeps in attributes; it is built by the first data, by `build`, or by a call.

    Args:
        inputs: what `Input` returned, or a list or dict of such placeholders.
        outputs: what calls of layers made of them, or a list or dict.
        name: the name; automatic if None.
        trainable: whether training may change the weights.

    Attributes:
        subclassed: whether the class has a `call` of its own in the place of placeholders.

    Raises:
        ValueError: if outputs depend on other inputs, if two layers share a name, or if layers have different dtypes.

    Example:
        >>> x = fastgd.Input(shape=(8,))
        >>> y = fastgd.layers.Dense(1)(x)
        >>> model = fastgd.Model(inputs=x, outputs=y)
        >>> model.compile(optimizer="adam", loss="mse")

        >>> class Residual(fastgd.Model):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.inner, self.head = fastgd.layers.Dense(8, "relu"), fastgd.layers.Dense(1)
        ...     def call(self, x):
        ...         return self.head(fastgd.layers.add([x, self.inner(x)]))
    """

    _build_builds = False

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
    ) -> None:
        # A class with a step of its own may do without a call of its own, such as a pair of models that train together.
        own = type(self).call is not Model.call or self.overrides("train_step")
        self.subclassed = inputs is None and outputs is None and own
        if not self.subclassed and (inputs is None or outputs is None):
            raise invalid(
                "A Model needs `inputs` and `outputs`, or a subclass with a `call` of its own.",
                inputs=inputs,
                outputs=outputs,
            )
        kind = snake_case(type(self).__name__) if self.subclassed else "functional"
        super().__init__(name=name or automatic_name(kind), trainable=trainable, dtype=dtype)
        self._init_trainer()
        self._graph: Graph | None = None
        if not self.subclassed:
            self._set_graph(Graph(inputs, outputs))

    def _set_graph(self, graph: Graph) -> None:
        """Take up a graph: settle the dtype and forget plans made for an earlier one."""
        dtype = _common_dtype(self.name, graph)
        for layer in graph.layers:
            for variable in layer.weights:
                variable.cast(dtype)
        self._graph = graph
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
        return self._built_dtype or self._given_dtype

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
        """The layers, from the inputs to the outputs; those of a subclassed model in the order of its attributes."""
        return self.sublayers if self.subclassed else list(self.graph.layers)

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
        """All variables, its own and then layer by layer, each once."""
        layers: list[Layer] = self.layers
        return distinct([*self.own_variables, *(variable for layer in layers for variable in layer.weights)])

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that training would change if the model were compiled now."""
        if not self.trainable:
            return []
        own = [variable for variable in self.own_variables if variable.trainable]
        return distinct([*own, *(variable for layer in self.layers for variable in layer.trainable_weights)])

    @property
    def moving_weights(self) -> list[Variable]:
        """The variables that the forward pass of training would move if the model were compiled now."""
        if not self.trainable:
            return []
        return distinct([variable for layer in self.layers for variable in layer.moving_weights])

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
        """Make the weights of a subclassed model; a model made of placeholders has them from the first.

        Args:
            input_shape: the shape of a batch, with None for its size; for several inputs a list or a dict of shapes.
        """
        if self.subclassed and self._graph is None:
            self._trace(placeholders_of_shapes(input_shape, self._input_dtype))

    @property
    def _input_dtype(self) -> str | None:
        """The dtype of the placeholders that a subclassed model is built for, None for the floating type."""
        return INTEGER if self.integer_inputs else self.given_dtype

    def _trace(self, inputs: Any) -> None:
        """Build a subclassed model for placeholders."""
        self._set_graph(TracedGraph(self, inputs, self.dtype))

    def _build_for(self, x: Any) -> None:
        if self.subclassed and self._graph is None:
            self._trace(placeholders_for(x, self._input_dtype))

    def ensure_built(self, inputs: Any, dtype: str, others: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Build the model, if it is not built, for inputs given as a structure of sizes."""
        if others and self.subclassed:
            # Its layers are built by the call at hand: placeholders for one argument would not do.
            self._built_dtype = self._built_dtype or dtype
        else:
            super().ensure_built(inputs, dtype, others)

    def replay(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Replay the graph on tensors of a plan, which carry the masks given for them."""
        set_masks(inputs, mask)
        return self.graph.run(inputs, training)

    # A subclass may have arguments of its own.
    call: Callable[..., Any] = replay

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Return None: the outputs carry the masks that the layers inside have given them."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model: on placeholders as a layer, on arrays to compute the outputs of one batch at once.

        Args:
            *args: KerasTensors or arrays, in the structure of the model's inputs; then further arguments of `call`.
            **kwargs: further arguments of `call`, and `training`: on arrays, whether dropout and the like are active.

        Returns:
            KerasTensors or arrays, in the structure of the model's outputs.
        """
        if current_recording() is None:
            args, kwargs = without_records((args, kwargs))
        inputs, named = self._signature.bind(self, args, kwargs)
        symbolic = all(hasattr(leaf, "dims") for leaf in flatten(inputs))
        # Without training, what is None says nothing.
        told = {name: x for name, x in named.items() if x is not None and (name != "training" or x)}
        if symbolic or told or current_recording() is not None:
            return super().__call__(inputs, **named)
        self._build_for(inputs)
        return self.predict_on_batch(inputs)

    def _take(self, recording: Recording, inputs: Any) -> Any:
        self._build_for(inputs)
        if any(isinstance(leaf, RecordedTensor) for leaf in flatten(inputs)):
            return recording.take(inputs, self.dtype)
        placeholders = zip(input_feeds(self, inputs, "inputs").arrays, self.inputs, strict=True)
        tensors = [recording.feed(x, self.dtype, "inputs", y.plan_dtype is not None) for x, y in placeholders]
        return pack(self.input, tensors)

    def summary(
        self,
        line_length: int | None = None,
        print_fn: Callable[[str], object] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        batch_size: int | None = None,
    ) -> None:
        """Print a table of the layers with their output shapes, numbers of weights and costs, and the totals.

        The costs are those of `count_flops` and `activation_memory`, per sample.

        Args:
            line_length: the width of the table; that of the terminal if None.
            print_fn: called with the text instead of printing it.
            expand_nested: whether to list the layers of models inside the model too.
            show_trainable: whether to add a column that tells which layers are trained.
            batch_size: the samples of a batch whose activation memory is told, too; None for no batch.

        Raises:
            ValueError: if `batch_size` is below 1.
        """
        from fastgd.models.summary import show_summary

        size = None if batch_size is None else check_int("batch_size", batch_size, 1)
        show_summary(self, line_length, print_fn, expand_nested, show_trainable, size)

    def count_flops(self) -> int:
        """Return the floating-point operations of a forward pass per sample, as formulas of the plan's steps give them.

        A multiply-add counts 2; a bias, an activation, a normalization and the like 1 per element; moving elements,
        such as a reshape, counts nothing. A backward pass costs about twice as much.

        Raises:
            ValueError: if the model is not built.

        Example:
            >>> fastgd.Sequential([fastgd.Input((8,)), fastgd.layers.Dense(4)]).count_flops()
            68
        """
        return cost_below(costs_by_scope(self), "").flops

    def activation_memory(self, batch_size: int = 1) -> int:
        """Return the bytes of all tensors between the inputs and the outputs that a forward pass of training makes.

        It is what training keeps at most for the backward pass, gradients and workspaces apart; the engine lets tensors
        share memory that do not live at the same time.

        Args:
            batch_size: the samples of the batch.

        Raises:
            ValueError: if the model is not built, or `batch_size` is below 1.
        """
        return cost_below(costs_by_scope(self, check_int("batch_size", batch_size, 1)), "").bytes

    @property
    def has_graph(self) -> bool:
        """Whether it is known what the model computes, so that plans can be made."""
        return self._graph is not None

    def get_config(self) -> dict[str, Any]:
        """Return name, layers and calls, from which `from_config` makes a model of the same kind with new weights.

        Raises:
            NotImplementedError: for a class with a `call` of its own, which must say itself how it is made.
        """
        if self.subclassed:
            raise NotImplementedError(f"{type(self).__name__} must implement get_config() to be copied or saved")
        return {"name": self.name, "trainable": self.trainable, **graph_config(self.graph)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: CustomObjects = None) -> Model:
        """Make a model from what `get_config` returned.

        Args:
            config: the config.
            custom_objects: classes of layers by their names, looked at before the known ones.
        """
        if "output_layers" not in config:
            return cls(**config)
        inputs, outputs = graph_from_config(config, custom_objects)
        return cls(inputs, outputs, name=config.get("name"), trainable=config.get("trainable", True))

    def get_build_config(self) -> dict[str, Any] | None:
        """Return the shapes of the inputs of a class with a `call` of its own; a graph tells them itself."""
        if not self.subclassed or self._graph is None:
            return None
        inputs = self.graph.inputs
        kinds = {x.plan_dtype for x in self.inputs}
        kind = {"fastgd_dtype": kinds.pop()} if len(kinds) == 1 and None not in kinds else {}
        return {"input_shape": change(inputs, lambda x: list(x.shape)), **kind}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Make the weights by what `get_build_config` returned."""
        shape = config.get("input_shape")
        if self.subclassed and shape is not None:
            self._trace(placeholders_of_shapes(as_shapes(shape), config.get("fastgd_dtype") or self._input_dtype))

    def to_json(self, **kwargs: Any) -> str:
        """Return class and config as JSON text, for `models.model_from_json`; `kwargs` are those of `json.dumps`.

        Raises:
            TypeError: if the config holds something without a name, such as a function of a `Lambda` layer.
        """
        return json.dumps(layer_config(self), **{"default": _refuse, **kwargs})


def _refuse(thing: Any) -> Any:
    """Refuse what JSON cannot hold."""
    raise mistyped("A model whose config holds functions or objects of one's own has no JSON.", config=thing)


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


model_classes["Functional"] = model_classes["Model"] = Model
