"""What `fastgd train data.csv` shows: what became of the columns, each network, and the measures in a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column, Table
from rich.text import Text

from fastgd.callbacks import Callback
from fastgd.cli.display import numbers_of


def format_score(measure: str, value: float) -> str:
    """Return a measure as a text: accuracies in percent, others with four digits after the point unless large."""
    if measure.endswith("accuracy"):
        return f"{100 * value:.2f} %"
    return f"{value:,.4f}" if abs(value) < 1000 else f"{value:,.0f}"


def show_facts(console: Console, title: str, facts: Mapping[str, str]) -> None:
    """Print a title and below it a line per fact, its name and its text, wrapped beside the names."""
    console.print(Text(title, style="bold"))
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in facts.items():
        table.add_row(name, Text(text))
    console.print(table)


def show_scores(console: Console, title: str, scores: Mapping[str, Mapping[str, float]], less: frozenset[str]) -> None:
    """Print a row per model and a column per measure, the best of each column in bold.

    Args:
        console: where to.
        title: what was measured on.
        scores: measures by the names of models.
        less: the measures of which less is better.
    """
    measures = list(next(iter(scores.values())))
    table = Table(title=Text(title), title_justify="left")
    table.add_column("", no_wrap=True)
    for measure in measures:
        table.add_column(measure, justify="right", max_width=9)
    best = {
        measure: (min if measure in less else max)(values[measure] for values in scores.values())
        for measure in measures
    }
    for name, values in scores.items():
        cells = [
            Text(format_score(measure, values[measure]), "bold" if values[measure] == best[measure] else "")
            for measure in measures
        ]
        table.add_row(name, *cells)
    console.print(table)


@contextmanager
def network_display(console: Console, networks: int, epochs: int) -> Iterator[NetworkDisplay]:
    """Yield what shows the training of several networks, one after the other; it ends with the block."""
    if not console.is_terminal:
        yield NetworkDisplay(console, networks, epochs)
        return
    columns = (
        TextColumn("{task.description}", table_column=Column(no_wrap=True)),
        BarColumn(bar_width=12, table_column=Column(min_width=12)),
        TextColumn("{task.fields[numbers]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield NetworkDisplay(console, networks, epochs, progress)


class NetworkDisplay:
    """Prints a line for each network that is done, and on a terminal moves a bar for the one at work.

    Args:
        console: where to.
        networks: how many there are.
        epochs: the most epochs of each.
        progress: the bar, on a terminal.
    """

    def __init__(self, console: Console, networks: int, epochs: int, progress: Progress | None = None) -> None:
        self.console = console
        self.networks = networks
        self.epochs = epochs
        self.progress = progress
        self.task = None if progress is None else progress.add_task(f"network 1/{networks}", total=epochs, numbers="")

    def callbacks(self, number: int) -> list[Callback]:
        """Return the callbacks for the network of a number, counted from 0."""
        return [_NetworkLines(self, number)]


class _NetworkLines(Callback):
    """Shows one network; without batch hooks, because the engine would have to come back to Python for them."""

    def __init__(self, display: NetworkDisplay, number: int) -> None:
        super().__init__()
        self.display = display
        self.name = f"network {number + 1:{len(str(display.networks))}}/{display.networks}"
        self.losses: list[float] = []
        self.measure = "loss"

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Move the bar on."""
        logs = logs or {}
        self.measure = "val_loss" if "val_loss" in logs else "loss"
        self.losses.append(float(logs[self.measure]))
        progress, task = self.display.progress, self.display.task
        if progress is not None and task is not None:
            numbers = f"epoch {epoch + 1}  {numbers_of(logs)}"
            progress.update(task, description=self.name, completed=epoch + 1, numbers=numbers)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Print the line."""
        best = min(range(len(self.losses)), key=self.losses.__getitem__) if self.measure == "val_loss" else -1
        kept = f"best {best + 1}, " if best >= 0 else ""
        text = f"{self.name}  {len(self.losses)} epochs, {kept}{self.measure} {self.losses[best]:.4f}"
        self.display.console.print(Text(text), highlight=False)
