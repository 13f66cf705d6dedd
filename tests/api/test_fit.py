"""fit, evaluate, predict and the calls on single batches: numbers, splits, steps, weights and hooks."""

from __future__ import annotations

import _thread
import threading
import time

import numpy as np
import pytest

import fastgd
from fastgd.callbacks import Callback
from fastgd.layers import Dense
from fastgd.models.loop import TrainingLoop


def linear_model(optimizer=None, dtype="float64", **kwargs):
    model = fastgd.Sequential([fastgd.Input((3,), dtype=dtype), Dense(1)])
    model.compile(optimizer or fastgd.optimizers.SGD(0.05), "mse", **kwargs)
    return model


@pytest.fixture
def line(rng):
    x = rng.normal(size=(50, 3))
    return x, x @ np.array([1.0, -2.0, 0.5]) + 0.3


def test_epoch_is_gradient_descent_on_each_batch(line):
    x, t = line
    model = linear_model()
    w, b = model.get_weights()
    losses = []
    for start in range(0, 50, 16):
        xb, tb = x[start : start + 16], t[start : start + 16, None]
        error = xb @ w + b - tb
        losses.append((np.mean(error**2), len(xb)))
        w = w - 0.05 * 2 * xb.T @ error / len(xb)
        b = b - 0.05 * 2 * error.mean(axis=0)
    history = model.fit(x, t, batch_size=16, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], w, rtol=1e-12)
    np.testing.assert_allclose(model.get_weights()[1], b, rtol=1e-12)
    assert history.history["loss"][0] == pytest.approx(sum(v * n for v, n in losses) / 50, rel=1e-12)
    assert model.optimizer.iterations == 4


def test_adam_moves_by_its_formula(line):
    x, t = line
    model = linear_model(fastgd.optimizers.Adam(0.1, beta_1=0.8, beta_2=0.9, epsilon=1e-3))
    w = np.concatenate([value.ravel() for value in model.get_weights()])
    m = v = np.zeros(4)
    for step in range(1, 6):
        error = x @ w[:3] + w[3] - t
        g = 2 * np.append(x.T @ error, error.sum()) / 50
        m, v = m + (g - m) * 0.2, v + (g * g - v) * 0.1
        w = w - 0.1 * np.sqrt(1 - 0.9**step) / (1 - 0.8**step) * m / (np.sqrt(v) + 1e-3)
        model.train_on_batch(x, t)
    np.testing.assert_allclose(np.concatenate([a.ravel() for a in model.get_weights()]), w, rtol=1e-10)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_moves_by_its_formula(line, nesterov):
    x, t = line
    model = linear_model(fastgd.optimizers.SGD(0.05, momentum=0.9, nesterov=nesterov))
    w = np.concatenate([value.ravel() for value in model.get_weights()])
    velocity = np.zeros(4)
    for _ in range(5):
        error = x @ w[:3] + w[3] - t
        g = 2 * np.append(x.T @ error, error.sum()) / 50
        velocity = 0.9 * velocity - 0.05 * g
        w = w + (0.9 * velocity - 0.05 * g if nesterov else velocity)
        model.train_on_batch(x, t)
    np.testing.assert_allclose(np.concatenate([a.ravel() for a in model.get_weights()]), w, rtol=1e-10)


def test_full_batch_descent_finds_the_least_squares_line(line):
    x, t = line
    model = linear_model(fastgd.optimizers.SGD(0.3))
    model.fit(x, t, batch_size=50, epochs=200, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0][:, 0], [1.0, -2.0, 0.5], rtol=1e-8)
    np.testing.assert_allclose(model.get_weights()[1], [0.3], rtol=1e-8)


def test_validation_split_takes_the_last_rows_before_shuffling(line):
    x, t = line
    split, given = linear_model(), linear_model()
    given.set_weights(split.get_weights())
    fastgd.utils.set_random_seed(5)
    a = split.fit(x, t, epochs=2, validation_split=0.3, verbose=0).history
    fastgd.utils.set_random_seed(5)
    b = given.fit(x[:35], t[:35], epochs=2, validation_data=(x[35:], t[35:]), verbose=0).history
    assert a == b
    assert list(a) == ["loss", "val_loss"]
    assert a["val_loss"][-1] == pytest.approx(split.evaluate(x[35:], t[35:], verbose=0), rel=1e-12)


