"""Single matches: all opponents on one workload, all libraries on one case."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import partial

from fastgd.bench import harness
from fastgd.bench.calls import LIBRARIES
from fastgd.bench.calls.cases import Case
from fastgd.bench.harness import Effort, Runner
from fastgd.bench.machine import limits_of
from fastgd.bench.opponents import BASELINE, Entry
from fastgd.bench.opponents.native import build_model
from fastgd.bench.process import OpponentError, Pool
from fastgd.bench.results import CaseResult, Entrant, Machine, WorkloadResult, add_ratios
from fastgd.bench.roofline import add_shares, make_roofline
from fastgd.bench.workloads import Workload, make_problem


def thread_choices(entry: Entry, threads: int, tries_one: bool) -> tuple[int, ...]:
    """Return the numbers of threads to try an opponent with: a small network may run faster on one."""
    if entry.threads is not None:
        return (entry.threads,)
    return (threads, 1) if tries_one and threads > 1 and entry.name != BASELINE else (threads,)


def run_workload(
    pool: Pool, workload: Workload, entries: Sequence[Entry], threads: int, tried: Collection[str], effort: Effort
) -> WorkloadResult:
    """Let the opponents meet on one workload; the roofline is still without limits.

    Args:
        pool: where their processes are.
        workload: the workload.
        entries: the opponents, the baseline first: its weights are what the others' are compared with.
        threads: how many threads they may use.
        tried: the names of those that are tried with one thread too.
        effort: how long to measure.
    """
    initial = make_problem(workload).weights
    tolerance = harness.check_tolerance(workload)
    expected = None
    runners: list[Runner] = []
    entrants: list[Entrant] = []
    for entry in entries:
        adapter = entry.load()
        entrant = harness.make_entrant(entry.name, entry.label, adapter.configuration, threads)
        refusal = adapter.refusal(workload)
        if refusal:
            entrant["status"], entrant["note"] = "refused", refusal
        candidates: list[Runner] = []
        for count in () if refusal else thread_choices(entry, threads, entry.name in tried):
            entrant = harness.make_entrant(entry.name, entry.label, adapter.configuration, count)
            worker = pool.get("trainer", entry.name, count)
            ready = harness.attempt(entrant, partial(harness.prepare_runner, worker, entrant, workload, effort))
            if ready is None:
                continue
            runner, weights = ready
            expected = weights if expected is None else expected
            if harness.settle_check(entrant, harness.drift(weights, expected, initial), tolerance):
                candidates.append(runner)
        chosen = harness.attempt(entrant, partial(harness.choose_faster, candidates)) if candidates else None
        if chosen:
            entrant = chosen.entrant
            runners.append(chosen)
        entrants.append(entrant)
    harness.take_turns(runners, effort.rounds)
    add_ratios(entrants, BASELINE)
    return _describe(workload, entrants)


def _describe(workload: Workload, entrants: list[Entrant]) -> WorkloadResult:
    steps, epochs = harness.check_length(workload)
    return WorkloadResult(
        name=workload.name,
        description=workload.description,
        dtype=workload.dtype,
        batch=workload.batch,
        steps=workload.steps,
        parameters=workload.parameters,
        check_steps=steps * epochs,
        tolerance=harness.check_tolerance(workload),
        roofline=None,
        opponents=entrants,
    )


def add_roofline(result: WorkloadResult, workload: Workload, machine: Machine, threads: int) -> None:
    """Enter what a step must cost on this machine, and which share of that the baseline's median reached."""
    model = build_model(workload)
    limits = limits_of(machine, workload.dtype, threads)
    roofline = make_roofline(model.make_plan(), model.optimizer.update_spec(), workload.batch, limits)
    times = next((entrant["times"] for entrant in result["opponents"] if entrant["name"] == BASELINE), None)
    if times:
        add_shares(roofline, times["median"], limits)
    result["roofline"] = roofline


def _threads_of(case: Case, threads: int) -> int:
    return 1 if case.single else threads


def prefetch(pool: Pool, cases: Sequence[Case], names: Collection[str], threads: int) -> None:
    """Start the processes for some cases, all at once, since importing takes longest."""
    counts = {_threads_of(case, threads) for case in cases}
    chosen = [library for library in LIBRARIES.values() if library.name in names and library.installed]
    workers = [pool.get("calls", library.name, count) for library in chosen for count in counts]
    for worker in workers:
        # Whoever cannot start says so again in each case.
        with suppress(OpponentError):
            worker.wait_until_ready()


def run_case(pool: Pool, case: Case, names: Collection[str], threads: int, effort: Effort) -> CaseResult:
    """Let the libraries meet on one call.

    Args:
        pool: where their processes are.
        case: the call.
        names: the libraries; those that are not installed or have no such call are left out.
        threads: how many threads they may use, unless the case is for one.
        effort: how long to measure.
    """
    count = _threads_of(case, threads)
    expected = None
    runners: list[Runner] = []
    entrants: list[Entrant] = []
    for library in LIBRARIES.values():
        if library.name not in names or not library.installed:
            continue
        entrant = harness.make_entrant(library.name, library.label, library.load().configuration, count)
        worker = pool.get("calls", library.name, count)
        ready = harness.attempt(entrant, partial(harness.prepare_call, worker, entrant, case, effort))
        if ready is not None:
            runner, result = ready
            expected = result if expected is None else expected
            tolerance = harness.CALL_TOLERANCES[case.dtype]
            if harness.settle_check(entrant, harness.relative_error(result, expected), tolerance):
                runners.append(runner)
        entrants.append(entrant)
    harness.take_turns(runners, effort.rounds)
    add_ratios(entrants, BASELINE)
    return CaseResult(
        name=case.name,
        family=case.family,
        description=case.description,
        dtype=case.dtype,
        threads=count,
        arithmetic=case.arithmetic,
        traffic=case.traffic,
        opponents=entrants,
    )
