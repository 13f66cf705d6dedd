"""What `fastgd train` shows: a live bar on a terminal, else one line per epoch, and the closing table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column, Table
from rich.text import Text

from fastgd.callbacks import Callback


@contextmanager
def epoch_display(epochs: int) -> Iterator[Callback]:
    """Yield the callback that shows each of `epochs` epochs; what it shows ends with the block."""
    console = Console()
    if not console.is_terminal:
        yield EpochLines(epochs)
        return
    # On a narrow terminal the numbers are cut at their end, and nothing else.
    columns = (
        TextColumn("epoch {task.completed}/{task.total}", table_column=Column(min_width=7 + 2 * len(str(epochs)))),
        BarColumn(bar_width=12, table_column=Column(min_width=12)),
        TextColumn("{task.fields[numbers]}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
    )
    with Progress(*columns, console=console) as progress:
        yield EpochBar(progress, epochs)


class EpochLines(Callback):
    """Prints one line per epoch, for output that goes into a file or a pipe."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs = epochs

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Print the numbers of this epoch."""
        width = len(str(self.epochs))
        print(f"epoch {epoch + 1:{width}}/{self.epochs}  {numbers_of(logs)}", flush=True)


class EpochBar(Callback):
    """Moves a bar on with each epoch.

    It has no batch hooks on purpose: with them the engine would have to come back to Python after every batch.
    """

    def __init__(self, progress: Progress, epochs: int) -> None:
        super().__init__()
        self.progress = progress
        self.task = progress.add_task("", total=epochs, numbers="")

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Show the numbers of this epoch."""
        self.progress.update(self.task, completed=epoch + 1, numbers=numbers_of(logs))


def show_results(
    name: str, train_loss: float, test_loss: float, quality: tuple[str, float], seconds: float, samples: int
) -> None:
    """Print the closing table and, as the last line and for programs to read, the quality on the test data."""
    measure, value = quality
    shown = f"{100 * value:.2f} %" if measure == "accuracy" else f"{value:.4f}"
    table = Table(title=Text(name), title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_row("train loss", f"{train_loss:.4f}")
    table.add_row("test loss", f"{test_loss:.4f}")
    table.add_row(f"test {measure}", shown)
    table.add_row("time", f"{seconds:.2f} s")
    table.add_row("samples per second", f"{samples / max(seconds, 1e-9):,.0f}")
    Console().print(table)
    print(f"test {measure}: {shown}")


def numbers_of(logs: Mapping[str, Any] | None) -> str:
    """Return the numbers of an epoch as one text, those of the training before those of the validation."""
    # The loss first: on a narrow terminal the end of the line is cut.
    items = sorted((logs or {}).items(), key=lambda item: (item[0].startswith("val_"), item[0] != "loss", item[0]))
    return "  ".join(f"{name} {float(value):.4f}" for name, value in items)
