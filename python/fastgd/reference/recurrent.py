"""The recurrent ops `simple_rnn`, `lstm` and `gru`: a cell of `recurrent_cells` taken along the time steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fastgd.reference.recurrent_cells import CELLS, Cell
from fastgd.reference.registry import (
    Array,
    Attrs,
    Backward,
    Context,
    Forward,
    Gradients,
    MaybeArrays,
    backward,
    forward,
)


@dataclass(frozen=True, slots=True)
class Operands:
    """The inputs and parameters of a step by their meaning.

    Attributes:
        x: (n, t, i).
        given: the initial states among the inputs, empty without them.
        factors: what h is multiplied by before the recurrent product, or None.
        kept: (n, t), which steps are not skipped, or None.
        weights: kernel, recurrent kernel and perhaps bias.
        stored: the states that are kept from batch to batch, empty without them.
    """

    x: Array
    given: Sequence[Array]
    factors: Array | None
    kept: Array | None
    weights: Sequence[Array]
    stored: Sequence[Array]


def _find_operands(inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs, states: int) -> Operands:
    """Tell the operands apart, which depend on the attributes.

    Raises:
        ValueError: if there are too few or too many.
    """
    rest, weights = list(inputs), 2 + bool(attrs.get("use_bias", True))
    wanted = [1, states * bool(attrs.get("initial_state")), bool(attrs.get("recurrent_dropout"))]
    wanted.append(bool(attrs.get("masked")))
    stored = states * bool(attrs.get("stateful"))
    if len(inputs) != sum(wanted) or len(params) != weights + stored:
        raise ValueError(
            f"takes {sum(wanted)} inputs and {weights + stored} parameters. Received: {len(inputs)} and {len(params)}"
        )
    x, given, factors, kept = ([rest.pop(0) for _ in range(count)] for count in wanted)
    mask = kept[0] != 0 if kept else None
    return Operands(x[0], given, factors[0] if factors else None, mask, params[:weights], params[weights:])


def _check(cell: Cell, seen: Operands) -> None:
    """Raise a ValueError unless all shapes fit."""
    x, w = seen.x, seen.weights
    if x.ndim != 3 or x.shape[1] < 1:
        raise ValueError(f"x must have the shape (n, t, i) with a t of at least 1. Received: {x.shape}")
    n, t, i = x.shape
    u, g = cell.units, cell.gates
    pairs: list[tuple[str, Array | None, tuple[int, ...]]] = [
        ("the kernel", w[0], (i, g * u)),
        ("the recurrent kernel", w[1], (u, g * u)),
        ("the bias", cell.bias, cell.expected_bias()),
        ("the factors of recurrent dropout", seen.factors, (n, u)),
        ("the mask", seen.kept, (n, t)),
        *(("each state", state, (n, u)) for state in (*seen.given, *seen.stored)),
    ]
    for what, array, expected in pairs:
        if array is not None and array.shape != expected:
            raise ValueError(f"{what} must have the shape {expected}. Received: {array.shape}")


def _order(t: int, attrs: Attrs) -> range:
    """Return the time steps in the order of processing."""
    return range(t - 1, -1, -1) if attrs.get("go_backwards") else range(t)


def _select(kept: Array | None, time: int, new: Array, old: Array) -> Array:
    """Return `new` in the rows that are not skipped at a time step, `old` in the others."""
    return new if kept is None else np.where(kept[:, time, None], new, old)


def _forward(op: str) -> Forward:
    def run(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
        """The states h (and c) of each step follow from its input and the states before; y is h in order.

        A skipped step keeps the states and repeats the y before, which is 0 before the first, or gives 0 with
        `zero_output_for_mask`.
        """
        kind = CELLS[op]
        seen = _find_operands(inputs, params, attrs, kind.states)
        cell = kind(attrs, seen.weights)
        _check(cell, seen)
        n, t, _ = seen.x.shape
        states = list(seen.given or seen.stored) or [np.zeros((n, cell.units), ctx.dtype) for _ in range(kind.states)]
        projected = cell.project(seen.x)
        nothing = y = np.zeros((n, cell.units), ctx.dtype)
        ys, before, memories = [], [], []
        for time in _order(t, attrs):
            h = states[0] if seen.factors is None else states[0] * seen.factors
            new, memory = cell.step(projected[:, time], h, states)
            y = _select(seen.kept, time, new[0], nothing if attrs.get("zero_output_for_mask") else y)
            ys.append(y)
            before.append(np.stack(states))
            memories.append(np.stack(memory))
            states = [_select(seen.kept, time, after, old) for after, old in zip(new, states, strict=True)]
        ctx.saved["states"], ctx.saved["memories"] = np.stack(before), np.stack(memories)
        if ctx.keeps_states:
            for stored, state in zip(seen.stored, states, strict=False):
                stored[...] = state
        return (np.stack(ys, axis=1) if attrs.get("return_sequences") else y, *(state.copy() for state in states))

    return run


def _backward(op: str) -> Backward:
    def run(
        ctx: Context,
        inputs: Sequence[Array],
        params: Sequence[Array],
        outputs: Sequence[Array],
        d_outputs: MaybeArrays,
        attrs: Attrs,
    ) -> Gradients:
        """Backpropagation through time: from the last step to the first, the states hand their gradients back."""
        kind = CELLS[op]
        seen = _find_operands(inputs, params, attrs, kind.states)
        cell = kind(attrs, seen.weights)
        n, t, _ = seen.x.shape
        dy = d_outputs[0]
        none = np.zeros((n, cell.units), ctx.dtype)
        # The plan may leave out the last outputs of a step.
        given = [*d_outputs[1:], *[None] * kind.states][: kind.states]
        d_states = [none if d is None else d for d in given]
        # What skipped steps have repeated.
        owed = none if dy is None or attrs.get("return_sequences") else dy
        da = np.zeros((n, t, kind.gates * cell.units), ctx.dtype)
        for place, time in reversed(list(enumerate(_order(t, attrs)))):
            if dy is not None and attrs.get("return_sequences"):
                owed = owed + dy[:, place]
            d_new = [_select(seen.kept, time, d, none) for d in (d_states[0] + owed, *d_states[1:])]
            states, memory = ctx.saved["states"][place], ctx.saved["memories"][place]
            h = states[0] if seen.factors is None else states[0] * seen.factors
            da[:, time], dh, d_old = cell.back(d_new, h, states, memory)
            d_old[0] = d_old[0] + (dh if seen.factors is None else dh * seen.factors)
            d_states = [_select(seen.kept, time, d, d + later) for d, later in zip(d_old, d_states, strict=True)]
            owed = none if attrs.get("zero_output_for_mask") else _select(seen.kept, time, none, owed)
        dx = cell.unproject(seen.x, da)
        others = len(inputs) - 1 - len(seen.given)
        d_given = d_states if seen.given else []
        return (dx, *d_given, *[None] * others), (*cell.dw, *[None] * len(seen.stored))

    return run


def _with_gradient(states: int) -> Callable[[Attrs], int]:
    """Return the count of inputs before factors and mask, which are constants."""
    return lambda attrs: 1 + states * bool(attrs.get("initial_state"))


for _op, _cell in CELLS.items():
    forward(_op)(_forward(_op))
    backward(_op, _with_gradient(_cell.states))(_backward(_op))
