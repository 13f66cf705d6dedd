"""Objects as configs that Keras reads: class, module, arguments, shapes to build with, what `compile` was told."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastgd.layers.graph import KerasTensor
from fastgd.layers.input_layer import InputLayer
from fastgd.layers.layer import Layer
from fastgd.layers.operation import Operation
from fastgd.models.model import Model
from fastgd.models.sequential import Sequential
from fastgd.saving.names import FUNCTION, find_class, is_own, module_of_class, module_of_function, module_of_key
from fastgd.saving.operations import operation_to_keras
from fastgd.utils.custom_objects import get_registered_name
from fastgd.utils.errors import mistyped
from fastgd.utils.structure import change, flatten

_PLAIN = (type(None), bool, int, float, str)
_FUNCTIONAL = "keras.src.models.functional"

# Arguments that Keras' layers of these names have not.
_NOT_IN_KERAS = {
    "Discretization": ("trainable",),
    "SpatialDropout1D": ("trainable",),
    "SpatialDropout2D": ("trainable",),
    "SpatialDropout3D": ("trainable",),
}

# What Keras' InputLayer has besides, and what it must be here.
_INPUT_DEFAULTS = {"sparse": False, "ragged": False, "optional": False}


def serialize_keras_object(obj: Any) -> Any:
    """Return an object as dicts, lists, strings and numbers, from which `deserialize_keras_object` makes a like one.

    Args:
        obj: a layer, model, optimizer, loss, metric, initializer or the like, of fastgd or of one's own; a registered
            or named function; an array; a number, a string, None; or lists and dicts of them.

    Returns:
        For an object its "class_name", "module", "registered_name" and "config", for layers also "build_config", for
        compiled models "compile_config".

    Raises:
        TypeError: for an object without `get_config`, and for a lambda, whose code no file holds.

    Example:
        >>> fastgd.saving.serialize_keras_object(fastgd.layers.Dense(3))
    """
    return _value(obj)


def _value(obj: Any, key: str = "") -> Any:
    if isinstance(obj, _PLAIN):
        return _activation(obj) if isinstance(obj, str) and key.endswith("activation") else obj
    if isinstance(obj, (list, tuple)):
        return [_value(part, key) for part in obj]
    if isinstance(obj, Mapping):
        kind = obj.get("class_name")
        if set(obj) == {"class_name", "config"} and isinstance(kind, str) and not kind.startswith("__"):
            return _completed(obj, key)
        return {name: _value(part, str(name)) for name, part in obj.items()}
    if isinstance(obj, bytes):
        return _named("__bytes__", {"value": obj.decode()})
    if isinstance(obj, slice):
        return _named("__slice__", {"start": obj.start, "stop": obj.stop, "step": obj.step})
    if obj is Ellipsis:
        return _named("__ellipsis__", {})
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return _named("__numpy__", {"value": obj.tolist(), "dtype": str(obj.dtype)})
    if isinstance(obj, KerasTensor):
        config = {"shape": obj.shape, "dtype": obj.dtype, "keras_history": [obj.node.layer.name, 0, 0]}
        return _named("__keras_tensor__", config)
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        return _object(obj)
    if callable(obj):
        return _function(obj)
    raise mistyped("Only objects with `get_config` can be written to a file.", obj=obj)


def _object(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    if isinstance(obj, Operation):
        return operation_to_keras(obj)
    made: dict[str, Any] = {
        "module": module_of_class(cls),
        "class_name": cls.__name__,
        "config": _config(obj),
        "registered_name": None if is_own(cls) else get_registered_name(cls),
    }
    if cls is Model:
        made.update(module=_FUNCTIONAL, class_name="Functional", registered_name="Functional")
    if isinstance(obj, Layer) and (build_config := obj.get_build_config()) is not None:
        made["build_config"] = _value(build_config)
    if isinstance(obj, Model) and (compile_config := obj.get_compile_config()) is not None:
        made["compile_config"] = {key: _value(part, key) for key, part in compile_config.items()}
    return made


def _config(obj: Any) -> dict[str, Any]:
    """Return the arguments of an object as Keras has them."""
    if isinstance(obj, InputLayer):
        config = obj.get_config()
        shape = [None, *config.pop("shape")]
        return {"batch_shape": shape, **config, "dtype": config["dtype"] or obj.dtype, **_INPUT_DEFAULTS}
    config = obj.get_config()
    if not isinstance(config, Mapping):
        raise mistyped(f"`get_config` of {type(obj).__name__} must return a dict.", get_config=config)
    config = dict(config)
    if isinstance(obj, Model) and "layers" in config and not obj.subclassed:
        return _model_config(obj, config)
    if isinstance(obj, Layer) and is_own(type(obj)):
        # What lets a chain begin with the layer: the chain's config begins with an InputLayer.
        for key in ("input_shape", *_NOT_IN_KERAS.get(type(obj).__name__, ())):
            config.pop(key, None)
        if isinstance(config.get("seed"), int):
            # Keras takes 32 bits; the file of weights has them all.
            config["seed"] %= 2**32
        if "dtype" in config:
            config["dtype"] = obj.dtype
    return {key: _value(part, key) for key, part in config.items()}


def _model_config(model: Model, config: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a chain or a graph with its layers as Keras has them."""
    layers = {layer.name: layer for layer in [*model.layers, *_entrances(model)]}
    entries = []
    for entry in config["layers"]:
        layer = layers.get(entry["config"]["name"])
        made = _object(layer) if layer is not None else _value({k: entry[k] for k in ("class_name", "config")}, "layer")
        if (
            made["config"].get("dtype") is not None
            and not isinstance(layer, (InputLayer, Model))
            and is_own(type(layer))
        ):
            # All layers of a model compute in its type, whatever they would do by themselves.
            made["config"]["dtype"] = model.dtype
        if "inbound_nodes" in entry:
            made.update(name=entry["name"], inbound_nodes=[_call(layer, call) for call in entry["inbound_nodes"]])
        entries.append(made)
    own = {**config, "layers": entries}
    if isinstance(model, Sequential):
        return {**own, "build_input_shape": model.input_shape if model.built else None}
    functional = {name for name, layer in layers.items() if type(layer) is Model}
    for side in ("input_layers", "output_layers"):
        own[side] = change(own[side], lambda place: _shifted(place, functional, 1), is_place)
    return own


