"""CSVLogger: the file read back, in every way in which it can come about."""

from __future__ import annotations

import csv

import numpy as np
import pytest

import fastgd
from fastgd.callbacks import CSVLogger, LambdaCallback, LearningRateScheduler

X = np.linspace(-1, 1, 40).reshape(20, 2)
T = X.sum(axis=1)


def make():
    model = fastgd.Sequential([fastgd.Input((2,)), fastgd.layers.Dense(1)])
    model.compile(fastgd.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return model


def read(path, separator=","):
    """Return the header of a file and its rows, dicts of strings."""
    with path.open(newline="") as file:
        reader = csv.DictReader(file, delimiter=separator)
        rows = list(reader)
    return reader.fieldnames, rows


def test_file_holds_what_the_history_holds(tmp_path):
    path = tmp_path / "log.csv"
    history = make().fit(X, T, epochs=4, initial_epoch=1, verbose=0, validation_split=0.5, callbacks=[CSVLogger(path)])
    names, rows = read(path)
    assert names == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]
    for name in names[1:]:
        assert [float(row[name]) for row in rows] == history.history[name]


def test_exact_text(tmp_path):
    path = tmp_path / "log.csv"
    logger = CSVLogger(str(path), separator=";")
    logger.on_train_begin()
    logger.on_epoch_end(0, {"val_loss": 0.5, "loss": 1e-05, "a;b": np.array(2.0)})
    logger.on_epoch_end(1, {"loss": np.float64(3.0), "late": 1.0, "a;b": [1, 2]})
    logger.on_train_end()
    lines = ['epoch;"a;b";loss;val_loss', "0;2.0;1e-05;0.5", '1;"""[1, 2]""";3.0;NA', ""]
    assert path.read_bytes().decode() == "\r\n".join(lines)
    assert read(path, ";")[1][1] == {"epoch": "1", "a;b": '"[1, 2]"', "loss": "3.0", "val_loss": "NA"}


def test_columns_wait_for_a_later_validation(tmp_path):
    path = tmp_path / "log.csv"
    history = make().fit(
        X, T, epochs=4, verbose=0, validation_split=0.5, validation_freq=2, callbacks=[CSVLogger(path)]
    )
    names, rows = read(path)
    assert names == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert [rows[0]["val_mae"], rows[2]["val_loss"]] == ["NA", "NA"]
    assert [float(rows[1]["val_loss"]), float(rows[3]["val_loss"])] == history.history["val_loss"]


def test_it_sees_what_earlier_callbacks_added(tmp_path):
    path = tmp_path / "log.csv"
    rates = LearningRateScheduler(lambda epoch: 0.5**epoch)
    make().fit(X, T, epochs=3, verbose=0, validation_split=0.5, callbacks=[rates, CSVLogger(path)])
    assert [row["learning_rate"] for row in read(path)[1]] == ["1.0", "0.5", "0.25"]


def test_a_new_run_writes_the_file_anew(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("something longer than what follows\n" * 100)
    model, logger = make(), CSVLogger(path)
    for _ in range(2):
        model.fit(X, T, epochs=2, verbose=0, callbacks=[logger])
        assert [row["epoch"] for row in read(path)[1]] == ["0", "1"]


def test_append_goes_on_below_the_rows_of_the_file(tmp_path):
    path = tmp_path / "log.csv"
    model = make()
    model.fit(X, T, epochs=2, verbose=0, callbacks=[CSVLogger(path, append=True)])
    logger = CSVLogger(path, append=True)
    model.fit(X, T, initial_epoch=2, epochs=3, verbose=0, validation_split=0.5, callbacks=[logger])
    last = model.fit(X, T, initial_epoch=3, epochs=4, verbose=0, callbacks=[logger])
    names, rows = read(path)
    assert names == ["epoch", "loss", "mae", "val_loss", "val_mae"]
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]
    assert [row["val_loss"] == "NA" for row in rows] == [True, True, False, True]
    assert float(rows[3]["mae"]) == last.history["mae"][0]


def test_append_keeps_to_the_columns_of_the_file(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,val_loss,loss\n0,2.0,1.0\n")
    logger = CSVLogger(path, append=True)
    logger.on_train_begin()
    logger.on_epoch_end(1, {"loss": 3.0, "val_loss": 4.0})
    assert read(path)[1][1] == {"epoch": "1", "loss": "3.0", "val_loss": "4.0"}
    logger.on_train_begin()
    with pytest.raises(
        ValueError, match=r"`append` .* other columns than this run: mae. Received: filename='.*log.csv'"
    ):
        logger.on_epoch_end(2, {"loss": 3.0, "mae": 4.0})
    path.write_text("loss,epoch\n")
    logger.on_train_begin()
    with pytest.raises(ValueError, match=r"columns=\['loss', 'epoch'\]"):
        logger.on_epoch_end(2, {"loss": 3.0})


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_fit_leaves_whole_rows(tmp_path, error):
    path = tmp_path / "log.csv"
    seen = []

    def interrupt(batch, logs):
        if len(seen) == 2:
            raise error
        seen.extend([batch] if batch == 3 else [])

    logger = CSVLogger(path)
    with pytest.raises(error):
        make().fit(X, T, 5, epochs=9, verbose=0, callbacks=[logger, LambdaCallback(on_train_batch_end=interrupt)])
    assert [row["epoch"] for row in read(path)[1]] == ["0", "1"]
    # And the callback may be used again.
    make().fit(X, T, epochs=1, verbose=0, callbacks=[logger])
    assert [row["epoch"] for row in read(path)[1]] == ["0"]


def test_rows_are_there_while_fit_runs_wherever_it_works(tmp_path, monkeypatch):
    path = tmp_path / "log.csv"
    counts = []

    def look(epoch, logs):
        counts.append(len(read(path)[1]))
        monkeypatch.chdir("/")

    monkeypatch.chdir(tmp_path)
    make().fit(X, T, epochs=3, verbose=0, callbacks=[CSVLogger("log.csv"), LambdaCallback(on_epoch_end=look)])
    assert counts == [1, 2, 3]


def test_wrong_arguments(tmp_path):
    with pytest.raises(TypeError, match=r"`filename` must be a string or a path. Received: filename=3"):
        CSVLogger(3)
    with pytest.raises(TypeError, match=r"`separator` must be a string. Received: separator=None"):
        CSVLogger("log.csv", None)
    for separator in ("", ", ", "\n", '"'):
        with pytest.raises(ValueError, match=r"`separator` must be one character.*Received: separator="):
            CSVLogger("log.csv", separator)
    with pytest.raises(TypeError, match=r"`append` must be True or False. Received: append=1"):
        CSVLogger("log.csv", append=1)
    with pytest.raises(FileNotFoundError):
        make().fit(X, T, verbose=0, callbacks=[CSVLogger(tmp_path / "no" / "log.csv")])
