"""TensorBoard writes into the folders, under the tags and at the steps that Keras does."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd

keras = pytest.importorskip("keras")
pytest.importorskip("tensorboard")
event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
records = pytest.importorskip("tensorflow.compat.v1.io")


def places(folder):
    """Return the places of all values below a folder: (folder, tag, step)."""
    found = set()
    for path in folder.rglob("events.*"):
        for record in records.tf_record_iterator(str(path)):
            event = event_pb2.Event.FromString(record)
            found |= {(path.parent.name, value.tag, event.step) for value in event.summary.value}
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("arguments", [{}, {"update_freq": "batch", "write_steps_per_second": True}])
def test_places_are_those_of_keras(tmp_path, arguments):
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(20, 3)), rng.normal(size=20)
    for library, name in ((keras, "keras"), (fastgd, "fastgd")):
        inner = library.layers.Dense(4, name="inner")
        model = library.Sequential([library.Input((3,)), inner, library.layers.Dense(1, name="last")], name="net")
        model.compile("sgd", "mse", metrics=["mae"])
        board = library.callbacks.TensorBoard(tmp_path / name, histogram_freq=2, **arguments)
        model.fit(x, t, batch_size=4, epochs=3, verbose=0, validation_split=0.2, callbacks=[board])
    ours, theirs = places(tmp_path / "fastgd"), places(tmp_path / "keras")
    # The path of a weight in Keras begins with the name of the model.
    theirs = {(folder, tag.removeprefix("net/"), step) for folder, tag, step in theirs}
    assert ours == theirs
