"""Run scikit-learn's own tests of its multilayer perceptrons with the classes of fastgd.estimators in their place.

Run from anywhere: `python tools/run_sklearn_mlp_tests.py [pytest arguments]`. Prints the functions that fail and how
many of those on public names pass; exits with 1 if fewer than `--least` of them do.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

# These read attributes that scikit-learn keeps to itself.
PRIVATE = frozenset(
    {
        "test_fit",
        "test_gradient",
        "test_learning_rate_warmstart",
        "test_adaptive_learning_rate",
        "test_n_iter_no_change",
        "test_n_iter_no_change_inf",
    }
)

IMPORT = "from sklearn.neural_network import MLPClassifier, MLPRegressor"
SUBSTITUTE = "from fastgd.estimators import MLPClassifier, MLPRegressor"


class Outcomes:
    """A plugin of pytest that notes which functions passed: those of which no case failed."""

    def __init__(self) -> None:
        self.failed: dict[str, str] = {}
        self.seen: set[str] = set()

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note a report."""
        name = report.location[2].split("[")[0]
        self.seen.add(name)
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            self.failed[name] = crash.message.splitlines()[0] if crash else "failed"


def run(arguments: list[str]) -> Outcomes:
    """Run the tests of the installed scikit-learn and return what came of them."""
    found = importlib.util.find_spec("sklearn.neural_network")
    if found is None or found.origin is None:
        raise SystemExit("scikit-learn is not installed")
    text = (Path(found.origin).parent / "tests" / "test_mlp.py").read_text(encoding="utf-8")
    if IMPORT not in text:
        raise SystemExit(f"the tests do not begin with {IMPORT!r} any more")
    outcomes = Outcomes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "test_mlp_of_sklearn.py"
        path.write_text(text.replace(IMPORT, SUBSTITUTE), encoding="utf-8")
        # A fixture of scikit-learn's that runs a test with one seed by default.
        seed = "import pytest\n\n\n@pytest.fixture\ndef global_random_seed():\n    return 42\n"
        (Path(folder) / "conftest.py").write_text(seed, encoding="utf-8")
        alone = ["--rootdir", folder, "-c", "/dev/null", "--import-mode=importlib", "-p", "no:cacheprovider"]
        pytest.main(["-q", "--no-header", *alone, str(path), *arguments], plugins=[outcomes])
    return outcomes


def main() -> int:
    """Print the result and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--least", type=int, default=35, help="how many functions on public names must pass")
    options, arguments = parser.parse_known_args()
    outcomes = run(arguments)
    for name, reason in sorted(outcomes.failed.items()):
        print(f"failed: {name}{' (private names)' if name in PRIVATE else ''}: {reason}")
    public = outcomes.seen - PRIVATE
    passed = public - outcomes.failed.keys()
    private = (outcomes.seen & PRIVATE) - outcomes.failed.keys()
    print(f"{len(passed)} of {len(public)} functions on public names pass, and {len(private)} of {len(PRIVATE)} others")
    return 0 if len(passed) >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