def test_validation_data_override_the_split(line):
    x, t = line
    model = linear_model()
    model.fit(x, t, batch_size=10, validation_split=0.5, validation_data=(x[:7], t[:7], np.ones(7)), verbose=0)
    assert model.optimizer.iterations == 5


def test_shuffle_changes_the_order_and_follows_the_seed(line):
    x, t = line
    start = linear_model().get_weights()

    def train(seed, shuffle):
        model = linear_model()
        model.set_weights(start)
        fastgd.utils.set_random_seed(seed)
        model.fit(x, t, epochs=2, batch_size=8, shuffle=shuffle, verbose=0)
        return model.get_weights()[0]

    np.testing.assert_array_equal(train(1, True), train(1, True))
    assert not np.array_equal(train(1, True), train(2, True))
    assert not np.array_equal(train(1, True), train(1, False))
    np.testing.assert_array_equal(train(1, False), train(2, False))


def test_sample_weights_scale_losses_but_not_their_count(line):
    x, t = line
    model = linear_model(metrics=["mae"], weighted_metrics=[fastgd.metrics.MeanAbsoluteError(name="weighted")])
    s = np.arange(50) % 3
    error = model.predict(x, verbose=0)[:, 0] - t
    logs = model.evaluate(x, t, sample_weight=s, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(np.sum(s * error**2) / 50, rel=1e-12)
    assert logs["mae"] == pytest.approx(np.mean(np.abs(error)), rel=1e-12)
    assert logs["weighted"] == pytest.approx(np.sum(s * np.abs(error)) / s.sum(), rel=1e-12)
    zero = model.get_weights()[0]
    model.fit(x, t, sample_weight=np.zeros((50, 1)), verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], zero)


def test_steps_per_epoch_continue_the_pass(line):
    x, t = line
    by_steps, by_pass = linear_model(), linear_model()
    by_pass.set_weights(by_steps.get_weights())
    history = by_steps.fit(x, t, batch_size=10, epochs=4, steps_per_epoch=3, shuffle=False, verbose=0)
    assert by_steps.optimizer.iterations == 12
    assert history.params == {"verbose": 0, "epochs": 4, "steps": 3}
    for start in (0, 10, 20, 30, 40, 0, 10, 20, 30, 40, 0, 10):
        by_pass.train_on_batch(x[start : start + 10], t[start : start + 10])
    np.testing.assert_allclose(by_steps.get_weights()[0], by_pass.get_weights()[0], rtol=1e-12)


def test_loss_of_an_epoch_that_spans_two_passes(line):
    x, t = line
    model = linear_model(fastgd.optimizers.SGD(0.0))
    error = (model.predict(x, verbose=0)[:, 0] - t) ** 2
    order = np.r_[0:20, 20:40, 40:50, 0:20, 20:40]
    history = model.fit(x, t, batch_size=20, epochs=2, steps_per_epoch=2, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], [error[:40].mean(), error[order[40:70]].mean()], rtol=1e-12)


def test_steps_with_validation_keep_the_pass(line):
    x, t = line
    plain, validated = linear_model(), linear_model()
    validated.set_weights(plain.get_weights())
    for model, extra in ((plain, {}), (validated, {"validation_data": (x, t), "validation_steps": 2})):
        fastgd.utils.set_random_seed(2)
        model.fit(x, t, batch_size=10, epochs=3, steps_per_epoch=2, verbose=0, **extra)
    np.testing.assert_array_equal(plain.get_weights()[0], validated.get_weights()[0])


def test_validation_steps_and_frequency(line):
    x, t = line
    model = linear_model(fastgd.optimizers.SGD(0.0))
    history = model.fit(
        x,
        t,
        epochs=4,
        validation_data=(x, t),
        validation_steps=2,
        validation_batch_size=5,
        validation_freq=2,
        verbose=0,
    )
    assert len(history.history["val_loss"]) == 2
    assert history.history["val_loss"][0] == pytest.approx(model.evaluate(x[:10], t[:10], verbose=0), rel=1e-12)
    listed = model.fit(x, t, epochs=4, validation_data=(x, t), validation_freq=[1, 4], verbose=0)
    assert len(listed.history["val_loss"]) == 2


