"""PyTorch's recurrent modules: a layer for each of theirs and, where they go both ways, a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastgd import layers
from fastgd.interop.torch.refusals import refuse_option
from fastgd.interop.values import Value, plain

if TYPE_CHECKING:
    from fastgd.interop.torch.conversion import Converter

# Our layers, and the places of their gates in PyTorch's blocks.
KINDS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "RNN": (layers.SimpleRNN, ()),
    "LSTM": (layers.LSTM, ()),
    "GRU": (layers.GRU, (1, 0, 2)),
}


def recurrent(convert: Converter, module: Any, name: str, value: Value, hx: Any = None) -> Any:
    """Return the outputs of all steps and the last states, these as a tuple with one for each layer and direction.

    Raises:
        ValueError: for initial states, projections, time before samples, and a module that is called twice.
    """
    kind = type(module).__name__
    wrong = (
        ("hx", hx is not None, hx),
        ("batch_first", not module.batch_first, False),
        ("proj_size", bool(module.proj_size), module.proj_size),
        ("calls", convert.is_shared(module), "more than one"),
    )
    for option, is_wrong, given in wrong:
        if is_wrong:
            raise refuse_option(name, option, given)
    value = plain(value)
    x, directions = value.tensor, 2 if module.bidirectional else 1
    states: list[list[Value]] = [[] for _ in range(2 if kind == "LSTM" else 1)]
    for number in range(module.num_layers):
        layer = _layer(convert, module, kind, f"{name}_l{number}")
        y, *found = layer(x)
        pair = [layer.forward_layer, layer.backward_layer] if module.bidirectional else [layer]
        for each, suffix in zip(pair, ("", "_reverse"), strict=False):
            _link(convert, module, each.cell, f"_l{number}{suffix}", KINDS[kind][1])
        # Forwards h and c, then backwards.
        for k, state in enumerate(found):
            states[k % len(states)].append(Value(state, (module.hidden_size,)))
        x = layers.Dropout(module.dropout)(y) if module.dropout and number + 1 < module.num_layers else y
    outputs = Value(x, (value.shape[0], directions * module.hidden_size))
    return outputs, tuple(map(tuple, states)) if kind == "LSTM" else tuple(states[0])


def _layer(convert: Converter, module: Any, kind: str, name: str) -> Any:
    make = KINDS[kind][0]
    more = {"activation": module.nonlinearity} if kind == "RNN" else {}
    layer = make(
        module.hidden_size, use_bias=bool(module.bias), return_sequences=True, return_state=True, dtype=convert.dtype,
        name=name, **more,
    )  # fmt: skip
    return layers.Bidirectional(layer, name=f"{name}_both", dtype=convert.dtype) if module.bidirectional else layer


def _link(convert: Converter, module: Any, cell: Any, suffix: str, blocks: tuple[int, ...]) -> None:
    """Link the weights of one direction of one layer; a layer without GRU's two biases has their sum."""
    for variable, key in ((cell.kernel, "weight_ih"), (cell.recurrent_kernel, "weight_hh")):
        tensor = getattr(module, key + suffix)
        convert.link(variable, tensor, tuple(tensor.shape), (1, 0), blocks)
    if not module.bias:
        return
    first, second = getattr(module, f"bias_ih{suffix}"), getattr(module, f"bias_hh{suffix}")
    if blocks:
        convert.link(cell.bias, first, blocks=blocks, part=0)
        convert.link(cell.bias, second, blocks=blocks, part=1)
    else:
        convert.link(cell.bias, first, addend=second)
