"""The kernels and single calls of the suite as data: matrix products, Adam, elementary functions, one step, one row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ITEM_SIZES = {"float32": 4, "float64": 8}


@dataclass(frozen=True)
class Case:
    """One call that is repeated.

    Attributes:
        family: "product", "adam", "elementary", "crossentropy", "train" or "predict".
        shape: (m, k, n) of a product of (m, k) by (k, n), else the shape of the array.
        form: of a product "plain", "transpose_a" or "transpose_b", of an elementary function its name, else the name of
            the workload or nothing.
        dtype: "float32" or "float64".
        single: whether it is measured on one thread only; with all threads otherwise.
        quick: whether the short run has it.
    """

    family: str
    shape: tuple[int, ...]
    form: str = ""
    dtype: str = "float32"
    single: bool = True
    quick: bool = False

    @property
    def name(self) -> str:
        """What the results call it."""
        size = "x".join(map(str, self.shape))
        dtype = "" if self.dtype == "float32" else f" {self.dtype}"
        threads = "" if self.single else ", all threads"
        form = "" if self.form == "plain" else self.form
        return " ".join(part for part in (self.family, size, form) if part) + dtype + threads

    @property
    def description(self) -> str:
        """What is computed."""
        return {
            "product": "c = a b, the matrix named in the form stored transposed",
            "adam": "one update in place of so many parameters",
            "elementary": "a function of every element into a given array",
            "crossentropy": "softmax with cross-entropy: losses and gradients",
            "train": "one call for one step: train_on_batch, or a step of the library's own loop",
            "predict": "one call for the outputs of one row",
        }[self.family]

    @property
    def arithmetic(self) -> float:
        """Floating-point operations, where they are what counts."""
        return 2.0 * np.prod(self.shape, dtype=float) if self.family == "product" else 0.0

    @property
    def traffic(self) -> float:
        """Bytes that must be read and written, where they are what counts."""
        # Adam reads w, g, m, v and writes w, m, v; a function reads and writes one array.
        passes = {"adam": 7, "elementary": 2}.get(self.family, 0)
        return float(np.prod(self.shape, dtype=float) * passes * ITEM_SIZES[self.dtype])

    def arrays(self) -> dict[str, Array]:
        """Return the arguments: the same in every process."""
        rng = np.random.default_rng(7)
        if self.family == "product":
            m, k, n = self.shape
            a = rng.standard_normal((k, m) if self.form == "transpose_a" else (m, k))
            b = rng.standard_normal((n, k) if self.form == "transpose_b" else (k, n))
            named = {"a": a, "b": b, "out": np.zeros((m, n))}
        elif self.family == "adam":
            # A gradient that never changes keeps the moments away from subnormal numbers.
            named = {name: rng.standard_normal(self.shape) for name in ("w", "g")}
            named |= {name: np.zeros(self.shape) for name in ("m", "v")}
        elif self.family == "crossentropy":
            named = {"logits": rng.standard_normal(self.shape)}
            labels = rng.integers(0, self.shape[-1], self.shape[0]).astype(np.int32)
            return {"logits": named["logits"].astype(self.dtype), "targets": labels}
        else:
            x = rng.standard_normal(self.shape)
            named = {"x": np.abs(x) + 0.1 if self.form == "log" else x, "out": np.zeros(self.shape)}
        return {name: np.ascontiguousarray(array, self.dtype) for name, array in named.items()}


FORMS = ("plain", "transpose_a", "transpose_b")

# Rows, inputs and units of layers: their forward pass and both products of their backward pass are measured.
LAYERS = ((32, 784, 128), (32, 1024, 1024), (64, 256, 256), (128, 128, 128), (128, 512, 512))
ODD = ((31, 77, 129), (1, 1000, 1000), (1000, 1000, 1), (7, 1000, 3))


def _all() -> Iterator[Case]:
    for size in (512, 1024, 2048):
        for form in FORMS:
            yield Case("product", (size,) * 3, form, quick=size == 1024 and form == "plain")
        yield Case("product", (size,) * 3, "plain", single=False, quick=size == 1024)
    for form in FORMS:
        yield Case("product", (1024,) * 3, form, "float64")
    for n, i, u in LAYERS:
        yield Case("product", (n, i, u), "plain", quick=u == 512)
        yield Case("product", (i, n, u), "transpose_a")
        yield Case("product", (n, u, i), "transpose_b")
    for shape in ODD:
        yield Case("product", shape, "plain", quick=shape == ODD[0])
    for form in FORMS[1:]:
        yield Case("product", ODD[0], form)
    yield Case("adam", (10_000_000,), single=False, quick=True)
    for function in ("exp", "log", "tanh", "sigmoid"):
        yield Case("elementary", (4096,), function, quick=function == "exp")
        yield Case("elementary", (1_000_000,), function)
    yield Case("crossentropy", (128, 1000))
    yield Case("train", (32, 64), "tiny", single=False, quick=True)
    yield Case("predict", (1, 64), "tiny", single=False, quick=True)


CASES = tuple(_all())