def test_initial_epoch(line):
    x, t = line
    history = linear_model().fit(x, t, epochs=5, initial_epoch=3, verbose=0)
    assert history.epoch == [3, 4]


def test_evaluate_and_predict_in_steps(line):
    x, t = line
    model = linear_model()
    assert model.predict(x, batch_size=8, steps=2, verbose=0).shape == (16, 1)
    assert model.evaluate(x, t, batch_size=8, steps=2, verbose=0) == pytest.approx(
        model.evaluate(x[:16], t[:16], verbose=0), rel=1e-12
    )


def test_results_do_not_depend_on_the_batch_size_of_evaluation(line):
    x, t = line
    model = linear_model(metrics=["mae"])
    np.testing.assert_allclose(
        model.evaluate(x, t, batch_size=7, verbose=0), model.evaluate(x, t, batch_size=50, verbose=0), rtol=1e-12
    )
    np.testing.assert_allclose(model.predict(x, batch_size=7, verbose=0), model.predict_on_batch(x), rtol=1e-12)
    np.testing.assert_array_equal(model(x), model.predict_on_batch(x))


def test_calls_on_single_batches(line):
    x, t = line
    model = linear_model(metrics=["mae"])
    before = model.test_on_batch(x, t)
    assert isinstance(before[0], float)
    assert model.train_on_batch(x, t) == before
    assert model.optimizer.iterations == 1
    named = model.test_on_batch(x, t, sample_weight=np.ones(50), return_dict=True)
    assert list(named) == ["loss", "mae"]
    assert named["loss"] < before[0]
    assert isinstance(linear_model().train_on_batch(x, t), float)


