"""scikit-learn's own tests of its perceptrons pass with the classes of fastgd in their place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import sklearn
from sklearn.utils.fixes import parse_version

TOOL = Path(__file__).resolve().parents[2] / "tools" / "run_sklearn_mlp_tests.py"

# The networks are too small for more, and other tests run beside this one.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def test_at_least_as_many_functions_pass_as_promised() -> None:
    paths = [str(Path(p).resolve()) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    done = subprocess.run(
        [
            sys.executable,
            TOOL,
            "--tb=line",
            "--least",
            "35" if parse_version(sklearn.__version__) >= parse_version("1.9") else "25",
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1", **ONE_THREAD},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
