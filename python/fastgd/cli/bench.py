"""`fastgd bench`: measures fastgd against the other trainers that are installed, and shows the ratios."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

HELP = """Measure fastgd against the trainers that are installed.

Quick takes a few minutes, full a good while, kernels measures products, convolutions, functions and single calls only.
Times compare within one run only; let nothing else run meanwhile.
"""


def bench(
    mode: Annotated[str, typer.Argument(help="What to run: quick, full or kernels.")] = "quick",
    opponents: Annotated[
        str | None, typer.Option(help="Opponents, separated by commas; those that are installed if not given.")
    ] = None,
    workloads: Annotated[
        str | None, typer.Option(help="Workloads, separated by commas; those of the mode if not given.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads that everyone may use.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Turns that everyone gets.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.001, help="How long a turn takes.")] = None,
    json: Annotated[
        Path | None, typer.Option(help="File to write the results into, as JSON, after each workload.")
    ] = None,
    plot_file: Annotated[
        Path | None, typer.Option("--plot", help="File to draw the ratios into, such as ratios.png.")
    ] = None,
) -> None:
    """Run the suite with the options of the command line."""
    # Imported here, because no other command needs it.
    from fastgd.bench import Settings, plot, results, run
    from fastgd.bench.tables import print_results

    # What would fail after a long run should fail before it.
    if plot_file is not None:
        plot.check_available()
    for path in (json, plot_file):
        if path is not None and not path.resolve().parent.is_dir():
            raise ValueError(f"The folder of {str(path)!r} does not exist.")
    settings = Settings(mode, _split(opponents), _split(workloads), threads, rounds, seconds)

    def keep(so_far: results.Document) -> None:
        # A run takes long: what is done stays, whatever ends it.
        if json is not None:
            results.save(so_far, json)

    progress = Console(stderr=True)
    with progress.status("") as status:
        tell: Callable[[str], None] = status.update if progress.is_terminal else progress.print
        document = run(settings, tell, keep)
    print_results(document, Console())
    if plot_file is not None:
        plot.draw(document, plot_file)


def _split(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]
