"""What an adapter of a trainer must offer; one file of this folder for each."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy.typing as npt

from fastgd.bench.library import Library
from fastgd.bench.workloads import Problem, Workload

Array = npt.NDArray[Any]


class Opponent(Library):
    """A trainer on one workload after the other.

    The order of calls: `prepare`, then any number of `load`, `restart`, `run` and `weights`, then `prepare` again.
    """

    @staticmethod
    def refusal(workload: Workload) -> str | None:
        """Return why it cannot run a workload, None if it can."""
        return None

    @abstractmethod
    def prepare(self, problem: Problem) -> None:
        """Build the network, with the initial weights of `problem`."""

    @abstractmethod
    def load(self, steps: int) -> None:
        """Take the first `steps` batches of the problem for an epoch from now on."""

    @abstractmethod
    def restart(self) -> None:
        """Go back to the initial weights and a fresh optimizer."""

    @abstractmethod
    def run(self, epochs: int) -> None:
        """Train for so many epochs and return when they are done."""

    def run_check(self, epochs: int) -> None:
        """Train for so many epochs of which the weights will be compared: as `run`, but for what must be put right."""
        self.run(epochs)

    @abstractmethod
    def weights(self) -> list[Array]:
        """Return the weights in the order and the shapes of the problem's, averages that are not trained included."""

    def facts(self) -> dict[str, str]:
        """Return what else to know about the library: which kernels it picked, how it was built."""
        return {}
