"""The door for other solvers: the loss with its gradient, the weights as one vector, and stopping where it vanishes."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd.layers import Dense, Dropout, Input

RNG = np.random.default_rng(4)
X = RNG.normal(size=(37, 3))
T = RNG.normal(size=(37, 2))
WEIGHTS = RNG.uniform(0.5, 2.0, 37)


def make_model(*more, loss="mse", dtype="float64", **kwargs):
    layers = [Input((3,), dtype=dtype), Dense(4, "tanh"), *more, Dense(2)]
    model = fastgd.Sequential(layers)
    model.compile(fastgd.optimizers.SGD(0.1), loss, **kwargs)
    return model


def differences(model, x, t, **kwargs):
    """The gradient by central differences."""
    w = model.flat_parameters
    result = np.empty_like(w)
    for k in range(w.size):
        values = []
        for step in (1e-5, -1e-5):
            moved = w.copy()
            moved[k] += step
            model.flat_parameters = moved
            values.append(model.loss_and_gradient(x, t, **kwargs)[0])
        result[k] = (values[0] - values[1]) / 2e-5
    model.flat_parameters = w
    return result


@pytest.mark.parametrize("backend", ["native", "numpy"])
@pytest.mark.parametrize("loss", ["mse", fastgd.losses.MeanSquaredError(reduction="sum")], ids=["mean", "sum"])
@pytest.mark.parametrize("kwargs", [{}, {"batch_size": 10}, {"sample_weight": WEIGHTS}])
def test_gradient_equals_differences_of_the_loss(backend, loss, kwargs):
    with fastgd.backend(backend):
        model = make_model(loss=loss)
        before = model.get_weights()
        value, gradient = model.loss_and_gradient(X, T, **kwargs)
        assert gradient.shape == (26,) and gradient.dtype == np.float64
        np.testing.assert_allclose(gradient, differences(model, X, T, **kwargs), rtol=1e-7, atol=1e-8)
        expected = model.evaluate(
            X, T, verbose=0, batch_size=kwargs.get("batch_size", 37), **(kwargs if "sample_weight" in kwargs else {})
        )
        assert value == pytest.approx(expected, rel=1e-12)
        for a, b in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(a, b)
        assert model.optimizer.iterations == 0


def test_metrics_of_several_sums_leave_it_as_it_is():
    plain, observed = make_model(), make_model(metrics=["r2_score", "auc", "mae"])
    observed.set_weights(plain.get_weights())
    for first, second in zip(plain.loss_and_gradient(X, T), observed.loss_and_gradient(X, T), strict=True):
        np.testing.assert_array_equal(first, second)


def test_one_step_of_sgd_is_a_step_along_it():
    model = make_model()
    w = model.flat_parameters
    _, gradient = model.loss_and_gradient(X, T)
    model.train_on_batch(X, T)
    np.testing.assert_allclose(model.flat_parameters, w - 0.1 * gradient, rtol=1e-12, atol=1e-15)


def test_flat_parameters_hold_the_trained_weights_in_order():
    model = make_model()
    np.testing.assert_array_equal(model.flat_parameters, np.concatenate([w.ravel() for w in model.get_weights()]))
    model.layers[0].trainable = False
    assert model.flat_parameters.size == 26  # what is trained was settled by compile
    model.compile("sgd", "mse")
    np.testing.assert_array_equal(model.flat_parameters, np.concatenate([w.ravel() for w in model.get_weights()[2:]]))
    model.flat_parameters = np.arange(10)
    np.testing.assert_array_equal(model.get_weights()[2].ravel(), np.arange(8))
    assert model.loss_and_gradient(X, T)[1].shape == (10,)


def test_dropout_is_the_same_in_every_call():
    model = make_model(Dropout(0.5, seed=3))
    value, gradient = model.loss_and_gradient(X, T)
    assert model.loss_and_gradient(X, T)[0] == value != pytest.approx(model.evaluate(X, T, verbose=0))
    np.testing.assert_allclose(gradient, differences(model, X, T), rtol=1e-6, atol=1e-8)


def test_a_solver_of_another_library_finds_the_minimum():
    optimize = pytest.importorskip("scipy.optimize")
    model = fastgd.Sequential([Input((3,), dtype="float64"), Dense(2)])
    model.compile("sgd", "mse")

    def objective(w):
        model.flat_parameters = w
        return model.loss_and_gradient(X, T)

    result = optimize.minimize(objective, model.flat_parameters, jac=True, method="L-BFGS-B", options={"gtol": 1e-10})
    exact = np.linalg.lstsq(np.column_stack([X, np.ones(37)]), T, rcond=None)[0]
    np.testing.assert_allclose(result.x.reshape(4, 2), exact, atol=1e-6)


@pytest.mark.parametrize("bad", [np.zeros(25), np.zeros((26, 1)), np.array(["a"] * 26)])
def test_wrong_vectors(bad):
    model = make_model()
    with pytest.raises((ValueError, TypeError), match="`flat_parameters` must"):
        model.flat_parameters = bad


def test_stopping_at_a_critical_point():
    model = fastgd.Sequential([Input((3,), dtype="float64"), Dense(2)])
    model.compile(fastgd.optimizers.SGD(0.3), "mse")
    stop = fastgd.callbacks.CriticalPoint(1e-6)
    history = model.fit(X, T, 37, epochs=2000, verbose=0, callbacks=[stop])
    norms = history.history["gradient_norm"]
    assert stop.converged and stop.best == norms[-1] <= 1e-6 < norms[-2] and len(norms) < 2000
    exact = np.linalg.lstsq(np.column_stack([X, np.ones(37)]), T, rcond=None)[0]
    np.testing.assert_allclose(np.vstack(model.get_weights()), exact, atol=1e-5)


def test_the_best_iterate_is_kept(capsys):
    model = fastgd.Sequential([Input((3,), dtype="float64"), Dense(2)])
    rates = [0.3, 0.3, 0.3, 5.0, 5.0]
    model.compile(fastgd.optimizers.SGD(0.3), "mse")
    stop = fastgd.callbacks.CriticalPoint(1e-12, verbose=1)
    schedule = fastgd.callbacks.LearningRateScheduler(lambda epoch: rates[epoch])
    history = model.fit(X, T, 37, epochs=5, verbose=0, callbacks=[schedule, stop])
    norms = history.history["gradient_norm"]
    assert stop.best_epoch == 2 and stop.best == min(norms) and not stop.converged
    assert np.linalg.norm(model.loss_and_gradient(X, T)[1]) == pytest.approx(stop.best)
    assert "Restoring the weights of epoch 3" in capsys.readouterr().out


def test_looking_every_few_epochs():
    model = make_model()
    stop = fastgd.callbacks.CriticalPoint(1e-12, every=2, restore_best_weights=False)
    history = model.fit(X, T, epochs=5, verbose=0, callbacks=[stop])
    assert stop.best_epoch in (1, 3) and history.epoch == [0, 1, 2, 3, 4]


def test_data_in_batches_have_no_gradient_over_all():
    model = make_model()
    with pytest.raises(ValueError, match="is not training on rows in memory"):
        model.fit(iter([(X, T)]), verbose=0, callbacks=[fastgd.callbacks.CriticalPoint()])
    with pytest.raises(ValueError, match="is not training on rows in memory"):
        model.training_loss_and_gradient()