class Recorder(Callback):
    """Writes down every hook that is called."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple] = []


def _record(name):
    def hook(self, *args):
        self.calls.append((name, *args[:-1], sorted(args[-1] or {})))

    return hook


for _name in [name for name in dir(Callback) if name.startswith("on_") and name != "on_progress"]:
    if _name not in ("on_batch_begin", "on_batch_end"):
        setattr(Recorder, _name, _record(_name))


def test_all_hooks_are_called_in_order(line):
    x, t = line
    recorder = Recorder()
    linear_model().fit(
        x, t, batch_size=25, validation_data=(x, t), validation_batch_size=50, verbose=0, callbacks=[recorder]
    )
    assert recorder.calls == [
        ("on_train_begin", []),
        ("on_epoch_begin", 0, []),
        ("on_train_batch_begin", 0, []),
        ("on_train_batch_end", 0, ["loss"]),
        ("on_train_batch_begin", 1, []),
        ("on_train_batch_end", 1, ["loss"]),
        ("on_test_begin", []),
        ("on_test_batch_begin", 0, []),
        ("on_test_batch_end", 0, ["loss"]),
        ("on_test_end", ["loss"]),
        ("on_epoch_end", 0, ["loss", "val_loss"]),
        ("on_train_end", ["loss", "val_loss"]),
    ]


def test_predict_hooks_get_the_outputs(line):
    x, _ = line
    outputs = []
    hook = fastgd.callbacks.LambdaCallback(on_predict_batch_end=lambda batch, logs: outputs.append(logs["outputs"]))
    result = linear_model().predict(x, batch_size=20, verbose=0, callbacks=[hook])
    assert [part.shape for part in outputs] == [(20, 1), (20, 1), (10, 1)]
    np.testing.assert_array_equal(np.concatenate(outputs), result)


def test_batch_logs_are_means_over_the_epoch_and_change_nothing(line):
    x, t = line
    seen = []
    hook = fastgd.callbacks.LambdaCallback(on_batch_end=lambda batch, logs: seen.append(logs["loss"]))
    watched, plain = linear_model(), linear_model()
    plain.set_weights(watched.get_weights())
    histories = []
    for model, callbacks in ((watched, [hook]), (plain, None)):
        fastgd.utils.set_random_seed(3)
        histories.append(model.fit(x, t, batch_size=10, epochs=2, verbose=0, callbacks=callbacks).history)
    assert len(seen) == 10
    assert seen[4] == histories[0]["loss"][0]
    np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-12)
    np.testing.assert_array_equal(watched.get_weights()[0], plain.get_weights()[0])


def test_stop_training_in_a_batch_and_in_an_epoch(line):
    x, t = line
    model = linear_model()

    class StopInBatch(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                self.model.stop_training = True

    history = model.fit(x, t, batch_size=10, epochs=5, verbose=0, callbacks=StopInBatch())
    assert model.optimizer.iterations == 2
    assert history.epoch == [0]

    class StopInEpoch(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    assert model.fit(x, t, epochs=5, verbose=0, callbacks=[StopInEpoch()]).epoch == [0, 1]


def test_learning_rate_may_change_between_batches(line):
    x, t = line
    model = linear_model()
    start = model.get_weights()[0]

    class Freeze(Callback):
        def on_train_batch_begin(self, batch, logs=None):
            self.model.optimizer.learning_rate = 0.0

    model.fit(x, t, verbose=0, callbacks=[Freeze()])
    np.testing.assert_array_equal(model.get_weights()[0], start)


def test_interrupt_leaves_a_usable_model(line):
    x, t = line
    model = linear_model()

    class Interrupt(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(x, t, batch_size=10, verbose=1, callbacks=[Interrupt()])
    assert model.optimizer.iterations == 3
    model.fit(x, t, batch_size=10, verbose=0)
    assert model.optimizer.iterations == 8


@pytest.mark.usefixtures("_interruptible")
def test_control_c_is_served_at_once(line):
    x, t = line
    model = linear_model()
    sent = []

    def send():
        sent.append(time.perf_counter())
        _thread.interrupt_main()

    timer = threading.Timer(0.3, send)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(np.tile(x, (2000, 1)), np.tile(t, 2000), batch_size=10, epochs=10**6, verbose=0)
    timer.join()
    # Generous, because a test must not fail on a busy machine; the promise is 0.2 seconds.
    assert time.perf_counter() - sent[0] < 5
    done = model.optimizer.iterations
    assert done > 0
    assert np.isfinite(model.evaluate(x, t, verbose=0))
    model.fit(x, t, batch_size=10, verbose=0)
    assert model.optimizer.iterations == done + 5


def test_model_with_nothing_to_train(line):
    x, t = line
    frozen = fastgd.Sequential([fastgd.Input((3,)), Dense(1)], trainable=False)
    empty = fastgd.Sequential([fastgd.Input((3,)), fastgd.layers.Flatten()])
    for model, target in ((frozen, t), (empty, x)):
        model.compile("adam", "mse")
        before = model.get_weights()
        model.fit(x, target, verbose=0)
        for old, new in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)


def test_plan_with_sample_weights():
    model = linear_model(weighted_metrics=["mae"])
    plan = model.make_plan(sample_weight=True)
    assert plan.inputs[-1] == plan.losses[0].sample_weight == plan.metrics[0].sample_weight
    assert model.make_plan().losses[0].sample_weight is None


def test_model_may_be_used_inside_a_callback(line):
    x, t = line
    quiet, busy = linear_model(), linear_model()
    busy.set_weights(quiet.get_weights())

    class Meddle(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.predict(x, verbose=0)
            self.model.evaluate(x, t, verbose=0)
            # A larger model takes the weights up: training goes on in their new place.
            fastgd.Model(self.model.input, Dense(1, dtype="float64")(self.model.output)).predict(x, verbose=0)

    for model, callbacks in ((quiet, []), (busy, [Meddle()])):
        fastgd.utils.set_random_seed(4)
        model.fit(x, t, batch_size=20, epochs=2, verbose=0, callbacks=callbacks)
    np.testing.assert_array_equal(quiet.get_weights()[0], busy.get_weights()[0])


def test_training_inside_a_callback_has_its_own_executor(line):
    x, t = line
    model = linear_model()

    class Extra(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 0:
                self.model.train_on_batch(x, t)

    history = model.fit(x, t, batch_size=10, verbose=0, callbacks=[Extra()])
    assert history.params["steps"] == 5


def test_a_batch_may_be_larger_than_any_number_of_rows() -> None:
    model = fastgd.Sequential([fastgd.Input((4,)), fastgd.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((5, 4)), np.ones(5)
    assert len(model.fit(x, y, batch_size=2**80, verbose=0).history["loss"]) == 1
    assert model.predict(x, batch_size=2**80, verbose=0).shape == (5, 1)
    assert model.evaluate(x, y, batch_size=2**80, verbose=0) >= 0


def test_a_summed_loss_adds_up_every_place() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6, 3, 4)), rng.normal(size=(6, 3, 2))
    loss = fastgd.losses.MeanSquaredError(reduction="sum")
    model = fastgd.Sequential([fastgd.Input((3, 4), dtype="float64"), Dense(2, use_bias=False)])
    model.compile(fastgd.optimizers.SGD(0.01), loss)
    before = model.get_weights()[0]
    expected = loss(y, x @ before)
    assert model.evaluate(x, y, verbose=0, batch_size=6) == pytest.approx(float(expected), rel=1e-12)
    model.train_on_batch(x, y)
    gradient = 2 / 2 * np.einsum("nij,nik->jk", x, x @ before - y)
    np.testing.assert_allclose(model.get_weights()[0], before - 0.01 * gradient, rtol=1e-12)


class EveryEpoch(Callback):
    """Has `fit` return to Python for every epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        pass


