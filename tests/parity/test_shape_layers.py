"""Merging and reshaping layers against Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import fastgd  # noqa: E402
from fastgd import layers  # noqa: E402

ROWS: list[tuple[str, dict[str, Any], list[tuple[int, ...]]]] = [
    *((cls, {}, [(2, 3), (2, 3), (2, 3)]) for cls in ("Add", "Multiply", "Average", "Maximum", "Minimum")),
    *((cls, {}, [(2, 1), (3,), (2, 3)]) for cls in ("Add", "Multiply", "Average", "Maximum", "Minimum")),
    ("Subtract", {}, [(2, 3), (1, 3)]),
    ("Dot", {"axes": 1}, [(5,), (5,)]),
    ("Dot", {"axes": 1, "normalize": True}, [(5,), (5,)]),
    ("Dot", {"axes": (1, 2)}, [(5,), (3, 5)]),
    ("Dot", {"axes": (-1, -2), "normalize": True}, [(3, 5), (5, 4)]),
    ("Dot", {"axes": (2, 1)}, [(3, 5), (5,)]),
    ("Dot", {"axes": 1}, [(5, 3), (5, 4)]),
    ("Dot", {"axes": -1}, [(3, 5), (4, 5)]),
    ("Dot", {"axes": (1, 2)}, [(5, 3, 2), (4, 5, 2)]),
    ("Dot", {"axes": (2, 3)}, [(2, 5, 3), (4, 2, 5)]),
    ("Permute", {"dims": (3, 1, 2)}, [(2, 3, 4)]),
    ("RepeatVector", {"n": 3}, [(5,)]),
    ("Identity", {}, [(5,)]),
]


@pytest.mark.parametrize(("name", "config", "shapes"), ROWS, ids=str)
def test_layer(name: str, config: dict[str, Any], shapes: list[tuple[int, ...]]) -> None:
    rng = np.random.default_rng(1)
    arrays: Any = [rng.normal(size=(4, *shape)).astype(np.float32) for shape in shapes]
    inputs = arrays if len(arrays) > 1 else arrays[0]
    want = np.asarray(getattr(keras.layers, name)(**config)(inputs))
    np.testing.assert_allclose(getattr(layers, name)(**config)(inputs), want, rtol=1e-6, atol=2e-6)


def test_lambda() -> None:
    x = np.random.default_rng(2).normal(size=(4, 3, 5)).astype(np.float32)
    made = [
        lib.layers.Lambda(lambda x, power, ops=lib.ops: ops.sum(x**power, axis=-1), arguments={"power": 2})(x)
        for lib in (fastgd, keras)
    ]
    np.testing.assert_allclose(made[0], np.asarray(made[1]), rtol=1e-6)
