"""The measurement: opponents are made ready, checked against each other, and take turns round by round."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from fastgd.bench.process import OpponentError, Worker
from fastgd.bench.results import Entrant, Times, summarize
from fastgd.bench.workloads import Workload

Array = npt.NDArray[Any]
Ready = TypeVar("Ready")

# After so many steps weights are compared, and speeds first estimated. More would tell less: where rounding decides
# whether a ReLU is open, or the sign of Adam's first updates, two runs part further with every step. Convolutional
# networks have many more of these, and steps that take some opponents a second.
CHECK_STEPS = 16
CONVOLUTIONAL_CHECK_STEPS = 4

# How far apart weights may then be, in steps of the way that fastgd's have gone: whoever left one out is caught.
TOLERANCE_STEPS = 0.5

# The same for what single calls compute, by the dtype.
CALL_TOLERANCES = {"float32": 1e-4, "float64": 1e-10}

MICROSECONDS = 1e6


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Attributes:
        rounds: how many turns each opponent gets.
        seconds: how long a turn should take.
        epoch_seconds: an opponent whose epoch takes longer gets fewer steps.
    """

    rounds: int
    seconds: float
    epoch_seconds: float


@dataclass
class Runner:
    """A worker that is ready for its turns.

    Attributes:
        worker: the process.
        entrant: the result so far.
        count: epochs or calls in a turn.
        steps: what one of these counts for.
    """

    worker: Worker
    entrant: Entrant
    count: int
    steps: int

    def turn(self) -> tuple[float, float]:
        """Do one turn; return microseconds per step, and processor time over wall time.

        Raises:
            OpponentError: if the worker cannot.
        """
        wall, processor = self.worker.ask("run", count=self.count)
        return MICROSECONDS * wall / (self.count * self.steps), processor / wall


def make_entrant(name: str, label: str, configuration: str, threads: int) -> Entrant:
    """Return the entry of an opponent about which nothing is known yet."""
    return Entrant(
        name=name,
        label=label,
        status="failed",
        note="",
        configuration=configuration,
        threads=threads,
        steps=None,
        prepare_seconds=None,
        first_seconds=None,
        cores=None,
        drift=None,
        times=None,
        ratio=None,
    )


def attempt(entrant: Entrant, prepare: Callable[[], Ready]) -> Ready | None:
    """Return what `prepare` returns; None, with a note in the entry, if the opponent cannot."""
    try:
        return prepare()
    except OpponentError as error:
        entrant["status"], entrant["note"] = "failed", str(error)
        return None


def check_length(workload: Workload) -> tuple[int, int]:
    """Return steps per epoch and epochs of the check."""
    steps = min(workload.steps, CHECK_STEPS if workload.is_dense else CONVOLUTIONAL_CHECK_STEPS)
    # A few steps of a large network are enough, and long enough.
    return steps, CHECK_STEPS if steps == 1 else 1


def check_tolerance(workload: Workload) -> float:
    """Return the largest drift after the check that counts as the same work."""
    steps, epochs = check_length(workload)
    return TOLERANCE_STEPS / (steps * epochs)


def prepare_runner(worker: Worker, entrant: Entrant, workload: Workload, effort: Effort) -> tuple[Runner, list[Array]]:
    """Make a worker ready for a workload; return it with its weights after the check's steps.

    Raises:
        OpponentError: if the worker cannot.
    """
    steps, epochs = check_length(workload)
    entrant["prepare_seconds"] = worker.ask("prepare", workload=workload, steps=steps)
    entrant["first_seconds"] = worker.ask("check", count=epochs)
    weights: list[Array] = worker.ask("weights")
    seconds = worker.ask("run", count=epochs, warm=False)[0] / epochs
    # What a short epoch costs besides its steps makes the first estimate too low.
    while steps < workload.steps and seconds < effort.epoch_seconds / 2:
        steps = min(workload.steps, math.ceil(steps * effort.epoch_seconds / seconds))
        worker.ask("load", steps=steps)
        worker.ask("run", count=1, warm=False)
        seconds = worker.ask("run", count=1, warm=False)[0]
    # Nobody waits in every round for as many steps as the comparison of the weights needed.
    if steps > 1 and seconds > 2 * effort.epoch_seconds:
        steps = max(1, math.floor(steps * effort.epoch_seconds / seconds))
        worker.ask("load", steps=steps)
        worker.ask("run", count=1, warm=False)
        seconds = worker.ask("run", count=1, warm=False)[0]
    if steps < workload.steps:
        entrant["note"] = f"{steps} of the {workload.steps} steps of an epoch, which takes it too long"
    entrant["steps"] = steps
    return Runner(worker, entrant, max(1, round(effort.seconds / seconds)), steps), weights


