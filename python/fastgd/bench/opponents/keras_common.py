"""Keras through `fit`, on whichever backend the environment names: what its two adapters share."""

from __future__ import annotations

import importlib
from typing import Any, ClassVar

import numpy as np

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
)


class KerasOpponent(Opponent):
    """A model with a loss from logits, compiled for a whole epoch per execution.

    Attributes:
        jit_compile: as in Keras' `compile`.
    """

    jit_compile: ClassVar[bool | str] = "auto"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._keras: Any = importlib.import_module("keras")

    def prepare(self, problem: Problem) -> None:
        """Build the model; `load` compiles it."""
        keras, workload = self._keras, problem.workload
        self._problem = problem
        keras.backend.clear_session()
        self._model = make_model(keras, workload)
        self.load(workload.steps)

    def load(self, steps: int) -> None:
        """Take the first rows, and compile."""
        workload = self._problem.workload
        rows = steps * workload.batch
        self._data = self._prepare_data(self._problem.x[:rows], self._problem.y[:rows])
        self._compile(steps)
        self.restart()

    def _prepare_data(self, x: Array, y: Array) -> dict[str, Any]:
        """Return the arguments of `fit` that hold the data."""
        return {"x": x, "y": y, "batch_size": self._problem.workload.batch, "shuffle": False}

    def _compile(self, steps: int) -> None:
        keras, workload = self._keras, self._problem.workload
        classes = {
            "sparse_categorical_crossentropy": keras.losses.SparseCategoricalCrossentropy,
            "binary_crossentropy": keras.losses.BinaryCrossentropy,
            "mean_squared_error": keras.losses.MeanSquaredError,
        }
        from_logits = {} if OUTPUT_ACTIVATIONS[workload.loss] == "linear" else {"from_logits": True}
        rate = LEARNING_RATES[workload.optimizer]
        if workload.optimizer == "adam":
            optimizer = keras.optimizers.Adam(rate, beta_1=BETA_1, beta_2=BETA_2, epsilon=EPSILON)
        else:
            optimizer = keras.optimizers.SGD(rate, momentum=MOMENTUM if workload.optimizer == "momentum" else 0.0)
        self._model.compile(
            optimizer=optimizer,
            loss=classes[KERAS_LOSSES[workload.loss]](**from_logits),
            steps_per_execution=steps,
            jit_compile=self.jit_compile,
        )
        optimizer.build(self._model.trainable_variables)
        self._fresh = [np.array(variable.value) for variable in optimizer.variables]

    def restart(self) -> None:
        """Set the weights and the variables of the optimizer."""
        self._model.set_weights(self._problem.weights)
        for variable, value in zip(self._model.optimizer.variables, self._fresh, strict=True):
            variable.assign(value)

    def run(self, epochs: int) -> None:
        """Fit."""
        self._model.fit(**self._data, epochs=epochs, verbose=0)

    def weights(self) -> list[Array]:
        """Return the weights."""
        return [np.array(variable.value) for variable in self._model.weights]
