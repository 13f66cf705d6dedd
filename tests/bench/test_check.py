"""The check that all do the same work: one step left out of the compared ones is more than it allows."""

from __future__ import annotations

import numpy as np
import pytest

from fastgd.bench.harness import check_length, check_tolerance, drift
from fastgd.bench.opponents.native import Adapter
from fastgd.bench.workloads import WORKLOADS, make_problem


@pytest.mark.parametrize("name", ["tiny", "seed", "online", "fixed", "momentum", "regression"])
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


@pytest.mark.parametrize(("name", "length"), [("tiny", (16, 1)), ("large", (8, 1)), ("mlp", (1, 16))])
def test_lengths(name, length):
    assert check_length(WORKLOADS[name]) == length
