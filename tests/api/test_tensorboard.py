"""TensorBoard: the event files hold Keras' folders and tags with the values of the history."""

from __future__ import annotations

import json
import struct
import sys

import numpy as np
import pytest

import fastgd
from fastgd import callbacks, layers, runtime


def read(folder):
    """Return what the event files of a folder hold: {tag: {step: value}}."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    found = {}
    for path in sorted(folder.glob("events.*")):
        data, at = path.read_bytes(), 0
        while at < len(data):
            # A record is its length, a checksum of four bytes, the event, and another checksum.
            (length,) = struct.unpack_from("<Q", data, at)
            event = event_pb2.Event.FromString(data[at + 12 : at + 12 + length])
            at += 16 + length
            for value in event.summary.value:
                kind = value.WhichOneof("value")
                found.setdefault(value.tag, {})[event.step] = getattr(value, kind)
    return found


def fit(folder, epochs=3, **arguments):
    pytest.importorskip("tensorboardX")
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(20, 3)), rng.normal(size=20)
    model = fastgd.Sequential([fastgd.Input((3,)), layers.Dense(4, "tanh", name="inner"), layers.Dense(1)])
    schedule = fastgd.optimizers.schedules.InverseTimeDecay(0.1, 4, 1.0)
    model.compile(fastgd.optimizers.SGD(schedule), "mse", metrics=["mae"])
    board = callbacks.TensorBoard(folder, **arguments)
    batches = []
    watch = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(logs))
    history = model.fit(x, t, 4, epochs, 0, [board, watch], validation_split=0.2).history
    return model, history, batches, x, t, board


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_epochs_lie_in_two_folders(tmp_path, backend):
    with fastgd.backend(backend):
        model, history, _, x, t, board = fit(tmp_path)
    train, validation = read(tmp_path / "train"), read(tmp_path / "validation")
    assert set(train) == {"keras", "epoch_loss", "epoch_mae", "epoch_learning_rate"}
    for name in ("loss", "mae"):
        np.testing.assert_allclose([train[f"epoch_{name}"][k] for k in range(3)], history[name], rtol=1e-6)
        np.testing.assert_allclose(
            [validation[f"epoch_{name}"][k] for k in range(3)], history[f"val_{name}"], rtol=1e-6
        )
        # Four updates make an epoch.
        evaluation = validation[f"evaluation_{name}_vs_iterations"]
        np.testing.assert_allclose([evaluation[k] for k in (4, 8, 12)], history[f"val_{name}"], rtol=1e-6)
    assert len(validation) == 4
    rates = [train["epoch_learning_rate"][k] for k in range(3)]
    np.testing.assert_allclose(rates, [0.1 / 2, 0.1 / 3, 0.1 / 4], rtol=1e-6)
    (text,) = train["keras"][0].string_val
    assert json.loads(text) == json.loads(model.to_json())

    values = model.evaluate(x, t, verbose=0, callbacks=[board], return_dict=True)
    again = read(tmp_path / "validation")["evaluation_loss_vs_iterations"]
    assert again[12] == pytest.approx(values["loss"], rel=1e-6)


@pytest.mark.parametrize(("update_freq", "steps"), [("batch", [1, 2, 3, 4, 5, 6, 7, 8]), (3, [3, 6])])
def test_batches_are_written_every_so_often(tmp_path, update_freq, steps):
    _, _, batches, *_ = fit(tmp_path, epochs=2, update_freq=update_freq, write_steps_per_second=True)
    train = read(tmp_path / "train")
    assert sorted(train["batch_loss"]) == steps == sorted(train["batch_steps_per_second"])
    for name in ("loss", "mae"):
        expected = [batches[step - 1][name] for step in steps]
        np.testing.assert_allclose([train[f"batch_{name}"][step] for step in steps], expected, rtol=1e-6)
    assert sorted(train["epoch_steps_per_second"]) == [0, 1]
    assert all(value > 0 for tag in train if "second" in tag for value in train[tag].values())


def test_weights_are_written_every_so_many_epochs(tmp_path):
    model, *_ = fit(tmp_path, histogram_freq=2, write_graph=False)
    train = read(tmp_path / "train")
    assert "keras" not in train
    histograms = {tag: values for tag, values in train.items() if tag.endswith("/histogram")}
    assert set(histograms) == {f"{weight.path}/histogram" for weight in model.weights}
    assert all(sorted(values) == [0, 2] for values in histograms.values())
    (kernel,) = (w.numpy() for w in model.weights if w.path == "inner/kernel")
    last = histograms["inner/kernel/histogram"][2]
    assert (last.num, last.min, last.max) == (kernel.size, kernel.min(), kernel.max())
    assert last.sum == pytest.approx(kernel.sum(), rel=1e-5)


def test_a_model_without_a_config_is_trained_all_the_same(tmp_path):
    pytest.importorskip("tensorboardX")

    class Inner(fastgd.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, inputs):
            return self.dense(inputs)

    x = np.ones((4, 3))
    for model in (Inner(), fastgd.Sequential([fastgd.Input((3,)), Inner(), layers.Dense(2)])):
        model.compile("sgd", "mse")
        board = callbacks.TensorBoard(tmp_path / model.name)
        if model.name.startswith("sequential"):
            with pytest.warns(UserWarning, match="TensorBoard does not show the model: .*get_config"):
                model.fit(x, x[:, :2], verbose=0, callbacks=[board])
        else:
            model.fit(x, x[:, :2], verbose=0, callbacks=[board])
        assert set(read(tmp_path / model.name / "train")) == {"epoch_loss", "epoch_learning_rate"}


def test_epochs_alone_do_not_slow_batches(tmp_path):
    pytest.importorskip("tensorboardX")
    assert not callbacks.CallbackList(callbacks.TensorBoard(tmp_path)).wants_batches("train")
    assert callbacks.CallbackList(callbacks.TensorBoard(tmp_path, update_freq=5)).wants_batches("train")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"write_images": True}, "`write_images` must be False"),
        ({"profile_batch": 3}, "`profile_batch` must be 0"),
        ({"embeddings_freq": 1}, "`embeddings_freq` must be 0"),
        ({"embeddings_metadata": "labels.tsv"}, "`embeddings_metadata` must be None"),
        ({"update_freq": "step"}, '`update_freq` must be "epoch", "batch" or'),
        ({"update_freq": 0}, "`update_freq` must be 1 or more"),
        ({"histogram_freq": -1}, "`histogram_freq` must be 0 or more"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        callbacks.TensorBoard(**arguments)


def test_no_folder():
    with pytest.raises(TypeError, match="`log_dir` must be a string or a path. Received: log_dir=3"):
        callbacks.TensorBoard(3)


def test_without_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install 'fastgd\[tensorboard\]'"):
        callbacks.TensorBoard()
