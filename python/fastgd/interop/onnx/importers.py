"""ONNX' operators as layers and ops."""

from __future__ import annotations

import math
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from fastgd import layers, ops
from fastgd.interop.onnx.functions import ARITHMETIC, COMPARISONS, LOGIC
from fastgd.interop.onnx.reading import GraphReader, Node, imports, operand, settled, sizes_from
from fastgd.interop.onnx.recurrence import STATE, turned, with_axis, without_axis
from fastgd.interop.values import FLAT, LAST, Value, aligned, channels_last, moved, permuted, plain, reduced, reshaped
from fastgd.interop.windows import ORDER, class_of, kind_of_padding, pad
from fastgd.utils.windows import window_padding, window_sizes

# Those that a product takes along.
NAMED = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Softplus": "softplus", "Softsign": "softsign"}
UNARY: dict[str, Callable[[Any, Node], Any]] = {
    **{kind: (lambda x, node, name=name: layers.Activation(name)(x)) for kind, name in NAMED.items()},  # type: ignore[misc]
    **{
        kind: (lambda x, node, name=name: getattr(ops, name)(x))  # type: ignore[misc]
        for kind, name in (
            ("Abs", "absolute"), ("Sign", "sign"), ("Neg", "negative"), ("Reciprocal", "reciprocal"), ("Sqrt", "sqrt"),
            ("Exp", "exp"), ("Log", "log"), ("Sin", "sin"), ("Cos", "cos"), ("Tan", "tan"), ("Atan", "arctan"),
            ("Sinh", "sinh"), ("Cosh", "cosh"), ("Erf", "erf"), ("Floor", "floor"), ("Ceil", "ceil"),
            ("Round", "round"), ("IsNaN", "isnan"), ("IsInf", "isinf"), ("Not", "logical_not"), ("Mish", "mish"),
            ("HardSwish", "hard_silu"),
        )
    },
    "LeakyRelu": lambda x, node: layers.LeakyReLU(node.attrs.get("alpha", 0.01))(x),
    "Elu": lambda x, node: layers.ELU(node.attrs.get("alpha", 1.0))(x),
    "Celu": lambda x, node: ops.celu(x, node.attrs.get("alpha", 1.0)),
    "Gelu": lambda x, node: ops.gelu(x, node.text("approximate", "none") == "tanh"),
    "ThresholdedRelu": lambda x, node: ops.threshold(x, node.attrs.get("alpha", 1.0), 0.0),
    "HardSigmoid": lambda x, node: ops.clip(
        x * node.attrs.get("alpha", 0.2) + node.attrs.get("beta", 0.5), 0.0, 1.0
    ),
    "Selu": lambda x, node: layers.ELU(node.attrs.get("alpha", 1.6732632))(x) * node.attrs.get("gamma", 1.0507010),
}  # fmt: skip


@imports(*UNARY)
def unary(reader: GraphReader, node: Node) -> Any:
    """A function of each element."""
    value = reader.get(node.inputs[0])
    return value.like(UNARY[node.kind](value.tensor, node))


@imports("Identity", "Dropout", "Cast", "CastLike")
def nothing(reader: GraphReader, node: Node) -> Any:
    """What changes nothing outside training; tests are numbers here. Integers become floating where it is wanted."""
    value = reader.get(node.inputs[0])
    if value.tensor.dtype == "int32" and node.kind == "Cast" and node.attrs["to"] in (1, 10, 11, 16):
        return value.like(ops.cast(value.tensor, reader.values[":dtype"]))
    if node.kind == "Cast" and value.tensor.dtype != "int32" and node.attrs["to"] == 9:
        return value.like(ops.not_equal(value.tensor, 0.0))
    return value


def _fused(reader: GraphReader, node: Node) -> tuple[str | None, Node | None]:
    """Return the activation that alone takes what a product gives, with its node."""
    follower = reader.sole_reader(node)
    if follower is None or follower.kind not in NAMED:
        return None, None
    return NAMED[follower.kind], follower


