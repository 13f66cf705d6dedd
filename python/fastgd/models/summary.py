"""The table of `Model.summary`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import StringIO

from fastgd.layers.layer import Layer
from fastgd.models.costs import Cost, cost_below, costs_by_scope
from fastgd.models.model import Model
from fastgd.plan import ITEM_SIZES


def show_summary(
    model: Model,
    line_length: int | None,
    print_fn: Callable[[str], object] | None,
    expand_nested: bool,
    show_trainable: bool,
    batch_size: int | None,
) -> None:
    """Print the table, or give its text to `print_fn`; the arguments are those of `Model.summary`."""

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(show_lines=True)
    table.add_column("Layer (type)", overflow="fold")
    table.add_column("Output Shape")
    for name in ("Param #", "FLOPs", "Memory"):
        table.add_column(name, justify="right")
    if show_trainable:
        table.add_column("Trainable")
    costs = _costs(model)
    for layer, path in _rows(model, expand_nested):
        cost = cost_below(costs, path)
        name = "  " * path.count("/") + f"{layer.name} ({type(layer).__name__})"
        known = [_operations(cost.flops), _size(cost.bytes)] if costs else ["-", "-"]
        cells = [name, _shape(layer), _count(layer), *known]
        if show_trainable:
            cells.append("-" if not layer.weights else "Y" if layer.trainable else "N")
        # As text, because rich would take brackets in a cell for markup.
        table.add_row(*map(Text, cells))
    trainable = sum(variable.size for variable in model.trainable_weights)
    total = sum(variable.size for variable in model.weights)
    # Without a terminal rich would assume 80 columns, which is fine; a string gets as much as a table wants.
    buffer = StringIO()
    console = Console(file=None if print_fn is None else buffer, width=line_length, highlight=False)
    console.print(Text(f'Model: "{model.name}"', style="bold"))
    console.print(table)
    for name, count in (("Total", total), ("Trainable", trainable), ("Non-trainable", total - trainable)):
        console.print(f" {name} params: {count:,} ({_size(count * ITEM_SIZES[model.dtype])})")
    if costs and model.has_graph:
        whole = cost_below(costs, "")
        memory = f"{_size(whole.bytes)} per sample"
        if batch_size is not None:
            memory += f", {_size(cost_below(costs_by_scope(model, batch_size), '').bytes)} for a batch of {batch_size}"
        console.print(f" Forward pass: {_operations(whole.flops)} FLOPs per sample")
        console.print(f" Activation memory: {memory}")
    if print_fn is not None:
        print_fn(buffer.getvalue())


def _costs(model: Model) -> dict[str, Cost]:
    """Return the costs by paths; those of the models inside it for a class that computes nothing itself."""
    if model.has_graph:
        return costs_by_scope(model)
    parts = [layer for layer in model.layers if isinstance(layer, Model)]
    return {f"{part.name}/{scope}".rstrip("/"): cost for part in parts for scope, cost in _costs(part).items()}


def _rows(model: Model, expand_nested: bool, prefix: str = "") -> Iterator[tuple[Layer, str]]:
    """Yield the layers with their paths."""
    for layer in model.layers:
        yield layer, prefix + layer.name
        if expand_nested and isinstance(layer, Model):
            yield from _rows(layer, expand_nested, f"{prefix}{layer.name}/")


def _shape(layer: Layer) -> str:
    shapes = layer.output_shapes
    if not shapes:
        return "multiple" if layer.built else "?"
    return ", ".join(map(str, shapes))


def _count(layer: Layer) -> str:
    return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _operations(count: float) -> str:
    """Return a number of operations with three or four digits."""
    if count < 10_000:
        return f"{count:,}"
    for unit in ("K", "M", "G"):
        count /= 1000
        if count < 1000:
            return f"{count:.3g} {unit}"
    return f"{count / 1000:,.4g} T"


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1024:
            return f"{count:.2f} {unit}"
        count /= 1024
    return f"{count:.2f} GB"
