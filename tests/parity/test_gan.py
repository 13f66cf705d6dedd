"""A generator and a discriminator trained in turn against Keras in float64, step by step, classic and with a tape."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import fastgd

Array = np.ndarray[Any, Any]

ALTERNATIONS = 20
ROWS = 12


pytestmark = pytest.mark.usefixtures("own_float64")


def networks(kind: Any, normalized: bool) -> tuple[Any, Any]:
    """Return a generator and a discriminator of one library."""
    layers = kind.layers
    own = [layers.BatchNormalization(momentum=0.8)] if normalized else []
    g = kind.Sequential([kind.Input((3,)), layers.Dense(7, "tanh"), *own, layers.Dense(4)])
    middle = [layers.BatchNormalization(momentum=0.7)] if normalized else []
    d = kind.Sequential(
        [kind.Input((4,)), layers.Dense(6, "tanh"), *middle, layers.Dense(5, "elu"), layers.Dense(1, "sigmoid")]
    )
    return g, d


def optimizers(kind: Any, name: str) -> tuple[Any, Any]:
    """Return an optimizer for the discriminator and one for the generator."""
    if name == "sgd":
        made = kind.optimizers.SGD
        return made(0.05, momentum=0.9), made(0.03, momentum=0.8, nesterov=True)
    made = kind.optimizers.Adam
    return made(0.02, beta_1=0.5), made(0.01, clipnorm=0.5)


def combine(kind: Any, g: Any, d: Any, optimizer: Any) -> Any:
    """Return the generator behind the discriminator, which is frozen in it, compiled."""
    d.trainable = False
    z = kind.Input((3,))
    gan = kind.Model(z, d(g(z)))
    gan.compile(optimizer, "binary_crossentropy")
    return gan


@pytest.mark.parametrize("normalized", [False, True], ids=["dense", "normalized"])
@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_alternating_steps(name: str, normalized: bool) -> None:
    rng = np.random.default_rng(5)
    models = []
    for kind in (keras, fastgd):
        g, d = networks(kind, normalized)
        if models:
            for own, theirs in zip((g, d), models[0], strict=False):
                own.set_weights(theirs.get_weights())
        of_d, of_g = optimizers(kind, name)
        d.compile(of_d, "binary_crossentropy")
        models.append((g, d, combine(kind, g, d, of_g)))
    (g0, d0, gan0), (g1, d1, gan1) = models
    ones, zeros = np.ones((ROWS, 1)), np.zeros((ROWS, 1))
    for _ in range(ALTERNATIONS):
        real, z = rng.normal(size=(ROWS, 4)), rng.normal(size=(ROWS, 3))
        # Keras has the flags settled by compile in its documentation only: its steps look at them as they are.
        d0.trainable = True
        fakes = np.asarray(g0(z)), g1.predict_on_batch(z)
        losses = [
            [float(d.train_on_batch(x, y)) for x, y in ((real, ones), (fake, zeros))]
            for d, fake in ((d0, fakes[0]), (d1, fakes[1]))
        ]
        d0.trainable = False
        for mine, gan in zip(losses, (gan0, gan1), strict=True):
            mine.append(float(gan.train_on_batch(z, ones)))
        np.testing.assert_allclose(fakes[1], fakes[0], rtol=1e-10, atol=1e-10)
        # Keras reports the mean over all batches since its metrics were reset; the losses of D are two of them.
        for gan in (d0, gan0):
            gan.reset_metrics()
        np.testing.assert_allclose([losses[1][0], losses[1][2]], [losses[0][0], losses[0][2]], rtol=1e-10, atol=1e-10)
        for own, theirs in ((g1, g0), (d1, d0)):
            for a, b in zip(own.get_weights(), theirs.get_weights(), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_steps_with_a_tape(name: str) -> None:
    """The losses and gradients of Keras come from JAX, its updates from its optimizers."""
    import jax

    rng = np.random.default_rng(6)
    (g0, d0), (g1, d1) = networks(keras, False), networks(fastgd, False)
    g1.set_weights(g0.get_weights())
    d1.set_weights(d0.get_weights())
    (d_theirs, g_theirs), (d_own, g_own) = optimizers(keras, name), optimizers(fastgd, name)
    d_theirs.build(d0.trainable_variables)
    g_theirs.build(g0.trainable_variables)
    theirs, own = (kind.losses.BinaryCrossentropy(label_smoothing=0.1) for kind in (keras, fastgd))
    ones, zeros = np.ones((ROWS, 1)), np.zeros((ROWS, 1))

    def d_loss(weights: Any, real: Array, fake: Array) -> Any:
        (a, _), (b, _) = (d0.stateless_call(weights, [], x) for x in (real, fake))
        return theirs(ones, a) + 0.5 * theirs(zeros, b)

    def g_loss(weights: Any, fixed: Any, z: Array) -> Any:
        y, _ = d0.stateless_call(fixed, [], g0.stateless_call(weights, [], z)[0])
        return theirs(ones, y)

    d_step, g_step = jax.jit(jax.value_and_grad(d_loss)), jax.jit(jax.value_and_grad(g_loss))
    for _ in range(ALTERNATIONS):
        real, z = rng.normal(size=(ROWS, 4)), rng.normal(size=(ROWS, 3))
        first, grads = d_step([w.value for w in d0.trainable_variables], real, np.asarray(g0(z)))
        d_theirs.apply(grads, d0.trainable_variables)
        second, grads = g_step([w.value for w in g0.trainable_variables], [w.value for w in d0.trainable_variables], z)
        g_theirs.apply(grads, g0.trainable_variables)
        with fastgd.GradientTape() as tape:
            d_value = own(ones, d1(real)) + 0.5 * own(zeros, d1(g1.predict_on_batch(z)))
        d_own.apply(tape.gradient(d_value, d1.trainable_weights), d1.trainable_weights)
        with fastgd.GradientTape() as tape:
            g_value = own(ones, d1(g1(z)))
        g_own.apply(tape.gradient(g_value, g1.trainable_weights), g1.trainable_weights)
        np.testing.assert_allclose([float(d_value), float(g_value)], [float(first), float(second)], rtol=1e-10)
        for mine, other in ((g1, g0), (d1, d0)):
            for a, b in zip(mine.get_weights(), other.get_weights(), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)
