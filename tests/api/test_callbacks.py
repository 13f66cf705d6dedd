"""Callbacks: history, early stopping, functions as hooks, and what progress looks like."""

from __future__ import annotations

import re

import numpy as np
import pytest

import fastgd
from fastgd.callbacks import Callback, CallbackList, EarlyStopping, History, LambdaCallback, TerminateOnNaN
from fastgd.utils.progress import format_logs, format_pace

X = np.linspace(-1, 1, 40).reshape(20, 2)
T = X.sum(axis=1)


def make(metrics=None, rate=0.1):
    model = fastgd.Sequential([fastgd.Input((2,)), fastgd.layers.Dense(1)])
    model.compile(fastgd.optimizers.SGD(rate), "mse", metrics=metrics)
    return model


class Script(Callback):
    """Replaces a value in the logs by given ones, and marks the weights with the epoch."""

    def __init__(self, name, values):
        super().__init__()
        self.name, self.values = name, values

    def on_epoch_end(self, epoch, logs=None):
        logs[self.name] = self.values[epoch]
        self.model.set_weights([np.full((2, 1), float(epoch)), np.zeros(1)])


def stop(values, name="val_loss", **kwargs):
    """Return the model and the callback after a fit whose monitored values are `values`."""
    model, callback = make(["binary_accuracy"]), EarlyStopping(name, **kwargs)
    history = model.fit(X, T, epochs=len(values), verbose=0, callbacks=[Script(name, values), callback])
    return model, callback, len(history.epoch)


@pytest.mark.parametrize(
    ("values", "arguments", "epochs"),
    [
        ([1, 2, 3, 4], {}, 2),
        ([1, 0.5, 0.6, 0.4], {}, 3),
        ([1, 0.5, 0.6, 0.7, 0.8], {"patience": 2}, 4),
        ([1, 0.99, 0.98, 0.5], {"min_delta": 0.1}, 2),
        ([3, 2, 1], {"mode": "max"}, 2),
        ([5, 4, 3, 2], {"baseline": 1, "patience": 2}, 4),
        ([5, 4, 4, 2], {"baseline": 1, "patience": 2}, 3),
        ([1, 2, 2, 3], {"start_from_epoch": 2}, 4),
        ([np.nan, np.nan, 1], {}, 2),
        ([0.4, 0.3, 0.2], {"min_delta": 0.1}, 2),
        ([np.inf, np.inf, 1], {}, 2),
    ],
)
def test_early_stopping_counts_epochs(values, arguments, epochs):
    assert stop(values, **arguments)[2] == epochs


def test_early_stopping_knows_which_way_is_better():
    assert stop([0.1, 0.2, 0.3], "val_binary_accuracy")[2] == 3
    assert stop([0.3, 0.2, 0.1], "val_binary_accuracy")[2] == 2
    with pytest.raises(ValueError, match=r"`mode` must be 'min' or 'max'.*Received: monitor='speed'"):
        stop([1, 2], "speed")
    assert stop([1, 2], "speed", mode="max")[2] == 2


def test_early_stopping_restores_the_best_weights_even_if_not_stopped(capsys):
    model, callback, _ = stop([3, 1, 2, 4], restore_best_weights=True, patience=5, verbose=1)
    assert model.get_weights()[0][0] == 1.0
    assert (callback.best, callback.best_epoch, callback.stopped_epoch) == (1.0, 1, 0)
    assert "Restoring model weights from the end of the best epoch: 2." in capsys.readouterr().out
    model, callback, _ = stop([3, 1, 2, 4], restore_best_weights=True, verbose=1)
    assert callback.stopped_epoch == 2
    assert "Epoch 3: early stopping" in capsys.readouterr().out


def test_early_stopping_warns_if_the_name_is_missing():
    with pytest.warns(UserWarning, match="looks for 'val_loss', which is not in the logs: loss"):
        make().fit(X, T, verbose=0, callbacks=[EarlyStopping()])


def test_wrong_arguments():
    with pytest.raises(ValueError, match="`mode` is not a known mode"):
        EarlyStopping(mode="best")
    with pytest.raises(ValueError, match="`patience` must be 0 or more"):
        EarlyStopping(patience=-1)
    with pytest.raises(ValueError, match=r"`keyword` is not a known hook. Did you mean 'on_epoch_end'\?"):
        LambdaCallback(on_epoch_ends=print)
    with pytest.raises(TypeError, match="`on_epoch_end` must be callable"):
        LambdaCallback(on_epoch_end=3)
    with pytest.raises(TypeError, match=r"`raise_error` must be True or False. Received: raise_error=0"):
        TerminateOnNaN(0)


def diverge(callbacks, **arguments):
    """Return the epochs and the batches that begin in a fit whose loss overflows in the third batch."""
    model, begun, ended = make(rate=1e15), [], []
    counting = LambdaCallback(
        on_epoch_begin=lambda epoch, logs: begun.append([]),
        on_train_batch_begin=lambda batch, logs: begun[-1].append(batch),
        on_train_end=lambda logs: ended.append(logs["loss"]),
    )
    history = model.fit(X, T, 2, epochs=3, verbose=0, shuffle=False, callbacks=[*callbacks, counting], **arguments)
    return history, begun, ended


