"""docs/keras_names.md says of every public name of the Keras that is installed whether fastgd has it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "keras_names.py"


@pytest.fixture
def tool(monkeypatch):
    spec = importlib.util.spec_from_file_location("keras_names", TOOL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up while it is made.
    monkeypatch.setitem(sys.modules, "keras_names", module)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_fresh(tool):
    assert tool.main(["--check"]) == 0, "run `python tools/keras_names.py --write`"


def test_what_is_compared(tool):
    def theirs(x, size=(2, 2), epsilon=1.0, lost=None, *, other=3):
        """Stand for a function of Keras."""

    def ours(epsilon=1, x=0, size=2, *, other=4):
        """Stand for that of fastgd."""

    assert list(tool.differences(theirs, ours)) == [
        "arguments in another order", "without `lost`", "`x` is 0, there required", "`other` is 4, there 3",
    ]  # fmt: skip
    assert list(tool.differences(theirs, theirs)) == []
