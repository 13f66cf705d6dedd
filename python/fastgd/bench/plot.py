"""The picture of a run: for each workload a bar per opponent, how many times as long as fastgd it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastgd.bench.opponents import OPPONENTS
from fastgd.bench.results import CaseResult, Document, WorkloadResult
from fastgd.bench.tables import columns_of, find_entrant
from fastgd.utils.extras import import_extra

# Of Okabe and Ito's palette, which most people who confuse colours can tell apart.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000", "#999999", "#882255")


def check_available() -> Any:
    """Return matplotlib's class of figures.

    Raises:
        ImportError: if matplotlib is not installed; the message names the extra that brings it.
    """
    return import_extra("matplotlib.figure", "plot", "Plotting").Figure


def draw(document: Document, path: Path) -> None:
    """Draw the ratios of a run into a file, whose ending says in which format.

    Raises:
        ImportError: if matplotlib is not installed.
        ValueError: if the run holds nothing to draw, or the ending names no format.
    """
    figure_class = check_available()
    panels: list[tuple[str, list[WorkloadResult | CaseResult]]] = [
        ("training step", list(document["workloads"])),
        ("kernels and single calls", list(document["cases"])),
    ]
    panels = [(title, results) for title, results in panels if columns_of(results)]
    if not panels:
        raise ValueError("The run holds no opponent beside fastgd to draw.")
    rows = [len(results) * (len(columns_of(results)) + 1) for _, results in panels]
    figure = figure_class(figsize=(9, 1.5 + 0.17 * sum(rows)), layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=rows)[:, 0]
    for axis, (title, results) in zip(axes, panels, strict=True):
        _draw_panel(axis, title, results)
    figure.suptitle(f"{document['machine']['processor']}, {document['threads']} threads, {document['created'][:10]}")
    figure.savefig(path, dpi=150)


def _draw_panel(axis: Any, title: str, results: list[WorkloadResult | CaseResult]) -> None:
    columns = columns_of(results)
    height = 1.0 / (len(columns) + 1)
    for k, (name, label) in enumerate(columns):
        places, ratios = [], []
        colour = COLOURS[list(OPPONENTS).index(name) % len(COLOURS)]
        for row, result in enumerate(results):
            entrant = find_entrant(result, name)
            if entrant and entrant["ratio"]:
                places.append(row + (k - (len(columns) - 1) / 2) * height)
                ratios.append(entrant["ratio"]["median"])
        # From 1, so that a bar to the left is one that fastgd is slower than.
        bars = axis.barh(places, [ratio - 1 for ratio in ratios], height, left=1, label=label, color=colour)
        axis.bar_label(bars, [f"{ratio:.3g}" for ratio in ratios], padding=2, fontsize=6)
    axis.axvline(1.0, color="black", linewidth=0.8)
    # Factors, not differences, are what is compared.
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter("")
    axis.margins(x=0.1)
    axis.set_yticks(range(len(results)), [result["name"] for result in results])
    axis.invert_yaxis()
    axis.set_xlabel("times as long as fastgd (median, logarithmic)")
    axis.set_title(title, loc="left")
    axis.legend(fontsize=7)
