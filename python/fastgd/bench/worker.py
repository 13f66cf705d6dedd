"""The process of one opponent: reads requests from standard input, does them, and answers; it measures time itself."""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import pickle
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from fastgd.bench.calls import LIBRARIES
from fastgd.bench.calls.base import Calls
from fastgd.bench.calls.cases import Case
from fastgd.bench.opponents import OPPONENTS
from fastgd.bench.opponents.base import Opponent
from fastgd.bench.workloads import Workload, make_problem

# What a turn runs unmeasured before its measured stretch, as a share of that: the others have used the caches since.
WARMING = 0.15


class Desk:
    """The requests that a worker understands: its public methods.

    Args:
        kind: "trainer" or "calls".
        name: the opponent or library.
        threads: the threads it begins with.
    """

    def __init__(self, kind: str, name: str, threads: int) -> None:
        self._trainer: Opponent | None = OPPONENTS[name].load()(threads) if kind == "trainer" else None
        self._calls: Calls | None = LIBRARIES[name].load()(threads) if kind == "calls" else None
        self._call: Callable[[], Any] | None = None

    def facts(self) -> dict[str, str]:
        """Return what the library says about itself, with the BLAS that threadpoolctl finds if it is there."""
        facts = self._trainer.facts() if self._trainer else {}
        try:
            pools = importlib.import_module("threadpoolctl").threadpool_info()
        except ImportError:
            return facts
        for pool in pools:
            parts = (pool.get(key) for key in ("version", "architecture", "threading_layer"))
            facts[f"pool {pool['internal_api']}"] = ", ".join(
                [f"{pool['num_threads']} threads", *(str(part) for part in parts if part)]
            )
        return facts

    def prepare(self, workload: Workload, steps: int) -> float:
        """Build a workload with epochs of `steps` batches; return the seconds that took."""
        assert self._trainer
        problem = make_problem(workload)
        start = time.perf_counter()
        self._trainer.prepare(problem)
        self._trainer.load(steps)
        return time.perf_counter() - start

    def load(self, steps: int) -> None:
        """Make epochs of `steps` batches."""
        assert self._trainer
        self._trainer.load(steps)

    def check(self, count: int) -> float:
        """Do so many epochs from the initial weights, for a comparison of the weights; return wall seconds."""
        assert self._trainer
        self._trainer.restart()
        start = time.perf_counter()
        self._trainer.run_check(count)
        return time.perf_counter() - start

    def weights(self) -> list[Any]:
        """Return the weights."""
        assert self._trainer
        return self._trainer.weights()

    def make(self, case: Case) -> bool:
        """Make ready for a case; return whether the library has such a call."""
        assert self._calls
        self._call = self._calls.make(case)
        return self._call is not None

    def result(self) -> Any:
        """Return what the call of the case computes, for comparison."""
        assert self._calls and self._call
        return self._calls.sample(self._call())

    def run(self, count: int, restart: bool = True, warm: bool = True) -> tuple[float, float]:
        """Do so many epochs or calls after a fresh start and unmeasured ones; return wall and processor seconds."""
        if self._trainer:
            stretch: Callable[[int], None] = self._trainer.run
            if restart:
                self._trainer.restart()
        else:
            assert self._call
            stretch = _repeat(self._call)
        if warm:
            stretch(max(1, round(count * WARMING)))
        gc.collect()
        gc.disable()
        try:
            processor, wall = time.process_time(), time.perf_counter()
            stretch(count)
            return time.perf_counter() - wall, time.process_time() - processor
        finally:
            gc.enable()


def _repeat(call: Callable[[], Any]) -> Callable[[int], None]:
    def stretch(count: int) -> None:
        for _ in range(count):
            call()

    return stretch


def main(arguments: list[str]) -> None:
    """Serve requests until the input ends: pickled pairs of a method's name and its arguments.

    The answer is a pickled pair: whether it worked, and the result or a message.
    """
    kind, name, threads = arguments
    # Libraries print; what they print must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = sys.stdin.buffer
    _end_with_parent()
    start = time.perf_counter()
    desk: Desk | None = None
    try:
        desk = Desk(kind, name, int(threads))
        answer: tuple[bool, Any] = True, time.perf_counter() - start
    except Exception as error:
        answer = False, _describe(error)
    while True:
        pickle.dump(answer, answers)
        answers.flush()
        try:
            method, values = pickle.load(requests)
        except EOFError:
            return
        try:
            answer = True, getattr(desk, method)(**values)
        except Exception as error:
            traceback.print_exc()
            answer = False, _describe(error)


def _describe(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:200]}"


def _end_with_parent() -> None:
    # A stopped process would outlive a parent that is killed; on Linux it can ask to go with it.
    if sys.platform == "linux":
        set_death_signal = 1
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
