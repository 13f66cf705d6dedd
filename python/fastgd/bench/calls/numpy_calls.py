"""NumPy: products by its BLAS, the rest by expressions that reuse their memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgd.bench.calls.base import Array, Calls
from fastgd.bench.calls.cases import Case
from fastgd.bench.workloads import BETA_1, BETA_2, EPSILON, LEARNING_RATES


class Adapter(Calls):
    """np.matmul and ufuncs, all with `out`."""

    configuration = "np.matmul and ufuncs with out="

    def to_array(self, value: Any) -> Array:
        """Return it as it is."""
        array: Array = value
        return array

    def _make_product(self, case: Case) -> Callable[[], Any]:
        a, b, out = (case.arrays()[name] for name in ("a", "b", "out"))
        left = a.T if case.form == "transpose_a" else a
        right = b.T if case.form == "transpose_b" else b
        return lambda: np.matmul(left, right, out=out)

    def _make_convolution(self, case: Case) -> None:
        # NumPy has none of images.
        return None

    def _make_adam(self, case: Case) -> Callable[[], Any]:
        w, g, m, v = (case.arrays()[name] for name in ("w", "g", "m", "v"))
        first, second = np.empty_like(w), np.empty_like(w)
        step = 0

        def call() -> Any:
            nonlocal step
            step += 1
            scale = LEARNING_RATES["adam"] * (1 - BETA_2**step) ** 0.5 / (1 - BETA_1**step)
            np.subtract(g, m, out=first)
            np.multiply(first, 1 - BETA_1, out=first)
            np.add(m, first, out=m)
            np.multiply(g, g, out=first)
            np.subtract(first, v, out=first)
            np.multiply(first, 1 - BETA_2, out=first)
            np.add(v, first, out=v)
            np.sqrt(v, out=first)
            np.add(first, EPSILON, out=first)
            np.multiply(m, scale, out=second)
            np.divide(second, first, out=second)
            return np.subtract(w, second, out=w)

        return call

    def _make_elementary(self, case: Case) -> Callable[[], Any]:
        x, out = (case.arrays()[name] for name in ("x", "out"))
        if case.form != "sigmoid":
            function = getattr(np, case.form)
            return lambda: function(x, out=out)

        def sigmoid() -> Any:
            np.negative(x, out=out)
            np.exp(out, out=out)
            np.add(out, 1, out=out)
            return np.reciprocal(out, out=out)

        return sigmoid

    def _make_crossentropy(self, case: Case) -> Callable[[], Any]:
        logits, targets = (case.arrays()[name] for name in ("logits", "targets"))
        rows = np.arange(len(logits))

        def call() -> Any:
            shifted = logits - logits.max(-1, keepdims=True)
            chosen = shifted[rows, targets]
            np.exp(shifted, out=shifted)
            total = shifted.sum(-1, keepdims=True)
            losses = np.log(total[:, 0]) - chosen
            shifted /= total
            shifted[rows, targets] -= 1
            return losses

        return call

    def _make_train(self, case: Case) -> None:
        # NumPy has no networks.
        return None

    def _make_predict(self, case: Case) -> None:
        return None
