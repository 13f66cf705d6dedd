"""Merging and reshaping layers against Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from fastgd import layers  # noqa: E402

ROWS: list[tuple[str, dict[str, Any], list[tuple[int, ...]]]] = [
    *((cls, {}, [(2, 3), (2, 3), (2, 3)]) for cls in ("Add", "Multiply", "Average", "Maximum", "Minimum")),
    *((cls, {}, [(2, 1), (3,), (2, 3)]) for cls in ("Add", "Multiply", "Average", "Maximum", "Minimum")),
    ("Subtract", {}, [(2, 3), (1, 3)]),
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
    np.testing.assert_allclose(getattr(layers, name)(**config)(inputs), want, rtol=1e-6, atol=1e-6)
