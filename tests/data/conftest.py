"""Where the real data sets lie: FASTGD_DATA, or `shared/data` beside the checkout; the tests are skipped without."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import fastgd

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def _fresh_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FASTGD_BACKEND", raising=False)
    fastgd.utils.clear_session(free_memory=False)
    fastgd.utils.set_random_seed(1)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder that holds `mnist` and `house_prices`."""
    given = os.environ.get("FASTGD_DATA")
    folder = Path(given) if given else BESIDE
    if not folder.is_dir():
        pytest.skip("no data sets: set FASTGD_DATA to their folder, or place it beside the checkout as shared/data")
    return folder
