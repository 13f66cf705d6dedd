"""Where the real data sets lie: FASTGD_DATA, or `shared/data` beside the checkout; the tests are skipped without."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def _native_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FASTGD_BACKEND", raising=False)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder that holds `mnist` and `house_prices`."""
    given = os.environ.get("FASTGD_DATA")
    folder = Path(given) if given else BESIDE
    if not folder.is_dir():
        pytest.skip("no data sets: set FASTGD_DATA to their folder, or place it beside the checkout as shared/data")
    return folder
