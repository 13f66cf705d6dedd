"""ONNX' recurrent operators as layers: their tensors have the time before the samples, ours behind."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd import layers
from fastgd.interop.onnx.reading import GraphReader, Node, imports
from fastgd.interop.onnx.sequences import KNOWN, OPERATORS
from fastgd.interop.values import SAME, Value

# The orders of axes besides those of images, of placeholders (batch, steps, features) or (batch, features):
# (steps, batch, features), (steps, 1, batch, features) and (1, batch, features).
TIME, STEPS, STATE = "time", "steps", "state"

FUNCTIONS = {kind: name for name, (kind, _, _) in KNOWN.items() if name not in ("linear", "hard_sigmoid")}
LAYERS: dict[str, tuple[str, Any]] = {
    "RNN": ("simple_rnn", layers.SimpleRNN),
    "LSTM": ("lstm", layers.LSTM),
    "GRU": ("gru", layers.GRU),
}
# How each of the axes is turned: what a transposition, and what taking out or putting in an axis of size 1 makes of it.
TURNED = {SAME: TIME, TIME: SAME}
WITHOUT = {(STEPS, 1): TIME, (STATE, 0): SAME}


def turned(value: Value, order: tuple[int, ...]) -> Value | None:
    """Return what exchanging samples and time makes of a value, None for any other transposition."""
    if order != (1, 0, 2) or len(value.shape) != 2 or value.order not in TURNED:
        return None
    return Value(value.tensor, value.shape, TURNED[value.order])


def without_axis(value: Value, axes: list[int] | None) -> Value | None:
    """Return what taking out the axis of the directions makes of a value, None if it has no such axis."""
    if axes is None or len(axes) != 1 or (value.order, axes[0]) not in WITHOUT:
        return None
    return Value(value.tensor, value.shape, WITHOUT[value.order, axes[0]])


def with_axis(value: Value, axes: list[int]) -> Value | None:
    """Return states with an axis of directions before the samples, None for what is no state."""
    if axes != [0] or value.order != SAME or len(value.shape) != 1:
        return None
    return Value(value.tensor, value.shape, STATE)


@imports("RNN", "LSTM", "GRU")
def recurrent(reader: GraphReader, node: Node) -> Any:
    """A layer that returns all steps and its states."""
    op, make = LAYERS[node.kind]
    value, lengths = reader.get(node.inputs[0]), node.inputs[4] if len(node.inputs) > 4 else ""
    if value.order != TIME or node.attrs.get("layout", 0):
        raise node.refuse("X", "that is no (batch, steps, features) transposed")
    for key, harmless in (("direction", "forward"), ("clip", None), ("input_forget", 0)):
        if key in node.attrs and node.text(key, "") not in (harmless, str(harmless)):
            raise node.refuse(key, node.attrs[key])
    if lengths:
        raise node.refuse("sequence_lens", lengths)
    kernel, recurrent_kernel = (reader.constant(node, place, "W and R") for place in (1, 2))
    assert kernel is not None
    assert recurrent_kernel is not None
    units = recurrent_kernel.shape[2]
    gates = OPERATORS[op][1]
    # Block k of ours is that block of theirs which stands for the same gate.
    columns = np.concatenate([np.arange(units) + units * gates.index(k) for k in range(len(gates))])
    given = reader.constant(node, 3, "B")
    biases = np.zeros((2, columns.size)) if given is None else given.reshape(2, -1)[:, columns]
    reset_after = bool(node.attrs.get("linear_before_reset", 0))
    layer = make(
        units, use_bias=given is not None, return_sequences=True, return_state=True, name=reader.name_of(node),
        **_activations(node), **({"reset_after": reset_after} if op == "gru" else {}),
    )  # fmt: skip
    states = _states(reader, node)
    y, *last = layer(value.tensor, initial_state=states) if states else layer(value.tensor)
    layer.cell.kernel.assign(kernel[0].T[:, columns])
    layer.cell.recurrent_kernel.assign(recurrent_kernel[0].T[:, columns])
    if given is not None:
        layer.cell.bias.assign(biases if op == "gru" and reset_after else biases.sum(0))
    found = [Value(y, (value.shape[0], units), STEPS), *(Value(state, (units,), STATE) for state in last)]
    reader.values.update(zip(node.outputs[1:], found[1:], strict=False))
    return found[0]


def _activations(node: Node) -> dict[str, str]:
    """Return the functions of a layer."""
    names = [name.decode() if isinstance(name, bytes) else str(name) for name in node.attrs.get("activations", [])]
    if not names:
        return {}
    if any(name not in FUNCTIONS for name in names) or (node.kind == "LSTM" and names[1] != names[2]):
        raise node.refuse("activations", names)
    if node.kind == "RNN":
        return {"activation": FUNCTIONS[names[0]]}
    return {"recurrent_activation": FUNCTIONS[names[0]], "activation": FUNCTIONS[names[1]]}


def _states(reader: GraphReader, node: Node) -> list[Any]:
    """Return the initial states, nothing where they are 0."""
    given = [reader.get(name) for name in node.inputs[5:7] if name]
    if all(not isinstance(state, Value) and not np.any(state) for state in given):
        return []
    if not all(isinstance(state, Value) and state.order == STATE for state in given):
        raise node.refuse("initial_h", "that is neither 0 nor a state per sample")
    return [state.tensor for state in given]
