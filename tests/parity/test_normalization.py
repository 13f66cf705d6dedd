"""Normalising, noise and preprocessing layers against Keras in float64, with random asymmetric weights."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import pytest

import fastgd

Array = np.ndarray[Any, Any]

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

CLOSE = 1e-11


pytestmark = pytest.mark.usefixtures("own_float64")


def numbers(value: Any) -> Array:
    """Return an array of either side as one of NumPy."""
    found: Array = np.asarray(value if isinstance(value, np.ndarray) else keras.ops.convert_to_numpy(value))
    return found


def close(actual: Any, expected: Any, what: str = "") -> None:
    found, wanted = numbers(actual), numbers(expected)
    assert found.shape == wanted.shape, what
    assert np.max(np.abs(found - wanted), initial=0.0) <= CLOSE * max(1.0, np.max(np.abs(wanted), initial=0.0)), what


LAYERS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("BatchNormalization", {}, (7,)),
    ("BatchNormalization", {"momentum": 0.6, "epsilon": 0.02}, (5, 4, 3)),
    ("BatchNormalization", {"axis": 1}, (5, 4, 3)),
    ("BatchNormalization", {"axis": 2, "scale": False}, (5, 4, 3)),
    ("BatchNormalization", {"center": False, "scale": False}, (5, 3)),
    ("LayerNormalization", {}, (7,)),
    ("LayerNormalization", {"axis": [1, 2]}, (5, 4)),
    ("LayerNormalization", {"axis": 1, "center": False}, (5, 4)),
    ("LayerNormalization", {"axis": [-1], "scale": False}, (3, 6)),
    ("RMSNormalization", {}, (7,)),
    ("RMSNormalization", {"axis": [1, 2], "epsilon": 0.1}, (5, 4)),
    ("UnitNormalization", {}, (3, 4)),
    ("UnitNormalization", {"axis": [1, 2]}, (3, 4)),
    ("UnitNormalization", {"axis": 1}, (3, 4)),
    ("GroupNormalization", {"groups": 2}, (5, 6)),
    ("GroupNormalization", {"groups": 3, "axis": 1}, (6, 4, 2)),
    ("GroupNormalization", {"groups": -1, "scale": False}, (5, 6)),
    ("GroupNormalization", {"groups": 1}, (6,)),
    *(
        (name, {"beta_regularizer": "l2", "gamma_regularizer": "l1", **rules}, (5, 6))
        for name, groups in (
            ("BatchNormalization", {}),
            ("LayerNormalization", {}),
            ("GroupNormalization", {"groups": 2}),
        )
        for rules in (
            {**groups, "beta_constraint": "non_neg"},
            {**groups, "gamma_constraint": "unit_norm"},
        )
    ),
]


def pair(name: str, config: dict[str, Any], shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Return the model layer -> Flatten -> Dense(3) of fastgd and of Keras with the same random weights."""
    models = []
    for library in (fastgd, keras):
        parts = library.layers
        layer = getattr(parts, name)(**config)
        models.append(library.Sequential([library.Input(shape), layer, parts.Flatten(), parts.Dense(3)]))
    ours, theirs = models
    rng = np.random.default_rng(7)
    values = [rng.normal(size=w.shape) / w.shape[0] ** 0.5 for w in ours.weights]
    values = [abs(v) + 0.2 if "variance" in w.name else v for w, v in zip(ours.weights, values, strict=True)]
    ours.set_weights(values)
    theirs.set_weights(values)
    return ours, theirs


@pytest.mark.parametrize("backend", fastgd.runtime.BACKENDS)
@pytest.mark.parametrize(("name", "config", "shape"), LAYERS, ids=str)
def test_normalisation_trains_as_in_keras(
    name: str, config: dict[str, Any], shape: tuple[int, ...], backend: str
) -> None:
    if keras.config.backend() == "torch" and name == "LayerNormalization" and config.get("axis") == 1:
        pytest.skip("torch normalises the last axes only, and Keras leaves it at that")
    with fastgd.backend(backend):
        ours, theirs = pair(name, config, shape)
        assert [w.name for w in ours.layers[0].weights] == [w.name for w in theirs.layers[0].weights]
        rng = np.random.default_rng(3)
        # The mean is far from 0, so that it matters how the variance is computed.
        x, t = 5.0 + rng.normal(size=(29, *shape)), rng.normal(size=(29, 3))
        close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), "prediction")
        ours.compile(fastgd.optimizers.SGD(0.1), "mse")
        theirs.compile(keras.optimizers.SGD(0.1), "mse")
        arguments = {"batch_size": 10, "epochs": 3, "verbose": 0, "shuffle": False}
        losses = [model.fit(x, t, **arguments).history["loss"] for model in (ours, theirs)]
        close(losses[0], losses[1], "loss")
        for ours_w, theirs_w in zip(ours.weights, theirs.weights, strict=True):
            close(ours_w.numpy(), theirs_w, ours_w.path)
        close(ours.predict(x, verbose=0), theirs.predict(x, verbose=0), "prediction after training")
        close(ours.evaluate(x, t, verbose=0), theirs.evaluate(x, t, verbose=0), "evaluation")


