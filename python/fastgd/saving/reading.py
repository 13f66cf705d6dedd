"""Configs that Keras or fastgd wrote, as objects: no code in them is run, what fastgd has not is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastgd.layers.layer import Layer, model_classes
from fastgd.losses import Loss
from fastgd.metrics import Metric
from fastgd.models.configs import CustomObjects, layer_from_config
from fastgd.models.model import Model
from fastgd.saving.names import FUNCTION, find_class, find_function, is_own, keywords_of, known_classes
from fastgd.saving.operations import is_keras_op, operation_from_keras
from fastgd.saving.writing import is_place
from fastgd.utils.custom_objects import CustomObjectScope, get_custom_objects
from fastgd.utils.errors import invalid, mistyped, unknown
from fastgd.utils.registry import find_custom
from fastgd.utils.structure import change

_PLAIN = (type(None), bool, int, float, str)

# Keys of Keras that say nothing without another one, which is checked, and those of what fastgd has one kind of.
_HARMLESS = {
    ("BatchNormalization", "renorm_momentum"),
    ("InputLayer", "sparse"),
    ("InputLayer", "ragged"),
    ("InputLayer", "optional"),
}
_CHANNELS_LAST = {("Flatten", "data_format")}


def deserialize_keras_object(
    config: Any, custom_objects: CustomObjects = None, safe_mode: bool = True, **kwargs: Any
) -> Any:
    """Return the object that `serialize_keras_object`, of fastgd or of Keras, has described.

    Args:
        config: the description.
        custom_objects: classes and functions by their names, besides the registered ones.
        safe_mode: whether a description that holds code is refused at once. Code is never run: without it such a
            description is refused, too, with a message that says so.
        **kwargs: refused.

    Returns:
        The object.

    Raises:
        ValueError: for an unknown class or function, an argument that fastgd has not, and for code.
        TypeError: for what is no description.

    Example:
        >>> layer = fastgd.saving.deserialize_keras_object(fastgd.saving.serialize_keras_object(layer))
    """
    if kwargs:
        raise mistyped(f"deserialize_keras_object has no keyword `{next(iter(kwargs))}`.", **kwargs)
    with CustomObjectScope({**get_custom_objects(), **(custom_objects or {})}):
        return _made(config, custom_objects, safe_mode)


def model_from_description(config: Any, custom_objects: CustomObjects, compile: bool, safe_mode: bool) -> Model:
    """Return the model that the config of a file describes, built and compiled as it says.

    Raises:
        ValueError: if it describes none.
    """
    if not isinstance(config, Mapping) or "class_name" not in config:
        raise invalid("The config describes no model.", config=config)
    if not compile:
        config = {key: value for key, value in config.items() if key != "compile_config"}
    model = deserialize_keras_object(config, custom_objects, safe_mode)
    if not isinstance(model, Model):
        raise invalid("The config describes no model.", class_name=config["class_name"])
    return model


def _made(config: Any, custom_objects: CustomObjects, safe_mode: bool) -> Any:
    if isinstance(config, _PLAIN):
        return config
    if isinstance(config, (list, tuple)):
        return [_made(part, custom_objects, safe_mode) for part in config]
    if not isinstance(config, Mapping):
        raise mistyped("A config holds dicts, lists, strings and numbers.", config=config)
    if "class_name" not in config or "config" not in config:
        return {key: _made(part, custom_objects, safe_mode) for key, part in config.items()}
    entry = clean(config, custom_objects, safe_mode)
    if not isinstance(entry, Mapping) or "class_name" not in entry:
        return entry
    if entry["class_name"] == FUNCTION:
        return _function(entry, custom_objects)
    cls = class_of(entry, custom_objects)
    if cls is None:
        names = [*known_classes(), *(custom_objects or {})]
        raise unknown("class; register your own by `saving.register_keras_serializable`", names,
                      class_name=entry["class_name"])  # fmt: skip
    if isinstance(cls, type) and issubclass(cls, Layer):
        return _layer(entry, cls, config, custom_objects, safe_mode)
    if not hasattr(cls, "from_config"):
        raise invalid("The class of a config needs `from_config`.", class_name=entry["class_name"])
    return cls.from_config(entry["config"])


def _layer(
    entry: Mapping[str, Any], cls: type, config: Mapping[str, Any], custom_objects: CustomObjects, safe_mode: bool
) -> Layer:
    """Return a layer or model, built and compiled as its description says."""
    layer = layer_from_config({**entry, "class_name": entry["class_name"]}, {**(custom_objects or {})})
    if not isinstance(layer, Layer):
        raise invalid("`from_config` of a layer must return a layer.", class_name=entry["class_name"])
    build_config = config.get("build_config")
    if isinstance(build_config, Mapping) and not layer.built:
        layer.build_from_config(build_config)
    compile_config = config.get("compile_config")
    if isinstance(layer, Model) and isinstance(compile_config, Mapping) and compile_config:
        layer.compile_from_config(_made(compile_config, custom_objects, safe_mode))
    return layer


def clean(config: Any, custom_objects: CustomObjects, safe_mode: bool) -> Any:
    """Return a description as the `from_config` of fastgd's classes take it, with the values in it treated alike."""
    if isinstance(config, (list, tuple)):
        return [clean(part, custom_objects, safe_mode) for part in config]
    if not isinstance(config, Mapping):
        return config
    kind, inner = config.get("class_name"), config.get("config")
    if not isinstance(kind, str) or "config" not in config:
        return {key: clean(part, custom_objects, safe_mode) for key, part in config.items()}
    if kind.startswith("__"):
        return _special(kind, inner, config, safe_mode)
    if kind == "DTypePolicy" and isinstance(inner, Mapping):
        return inner.get("name")
    if kind == FUNCTION:
        return dict(config)
    if is_keras_op(config):
        return {**operation_from_keras(config)}
    cls = class_of(config, custom_objects)
    if not isinstance(inner, Mapping):
        raise invalid("The config of a class must be a dict.", class_name=kind, config=inner)
    arguments = {key: clean(part, custom_objects, safe_mode) for key, part in inner.items()}
    for key in ("activation", "recurrent_activation"):
        named = arguments.get(key)
        if isinstance(named, Mapping) and named.get("class_name") == FUNCTION:
            arguments[key] = str(named["config"])
    if cls is not None and is_own(cls):
        arguments = _known_arguments(cls, arguments)
    made = {**config, "config": arguments}
    if isinstance(config.get("inbound_nodes"), list):
        made["inbound_nodes"] = [_call(call) for call in config["inbound_nodes"]]
    return made


