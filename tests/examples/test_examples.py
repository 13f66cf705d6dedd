"""Every script in examples/ runs in its short form and, where it draws and matplotlib is there, leaves a picture."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "examples"
SCRIPTS = sorted(path.name for path in FOLDER.glob("*.py") if path.name != "shared.py")

# Where all of them run later with matplotlib, as in .ci/run, a few are enough without it.
FEW = os.environ.get("FASTGD_EXAMPLES") == "few" and importlib.util.find_spec("matplotlib") is None


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    paths = [str(Path(p).resolve()) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    return subprocess.run(
        [sys.executable, FOLDER / script, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("script", SCRIPTS[::4] if FEW else SCRIPTS)
def test_it_runs(script: str, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    draws = "--plot" in (FOLDER / script).read_text(encoding="utf-8") and importlib.util.find_spec("matplotlib")
    done = run(script, *(["--quick", "--plot", str(picture)] if draws else []), FASTGD_SMOKE="1")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout
    # What needs data or packages that are absent says so.
    assert picture.exists() == bool(draws and not done.stdout.startswith("skipped: "))


def test_every_example_is_listed() -> None:
    text = (FOLDER.parent / "docs" / "examples.md").read_text(encoding="utf-8")
    assert [script for script in SCRIPTS if f"`{script}`" not in text] == []


def test_without_matplotlib_the_message_names_the_extra(tmp_path: Path) -> None:
    # A module of that name which cannot be imported stands in front of any other.
    (tmp_path / "matplotlib.py").write_text("raise ImportError('absent')\n", encoding="utf-8")
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, FOLDER / "learning_rates.py", "--plot", tmp_path / "picture.png"],
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "--plot needs matplotlib: pip install 'fastgd[plot]'" in done.stderr
