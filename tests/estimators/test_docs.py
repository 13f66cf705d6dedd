"""The programs in docs/estimators.md run as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "estimators.md"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_programs_run(capsys: Any) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL):
        exec(block, names)
    first, second = capsys.readouterr().out.splitlines()
    assert float(first.rsplit(maxsplit=1)[-1]) > 0.95
    assert second.endswith("64")
