"""PyTorch's modules for sequences, and their tensors beside the variables of the workloads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from fastgd.bench.networks import Shape
from fastgd.bench.opponents.base import Array
from fastgd.bench.sequences import BIAS_ROWS, GATES, LAYER_EPSILON, Recurrent, SelfAttention

# The order in which PyTorch keeps the gates of ours; it is its own inverse.
GATE_ORDERS = {"lstm": (0, 1, 2, 3), "gru": (1, 0, 2), "simple_rnn": (0,)}


def make_recurrent(nn: Any, layer: Recurrent, shape: Shape, dtype: Any) -> Any:
    """Return a recurrent module; a second bias that is no other's parameter stays 0 and is not trained."""
    kinds = {"lstm": nn.LSTM, "gru": nn.GRU, "simple_rnn": nn.RNN}
    net = kinds[layer.kind](shape[1], layer.units, batch_first=True, bidirectional=layer.both, dtype=dtype)
    if BIAS_ROWS[layer.kind] == 1:
        for name, parameter in net.named_parameters():
            if name.startswith("bias_hh"):
                parameter.requires_grad_(False)
                parameter.data.zero_()
    return _classes(nn)["recurrent"](net, layer.sequences)


def make_attention(nn: Any, layer: SelfAttention, shape: Shape, dtype: Any) -> Any:
    """Return attention of several heads with the sum and the normalisation behind it."""
    width = shape[1]
    attention = nn.MultiheadAttention(width, layer.heads, batch_first=True, dtype=dtype)
    return _classes(nn)["attention"](attention, nn.LayerNorm(width, LAYER_EPSILON, dtype=dtype))


def make_mean(nn: Any) -> Any:
    """Return the mean over all steps."""
    return _classes(nn)["mean"]()


@cache
def _classes(nn: Any) -> dict[str, Any]:
    """Return the classes of modules, which can be made only where PyTorch is there."""

    class RecurrentModule(nn.Module):  # type: ignore[misc]
        def __init__(self, net: Any, sequences: bool) -> None:
            super().__init__()
            self.net, self.sequences = net, sequences

        def forward(self, x: Any) -> Any:
            y, state = self.net(x)
            if self.sequences:
                return y
            last = state[0] if isinstance(state, tuple) else state
            return last.transpose(0, 1).flatten(1)

    class AttentionModule(nn.Module):  # type: ignore[misc]
        def __init__(self, attention: Any, norm: Any) -> None:
            super().__init__()
            self.attention, self.norm = attention, norm

        def forward(self, x: Any) -> Any:
            return self.norm(x + self.attention(x, x, x, need_weights=False)[0])

    class MeanModule(nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            return x.mean(1)

    return {"recurrent": RecurrentModule, "attention": AttentionModule, "mean": MeanModule}


def recurrent_to_torch(layer: Recurrent, values: Sequence[Array]) -> list[Array]:
    """Return the tensors of a recurrent layer for its variables: rows of gates, in PyTorch's order."""
    found = []
    for first in range(0, len(values), 3):
        kernel, recurrent, bias = values[first : first + 3]
        found += [_turn(layer, kernel).T, _turn(layer, recurrent).T]
        found += [_turn(layer, row) for row in np.atleast_2d(bias)]
    return found


def recurrent_from_torch(layer: Recurrent, tensors: Sequence[Array]) -> list[Array]:
    """Return the variables of a recurrent layer for its tensors."""
    found = []
    rows = BIAS_ROWS[layer.kind]
    for first in range(0, len(tensors), 2 + rows):
        kernel, recurrent, *bias = tensors[first : first + 2 + rows]
        turned = [_turn(layer, row) for row in bias]
        found += [_turn(layer, kernel.T), _turn(layer, recurrent.T), turned[0] if rows == 1 else np.stack(turned)]
    return found


def _turn(layer: Recurrent, value: Array) -> Array:
    """Return a copy with the gates, blocks along the last axis, in the other order."""
    blocks = np.split(value, GATES[layer.kind], axis=-1)
    return np.concatenate([blocks[k] for k in GATE_ORDERS[layer.kind]], axis=-1)


def attention_to_torch(values: Sequence[Array]) -> list[Array]:
    """Return the tensors of attention and normalisation for their variables."""
    width = values[0].shape[0]
    kernels = [value.reshape(width, width).T for value in values[0:6:2]]
    biases = [value.ravel() for value in values[1:6:2]]
    out, out_bias, scale, offset = values[6:]
    return [np.concatenate(kernels), np.concatenate(biases), out.reshape(width, width).T, out_bias, scale, offset]


def attention_from_torch(layer: SelfAttention, tensors: Sequence[Array]) -> list[Array]:
    """Return the variables of attention and normalisation for their tensors."""
    kernel, bias, out, *rest = tensors
    width = out.shape[0]
    heads = (layer.heads, width // layer.heads)
    found = []
    for part, row in zip(np.split(kernel, 3), np.split(bias, 3), strict=True):
        found += [part.T.reshape(width, *heads), row.reshape(heads)]
    return [*found, out.T.reshape(*heads, width), *rest]
