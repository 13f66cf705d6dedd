"""New models like given ones: the same layers with fresh weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastgd.layers.graph import KerasTensor
from fastgd.layers.input_layer import InputLayer
from fastgd.layers.layer import Layer
from fastgd.models.configs import CustomObjects, input_like, layer_config, layer_from_config
from fastgd.models.functional import Graph
from fastgd.models.model import Model
from fastgd.models.sequential import Sequential
from fastgd.utils.checks import check_bool
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.structure import flatten, pack

CloneFunction = Callable[[Layer], Layer]


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: CloneFunction | None = None,
    recursive: bool = False,
) -> Model:
    """Return a model of new layers like those of `model`, with weights of their own, made anew.

    Args:
        model: a Sequential or functional model.
        input_tensors: placeholders to begin with instead of new ones, in the structure of the model's inputs.
        clone_function: makes the new layer for a layer, from its config if None. What it returns may be another kind of
            layer, or the layer itself, which both models then share.
        recursive: whether models inside the model are cloned by `clone_function` layer by layer, too.

    Returns:
        The model, of the same class and name, not compiled.

    Raises:
        TypeError: if `model` is no model, or `clone_function` returns no layer.
        ValueError: for a model that is a class with a `call` of its own.

    Example:
        >>> other = fastgd.models.clone_model(model)
        >>> other.set_weights(model.get_weights())
    """
    if not isinstance(model, Model):
        raise mistyped("`model` must be a model.", model=model)
    if model.subclassed:
        raise invalid("A model with a `call` of its own cannot be cloned; make another of its class.", model=model.name)
    check_bool("recursive", recursive)
    make = clone_function or _from_config

    def clone(layer: Layer) -> Layer:
        if isinstance(layer, Model) and not layer.subclassed and (recursive or clone_function is None):
            return clone_model(layer, None, clone_function, recursive)
        made = make(layer)
        if not isinstance(made, Layer):
            raise mistyped("`clone_function` must return a layer.", clone_function=made)
        return made

    if isinstance(model, Sequential):
        return _clone_chain(model, input_tensors, clone)
    return _clone_graph(model, input_tensors, clone)


def model_from_json(json_string: str, custom_objects: CustomObjects = None) -> Model:
    """Return the model that `model.to_json()` described, with new weights.

    Args:
        json_string: the text.
        custom_objects: classes by their names, looked at before the known ones.

    Raises:
        ValueError: if the text is no JSON, names an unknown class, or describes no model.
    """
    made = layer_from_config(json.loads(json_string), custom_objects)
    if not isinstance(made, Model):
        raise invalid("`json_string` must describe a model.", class_name=type(made).__name__)
    return made


def _from_config(layer: Layer) -> Layer:
    return layer_from_config(layer_config(layer), {type(layer).__name__: type(layer)})


def _clone_chain(model: Sequential, input_tensors: Any, clone: CloneFunction) -> Sequential:
    entrance = flatten(input_tensors) if input_tensors is not None else []
    if not entrance and model.built:
        entrance = _new_inputs(model.graph)
    # A first layer that tells its input, by its config, must not tell another.
    return type(model)([*entrance, *map(clone, model.layers)], trainable=model.trainable, name=model.name)


def _clone_graph(model: Model, input_tensors: Any, clone: CloneFunction) -> Model:
    graph = model.graph
    inputs = _new_inputs(graph) if input_tensors is None else flatten(input_tensors)
    if len(inputs) != len(graph.flat_inputs) or not all(isinstance(x, KerasTensor) for x in inputs):
        raise invalid(f"`input_tensors` must hold {len(graph.flat_inputs)} placeholders.", input_tensors=input_tensors)
    made = {id(x): new for x, new in zip(graph.flat_inputs, inputs, strict=True)}
    layers = {id(layer): clone(layer) for layer in graph.layers if not isinstance(layer, InputLayer)}
    for node in graph.nodes:
        arguments, named = node.arguments(lambda x: made[id(x)])
        kwargs = named if node.training is None else {**named, "training": node.training}
        outputs = layers[id(node.layer)](arguments, **kwargs)
        made.update({id(y): new for y, new in zip(flatten(node.outputs), flatten(outputs), strict=True)})
    outputs = pack(graph.outputs, [made[id(y)] for y in graph.flat_outputs])
    return Model(pack(graph.inputs, inputs), outputs, name=model.name, trainable=model.trainable)


def _new_inputs(graph: Graph) -> list[KerasTensor]:
    return [input_like(x).output for x in graph.flat_inputs]
