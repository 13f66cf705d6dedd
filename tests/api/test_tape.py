"""GradientTape: gradients of what a block computes, values of what it holds, and plans that are compiled once."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd import ops, runtime
from fastgd.layers import BatchNormalization, Dense, Dropout, GaussianNoise

RNG = np.random.default_rng(8)
X = RNG.normal(size=(9, 3))
Z = RNG.normal(size=(9, 2))
ONES = np.ones((9, 1))
LOSS = fastgd.losses.BinaryCrossentropy()


@pytest.fixture(params=["native", "numpy"], autouse=True)
def backend(request):
    with fastgd.backend(request.param):
        yield


def pair():
    """A generator and a discriminator in float64."""
    g = fastgd.Sequential([fastgd.Input((2,), dtype="float64"), Dense(4, "tanh"), Dense(3)])
    d = fastgd.Sequential([fastgd.Input((3,), dtype="float64"), Dense(5, "tanh"), Dense(1, "sigmoid")])
    return g, d


def slopes(variable, function, step=1e-6):
    """The gradient by central differences."""
    found = np.zeros(variable.shape)
    for place in np.ndindex(variable.shape):
        before = variable.value[place]
        variable.value[place] = before + step
        above = function()
        variable.value[place] = before - step
        found[place] = (above - function()) / (2 * step)
        variable.value[place] = before
    return found


def assert_slopes(gradients, variables, function):
    for gradient, variable in zip(gradients, variables, strict=True):
        np.testing.assert_allclose(gradient, slopes(variable, function), rtol=1e-6, atol=1e-8)


def test_gradients_and_values_of_a_loss():
    _, d = pair()
    with fastgd.GradientTape() as tape:
        predictions = d(X, training=True)
        loss = LOSS(ONES, predictions)
    gradients = tape.gradient(loss, d.trainable_weights)
    assert_slopes(gradients, d.trainable_weights, lambda: LOSS(ONES, d.predict(X, verbose=0)))
    np.testing.assert_allclose(float(loss), LOSS(ONES, d.predict(X, verbose=0)), rtol=1e-12)
    np.testing.assert_allclose(predictions, d.predict(X, verbose=0), rtol=1e-12)
    assert f"{loss:.3f}" == f"{float(loss):.3f}" and len(predictions) == 9


def test_nested_tapes_share_the_passes():
    g, d = pair()
    with fastgd.GradientTape() as of_g, fastgd.GradientTape() as of_d:
        fake = d(g(Z))
        fool, real_loss, fake_loss = LOSS(ONES, fake), LOSS(ONES, d(X)), LOSS(0 * ONES, fake)
        loss = 0.5 * (real_loss + fake_loss) - 3.0
    by_g = of_g.gradient(fool, g.trainable_weights)
    by_d = of_d.gradient(loss, d.trainable_weights)

    def d_loss():
        fakes = d.predict(g.predict(Z, verbose=0), verbose=0)
        return 0.5 * (LOSS(ONES, d.predict(X, verbose=0)) + LOSS(0 * ONES, fakes))

    assert_slopes(by_g, g.trainable_weights, lambda: LOSS(ONES, d.predict(g.predict(Z, verbose=0), verbose=0)))
    assert_slopes(by_d, d.trainable_weights, d_loss)
    assert float(loss) == pytest.approx(0.5 * (float(real_loss) + float(fake_loss)) - 3.0, rel=1e-12)


@pytest.mark.parametrize(
    "reduce",
    [
        lambda y: ops.sum(ops.square(y)),
        lambda y: ops.mean(ops.square(y)) * 3.0 - ops.sum(y),
        lambda y: ops.mean(y) * ops.mean(ops.square(y)),
        lambda y: ops.sum(y, axis=1),
        lambda y: y * np.arange(27.0).reshape(9, 3),
        lambda y: y - np.array([1.0, 2.0, 3.0]),
        lambda y: ops.log(ops.mean(ops.square(y), axis=0)),
    ],
    ids=["sum", "mean and sum", "product of means", "samples", "by an array", "by a row", "over the batch"],
)
def test_targets_of_any_shape_are_summed(reduce):
    g, _ = pair()
    with fastgd.GradientTape() as tape:
        target = reduce(g(Z))
    gradients = tape.gradient(target, g.trainable_weights)
    assert_slopes(gradients, g.trainable_weights, lambda: float(np.sum(reduce(g.predict(Z, verbose=0)))))
    np.testing.assert_allclose(target, reduce(g.predict(Z, verbose=0)), rtol=1e-11)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_sample_weights_and_reductions_as_on_arrays(reduction):
    _, d = pair()
    weight = RNG.uniform(0.5, 2, 9)
    loss_fn = fastgd.losses.MeanSquaredError(reduction=reduction)
    with fastgd.GradientTape() as tape:
        loss = loss_fn(ONES, d(X), weight)
    gradients = tape.gradient(loss, d.trainable_weights)
    assert float(loss) == pytest.approx(loss_fn(ONES, d.predict(X, verbose=0), weight), rel=1e-11)
    assert_slopes(gradients, d.trainable_weights, lambda: loss_fn(ONES, d.predict(X, verbose=0), weight))


def test_variables_alone_have_gradients():
    _, d = pair()
    kernel = d.layers[0].kernel
    with fastgd.GradientTape() as tape:
        penalty = ops.sum(ops.square(kernel))
    np.testing.assert_allclose(tape.gradient(penalty, kernel), 2 * kernel.value, rtol=1e-12)
    assert float(penalty) == pytest.approx(float(np.sum(kernel.value**2)))


def test_gradients_by_watched_arrays():
    _, d = pair()
    with fastgd.GradientTape() as tape:
        tape.watch(X)
        y = d(X)
    (by_x, by_kernel) = tape.gradient(y, [X, d.layers[0].kernel])
    step = 1e-6 * np.eye(3)[1]
    below, above = (float(d.predict(X + sign * step, verbose=0)[4, 0]) for sign in (-1, 1))
    assert by_x.shape == X.shape and by_x[4, 1] == pytest.approx((above - below) / 2e-6, rel=1e-6)
    assert_slopes([by_kernel], [d.layers[0].kernel], lambda: float(d.predict(X, verbose=0).sum()))


def test_what_was_not_used_has_no_gradient():
    g, d = pair()
    with fastgd.GradientTape() as tape:
        other, loss = g(Z), ops.mean(d(X))
    assert tape.gradient(loss, g.trainable_weights) == [None] * 4
    assert other.numpy().shape == (9, 3)


def test_values_are_those_of_the_weights_at_the_time():
    g, d = pair()
    expected = d.predict(X, verbose=0)
    with fastgd.GradientTape(persistent=True) as tape:
        y = d(X)
        loss = ops.mean(y)
    first = tape.gradient(loss, d.trainable_weights)
    optimizer = fastgd.optimizers.SGD(0.5)
    optimizer.apply_gradients(zip(first, d.trainable_weights, strict=True))
    second = tape.gradient(loss, d.trainable_weights)
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    with fastgd.GradientTape():
        z = g(Z)
    kept = g.predict(Z, verbose=0)
    g.layers[0].kernel.assign(0 * g.layers[0].kernel.value)
    np.testing.assert_allclose(z, kept, rtol=1e-12)
    np.testing.assert_allclose(y, expected, rtol=1e-12)


def test_alike_blocks_are_compiled_once(monkeypatch):
    _, d = pair()
    made = []
    create = runtime.create_executor
    monkeypatch.setattr(runtime, "create_executor", lambda plan: made.append(plan) or create(plan))
    optimizer = fastgd.optimizers.Adam()
    for _ in range(5):
        with fastgd.GradientTape() as tape:
            predictions = d(RNG.normal(size=(31, 3)), training=True)
            loss = LOSS(np.ones((31, 1)), predictions)
        gradients = tape.gradient(loss, d.trainable_weights)
        optimizer.apply_gradients(zip(gradients, d.trainable_weights, strict=True))
    assert len(made) <= 2 and optimizer.iterations == 5


def test_averages_move_once_and_draws_stay():
    layers = [Dense(4, dtype="float64"), BatchNormalization(dtype="float64"), Dropout(0.5), GaussianNoise(0.1)]
    model = fastgd.Sequential([fastgd.Input((3,), dtype="float64"), *layers])
    mean = model.layers[0](X).mean(axis=0)
    with fastgd.GradientTape(persistent=True) as tape:
        y = model(X, training=True)
        a, b = ops.sum(y), ops.sum(y * y)
    for target in (a, b):
        tape.gradient(target, model.trainable_weights)
    np.testing.assert_allclose(model.layers[1].moving_mean.value, 0.01 * mean, rtol=1e-9)
    assert float(b) == pytest.approx(float(np.sum(y.numpy() ** 2)))
    assert (y.numpy() != model(X)).any()


def test_recorded_tensors_count_as_values_elsewhere():
    g, d = pair()
    with fastgd.GradientTape():
        fake = g(Z)
    value = g.predict(Z, verbose=0)
    np.testing.assert_allclose(d(fake), d.predict(value, verbose=0), rtol=1e-12)
    np.testing.assert_allclose(ops.mean(fake, axis=0), value.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(fake - 1.0, value - 1.0, rtol=1e-12)
    with fastgd.GradientTape() as tape:
        loss = ops.mean(d(fake))
    assert tape.gradient(loss, g.trainable_weights) == [None] * 4


def test_wrong_uses_are_refused():
    _, d = pair()
    tape = fastgd.GradientTape()
    with pytest.raises(ValueError, match="has not begun"):
        tape.gradient(1.0, d.trainable_weights)
    with tape:
        loss = ops.mean(d(X))
        with pytest.raises(ValueError, match="equally many rows"):
            d(X[:4])
    with pytest.raises(ValueError, match="`target`"):
        tape.gradient(3.0, d.trainable_weights)
    with pytest.raises(TypeError, match="`sources`"):
        tape.gradient(loss, X)
    tape.gradient(loss, d.trainable_weights)
    with pytest.raises(ValueError, match="persistent=True"):
        tape.gradient(loss, d.trainable_weights)
    with pytest.raises(ValueError, match="one block"), tape:
        pass


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "lion"])
def test_apply_gradients_does_what_fit_does(optimizer):
    _, d = pair()
    twin = fastgd.models.clone_model(d)
    twin.set_weights(d.get_weights())
    options = {"global_clipnorm": 0.1, "use_ema": True, "weight_decay": 0.01}
    own, other = (
        getattr(fastgd.optimizers, n)(0.03, **options)
        for n in [{"sgd": "SGD", "adam": "Adam", "rmsprop": "RMSprop", "lion": "Lion"}[optimizer]] * 2
    )
    twin.compile(other, LOSS)
    for _ in range(6):
        with fastgd.GradientTape() as tape:
            loss = LOSS(ONES, d(X))
        own.apply(tape.gradient(loss, d.trainable_weights), d.trainable_weights)
        twin.train_on_batch(X, ONES)
    for a, b in zip(d.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)


def test_variables_without_gradient_stay_as_they_are():
    _, d = pair()
    optimizer = fastgd.optimizers.AdamW(0.1)
    gradients = [np.ones(w.shape) for w in d.trainable_weights]
    optimizer.apply(gradients, d.trainable_weights)
    before = [w.numpy() for w in d.trainable_weights]
    with pytest.warns(UserWarning, match="no gradient"):
        optimizer.apply([None, *gradients[1:]], d.trainable_weights)
    moved = [bool((w.value != b).any()) for w, b in zip(d.trainable_weights, before, strict=True)]
    assert moved == [False, True, True, True]
    with pytest.raises(ValueError, match="at least one gradient"):
        optimizer.apply([None] * 4, d.trainable_weights)
    with pytest.raises(ValueError, match="not built for"):
        optimizer.apply([np.ones((2, 4))], [pair()[0].trainable_weights[0]])
    with pytest.raises(ValueError, match="must have the shape"):
        optimizer.apply([g[:1] for g in gradients], d.trainable_weights)
