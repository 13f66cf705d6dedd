"""Taking a sequence through a cell: by one op where there is one, cell by cell through a stack, else step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastgd import ops
from fastgd.layers.recurrent_cell import RecurrentCell, Way
from fastgd.layers.stacked_cells import StackedRNNCells
from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.structure import flatten, pack

# output, new states = step(input, states)
Step = Callable[[Tensor, Sequence[Tensor]], tuple[Tensor, Sequence[Tensor]]]


def run_cell(
    cell: Any,
    x: Tensor,
    initial: Any,
    mask: Tensor | None,
    way: Way,
    training: bool,
    stored: Sequence[Variable] = (),
) -> tuple[Tensor, Any]:
    """Return the output and the final states of a cell over a sequence.

    Args:
        cell: the cell, built.
        x: the sequence (batch, steps, ...).
        initial: the initial states in the structure of the cell's `state_size`; None for zeros.
        mask: which steps count, (batch, steps), or None.
        way: how to go through the sequence.
        training: whether to behave as in training.
        stored: where the states are kept from batch to batch, if they are: then `takes_storage` holds.
    """
    if is_stack(cell):
        return _run_stack(cell, x, initial, mask, way, training, stored)
    if isinstance(cell, RecurrentCell) and cell.has_sequence_op:
        given = None if initial is None else flatten(initial)
        y, *final = cell.run_sequence(x, given, mask, way, training, stored)
        return y, pack(cell.state_size, final)
    states = flatten(initial)
    if initial is None:
        states = [x.builder.constant(0.0, (x.dims[0], size)) for size in flatten(cell.state_size)]
    # First the dropout of the inputs, then that of the states, as where one op does the steps: so seeds mean the same.
    dropped = cell.drop_inputs(x, training) if _drops(cell) else x
    y, final = _unroll(_step_of(cell, x, training), dropped, states, mask, way)
    return y, pack(cell.state_size, final)


def takes_storage(cell: Any) -> bool:
    """Return whether the states of a cell can be kept from batch to batch."""
    if is_stack(cell):
        return all(takes_storage(each) for each in cell.cells)
    return isinstance(cell, RecurrentCell) and cell.has_sequence_op


def is_stack(cell: Any) -> bool:
    """Return whether cells behind one another can be taken through a sequence one after the other."""
    return isinstance(cell, StackedRNNCells) and type(cell).call is StackedRNNCells.call


def _run_stack(
    stack: StackedRNNCells,
    x: Tensor,
    initial: Any,
    mask: Tensor | None,
    way: Way,
    training: bool,
    stored: Sequence[Variable],
) -> tuple[Tensor, Any]:
    """Take the whole sequence through one cell after the other: they skip the same steps."""
    final = []
    left = list(stored)
    for place, cell in enumerate(stack.cells):
        last = place == len(stack.cells) - 1
        # The output of the first cell is in the order in which it was made.
        backwards = way.go_backwards and place == 0
        if mask is not None and way.go_backwards and place == 1:
            mask = ops.flip(mask, axis=1)
        own = Way(way.return_sequences or not last, backwards, way.zero_output_for_mask and last)
        count = len(flatten(cell.state_size)) if stored else 0
        kept, left = left[:count], left[count:]
        x, states = run_cell(cell, x, None if initial is None else initial[place], mask, own, training, kept)
        final.append(states)
    return x, final


def _drops(cell: Any) -> bool:
    return isinstance(cell, RecurrentCell) and type(cell).call is RecurrentCell.call


def _step_of(cell: Any, x: Tensor, training: bool) -> Step:
    """Return the time step of a cell; one of ours has the same dropout in all of them."""
    if _drops(cell):
        factors = cell.draw_factors(x, training)

        def step(inputs: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
            after = cell.step(inputs, states, states[0] if factors is None else states[0] * factors)
            return after[0], after

        return step
    told = {"training": training} if "training" in cell._signature.names else {}
    # A single state comes in a list, too.
    structure = [cell.state_size] if isinstance(cell.state_size, int) else cell.state_size

    def call(inputs: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, Sequence[Tensor]]:
        output, after = cell(inputs, pack(structure, states), **told)
        return output, flatten(after)

    return call


def _unroll(step: Step, x: Tensor, states: Sequence[Tensor], mask: Tensor | None, way: Way) -> tuple[Tensor, Any]:
    """Emit the steps one after the other."""
    places = range(x.dims[1])
    outputs: list[Tensor] = []
    for place in reversed(places) if way.go_backwards else places:
        output, new = step(x[:, place], states)
        if mask is not None:
            repeats = bool(outputs) and not way.zero_output_for_mask
            output = _where(mask, place, output, outputs[-1] if repeats else ops.zeros_like(output))
            new = [_where(mask, place, after, before) for after, before in zip(new, states, strict=True)]
        outputs.append(output)
        states = new
    y: Tensor = ops.stack(outputs, axis=1) if way.return_sequences else outputs[-1]
    return y, states


def _where(mask: Tensor, place: int, new: Tensor, old: Tensor) -> Tensor:
    """Return `new` for the samples whose step at `place` counts, `old` for the others."""
    kept = ops.reshape(mask[:, place], (None, *(1 for _ in new.dims[1:])))
    y: Tensor = ops.where(kept, new, old)
    return y
