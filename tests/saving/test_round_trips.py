"""Models written to files and read again: the same predictions, the same optimizer, every layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgd
from cases import LayerCase, layer_cases
from contract.registered import make
from contract.test_layers import call, data
from fastgd import layers, saving

Array = np.ndarray[Any, Any]

pytest.importorskip("h5py")

ROWS = [case for case in layer_cases() if case.inputs]


@pytest.mark.parametrize("part", range(4))
def test_every_layer_comes_back_from_a_file(part: int, tmp_path: Path) -> None:
    # Many rows side by side in one model: making models is what costs time.
    rows = ROWS[part::4]
    model, x = side_by_side(rows)
    model.save(tmp_path / "m.keras")
    again = fastgd.models.load_model(tmp_path / "m.keras")
    assert [(w.name, w.shape) for w in again.weights] == [(w.name, w.shape) for w in model.weights]
    results = zip(rows, again.predict(x, verbose=0), model.predict(x, verbose=0), strict=True)
    for case, ours, before in results:
        np.testing.assert_array_equal(ours, before, err_msg=case.id)


def test_indexed_tensors_come_back_from_a_file(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(3, 5, 6)).astype(np.float32)
    entrance = fastgd.Input((5, 6))
    outputs = [entrance[:, -1], entrance[:, ::2, 1:4], entrance[..., None], entrance[:, None, 3]]
    model = fastgd.Model(entrance, outputs)
    model.save(tmp_path / "m.keras")
    again = saving.load_model(tmp_path / "m.keras").predict(x, verbose=0)
    for got, want in zip(again, model.predict(x, verbose=0), strict=True):
        np.testing.assert_array_equal(got, want)


def side_by_side(rows: list[LayerCase]) -> tuple[fastgd.Model, list[Array]]:
    """Return a model with an output for each row, with random weights, and its inputs."""
    inputs, outputs, x = [], [], []
    for case in rows:
        own = [fastgd.Input(shape, dtype="int32" if case.integers else "float64") for shape in case.inputs]
        inputs += own
        outputs.append(call(make("layer", LayerCase(case.cls, {**case.config, "dtype": "float64"})), own))
        x += data(case, "float64", 3)[0]
    model = fastgd.Model(inputs, outputs)
    rng = np.random.default_rng(1)
    values = [rng.uniform(0.1, 1.0, w.shape) for w in model.weights]
    model.set_weights(values)
    return model, x


def test_a_model_trains_on_from_a_file_as_if_nothing_had_happened(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(40, 4)), rng.normal(size=(40, 1))
    model = fastgd.Sequential([fastgd.Input((4,)), layers.Dense(5, "tanh"), layers.Dropout(0.4), layers.Dense(1)])
    model.compile(fastgd.optimizers.Adam(0.01, amsgrad=True, use_ema=True), "mse", metrics=["mae"])
    model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "m.keras")
    again = saving.load_model(tmp_path / "m.keras")
    for each in (model, again):
        fastgd.utils.set_random_seed(3)
        each.fit(x, y, epochs=2, verbose=0)
    assert again.optimizer.iterations == model.optimizer.iterations
    assert again.metrics_names == model.metrics_names
    for first, second in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)
