"""Files between fastgd and Keras: written by one, opened by the other, with the same predictions and optimizer state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgd
from cases import LayerCase, layer_cases
from contract.registered import make
from contract.test_layers import call, data

keras = pytest.importorskip("keras")
pytest.importorskip("h5py")

Array = np.ndarray[Any, Any]

CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def is_shared(case: LayerCase) -> bool:
    """Return whether Keras has the layer with these arguments."""
    if not case.inputs or not hasattr(keras.layers, case.cls) or case.cls in LEFT_OUT:
        return False
    try:
        getattr(keras.layers, case.cls)(**case.config)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


# What stands in a row as fastgd describes it.
LEFT_OUT: tuple[str, ...] = ()

ROWS = [case for case in layer_cases() if is_shared(case)]


def weights_for(shapes: list[tuple[int, ...]]) -> list[Array]:
    """Return random weights that do for variances, too."""
    rng = np.random.default_rng(1)
    return [rng.uniform(0.1, 1.0, shape).astype(np.float32) for shape in shapes]


def side_by_side(library: Any, rows: list[LayerCase]) -> tuple[Any, list[Array]]:
    """Return a model with an output for each row, with random weights, and its inputs."""
    inputs, outputs, x = [], [], []
    for case in rows:
        own = [library.Input(shape, dtype="int32" if case.integers else "float32") for shape in case.inputs]
        inputs += own
        layer = make("layer", case) if library is fastgd else getattr(keras.layers, case.cls)(**case.config)
        many = len(own) > 1 or isinstance(make("layer", case), fastgd.layers.merging.Merge)
        outputs.append(layer(own if many else own[0]))
        x += data(case, "float32", 3)[0]
    model = library.Model(inputs, outputs)
    model.set_weights(weights_for([tuple(w.shape) for w in model.weights]))
    return model, x


def test_rows_are_compared() -> None:
    missing = sorted({case.cls for case in layer_cases() if case.inputs} - {case.cls for case in ROWS})
    assert missing == []


@pytest.mark.parametrize("part", range(3))
def test_layers_written_here_are_opened_by_keras(part: int, tmp_path: Path) -> None:
    rows = ROWS[part::3]
    model, x = side_by_side(fastgd, rows)
    model.save(tmp_path / "m.keras")
    theirs = keras.models.load_model(tmp_path / "m.keras")
    for case, here, there in zip(rows, model.predict(x, verbose=0), theirs(x), strict=True):
        np.testing.assert_allclose(np.asarray(there), here, err_msg=case.id, **CLOSE)


@pytest.mark.parametrize("part", range(3))
def test_layers_written_by_keras_are_opened_here(part: int, tmp_path: Path) -> None:
    rows = ROWS[part::3]
    theirs, x = side_by_side(keras, rows)
    theirs.save(tmp_path / "k.keras")
    model = fastgd.models.load_model(tmp_path / "k.keras")
    for case, here, there in zip(rows, model.predict(x, verbose=0), theirs(x), strict=True):
        np.testing.assert_allclose(here, np.asarray(there), err_msg=case.id, **CLOSE)
