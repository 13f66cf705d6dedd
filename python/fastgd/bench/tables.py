"""What `fastgd bench` prints: how many times as long as fastgd the others take, and the machine in a few lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from fastgd.bench.machine import limits_of
from fastgd.bench.opponents import BASELINE
from fastgd.bench.results import CaseResult, Document, Entrant, Machine, WorkloadResult


def print_results(document: Document, console: Console) -> None:
    """Print all tables of a run."""
    for line in machine_lines(document["machine"], document["threads"]):
        console.print(line, highlight=False)
    if document["workloads"]:
        console.print(make_workload_table(document))
    if document["cases"]:
        console.print(make_case_table(document["cases"], document["machine"]))
    for note in notes_of(document):
        console.print(note, highlight=False)


def machine_lines(machine: Machine, threads: int) -> list[str]:
    """Return the machine in a few lines."""
    peaks = [
        f"{peak['gflops']:.0f} {peak['dtype']}"
        for peak in machine["peaks"]
        if peak["isa"] == machine["isa"] and peak["threads"] == threads
    ]
    gigabytes = [found["gigabytes"] for found in machine["bandwidths"] if found["threads"] == threads]
    load = machine["load_average"][0]
    busy = ", so the figures are doubtful" if load > 0.5 else ""
    return [
        f"{machine['processor']}, {machine['physical_cores']} cores, {machine['isa']}",
        f"measured with {threads} threads: {' and '.join(peaks)} GFLOP/s, {gigabytes[0]:.0f} GB/s",
        f"load average at the start: {load:.2f}{busy}",
    ]


def columns_of(results: Iterable[WorkloadResult | CaseResult]) -> list[tuple[str, str]]:
    """Return name and label of everyone who was measured somewhere, the baseline left out, in the order of the runs."""
    found: dict[str, str] = {}
    for result in results:
        for entrant in result["opponents"]:
            if entrant["name"] != BASELINE and entrant["status"] in ("measured", "disagrees"):
                found[entrant["name"]] = entrant["label"]
    return list(found.items())


def format_time(microseconds: float) -> str:
    """Return a time with three digits, and with all those before the point."""
    decimals = sum(microseconds < bound for bound in (100, 10, 1))
    return f"{microseconds:,.{decimals}f}"


def format_ratio(entrant: Entrant | None) -> str:
    """Return the ratio of medians, or why there is none."""
    if entrant is None or entrant["status"] == "refused":
        return "-"
    ratio = entrant["ratio"]
    if ratio is None:
        return entrant["status"]
    value = ratio["median"]
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def find_entrant(result: WorkloadResult | CaseResult, name: str) -> Entrant | None:
    """Return the entry of an opponent."""
    return next((entrant for entrant in result["opponents"] if entrant["name"] == name), None)


def format_share(share: float | None) -> str:
    """Return a share in percent."""
    return "-" if share is None else f"{100 * share:.0f} %"


def make_workload_table(document: Document) -> Table:
    """Return the table of training steps."""
    columns = columns_of(document["workloads"])
    headers = ["workload", "fastgd us", "spread", "of peak", *(label for _, label in columns)]
    table = _make_table("training step: times as long as fastgd", headers)
    for result in document["workloads"]:
        roofline = result["roofline"]
        share = format_share(roofline["peak_share"] if roofline else None)
        table.add_row(result["name"], *baseline_cells(result), share, *ratio_cells(result, columns))
    return table


def _make_table(title: str, headers: Sequence[str]) -> Table:
    # Narrow, so that all opponents fit into eighty columns: where they do not, names are broken, and numbers never.
    table = Table(title=title, title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column(headers[0], min_width=8)
    for header in headers[1:]:
        lines = header.replace(" ", "\n", 1).replace("-", "-\n", 1)
        table.add_column(lines, justify="right", no_wrap=True)
    return table


def make_case_table(cases: Sequence[CaseResult], machine: Machine) -> Table:
    """Return the table of kernels and single calls."""
    columns = columns_of(cases)
    headers = ["call", "fastgd us", "spread", "rate", "of peak", *(label for _, label in columns)]
    table = _make_table("kernels and single calls: times as long as fastgd", headers)
    for result in cases:
        rate = format_rate(result), format_share(peak_share(result, machine))
        table.add_row(result["name"], *baseline_cells(result), *rate, *ratio_cells(result, columns))
    return table


def baseline_cells(result: WorkloadResult | CaseResult) -> tuple[str, str]:
    """Return median and spread of the baseline."""
    entrant = find_entrant(result, BASELINE)
    if entrant is None or entrant["times"] is None:
        return entrant["status"] if entrant else "-", "-"
    return format_time(entrant["times"]["median"]), format_time(entrant["times"]["spread"])


def ratio_cells(result: WorkloadResult | CaseResult, columns: Sequence[tuple[str, str]]) -> list[str]:
    """Return the ratios of the others."""
    return [format_ratio(find_entrant(result, name)) for name, _ in columns]


def format_rate(result: CaseResult) -> str:
    """Return the operations or the bytes per second that the baseline's median comes to."""
    entrant = find_entrant(result, BASELINE)
    if entrant is None or entrant["times"] is None:
        return "-"
    seconds = entrant["times"]["median"] * 1e-6
    if result["arithmetic"]:
        return f"{result['arithmetic'] / seconds / 1e9:.0f} GFLOP/s"
    return f"{result['traffic'] / seconds / 1e9:.0f} GB/s" if result["traffic"] else "-"


def peak_share(result: CaseResult, machine: Machine) -> float | None:
    """Return which share of the measured peak the baseline's median reached, where arithmetic is what counts."""
    entrant = find_entrant(result, BASELINE)
    if entrant is None or entrant["times"] is None or not result["arithmetic"]:
        return None
    peak = limits_of(machine, result["dtype"], result["threads"]).flops
    return result["arithmetic"] / (entrant["times"]["median"] * 1e-6) / peak


def notes_of(document: Document) -> list[str]:
    """Return what must be said about single entries: why they are missing, or in what they differ."""
    notes = []
    for result in (*document["workloads"], *document["cases"]):
        for entrant in result["opponents"]:
            if entrant["note"] and entrant["status"] != "refused":
                state = "" if entrant["status"] == "measured" else f" {entrant['status']}:"
                notes.append(f"{result['name']}, {entrant['label']}:{state} {entrant['note']}")
    return notes
