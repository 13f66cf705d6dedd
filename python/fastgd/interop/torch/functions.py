"""PyTorch's functions and methods by their names: what they become."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

from fastgd import layers, ops
from fastgd.interop.torch.modules import HANDLERS
from fastgd.interop.torch.refusals import refuse_function, refuse_option
from fastgd.interop.values import Value, aligned, channels_last, permuted, plain, reduced, reshaped

if TYPE_CHECKING:
    from fastgd.interop.torch.conversion import Converter

Function = Callable[..., Any]


class BatchSize:
    """What `x.size(0)` is: no number yet."""

    def __repr__(self) -> str:
        """Show what it stands for."""
        return "batch"


BATCH_SIZE = BatchSize()

# Elementwise functions of one tensor, by PyTorch's names, and ours where they differ.
UNARY = {
    **{
        name: name
        for name in ("exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "rsqrt", "square", "sin", "cos")
    },
    **{name: name for name in ("tan", "sinh", "cosh", "erf", "floor", "ceil", "round", "sign", "reciprocal")},
    "abs": "absolute",
    "atan": "arctan",
    "arctan": "arctan",
    "neg": "negative",
    "detach": "stop_gradient",
}
BINARY = {
    "add": "add",
    "iadd": "add",
    "imul": "multiply",
    "isub": "subtract",
    "itruediv": "divide",
    "mul": "multiply",
    "multiply": "multiply",
    "sub": "subtract",
    "subtract": "subtract",
    "div": "divide",
    "truediv": "divide",
    "true_divide": "divide",
    "pow": "power",
    "maximum": "maximum",
    "minimum": "minimum",
}
REDUCTIONS = {"mean": "mean", "sum": "sum", "amax": "max", "amin": "min", "logsumexp": "logsumexp", "prod": "prod"}
NOTHING = ("contiguous", "clone")

# Functions that do what a module does: its class, and how its arguments are called in the order of the function's.
WINDOW = "kernel_size stride padding dilation ceil_mode return_indices"
MEANS = "kernel_size stride padding ceil_mode count_include_pad divisor_override"
AS_MODULES: dict[str, tuple[str, str]] = {
    **{
        name.lower(): (name, "inplace")
        for name in ("ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid")
    },
    **{name.lower(): (name, "") for name in ("Sigmoid", "Tanh", "LogSigmoid", "Softsign", "Tanhshrink")},
    "relu_": ("ReLU", ""),
    "celu": ("CELU", "alpha inplace"),
    "elu": ("ELU", "alpha inplace"),
    "gelu": ("GELU", "approximate"),
    "glu": ("GLU", "dim"),
    "hardshrink": ("Hardshrink", "lambd"),
    "hardtanh": ("Hardtanh", "min_val max_val inplace"),
    "leaky_relu": ("LeakyReLU", "negative_slope inplace"),
    "log_softmax": ("LogSoftmax", "dim _stacklevel dtype"),
    "softmax": ("Softmax", "dim _stacklevel dtype"),
    "softplus": ("Softplus", "beta threshold"),
    "softshrink": ("Softshrink", "lambd"),
    "threshold": ("Threshold", "threshold value inplace"),
    "dropout": ("Dropout", "p training inplace"),
    "alpha_dropout": ("AlphaDropout", "p training inplace"),
    "dropout1d": ("Dropout1d", "p training inplace"),
    "dropout2d": ("Dropout2d", "p training inplace"),
    "dropout3d": ("Dropout3d", "p training inplace"),
    "interpolate": ("Upsample", "size scale_factor mode align_corners recompute_scale_factor antialias"),
    "pixel_shuffle": ("PixelShuffle", "upscale_factor"),
    "flatten": ("Flatten", "start_dim end_dim"),
    **{f"max_pool{k}d": (f"MaxPool{k}d", WINDOW) for k in (1, 2, 3)},
    **{f"avg_pool{k}d": (f"AvgPool{k}d", MEANS) for k in (1, 2, 3)},
    **{f"adaptive_avg_pool{k}d": (f"AdaptiveAvgPool{k}d", "output_size") for k in (1, 2, 3)},
    **{f"adaptive_max_pool{k}d": (f"AdaptiveMaxPool{k}d", "output_size return_indices") for k in (1, 2, 3)},
}
# What no module has, or what changes nothing in a forward pass.
IGNORED = frozenset({"_stacklevel", "inplace", "training"})


def module_of(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return a module that does what the function does with these arguments, None if there is no such one.

    Raises:
        ValueError: for arguments that the module has not.
    """
    import torch

    if name not in AS_MODULES:
        return None
    kind, keys = AS_MODULES[name]
    given = {**dict(zip(keys.split(), args, strict=False)), **kwargs}
    given.pop("input", None)
    if given.get("dtype") is not None or given.get("antialias"):
        raise refuse_option(name, "dtype" if given.get("dtype") is not None else "antialias", True)
    if given.get("training") is False and "dropout" in name:
        return torch.nn.Identity()
    for key in (*IGNORED, "dtype", "antialias"):
        given.pop(key, None)
    if kind == "Flatten" and "start_dim" not in given:
        # The function joins the batch as well, unlike the module.
        given["start_dim"] = 0
    return getattr(torch.nn, kind)(**given)


