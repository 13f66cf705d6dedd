"""Layers against Keras: values and gradients by inputs and weights; test_activations.py has those of activations."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import fastgd
from fastgd import layers
from parity.gradients import compare_layers, numbers

ROWS: list[tuple[str, dict[str, Any], list[tuple[int, ...]]]] = [
    *((cls, {}, [(2, 3), (2, 3), (2, 3)]) for cls in ("Add", "Multiply", "Average", "Maximum", "Minimum")),
    *((cls, {}, [(2, 1), (3,), (2, 3)]) for cls in ("Add", "Multiply", "Average", "Maximum", "Minimum")),
    ("Subtract", {}, [(2, 3), (1, 3)]),
    ("Concatenate", {}, [(2, 3), (2, 1)]),
    ("Concatenate", {"axis": 1}, [(2, 3), (4, 3), (1, 3)]),
    ("Dot", {"axes": 1}, [(5,), (5,)]),
    ("Dot", {"axes": 1, "normalize": True}, [(5,), (5,)]),
    ("Dot", {"axes": (1, 2)}, [(5,), (3, 5)]),
    ("Dot", {"axes": (-1, -2), "normalize": True}, [(3, 5), (5, 4)]),
    ("Dot", {"axes": (2, 1)}, [(3, 5), (5,)]),
    ("Dot", {"axes": 1}, [(5, 3), (5, 4)]),
    ("Dot", {"axes": -1}, [(3, 5), (4, 5)]),
    ("Dot", {"axes": (1, 2)}, [(5, 3, 2), (4, 5, 2)]),
    ("Dot", {"axes": (2, 3)}, [(2, 5, 3), (4, 2, 5)]),
    ("Permute", {"dims": (3, 1, 2)}, [(2, 3, 4)]),
    ("RepeatVector", {"n": 3}, [(5,)]),
    ("Identity", {}, [(5,)]),
    ("Flatten", {}, [(2, 3, 4)]),
    ("Reshape", {"target_shape": (4, -1)}, [(2, 3, 2)]),
    ("Dense", {"units": 3}, [(5,)]),
    ("Dense", {"units": 4, "activation": "tanh", "use_bias": False}, [(5,)]),
]


@pytest.mark.parametrize(("name", "config", "shapes"), ROWS, ids=str)
def test_layer(name: str, config: dict[str, Any], shapes: list[tuple[int, ...]]) -> None:
    arrays = [numbers(seed, 4, *shape) for seed, shape in enumerate(shapes)]
    ours, theirs = getattr(layers, name)(**config, dtype="float64"), getattr(keras.layers, name)(**config)
    compare_layers(ours, theirs, arrays)


@pytest.mark.parametrize(("name", "config"), [("Dropout", {"rate": 0.4}), ("ActivityRegularization", {"l2": 0.1})])
def test_layers_that_hand_on_what_they_get_in_inference(name: str, config: dict[str, Any]) -> None:
    x = numbers(1, 4, 5)
    ours, theirs = getattr(layers, name)(**config, dtype="float64"), getattr(keras.layers, name)(**config)
    np.testing.assert_array_equal(ours(x), keras.ops.convert_to_numpy(theirs(x)))


def test_lambda() -> None:
    x = numbers(2, 4, 3, 5)
    made = [
        lib.layers.Lambda(lambda x, power, ops=lib.ops: ops.sum(x**power, axis=-1), arguments={"power": 2}, **kwargs)(x)
        for lib, kwargs in ((fastgd, {"dtype": "float64"}), (keras, {}))
    ]
    np.testing.assert_allclose(made[0], keras.ops.convert_to_numpy(made[1]), rtol=1e-12)
