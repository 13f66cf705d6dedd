"""PyTorch, eager: fused optimizers, batches as views of tensors in memory, no DataLoader."""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from fastgd.bench.opponents.base import Array, Opponent
from fastgd.bench.opponents.torch_network import TO_CHANNELS_FIRST, find_tensors, from_torch, make_modules, to_torch
from fastgd.bench.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATES, MOMENTUM, Problem, Workload

# How the lines of PyTorch's configuration begin that name its kernels.
COMPUTES_WITH = ("Intel(R) oneAPI", "Intel(R) MKL-DNN", "OpenMP", "LAPACK", "CPU capability")


# Steps by which the order of axes in memory is chosen, after one that is not measured.
TRIALS = 3


class Adapter(Opponent):
    """Sequential, a functional loss from logits, backward, a fused optimizer.

    Images lie in memory with channels first or with channels last, whichever a few steps show to be faster.
    """

    configuration = "eager, fused optimizer, batches in memory; images in the faster of both orders"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._torch: Any = importlib.import_module("torch")
        # Inside an operation; there is only ever one operation at a time.
        self._torch.set_num_threads(threads)

    def prepare(self, problem: Problem) -> None:
        """Build the module and the loss."""
        self._problem = problem
        if len(problem.workload.inputs) == 3:
            formats = [self._torch.contiguous_format, self._torch.channels_last]
            seconds = [self._try(memory_format) for memory_format in formats]
            self._build(formats[seconds.index(min(seconds))])
        else:
            self._build(self._torch.contiguous_format)
        self._loss = self._make_loss(problem.workload)
        self.load(problem.workload.steps)

    def _build(self, memory_format: Any) -> None:
        workload = self._problem.workload
        self._format = memory_format
        modules = make_modules(self._torch, workload)
        self.network = self._torch.nn.Sequential(*modules).to(memory_format=memory_format)
        # What is compiled is compiled only once the order is known.
        self._loss = Adapter._make_loss(self, workload)
        self.restart()

    def _try(self, memory_format: Any) -> float:
        """Return the shortest of a few steps with images in this order."""
        self._build(memory_format)
        self.load(1)
        self.run(1)
        seconds = []
        for _ in range(TRIALS):
            start = time.perf_counter()
            self.run(1)
            seconds.append(time.perf_counter() - start)
        return min(seconds)

    def _make_loss(self, workload: Workload) -> Callable[[Any, Any], Any]:
        """Return the function from one batch to its loss."""
        functional = self._torch.nn.functional
        names = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy_with_logits", "mse": "mse_loss"}
        criterion, network = getattr(functional, names[workload.loss]), self.network

        if workload.label_shape and workload.loss == "softmax":
            return lambda x, y: criterion(network(x).flatten(0, -2), y.flatten())

        return lambda x, y: criterion(network(x), y)

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
        rows = steps * batch
        y = self._problem.y[:rows]
        # PyTorch wants labels and tokens of 64 bits.
        targets, inputs = (
            torch.from_numpy(a.astype(np.int64) if a.dtype == np.int32 else a) for a in (y, self._problem.x[:rows])
        )
        if inputs.ndim == 4:
            inputs = inputs.permute(TO_CHANNELS_FIRST).contiguous(memory_format=self._format)
        self._batches = list(zip(inputs.split(batch), targets.split(batch), strict=True))

    def restart(self) -> None:
        """Set the weights, and make a new optimizer."""
        torch = self._torch
        with torch.no_grad():
            values = to_torch(self._problem.workload, self._problem.weights)
            for tensor, value in zip(find_tensors(self.network), values, strict=True):
                tensor.copy_(torch.from_numpy(np.ascontiguousarray(value).reshape(tensor.shape)))
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
        """Return the weights in the order of axes that the others have."""
        return from_torch(self._problem.workload, [tensor.numpy() for tensor in find_tensors(self.network)])

    def facts(self) -> dict[str, str]:
        """Return what the build was configured with."""
        torch = self._torch
        # Of the whole configuration only what computes: the rest are flags and paths of the machine that built it.
        lines = [line.strip(" -") for line in torch.__config__.show().splitlines()]
        config = "; ".join(line for line in lines if line.startswith(COMPUTES_WITH))
        return {"cpu_capability": str(torch.backends.cpu.get_cpu_capability()), "config": config}
