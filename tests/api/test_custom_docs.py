"""The examples of docs/custom.md run, one after the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import fastgd

TEXT = (Path(__file__).parents[2] / "docs" / "custom.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_the_examples_run(backend: str, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) >= 6
    names: dict[str, Any] = {"__name__": "custom"}
    with fastgd.backend(backend):
        for block in blocks:
            exec(compile(block, "docs/custom.md", "exec"), names)
    assert capsys.readouterr().out.startswith("GradientCheck(name=")
