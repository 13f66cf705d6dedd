"""A workload's network in Keras' API, which is fastgd's too."""

from __future__ import annotations

from typing import Any

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
)
from fastgd.bench.workloads import Workload


def make_layers(layers: Any, workload: Workload, output_activation: str = "linear") -> list[Any]:
    """Return the layers of a workload.

    Args:
        layers: the module `layers` of fastgd or of Keras.
        workload: the workload.
        output_activation: the activation of the last layer.
    """
    *hidden, last = workload.layers
    assert isinstance(last, Dense)
    made = [_make(layers, layer, workload.dtype) for layer in hidden]
    return [*made, layers.Dense(last.units, activation=output_activation, dtype=workload.dtype)]


def _make(layers: Any, layer: Layer, dtype: str) -> Any:
    match layer:
        case Dense(units, activation):
            return layers.Dense(units, activation=activation, dtype=dtype)
        case Convolution(window, stride, padding, filters, activation, bias):
            return layers.Conv2D(filters, window, stride, padding, activation=activation, use_bias=bias, dtype=dtype)
        case DepthwiseConvolution(window, stride, padding):
            return layers.DepthwiseConv2D(window, stride, padding, use_bias=False, dtype=dtype)
        case MaxPooling(window, stride, padding):
            return layers.MaxPooling2D(window, stride, padding, dtype=dtype)
        case GlobalAveragePooling():
            return layers.GlobalAveragePooling2D(dtype=dtype)
        case BatchNormalization():
            return layers.BatchNormalization(momentum=NORM_MOMENTUM, epsilon=NORM_EPSILON, dtype=dtype)
        case Activation(function):
            return layers.Activation(function, dtype=dtype)
        case Flatten():
            return layers.Flatten(dtype=dtype)
        case _:
            raise TypeError(f"no layer of Keras stands for {layer}")
