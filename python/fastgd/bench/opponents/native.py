"""fastgd itself, through its public API: a compiled model and `fit`."""

from __future__ import annotations

from typing import Any

import fastgd
from fastgd import runtime
from fastgd.bench.opponents.base import Array, Opponent
from fastgd.bench.opponents.keras_layers import make_model
from fastgd.bench.workloads import (
    BETA_1,
    BETA_2,
    EPSILON,
    KERAS_LOSSES,
    LEARNING_RATES,
    MOMENTUM,
    OUTPUT_ACTIVATIONS,
    Problem,
    Workload,
)


def build_model(workload: Workload) -> Any:
    """Return the compiled model of a workload, as a user would write it."""
    model = make_model(fastgd, workload, OUTPUT_ACTIVATIONS[workload.loss])
    rate = LEARNING_RATES[workload.optimizer]
    optimizer: fastgd.Optimizer
    if workload.optimizer == "adam":
        optimizer = fastgd.optimizers.Adam(rate, beta_1=BETA_1, beta_2=BETA_2, epsilon=EPSILON)
    else:
        optimizer = fastgd.optimizers.SGD(rate, momentum=MOMENTUM if workload.optimizer == "momentum" else 0.0)
    model.compile(optimizer=optimizer, loss=KERAS_LOSSES[workload.loss])
    return model


class Adapter(Opponent):
    """The native engine."""

    configuration = "Model.fit, no metrics"
    backend = "native"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        fastgd.backend(self.backend)
        self._limit_threads()

    def _limit_threads(self) -> None:
        runtime.set_num_threads(self.threads)

    def prepare(self, problem: Problem) -> None:
        """Build and compile the model."""
        self._problem = problem
        self._model = build_model(problem.workload)
        self.restart()
        self.load(problem.workload.steps)

    def load(self, steps: int) -> None:
        """Keep views of the first rows."""
        rows = steps * self._problem.workload.batch
        self._x, self._y = self._problem.x[:rows], self._problem.y[:rows]

    def restart(self) -> None:
        """Set the weights, and the optimizer's slots to zeros."""
        for variable, value in zip(self._model.weights, self._problem.weights, strict=True):
            variable.assign(value)
        optimizer = self._model.optimizer
        optimizer.iterations = 0
        for slot in optimizer.slots.values():
            slot[...] = 0

    def run(self, epochs: int) -> None:
        """Fit."""
        batch = self._problem.workload.batch
        self._model.fit(self._x, self._y, batch_size=batch, epochs=epochs, shuffle=False, verbose=0)

    def weights(self) -> list[Array]:
        """Return copies of the weights."""
        return [variable.value.copy() for variable in self._model.weights]

    def facts(self) -> dict[str, str]:
        """Return the instruction set and how the module was built."""
        return {"isa": runtime.isa(), **runtime.build_info()}
