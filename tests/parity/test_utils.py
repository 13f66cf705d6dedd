"""Helpers for data against Keras."""

from __future__ import annotations

import inspect

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


@pytest.mark.parametrize("name", ["normalize", "pack_x_y_sample_weight", "unpack_x_y_sample_weight"])
def test_signature(name):
    ours, theirs = (inspect.signature(getattr(library.utils, name)).parameters for library in (fastgd, keras))
    assert [(k, p.default) for k, p in ours.items()] == [(k, p.default) for k, p in theirs.items()]


def test_losses_stand_among_the_metrics():
    for name in ("binary_focal_crossentropy", "categorical_focal_crossentropy", "huber", "log_cosh"):
        assert getattr(metrics, name) is getattr(fastgd.losses, name)
        assert hasattr(keras.metrics, name)
