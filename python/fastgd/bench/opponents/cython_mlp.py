"""Typed loops in Cython: what types alone give, without BLAS, vector code written by hand, or threads."""

from __future__ import annotations

import importlib
from typing import Any

from fastgd.bench.opponents.base import Array, Opponent
from fastgd.bench.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATES, MOMENTUM, Problem, Workload

# Above this many multiply-adds per step plain loops tell nothing new, and take long to do so.
LARGEST = 20_000_000


class Adapter(Opponent):
    """The module of benchmarks/opponents/cython_mlp, always on one thread."""

    configuration = "typed loops, -O3, no BLAS, 1 thread"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._module: Any = importlib.import_module("fastgd_cython_mlp")

    @staticmethod
    def refusal(workload: Workload) -> str | None:
        """Refuse what is not dense and what takes too long."""
        if not workload.is_dense:
            return "has dense layers only"
        return "too large for plain loops" if workload.parameters * workload.batch > LARGEST else None

    def prepare(self, problem: Problem) -> None:
        """Make the network."""
        workload = problem.workload
        self._problem = problem
        self._network = self._module.Network(
            workload.widths,
            workload.activation,
            workload.loss,
            workload.optimizer,
            workload.batch,
            workload.dtype,
            learning_rate=LEARNING_RATES[workload.optimizer],
            momentum=MOMENTUM,
            beta_1=BETA_1,
            beta_2=BETA_2,
            epsilon=EPSILON,
        )
        self.load(workload.steps)
        self.restart()

    def load(self, steps: int) -> None:
        """Keep views of the first rows, the targets as numbers."""
        rows = steps * self._problem.workload.batch
        y = self._problem.y.reshape(len(self._problem.y), -1)
        self._x = self._problem.x[:rows]
        self._y = y[:rows].astype(self._problem.workload.dtype)

    def restart(self) -> None:
        """Set the weights and clear the slots."""
        self._network.restart(self._problem.weights)

    def run(self, epochs: int) -> None:
        """Train."""
        self._network.train(self._x, self._y, epochs)

    def weights(self) -> list[Array]:
        """Return copies of the weights."""
        copies: list[Array] = self._network.weights()
        return copies