def _entrances(model: Model) -> list[Layer]:
    """Return the layers behind the placeholders with which a model begins, where they are Inputs."""
    entrances = [x.node.layer for x in model.inputs] if model.has_graph else []
    return [layer for layer in entrances if isinstance(layer, InputLayer)]


def _call(layer: Layer | None, call: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(layer, Operation):
        return operation_to_keras(layer, call)["call"]  # type: ignore[no-any-return]
    return {key: _value(call[key]) for key in ("args", "kwargs")}


def is_place(structure: Any) -> bool:
    """Return whether this is a place [layer, call, output]."""
    return isinstance(structure, (list, tuple)) and len(structure) == 3 and isinstance(structure[0], str)


def _shifted(place: Any, functional: set[str], by: int) -> list[Any]:
    """Return a place with the number of its call as Keras counts: models made of placeholders begin with a call."""
    return [place[0], place[1] + by * (place[0] in functional), place[2]]


def _completed(entry: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return class and config, as fastgd writes them, with what Keras wants besides."""
    name = entry["class_name"]
    if name == FUNCTION:
        return _function_named(str(entry["config"]))
    module = module_of_key(key)
    cls = find_class(module, name)
    if cls is not None and not is_own(cls):
        module = cls.__module__
    registered = None if cls is None or is_own(cls) else get_registered_name(cls)
    return {"module": module, "class_name": name, "config": _value(entry["config"]), "registered_name": registered}


def _activation(name: str) -> Any:
    """Return the name of an activation; a function of the user's own as Keras describes it."""
    return _function_named(name) if ">" in name else name


def _function(function: Callable[..., Any]) -> dict[str, Any]:
    name = getattr(function, "__name__", "")
    if not name or name == "<lambda>":
        raise mistyped(
            "A lambda cannot be written to a file, which holds no code: register a named function by "
            "`saving.register_keras_serializable`, or derive a class.",
            function=function,
        )
    if not inspect.isfunction(function) and not isinstance(function, type):
        raise mistyped("Only objects with `get_config` can be written to a file.", obj=function)
    registered = get_registered_name(function)
    return {**_named(FUNCTION, registered), "module": module_of_function(function), "registered_name": registered}


def _function_named(name: str) -> dict[str, Any]:
    module = "builtins" if ">" in name else "keras.ops"
    return {**_named(FUNCTION, name), "module": module, "registered_name": name}


def _named(kind: str, config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": config}


def shapes_of_inputs(inputs: Any) -> Any:
    """Return the shapes of placeholders in their structure."""
    return change(inputs, lambda x: list(x.shape)) if flatten(inputs) else None
