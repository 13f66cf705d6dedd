"""A workload's network as a module of PyTorch, and its weights between PyTorch's order of axes and that of the others.

PyTorch computes with channels first in every shape, whatever lies first in memory, and keeps kernels as
(outputs, inputs, window).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgd.bench.networks import (
    NORM_EPSILON,
    NORM_MOMENTUM,
    Activation,
    BatchNormalization,
    Convolution,
    Dense,
    DepthwiseConvolution,
    Flatten,
    GlobalAveragePooling,
    Layer,
    MaxPooling,
    Shape,
    shapes_of,
)
from fastgd.bench.opponents import torch_sequences as sequences
from fastgd.bench.opponents.base import Array
from fastgd.bench.sequences import BIAS_ROWS, Embedding, MeanOverTime, Recurrent, SelfAttention
from fastgd.bench.workloads import Workload

# The axes of a tensor of images in the order of the others, and back.
TO_CHANNELS_FIRST, TO_CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


@dataclass(frozen=True)
class Order:
    """How one of our arrays becomes a tensor of PyTorch, up to the tensor's shape.

    Attributes:
        own: the shape of our array.
        shape: the shape that it is seen in first.
        axes: the order that its axes then take.
    """

    own: Shape
    shape: Shape
    axes: Shape

    def to_torch(self, value: Array) -> Array:
        """Return the elements in the order of the tensor."""
        return value.reshape(self.shape).transpose(self.axes)

    def from_torch(self, value: Array) -> Array:
        """Return the tensor's array in our shape."""
        moved = value.reshape([self.shape[axis] for axis in self.axes])
        return moved.transpose(np.argsort(self.axes)).reshape(self.own)


def make_modules(torch: Any, workload: Workload) -> list[Any]:
    """Return the modules of the layers in turn; the last one gives logits or plain numbers."""
    dtype = getattr(torch, workload.dtype)
    pairs = shapes_of(workload.inputs, workload.layers)
    return [module for layer, shape in pairs for module in _make(torch.nn, layer, shape, dtype)]


def _make(nn: Any, layer: Layer, shape: Shape, dtype: Any) -> Iterator[Any]:
    functions = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
    function = "linear"
    match layer:
        case Dense(units, function):
            yield nn.Linear(shape[-1], units, dtype=dtype)
        case Convolution(window, stride, padding, filters, function, bias):
            yield nn.Conv2d(shape[2], filters, window, stride, padding, bias=bias, dtype=dtype)
        case DepthwiseConvolution(window, stride, padding):
            yield nn.Conv2d(shape[2], shape[2], window, stride, padding, groups=shape[2], bias=False, dtype=dtype)
        case MaxPooling(window, stride):
            yield nn.MaxPool2d(window, stride)
        case GlobalAveragePooling():
            yield nn.AdaptiveAvgPool2d(1)
            yield nn.Flatten()
        case BatchNormalization():
            yield nn.BatchNorm2d(shape[2], NORM_EPSILON, 1 - NORM_MOMENTUM, dtype=dtype)
        case Activation(function):
            pass
        case Flatten():
            yield nn.Flatten()
        case Recurrent():
            yield sequences.make_recurrent(nn, layer, shape, dtype)
        case Embedding(vocabulary, size):
            yield nn.Embedding(vocabulary, size, dtype=dtype)
        case SelfAttention():
            yield sequences.make_attention(nn, layer, shape, dtype)
        case MeanOverTime():
            yield sequences.make_mean(nn)
        case _:
            raise TypeError(f"no module of PyTorch stands for {layer}")
    if function != "linear":
        yield functions[function]()


def to_torch(workload: Workload, values: Sequence[Array]) -> list[Array]:
    """Return what the tensors of the network hold, in the order of `find_tensors`, for the workload's variables."""
    found: list[Array] = []
    for layer, orders, first in _parts(workload):
        own = values[first : first + len(orders)]
        if isinstance(layer, Recurrent):
            found += sequences.recurrent_to_torch(layer, own)
        elif isinstance(layer, SelfAttention):
            found += sequences.attention_to_torch(own)
        else:
            found += [order.to_torch(value) for order, value in zip(orders, own, strict=True)]
    return found


def from_torch(workload: Workload, tensors: Sequence[Array]) -> list[Array]:
    """Return copies of the workload's variables for what the tensors of the network hold."""
    found: list[Array] = []
    rest = list(tensors)

    def take(count: int) -> list[Array]:
        taken, rest[:] = rest[:count], rest[count:]
        return taken

    for layer, orders, _ in _parts(workload):
        if isinstance(layer, Recurrent):
            ways, rows = 2 if layer.both else 1, BIAS_ROWS[layer.kind]
            found += sequences.recurrent_from_torch(layer, take(ways * (2 + rows)))
        elif isinstance(layer, SelfAttention):
            found += sequences.attention_from_torch(layer, take(6))
        else:
            found += [order.from_torch(value) for order, value in zip(orders, take(len(orders)), strict=True)]
    return [np.array(value) for value in found]


def _parts(workload: Workload) -> Iterator[tuple[Layer, list[Order], int]]:
    """Yield every layer with the order of each of its variables, and the place of its first one."""
    flat: Shape = ()
    first = 0
    for layer, shape in shapes_of(workload.inputs, workload.layers):
        if isinstance(layer, Flatten):
            flat = shape
        orders = []
        for variable in layer.variables(shape):
            own = variable.shape
            if isinstance(layer, Embedding) or len(own) == 1:
                orders.append(Order(own, own, tuple(range(len(own)))))
            elif len(own) == 4:
                outer = (2, 3) if isinstance(layer, DepthwiseConvolution) else (3, 2)
                orders.append(Order(own, own, (*outer, 0, 1)))
            elif flat:
                # What it flattens has channels first, and so have the rows of the kernel behind it.
                orders.append(Order(own, (*flat, own[1]), (3, 2, 0, 1)))
                flat = ()
            else:
                orders.append(Order(own, own, tuple(reversed(range(len(own))))))
        yield layer, orders, first
        first += len(orders)


def find_tensors(network: Any) -> list[Any]:
    """Return parameters that are trained and moving averages of a module, layer by layer."""
    fixed = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    state = network.state_dict()
    return [tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked") and name not in fixed]
