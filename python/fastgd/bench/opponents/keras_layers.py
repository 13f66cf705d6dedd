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
from fastgd.bench.sequences import LAYER_EPSILON, Embedding, MeanOverTime, Recurrent, SelfAttention
from fastgd.bench.workloads import Workload


def make_model(keras: Any, workload: Workload, output_activation: str = "linear") -> Any:
    """Return the functional model of a workload.

    Args:
        keras: fastgd or Keras.
        workload: the workload.
        output_activation: the activation of the last layer.
    """
    *hidden, last = workload.layers
    assert isinstance(last, Dense)
    inputs = x = keras.Input(shape=workload.inputs, dtype=workload.input_dtype)
    for layer in hidden:
        if isinstance(layer, SelfAttention):
            x = _attend(keras.layers, layer, x, workload.dtype)
        else:
            x = _make(keras.layers, layer, workload.dtype)(x)
    output = keras.layers.Dense(last.units, activation=output_activation, dtype=workload.dtype)(x)
    return keras.Model(inputs, output)


def _attend(layers: Any, layer: SelfAttention, x: Any, dtype: str) -> Any:
    attention = layers.MultiHeadAttention(layer.heads, x.shape[-1] // layer.heads, dtype=dtype)
    both = layers.Add(dtype=dtype)([x, attention(x, x)])
    return layers.LayerNormalization(epsilon=LAYER_EPSILON, dtype=dtype)(both)


def _make_recurrent(layers: Any, layer: Recurrent, dtype: str) -> Any:
    kinds = {"lstm": "LSTM", "gru": "GRU", "simple_rnn": "SimpleRNN"}
    made = getattr(layers, kinds[layer.kind])(layer.units, return_sequences=layer.sequences, dtype=dtype)
    return layers.Bidirectional(made, dtype=dtype) if layer.both else made


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
        case Recurrent():
            return _make_recurrent(layers, layer, dtype)
        case Embedding(vocabulary, size):
            return layers.Embedding(vocabulary, size, dtype=dtype)
        case MeanOverTime():
            return layers.GlobalAveragePooling1D(dtype=dtype)
        case _:
            raise TypeError(f"no layer of Keras stands for {layer}")