def class_of(entry: Mapping[str, Any], custom_objects: CustomObjects) -> Any:
    """Return the class of a description: a custom one, else one of fastgd; None if there is none."""
    return find_custom(entry, custom_objects) or find_class(entry.get("module"), entry["class_name"])


def _known_arguments(cls: type, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that a class of fastgd has; what it has not must be switched off.

    Raises:
        ValueError: for one that is not, by its name.
    """
    if cls in model_classes.values():
        return _model_arguments(arguments)
    if cls.__name__ == "InputLayer" and "batch_shape" in arguments:
        arguments = {**arguments, "shape": list(arguments["batch_shape"][1:])}
        del arguments["batch_shape"]
    known = keywords_of(cls)
    made = {}
    for key, value in arguments.items():
        unused = value is None or value is False or (cls.__name__, key) in _HARMLESS
        unused = unused or ((cls.__name__, key) in _CHANNELS_LAST and value == "channels_last")
        # Metrics and losses compute in the type of the model.
        unused = unused or (key == "dtype" and issubclass(cls, (Metric, Loss)))
        if key in known and not (key == "dtype" and issubclass(cls, (Metric, Loss))):
            made[key] = value
        elif not unused:
            raise invalid(f"{cls.__name__} of fastgd has no argument `{key}`.", **{key: value})
    return made


def _model_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a chain or a graph, with the calls of its outputs counted as fastgd counts them."""
    entries = arguments.get("layers")
    if not isinstance(entries, list):
        return arguments
    functional = {entry.get("name") for entry in entries if entry.get("class_name") in ("Functional", "Model")}

    def shifted(place: Any) -> list[Any]:
        return [place[0], place[1] - (place[0] in functional), place[2]]

    made = dict(arguments)
    for side in ("input_layers", "output_layers"):
        if side in made:
            made[side] = change(made[side], shifted, is_place)
    return made


def _call(call: Any) -> dict[str, Any]:
    """Return the arguments of a call in a graph without those that are None.

    Keras notes training=True where layers of images are called, and overrules it when it predicts.
    """
    if not isinstance(call, Mapping) or not isinstance(call.get("args"), list):
        raise invalid("A call in a graph needs `args` and `kwargs`.", inbound_nodes=call)
    given = (call.get("kwargs") or {}).items()
    kwargs = {key: value for key, value in given if value is not None and (key, value) != ("training", True)}
    return {"args": call["args"], "kwargs": kwargs}


def _special(kind: str, inner: Any, config: Mapping[str, Any], safe_mode: bool) -> Any:
    """Return what Keras writes with a name between underlines."""
    if kind == "__keras_tensor__":
        return dict(config)
    if kind == "__lambda__":
        if safe_mode:
            raise ValueError(
                "The file holds the code of a lambda, which could do anything: with safe_mode=True it is refused. "
                "Derive a class from Layer, or register a named function."
            )
        raise ValueError(
            "The file holds the code of a lambda. fastgd never runs code from files, with safe_mode=False neither: "
            "derive a class from Layer, or register a named function and save the model anew."
        )
    if isinstance(inner, Mapping):
        if kind in ("__numpy__", "__tensor__"):
            return np.array(inner["value"], inner["dtype"])
        if kind == "__bytes__":
            return str(inner["value"]).encode()
        if kind == "__slice__":
            return slice(inner.get("start"), inner.get("stop"), inner.get("step"))
        if kind == "__ellipsis__":
            return Ellipsis
    known = ("__keras_tensor__", "__numpy__", "__tensor__", "__bytes__", "__slice__", "__ellipsis__")
    raise unknown("kind of value", known, class_name=kind)


def _function(entry: Mapping[str, Any], custom_objects: CustomObjects) -> Any:
    """Return the function of a description."""
    names = [name for name in (entry.get("registered_name"), entry["config"]) if isinstance(name, str)]
    for name in names:
        if name in (custom_objects or {}):
            return (custom_objects or {})[name]
        if (found := find_function(entry.get("module"), name)) is not None:
            return found
    raise unknown("function; register your own by `saving.register_keras_serializable`", custom_objects or {},
                  config=entry["config"])  # fmt: skip
