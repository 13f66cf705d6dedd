"""The shipped digits: shapes, types, the fixed split, and that nothing of the source was lost."""

import numpy as np

from fastgd.datasets import digits


def test_shapes_and_types():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1437, 8, 8) and x_test.shape == (360, 8, 8)
    assert y_train.shape == (1437,) and y_test.shape == (360,)
    assert x_train.dtype == x_test.dtype == np.uint8
    assert y_train.dtype == y_test.dtype == np.int64
    assert x_train.min() == 0 and x_train.max() == 16


def test_every_image_is_there_once():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    labels = np.concatenate([y_train, y_test])
    # The class counts that the source documents.
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    images = np.concatenate([x_train, x_test]).reshape(-1, 64)
    assert len(np.unique(images, axis=0)) == 1797
    # The sum of all values in the source.
    assert int(images.sum(dtype=np.int64)) == 561718


def test_split_is_stratified():
    _, (_, y_test) = digits.load_data()
    assert np.bincount(y_test).tolist() == [36, 37, 35, 37, 36, 36, 36, 36, 35, 36]


def test_split_is_fixed():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert y_train[:10].tolist() == [2, 5, 9, 5, 2, 2, 7, 1, 3, 3]
    assert y_test[:10].tolist() == [1, 3, 3, 0, 6, 6, 2, 2, 4, 1]
    again = digits.load_data()
    np.testing.assert_array_equal(again[0][0], x_train)
    np.testing.assert_array_equal(again[1][0], x_test)
