"""Generator and discriminator in Keras' classic style: frozen at compile, layers shared, weights in one place."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd import runtime
from fastgd.layers import BatchNormalization, Dense, Dropout

RNG = np.random.default_rng(3)
ONES, ZEROS = np.ones((16, 1)), np.zeros((16, 1))


def build(normalized=False):
    """Return generator, discriminator, and the generator behind a discriminator that is frozen in it."""
    middle = [BatchNormalization()] if normalized else [Dropout(0.3)]
    g = fastgd.Sequential([fastgd.Input((2,)), Dense(8, "relu"), Dense(3)])
    d = fastgd.Sequential([fastgd.Input((3,)), Dense(8, "relu"), *middle, Dense(1, "sigmoid")])
    d.compile(fastgd.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    d.trainable = False
    z = fastgd.Input((2,))
    gan = fastgd.Model(z, d(g(z)))
    gan.compile(fastgd.optimizers.Adam(0.01), "binary_crossentropy")
    return g, d, gan


def changed(model, step):
    """Return which weights of a model a step changes."""
    before = model.get_weights()
    step()
    return [bool((a != b).any()) for a, b in zip(before, model.get_weights(), strict=True)]


def test_what_is_trainable_was_settled_by_compile():
    _, d, gan = build()
    x, z = RNG.normal(size=(16, 3)), RNG.normal(size=(16, 2))
    assert changed(gan, lambda: gan.train_on_batch(z, ONES)) == [True] * 4 + [False] * 4
    assert changed(gan, lambda: d.train_on_batch(x, ONES)) == [False] * 4 + [True] * 4
    assert changed(gan, lambda: gan.fit(z, ONES, epochs=2, verbose=0)) == [True] * 4 + [False] * 4
    assert [len(m.optimizer.trainable_variables) for m in (d, gan)] == [4, 4]
    assert not any(w in d.weights for w in gan.optimizer.trainable_variables)


def test_the_flags_count_that_held_at_compile_even_if_the_model_was_not_built_yet():
    d = fastgd.Sequential([Dense(8, "relu"), Dense(1, "sigmoid")])
    d.layers[0].trainable = False
    d.compile("sgd", "binary_crossentropy")
    d.trainable = False
    z = fastgd.Input((2,))
    gan = fastgd.Model(z, d(Dense(3)(z)))
    gan.compile("sgd", "binary_crossentropy")
    x = RNG.normal(size=(16, 3))
    assert changed(d, lambda: d.train_on_batch(x, ONES)) == [False, False, True, True]
    assert changed(gan, lambda: gan.train_on_batch(x[:, :2], ONES)) == [True] * 2 + [False] * 4


def test_a_frozen_discriminator_normalizes_by_its_moving_averages():
    g, d, gan = build(normalized=True)
    x, z = RNG.normal(size=(16, 3)), RNG.normal(size=(16, 2))
    mean = d.layers[1].moving_mean
    before = mean.numpy()
    gan.train_on_batch(z, ONES)
    np.testing.assert_array_equal(mean.value, before)
    d.train_on_batch(x, ONES)
    assert (mean.value != before).all()
    # The loss of the frozen pair is that of a prediction.
    expected = fastgd.losses.BinaryCrossentropy()(ONES, d(g(z)))
    assert gan.train_on_batch(z, ONES) == pytest.approx(expected, rel=1e-5)


def test_alternating_steps_neither_compile_plans_nor_copy_weights(monkeypatch):
    g, d, gan = build()
    made, moves, binds = [], [], []
    create, move = runtime.create_executor, fastgd.Variable.move
    bind = fastgd.models.session.Engine.bind_weights

    def counted(engine):
        bound = engine._bound
        bind(engine)
        binds.extend([engine] if engine._bound is not bound else [])

    monkeypatch.setattr(runtime, "create_executor", lambda plan: made.append(plan) or create(plan))
    monkeypatch.setattr(fastgd.Variable, "move", lambda *args: moves.append(args) or move(*args))
    monkeypatch.setattr(fastgd.models.session.Engine, "bind_weights", counted)

    def alternate():
        z = RNG.normal(size=(16, 2))
        d.train_on_batch(RNG.normal(size=(16, 3)), ONES)
        d.train_on_batch(g.predict_on_batch(z), ZEROS)
        d.test_on_batch(RNG.normal(size=(16, 3)), ONES)
        gan.train_on_batch(z, ONES)

    alternate()
    alternate()
    # One plan for each thing done, and one move into the array that holds all weights for good.
    assert len(made) == 4
    counts = len(made), len(moves), len(binds)
    places = [w.value.ctypes.data for w in gan.weights]
    assert len({id(w.store) for w in gan.weights}) == 1
    for _ in range(10):
        alternate()
    assert (len(made), len(moves), len(binds)) == counts
    assert [w.value.ctypes.data for w in gan.weights] == places
