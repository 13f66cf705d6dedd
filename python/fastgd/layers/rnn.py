"""The layer that takes a cell along a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgd.layers.graph import KerasTensor, nodes_before
from fastgd.layers.input_layer import InputLayer
from fastgd.layers.layer import Layer
from fastgd.layers.recurrent_cell import Way
from fastgd.layers.stacked_cells import find_cell
from fastgd.layers.unrolling import run_cell, takes_storage
from fastgd.ops.builder import Tensor, to_dims
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_bool
from fastgd.utils.errors import invalid
from fastgd.utils.registry import to_config
from fastgd.utils.structure import flatten, pack


class RNN(Layer):
    """A cell taken along the steps of a sequence: `output, states = cell(x_t, states)` for each time step t.

    SimpleRNNCell, LSTMCell and GRUCell, alone or stacked, run as one op each over the whole sequence; any other cell is
    written into the plan step by step. Such a cell is a Layer with `call(self, inputs, states)`, which returns the
    output and the new states, and with `state_size`: an integer, or a list of them for several states. Its states begin
    with zeros unless `initial_state` is given.

    A step whose mask is 0 for a sample keeps that sample's states and repeats its last output.

    Args:
        cell: the cell, its config, or a list of cells, which are stacked.
        return_sequences: whether to return the output of each step, in the order in which they are made.
        return_state: whether to return the final states besides.
        go_backwards: whether to begin with the last step.
        stateful: whether each batch begins with the states that the one before left: sample i of one continues sample i
            of the other, in training, evaluation and prediction alike. The size of the batches must be known:
            `Input(batch_shape=(size, ...))`. Only the cells of this library can do that.
        unroll: whether to write the steps out; it changes nothing here.
        zero_output_for_mask: whether the output of a skipped step is 0 instead.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, steps, ...) gives (batch, output size), or (batch, steps, output size) with `return_sequences`; with
        `return_state` a tuple of that and the states, each (batch, size).

    Attributes:
        states: the variables that hold the states of a stateful layer, None before its first call.

    Raises:
        TypeError: if `cell` is no cell.
        ValueError: when called, if the input has no steps, or the size of the batches of a stateful layer is not known.

    Example:
        >>> fastgd.layers.RNN(fastgd.layers.GRUCell(16), return_sequences=True)
    """

    supports_masking = True

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cell = find_cell("cell", cell)
        self.return_sequences = check_bool("return_sequences", return_sequences)
        self.return_state = check_bool("return_state", return_state)
        self.go_backwards = check_bool("go_backwards", go_backwards)
        self.stateful = check_bool("stateful", stateful)
        self.unroll = check_bool("unroll", unroll)
        self.zero_output_for_mask = check_bool("zero_output_for_mask", zero_output_for_mask)
        if self.stateful and not takes_storage(self.cell):
            raise invalid(
                "`stateful` needs SimpleRNNCell, LSTMCell or GRUCell with functions that one op takes along.",
                cell=self.cell,
            )
        sizes = self.cell.state_size
        self.state_size: list[Any] = [sizes] if isinstance(sizes, int) else list(sizes)
        self.states: list[Any] | None = None
        self._batch: int | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layer; `initial_state` may be given besides the sequence, and a mask."""
        if self.stateful:
            self.expect_batch(batch_size_of([*args, kwargs.get("sequences")][0]))
        return super().__call__(*args, **kwargs)

    def expect_batch(self, size: int | None) -> None:
        """Note the size of the batches of a stateful layer, None where it is not known."""
        self._batch = size or self._batch

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build the cell for one step of the sequence."""
        if isinstance(sequences_shape, list) or len(sequences_shape) < 3 or not sequences_shape[1]:
            text = f"The layer {self.name!r} needs one input of shape (batch, steps, ...) with at least one step."
            raise invalid(text, sequences_shape=sequences_shape)
        self.cell.ensure_built(to_dims((sequences_shape[0], *sequences_shape[2:])), self.dtype)

    def call(self, sequences: Tensor, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """Emit the cell along the sequence.

        Args:
            sequences: x (batch, steps, ...).
            initial_state: the states to begin with, in a list; None for zeros, or for those of a stateful layer.
            mask: (batch, steps), 0 where a step is to be skipped; that of the input if None.
            training: whether to behave as in training.

        Returns:
            The output, and the states behind it with `return_state`.
        """
        stored = self._stored(sequences.builder.dtype) if self.stateful else []
        given = None
        if initial_state is not None:
            given = pack(self.cell.state_size, self._check_states(initial_state))
        way = Way(self.return_sequences, self.go_backwards, self.zero_output_for_mask)
        masks = [each for each in flatten(mask) if each is not None]
        y, states = run_cell(self.cell, sequences, given, masks[0] if masks else None, way, training, stored)
        if not self.return_state:
            return y
        return (y, *(states if isinstance(states, (list, tuple)) else [states]))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the input for the output of each step, and none for anything else."""
        mask = flatten(previous_mask)[0] if self.return_sequences else None
        return [mask, *(None for _ in flatten(self.state_size))] if self.return_state else mask

    def reset_state(self) -> None:
        """Set the states of a stateful layer to zero."""
        for variable in self._state_variables():
            variable.assign(np.zeros(variable.shape))

    def reset_states(self) -> None:
        """Do what `reset_state` does."""
        self.reset_state()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {
            **super().get_config(),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask,
            "cell": to_config(self.cell),
        }

    def _state_variables(self) -> list[Variable]:
        return [] if self.states is None else flatten(self.states)

    def _check_states(self, initial_state: Any) -> list[Tensor]:
        """Return the initial states, of which there must be as many as the cell has."""
        states: list[Tensor] = flatten(initial_state)
        count = len(flatten(self.state_size))
        if len(states) != count:
            raise invalid(f"`initial_state` of {self.name!r} must hold {count} states.", initial_state=states)
        return states

    def _stored(self, dtype: str) -> Sequence[Variable]:
        """Return the variables of the states, which are made for the size of the first batch."""
        if self.states is None:
            if self._batch is None:
                raise invalid(
                    f"The size of the batches of the stateful layer {self.name!r} must be known: begin with "
                    "Input(batch_shape=(size, ...)).",
                    batch_size=None,
                )
            sizes = flatten(self.state_size)
            made = [Variable(np.zeros((self._batch, size)), "rnn_state", dtype, trainable=False) for size in sizes]
            for variable in made:
                variable.path = f"{self.name}/rnn_state"
            self.states = pack(self.state_size, made)
        return self._state_variables()


def batch_size_of(x: Any) -> int | None:
    """Return how many samples an array has, or the batches that `Input` was told for a placeholder; else None."""
    if not isinstance(x, KerasTensor):
        return len(x) if isinstance(x, np.ndarray) and x.ndim else None
    entrances = [node.layer for node in nodes_before([x]) if isinstance(node.layer, InputLayer)]
    sizes = {layer.batch_size for layer in entrances} - {None}
    return sizes.pop() if len(sizes) == 1 else None
