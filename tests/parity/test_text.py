"""The results kept in tests/text_results.json are those of the Keras that is installed, where TensorFlow is, too."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import text_cases


@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow, on which Keras splits")
def test_kept_results(tmp_path: Path) -> None:
    # On other backends than TensorFlow Keras cannot even return strings: a process of its own has that one.
    path = tmp_path / "results.json"
    variables = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run([sys.executable, text_cases.__file__, str(path)], check=True, env=variables, capture_output=True)
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(text_cases.RESULTS.read_text(encoding="utf-8"))
