"""Random arrays: seeds, moments, and where they cannot be drawn."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd import ops, random

SHAPE = (40_000,)


def draws() -> dict[str, tuple[object, float, float]]:
    """Return functions of a seed, and the mean and variance of what they give."""
    cut = 0.7737413  # the variance of a normal deviate cut at 2
    return {
        "normal": (lambda seed: random.normal(SHAPE, 1.0, 2.0, seed=seed), 1.0, 4.0),
        "truncated": (lambda seed: random.truncated_normal(SHAPE, 1.0, 2.0, seed=seed), 1.0, 4 * cut),
        "uniform": (lambda seed: random.uniform(SHAPE, -1.0, 2.0, seed=seed), 0.5, 9 / 12),
        "integers": (lambda seed: random.uniform(SHAPE, 0, 4, "int32", seed), 1.5, 15 / 12),
        "randint": (lambda seed: random.randint(SHAPE, 2, 6, seed=seed), 3.5, 15 / 12),
        "categorical": (lambda seed: random.categorical(np.log([[1.0, 3.0]]), SHAPE[0], seed=seed), 0.75, 3 / 16),
        "gamma": (lambda seed: random.gamma(SHAPE, 3.0, seed=seed), 3.0, 3.0),
        "beta": (lambda seed: random.beta(SHAPE, 2.0, 2.0, seed=seed), 0.5, 0.05),
        "binomial": (lambda seed: random.binomial(SHAPE, 8, 0.25, seed=seed), 2.0, 1.5),
        "dropout": (lambda seed: random.dropout(np.ones(SHAPE), 0.2, seed=seed), 1.0, 0.25),
    }


@pytest.mark.parametrize("name", draws())
def test_moments_and_seeds(name):
    draw, mean, variance = draws()[name]
    values = draw(3)
    assert abs(values.mean() - mean) < 5 * (variance / SHAPE[0]) ** 0.5
    assert abs(values.var() / variance - 1) < 0.05
    assert (draw(3) == values).all() and not (draw(4) == values).all()
    seeds, again = random.SeedGenerator(7), random.SeedGenerator.from_config({"seed": 7, "name": "again"})
    first, second = draw(seeds), draw(seeds)
    assert not (first == second).all()
    assert (draw(again) == first).all() and (draw(again) == second).all()
    fastgd.utils.set_random_seed(1)
    first = draw(None)
    assert not (draw(None) == first).all()
    fastgd.utils.set_random_seed(1)
    assert (draw(None) == first).all()


def test_types_and_ranges():
    assert random.normal((2, 3)).dtype == np.float32 and random.normal((2,), dtype="float64").dtype == np.float64
    assert abs(random.truncated_normal((5000,), seed=1)).max() <= 2.0
    assert set(random.randint((100,), 0, 3, seed=1)) == {0, 1, 2}
    assert random.randint((2,), 0, 3).dtype == np.int32
    rows = np.arange(12).reshape(6, 2)
    mixed = random.shuffle(rows, seed=1)
    assert sorted(map(tuple, mixed)) == sorted(map(tuple, rows)) and (mixed != rows).any()
    assert sorted(random.shuffle(rows, axis=1, seed=3)[0]) == [0, 1]
    assert random.categorical(np.zeros((3, 2)), 5).shape == (3, 5)
    whole = random.dropout(np.ones((50, 4)), 0.5, noise_shape=(None, 1), seed=2)
    assert {tuple(row) for row in whole} == {(0.0,) * 4, (2.0,) * 4}
    assert (random.dropout(np.ones(3), 1.0) == 0).all()
    with pytest.raises(ValueError, match="`logits` must have the shape"):
        random.categorical([0.0], 2)
    with pytest.raises(TypeError, match="`shape` must be a tuple"):
        random.normal(3)
    with pytest.raises(ValueError, match="one size per axis"):
        random.dropout(np.ones((2, 2)), 0.5, noise_shape=(1,))


class Noisy(fastgd.layers.Layer, abstract=True):
    def call(self, inputs):
        return inputs + random.normal((3,))


class Dropping(fastgd.layers.Layer, abstract=True):
    def __init__(self):
        super().__init__()
        self.seeds = random.SeedGenerator(1)

    def call(self, inputs, training=None):
        return random.dropout(inputs, 0.5, seed=self.seeds) if training else inputs


def test_a_layer_cannot_freeze_random_numbers():
    for use in (lambda: Noisy()(fastgd.Input((3,))), lambda: Noisy()(np.ones((2, 3)))):
        with pytest.raises(TypeError, match=r"cannot be drawn in a layer's `call`.*ops.gaussian_noise"):
            use()
    # In the block of a tape each batch draws anew.
    layer = Noisy()
    with fastgd.GradientTape():
        first, second = layer(np.ones((2, 3))), layer(np.ones((2, 3)))
        assert ops.max(abs(first - second)) > 0
    dropped = Dropping()(np.ones((200, 2)), training=True)
    assert set(np.unique(dropped)) == {0.0, 2.0}
