"""What all tests of the Python API share: a backend that exists."""

from __future__ import annotations

import os

import numpy as np
import pytest

from fastgd import runtime


@pytest.fixture(autouse=True)
def _usable_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    if "FASTGD_BACKEND" not in os.environ:
        try:
            runtime.native_module()
        except ImportError:
            monkeypatch.setenv("FASTGD_BACKEND", "numpy")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def blobs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Three classes that are easy to tell apart: x (120, 4) and labels (120,)."""
    labels = np.arange(120) % 3
    return rng.normal(size=(120, 4)) + 3.0 * np.eye(3, 4)[labels], labels
