"""Writes the tables of docs/benchmarks.md and of the README from a results file: `python benchmarks/report.py [file]`.

Without a file it takes the newest full run in benchmarks/results, made by
`fastgd bench full --json benchmarks/results/NAME.json`. Where that run has no kernels and single calls, because it was
told its workloads, the newest run of `fastgd bench kernels` in the same folder gives them. With `--check` it writes
nothing and fails where the pages are not what it would write.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fastgd.bench import results
from fastgd.bench.opponents import BASELINE, OPPONENTS
from fastgd.bench.results import CaseResult, Document, WorkloadResult
from fastgd.bench.tables import (
    baseline_cells,
    columns_of,
    find_entrant,
    format_rate,
    format_ratio,
    format_share,
    machine_lines,
    notes_of,
    peak_share,
    ratio_cells,
)
from fastgd.bench.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGES = {ROOT / "README.md": "benchmark table", ROOT / "docs" / "benchmarks.md": "benchmark results"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check both pages; return 1 if a check fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="results file; the newest full run if not given")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a page is not up to date")
    options = parser.parse_args(arguments)
    document = results.load(options.file) if options.file else newest("full")
    if document is None:
        sys.exit(f"There is no full run in {RESULTS.relative_to(ROOT)}: make one with fastgd bench full --json FILE")
    calls = document if document["cases"] else newest("kernels")
    texts = {"benchmark table": readme_text(document), "benchmark results": page_text(document, calls)}
    stale = []
    for path, marker in PAGES.items():
        old = path.read_text(encoding="utf-8")
        new = replace_between(old, marker, texts[marker], path.name)
        if new != old:
            stale.append(path.relative_to(ROOT).as_posix())
            if not options.check:
                path.write_text(new, encoding="utf-8")
    if stale:
        print(f"{'not up to date' if options.check else 'written'}: {', '.join(stale)}")
    return 1 if stale and options.check else 0


def newest(mode: str) -> Document | None:
    """Return the newest run of a mode in the results folder, if there is one."""
    runs = [results.load(path) for path in sorted(RESULTS.glob("*.json"))]
    return max((run for run in runs if run["mode"] == mode), key=lambda run: run["created"], default=None)


def replace_between(text: str, marker: str, content: str, name: str) -> str:
    """Return a page with what stands between the marker's two lines replaced."""
    begin, end = f"<!-- {marker}: begin -->\n", f"<!-- {marker}: end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        sys.exit(f"{name} must hold {begin.strip()} and {end}, once each and in this order")
    head, rest = text.split(begin)
    return f"{head}{begin}{content}{end}{rest.split(end)[1]}"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: bool = True) -> str:
    """Return a table; from the second column on it holds numbers, which stand to the right, or text."""
    rule = ["---", *("---:" if numbers else "---" for _ in header[1:])]
    return "".join(f"| {' | '.join(row)} |\n" for row in (header, rule, *rows))


def best_peer(result: WorkloadResult | CaseResult) -> str:
    """Return the name and the ratio of the fastest library of somebody else."""
    found = [e for e in result["opponents"] if e["ratio"] and OPPONENTS[e["name"]].peer]
    if not found:
        return "-"
    best = min(found, key=lambda entrant: entrant["ratio"]["median"] if entrant["ratio"] else float("inf"))
    return f"{best['label']} {format_ratio(best)}"


def readme_text(document: Document) -> str:
    """Return the short tables: the workloads and the ratios, convolutional networks by themselves."""
    results = document["workloads"]
    convolutional = [result for result in results if is_convolutional(result)]
    dense = [result for result in results if result not in convolutional]
    intro = f"How many times as long as fastgd a step takes; {machine_of(document)}, {document['created'][:10]}:\n\n"
    kinds = (("training step", dense), ("training step of a convolutional network", convolutional))
    return intro + "\n".join(short_table(title, some) for title, some in kinds if some)


def is_convolutional(result: WorkloadResult) -> bool:
    """Return whether a workload's network has more than dense layers."""
    return result["name"] in WORKLOADS and not WORKLOADS[result["name"]].is_dense


def short_table(title: str, results: Sequence[WorkloadResult]) -> str:
    """Return a table of some workloads."""
    columns = columns_of(results)
    columns = [(name, label) for name, label in columns if OPPONENTS[name].peer or name == "numpy"]
    rows = [[result["description"], baseline_cells(result)[0], *ratio_cells(result, columns)] for result in results]
    return markdown_table([title, "fastgd, us", *(label for _, label in columns)], rows)


def machine_of(document: Document) -> str:
    """Return processor and threads."""
    return f"{document['machine']['processor']}, {document['threads']} threads"


