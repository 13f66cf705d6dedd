"""PyTorch with torch.compile over network, loss and, through autograd, their backward pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastgd.bench.opponents import torch_eager
from fastgd.bench.workloads import Workload


class Adapter(torch_eager.Adapter):
    """The eager one with its loss function compiled; it needs a C++ compiler when it runs."""

    configuration = "torch.compile of network and loss, fused optimizer, batches in memory"

    def _make_loss(self, workload: Workload) -> Callable[[Any, Any], Any]:
        # Without this, code and guards of the workload before are looked through first.
        self._torch.compiler.reset()
        compiled: Callable[[Any, Any], Any] = self._torch.compile(super()._make_loss(workload), dynamic=False)
        return compiled