def linear(convert: Converter, name: str, x: Value, weight: Any, bias: Any = None) -> Value:
    """Return a Dense whose weights are parameters of the module around."""
    import torch

    module = torch.nn.Linear(1, 1, bias is not None, device="meta")
    return _with_weights(convert, "Linear", module, name, x, weight, bias)


def convolution(rank: int) -> Function:
    """Return the function for convolutions along so many axes."""

    def convolve(
        convert: Converter,
        name: str,
        x: Value,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Value:
        import torch

        filters, channels, *window = weight.shape
        kind = f"Conv{rank}d"
        module = getattr(torch.nn, kind)(
            channels * groups, filters, tuple(window), stride, padding, dilation, groups, bias is not None,
            device="meta",
        )  # fmt: skip
        return _with_weights(convert, kind, module, name, x, weight, bias)

    return convolve


def _with_weights(convert: Converter, kind: str, module: Any, name: str, x: Value, weight: Any, bias: Any) -> Value:
    module.weight, module.bias = weight, bias
    made: Value = HANDLERS[kind](convert, module, name, x)
    return made


def binary(convert: Converter, function: str, a: Any, b: Any) -> Value:
    """Return an elementwise function of two values, of one and a number, or of one and a parameter."""
    apply: Any = getattr(ops, function)
    if isinstance(a, Value) and isinstance(b, Value):
        if a.shape == b.shape:
            first, second = aligned([a, b])
            if function in ("add", "multiply", "subtract"):
                return first.like(getattr(layers, function)([first.tensor, second.tensor]))
            return first.like(apply(first.tensor, second.tensor))
        first, second = aligned([a, b]) if len(a.shape) == len(b.shape) else (plain(a), plain(b))
        if len(first.shape) != len(second.shape):
            raise ValueError(
                f"`forward` calls {function!r} on tensors of different numbers of axes, whose batch would meet another "
                f"axis. Received: shapes={('batch', *a.shape)} and {('batch', *b.shape)}"
            )
        y = apply(first.tensor, second.tensor)
        sizes = zip(first.shape, second.shape, strict=True)
        return Value(y, tuple(max(pair) for pair in sizes), first.order)
    value = a if isinstance(a, Value) else b
    other = b if isinstance(a, Value) else a
    if not isinstance(other, (int, float)):
        value, other = plain(value), convert.variable(other)
        y = apply(value.tensor, other) if isinstance(a, Value) else apply(other, value.tensor)
        return Value(y, tuple(y.dims[1:]))
    number = float(other)
    return value.like(apply(value.tensor, number) if isinstance(a, Value) else apply(number, value.tensor))


def reduction(function: str, x: Value, dim: Any = None, keepdim: bool = False, **others: Any) -> Value:
    """Return a sum or the like over some axes of a sample."""
    if others.get("dtype") is not None or dim is None:
        raise refuse_option(function, "dim", dim)
    rank = len(x.shape) + 1
    dims = sorted(d % rank for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))
    if 0 in dims:
        raise refuse_option(function, "dim", dim)
    return reduced(x, getattr(ops, function), dims, keepdim)


