"""PyTorch: torch.mm, its convolutions and fused Adam, functions with `out`, and a step as its users write it."""

from __future__ import annotations

import importlib
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np

from fastgd.bench.calls.base import Array, Calls
from fastgd.bench.calls.cases import Case
from fastgd.bench.opponents import torch_eager
from fastgd.bench.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATES, WORKLOADS, make_problem


class Adapter(Calls):
    """Tensors that share memory with the arrays of the case."""

    configuration = (
        "torch.mm with out=; convolutions in the faster order of axes; fused Adam; a step of its own loop; "
        "forward in inference mode"
    )

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._torch: Any = importlib.import_module("torch")
        self._torch.set_num_threads(threads)

    def to_array(self, value: Any) -> Array:
        """Return a tensor as an array."""
        array: Array = value.detach().numpy()
        return array

    def _tensors(self, case: Case, *names: str) -> list[Any]:
        arrays = case.arrays()
        return [self._torch.from_numpy(arrays[name]) for name in names]

    def _make_product(self, case: Case) -> Callable[[], Any]:
        torch = self._torch
        a, b, out = self._tensors(case, "a", "b", "out")
        left = a.T if case.form == "transpose_a" else a
        right = b.T if case.form == "transpose_b" else b
        return lambda: torch.mm(left, right, out=out)

    def _make_convolution(self, case: Case) -> Callable[[], Any]:
        """Return the call with channels first or last in memory, whichever a few calls show to be faster."""
        memory_formats = [self._torch.contiguous_format]
        if case.windows.axes == 2:
            memory_formats.append(self._torch.channels_last)
        calls = [self._convolve(case, memory_format) for memory_format in memory_formats]
        seconds = [min(timeit.repeat(call, number=1, repeat=4)) for call in calls] if len(calls) > 1 else [0.0]
        return calls[seconds.index(min(seconds))]

    def _convolve(self, case: Case, memory_format: Any) -> Callable[[], Any]:
        torch, windows = self._torch, case.windows
        x, w, dy = self._tensors(case, "x", "w", "dy")
        space = range(1, windows.axes + 1)
        # The kernel (window, inputs, outputs) becomes (outputs, inputs, window); a depthwise one has one input.
        outer = (-2, -1) if windows.depthwise else (-1, -2)
        first, last = (0, -1, *space), (0, *(axis + 1 for axis in space), 1)
        kernel = (*outer, *range(windows.axes))
        x, dy, w = (
            tensor.permute(axes).contiguous(memory_format=memory_format)
            for tensor, axes in ((x, first), (dy, first), (w, kernel))
        )
        back = (*range(2, windows.axes + 2), *((0, 1) if windows.depthwise else (1, 0)))
        how = tuple((number,) * windows.axes for number in (windows.stride, windows.padding, windows.dilation))
        groups = windows.filters if windows.depthwise else 1
        if case.form == "forward":
            convolve = torch.convolution
            return lambda: convolve(x, w, None, *how, False, (0,) * windows.axes, groups).permute(last)
        backward = torch.ops.aten.convolution_backward
        wanted = [case.form == "to_data", case.form == "to_weights", False]
        rest = (*how, False, (0,) * windows.axes, groups, wanted)
        if case.form == "to_data":
            return lambda: backward(dy, x, w, None, *rest)[0].permute(last)
        return lambda: backward(dy, x, w, None, *rest)[1].permute(back)

    def _make_adam(self, case: Case) -> Callable[[], Any]:
        w, g = self._tensors(case, "w", "g")
        parameter = self._torch.nn.Parameter(w)
        parameter.grad = g
        optimizer = self._torch.optim.Adam(
            [parameter], lr=LEARNING_RATES["adam"], betas=(BETA_1, BETA_2), eps=EPSILON, fused=True
        )

        def call() -> Any:
            optimizer.step()
            return parameter

        return call

    def _make_elementary(self, case: Case) -> Callable[[], Any]:
        x, out = self._tensors(case, "x", "out")
        function = getattr(self._torch, case.form)
        return lambda: function(x, out=out)

    def _make_crossentropy(self, case: Case) -> Callable[[], Any]:
        arrays = case.arrays()
        logits = self._torch.from_numpy(arrays["logits"]).requires_grad_()
        targets = self._torch.from_numpy(arrays["targets"].astype(np.int64))
        functional = self._torch.nn.functional
        ones = self._torch.ones(len(logits), dtype=logits.dtype)

        def call() -> Any:
            logits.grad = None
            losses = functional.cross_entropy(logits, targets, reduction="none")
            losses.backward(ones)
            return losses

        return call

    def _make_train(self, case: Case) -> Callable[[], Any]:
        trainer = torch_eager.Adapter(self.threads)
        trainer.prepare(make_problem(WORKLOADS[case.form]))
        trainer.load(1)

        def call() -> Any:
            trainer.run(1)
            return trainer.network[0].weight.T

        return call

    def _make_predict(self, case: Case) -> Callable[[], Any]:
        torch = self._torch
        problem = make_problem(WORKLOADS[case.form])
        trainer = torch_eager.Adapter(self.threads)
        trainer.prepare(problem)
        network = trainer.network
        x = torch.from_numpy(problem.x[: case.shape[0]])

        def call() -> Any:
            with torch.inference_mode():
                return torch.softmax(network(x), -1)

        return call