def page_text(document: Document, calls: Document | None = None) -> str:
    """Return the machine, all tables, the configurations and the notes.

    Args:
        document: the run.
        calls: the run that has the kernels and single calls, if another one.
    """
    calls = calls or document
    machine = document["machine"]
    lines = "\n".join(f"- {line}" for line in machine_lines(machine, document["threads"]))
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    parts = [
        f"{run_of(document)}{lines}\n- versions: {versions}\n",
        "### Limits of the machine\n\n" + limits_table(document),
        "### Training steps\n\n" + workload_table(document),
        "### Against the machine's limits\n\n" + roofline_table(document),
        "### Kernels and single calls\n\n" + ("" if calls is document else run_of(calls)) + case_table(calls),
        "### Configurations\n\n" + configuration_table(document),
    ]
    notes = notes_of(document)
    if notes:
        parts.append("### Notes\n\n" + "".join(f"- {note}\n" for note in notes))
    return "\n".join(part for part in parts if not part.endswith("\n\n"))


def run_of(document: Document) -> str:
    """Return when, how and on what a run was made."""
    return (
        f"Measured {document['created']}, mode {document['mode']}, {document['rounds']} rounds, "
        f"{document['seconds'] / 60:.0f} minutes; {machine_of(document)}.\n\n"
    )


def limits_table(document: Document) -> str:
    """Return the measured peaks and bandwidths."""
    machine = document["machine"]
    rows = [
        [f"multiply-adds, {peak['isa']}, {peak['dtype']}", str(peak["threads"]), f"{peak['gflops']:.0f} GFLOP/s"]
        for peak in machine["peaks"]
    ]
    rows += [["memory", str(found["threads"]), f"{found['gigabytes']:.1f} GB/s"] for found in machine["bandwidths"]]
    return markdown_table(["limit", "threads", "measured"], rows)


def workload_table(document: Document) -> str:
    """Return ratios of medians, and in brackets of minima."""
    columns = columns_of(document["workloads"])
    rows = []
    for result in document["workloads"]:
        cells = []
        for name, _ in columns:
            entrant = find_entrant(result, name)
            ratio = entrant["ratio"] if entrant else None
            low = f" ({ratio['minimum']:.3g})" if ratio else ""
            cells.append(format_ratio(entrant) + low)
        name = f"{result['name']}: {result['description']}"
        rows.append([name, *baseline_cells(result), best_peer(result), *cells])
    header = ["workload", "fastgd, us", "spread", "best peer", *(label for _, label in columns)]
    return markdown_table(header, rows) if rows else ""


def roofline_table(document: Document) -> str:
    """Return what a step must cost, and which share of the limits fastgd reaches."""
    rows = []
    for result in document["workloads"]:
        roofline = result["roofline"]
        if roofline:
            arithmetic, traffic = f"{roofline['arithmetic'] / 1e6:,.3f}", f"{roofline['traffic'] / 1e6:,.3f}"
            shares = format_share(roofline["peak_share"]), format_share(roofline["floor_share"])
            rows.append([result["name"], arithmetic, traffic, f"{roofline['floor']:,.2f}", *shares])
    header = ["workload", "MFLOP", "MB of weights and slots", "least us", "share of peak", "share of least time"]
    return markdown_table(header, rows) if rows else ""


def case_table(document: Document) -> str:
    """Return the kernels and single calls."""
    columns = columns_of(document["cases"])
    rows = [
        [
            result["name"],
            *baseline_cells(result),
            format_rate(result),
            format_share(peak_share(result, document["machine"])),
            *ratio_cells(result, columns),
        ]
        for result in document["cases"]
    ]
    header = ["call", "fastgd, us", "spread", "rate", "of peak", *(label for _, label in columns)]
    return markdown_table(header, rows) if rows else ""


def configuration_table(document: Document) -> str:
    """Return how each opponent ran, on how many threads, and which kernels it picked."""
    rows = []
    names = [BASELINE, *(name for name, _ in columns_of(document["workloads"]))]
    for name in names:
        entrants = [e for e in (find_entrant(result, name) for result in document["workloads"]) if e]
        measured = [entrant for entrant in entrants if entrant["times"]]
        if measured:
            threads = ", ".join(str(count) for count in sorted({entrant["threads"] for entrant in measured}))
            facts = document["libraries"].get(name, {})
            # NumPy is loaded with every opponent, but its BLAS works for these two only.
            keys = ("cpu", "isa", "blas", *(["pool openblas"] if name in ("numpy", "sklearn") else []))
            picked = "; ".join(f"{key}: {value}" for key, value in facts.items() if key.startswith(keys))
            rows.append([measured[0]["label"], measured[0]["configuration"], threads, picked or "-"])
    return markdown_table(["opponent", "configuration", "threads, the best for each workload", "kernels"], rows, False)


if __name__ == "__main__":
    sys.exit(main())
