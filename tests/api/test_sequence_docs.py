"""The examples of docs/sequences.md run, one after the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import fastgd

TEXT = (Path(__file__).parents[2] / "docs" / "sequences.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_the_examples_run(backend: str, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": "sequences"}
    with fastgd.backend(backend):
        for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
            exec(compile(block, "docs/sequences.md", "exec"), names)
    assert capsys.readouterr().out.startswith("(256, 12, 4)")
