"""scikit-learn's own tests of its perceptrons pass with the classes of fastgd in their place."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import sklearn
from sklearn.utils.fixes import parse_version
from threadpoolctl import threadpool_limits

import fastgd

TOOL = Path(__file__).resolve().parents[2] / "tools" / "run_sklearn_mlp_tests.py"


def test_at_least_as_many_functions_pass_as_promised() -> None:
    spec = importlib.util.spec_from_file_location("run_sklearn_mlp_tests", TOOL)
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    threads = fastgd.get_num_threads()
    fastgd.set_num_threads(1)
    try:
        with threadpool_limits(1):
            # Those left out train for thousands of epochs to see private attributes.
            outcomes = tool.run(["--tb=line", "-k", "not n_iter_no_change"])
    finally:
        fastgd.set_num_threads(threads)
    passed = outcomes.seen - tool.PRIVATE - outcomes.failed.keys()
    # Older versions have fewer tests.
    assert len(passed) >= (37 if parse_version(sklearn.__version__) >= parse_version("1.9") else 25), outcomes.failed