def test_loss_that_is_no_number_ends_fit_at_that_batch(capsys):
    history, begun, ended = diverge([])
    losses = history.history["loss"]
    assert not np.isfinite(losses).any()
    assert begun == [list(range(10))] * 3
    history, begun, ended = diverge([TerminateOnNaN()], validation_split=0.1)
    assert begun == [[0, 1, 2]]
    assert not np.isfinite(ended[0])
    assert list(history.history) == ["loss", "val_loss"]
    assert capsys.readouterr().out == "Batch 2: Invalid loss, terminating training\n"


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf, np.float32(np.nan)])
def test_each_loss_that_is_no_number_is_noticed(loss):
    callback = TerminateOnNaN()
    callback.set_model(make())
    callback.on_train_batch_end(0, {"loss": 1e300})
    callback.on_train_batch_end(1, {"mae": loss})
    callback.on_train_batch_end(2)
    assert callback.model.stop_training is False
    callback.on_train_batch_end(3, {"loss": loss})
    assert callback.model.stop_training is True
    with pytest.raises(RuntimeError, match=r"NaN or Inf loss encountered at batch 4\. Received: loss="):
        TerminateOnNaN(raise_error=True).on_train_batch_end(4, {"loss": loss})


def test_loss_that_is_no_number_may_raise():
    with pytest.raises(RuntimeError, match=r"NaN or Inf loss encountered at batch 2\. Received: loss=inf"):
        diverge([TerminateOnNaN(raise_error=True)])


def test_history_sees_what_earlier_callbacks_added_to_the_logs():
    history = make().fit(
        X, T, epochs=2, verbose=0, callbacks=[LambdaCallback(on_epoch_end=lambda e, logs: logs.update(a=e))]
    )
    assert history.history["a"] == [0, 1]


def test_own_history_is_used():
    mine = History()
    model = make()
    assert model.fit(X, T, verbose=0, callbacks=[mine]) is mine
    model.fit(X, T, verbose=0, callbacks=[mine])
    assert len(mine.history["loss"]) == 2


def test_only_hooks_of_batches_make_the_engine_return():
    class Batches(Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass

    class Older(Callback):
        def on_batch_begin(self, batch, logs=None):
            pass

    class Epochs(Callback):
        def on_epoch_end(self, epoch, logs=None):
            pass

        def on_progress(self, step, logs=None):
            pass

    assert CallbackList(Batches()).wants_batches("train")
    assert not CallbackList(Batches()).wants_batches("test")
    assert CallbackList([Older()]).wants_batches("train")
    assert CallbackList(LambdaCallback(on_test_batch_end=print)).wants_batches("test")
    assert not CallbackList([Epochs(), LambdaCallback(on_train_end=print)], True, True).wants_batches("train")


def test_hooks_of_older_names_are_called_for_every_batch():
    heard = []

    class Older(Callback):
        def on_batch_begin(self, batch, logs=None):
            heard.append(("begin", batch))

        def on_batch_end(self, batch, logs=None):
            heard.append(("end", batch, sorted(logs)))

    listeners = CallbackList([Older(), LambdaCallback(on_train_batch_end=lambda batch, logs: heard.append("own"))])
    for batch in range(2):
        listeners.on_batch_begin("train", batch)
        listeners.on_batch_end("train", batch, {"loss": 1.0, "accuracy": 0.5})
        # Those of other phases have no older names.
        listeners.on_batch_end("test", batch)
    names = ["accuracy", "loss"]
    assert heard == [("begin", 0), ("end", 0, names), "own", ("begin", 1), ("end", 1, names), "own"]


def test_progress_hook_sees_the_end_of_every_epoch():
    steps = []
    make().fit(
        X, T, batch_size=4, epochs=2, verbose=0, callbacks=[LambdaCallback(on_progress=lambda s, logs: steps.append(s))]
    )
    assert steps.count(5) == 2


def test_one_line_per_epoch(capsys):
    make(["mae"]).fit(X, T, epochs=2, verbose=2, validation_split=0.5)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Epoch 1/2"
    number = r"\d\.\d{4}(e-\d\d)?"
    names = " - ".join(f"{name}: {number}" for name in ("loss", "mae", "val_loss", "val_mae"))
    assert re.fullmatch(rf"1/1 - 0s - \d+(ms|us)/step - {names}", lines[1])
    assert lines[2] == "Epoch 2/2"
    assert len(lines) == 4


def test_auto_is_one_line_where_output_is_no_terminal(capsys):
    model = make()
    model.fit(X, T)
    fit = capsys.readouterr().out
    assert re.fullmatch(r"1/1 - 0s - \d+(ms|us)/step - loss: \S+\n", fit)
    model.evaluate(X, T)
    assert capsys.readouterr().out.startswith("1/1 - 0s - ")
    model.predict(X)
    assert re.fullmatch(r"1/1 - 0s - \d+(ms|us)/step\n", capsys.readouterr().out)


def test_bar_without_a_terminal_is_drawn_once(capsys):
    make().fit(X, T, batch_size=2, epochs=3, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert re.fullmatch(r"10/10 ━{20} 0s \d+(ms|us)/step - loss: \S+", lines[1])


def test_silent(capsys):
    model = make()
    model.fit(X, T, verbose=0)
    model.evaluate(X, T, verbose=0)
    model.predict(X, verbose=0)
    assert capsys.readouterr().out == ""


def test_bar_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    make().fit(X, T, batch_size=2, verbose="auto", callbacks=[LambdaCallback(on_train_batch_end=lambda b, logs: None)])
    text = capsys.readouterr().out
    assert "10/10" in text
    assert text.count("\r") > 3


def test_numbers_and_times_are_written_as_keras_does():
    assert format_logs({"b": 0.00012345, "a": 1.5, "c": 0.0}) == ["a: 1.5000", "b: 1.2345e-04", "c: 0.0000e+00"]
    assert [format_pace(t) for t in (0, 2.4, 0.012, 34e-6)] == ["0s/step", "2s/step", "12ms/step", "34us/step"]
