"""The table of `Model.summary`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO

from fastgd.layers.layer import Layer
from fastgd.models.model import Model
from fastgd.plan import ITEM_SIZES


def show_summary(
    model: Model,
    line_length: int | None,
    print_fn: Callable[[str], object] | None,
    expand_nested: bool,
    show_trainable: bool,
) -> None:
    """Print the table, or give its text to `print_fn`; the arguments are those of `Model.summary`."""

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_lines=True)
    table.add_column("Layer (type)", overflow="fold")
    table.add_column("Output Shape")
    table.add_column("Param #", justify="right")
    if show_trainable:
        table.add_column("Trainable")
    for layer, depth in _rows(model, expand_nested):
        cells = ["  " * depth + f"{layer.name} ({type(layer).__name__})", _shape(layer), _count(layer)]
        if show_trainable:
            cells.append("-" if not layer.weights else "Y" if layer.trainable else "N")
        # As text, because rich would take brackets in a cell for markup.
        table.add_row(*map(Text, cells))
    trainable = sum(variable.size for variable in model.trainable_weights) if model.built else 0
    total = model.count_params() if model.built else 0
    # Without a terminal rich would assume 80 columns, which is fine; a string gets as much as a table wants.
    buffer = StringIO()
    console = Console(file=None if print_fn is None else buffer, width=line_length, highlight=False)
    console.print(Text(f'Model: "{model.name}"', style="bold"))
    console.print(table)
    for name, count in (("Total", total), ("Trainable", trainable), ("Non-trainable", total - trainable)):
        console.print(f" {name} params: {count:,} ({_size(count * ITEM_SIZES[model.dtype])})")
    if print_fn is not None:
        print_fn(buffer.getvalue())


def _rows(model: Model, expand_nested: bool, depth: int = 0) -> Iterator[tuple[Layer, int]]:
    for layer in model.layers:
        yield layer, depth
        if expand_nested and isinstance(layer, Model):
            yield from _rows(layer, expand_nested, depth + 1)


def _shape(layer: Layer) -> str:
    shapes = layer.output_shapes
    if not shapes:
        return "multiple" if layer.built else "?"
    return ", ".join(map(str, shapes))


def _count(layer: Layer) -> str:
    return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1024:
            return f"{count:.2f} {unit}"
        count /= 1024
    return f"{count:.2f} GB"
