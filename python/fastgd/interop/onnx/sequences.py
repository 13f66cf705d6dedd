"""Recurrent steps, attention and tables of the plan in ONNX."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fastgd.interop.onnx.functions import ACTIVATIONS
from fastgd.interop.onnx.graph import Array, GraphWriter, exports, flag, number
from fastgd.plan import BATCH, Attribute, Step

# The functions that ONNX' recurrent operators know, with their numbers.
KNOWN: dict[str, tuple[str, float, float]] = {
    "sigmoid": ("Sigmoid", 0.0, 0.0),
    "tanh": ("Tanh", 0.0, 0.0),
    "relu": ("Relu", 0.0, 0.0),
    "hard_sigmoid": ("HardSigmoid", 1 / 6, 0.5),
    "linear": ("Affine", 1.0, 0.0),
}
# The operator, and where each of its gates stands among ours.
OPERATORS = {"simple_rnn": ("RNN", (0,)), "lstm": ("LSTM", (0, 3, 1, 2)), "gru": ("GRU", (0, 1, 2))}
# Less than any score, and finite: of nothing but such a softmax is no number.
NOTHING = -1e30


@exports("simple_rnn", "lstm", "gru")
def recurrent(g: GraphWriter, step: Step) -> None:
    """One node where there is no mask and its functions are known; else the formulas of every time step.

    Raises:
        ValueError: for a layer that keeps its states from batch to batch.
    """
    if flag(step.attrs, "stateful"):
        raise ValueError("ONNX has no counterpart of `stateful` recurrent layers. Received: stateful=True")
    functions = [str(step.attrs.get("activation", "tanh"))]
    if step.op != "simple_rnn":
        functions.insert(0, str(step.attrs.get("recurrent_activation", "sigmoid")))
    plain = not flag(step.attrs, "masked") and not flag(step.attrs, "recurrent_dropout")
    if plain and all(function in KNOWN for function in functions):
        _as_node(g, step, functions)
    else:
        _unrolled(g, step, functions)


def _inputs(g: GraphWriter, step: Step) -> dict[str, str]:
    """Return the inputs by what they are; x has its steps in the order in which they are taken."""
    names = iter(step.inputs)
    found = {"x": g.get(next(names))}
    if flag(step.attrs, "initial_state"):
        found["h"] = g.get(next(names))
        if step.op == "lstm":
            found["c"] = g.get(next(names))
    for key, letter in (("recurrent_dropout", "k"), ("masked", "m")):
        if flag(step.attrs, key):
            found[letter] = g.get(next(names))
    if flag(step.attrs, "go_backwards"):
        back = [g.integers([v]) for v in (-1, -(2**31 - 1), 1, -1)]
        for letter in ("x", "m"):
            if letter in found:
                found[letter] = g.node("Slice", [found[letter], *back])
    return found


def _biases(g: GraphWriter, step: Step, width: int) -> Array:
    """Return the biases beside the kernel and beside the recurrent kernel, as two rows."""
    given = g.param(step.params[2]) if flag(step.attrs, "use_bias", True) else np.zeros(width)
    return given if given.ndim == 2 else np.stack([given, np.zeros(width)])


def _as_node(g: GraphWriter, step: Step, functions: list[str]) -> None:
    kernel, recurrent_kernel = (g.param(name) for name in step.params[:2])
    kind, order = OPERATORS[step.op]
    units = recurrent_kernel.shape[0]
    columns = np.concatenate([np.arange(units) + units * gate for gate in order])
    biases = _biases(g, step, kernel.shape[1])[:, columns].reshape(1, -1)
    found = _inputs(g, step)
    given = [
        g.node("Transpose", [found["x"]], perm=[1, 0, 2]),
        g.constant(kernel[:, columns].T[None]),
        g.constant(recurrent_kernel[:, columns].T[None]),
        g.constant(biases),
        "",
    ]
    if "h" in found:
        given += [g.node("Unsqueeze", [found[key], g.integers([0])]) for key in ("h", "c") if key in found]
    names = [*functions, *functions[1:]] if step.op == "lstm" else functions
    attributes: dict[str, object] = {"activations": [KNOWN[name][0] for name in names]}
    if any(KNOWN[name][1] for name in names):
        attributes["activation_alpha"] = [KNOWN[name][1] for name in names if KNOWN[name][1]]
        attributes["activation_beta"] = [KNOWN[name][2] for name in names if KNOWN[name][1]]
    if step.op == "gru":
        attributes["linear_before_reset"] = int(flag(step.attrs, "reset_after", True))
    given = given if "h" in found else given[:-1]
    outputs = g.nodes_of(kind, given, len(step.outputs), hidden_size=units, **attributes)
    states = [g.node("Squeeze", [value, g.integers([0])]) for value in outputs[1:]]
    if flag(step.attrs, "return_sequences"):
        y = g.node("Transpose", [g.node("Squeeze", [outputs[0], g.integers([1])])], perm=[1, 0, 2])
    else:
        y = states[0]
    for name, value in zip(step.outputs, [y, *states], strict=True):
        g.set(name, value)


def _unrolled(g: GraphWriter, step: Step, functions: list[str]) -> None:
    """Write out the steps; a masked one leaves the states, and repeats the output of the one before or gives 0."""
    kernel, recurrent_kernel = (g.param(name) for name in step.params[:2])
    units, steps = recurrent_kernel.shape[0], g.dims[step.inputs[0]][1]
    biases = _biases(g, step, kernel.shape[1])
    found = _inputs(g, step)
    zeros = g.node("Expand", [g.constant(np.zeros((1, units))), g.shape((BATCH, units))])
    h, c = found.get("h", zeros), found.get("c", zeros)
    sums = g.add(g.node("MatMul", [found["x"], g.constant(kernel)]), g.constant(biases[0]))
    output, outputs = zeros, []
    for t in range(steps):
        part = g.node("Gather", [sums, g.constant(t, np.int64)], axis=1)
        before = g.multiply(h, found["k"]) if "k" in found else h
        new_h, new_c = _step(g, step, part, before, h, c, recurrent_kernel, biases[1], functions)
        if "m" in found:
            column = g.node("Gather", [found["m"], g.integers([t])], axis=1)
            seen = g.cast(column, np.bool_)
            skipped = zeros if flag(step.attrs, "zero_output_for_mask") else output
            output = g.where(seen, new_h, skipped)
            h, c = g.where(seen, new_h, h), g.where(seen, new_c, c)
        else:
            output = h = new_h
            c = new_c
        outputs.append(g.node("Unsqueeze", [output, g.integers([1])]))
    y = g.node("Concat", outputs, axis=1) if flag(step.attrs, "return_sequences") else output
    for name, value in zip(step.outputs, [y, h, c], strict=False):
        g.set(name, value)


def _step(
    g: GraphWriter,
    step: Step,
    part: str,
    before: str,
    h: str,
    c: str,
    kernel: Array,
    bias: Array,
    functions: list[str],
) -> tuple[str, str]:
    """Return the states after one time step, of which `part` is the sum over the inputs with its bias."""
    units = kernel.shape[0]

    def call(name: str, x: str) -> str:
        return ACTIVATIONS[name](g, x, {})

    def product(state: str, low: int, high: int) -> str:
        columns = slice(low * units, high * units)
        z = g.node("MatMul", [state, g.constant(kernel[:, columns])])
        return g.add(z, g.constant(bias[columns])) if bias[columns].any() else z

    def gate(x: str, k: int) -> str:
        return g.node("Slice", [x, g.integers([k * units]), g.integers([(k + 1) * units]), g.integers([1])])

    if step.op == "simple_rnn":
        return call(functions[0], g.add(part, product(before, 0, 1))), c
    inner, outer = functions
    if step.op == "lstm":
        z = g.add(part, product(before, 0, 4))
        kept = g.multiply(call(inner, gate(z, 1)), c)
        state = g.add(kept, g.multiply(call(inner, gate(z, 0)), call(outer, gate(z, 2))))
        return g.multiply(call(inner, gate(z, 3)), call(outer, state)), state
    update, reset = (call(inner, g.add(gate(part, k), product(before, k, k + 1))) for k in (0, 1))
    if flag(step.attrs, "reset_after", True):
        recurrent_part = g.multiply(reset, product(before, 2, 3))
    else:
        recurrent_part = product(g.multiply(reset, before), 2, 3)
    new = call(outer, g.add(gate(part, 2), recurrent_part))
    rest = g.node("Sub", [g.constant(1.0), update])
    return g.add(g.multiply(update, h), g.multiply(rest, new)), c


@exports("embedding")
def embedding(g: GraphWriter, step: Step) -> None:
    """The rows of a table."""
    table = g.constant(g.param(step.params[0]))
    g.set(step.outputs[0], g.node("Gather", [table, g.get(step.inputs[0])], axis=0))


def _heads(g: GraphWriter, name: str, count: int) -> str:
    """Return a tensor (n, t, count d) as (n, count, t, d)."""
    n, t, width = g.dims[name]
    split = g.reshape(g.get(name), (n, t, count, width // count))
    return g.node("Transpose", [split], perm=[0, 2, 1, 3])


def _count(attrs: Mapping[str, Attribute], key: str, default: int) -> int:
    return int(number(attrs, key, default))


@exports("attention")
def attention(g: GraphWriter, step: Step) -> None:
    """Products with the queries, a softmax over the keys that are seen, and the means of the values by it."""
    q, k, v, *mask = step.inputs
    heads = _count(step.attrs, "heads", 1)
    groups = _count(step.attrs, "key_value_heads", heads)
    (n, queries, _), keys = g.dims[q], g.dims[k][1]
    shared = []
    for name in (k, v):
        value = _heads(g, name, groups)
        if groups != heads:
            width = g.dims[name][2] // groups
            value = g.reshape(value, (n, groups, 1, keys, width))
            value = g.node("Expand", [value, g.integers([1, 1, heads // groups, 1, 1])])
            value = g.reshape(value, (n, heads, keys, width))
        shared.append(value)
    scores = g.node("MatMul", [_heads(g, q, heads), g.node("Transpose", [shared[0]], perm=[0, 1, 3, 2])])
    scores = g.multiply(scores, g.constant(number(step.attrs, "scale", 1.0)))
    seen = g.cast(g.get(mask[0]), np.bool_) if mask else None
    if flag(step.attrs, "causal"):
        earlier = g.constant(np.tri(queries, keys), np.bool_)
        seen = earlier if seen is None else g.node("And", [seen, earlier])
    if seen is None:
        p = g.node("Softmax", [scores], axis=3)
    else:
        # A query that sees nothing gets nothing.
        p = g.node("Softmax", [g.where(seen, scores, g.constant(NOTHING))], axis=3)
        p = g.where(seen, p, g.constant(0.0))
    y = g.node("Transpose", [g.node("MatMul", [p, shared[1]])], perm=[0, 2, 1, 3])
    g.set(step.outputs[0], g.reshape(y, g.dims[step.outputs[0]]))
    if len(step.outputs) > 1:
        g.set(step.outputs[1], p)
