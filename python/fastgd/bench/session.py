"""One run of the suite: which opponents meet on which workloads and cases, and the document that comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from fastgd import runtime
from fastgd.bench.calls.cases import CASES, Case
from fastgd.bench.harness import Effort
from fastgd.bench.machine import describe_machine
from fastgd.bench.matches import add_roofline, prefetch, run_case, run_workload, thread_choices
from fastgd.bench.opponents import OPPONENTS, Entry, default_opponents, find_opponents
from fastgd.bench.process import OpponentError, Pool, Worker
from fastgd.bench.results import SCHEMA, Document
from fastgd.bench.workloads import WORKLOADS, Workload, find_workloads
from fastgd.utils.checks import check_int
from fastgd.utils.errors import unknown


@dataclass(frozen=True)
class Mode:
    """What a kind of run contains.

    Attributes:
        effort: how long it measures.
        quick: whether it leaves out what is not marked quick: workloads, cases and opponents.
        workloads: whether it has workloads.
        tried: the opponents that are tried with one thread too, where they have more.
        limits_seconds: how long each limit of the machine is measured.
    """

    effort: Effort
    quick: bool
    workloads: bool
    tried: frozenset[str]
    limits_seconds: float


MODES = {
    "quick": Mode(Effort(5, 0.05, 0.15), True, True, frozenset({"torch", "jax"}), 0.05),
    "full": Mode(Effort(15, 0.25, 0.6), False, True, frozenset(OPPONENTS), 0.3),
    "kernels": Mode(Effort(15, 0.1, 0.6), False, False, frozenset(), 0.3),
}


@dataclass(frozen=True)
class Settings:
    """What to run.

    Attributes:
        mode: "quick", "full" or "kernels".
        opponents: their names; if None those that are installed and fit the mode.
        workloads: their names; if None those of the mode. Where they are named the kernels and calls are left out.
        threads: how many threads everyone may use; if None as many as fastgd takes by itself.
        rounds: how many turns everyone gets; if None as many as the mode says.
        seconds: how long a turn takes; if None as long as the mode says.
    """

    mode: str = "quick"
    opponents: Sequence[str] | None = None
    workloads: Sequence[str] | None = None
    threads: int | None = None
    rounds: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Programme:
    """What the settings come to."""

    mode: Mode
    entries: list[Entry]
    workloads: list[Workload]
    cases: list[Case]
    threads: int
    effort: Effort


def make_programme(settings: Settings) -> Programme:
    """Return what to run.

    Raises:
        ValueError: for an unknown mode, opponent or workload, listing those that are known, and for wrong numbers.
        ImportError: if an opponent that was asked for is not installed.
    """
    if settings.mode not in MODES:
        raise unknown("mode", MODES, mode=settings.mode)
    mode = MODES[settings.mode]
    entries = default_opponents(mode.quick) if settings.opponents is None else find_opponents(settings.opponents)
    if settings.workloads is not None:
        workloads = find_workloads(settings.workloads)
    else:
        workloads = [w for w in WORKLOADS.values() if mode.workloads and (w.quick or not mode.quick)]
    cases = [case for case in CASES if settings.workloads is None and (case.quick or not mode.quick)]
    effort = mode.effort
    if settings.rounds is not None:
        effort = replace(effort, rounds=check_int("rounds", settings.rounds, 1))
    if settings.seconds is not None:
        effort = replace(effort, seconds=settings.seconds)
    threads = runtime.get_num_threads() if settings.threads is None else check_int("threads", settings.threads, 1)
    return Programme(mode, entries, workloads, cases, threads, effort)


def run(
    settings: Settings,
    tell: Callable[[str], None] = lambda text: None,
    keep: Callable[[Document], None] = lambda document: None,
) -> Document:
    """Run the suite.

    Args:
        settings: what to run.
        tell: called with a line about what happens next.
        keep: called with all results so far, after each workload and each case.

    Raises:
        ValueError: for an unknown mode, opponent or workload, listing those that are known, and for wrong numbers.
        ImportError: if an opponent that was asked for is not installed, or fastgd's native module.

    Example:
        >>> document = run(Settings("quick", opponents=["numpy"], workloads=["tiny"]))
        >>> document["workloads"][0]["opponents"][1]["ratio"]
    """
    start = time.perf_counter()
    programme = make_programme(settings)
    threads, effort = programme.threads, programme.effort
    tell("measuring the limits of this machine")
    machine = describe_machine(threads, programme.mode.limits_seconds)
    document = Document(
        schema=SCHEMA,
        mode=settings.mode,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        seconds=0.0,
        threads=threads,
        rounds=effort.rounds,
        machine=machine,
        libraries={},
        workloads=[],
        cases=[],
    )
    tried = programme.mode.tried
    with Pool() as pool:
        if programme.workloads:
            tell(f"starting {', '.join(entry.name for entry in programme.entries)}")
            document["libraries"] = _start(pool, programme)
        for workload in programme.workloads:
            tell(f"{workload.name}: {workload.description}")
            result = run_workload(pool, workload, programme.entries, threads, tried, effort)
            add_roofline(result, workload, machine, threads)
            document["workloads"].append(result)
            document["seconds"] = time.perf_counter() - start
            keep(document)
    names = {entry.name for entry in programme.entries}
    with Pool() as pool:
        prefetch(pool, programme.cases, names, threads)
        for case in programme.cases:
            tell(case.name)
            document["cases"].append(run_case(pool, case, names, threads, effort))
            document["seconds"] = time.perf_counter() - start
            keep(document)
    return document


def _start(pool: Pool, programme: Programme) -> dict[str, dict[str, str]]:
    """Start all processes at once, since importing takes longest, and return what each library says about itself."""
    facts: dict[str, dict[str, str]] = {}
    keys = [
        (entry.name, count)
        for entry in programme.entries
        for count in thread_choices(entry, programme.threads, entry.name in programme.mode.tried)
    ]
    workers = [(name, pool.get("trainer", name, count)) for name, count in keys]
    for name, worker in workers:
        facts.setdefault(name, _ask_facts(worker))
    return facts


def _ask_facts(worker: Worker) -> dict[str, str]:
    try:
        seconds = worker.wait_until_ready()
        return {**worker.ask("facts"), "import_seconds": f"{seconds:.2f}"}
    except OpponentError as error:
        # It is asked again for each workload, and its entry there says the same.
        return {"error": str(error)}
