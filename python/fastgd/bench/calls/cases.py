"""The kernels and single calls of the suite as data: products, convolutions, Adam, functions, one step, one row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.bench.calls.windows import NO_WINDOWS, Windows

Array = npt.NDArray[Any]

ITEM_SIZES = {"float32": 4, "float64": 8}


@dataclass(frozen=True)
class Case:
    """One call that is repeated.

    Attributes:
        family: "product", "convolution", "adam", "elementary", "crossentropy", "train" or "predict".
        shape: (m, k, n) of a product of (m, k) by (k, n), else the shape of the array, of a convolution that of x.
        form: of a product "plain", "transpose_a" or "transpose_b", of a convolution "forward", "to_data" or
            "to_weights", of an elementary function its name, else the name of the workload or nothing.
        dtype: "float32" or "float64".
        single: whether it is measured on one thread only; with all threads otherwise.
        quick: whether the short run has it.
        windows: the kernel of a convolution and how it moves.
    """

    family: str
    shape: tuple[int, ...]
    form: str = ""
    dtype: str = "float32"
    single: bool = True
    quick: bool = False
    windows: Windows = NO_WINDOWS

    @property
    def name(self) -> str:
        """What the results call it."""
        size = "x".join(map(str, self.shape))
        dtype = "" if self.dtype == "float32" else f" {self.dtype}"
        threads = "" if self.single else ", all threads"
        form = "" if self.form == "plain" else self.form
        if self.family == "convolution":
            size = f"{size} {self.windows.description}"
        return " ".join(part for part in (self.family, size, form) if part) + dtype + threads

    @property
    def description(self) -> str:
        """What is computed."""
        return {
            "product": "c = a b, the matrix named in the form stored transposed",
            "convolution": "y = x * w, or the gradient of x or of w from that of y",
            "adam": "one update in place of so many parameters",
            "elementary": "a function of every element into a given array",
            "crossentropy": "softmax with cross-entropy: losses and gradients",
            "train": "one call for one step: train_on_batch, or a step of the library's own loop",
            "predict": "one call for the outputs of one row",
        }[self.family]

    @property
    def arithmetic(self) -> float:
        """Floating-point operations, where they are what counts."""
        if self.family == "convolution" and not self.windows.depthwise:
            _, w, y = self.windows.shapes(self.shape)
            return 2.0 * prod(y[:-1]) * prod(w)
        return 2.0 * np.prod(self.shape, dtype=float) if self.family == "product" else 0.0

    @property
    def traffic(self) -> float:
        """Bytes that must be read and written, where they are what counts."""
        if self.family == "convolution" and self.windows.depthwise:
            return float(sum(prod(shape) for shape in self.windows.shapes(self.shape)) * ITEM_SIZES[self.dtype])
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
        elif self.family == "convolution":
            shapes = self.windows.shapes(self.shape)
            named = {name: rng.standard_normal(shape) for name, shape in zip(("x", "w", "dy"), shapes, strict=True)}
            named["out"] = np.zeros(shapes[GRADIENTS.index(self.form)])
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


# What a convolution computes, in the order of its arrays x, w and y.
GRADIENTS = ("to_data", "to_weights", "forward")
FORMS = ("plain", "transpose_a", "transpose_b")

# Rows, inputs and units of layers: their forward pass and both products of their backward pass are measured.
LAYERS = ((32, 784, 128), (32, 1024, 1024), (64, 256, 256), (128, 128, 128), (128, 512, 512))
ODD = ((31, 77, 129), (1, 1000, 1000), (1000, 1000, 1), (7, 1000, 3))

# Channels and height of images whose channels 3x3 windows keep.
IMAGES = ((16, 56), (32, 56), (64, 56), (64, 28), (128, 28), (128, 14), (256, 14), (256, 7))
# Height and channels of the images of first layers, which need no gradient of their input, and the window.
FIRST = ((28, 1, 3), (28, 1, 5), (32, 3, 3), (32, 3, 5))
# Height, channels and stride of depthwise windows of 3x3.
DEPTHWISE = ((56, 64, 1), (56, 64, 2), (14, 256, 1), (14, 256, 2))
# A stride, a dilation, odd sizes, and signals of one axis.
OTHERS = (
    ((32, 56, 56, 64), Windows(128, (3, 3), 2, 1, 1)),
    ((32, 28, 28, 64), Windows(64, (3, 3), 1, 2, 2)),
    ((31, 37, 41, 19), Windows(33, (3, 3), 1, 1, 1)),
    ((32, 1000, 32), Windows(64, (9,), 1, 1, 4)),
)


def _convolutions() -> Iterator[Case]:
    for channels, size in IMAGES:
        for form in reversed(GRADIENTS):
            shape, windows = (32, size, size, channels), Windows(channels, (3, 3), 1, 1, 1)
            quick = (channels, size) == (64, 28)
            yield Case("convolution", shape, form, quick=quick, windows=windows)
            if channels in (16, 64, 256) and (channels, size) != (256, 14):
                yield Case("convolution", shape, form, single=False, windows=windows)
    for size, channels, window in FIRST:
        for form in ("forward", "to_weights"):
            yield Case("convolution", (64, size, size, channels), form, windows=Windows(32, (window, window)))
    for size, channels, stride in DEPTHWISE:
        for form in reversed(GRADIENTS):
            windows = Windows(channels, (3, 3), stride, 1, 1, depthwise=True)
            yield Case("convolution", (32, size, size, channels), form, windows=windows)
    for x, windows in OTHERS:
        for form in reversed(GRADIENTS):
            yield Case("convolution", x, form, windows=windows)


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
    yield from _convolutions()
    yield Case("adam", (10_000_000,), single=False, quick=True)
    for function in ("exp", "log", "tanh", "sigmoid"):
        yield Case("elementary", (4096,), function, quick=function == "exp")
        yield Case("elementary", (1_000_000,), function)
    yield Case("crossentropy", (128, 1000))
    yield Case("train", (32, 64), "tiny", single=False, quick=True)
    yield Case("predict", (1, 64), "tiny", single=False, quick=True)


CASES = tuple(_all())