def _dense(reader: GraphReader, node: Node, value: Value, kernel: Any, bias: Any, last: Node) -> Value:
    """Return a Dense; behind a flattened image the rows of its kernel take the order of the elements there."""
    inputs, units = kernel.shape
    value = plain(value) if value.order == LAST else value
    if value.shape[-1] != inputs:
        raise node.refuse("B", f"of {inputs} rows for {value.shape[-1]} features")
    activation, follower = _fused(reader, last)
    layer = layers.Dense(units, activation, use_bias=bias is not None, name=reader.name_of(node))
    y = layer(value.tensor)
    if value.order == FLAT:
        origin = value.origin
        order = np.arange(prod(origin)).reshape(origin).transpose(*range(1, len(origin)), 0).reshape(-1)
        kernel = kernel[order]
    layer.kernel.assign(kernel)
    if bias is not None:
        assert layer.bias is not None
        layer.bias.assign(np.broadcast_to(bias.reshape(-1), (units,)))
    result = Value(y, (*value.shape[:-1], units))
    if follower is not None:
        reader.skip(follower, result)
    if last is not node:
        reader.skip(last, result)
    return result


@imports("Gemm")
def gemm(reader: GraphReader, node: Node) -> Any:
    """A product of a matrix of samples and a constant."""
    value, kernel = reader.get(node.inputs[0]), reader.constant(node, 1, "B")
    bias = reader.constant(node, 2, "C")
    if kernel is None or node.attrs.get("transA", 0):
        raise node.refuse("transA", node.attrs.get("transA"))
    kernel = kernel.T if node.attrs.get("transB", 0) else kernel
    bias = None if bias is None else bias * node.attrs.get("beta", 1.0)
    return _dense(reader, node, value, kernel * node.attrs.get("alpha", 1.0), bias, node)


@imports("MatMul")
def matmul(reader: GraphReader, node: Node) -> Any:
    """A Dense for a constant matrix, with the bias that may follow; else the products of the matrices of samples."""
    a, b = reader.all(node)
    if isinstance(a, Value) and isinstance(b, np.ndarray) and b.ndim == 2:
        follower = reader.sole_reader(node)
        if follower is not None and follower.kind == "Add":
            others = [reader.values.get(name) for name in follower.inputs if name != node.outputs[0]]
            if others and isinstance(others[0], np.ndarray) and others[0].shape in ((b.shape[1],), (1, b.shape[1])):
                return _dense(reader, node, a, b, others[0], follower)
        return _dense(reader, node, a, b, None, node)
    if not (isinstance(a, Value) and isinstance(b, Value)):
        raise node.refuse("operand", "a constant")
    y = ops.matmul(plain(a).tensor, plain(b).tensor)
    return Value(y, tuple(y.dims[1:]))


def _window(node: Node, value: Value, window: tuple[int, ...]) -> tuple[Any, ...]:
    """Return strides, dilations, and the paddings before and behind."""
    rank = len(window)
    ones, zeros = (1,) * rank, (0,) * rank
    strides, dilations = node.ints("strides", ones), node.ints("dilations", ones)
    kind = node.text("auto_pad", "NOTSET")
    if kind in ("SAME_UPPER", "SAME_LOWER"):
        before, after = window_padding("same", value.shape[1:], window, strides, dilations)
        before, after = (after, before) if kind == "SAME_LOWER" else (before, after)
    else:
        pads = node.ints("pads", (*zeros, *zeros)) if kind == "NOTSET" else (*zeros, *zeros)
        before, after = pads[:rank], pads[rank:]
    return strides, dilations, before, after


