"""The results kept in tests/text_results.json are those of the Keras that is installed, where TensorFlow is, too."""

from __future__ import annotations

import json

import keras
import pytest

import text_cases


def test_kept_results():
    pytest.importorskip("tensorflow")
    kept = json.loads(text_cases.RESULTS.read_text(encoding="utf-8"))
    before = keras.config.floatx()
    keras.config.set_floatx("float32")
    try:
        for case, expected in zip(text_cases.cases(), kept, strict=True):
            assert text_cases.run(keras.layers, case) == expected, case
    finally:
        keras.config.set_floatx(before)
