"""PyTorch's activations by their classes: the functions that they are here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd import layers, ops
from fastgd.interop.torch.refusals import refuse_option
from fastgd.interop.values import Value, plain

# Those without numbers, by the names they have here. A product takes them along.
NAMED = {
    "ReLU": "relu",
    "ReLU6": "relu6",
    "SELU": "selu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "LogSigmoid": "log_sigmoid",
    "Softsign": "softsign",
    "Hardsigmoid": "hard_sigmoid",
    "Hardswish": "hard_silu",
    "SiLU": "silu",
    "Mish": "mish",
    "Tanhshrink": "tanh_shrink",
}


def _celu(module: Any) -> Callable[[Any], Any]:
    return lambda x: ops.celu(x, module.alpha)


def _gelu(module: Any) -> Callable[[Any], Any]:
    return lambda x: ops.gelu(x, module.approximate == "tanh")


def _hard_tanh(module: Any) -> Callable[[Any], Any]:
    return lambda x: ops.clip(x, float(module.min_val), float(module.max_val))


def _softplus(module: Any) -> Callable[[Any], Any]:
    if module.beta != 1:
        raise refuse_option("Softplus", "beta", module.beta)
    return layers.Activation("softplus")


# Those with numbers: what applies the function of a module.
NUMBERED: dict[str, Callable[[Any], Callable[[Any], Any]]] = {
    "CELU": _celu,
    "ELU": lambda module: layers.ELU(module.alpha),
    "GELU": _gelu,
    "Hardshrink": lambda module: lambda x: ops.hard_shrink(x, module.lambd),
    "Hardtanh": _hard_tanh,
    "LeakyReLU": lambda module: layers.LeakyReLU(module.negative_slope),
    "Softplus": _softplus,
    "Softshrink": lambda module: lambda x: ops.soft_shrink(x, module.lambd),
    "Threshold": lambda module: lambda x: ops.threshold(x, module.threshold, module.value),
}

# Those along an axis.
ALONG = {"GLU": "glu", "LogSoftmax": "log_softmax", "Softmax": "softmax", "Softmin": "softmin"}

# Those for a product to take along.
FUSED = frozenset({"ReLU", "ReLU6", "SELU", "Sigmoid", "Tanh", "LogSigmoid", "Softsign", "Hardsigmoid"})


def elementwise(value: Value, module: Any, name: str) -> Value:
    """Return an elementwise function of a value."""
    kind = type(module).__name__
    apply = layers.Activation(NAMED[kind], name=name) if kind in NAMED else NUMBERED[kind](module)
    return value.like(apply(value.tensor))


def along_axis(value: Value, module: Any, name: str) -> Value:
    """Return a softmax or a gated linear unit along an axis."""
    kind = type(module).__name__
    dim = module.dim
    if dim is None:
        dim = 0 if len(value.shape) in (0, 2) else 1
    value = plain(value) if value.origin else value
    rank = len(value.shape) + 1
    if dim % rank == 0:
        raise refuse_option(name, "dim", dim)
    axis = value.axis(dim)
    if kind == "GLU":
        shape = list(value.shape)
        shape[dim % rank - 1] //= 2
        return Value(ops.glu(value.tensor, axis), tuple(shape), value.order)
    x = -value.tensor if kind == "Softmin" else value.tensor
    if axis == rank - 1:
        function = "softmax" if kind == "Softmin" else ALONG[kind]
        return value.like(layers.Activation(function, name=name)(x))
    return value.like(ops.log_softmax(x, axis) if kind == "LogSoftmax" else ops.softmax(x, axis))
