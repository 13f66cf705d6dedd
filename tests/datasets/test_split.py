"""Held-out splits: every row once, shares to within one row, clear errors."""

import numpy as np
import pytest

from fastgd.datasets.split import shuffled_holdout, stratified_holdout


@pytest.mark.parametrize("held", [0, 1, 7, 10])
def test_shuffled_holdout_keeps_every_row_once(held):
    kept, out = shuffled_holdout(10, held, seed=3)
    assert len(out) == held
    assert sorted(np.concatenate([kept, out]).tolist()) == list(range(10))


@pytest.mark.parametrize("held", [0, 1, 50, 99, 100])
def test_stratified_holdout_keeps_shares(held):
    labels = np.array(["a"] * 60 + ["b"] * 30 + ["c"] * 10)
    kept, out = stratified_holdout(labels, held, seed=1)
    assert len(out) == held
    assert sorted(np.concatenate([kept, out]).tolist()) == list(range(100))
    for name, count in (("a", 60), ("b", 30), ("c", 10)):
        assert abs(np.sum(labels[out] == name) - count * held / 100) < 1


def test_kept_rows_mix_the_classes_evenly():
    labels = np.arange(1000) % 10
    kept, _ = stratified_holdout(labels, 200)
    # The last tenth, what `validation_split=0.1` takes, must hold about eight rows of each class.
    assert np.bincount(labels[kept][-80:], minlength=10).min() >= 3


def test_seed_decides_the_split():
    labels = np.arange(100) % 4
    first, again, other = (stratified_holdout(labels, 20, seed)[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)


@pytest.mark.parametrize("held", [-1, 5])
def test_held_out_of_range(held):
    with pytest.raises(ValueError, match=rf"`held` must lie between 0 .* Received: held={held}"):
        shuffled_holdout(4, held)
    with pytest.raises(ValueError, match=rf"`held` must lie between 0 .* Received: held={held}"):
        stratified_holdout(np.zeros(4), held)
