"""The check that all do the same work: one step left out of the compared ones is more than it allows."""

from __future__ import annotations

import numpy as np
import pytest

from fastgd.bench.harness import Effort, check_length, check_tolerance, drift, make_entrant, prepare_runner
from fastgd.bench.opponents.native import Adapter
from fastgd.bench.workloads import WORKLOADS, make_problem


@pytest.mark.parametrize("name", ["tiny", "seed", "online", "fixed", "momentum", "regression", "lenet"])
def test_one_step_fewer_is_caught(name):
    problem = make_problem(WORKLOADS[name])
    steps, epochs = check_length(problem.workload)
    trainer = Adapter(1)
    weights = []
    for count in (steps * epochs, steps * epochs, steps * epochs - 1):
        trainer.prepare(problem)
        trainer.load(count)
        trainer.run_check(1)
        weights.append(trainer.weights())
    expected, same, fewer = weights
    assert drift(same, expected, problem.weights) == 0.0
    assert drift(fewer, expected, problem.weights) > check_tolerance(problem.workload)


def test_restart_begins_anew():
    problem = make_problem(WORKLOADS["tiny"])
    trainer = Adapter(1)
    trainer.prepare(problem)
    trainer.load(3)
    trainer.run(1)
    first = trainer.weights()
    trainer.run(2)
    trainer.restart()
    trainer.run(1)
    for a, b in zip(first, trainer.weights(), strict=True):
        np.testing.assert_array_equal(a, b)


class SlowWorker:
    """Answers like a worker each of whose steps takes `seconds`."""

    def __init__(self, seconds):
        self.seconds = seconds

    def ask(self, method, **values):
        if method in ("prepare", "load"):
            self.steps = values["steps"]
        times = self.seconds * self.steps * values.get("count", 1)
        return {"run": (times, times), "weights": []}.get(method, times)


@pytest.mark.parametrize(("seconds", "steps"), [(1e-4, 128), (0.0101, 60), (0.0999, 6), (5.0, 1)])
def test_slow_opponents_get_fewer_steps(seconds, steps):
    entrant = make_entrant("slow", "slow", "", 1)
    worker = SlowWorker(seconds)
    runner, _ = prepare_runner(worker, entrant, WORKLOADS["tiny"], Effort(1, 1.2, 0.6))
    assert runner.steps == worker.steps == entrant["steps"] == steps
    assert runner.count == max(1, round(1.2 / (steps * seconds)))
    assert bool(entrant["note"]) == (steps < 128)


@pytest.mark.parametrize(("name", "length"), [("tiny", (16, 1)), ("large", (8, 1)), ("mlp", (1, 16)), ("cnn", (4, 1))])
def test_lengths(name, length):
    assert check_length(WORKLOADS[name]) == length