@pytest.mark.parametrize("backend", fastgd.runtime.BACKENDS)
@pytest.mark.parametrize("shuffle", [False, True])
def test_epochs_that_nobody_hears_of_are_the_same(backend, shuffle, monkeypatch):
    x, y = np.random.default_rng(2).normal(size=(37, 3)), np.random.default_rng(3).normal(size=(37, 1))
    at_once = []
    # On a busy machine the first epoch may not be short.
    monkeypatch.setattr("fastgd.models.loop.CHUNK_SECONDS", 1000.0)
    run_epochs = TrainingLoop.run_epochs

    def a_few(loop, most, finished):
        at_once.append(most)
        run_epochs(loop, min(most, 10), finished)

    monkeypatch.setattr(TrainingLoop, "run_epochs", a_few)
    results = []
    with fastgd.backend(backend):
        for callbacks in ([EveryEpoch()], []):
            fastgd.utils.set_random_seed(5)
            model = fastgd.Sequential([fastgd.Input((3,)), Dense(6, "tanh"), fastgd.layers.Dropout(0.2), Dense(1)])
            model.compile(fastgd.optimizers.SGD(0.05, momentum=0.9), "mse", metrics=["mae"])
            history = model.fit(x, y, 8, epochs=30, shuffle=shuffle, verbose=0, callbacks=callbacks, initial_epoch=4)
            model.fit(x, y, 8, epochs=3, shuffle=shuffle, verbose=0, callbacks=callbacks)
            results.append((history.epoch, history.history, model.history.history, model.optimizer.iterations))
            results[-1] += tuple(w.tobytes() for w in model.get_weights())
    assert at_once == [25, 15, 5, 2]
    assert results[0] == results[1]
    assert results[1][0] == list(range(4, 30))
    assert len(results[1][1]["mae"]) == 26


def test_whoever_listens_hears_of_every_epoch():
    x, y = np.random.default_rng(2).normal(size=(8, 3)), np.ones((8, 1))
    model = fastgd.Sequential([fastgd.Input((3,)), Dense(1)])
    model.compile("sgd", "mse")
    epochs, seen = list(range(6)), []
    hook = fastgd.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((epoch, model.optimizer.iterations))
    )
    model.fit(x, y, epochs=6, verbose=0, callbacks=[hook])
    assert seen == [(epoch, epoch + 1) for epoch in epochs]
    # A record of one's own may look at the model.
    seen.clear()

    class Own(fastgd.callbacks.History):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            seen.append((epoch, self.model.optimizer.iterations))

    model.optimizer.iterations = 0
    history = model.fit(x, y, epochs=6, verbose=0, callbacks=[Own()])
    assert seen == [(epoch, epoch + 1) for epoch in epochs]
    assert history.epoch == epochs
    # So does a schedule, and a run that is watched.
    model.compile(fastgd.optimizers.SGD(fastgd.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)), "mse")
    history = model.fit(x, y, epochs=6, verbose=0, validation_data=(x, y))
    assert len(history.history["val_loss"]) == 6
