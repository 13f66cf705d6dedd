"""Helpers for data against Keras."""

from __future__ import annotations

import importlib
import inspect
import itertools

import keras
import numpy as np
import pytest

import fastgd
from fastgd import metrics, utils


def test_normalize():
    x = np.random.default_rng(1).normal(size=(4, 3, 5))
    x[1, 2] = 0.0
    # Keras takes axis 0 for the last.
    for axis in (-1, 1):
        for order in (1, 2, 3, np.inf):
            ours, theirs = (library.utils.normalize(x, axis, order) for library in (fastgd, keras))
            np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_packing():
    x, y, w = np.ones((2, 3)), np.zeros(2), np.ones(2)
    for given in ((x,), (x, y), (x, y, w), ([x, x],), ({"a": x}, y)):
        ours, theirs = (library.utils.pack_x_y_sample_weight(*given) for library in (fastgd, keras))
        assert type(ours) is type(theirs)
        again, expected = (
            library.utils.unpack_x_y_sample_weight(packed) for library, packed in ((fastgd, ours), (keras, theirs))
        )
        assert len(again) == len(expected) == 3
        assert [type(part) for part in again] == [type(part) for part in expected]
        assert again[0] is given[0] or again[0] == given[0]
    with pytest.raises(ValueError, match="`data` must be x"):
        utils.unpack_x_y_sample_weight((x, y, w, w))


def test_pad_sequences():
    rng = np.random.default_rng(0)
    rows = [rng.integers(1, 9, size).tolist() for size in (3, 0, 5, 1, 7)]
    vectors = [rng.normal(size=(size, 2)) for size in (2, 4, 1)]
    for sequences, options in itertools.product(
        (rows, vectors), ({}, {"maxlen": 4}, {"maxlen": 9, "value": -1.5, "dtype": "float32"}, {"dtype": object})
    ):
        for padding, truncating in itertools.product(("pre", "post"), repeat=2):
            given = {**options, "padding": padding, "truncating": truncating}
            ours, theirs = (library.utils.pad_sequences(sequences, **given) for library in (fastgd, keras))
            np.testing.assert_array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype
    words = [["a", "bc"], ["d"]]
    ours, theirs = (library.utils.pad_sequences(words, dtype=object, value="") for library in (fastgd, keras))
    np.testing.assert_array_equal(ours, theirs)


def windows_of_keras(data, targets, **options):
    """Return Keras' batches, which it makes with TensorFlow."""
    found = keras.utils.timeseries_dataset_from_array(data, targets, **options)
    return [tuple(map(np.asarray, batch)) if isinstance(batch, tuple) else (np.asarray(batch),) for batch in found]


def test_timeseries():
    pytest.importorskip("tensorflow")
    data, targets = np.random.default_rng(0).normal(size=(31, 2)), np.arange(31.0) * 3
    for options in (
        {"sequence_length": 4}, {"sequence_length": 3, "sampling_rate": 2, "sequence_stride": 3, "batch_size": 4},
        {"sequence_length": 5, "start_index": 4, "end_index": 25, "batch_size": 7},
        {"sequence_length": 2, "start_index": 3, "batch_size": None},
    ):  # fmt: skip
        # Keras cannot combine short targets with `start_index`.
        for given in (None, targets, *([] if "start_index" in options else [targets[:17]])):
            ours = fastgd.utils.timeseries_dataset_from_array(data, given, **options)
            batches = [batch if isinstance(batch, tuple) else (batch,) for batch in ours]
            theirs = windows_of_keras(data, given, **options)
            assert len(ours) == len(batches) == len(theirs) > 0
            for batch, expected in zip(batches, theirs, strict=True):
                for array, wanted in zip(batch, expected, strict=True):
                    np.testing.assert_array_equal(array, wanted)


@pytest.mark.parametrize("name", ["imdb", "reuters", "boston_housing", "california_housing"])
def test_data_sets(name, tmp_path, monkeypatch):
    rng = np.random.default_rng(1)
    path = tmp_path / f"{name}.npz"
    x = rng.normal(size=(50, 3))
    options = [{}, {"seed": 3}]
    if name in ("imdb", "reuters"):
        x = np.empty(50, object)
        x[:] = [rng.integers(1, 40, rng.integers(2, 9)).tolist() for _ in range(50)]
        options += [{"num_words": 20, "skip_top": 3}, {"maxlen": 5, "oov_char": None}, {"start_char": None}]
        options += [{"start_char": None, "index_from": 0, "num_words": 30}, {"index_from": 7}]
    y = rng.integers(0, 9, 50)
    np.savez(path, x=x, y=y, x_train=x, y_train=y, x_test=x[:20], y_test=y[:20])
    monkeypatch.setattr(importlib.import_module(f"keras.src.datasets.{name}"), "get_file", lambda *_, **__: str(path))
    for given in options:
        ours = getattr(fastgd.datasets, name).load_data(path=path, **given)
        for part, expected in zip(ours, getattr(keras.datasets, name).load_data(**given), strict=True):
            for array, wanted in zip(part, expected, strict=True):
                assert np.asarray(array).tolist() == np.asarray(wanted).tolist()


@pytest.mark.parametrize("name", ["normalize", "pack_x_y_sample_weight", "unpack_x_y_sample_weight", "pad_sequences"])
def test_signature(name):
    ours, theirs = (inspect.signature(getattr(library.utils, name)).parameters for library in (fastgd, keras))
    assert [(k, p.default) for k, p in ours.items()] == [(k, p.default) for k, p in theirs.items()]


def test_losses_stand_among_the_metrics():
    for name in ("binary_focal_crossentropy", "categorical_focal_crossentropy", "huber", "log_cosh"):
        assert getattr(metrics, name) is getattr(fastgd.losses, name)
        assert hasattr(keras.metrics, name)