@pytest.mark.parametrize("name", ["BatchNormalization", "LayerNormalization", "GroupNormalization"])
def test_arguments_stand_where_they_do_in_keras(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(library.layers, name)).parameters for library in (fastgd, keras))
    left_out = {"renorm_clipping", "renorm_momentum"}
    assert [key for key in theirs if key not in left_out] == list(ours)
    for key, parameter in ours.items():
        assert parameter.default == theirs[key].default, key


@pytest.mark.parametrize("backend", fastgd.runtime.BACKENDS)
def test_a_frozen_batch_normalization_is_that_of_keras(backend: str) -> None:
    with fastgd.backend(backend):
        ours, theirs = pair("BatchNormalization", {}, (4, 3))
        x, t = np.random.default_rng(1).normal(2.0, size=(20, 4, 3)), np.random.default_rng(2).normal(size=(20, 3))
        for model, library in ((ours, fastgd), (theirs, keras)):
            model.layers[0].trainable = False
            model.compile(library.optimizers.SGD(0.1), "mse")
            model.fit(x, t, batch_size=8, epochs=2, verbose=0, shuffle=False)
        for ours_w, theirs_w in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            close(ours_w, theirs_w)


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), None])
@pytest.mark.parametrize("invert", [False, True])
def test_normalization_adapts_as_in_keras(axis: Any, invert: bool) -> None:
    x = np.random.default_rng(4).normal(3.0, 2.0, (31, 4, 3))
    results = []
    for library in (fastgd, keras):
        layer = library.layers.Normalization(axis=axis, invert=invert)
        layer.adapt(x)
        results.append(numbers(layer(x)))
    close(*results)


def test_given_moments_and_rescaling_are_those_of_keras() -> None:
    x = np.random.default_rng(5).normal(size=(6, 4, 3))
    for name, config in (
        ("Normalization", {"mean": [1.0, 2.0, 3.0], "variance": [0.5, 2.0, 0.0]}),
        ("Normalization", {"axis": None, "mean": 1.5, "variance": 4.0}),
        ("Normalization", {"axis": 1, "mean": 1.5, "variance": 4.0, "invert": True}),
        ("Rescaling", {"scale": 0.25, "offset": -1.0}),
    ):
        ours, theirs = (getattr(library.layers, name)(**config) for library in (fastgd, keras))
        close(ours(x), theirs(x), name)


@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
def test_discretization_is_that_of_keras(mode: str) -> None:
    x = np.random.default_rng(6).normal(size=(300, 4))
    x[0] = [-1.0, 0.0, 0.7, 9.0]
    for config in ({"bin_boundaries": [-1.0, 0.0, 0.7]}, {"num_bins": 5}, {"num_bins": 4, "epsilon": 0.2}):
        ours, theirs = (library.layers.Discretization(**config, output_mode=mode) for library in (fastgd, keras))
        if "num_bins" in config:
            ours.adapt(x)
            # What its `adapt` does, which asks for TensorFlow even where the data is an array.
            theirs.update_state(x)
            theirs.finalize_state()
            np.testing.assert_allclose(ours.bin_boundaries, theirs.bin_boundaries, rtol=1e-6)
        np.testing.assert_array_equal(ours(x), numbers(theirs(x)))


@pytest.mark.parametrize("mode", ["one_hot", "multi_hot", "count"])
def test_category_encoding_is_that_of_keras(mode: str) -> None:
    for labels in (1, 3):
        x = np.random.default_rng(8).integers(0, 6, (40, labels))
        ours, theirs = (library.layers.CategoryEncoding(6, output_mode=mode) for library in (fastgd, keras))
        np.testing.assert_array_equal(ours(x), numbers(theirs(x)))


@pytest.mark.parametrize(
    "name",
    ["GaussianNoise", "GaussianDropout", "AlphaDropout", "Dropout", *(f"SpatialDropout{rank}D" for rank in (1, 2, 3))],
)
def test_noise_has_the_moments_of_keras(name: str) -> None:
    # Positive and asymmetric inputs, so that factors and summands show in mean and deviation.
    sizes = {"SpatialDropout2D": (5, 4), "SpatialDropout3D": (5, 2, 2)}.get(name, (20,))
    x = np.random.default_rng(9).uniform(0.5, 2.0, (400, *sizes, 30))
    made = [getattr(library.layers, name)(0.3, seed=4) for library in (fastgd, keras)]
    ours, theirs = (numbers(layer(x, training=True)) for layer in made)
    # Whole channels fall together, which makes 12,000 draws, else 240,000; five standard errors of each side.
    tolerance = 5 / 12_000**0.5 if name.startswith("Spatial") else 5 / 240_000**0.5
    assert abs(ours.mean() - theirs.mean()) < 2 * tolerance
    assert abs(ours.std() - theirs.std()) < 2 * tolerance
    assert abs((ours == 0).mean() - (theirs == 0).mean()) < tolerance
