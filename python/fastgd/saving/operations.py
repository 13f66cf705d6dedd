"""Calls of ops in a graph as Keras writes them: a class per op, whose config and call share the arguments."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastgd.layers.argument_configs import Place, find_op, op_name, to_plain
from fastgd.layers.operation import Operation
from fastgd.utils.errors import invalid, unknown

# The ops by Keras' module, the arguments of the call, and those of the config. Where a class is not called as the op
# in capitals, its name follows a colon.
_TABLE: dict[tuple[str, str, str], str] = {
    ("core", "inputs start_indices", "shape"): "slice",
    ("core", "x", "dtype"): "cast",
    ("core", "x", "num axis"): "unstack",
    ("linalg", "x", "ord axis keepdims"): "norm",
    ("math", "x", ""): "erf rsqrt",
    ("math", "x", "axis keepdims"): "logsumexp",
    ("nn", "inputs", "pool_size strides padding data_format"): "average_pool max_pool",
    ("nn", "inputs depthwise_kernel pointwise_kernel", "strides padding data_format dilation_rate"): "separable_conv",
    ("nn", "inputs kernel", "strides padding data_format dilation_rate"): "conv depthwise_conv",
    ("nn", "inputs kernel", "strides padding output_padding data_format dilation_rate"): "conv_transpose",
    ("nn", "target output", "from_logits"): "binary_crossentropy",
    ("nn", "target output", "from_logits axis"): "categorical_crossentropy sparse_categorical_crossentropy",
    ("nn", "x", ""): "hard_sigmoid hard_silu hard_tanh log_sigmoid relu relu6 selu sigmoid silu softplus softsign "
    "sparse_plus sparse_sigmoid tanh_shrink",
    ("nn", "x", "alpha"): "celu elu",
    ("nn", "x", "approximate"): "gelu",
    ("nn", "x", "axes keepdims synchronized"): "moments",
    ("nn", "x", "axis"): "glu log_softmax softmax sparsemax",
    ("nn", "x", "axis order epsilon"): "normalize",
    ("nn", "x", "b"): "squareplus",
    ("nn", "x", "negative_slope"): "leaky_relu",
    ("nn", "x", "num_classes axis sparse"): "one_hot",
    ("nn", "x", "threshold"): "hard_shrink soft_shrink",
    ("nn", "x", "threshold default_value"): "threshold",
    ("numpy", "a", "n axis"): "diff",
    ("numpy", "condition x1 x2", ""): "where",
    ("numpy", "x", ""): "abs absolute arctan ceil cos cosh exp expm1 floor isfinite isinf isnan log log10 log1p log2 "
    "logical_not negative ones_like ravel reciprocal sign sin sinh sqrt square tan tanh zeros_like",
    ("numpy", "x", "axes"): "transpose",
    ("numpy", "x", "axis"): "count_nonzero cumsum expand_dims flip squeeze stack",
    ("numpy", "x", "axis keepdims"): "all any argmax argmin mean prod std sum var",
    ("numpy", "x", "axis keepdims initial"): "max min",
    ("numpy", "x", "axis1 axis2"): "swapaxes",
    ("numpy", "x", "decimals"): "round",
    ("numpy", "x", "indices_or_sections axis"): "split",
    ("numpy", "x", "nan posinf neginf"): "nan_to_num",
    ("numpy", "x", "newshape"): "reshape",
    ("numpy", "x", "repeats"): "tile",
    ("numpy", "x", "repeats axis"): "repeat",
    ("numpy", "x", "shape"): "broadcast_to",
    ("numpy", "x", "source destination"): "moveaxis",
    ("numpy", "x", "x_min x_max"): "clip",
    ("numpy", "x constant_values", "pad_width mode"): "pad",
    ("numpy", "x fill_value", ""): "full_like",
    ("numpy", "x indices", "axis"): "take take_along_axis",
    ("numpy", "x key", ""): "get_item",
    ("numpy", "x1 x2", ""): "add arctan2 divide divide_no_nan dot equal floor_divide greater greater_equal less "
    "less_equal logical_and logical_or logical_xor matmul maximum minimum mod multiply not_equal outer power subtract "
    "true_divide",
    ("numpy", "x1 x2", "axes"): "tensordot",
    ("numpy", "xs", "axis"): "concatenate",
}


def _class_name(op: str) -> str:
    return "".join(word.capitalize() for word in op.split("_"))


# Module, arguments of the call and of the config by the op, and the op by Keras' class.
_OPS = {op: key for key, names in _TABLE.items() for op in names.split()}
_NAMES = {_class_name(op): op for op in _OPS}
_MODULE = "keras.src.ops."
_OWN = "fastgd.ops"


def operation_to_keras(operation: Operation, call: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the config of a call of an op, and under "call" its arguments if those of the node are given.

    An op that Keras has not, or not with these arguments, keeps the form of fastgd.

    Args:
        operation: the call.
        call: the call's entry among the "inbound_nodes" of a graph, with tensors as Keras writes them.
    """
    own = operation.get_config()
    name = op_name(operation.function) or ""
    bound = _bound(operation, name)
    if bound is None:
        made = {"module": _OWN, "class_name": Operation.__name__, "config": own, "registered_name": None}
        return {**made, "call": dict(call)} if call is not None else made
    called, config = bound
    module = f"{_MODULE}{_OPS[name][0]}"
    cls = _class_name(name)
    made = {"module": module, "class_name": cls, "registered_name": cls}
    made["config"] = {"name": operation.name, **{key: _to_keras(value, ()) for key, value in config.items()}}
    if call is not None:
        tensors = call["args"][0]
        made["call"] = {"args": [_to_keras(value, tensors) for value in called], "kwargs": {}}
    return made


