"""Global settings and Keras' names for them, the log, and progress bars for loops of one's own."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import numpy as np
import pytest

import fastgd
from fastgd import config, layers, utils


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    config.set_image_data_format("channels_last")
    config.enable_interactive_logging()


def test_names_of_the_backend():
    assert fastgd.backend.backend() == config.backend() == "native"
    with fastgd.backend("numpy"):
        assert fastgd.backend.backend() == "numpy"
    assert (fastgd.backend.floatx(), fastgd.backend.epsilon()) == ("float32", 1e-7)
    fastgd.backend.clear_session()
    assert layers.Dense(1).name == "dense"
    utils.clear_session(free_memory=False)
    assert layers.Dense(1).name == "dense"


def test_image_data_format():
    config.set_image_data_format("channels_first")
    assert fastgd.backend.image_data_format() == "channels_first"
    layer = layers.Conv2D(4, 3)
    assert layer(np.ones((2, 3, 8, 8))).shape == (2, 4, 6, 6)
    config.set_image_data_format("channels_last")
    assert (layer.data_format, layers.Conv2D(4, 3).data_format) == ("channels_first", "channels_last")
    with pytest.raises(ValueError, match="`data_format` must be one of channels_last, channels_first"):
        config.set_image_data_format("rgb")


def test_what_is_not_printed_is_logged(capsys, caplog):
    model = fastgd.Sequential([fastgd.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 2)), np.ones((8, 1))
    utils.disable_interactive_logging()
    assert not utils.is_interactive_logging_enabled()
    stop = fastgd.callbacks.EarlyStopping("loss", min_delta=1e9, patience=1, verbose=1)
    with caplog.at_level(logging.INFO, "fastgd"):
        model.fit(x, y, epochs=5, verbose=1, callbacks=[stop])
    assert capsys.readouterr().out == ""
    assert caplog.messages[0] == "Epoch 1/5"
    assert re.fullmatch(r"1/1 - 0s - \d+..?/step - loss: \d\.\d+(e-\d+)?", caplog.messages[1])
    assert caplog.messages[-1] == "Epoch 2: early stopping"
    utils.enable_interactive_logging()
    model.fit(x, y, verbose=2)
    assert "loss" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, {"a": 2.0, "b": 2.0}),
        ({"stateful_metrics": ["b"]}, {"a": 2.0, "b": 5.0}),
        ({"stateless_metrics": ["b"]}, {"a": 5.0, "b": 2.0}),
    ],
)
def test_progbar(capsys, options, shown):
    bar = utils.Progbar(10, verbose=2, unit_name="sample", **options)
    bar.update(3, [("a", 1.0), ("b", np.array([0.0, 2.0]))])
    bar.add(1, [("a", 5.0), ("b", 5.0)])
    assert capsys.readouterr().out == ""
    bar.update(10, finalize=True)
    line = capsys.readouterr().out
    assert line.startswith("10/10 - 0s - ") and "/sample" in line
    assert all(f"{name}: {value:.4f}" in line for name, value in shown.items())


def test_progbar_kinds(capsys):
    bar = utils.Progbar(None, width=4, interval=0.0)
    bar.update(5, [("a", 0.5)])
    bar.update(7, [("a", 1.0)], finalize=True)
    assert capsys.readouterr().out.startswith("7/7 ━━━━ 0s ")
    silent = utils.Progbar(2, verbose=0)
    silent.add(2, [("a", 1.0)])
    assert capsys.readouterr().out == ""
    with pytest.raises(ValueError, match="not both"):
        utils.Progbar(2, stateful_metrics=[], stateless_metrics=[])
    with pytest.raises(ValueError, match="`verbose` must be 0, 1 or 2"):
        utils.Progbar(2, verbose=3)
