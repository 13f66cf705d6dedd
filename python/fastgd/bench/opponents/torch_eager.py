"""PyTorch, eager: fused optimizers, batches as views of tensors in memory, no DataLoader."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from fastgd.bench.opponents.base import Array, Opponent
from fastgd.bench.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATES, MOMENTUM, Problem, Workload

# How the lines of PyTorch's configuration begin that name its kernels.
COMPUTES_WITH = ("Intel(R) oneAPI", "Intel(R) MKL-DNN", "OpenMP", "LAPACK", "CPU capability")


class Adapter(Opponent):
    """Sequential, a functional loss from logits, backward, a fused optimizer."""

    configuration = "eager, fused optimizer, batches in memory"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._torch: Any = importlib.import_module("torch")
        # Inside an operation; there is only ever one operation at a time.
        self._torch.set_num_threads(threads)

    def prepare(self, problem: Problem) -> None:
        """Build the module and the loss."""
        torch, workload = self._torch, problem.workload
        self._problem = problem
        classes = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}
        dtype = getattr(torch, workload.dtype)
        modules: list[Any] = []
        for i, u in pairwise(workload.widths):
            modules += [torch.nn.Linear(i, u, dtype=dtype), classes.get(workload.activation, torch.nn.Identity)()]
        # The last layer gives logits or plain numbers.
        self.network = torch.nn.Sequential(*modules[:-1])
        self._loss = self._make_loss(workload)
        self.load(workload.steps)
        self.restart()

    def _make_loss(self, workload: Workload) -> Callable[[Any, Any], Any]:
        """Return the function from one batch to its loss."""
        functional = self._torch.nn.functional
        names = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy_with_logits", "mse": "mse_loss"}
        criterion, network = getattr(functional, names[workload.loss]), self.network

        def loss(x: Any, y: Any) -> Any:
            return criterion(network(x), y)

        return loss

    def _make_optimizer(self) -> Any:
        optim, parameters = self._torch.optim, self.network.parameters()
        workload = self._problem.workload
        rate = LEARNING_RATES[workload.optimizer]
        if workload.optimizer == "adam":
            return optim.Adam(parameters, lr=rate, betas=(BETA_1, BETA_2), eps=EPSILON, fused=True)
        momentum = MOMENTUM if workload.optimizer == "momentum" else 0.0
        return optim.SGD(parameters, lr=rate, momentum=momentum, fused=True)

    def load(self, steps: int) -> None:
        """Cut the data into batches."""
        torch, batch = self._torch, self._problem.workload.batch
        y = self._problem.y
        # PyTorch wants labels of 64 bits.
        targets = torch.from_numpy(y.astype(np.int64) if y.dtype == np.int32 else y)
        inputs = torch.from_numpy(self._problem.x)
        self._batches = list(zip(inputs.split(batch), targets.split(batch), strict=True))[:steps]

    def restart(self) -> None:
        """Set the weights, and make a new optimizer."""
        torch = self._torch
        with torch.no_grad():
            for parameter, value in zip(self.network.parameters(), self._problem.weights, strict=True):
                # A Linear layer keeps its kernel as (units, inputs).
                parameter.copy_(torch.from_numpy(value.T))
        self._optimizer = self._make_optimizer()

    def run(self, epochs: int) -> None:
        """Train."""
        optimizer, compute_loss = self._optimizer, self._loss
        for _ in range(epochs):
            for x, y in self._batches:
                optimizer.zero_grad(set_to_none=True)
                compute_loss(x, y).backward()
                optimizer.step()

    def run_check(self, epochs: int) -> None:
        """Train with Adam's epsilon moved, before each step, to where Keras and all others have it.

        PyTorch adds it after the correction of the second moment; where gradients are small that is another update. It
        costs the same time, so `run` leaves it alone.
        """
        if self._problem.workload.optimizer != "adam":
            self.run(epochs)
            return
        batches = self._batches
        for step, batch in enumerate(batches * epochs, 1):
            self._optimizer.param_groups[0]["eps"] = EPSILON / math.sqrt(1 - BETA_2**step)
            self._batches = [batch]
            self.run(1)
        self._batches = batches

    def weights(self) -> list[Array]:
        """Return the weights with kernels as (inputs, units)."""
        return [parameter.detach().numpy().T.copy() for parameter in self.network.parameters()]

    def facts(self) -> dict[str, str]:
        """Return what the build was configured with."""
        torch = self._torch
        # Of the whole configuration only what computes: the rest are flags and paths of the machine that built it.
        lines = [line.strip(" -") for line in torch.__config__.show().splitlines()]
        config = "; ".join(line for line in lines if line.startswith(COMPUTES_WITH))
        return {"cpu_capability": str(torch.backends.cpu.get_cpu_capability()), "config": config}