def is_keras_op(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry of a graph is a call of an op of Keras."""
    return str(entry.get("module", "")).startswith(_MODULE)


def operation_from_keras(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `operation_to_keras` described as an entry of a graph of fastgd.

    Raises:
        ValueError: for an op that fastgd has not.
    """
    name = entry["class_name"]
    if name not in _NAMES:
        raise unknown("op", _NAMES, class_name=name)
    op = _NAMES[name]
    calls = entry.get("inbound_nodes", [])
    if len(calls) != 1:
        raise invalid("An op in a graph must be called once.", inbound_nodes=len(calls))
    config = {key: value for key, value in entry["config"].items() if key not in ("name", "dtype", "trainable")}
    known = inspect.signature(find_op(op)).parameters
    arguments = {key: _from_keras(value, []) for key, value in config.items()}
    unused = [key for key, value in arguments.items() if key not in known and value not in (None, False)]
    if unused:
        raise invalid(f"ops.{op} has no argument `{unused[0]}`.", **{unused[0]: arguments[unused[0]]})
    tensors: list[Any] = []
    kwargs = {key: value for key, value in calls[0].get("kwargs", {}).items() if value is not None}
    called = [_from_keras(value, tensors) for value in calls[0]["args"]]
    arguments.update(zip(_OPS[op][1].split(), called, strict=False))
    arguments.update({key: _from_keras(value, tensors) for key, value in kwargs.items()})
    if op == "get_item" and isinstance(arguments.get("key"), list):
        # JSON has no tuples.
        arguments["key"] = tuple(arguments["key"])
    named = {key: to_plain(value) for key, value in arguments.items() if key in known}
    made = {"name": entry["config"].get("name", entry.get("name")), "function": op, "args": [], "kwargs": named}
    node = {"args": [tensors], "kwargs": {}}
    return {"class_name": Operation.__name__, "config": made, "name": made["name"], "inbound_nodes": [node]}


def _bound(operation: Operation, name: str) -> tuple[list[Any], dict[str, Any]] | None:
    """Return the arguments of the call and those of the config; None if Keras cannot have them so."""
    if name not in _OPS:
        return None
    args, kwargs = operation._structure
    arguments = dict(inspect.signature(operation.function).bind(*args, **kwargs).arguments)
    _, in_call, in_config = _OPS[name]
    called = []
    for key in in_call.split():
        if key not in arguments:
            break
        called.append(arguments.pop(key))
    defaults = inspect.signature(operation.function).parameters
    config = {key: value for key, value in arguments.items() if key in in_config.split()}
    rest = [key for key in arguments if key not in config and arguments[key] != defaults[key].default]
    return None if rest or any(isinstance(value, Place) for value in config.values()) else (called, config)


def _to_keras(value: Any, tensors: Sequence[Any]) -> Any:
    """Return an argument as Keras writes it, with tensors in their places."""
    if isinstance(value, Place):
        return tensors[value.number]
    if isinstance(value, (list, tuple)):
        return [_to_keras(part, tensors) for part in value]
    if isinstance(value, np.ndarray):
        # An array without axes is a number there.
        return _named("__numpy__", {"value": value.tolist(), "dtype": str(value.dtype)}) if value.ndim else value.item()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, slice):
        return _named("__slice__", {"start": value.start, "stop": value.stop, "step": value.step})
    if value is Ellipsis:
        return _named("__ellipsis__", {})
    return str(np.dtype(value)) if isinstance(value, (np.dtype, type)) else value


def _from_keras(value: Any, tensors: list[Any]) -> Any:
    """Return an argument with places instead of tensors, which are added to `tensors`."""
    if isinstance(value, list):
        return [_from_keras(part, tensors) for part in value]
    if not isinstance(value, Mapping):
        return value
    kind, config = value.get("class_name"), value.get("config", {})
    if kind == "__keras_tensor__":
        tensors.append(value)
        return Place(len(tensors) - 1)
    if kind in ("__numpy__", "__tensor__"):
        return np.array(config["value"], config["dtype"])
    if kind == "__slice__":
        return slice(config["start"], config["stop"], config["step"])
    if kind == "__ellipsis__":
        return Ellipsis
    raise unknown("kind of argument", ("__keras_tensor__", "__numpy__", "__slice__", "__ellipsis__"), class_name=kind)


def _named(kind: str, config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": config}
