"""Running a piece of Python in a process of its own, with the fastgd under test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import fastgd

# What tests set for themselves: a developer's own settings must not leak into the child.
OWN_SETTINGS = ("FASTGD_BACKEND", "FASTGD_ISA", "FASTGD_TEAM_WORK", "OMP_NUM_THREADS", "OMP_THREAD_LIMIT")

PACKAGE_ROOT = str(Path(fastgd.__file__).resolve().parents[1])

# Every script may call report(value): the parent gets the value.
PRELUDE = """\
import json, os, sys, time
def report(value):
    print("REPORT " + json.dumps(value), flush=True)
"""


def run(code: str, timeout: float = 120, cwd: Path | None = None, **environment: str) -> Any:
    """Run `code` in a new process and return what it reported; what it wrote is shown if it fails.

    Args:
        code: the script, which ends by calling `report(value)`.
        timeout: a hang fails the test after so many seconds.
        cwd: the folder to run in.
        **environment: variables to set.

    Returns:
        The reported value.
    """
    done = attempt(code, timeout, cwd, **environment)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    reports = [line[7:] for line in done.stdout.splitlines() if line.startswith("REPORT ")]
    assert len(reports) == 1, done.stdout
    return json.loads(reports[0])


def attempt(
    code: str, timeout: float = 120, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `code` in a new process and return how it ended."""
    variables = {k: v for k, v in os.environ.items() if k not in OWN_SETTINGS}
    given = [str(Path(p).resolve()) for p in variables.get("PYTHONPATH", "").split(os.pathsep) if p]
    variables |= {"PYTHONPATH": os.pathsep.join([PACKAGE_ROOT, *given]), **environment}
    return subprocess.run(
        [sys.executable, "-c", PRELUDE + code],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
