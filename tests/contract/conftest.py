"""What the contract tests share: the native backend, default settings."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from fastgd import _core


@pytest.fixture(autouse=True)
def _default_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("FASTGD_BACKEND", "FASTGD_ISA", "FASTGD_TEAM_WORK"):
        monkeypatch.delenv(name, raising=False)
    threads = _core.get_num_threads()
    yield
    _core.set_num_threads(threads)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)
