"""A workload's network as a module of PyTorch, and its weights between PyTorch's order of axes and that of the others.

PyTorch computes with channels first in every shape, whatever lies first in memory, and keeps kernels as
(outputs, inputs, window).
"""

from __future__ import annotations

from collections.abc import Iterator
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
from fastgd.bench.opponents.base import Array
from fastgd.bench.workloads import Workload

# The axes of a tensor of images in the order of the others, and back.
TO_CHANNELS_FIRST, TO_CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


@dataclass(frozen=True)
class Order:
    """How one of our arrays becomes a tensor of PyTorch.

    Attributes:
        shape: the shape that it is seen in first.
        axes: the order that its axes then take; what comes of it is seen in the tensor's shape.
    """

    shape: Shape
    axes: Shape

    def to_torch(self, value: Array, shape: Shape) -> Array:
        """Return an array of the shape of the tensor."""
        return value.reshape(self.shape).transpose(self.axes).reshape(shape)

    def from_torch(self, value: Array, shape: Shape) -> Array:
        """Return a copy of the tensor's array in our shape."""
        moved = value.reshape([self.shape[axis] for axis in self.axes])
        return moved.transpose(np.argsort(self.axes)).reshape(shape).copy()


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
            yield nn.Linear(shape[0], units, dtype=dtype)
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
        case _:
            raise TypeError(f"no module of PyTorch stands for {layer}")
    if function != "linear":
        yield functions[function]()


def find_orders(workload: Workload) -> list[Order]:
    """Return the order of each of the workload's variables."""
    orders = []
    flat: Shape = ()
    for layer, shape in shapes_of(workload.inputs, workload.layers):
        if isinstance(layer, Flatten):
            flat = shape
        for variable in layer.variables(shape):
            if len(variable.shape) == 1:
                orders.append(Order(variable.shape, (0,)))
            elif len(variable.shape) == 4:
                outer = (2, 3) if isinstance(layer, DepthwiseConvolution) else (3, 2)
                orders.append(Order(variable.shape, (*outer, 0, 1)))
            elif flat:
                # What it flattens has channels first, and so have the rows of the kernel behind it.
                orders.append(Order((*flat, variable.shape[1]), (3, 2, 0, 1)))
                flat = ()
            else:
                orders.append(Order(variable.shape, (1, 0)))
    return orders


def find_tensors(network: Any) -> list[Any]:
    """Return parameters and moving averages of a module, layer by layer."""
    state = network.state_dict()
    return [tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")]