def prepare_call(worker: Worker, entrant: Entrant, case: Any, effort: Effort) -> tuple[Runner, Array] | None:
    """Make a worker ready for a case; return it with what its call computes, None if it has no such call.

    Raises:
        OpponentError: if the worker cannot.
    """
    if not worker.ask("make", case=case):
        entrant["status"], entrant["note"] = "refused", "has no such call"
        return None
    result: Array = worker.ask("result")
    entrant["first_seconds"] = worker.ask("run", count=1, warm=False)[0]
    count, wall = 1, 0.0
    # A clock that is read after one short call says little about it.
    while wall < effort.seconds / 10 and count < 1_000_000:
        count *= 4
        wall = worker.ask("run", count=count, warm=False)[0]
    return Runner(worker, entrant, max(1, round(effort.seconds * count / wall)), 1), result


def drift(weights: Sequence[Array], expected: Sequence[Array], initial: Sequence[Array]) -> float:
    """Return how far weights are from those expected, as a share of the way from the initial ones to these."""
    there, here, start = (
        np.concatenate([array.astype(np.float64).ravel() for array in arrays])
        for arrays in (expected, weights, initial)
    )
    return float(np.linalg.norm(here - there) / max(float(np.linalg.norm(there - start)), 1e-300))


def relative_error(value: Array, expected: Array) -> float:
    """Return the norm of the difference over the norm of what was expected."""
    if value.shape != expected.shape:
        return float("inf")
    return float(np.linalg.norm(value - expected) / max(float(np.linalg.norm(expected)), 1e-300))


def settle_check(entrant: Entrant, measure: float, tolerance: float) -> bool:
    """Enter a drift; return whether it is small enough to go on."""
    agrees = bool(measure <= tolerance)
    # JSON has no infinities; whoever diverges is as far off as a number can be.
    entrant["drift"] = measure if np.isfinite(measure) else float(np.finfo(np.float64).max)
    if not agrees:
        entrant["status"] = "disagrees"
        entrant["note"] = f"its result is {measure:.2g} off, {tolerance:.2g} is allowed"
    return agrees


def choose_faster(candidates: Sequence[Runner], trials: int = 3) -> Runner:
    """Return the fastest of several runners of one opponent, by the minimum of some turns in alternation.

    Raises:
        OpponentError: if none can run.
    """
    best = [float("inf")] * len(candidates)
    for _ in range(trials if len(candidates) > 1 else 0):
        for k, candidate in enumerate(candidates):
            best[k] = min(best[k], candidate.turn()[0])
    return candidates[best.index(min(best))]


def take_turns(runners: Sequence[Runner], rounds: int, seed: int = 0) -> None:
    """Let everyone run once in each round, in an order drawn anew for each, and enter times into their results."""
    rng = np.random.default_rng(seed)
    samples: dict[int, list[tuple[float, float]]] = {k: [] for k in range(len(runners))}
    for _ in range(rounds):
        for k in rng.permutation(len(runners)):
            runner = runners[k]
            if runner.entrant["status"] == "measured" or not samples[k]:
                found = attempt(runner.entrant, runner.turn)
                if found:
                    runner.entrant["status"] = "measured"
                    samples[k].append(found)
    for k, runner in enumerate(runners):
        if runner.entrant["status"] == "measured":
            times: Times = summarize([sample[0] for sample in samples[k]])
            runner.entrant["times"] = times
            runner.entrant["cores"] = float(np.median([sample[1] for sample in samples[k]]))