def concatenate(tensors: Sequence[Value], dim: int = 0) -> Value:
    """Return tensors joined along an axis."""
    values = [plain(v) for v in tensors] if any(v.origin for v in tensors) else aligned(tensors)
    rank = len(values[0].shape) + 1
    if dim % rank == 0:
        raise refuse_option("cat", "dim", dim)
    shape = list(values[0].shape)
    shape[dim % rank - 1] = sum(v.shape[dim % rank - 1] for v in values)
    y = layers.Concatenate(values[0].axis(dim))([v.tensor for v in values])
    return Value(y, tuple(shape), values[0].order)


def view(x: Value, *sizes: Any) -> Value:
    """Return the elements of each sample in another shape; the batch stays."""
    given = tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes
    total, rest = prod(x.shape), list(given[1:])
    fits = given and (given[0] is BATCH_SIZE or given[0] == -1) and all(isinstance(s, int) for s in rest)
    if fits and -1 in rest:
        if given[0] == -1:
            fits = False
        else:
            rest[rest.index(-1)] = total // max(1, -prod(rest))
    if not fits or prod(rest) != total:
        raise ValueError(
            "`forward` must keep the batch as the first axis of what it reshapes: x.view(x.size(0), ...). "
            f"Received: view{given} of ('batch', {', '.join(map(str, x.shape))})"
        )
    return reshaped(x, tuple(rest))


def permute(x: Value, *dims: Any) -> Value:
    """Return the axes of each sample in another order."""
    given = tuple(dims[0]) if len(dims) == 1 and isinstance(dims[0], (tuple, list)) else dims
    rank = len(x.shape) + 1
    order = [d % rank for d in given]
    if order[0] != 0:
        raise refuse_option("permute", "dims", given)
    return permuted(x, order)


def transpose(x: Value, dim0: int, dim1: int) -> Value:
    """Return two axes of each sample exchanged."""
    order = list(range(len(x.shape) + 1))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return permute(x, order)


def unsqueeze(x: Value, dim: int) -> Value:
    """Return each sample with a new axis of size 1."""
    place = dim % (len(x.shape) + 2)
    if place == 0:
        raise refuse_option("unsqueeze", "dim", dim)
    return reshaped(x, (*x.shape[: place - 1], 1, *x.shape[place - 1 :]))


def squeeze(x: Any, dim: Any = None) -> Value:
    """Return each sample without some axes of size 1; of the last states of one layer, the states."""
    if isinstance(x, tuple):
        if len(x) != 1 or dim != 0:
            raise refuse_option("squeeze", "dim", dim)
        state: Value = x[0]
        return state
    rank = len(x.shape) + 1
    dims = range(1, rank) if dim is None else [d % rank for d in (dim if isinstance(dim, (tuple, list)) else (dim,))]
    shape = tuple(s for k, s in enumerate(x.shape, 1) if s != 1 or k not in dims)
    return x if shape == x.shape else Value(layers.Reshape(shape)(plain(x).tensor), shape)


def get_item(x: Any, key: Any) -> Any:
    """Return a size of a shape, or a part of each sample."""
    if not isinstance(x, Value):
        return x[key]
    keys = key if isinstance(key, tuple) else (key,)
    if not keys or keys[0] not in (slice(None), Ellipsis) or any(isinstance(k, Value) for k in keys):
        raise refuse_option("getitem", "index", key)
    y = ops.get_item(plain(x).tensor, keys)
    return Value(y, tuple(y.dims[1:]))


