"""What the tests of models from and to other libraries share: a backend that exists, fixed seeds and fresh names."""

from __future__ import annotations

import os

import numpy as np
import pytest

import fastgd
from fastgd import runtime


@pytest.fixture(autouse=True)
def _fresh_state(monkeypatch: pytest.MonkeyPatch) -> None:
    if "FASTGD_BACKEND" not in os.environ:
        try:
            runtime.native_module()
        except ImportError:
            monkeypatch.setenv("FASTGD_BACKEND", "numpy")
    fastgd.utils.clear_session(free_memory=False)
    fastgd.utils.set_random_seed(1)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
