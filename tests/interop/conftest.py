"""What the tests of models from and to other libraries share: a backend that exists."""

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
