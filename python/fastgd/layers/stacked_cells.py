"""Several cells behind one another as one cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastgd.layers.layer import Layer, registry
from fastgd.ops.builder import Tensor, to_dims
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.registry import to_config


class StackedRNNCells(Layer):
    """Cells behind one another: the output of each is the input of the next; the states are a list with those of each.

    Args:
        cells: the cells, or their configs.
        **kwargs: those of `Layer`.

    Attributes:
        state_size: a list with the `state_size` of each cell.
        output_size: the size of the output of the last cell.

    Raises:
        TypeError: if something has no `call` or no `state_size`.
        ValueError: if there is no cell.

    Example:
        >>> cells = [fastgd.layers.LSTMCell(32), fastgd.layers.GRUCell(16)]
        >>> fastgd.layers.RNN(fastgd.layers.StackedRNNCells(cells), return_sequences=True)
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(cells, (str, Mapping)) or not isinstance(cells, Sequence):
            raise mistyped("`cells` must be a list of cells.", cells=cells)
        if not cells:
            raise invalid("`cells` must hold a cell.", cells=cells)
        self.cells = [find_cell("cells", cell) for cell in cells]
        self.state_size = [cell.state_size for cell in self.cells]
        self.output_size = output_size(self.cells[-1])

    def build(self, input_shape: Any, states_shape: Any = None) -> None:
        """Build the cells."""
        shape = input_shape
        for cell in self.cells:
            cell.ensure_built(to_dims(shape), self.dtype)
            shape = (shape[0], output_size(cell))

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, list[Any]]:
        """Emit one time step of every cell.

        Args:
            inputs: x (batch, features).
            states: the states of each cell.
            training: whether to behave as in training.

        Returns:
            The output of the last cell, and the new states of each.
        """
        new = []
        for cell, before in zip(self.cells, states, strict=True):
            listed = isinstance(before, (list, tuple))
            inputs, after = cell(inputs, before if listed else [before], training=training)
            new.append(after[0] if isinstance(after, (list, tuple)) and not listed else after)
        return inputs, new

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "cells": [to_config(cell) for cell in self.cells]}


def find_cell(argument: str, cell: Any) -> Any:
    """Return a cell as it is, the cell of a config, or a list of cells as one.

    Args:
        argument: the name of the argument that it is.
        cell: the cell.

    Raises:
        TypeError: if it is no layer, or has no `state_size` of integers.
        ValueError: if it wants to begin with other states than 0.
    """
    if isinstance(cell, (list, tuple)):
        return StackedRNNCells(cell)
    if isinstance(cell, Mapping):
        cell = registry.from_config(cell)
    sizes = getattr(cell, "state_size", None)
    if not isinstance(cell, Layer) or not isinstance(sizes, (int, list, tuple)):
        text = f"`{argument}` must be a Layer with `call(inputs, states)` and `state_size`, an integer or a list."
        raise mistyped(text, **{argument: cell})
    if hasattr(cell, "get_initial_state"):
        raise invalid(
            f"`{argument}` begins with zeros; instead of get_initial_state, give the layer an `initial_state`.",
            **{argument: cell},
        )
    return cell


def output_size(cell: Any) -> int:
    """Return the size of the output of a cell, which is that of its first state if it does not say."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size[0] if isinstance(cell.state_size, (list, tuple)) else cell.state_size
    return int(size)
