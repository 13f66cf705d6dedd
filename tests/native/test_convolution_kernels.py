"""The doors of fastgd.kernels to convolutions: against the reference, for any number of threads, and their refusals."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import fastgd
import tolerances
from fastgd import kernels
from fastgd.reference.convolution import adjoint, correlate, kernel_gradient
from fastgd.reference.windows import Geometry
from fastgd.utils.windows import window_padding

Array = np.ndarray[Any, Any]


class Row(NamedTuple):
    """A convolution: the arguments of the door, and the sizes of x and of the kernel. `filters` counts all outputs."""

    sizes: tuple[int, ...]
    channels: int
    window: tuple[int, ...]
    filters: int
    how: dict[str, Any] = {}  # noqa: RUF012 - never written
    batch: int = 3


ROWS = [
    Row((9,), 3, (4,), 5),
    Row((40,), 6, (3,), 33, {"strides": 2, "padding": "same", "groups": 3}),
    Row((7, 9), 1, (3, 3), 32, batch=17),
    Row((7, 9), 19, (3, 2), 33, {"padding": "same", "strides": (2, 3)}),
    Row((11, 14), 33, (3, 3), 40, {"padding": "same"}, batch=40),
    Row((64, 70), 20, (3, 3), 48, batch=2),
    Row((12, 11), 16, (3, 3), 16, {"dilations": 2, "padding": [(2, 1), (0, 3)]}),
    Row((6, 5), 8, (1, 1), 40),
    Row((7, 9), 19, (3, 2), 19, {"padding": "same", "strides": (2, 3), "depthwise": True}),
    Row((30,), 5, (3,), 15, {"dilations": 2, "padding": [(2, 1)], "depthwise": True}),
    Row((4, 5, 6), 2, (2, 1, 3), 6, {"strides": (1, 2, 1), "padding": "same", "groups": 2}),
]


def geometry(row: Row) -> Geometry:
    rank = len(row.window)
    strides, dilations = (
        (value,) * rank if isinstance(value, int) else value
        for value in (row.how.get("strides", 1), row.how.get("dilations", 1))
    )
    padding = row.how.get("padding", "valid")
    if isinstance(padding, str):
        before, after = window_padding(padding, row.sizes, row.window, strides, dilations)
    else:
        before, after = (tuple(pair[k] for pair in padding) for k in (0, 1))
    return Geometry(row.sizes, row.window, strides, dilations, before, after)


def on_threads(call: Any) -> list[Array]:
    """Return what a call gives on 1, 2 and 3 threads."""
    before = fastgd.get_num_threads()
    results = []
    for threads in (1, 2, 3):
        fastgd.set_num_threads(threads)
        results.append(call())
    fastgd.set_num_threads(before)
    return results


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_convolutions(row: Row, dtype: str) -> None:
    rng = np.random.default_rng(row.filters)
    at, depthwise = geometry(row), "depthwise" in row.how
    # For the reference each channel is a group of its own, whose kernels have another shape and the same order.
    groups = row.channels if depthwise else row.how.get("groups", 1)
    x = rng.normal(size=(row.batch, *row.sizes, row.channels)).astype(dtype)
    plain = rng.normal(size=(*row.window, row.channels // groups, row.filters)).astype(dtype)
    shape = (*row.window, row.channels, row.filters // row.channels) if depthwise else plain.shape
    w = plain.reshape(shape)
    dy = rng.normal(size=(row.batch, *at.outputs, row.filters)).astype(dtype)
    wide = [array.astype(float) for array in (x, plain, dy)]
    taps = int(np.prod(row.window))
    given = [array.copy() for array in (x, w, dy)]
    for call, expected, length in (
        (lambda out=None: kernels.convolution(x, w, **row.how, out=out), correlate(wide[0], wide[1], at, groups),
         taps * row.channels),
        (lambda out=None: kernels.convolution_to_data(dy, w, row.sizes, **row.how, out=out),
         adjoint(wide[2], wide[1], at, groups), taps * row.filters),
        (lambda out=None: kernels.convolution_to_weights(x, dy, row.window, **row.how, out=out),
         kernel_gradient(wide[0], wide[2], at, groups).reshape(shape), row.batch * int(np.prod(at.outputs))),
    ):  # fmt: skip
        results = on_threads(call)
        assert all(np.array_equal(result, results[0]) for result in results)
        assert results[0].dtype == dtype
        out = np.full(expected.shape, np.nan, dtype)
        assert call(out) is out
        assert np.array_equal(out, results[0])
        tolerances.assert_close(out, expected, tolerances.summed(dtype, length))
    for array, before in zip((x, w, dy), given, strict=True):
        np.testing.assert_array_equal(array, before)


def test_the_door_converts_nothing() -> None:
    x, w = np.ones((2, 5, 6, 3), np.float32), np.ones((3, 3, 3, 4), np.float32)
    dy = np.ones((2, 3, 4, 4), np.float32)
    with pytest.raises(ValueError, match=r"`x` must be an array of float32. Received: dtype=float64"):
        kernels.convolution(x.astype(float), w)
    with pytest.raises(ValueError, match=r"`w` must be an array of float32 or float64. Received: dtype=int64"):
        kernels.convolution(x, w.astype(np.int64))
    with pytest.raises(ValueError, match="`x` must be C-contiguous"):
        kernels.convolution(x.transpose(0, 2, 1, 3), w)
    with pytest.raises(ValueError, match=r"`x` and `w` must have the same number of axes, 3 to 5."):
        kernels.convolution(x, w[0])
    with pytest.raises(ValueError, match=r"does not fit the kernel \(3, 3, 3, 4\) in 3 groups"):
        kernels.convolution(x, w, groups=3)
    with pytest.raises(ValueError, match=r"`out` must have the shape \(2, 3, 4, 4\). Received: \(2, 3, 4, 5\)"):
        kernels.convolution(x, w, out=np.ones((2, 3, 4, 5), np.float32))
    with pytest.raises(ValueError, match=r"`dy` must have the shape \(2, 5, 6, 4\). Received: \(2, 3, 4, 4\)"):
        kernels.convolution_to_data(dy, w, (5, 6), padding="same")
    with pytest.raises(ValueError, match="does not fit"):
        kernels.convolution_to_weights(x, dy, (3, 3), out=np.ones((3, 3, 2, 4), np.float32))
    with pytest.raises(ValueError, match=r"`padding` is not a known kind of padding"):
        kernels.convolution(x, w, padding="sane")
    with pytest.raises(ValueError, match=r"`padding` must hold 2 pairs, one per spatial axis"):
        kernels.convolution(x, w, padding=[(1, 1)])
    with pytest.raises(ValueError, match="`groups` must be 1 where each channel has kernels of its own"):
        kernels.convolution(x, w, groups=3, depthwise=True)
    with pytest.raises(ValueError, match="`strides` must"):
        kernels.convolution(x, w, strides=0)
