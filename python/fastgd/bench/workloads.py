"""The training problems of the suite as data: networks, batches, optimizers, and the numbers that they start from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.utils.errors import unknown

Array = npt.NDArray[Any]

# What each loss stands for: the activation of the last layer, and the name of the loss that Keras gives it.
OUTPUT_ACTIVATIONS = {"softmax": "softmax", "sigmoid": "sigmoid", "mse": "linear"}
KERAS_LOSSES = {
    "softmax": "sparse_categorical_crossentropy",
    "sigmoid": "binary_crossentropy",
    "mse": "mean_squared_error",
}

# Keras' numbers, for everyone.
LEARNING_RATES = {"adam": 1e-3, "sgd": 1e-2, "momentum": 1e-2}
MOMENTUM = 0.9
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7


@dataclass(frozen=True)
class Workload:
    """A dense network and how it is trained.

    Attributes:
        name: what the command line calls it.
        widths: the inputs, then the units of each layer.
        activation: that of the hidden layers.
        loss: "softmax" or "sigmoid" (each with its cross-entropy) or "mse".
        batch: samples per step.
        optimizer: "adam", "sgd" or "momentum".
        rows: samples per epoch, a multiple of the batch.
        dtype: "float32" or "float64".
        quick: whether the short run has it.
    """

    name: str
    widths: tuple[int, ...]
    activation: str
    loss: str
    batch: int
    optimizer: str
    rows: int
    dtype: str = "float32"
    quick: bool = False

    @property
    def steps(self) -> int:
        """The steps of an epoch."""
        return self.rows // self.batch

    @property
    def activations(self) -> tuple[str, ...]:
        """The activation of each layer."""
        return (*(self.activation for _ in self.widths[1:-1]), OUTPUT_ACTIVATIONS[self.loss])

    @property
    def parameters(self) -> int:
        """The number of weights and biases."""
        return sum(i * u + u for i, u in pairwise(self.widths))

    @property
    def description(self) -> str:
        """The network, the loss, the batch and the optimizer in a few words."""
        hidden = f"{self.activation}, " if len(self.widths) > 2 else ""
        size = "full batch" if self.steps == 1 else f"batch {self.batch}"
        optimizer = {"adam": "Adam", "sgd": "SGD", "momentum": "SGD with momentum"}[self.optimizer]
        dtype = "" if self.dtype == "float32" else f", {self.dtype}"
        return f"{'-'.join(map(str, self.widths))}, {hidden}{self.loss}, {size}, {optimizer}{dtype}"


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("tiny", (64, 32, 10), "relu", "softmax", 32, "adam", 4096, quick=True),
        Workload("seed", (20, 64, 32, 5), "relu", "softmax", 32, "sgd", 4096),
        Workload("mnist", (784, 128, 10), "relu", "softmax", 32, "adam", 2048, quick=True),
        Workload("medium", (784, 512, 512, 10), "relu", "softmax", 128, "adam", 4096, quick=True),
        Workload("large", (1024, 2048, 2048, 1000), "relu", "softmax", 256, "adam", 2048),
        Workload("wide", (512, 4096, 10), "relu", "softmax", 64, "adam", 2048),
        Workload("online", (30, 1), "linear", "sigmoid", 1, "sgd", 16384, quick=True),
        Workload("mlp", (4, 32, 16, 4), "tanh", "mse", 10000, "adam", 10000),
        Workload("fixed", (4, 8, 4), "tanh", "mse", 1, "adam", 8192),
        Workload("tanh", (128, 256, 256, 10), "tanh", "softmax", 64, "adam", 2048),
        Workload("sigmoid", (64, 128, 64, 1), "sigmoid", "sigmoid", 64, "sgd", 4096),
        Workload("float64", (128, 256, 10), "relu", "softmax", 64, "adam", 4096, dtype="float64"),
        Workload("momentum", (784, 256, 10), "relu", "softmax", 64, "momentum", 2048),
        Workload("regression", (13, 64, 64, 1), "relu", "mse", 32, "adam", 4096),
    )
}


def find_workloads(names: Iterable[str]) -> list[Workload]:
    """Return the workloads of these names.

    Raises:
        ValueError: if one is unknown; the message lists those that are known.
    """
    chosen = []
    for name in names:
        if name not in WORKLOADS:
            raise unknown("workload", WORKLOADS, workloads=name)
        chosen.append(WORKLOADS[name])
    return chosen


@dataclass(frozen=True)
class Problem:
    """What every opponent of a workload is given.

    Attributes:
        workload: the workload.
        x: inputs (rows, widths[0]).
        y: int32 labels (rows,) for softmax, else numbers (rows, widths[-1]).
        weights: a kernel (inputs, units) and a bias (units,) for each layer in turn.
    """

    workload: Workload
    x: Array
    y: Array
    weights: list[Array]


def make_problem(workload: Workload) -> Problem:
    """Return data and initial weights of a workload: the same in every process.

    The targets are noise. A network that came to fit them perfectly would have gradients of zeros and subnormal
    numbers, whose speed differs from that of others.
    """
    rng = np.random.default_rng(20240229)
    rows, outputs = workload.rows, workload.widths[-1]
    x = rng.standard_normal((rows, workload.widths[0])).astype(workload.dtype)
    if workload.loss == "softmax":
        y: Array = rng.integers(0, outputs, rows).astype(np.int32)
    elif workload.loss == "sigmoid":
        y = rng.integers(0, 2, (rows, outputs)).astype(workload.dtype)
    else:
        y = rng.standard_normal((rows, outputs)).astype(workload.dtype)
    weights: list[Array] = []
    for i, u in pairwise(workload.widths):
        limit = np.sqrt(6.0 / (i + u))
        weights += [rng.uniform(-limit, limit, (i, u)).astype(workload.dtype), np.zeros(u, workload.dtype)]
    return Problem(workload, x, y, weights)
