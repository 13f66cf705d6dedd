"""The examples of docs/text.md run, one after the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

TEXT = (Path(__file__).parents[2] / "docs" / "text.md").read_text(encoding="utf-8")


def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, Any] = {"__name__": "text"}
    for block in blocks:
        exec(compile(block, "docs/text.md", "exec"), names)
    out = capsys.readouterr().out
    assert "[2 0] ['dog' '[UNK]']" in out and "(32, 8) (32,)" in out