@imports("Conv")
def convolution(reader: GraphReader, node: Node) -> Any:
    """A convolution; a depthwise one where each channel has kernels of its own."""
    value = channels_last(reader.get(node.inputs[0]))
    w, bias = reader.constant(node, 1, "W"), reader.constant(node, 2, "B")
    assert w is not None
    filters, _, *window = w.shape
    rank, groups, spatial = len(window), int(node.attrs.get("group", 1)), range(2, 2 + len(window))
    strides, dilations, before, after = _window(node, value, tuple(window))
    where = tuple(window), strides, dilations
    padding = kind_of_padding(value.shape[1:], *where, before, after)
    activation, follower = _fused(reader, node)
    common = {
        "strides": strides, "padding": padding or "valid", "data_format": ORDER, "dilation_rate": dilations,
        "activation": activation, "use_bias": bias is not None, "name": reader.name_of(node),
    }  # fmt: skip
    if groups == value.shape[0] > 1 and rank <= 2:
        layer = class_of("DepthwiseConv{}D", rank)(window, depth_multiplier=filters // groups, **common)
        kernel = w.reshape(groups, filters // groups, *window).transpose(*spatial, 0, 1)
    else:
        layer = class_of("Conv{}D", rank)(filters, window, groups=groups, **common)
        kernel = w.transpose(*spatial, 1, 0)
    y = layer(value.tensor if padding else pad(value.tensor, before, after))
    layer.kernel.assign(kernel)
    if bias is not None:
        layer.bias.assign(bias)
    result = Value(y, (filters, *window_sizes(value.shape[1:], *where, before, after)), LAST)
    if follower is not None:
        reader.skip(follower, result)
    return result


@imports("ConvTranspose")
def transposed_convolution(reader: GraphReader, node: Node) -> Any:
    """A transposed convolution, of whose output the padding is cut off."""
    value = channels_last(reader.get(node.inputs[0]))
    w, bias = reader.constant(node, 1, "W"), reader.constant(node, 2, "B")
    assert w is not None
    _, filters, *window = w.shape
    rank = len(window)
    strides, dilations, before, after = _window(node, value, tuple(window))
    more = node.ints("output_padding", (0,) * rank)
    for key, bad in (("group", node.attrs.get("group", 1) != 1), ("output_shape", "output_shape" in node.attrs)):
        if bad or node.text("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
            raise node.refuse(key, node.attrs.get(key))
    layer = class_of("Conv{}DTranspose", rank)(
        filters, tuple(window), strides=strides, padding="valid", output_padding=more, data_format=ORDER,
        dilation_rate=dilations, use_bias=bias is not None, name=reader.name_of(node),
    )  # fmt: skip
    y = layer(value.tensor)
    layer.kernel.assign(w.transpose(*range(2, rank + 2), 1, 0))
    if bias is not None:
        layer.bias.assign(bias)
    if any((*before, *after)):
        pairs = tuple(zip(before, after, strict=True))
        y = (layers.Cropping1D(pairs[0]) if rank == 1 else class_of("Cropping{}D", rank)(pairs, data_format=ORDER))(y)
    return Value(y, (filters, *y.dims[1:-1]), LAST)


@imports("MaxPool", "AveragePool")
def pool(reader: GraphReader, node: Node) -> Any:
    """The maxima or means of windows."""
    value = channels_last(reader.get(node.inputs[0]))
    window = node.ints("kernel_shape", ())
    strides, dilations, before, after = _window(node, value, window)
    if any(d != 1 for d in dilations) or node.attrs.get("ceil_mode", 0) or len(node.outputs) > 1:
        raise node.refuse("ceil_mode, dilations or indices", node.attrs.get("ceil_mode", dilations))
    sizes, ones = value.shape[1:], (1,) * len(window)
    kind, x = kind_of_padding(sizes, window, strides, ones, before, after), value.tensor
    counted = node.kind == "AveragePool" and node.attrs.get("count_include_pad", 0) and any((*before, *after))
    if kind is None or counted:
        if node.kind == "AveragePool" and not counted:
            raise node.refuse("pads", (before, after))
        x, kind = pad(x, before, after, -math.inf if node.kind == "MaxPool" else 0.0), "valid"
    name = "MaxPooling{}D" if node.kind == "MaxPool" else "AveragePooling{}D"
    y = class_of(name, len(window))(window, strides, kind, ORDER, name=reader.name_of(node))(x)
    return Value(y, (value.shape[0], *window_sizes(sizes, window, strides, ones, before, after)), LAST)


@imports("GlobalAveragePool", "GlobalMaxPool")
def global_pool(reader: GraphReader, node: Node) -> Any:
    """One number of each channel; the spatial axes stay."""
    value = channels_last(reader.get(node.inputs[0]))
    rank = len(value.shape) - 1
    name = "GlobalAveragePooling{}D" if node.kind == "GlobalAveragePool" else "GlobalMaxPooling{}D"
    y = class_of(name, rank)(data_format=ORDER, keepdims=True, name=reader.name_of(node))(value.tensor)
    return Value(y, (value.shape[0], *(1,) * rank), LAST)


@imports("BatchNormalization")
def batch_normalization(reader: GraphReader, node: Node) -> Any:
    """A BatchNormalization with the moving averages of the file."""
    value = reader.get(node.inputs[0])
    value = channels_last(value) if len(value.shape) > 1 else plain(value)
    momentum, epsilon = node.attrs.get("momentum", 0.9), node.attrs.get("epsilon", 1e-5)
    layer = layers.BatchNormalization(-1, momentum, epsilon, name=reader.name_of(node))
    y = layer(value.tensor)
    for place, weight in enumerate((layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance), 1):
        assert weight is not None
        weight.assign(reader.constant(node, place, "scale, B, mean and var"))  # type: ignore[arg-type]
    return value.like(y)


@imports("LayerNormalization")
def layer_normalization(reader: GraphReader, node: Node) -> Any:
    """A LayerNormalization over the last axes."""
    value = plain(reader.get(node.inputs[0]))
    rank = len(value.shape) + 1
    axes = list(range(int(node.attrs.get("axis", -1)) % rank, rank))
    scale, shift = reader.constant(node, 1, "Scale"), reader.constant(node, 2, "B")
    epsilon = node.attrs.get("epsilon", 1e-5)
    layer = layers.LayerNormalization(axes, epsilon, center=shift is not None, name=reader.name_of(node))
    y = layer(value.tensor)
    for weight, given in ((layer.gamma, scale), (layer.beta, shift)):
        if weight is not None and given is not None:
            weight.assign(np.broadcast_to(given, weight.shape))
    return value.like(y)


@imports("Softmax", "LogSoftmax")
def softmax(reader: GraphReader, node: Node) -> Any:
    """A softmax along an axis."""
    value = settled(reader.get(node.inputs[0]))
    axis, rank = value.axis(int(node.attrs.get("axis", -1))), len(value.shape) + 1
    name = "softmax" if node.kind == "Softmax" else "log_softmax"
    if axis == rank - 1:
        return value.like(layers.Activation(name, name=reader.name_of(node))(value.tensor))
    return value.like(getattr(ops, name)(value.tensor, axis))


@imports("PRelu")
def prelu(reader: GraphReader, node: Node) -> Any:
    """A PReLU with the slopes of the file."""
    value = settled(reader.get(node.inputs[0]))
    slopes = reader.constant(node, 1, "slope")
    assert slopes is not None
    rank = len(value.shape)
    full = (
        slopes.reshape((1,) * (rank - slopes.ndim) + slopes.shape)
        if slopes.ndim <= rank
        else slopes.reshape(slopes.shape[1:])
    )
    full = np.moveaxis(full, 0, -1) if value.order == LAST else full
    shared = [k + 1 for k, size in enumerate(full.shape) if size == 1]
    layer = layers.PReLU(shared_axes=shared or None, name=reader.name_of(node))
    y = layer(value.tensor)
    layer.alpha.assign(full)
    return value.like(y)


BINARY = {kind: name for table in (ARITHMETIC, COMPARISONS, LOGIC) for name, kind in table.items()}


@imports(*BINARY, "Sum", "Mean")
def binary(reader: GraphReader, node: Node) -> Any:
    """A function of two operands, or a sum of more."""
    values = reader.all(node)
    name = BINARY.get(node.kind, "add")
    total = values[0]
    for other in values[1:]:
        total = _pair(node, name, total, other)
    if len(values) == 1 and not isinstance(total, Value):
        raise node.refuse("operand", "a constant")
    return total.like(total.tensor / float(len(values))) if node.kind == "Mean" else total


def _pair(node: Node, name: str, a: Any, b: Any) -> Value:
    apply = getattr(ops, name)
    if isinstance(a, Value) and isinstance(b, Value):
        if a.shape == b.shape:
            first, second = aligned([a, b])
            layer = {"add": layers.add, "multiply": layers.multiply, "subtract": layers.subtract}.get(name)
            x, y = first.tensor, second.tensor
            return first.like(layer([x, y]) if layer is not None else apply(x, y))
        if len(a.shape) != len(b.shape):
            raise node.refuse("operands", f"of the shapes {('batch', *a.shape)} and {('batch', *b.shape)}")
        first, second = aligned([a, b])
        shape = tuple(max(pair) if 0 not in pair else 0 for pair in zip(a.shape, b.shape, strict=True))
        return Value(apply(first.tensor, second.tensor), shape, first.order)
    value = settled(a if isinstance(a, Value) else b)
    other = operand(node, b if isinstance(a, Value) else a, value)
    y = apply(value.tensor, other) if isinstance(a, Value) else apply(other, value.tensor)
    shape = tuple(y.dims[1:])
    return Value(y, (shape[-1], *shape[:-1]) if value.order == LAST else shape, value.order)


@imports("Where")
def where(reader: GraphReader, node: Node) -> Any:
    """One of two operands for each element."""
    values = reader.all(node)
    found = [plain(v) for v in values if isinstance(v, Value)]
    given = [plain(v).tensor if isinstance(v, Value) else operand(node, v, found[0]) for v in values]
    y = ops.where(*given)
    return Value(y, tuple(y.dims[1:]))


@imports("Clip")
def clip(reader: GraphReader, node: Node) -> Any:
    """x between bounds, which were attributes once."""
    value, bounds = reader.get(node.inputs[0]), []
    for place, key, none in ((1, "min", -math.inf), (2, "max", math.inf)):
        given = node.attrs.get(key, reader.constant(node, place, key))
        bounds.append(none if given is None else float(np.asarray(given)))
    low, high = bounds
    if (low, high) == (0.0, 6.0):
        return value.like(layers.Activation("relu6")(value.tensor))
    y = value.tensor
    y = ops.maximum(y, low) if low > -math.inf else y
    return value.like(ops.minimum(y, high) if high < math.inf else y)


@imports("Flatten")
def flatten(reader: GraphReader, node: Node) -> Any:
    """Each sample as a vector."""
    value = reader.get(node.inputs[0])
    if int(node.attrs.get("axis", 1)) != 1:
        raise node.refuse("axis", node.attrs["axis"])
    return reshaped(value, (prod(value.shape),))


@imports("Reshape")
def reshape(reader: GraphReader, node: Node) -> Any:
    """The elements of each sample in another shape; the batch must stay the first axis."""
    value, shape = reader.get(node.inputs[0]), reader.constant(node, 1, "shape")
    assert shape is not None
    first, *rest = sizes_from(node, shape)
    zero = not node.attrs.get("allowzero", 0)
    rest = [value.shape[k] if size == 0 and zero else size for k, size in enumerate(rest)]
    total = prod(value.shape)
    known = prod(size for size in rest if size is not None and size > 0)
    if first == -1 and None not in rest and -1 not in rest and known == total:
        first = None
    if (first is None or (first == 0 and zero)) and None not in rest:
        sizes = tuple(total // max(known, 1) if size == -1 else int(size or 0) for size in rest)
        if prod(sizes) == total:
            return reshaped(value, sizes)
    raise node.refuse("shape", shape.tolist())


@imports("Transpose")
def transpose(reader: GraphReader, node: Node) -> Any:
    """The axes of each sample in another order."""
    value = reader.get(node.inputs[0])
    order = node.ints("perm", range(len(value.shape), -1, -1))
    if (other := turned(value, order)) is not None:
        return other
    if order[0] != 0:
        raise node.refuse("perm", order)
    return permuted(value, order)


@imports("Unsqueeze", "Squeeze")
def change_axes(reader: GraphReader, node: Node) -> Any:
    """Axes of size 1 put in, or taken out."""
    value = reader.get(node.inputs[0])
    axes = reader.integers(node, "axes", 1)
    rank = len(value.shape) + 1
    other = without_axis(value, axes) if node.kind == "Squeeze" else with_axis(value, axes or [])
    if other is not None:
        return other
    if node.kind == "Unsqueeze":
        assert axes is not None
        places = sorted(axis % (rank + len(axes)) for axis in axes)
        shape = list(value.shape)
        for place in places:
            if place == 0:
                raise node.refuse("axes", axes)
            shape.insert(place - 1, 1)
        return reshaped(value, tuple(shape))
    places = [k + 1 for k, s in enumerate(value.shape) if s == 1] if axes is None else [axis % rank for axis in axes]
    if 0 in places:
        raise node.refuse("axes", axes)
    return reshaped(value, tuple(size for k, size in enumerate(value.shape, 1) if k not in places))


@imports("Concat")
def concatenate(reader: GraphReader, node: Node) -> Any:
    """Tensors joined along an axis."""
    values = reader.all(node)
    if not all(isinstance(value, Value) for value in values):
        raise node.refuse("inputs", "a constant among them")
    values = aligned([settled(value) for value in values])
    rank = len(values[0].shape) + 1
    axis = int(node.attrs["axis"]) % rank
    if axis == 0:
        raise node.refuse("axis", 0)
    shape = list(values[0].shape)
    shape[axis - 1] = sum(value.shape[axis - 1] for value in values)
    y = layers.Concatenate(values[0].axis(axis), name=reader.name_of(node))([value.tensor for value in values])
    return Value(y, tuple(shape), values[0].order)


REDUCTIONS = {
    "ReduceSum": "sum", "ReduceMean": "mean", "ReduceProd": "prod", "ReduceMax": "max", "ReduceMin": "min",
    "ReduceLogSumExp": "logsumexp",
}  # fmt: skip


@imports(*REDUCTIONS)
def reduce(reader: GraphReader, node: Node) -> Any:
    """A reduction over axes of a sample."""
    value = reader.get(node.inputs[0])
    rank = len(value.shape) + 1
    axes = reader.integers(node, "axes", 1)
    dims = [] if axes is None else sorted(axis % rank for axis in axes)
    if not dims or 0 in dims:
        raise node.refuse("axes", axes)
    return reduced(value, getattr(ops, REDUCTIONS[node.kind]), dims, bool(node.attrs.get("keepdims", 1)))


@imports("CumSum")
def cumsum(reader: GraphReader, node: Node) -> Any:
    """Running sums."""
    value, axis = settled(reader.get(node.inputs[0])), reader.constant(node, 1, "axis")
    if node.attrs.get("exclusive", 0) or node.attrs.get("reverse", 0) or axis is None:
        raise node.refuse("exclusive or reverse", 1)
    return value.like(ops.cumsum(value.tensor, value.axis(int(axis.reshape(())))))


@imports("Pad")
def padding(reader: GraphReader, node: Node) -> Any:
    """x with a constant around it."""
    value = settled(reader.get(node.inputs[0]))
    rank = len(value.shape) + 1
    pads, given = reader.integers(node, "pads", 1), reader.constant(node, 2, "constant_value")
    assert pads is not None
    axes = reader.integers(node, "axes", 3, range(rank))
    assert axes is not None
    pairs = [(0, 0)] * rank
    for k, axis in enumerate(axes):
        pairs[axis % rank] = (int(pads[k]), int(pads[k + len(axes)]))
    if node.text("mode", "constant") != "constant" or pairs[0] != (0, 0) or min(map(min, pairs)) < 0:
        raise node.refuse("pads", pads)
    shape = tuple(size + sum(pair) for size, pair in zip(value.shape, pairs[1:], strict=True))
    lying = [pairs[0], *(moved(pairs[1:]) if value.order == LAST else pairs[1:])]  # type: ignore[arg-type]
    number = 0.0 if given is None else float(given.reshape(()))
    return Value(ops.pad(value.tensor, tuple(lying), constant_values=number), shape, value.order)


@imports("Slice")
def slice_(reader: GraphReader, node: Node) -> Any:
    """A part of each sample."""
    value = plain(reader.get(node.inputs[0]))
    rank = len(value.shape) + 1
    starts, ends = reader.integers(node, "starts", 1), reader.integers(node, "ends", 2)
    assert starts is not None
    assert ends is not None
    axes = reader.integers(node, "axes", 3, range(len(starts)))
    steps = reader.integers(node, "steps", 4, [1] * len(starts))
    assert axes is not None
    assert steps is not None
    key = [slice(None)] * rank
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        # Beyond any size; counted from the end it would name an element.
        stop = None if abs(end) > 2**30 else end
        key[axis % rank] = slice(start, stop, step)
    if key[0] not in (slice(None), slice(0, None, 1)):
        raise node.refuse("axes", axes)
    y = ops.get_item(value.tensor, (slice(None), *key[1:]))
    return Value(y, tuple(y.dims[1:]))


@imports("Expand")
def expand(reader: GraphReader, node: Node) -> Any:
    """x repeated along axes of size 1."""
    value, shape = plain(reader.get(node.inputs[0])), reader.constant(node, 1, "shape")
    assert shape is not None
    wanted = sizes_from(node, shape)
    if len(wanted) != len(value.shape) + 1 or wanted[0] not in (None, 1):
        raise node.refuse("shape", wanted)
    sizes = tuple(max(own, size or own) for own, size in zip(value.shape, wanted[1:], strict=True))
    return Value(ops.broadcast_to(value.tensor, (None, *sizes)), sizes)


@imports("Gather")
def gather(reader: GraphReader, node: Node) -> Any:
    """Elements picked along an axis by constants."""
    value = reader.get(node.inputs[0])
    if not isinstance(value, Value):
        return _embedding(reader, node, value)
    indices = reader.constant(node, 1, "indices")
    if value.order == STATE and indices is not None and indices.size == 1 and indices.ndim == 0:
        # The one direction that there is.
        return Value(value.tensor, value.shape)
    value = plain(value)
    axis = int(node.attrs.get("axis", 0)) % (len(value.shape) + 1)
    if axis == 0 or indices is None:
        raise node.refuse("axis", axis)
    y = ops.take(value.tensor, indices.tolist(), axis)
    return Value(y, tuple(y.dims[1:]))


def _embedding(reader: GraphReader, node: Node, table: Any) -> Value:
    """Return the rows of a constant table."""
    rows = plain(reader.get(node.inputs[1]))
    if table.ndim != 2 or int(node.attrs.get("axis", 0)) != 0 or rows.tensor.dtype != "int32":
        raise node.refuse("data", f"a constant of the shape {table.shape}")
    layer = layers.Embedding(*table.shape, name=reader.name_of(node))
    y = layer(rows.tensor)
    layer.embeddings.assign(table)
    return Value(y, (*rows.shape, table.shape[1]))


@imports("Resize", "Upsample")
def resize(reader: GraphReader, node: Node) -> Any:
    """An image with each pixel repeated, or interpolated between the centres, by whole factors."""
    value = channels_last(reader.get(node.inputs[0]))
    rank = len(value.shape) - 1
    place = 1 if node.kind == "Upsample" else 2
    scales, sizes = reader.constant(node, place, "scales"), reader.constant(node, 3, "sizes")
    if scales is not None and scales.size:
        factors = [float(s) for s in scales[2:]]
    else:
        factors = [] if sizes is None else [int(n) / s for n, s in zip(sizes[2:], value.shape[1:], strict=True)]
    mode, where = node.text("mode", "nearest"), node.text("coordinate_transformation_mode", "half_pixel")
    bilinear = mode == "linear" and rank == 2 and where in ("half_pixel", "pytorch_half_pixel")
    rounding = node.text("nearest_mode", "round_prefer_floor")
    repeated = mode == "nearest" and ((where == "asymmetric" and rounding == "floor") or where == "half_pixel")
    if len(factors) != rank or any(f != int(f) for f in factors) or not (bilinear or repeated):
        raise node.refuse("mode or scales", (mode, where, factors))
    whole = tuple(map(int, factors))
    if rank == 1:
        layer: Any = layers.UpSampling1D(whole[0])
    else:
        more = {"interpolation": "bilinear" if bilinear else "nearest"} if rank == 2 else {}
        layer = class_of("UpSampling{}D", rank)(whole, data_format=ORDER, **more)
    shape = (value.shape[0], *(f * s for f, s in zip(whole, value.shape[1:], strict=True)))
    return Value(layer(value.tensor), shape, LAST)
