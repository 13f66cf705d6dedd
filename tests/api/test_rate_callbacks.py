"""Callbacks that change the learning rate: what they set, when they set it, and that a running `fit` obeys."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd import runtime
from fastgd.callbacks import LambdaCallback, LearningRateScheduler, ReduceLROnPlateau

NAN = float("nan")
X = np.array([[0.0], [1.0], [2.0], [4.0]])
T = np.array([[1.0], [0.0], [3.0], [5.0]])


def make(rate=1.0, metrics=None):
    model = fastgd.Sequential([fastgd.Input((1,)), fastgd.layers.Dense(1, dtype="float64")])
    model.compile(fastgd.optimizers.SGD(rate), "mse", metrics=metrics)
    return model


def descend(model, rates):
    """Return the weights after full-batch gradient descent from those of `model`, one step per rate."""
    (w, b) = (array.item() for array in model.get_weights())
    for rate in rates:
        error = (w * X + b - T).ravel()
        w, b = w - rate * 2 * np.mean(error * X.ravel()), b - rate * 2 * np.mean(error)
    return w, b


def drive(callback, values, name="val_loss", rate=1.0):
    """Return the learning rate after each epoch whose monitored value is in `values`."""
    callback.set_model(make(rate, ["binary_accuracy"]))
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {name: value})
        rates.append(callback.model.optimizer.learning_rate)
    return rates


@pytest.mark.parametrize(
    ("values", "arguments", "rates"),
    [
        ([1, 1, 1, 1, 1], {"patience": 2}, [1, 1, 0.5, 0.5, 0.25]),
        ([1, 1, 0.5, 0.6, 0.5], {"patience": 2}, [1, 1, 1, 1, 0.5]),
        ([3, 3, 3], {"patience": 0}, [1, 0.5, 0.25]),
        ([1, 1, 1, 1, 1, 1], {"cooldown": 2}, [1, 0.5, 0.5, 0.25, 0.25, 0.125]),
        ([1, 1, 1, 1, 0.5, 0.5, 0.5], {"patience": 2, "cooldown": 1}, [1, 1, 0.5, 0.5, 0.5, 0.5, 0.25]),
        ([1, 2, 0.5, 0.6, 0.7], {"cooldown": 2}, [1, 0.5, 0.5, 0.25, 0.25]),
        ([1, 0.99995, 0.9998], {}, [1, 0.5, 0.5]),
        ([1, 0.95, 0.85, 0.8, 0.7], {"min_delta": 0.1}, [1, 0.5, 0.5, 0.25, 0.25]),
        ([1, 0.75, 0.7], {"min_delta": 0.25}, [1, 0.5, 0.5]),
        ([1, 0.5, 2, 1.9], {"mode": "max"}, [1, 0.5, 0.5, 0.25]),
        ([1, 1.25, 1.3], {"mode": "max", "min_delta": 0.25}, [1, 0.5, 0.5]),
        ([1, 1, 1, 1], {"min_lr": 0.3}, [1, 0.5, 0.3, 0.3]),
        ([1, 1], {"factor": 0, "min_lr": 0.01}, [1, 0.01]),
        ([1, 1], {"factor": 0.3}, [1, 0.3]),
        ([NAN, NAN, 1, 2], {}, [0.5, 0.25, 0.25, 0.125]),
    ],
)
def test_plateau_by_hand(values, arguments, rates):
    callback = ReduceLROnPlateau(**{"factor": 0.5, "patience": 1, **arguments})
    assert drive(callback, values) == rates
    # The second run knows nothing of the first.
    assert drive(callback, values) == rates


def test_plateau_has_the_defaults_of_keras():
    rates = drive(ReduceLROnPlateau(), [1.0] * 21, rate=0.1)
    assert rates[:10] == [0.1] * 10
    assert rates[10:20] == [pytest.approx(0.01)] * 10
    assert rates[20] == pytest.approx(0.001)


def test_plateau_knows_which_way_is_better():
    name = "val_binary_accuracy"
    assert drive(ReduceLROnPlateau(name, 0.5, 1), [0.1, 0.2, 0.2], name) == [1, 1, 0.5]
    assert drive(ReduceLROnPlateau("loss", 0.5, 1), [0.1, 0.2], "loss") == [1, 0.5]
    with pytest.raises(ValueError, match=r"`mode` must be 'min' or 'max'.*Received: monitor='speed'"):
        drive(ReduceLROnPlateau("speed"), [1], "speed")


def test_plateau_counts_no_cooldown_where_the_rate_stays():
    callback = ReduceLROnPlateau(factor=0.5, patience=1, cooldown=3, min_lr=1.0)
    assert drive(callback, [1, 1, 1]) == [1, 1, 1]
    assert (callback.wait, callback.cooldown_counter, callback.in_cooldown()) == (2, 0, False)


def test_plateau_logs_the_rate_of_the_epoch_and_tells_what_it_does(capsys):
    callback = ReduceLROnPlateau(factor=0.5, patience=1, verbose=1)
    drive(callback, [1])
    logs = {"val_loss": 1.0}
    callback.on_epoch_end(6, logs)
    assert logs["learning_rate"] == 1.0
    assert capsys.readouterr().out == "\nEpoch 7: ReduceLROnPlateau reducing learning rate to 0.5.\n"
    with pytest.warns(UserWarning, match="ReduceLROnPlateau looks for 'val_loss', which is not in the logs: a, learn"):
        callback.on_epoch_end(7, {"a": 1.0})


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_plateau_takes_effect_in_the_next_epoch(backend):
    values = iter([5.0, 5.0, 4.0, 4.0, 4.0])
    with fastgd.backend(backend):
        model = make(0.1)
        expected = descend(model, [0.1, 0.1, 0.05, 0.05, 0.025])
        script = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(scripted=next(values)))
        plateau = ReduceLROnPlateau("scripted", 0.5, 1, mode="min")
        history = model.fit(X, T, epochs=5, verbose=0, callbacks=[script, plateau])
    np.testing.assert_allclose([w.item() for w in model.get_weights()], expected, rtol=1e-12)
    assert history.history["learning_rate"] == [0.1, 0.1, 0.05, 0.05, 0.025]
    assert model.optimizer.learning_rate == 0.0125


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_schedule_sets_the_rate_of_every_epoch(backend):
    asked = []

    def schedule(epoch, learning_rate):
        asked.append((epoch, learning_rate))
        return 0.1 / (epoch + 1)

    with fastgd.backend(backend):
        model = make(0.2)
        expected = descend(model, [0.1 / 3, 0.1 / 4, 0.1 / 5])
        history = model.fit(X, T, initial_epoch=2, epochs=5, verbose=0, callbacks=[LearningRateScheduler(schedule)])
    np.testing.assert_allclose([w.item() for w in model.get_weights()], expected, rtol=1e-12)
    assert asked == [(2, 0.2), (3, 0.1 / 3), (4, 0.1 / 4)]
    assert history.history["learning_rate"] == [0.1 / 3, 0.1 / 4, 0.1 / 5]


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_a_rate_set_between_batches_counts_from_the_next_one(backend):
    def halve(batch, logs):
        model.optimizer.learning_rate /= 2

    with fastgd.backend(backend):
        model = make(0.1)
        expected = descend(model, [0.1, 0.05, 0.025])
        model.fit(
            np.tile(X, (3, 1)),
            np.tile(T, (3, 1)),
            4,
            verbose=0,
            shuffle=False,
            callbacks=[LambdaCallback(on_train_batch_end=halve)],
        )
    np.testing.assert_allclose([w.item() for w in model.get_weights()], expected, rtol=1e-12)


def test_schedule_may_take_the_epoch_alone_and_return_numpy_floats(capsys):
    model = make()
    model.fit(X, T, epochs=3, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: 0.5**epoch)])
    assert model.optimizer.learning_rate == 0.25
    scheduler = LearningRateScheduler(lambda epoch, rate=9.0: np.float32(rate / 2), verbose=1)
    history = model.fit(X, T, verbose=0, callbacks=[scheduler])
    assert history.history["learning_rate"] == [0.125]
    assert type(history.history["learning_rate"][0]) is float
    assert capsys.readouterr().out == "\nEpoch 1: LearningRateScheduler setting learning rate to 0.125.\n"


def test_errors_in_a_schedule_come_out():
    def faulty(epoch, learning_rate):
        raise TypeError("mine")

    with pytest.raises(TypeError, match="^mine$"):
        make().fit(X, T, verbose=0, callbacks=[LearningRateScheduler(faulty)])
    with pytest.raises(ValueError, match=r"`schedule` must return a float. Received: returned=1, epoch=0"):
        make().fit(X, T, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: 1)])
    with pytest.raises(ValueError, match=r"`schedule` must return a float. Received: returned=None, epoch=0"):
        make().fit(X, T, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: None)])
    with pytest.raises(ValueError, match=r"`learning_rate` must be 0 or more. Received: learning_rate=-1.0"):
        make().fit(X, T, verbose=0, callbacks=[LearningRateScheduler(lambda epoch: -1.0)])


def test_wrong_arguments():
    with pytest.raises(TypeError, match=r"`schedule` must be callable. Received: schedule=0.1"):
        LearningRateScheduler(0.1)
    with pytest.raises(TypeError, match=r"`schedule` must take the epoch, or .* Received: schedule=<function"):
        LearningRateScheduler(lambda: 0.1)
    with pytest.raises(ValueError, match=r"`factor` must be below 1. Received: factor=1.0"):
        ReduceLROnPlateau(factor=1.0)
    with pytest.raises(ValueError, match=r"`factor` must be 0 or more. Received: factor=-0.5"):
        ReduceLROnPlateau(factor=-0.5)
    with pytest.raises(ValueError, match=r"`cooldown` must be 0 or more. Received: cooldown=-1"):
        ReduceLROnPlateau(cooldown=-1)
    with pytest.raises(ValueError, match=r"`min_lr` must be 0 or more. Received: min_lr=-1"):
        ReduceLROnPlateau(min_lr=-1)
    with pytest.raises(ValueError, match=r"`min_delta` must be 0 or more"):
        ReduceLROnPlateau(min_delta=-1)
    with pytest.raises(ValueError, match=r"`mode` is not a known mode.*Received: mode='least'"):
        ReduceLROnPlateau(mode="least")
