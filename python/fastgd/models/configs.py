"""Configs of models: the layers, which calls join them, and making the same model of it with new weights.

The form is that of Keras 3: a list of layers, each with its calls ("inbound_nodes"), whose arguments name the tensors
as [layer, number of its call, number of the call's output].
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from fastgd.layers.argument_configs import from_plain, to_plain
from fastgd.layers.graph import KerasTensor, Node
from fastgd.layers.input_layer import InputLayer
from fastgd.layers.layer import Layer, model_classes, registry
from fastgd.layers.operation import Operation
from fastgd.models.functional import Graph
from fastgd.utils.errors import invalid, unknown
from fastgd.utils.registry import find_custom, to_config
from fastgd.utils.structure import change, flatten

CustomObjects = Mapping[str, Any] | None

_TENSOR = "__keras_tensor__"

# What stands for a call of an op is made by that call alone, never by its name.
_CALLS_OF_OPS = {Operation.__name__: Operation}


def layer_config(layer: Layer) -> dict[str, Any]:
    """Return class and config of a layer or model."""
    made = to_config(layer)
    if model_classes.get("Functional") is type(layer):
        made["class_name"] = "Functional"
    return made


def layer_from_config(entry: Mapping[str, Any], custom_objects: CustomObjects = None) -> Layer:
    """Make the layer or model that `layer_config` described.

    Args:
        entry: what `layer_config` returned.
        custom_objects: classes by their names, looked at after the registered ones and before those of fastgd.

    Raises:
        ValueError: for an unknown class.
    """
    name = entry.get("class_name")
    if not isinstance(name, str):
        raise invalid("A layer's config needs the key 'class_name'.", config=entry)
    known = (model_classes, registry.classes, _CALLS_OF_OPS)
    own: Any = next((classes[name] for classes in known if name in classes), None)
    cls: Any = find_custom(entry, custom_objects) or own
    if cls is None:
        raise unknown("layer", [*registry.classes, *model_classes, *(custom_objects or {})], class_name=name)
    config = entry.get("config", {})
    if cls in model_classes.values():
        made: Layer = cls.from_config(config, custom_objects)
        return made
    result: Layer = cls.from_config(config)
    return result


def input_like(x: KerasTensor) -> InputLayer:
    """Return a new entrance for a model that begins with the placeholder `x`."""
    layer = x.node.layer
    if isinstance(layer, InputLayer):
        return type(layer)(**layer.get_config())
    return InputLayer(x.dims[1:], x.dtype, x.name)


def graph_config(graph: Graph) -> dict[str, Any]:
    """Return the layers of a functional model, their calls, and the names of its inputs and outputs."""
    entrances = [x.node for x in graph.flat_inputs]
    numbers: dict[int, int] = {}
    counts: Counter[int] = Counter()
    for node in [*entrances, *graph.nodes]:
        numbers[id(node)] = counts[id(node.layer)]
        counts[id(node.layer)] += 1
    places = {
        id(y): (node.layer.name, numbers[id(node)], k)
        for node in [*entrances, *graph.nodes]
        for k, y in enumerate(flatten(node.outputs))
    }
    # A placeholder in the middle of another model begins this one: here it is an input like others.
    layers: list[dict[str, Any]] = []
    for x in graph.flat_inputs:
        if not isinstance(x.node.layer, InputLayer):
            places[id(x)] = (x.name, 0, 0)
            layers.append(_entry(input_like(x), []))
    for layer in graph.layers:
        calls = [node for node in graph.nodes if node.layer is layer]
        layers.append(_entry(layer, [_call_config(node, places) for node in calls]))
    return {
        "layers": layers,
        "input_layers": change(graph.inputs, lambda x: list(places[id(x)])),
        "output_layers": change(graph.outputs, lambda y: list(places[id(y)])),
    }


def graph_from_config(config: Mapping[str, Any], custom_objects: CustomObjects = None) -> tuple[Any, Any]:
    """Return inputs and outputs of the placeholders that `graph_config` described."""
    made: dict[tuple[str, int, int], KerasTensor] = {}
    waiting: list[tuple[Layer, int, Mapping[str, Any]]] = []
    for entry in config["layers"]:
        layer = layer_from_config(entry, custom_objects)
        if isinstance(layer, InputLayer):
            made[layer.name, 0, 0] = layer.output
        waiting.extend((layer, number, call) for number, call in enumerate(entry["inbound_nodes"]))
    while waiting:
        left = [(layer, number, call) for layer, number, call in waiting if not _call(layer, number, call, made)]
        if len(left) == len(waiting):
            raise invalid("The config has calls whose inputs nothing makes.", layers=[w[0].name for w in waiting])
        waiting = left

    def placed(place: list[Any]) -> KerasTensor:
        return made[str(place[0]), int(place[1]), int(place[2])]

    inputs, outputs = (change(config[f"{side}_layers"], placed, _is_place) for side in ("input", "output"))
    return inputs, outputs


def _entry(layer: Layer, calls: list[dict[str, Any]]) -> dict[str, Any]:
    return {**layer_config(layer), "name": layer.name, "inbound_nodes": calls}


def _call_config(node: Node, places: Mapping[int, tuple[str, int, int]]) -> dict[str, Any]:
    def tensor(x: KerasTensor) -> dict[str, Any]:
        history = list(places[id(x)])
        return {"class_name": _TENSOR, "config": {"shape": x.shape, "dtype": x.dtype, "keras_history": history}}

    def plain(leaf: Any) -> Any:
        return tensor(leaf) if isinstance(leaf, KerasTensor) else to_plain(leaf)

    kwargs = {} if node.training is None else {"training": node.training}
    return {"args": [change(node.inputs, tensor)], "kwargs": {**change(node.named, plain), **kwargs}}


def _call(layer: Layer, number: int, call: Mapping[str, Any], made: dict[tuple[str, int, int], KerasTensor]) -> bool:
    """Call a layer if its inputs exist, and remember what it returns; tell whether they did."""
    given = call["args"], call["kwargs"]
    tensors = [leaf for leaf in flatten(given, _is_entry) if _is_tensor(leaf)]
    if any(_place_of(tensor) not in made for tensor in tensors):
        return False
    args, kwargs = change(
        given, lambda leaf: made[_place_of(leaf)] if _is_tensor(leaf) else from_plain(leaf), _is_entry
    )
    outputs = layer(*args, **kwargs)
    made.update({(layer.name, number, k): y for k, y in enumerate(flatten(outputs))})
    return True


def _is_tensor(structure: Any) -> bool:
    return isinstance(structure, Mapping) and structure.get("class_name") == _TENSOR


def _is_entry(structure: Any) -> bool:
    """Return whether this describes one argument: a tensor, or a value that JSON has no word for."""
    return isinstance(structure, Mapping) and "class_name" in structure


def _is_place(structure: Any) -> bool:
    """Return whether this is a place [layer, call, output]."""
    return isinstance(structure, (list, tuple)) and len(structure) == 3 and isinstance(structure[0], str)


def _place_of(tensor: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(tensor["config"]["keras_history"])