def sizes(x: Value, dim: int | None = None) -> Any:
    """Return the shape of a tensor, or one size of it."""
    shape = (BATCH_SIZE, *x.shape)
    return shape if dim is None else shape[dim]


def matmul(a: Value, b: Value) -> Value:
    """Return the products of the matrices of each sample."""
    y = ops.matmul(plain(a).tensor, plain(b).tensor)
    return Value(y, tuple(y.dims[1:]))


def clamp(x: Value, min: float | None = None, max: float | None = None) -> Value:
    """Return x between bounds."""
    low, high = (-math.inf if min is None else float(min)), (math.inf if max is None else float(max))
    y: Any = x.tensor
    y = ops.maximum(y, low) if low > -math.inf else y
    return x.like(ops.minimum(y, high) if high < math.inf else y)


def fill_margins(convert: Converter, x: Value, pad: Sequence[int], mode: str = "constant", value: Any = None) -> Value:
    """Return an image with margins of a constant."""
    import torch

    rank = len(x.shape) - 1
    if mode != "constant" or len(pad) > 2 * rank:
        raise refuse_option("pad", "mode" if mode != "constant" else "pad", mode if mode != "constant" else pad)
    kind = f"ConstantPad{rank}d"
    given = (*pad, *(0,) * (2 * rank - len(pad)))
    module = getattr(torch.nn, kind)(given, float(value or 0.0))
    made: Value = HANDLERS[kind](convert, module, "pad", channels_last(x))
    return made


FREE: dict[str, Function] = {
    "cat": concatenate,
    "concat": concatenate,
    "concatenate": concatenate,
    "view": view,
    "reshape": view,
    "permute": permute,
    "transpose": transpose,
    "swapaxes": transpose,
    "unsqueeze": unsqueeze,
    "squeeze": squeeze,
    "getitem": get_item,
    "size": sizes,
    "matmul": matmul,
    "bmm": matmul,
    "clamp": clamp,
    "clip": clamp,
    "dim": lambda x: len(x.shape) + 1,
}
WITH_CONVERTER: dict[str, Function] = {
    "linear": linear,
    **{f"conv{rank}d": convolution(rank) for rank in (1, 2, 3)},
}
SUPPORTED = frozenset({*UNARY, *BINARY, *REDUCTIONS, *AS_MODULES, *FREE, *WITH_CONVERTER, *NOTHING, "pad"})


def call(convert: Converter, target: str, node_name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return what the function or method `target` gives.

    Raises:
        ValueError: for one that is not known, and for arguments without a counterpart.
    """
    values = [a for a in args if isinstance(a, Value)]
    holds = values or any(isinstance(a, (list, tuple)) and any(isinstance(b, Value) for b in a) for a in args)
    if not holds and hasattr(operator, target):
        # Sizes are plain numbers here.
        return getattr(operator, target)(*args, **kwargs)
    if target in WITH_CONVERTER:
        return WITH_CONVERTER[target](convert, node_name, *args, **kwargs)
    if target == "pad":
        return fill_margins(convert, *args, **kwargs)
    if target in NOTHING:
        return args[0]
    if target in FREE:
        return FREE[target](*args, **kwargs)
    if target in UNARY:
        return args[0].like(getattr(ops, UNARY[target])(args[0].tensor))
    if target in REDUCTIONS:
        return reduction(REDUCTIONS[target], *args, **kwargs)
    if target in BINARY:
        if kwargs or len(args) != 2:
            raise refuse_option(target, next(iter(kwargs), "args"), list(kwargs.values()) or len(args))
        return binary(convert, BINARY[target], *args)
    module = module_of(target, args[1:], kwargs)
    if module is None:
        raise refuse_function(target, SUPPORTED)
    return HANDLERS[type(module).__name__](convert, module, node_name, args[0])
