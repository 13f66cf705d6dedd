"""The training problems of the suite as data: networks, batches, optimizers, and the numbers that they start from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.bench.networks import (
    Activation,
    Convolution,
    Dense,
    DepthwiseConvolution,
    Flatten,
    GlobalAveragePooling,
    Layer,
    MaxPooling,
    Shape,
    Variable,
    dense,
    describe,
    normalized,
    shapes_of,
)
from fastgd.bench.sequences import Embedding, MeanOverTime, Recurrent, SelfAttention, SequenceLayer
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
    """A network and how it is trained.

    Attributes:
        name: what the command line calls it.
        inputs: the shape of one sample, its channels last.
        layers: the layers; the last one gives logits, or plain numbers for "mse".
        loss: "softmax" or "sigmoid" (each with its cross-entropy) or "mse".
        batch: samples per step.
        optimizer: "adam", "sgd" or "momentum".
        rows: samples per epoch, a multiple of the batch.
        dtype: "float32" or "float64".
        quick: whether the short run has it.
    """

    name: str
    inputs: Shape
    layers: tuple[Layer, ...]
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
    def outputs(self) -> int:
        """The numbers that the last layer gives for a sample."""
        last = self.layers[-1]
        assert isinstance(last, Dense)
        return last.units

    @property
    def is_dense(self) -> bool:
        """Whether the network has only dense layers."""
        return all(isinstance(layer, Dense) for layer in self.layers)

    @property
    def is_sequential(self) -> bool:
        """Whether the network is one for sequences."""
        return any(isinstance(layer, SequenceLayer) for layer in self.layers)

    @property
    def vocabulary(self) -> int | None:
        """Below what the inputs, whole numbers then, lie; None for numbers of the dtype."""
        first = self.layers[0]
        return first.vocabulary if isinstance(first, Embedding) else None

    @property
    def input_dtype(self) -> str:
        """The dtype of the inputs."""
        return self.dtype if self.vocabulary is None else "int32"

    @property
    def label_shape(self) -> Shape:
        """The shape of the labels of one sample: one, or one per step where every step is predicted."""
        return list(shapes_of(self.inputs, self.layers))[-1][1][:-1]

    @property
    def widths(self) -> tuple[int, ...]:
        """Of a network of dense layers: the inputs, then the units of each layer."""
        return (*self.inputs, *(layer.units for layer in self.layers if isinstance(layer, Dense)))

    @property
    def activation(self) -> str:
        """The activation of the hidden layers: they share one."""
        used = {layer.function for layer in self.layers if isinstance(layer, Activation)}
        used |= {layer.activation for layer in self.layers[:-1] if isinstance(layer, (Dense, Convolution))}
        return next(iter(sorted(used - {"linear"})), "linear")

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """The weights of all layers in turn."""
        return tuple(v for layer, shape in shapes_of(self.inputs, self.layers) for v in layer.variables(shape))

    @property
    def parameters(self) -> int:
        """The number of weights and biases that are trained."""
        return sum(prod(variable.shape) for variable in self.variables if variable.trained)

    @property
    def description(self) -> str:
        """The network, the loss, the batch and the optimizer in a few words."""
        hidden = f"{self.activation}, " if len(self.layers) > 1 and not self.is_sequential else ""
        size = "full batch" if self.steps == 1 else f"batch {self.batch}"
        optimizer = {"adam": "Adam", "sgd": "SGD", "momentum": "SGD with momentum"}[self.optimizer]
        dtype = "" if self.dtype == "float32" else f", {self.dtype}"
        network = describe(self.inputs, self.layers)
        return f"{network}, {hidden}{self.loss}, {size}, {optimizer}{dtype}"


CNN = (
    Convolution(3, filters=32, activation="relu"),
    MaxPooling(),
    Convolution(3, filters=64, activation="relu"),
    MaxPooling(),
    Flatten(),
    *dense(128, 10),
)
LENET = (
    Convolution(5, padding="same", filters=6, activation="relu"),
    MaxPooling(),
    Convolution(5, filters=16, activation="relu"),
    MaxPooling(),
    Flatten(),
    *dense(120, 84, 10),
)


def _same(filters: int) -> tuple[Layer, ...]:
    # A bias would be taken away by the normalisation: its gradient is rounding alone, which Adam makes full steps of.
    return normalized(Convolution(3, padding="same", filters=filters, bias=False))


def _separable(filters: int, stride: int) -> tuple[Layer, ...]:
    depthwise = DepthwiseConvolution(3, stride, "same" if stride == 1 else "valid")
    return (*normalized(depthwise), *normalized(Convolution(1, filters=filters, bias=False)))


CIFAR = (*_same(32), *_same(32), MaxPooling(), *_same(64), *_same(64), MaxPooling(), Flatten(), *dense(128, 10))
SEPARABLE = (
    *normalized(Convolution(3, 2, filters=32, bias=False)),
    *_separable(64, 1),
    *_separable(128, 2),
    *_separable(128, 1),
    GlobalAveragePooling(),
    *dense(10),
)
CHARACTERS = (Embedding(80, 32), Recurrent("lstm", 128, sequences=True), *dense(80))
TWO_WAYS = (Recurrent("lstm", 64, sequences=True, both=True), Recurrent("lstm", 64, both=True), *dense(10))

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("tiny", (64,), dense(32, 10), "softmax", 32, "adam", 4096, quick=True),
        Workload("seed", (20,), dense(64, 32, 5), "softmax", 32, "sgd", 4096),
        Workload("mnist", (784,), dense(128, 10), "softmax", 32, "adam", 2048, quick=True),
        Workload("medium", (784,), dense(512, 512, 10), "softmax", 128, "adam", 4096, quick=True),
        Workload("large", (1024,), dense(2048, 2048, 1000), "softmax", 256, "adam", 2048),
        Workload("wide", (512,), dense(4096, 10), "softmax", 64, "adam", 2048),
        Workload("online", (30,), dense(1), "sigmoid", 1, "sgd", 16384, quick=True),
        Workload("mlp", (4,), dense(32, 16, 4, activation="tanh"), "mse", 10000, "adam", 10000),
        Workload("fixed", (4,), dense(8, 4, activation="tanh"), "mse", 1, "adam", 8192),
        Workload("tanh", (128,), dense(256, 256, 10, activation="tanh"), "softmax", 64, "adam", 2048),
        Workload("sigmoid", (64,), dense(128, 64, 1, activation="sigmoid"), "sigmoid", 64, "sgd", 4096),
        Workload("float64", (128,), dense(256, 10), "softmax", 64, "adam", 4096, dtype="float64"),
        Workload("momentum", (784,), dense(256, 10), "softmax", 64, "momentum", 2048),
        Workload("regression", (13,), dense(64, 64, 1), "mse", 32, "adam", 4096),
        Workload("cnn", (28, 28, 1), CNN, "softmax", 64, "adam", 2048, quick=True),
        Workload("lenet", (28, 28, 1), LENET, "softmax", 64, "adam", 2048, quick=True),
        Workload("cifar", (32, 32, 3), CIFAR, "softmax", 64, "adam", 1024),
        Workload("separable", (32, 32, 3), SEPARABLE, "softmax", 64, "adam", 1024),
        Workload("lstm", (28, 28), (Recurrent("lstm", 128), *dense(10)), "softmax", 64, "adam", 2048, quick=True),
        Workload("gru", (28, 28), (Recurrent("gru", 128), *dense(10)), "softmax", 64, "adam", 2048),
        Workload("rnn", (28, 28), (Recurrent("simple_rnn", 128), *dense(10)), "softmax", 64, "adam", 2048),
        Workload("long", (100, 64), (Recurrent("lstm", 256), *dense(10)), "softmax", 32, "adam", 512),
        Workload("bidirectional", (50, 64), TWO_WAYS, "softmax", 32, "adam", 1024),
        Workload("characters", (64,), CHARACTERS, "softmax", 32, "adam", 1024),
        Workload("embedding", (200,), (Embedding(50_000, 64), MeanOverTime(), *dense(10)), "softmax", 64, "adam", 4096),
        Workload("attention", (64, 128), (SelfAttention(4), MeanOverTime(), *dense(10)), "softmax", 32, "adam", 1024),
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
        x: inputs (rows, *inputs), int32 where they are tokens.
        y: int32 labels (rows,), or (rows, time), for softmax, else numbers (rows, outputs).
        weights: the variables of the workload.
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
    rows, outputs = workload.rows, workload.outputs
    if workload.vocabulary is None:
        x: Array = rng.standard_normal((rows, *workload.inputs)).astype(workload.dtype)
    else:
        x = rng.integers(0, workload.vocabulary, (rows, *workload.inputs)).astype(workload.input_dtype)
    if workload.loss == "softmax":
        y: Array = rng.integers(0, outputs, (rows, *workload.label_shape)).astype(np.int32)
    elif workload.loss == "sigmoid":
        y = rng.integers(0, 2, (rows, outputs)).astype(workload.dtype)
    else:
        y = rng.standard_normal((rows, outputs)).astype(workload.dtype)
    weights: list[Array] = []
    for variable in workload.variables:
        if variable.limit is None:
            weights.append(np.full(variable.shape, variable.value, workload.dtype))
        else:
            weights.append(rng.uniform(-variable.limit, variable.limit, variable.shape).astype(workload.dtype))
    return Problem(workload, x, y, weights)
