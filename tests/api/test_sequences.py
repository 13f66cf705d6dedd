"""Padding sequences, windows over time series, and splitting arrays."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd import preprocessing, utils


def test_pad_sequences():
    assert preprocessing.sequence.pad_sequences is utils.pad_sequences
    rows = [[1], [2, 3], [], [4, 5, 6]]
    np.testing.assert_array_equal(utils.pad_sequences(rows), [[0, 0, 1], [0, 2, 3], [0, 0, 0], [4, 5, 6]])
    np.testing.assert_array_equal(utils.pad_sequences(rows, 2, padding="post"), [[1, 0], [2, 3], [0, 0], [5, 6]])
    np.testing.assert_array_equal(utils.pad_sequences(rows, 2, truncating="post")[-1], [4, 5])
    assert utils.pad_sequences([]).shape == (0, 0)
    with pytest.raises(ValueError, match="`padding` is not a known side"):
        utils.pad_sequences(rows, padding="left")
    with pytest.raises(ValueError, match="`sequences` must hold sequences"):
        utils.pad_sequences([1, 2])
    with pytest.raises(ValueError, match="`dtype` must be object"):
        utils.pad_sequences(rows, value="x")
    with pytest.raises(ValueError, match=r"elements of the shape \(2,\). Received: sequences\[1\]=\(1, 3\)"):
        utils.pad_sequences([np.ones((1, 2)), np.ones((1, 3))])


def test_windows_over_a_series():
    data = np.arange(30)
    batches = utils.timeseries_dataset_from_array(
        data, data * 10, 4, sequence_stride=3, sampling_rate=2, batch_size=5, start_index=2, end_index=26
    )
    (x, y), (rest, _), *_ = batches
    assert len(batches) == len(list(batches)) == 2
    np.testing.assert_array_equal(x[1], [5, 7, 9, 11])
    np.testing.assert_array_equal(y, x[:, 0] * 10)
    assert x.shape == (5, 4) and rest[-1, -1] <= 25
    alone = utils.timeseries_dataset_from_array(data, None, 3, batch_size=None)
    np.testing.assert_array_equal(next(iter(alone)), [0, 1, 2])
    assert len(alone) == 28
    # Targets that end before the series does limit the windows.
    assert len(utils.timeseries_dataset_from_array(data, data[:7], 3, batch_size=1)) == 7


def test_shuffled_windows():
    passes = []
    for seed in (1, 1, 2):
        batches = utils.timeseries_dataset_from_array(np.arange(20), np.arange(20), 2, shuffle=True, seed=seed)
        passes += [next(iter(batches))[1].tolist() for _ in range(2)]
    assert passes[:2] == passes[2:4] and passes[0] != passes[1] and passes[0] != passes[4]
    assert all(sorted(order) == list(range(19)) for order in passes)


def test_training_on_windows():
    series = np.sin(np.arange(200) / 5)
    batches = utils.timeseries_dataset_from_array(series[:-8], series[8:], 8, batch_size=32)
    model = fastgd.Sequential([fastgd.layers.Dense(1)])
    model.compile(fastgd.optimizers.Adam(0.05), "mse")
    losses = model.fit(batches, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.01 < losses[0]
    assert model.predict(batches, verbose=0).shape == (185, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sequence_length": 0}, "`sequence_length` must be 1"),
        ({"sequence_length": 11}, "`sequence_length` is too long for 10 steps"),
        ({"sequence_stride": 10}, "`sequence_stride` must be less than the 10 steps"),
        ({"sampling_rate": 0}, "`sampling_rate` must be 1"),
        ({"start_index": 10}, "`start_index` must be less than"),
        ({"start_index": 5, "end_index": 5}, "`end_index` must be above `start_index`"),
        ({"end_index": 11}, "`end_index` must be above `start_index` and up to 10"),
        ({"batch_size": 0}, "`batch_size` must be 1"),
    ],
)
def test_wrong_windows(options, message):
    with pytest.raises(ValueError, match=message):
        utils.timeseries_dataset_from_array(np.arange(10), None, **{"sequence_length": 2, **options})


def test_split_dataset():
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    (x_left, y_left), (x_right, y_right) = utils.split_dataset((x, y), left_size=0.7)
    assert (len(x_left), len(y_left), len(x_right), len(y_right)) == (7, 7, 3, 3)
    np.testing.assert_array_equal(x_right[:, 0], 2 * y_right)
    left, right = utils.split_dataset(y, left_size=3, right_size=4)
    assert (left.tolist(), right.tolist()) == ([0, 1, 2], [6, 7, 8, 9])
    left, right = utils.split_dataset({"a": x, "b": y}, right_size=0.5, shuffle=True, seed=4)
    np.testing.assert_array_equal(left["a"][:, 0], 2 * left["b"])
    assert sorted([*left["b"], *right["b"]]) == list(range(10)) != [*left["b"], *right["b"]]
    again = utils.split_dataset([1, 2, 3, 4], left_size=2)
    assert [part.tolist() for part in again] == [[1, 2], [3, 4]]
    for options in ({}, {"left_size": 0}, {"left_size": 8, "right_size": 3}, {"left_size": 1.5}, {"right_size": 10}):
        with pytest.raises(ValueError, match="Received"):
            utils.split_dataset(y, **options)
    with pytest.raises(TypeError, match="equal numbers of rows"):
        utils.split_dataset((x, y[:5]), left_size=2)
