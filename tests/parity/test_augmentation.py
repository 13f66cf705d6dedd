"""Augmentation against Keras: where the ranges of the draws have no width both must give the same images."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from fastgd import layers
from fastgd.reference.random import image_words

Array = np.ndarray[Any, Any]

# Keras' places are float32: their rounding, of a few pixels, times the differences between pixels of order one.
PLACES = 1e-5

FILLS = ("constant", "nearest", "reflect", "wrap")


def images(*shape: int) -> Array:
    return np.random.default_rng(3).normal(size=shape or (3, 9, 7, 2))


def of_both(name: str, config: dict[str, Any], x: Array) -> tuple[Array, Array]:
    """Return what the layers of both libraries make of x in training."""
    made = [getattr(layers, name)(**config, dtype="float64"), getattr(keras.layers, name)(**config)]
    return tuple(keras.ops.convert_to_numpy(layer(x, training=True)) for layer in made)  # type: ignore[return-value]


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("RandomTranslation", {"height_factor": (0.21, 0.21), "width_factor": (-0.37, -0.37)}),
        ("RandomTranslation", {"height_factor": (-0.93, -0.93), "width_factor": (0.61, 0.61)}),
        ("RandomTranslation", {"height_factor": (0.2, 0.2), "width_factor": (0.3, 0.3), "interpolation": "nearest"}),
        ("RandomRotation", {"factor": (0.07, 0.07)}),
        ("RandomRotation", {"factor": (-0.33, -0.33)}),
        ("RandomRotation", {"factor": (0.11, 0.11), "interpolation": "nearest"}),
        ("RandomZoom", {"height_factor": (0.43, 0.43), "width_factor": (-0.27, -0.27)}),
        ("RandomZoom", {"height_factor": (-0.38, -0.38)}),
        ("RandomZoom", {"height_factor": (0.23, 0.23), "interpolation": "nearest"}),
    ],
    ids=str,
)
def test_forced_draws_give_the_images_of_keras(name: str, config: dict[str, Any], fill: str) -> None:
    x = images()
    ours, theirs = of_both(name, {**config, "fill_mode": fill, "fill_value": 0.4}, x)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=PLACES)
    assert np.abs(ours - x).max() > 0.1


@pytest.mark.parametrize("name", ["RandomTranslation", "RandomZoom"])
def test_defaults_are_those_of_keras(name: str) -> None:
    config = {"height_factor": (0.3, 0.3), "width_factor": (0.2, 0.2)}
    np.testing.assert_allclose(*of_both(name, config, images()), rtol=0, atol=PLACES)
    for library in (layers, keras.layers):
        kept = getattr(library, name)(0.2, 0.3).get_config()
        assert [kept[key] for key in ("fill_mode", "interpolation", "fill_value", "height_factor", "width_factor")] == [
            "reflect", "bilinear", 0.0, 0.2, 0.3,
        ]  # fmt: skip


@pytest.mark.parametrize("mode", ["horizontal", "vertical", "horizontal_and_vertical"])
def test_flips_are_those_of_keras(mode: str) -> None:
    x = images(40, 4, 5, 3)
    ours, theirs = layers.RandomFlip(mode, seed=1, dtype="float64"), keras.layers.RandomFlip(mode)
    turned = {"flips": np.full((40, 1, 1, 1), True)}
    flipped = keras.ops.convert_to_numpy(theirs.transform_images(x, turned, training=True))
    y = ours(x, training=True)
    chosen = (y == flipped).all(axis=(1, 2, 3))
    np.testing.assert_array_equal(y, np.where(chosen[:, None, None, None], flipped, x))
    # Keras flips with probability 1/2, along both axes together: within five standard deviations of 40 images.
    assert 4 < chosen.sum() < 36
    np.testing.assert_array_equal(ours(x), keras.ops.convert_to_numpy(theirs(x, training=False)))


@pytest.mark.parametrize("size", [(4, 3), (8, 6), (1, 1)])
def test_crops_are_parts_as_those_of_keras(size: tuple[int, int]) -> None:
    x = images(20, 9, 7, 2)
    ours, theirs = layers.RandomCrop(*size, seed=2, dtype="float64"), keras.layers.RandomCrop(*size)
    y = ours(x, training=True)
    for before, after in zip(x, y, strict=True):
        parts = [
            keras.ops.convert_to_numpy(theirs.transform_images(before, (row, column), training=True))
            for row in range(9 - size[0] + 1)
            for column in range(7 - size[1] + 1)
        ]
        assert sum(np.array_equal(after, part) for part in parts) == 1


@pytest.mark.parametrize("size", [(4, 3), (9, 7), (3, 7), (6, 6), (12, 5), (20, 20), (1, 9)])
def test_crops_in_inference_are_resized_windows(size: tuple[int, int]) -> None:
    x = images(3, 9, 7, 2)
    expected = keras.preprocessing.image.smart_resize(x, size)
    np.testing.assert_allclose(layers.RandomCrop(*size)(x), expected, rtol=0, atol=PLACES)
    if size[0] > 9 or size[1] > 7:
        np.testing.assert_allclose(layers.RandomCrop(*size)(x, training=True), expected, rtol=0, atol=PLACES)


@pytest.mark.parametrize("name", ["RandomTranslation", "RandomRotation", "RandomZoom"])
def test_inference_hands_on_what_it_gets(name: str) -> None:
    x = images()
    config = {"factor": 0.2} if name == "RandomRotation" else {"height_factor": 0.2, "width_factor": 0.3}
    ours, theirs = getattr(layers, name)(**config, dtype="float64"), getattr(keras.layers, name)(**config)
    np.testing.assert_array_equal(ours(x), x)
    np.testing.assert_array_equal(x, keras.ops.convert_to_numpy(theirs(x, training=False)))


def test_brightness_is_that_of_keras() -> None:
    for factor in ((0.21, 0.21), (-0.4, -0.4)):
        config = {"factor": factor, "value_range": (-1.0, 1.5)}
        ours, theirs = of_both("RandomBrightness", config, images())
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=PLACES)
        assert ours.min() == -1.0 and ours.max() == 1.5


@pytest.mark.parametrize("order", ["channels_last", "channels_first"])
def test_contrast_is_that_of_keras(order: str) -> None:
    x = images(30, 5, 6, 7)
    config = {"factor": (0.3, 0.9), "value_range": (-1.0, 1.5), "data_format": order}
    ours = layers.RandomContrast(**config, seed=4, dtype="float64")
    theirs = keras.layers.RandomContrast(**config)
    # What an image drew shows where it was not cut: pixel less mean, in parts of what that was before.
    y, axes = ours(x, training=True), (1, 2) if order == "channels_last" else (2, 3)
    mean = x.mean(axis=axes, keepdims=True)
    inside = (y > -1.0) & (y < 1.5) & (np.abs(x - mean) > 0.3)
    factors = [
        np.median(((after - m) / (before - m))[kept]) for before, after, m, kept in zip(x, y, mean, inside, strict=True)
    ]
    assert 0.7 < min(factors) < 0.9 and 1.6 < max(factors) < 1.9
    given = {"contrast_factor": np.reshape(factors, (30, 1, 1, 1))}
    expected = keras.ops.convert_to_numpy(theirs.transform_images(x, given, training=True))
    np.testing.assert_allclose(y, expected, rtol=0, atol=PLACES)
    np.testing.assert_array_equal(ours(x), x)


def test_channels_first_is_that_of_keras() -> None:
    config = {"height_factor": (0.21, 0.21), "width_factor": (-0.37, -0.37), "data_format": "channels_first"}
    np.testing.assert_allclose(*of_both("RandomTranslation", config, images(2, 3, 5, 6)), rtol=0, atol=PLACES)


def test_shifts_are_spread_as_in_keras() -> None:
    # A ramp tells by how much it was moved: all columns hold their number.
    x = np.tile(np.arange(40.0)[None, None, :, None], (4000, 1, 1, 1))
    config = {"height_factor": 0.0, "width_factor": (-0.2, 0.3), "fill_mode": "nearest", "seed": 7}
    moved = [20.0 - y[:, 0, 20, 0] for y in of_both("RandomTranslation", config, x)]
    for shifts in moved:
        assert shifts.min() >= -8 - PLACES and shifts.max() <= 12 + PLACES
    # Five standard errors of the mean of 4000 uniform numbers of this width on each side, and as much for deviations.
    tolerance = 5 * 2 * (20 / 12**0.5) / 4000**0.5
    assert abs(moved[0].mean() - moved[1].mean()) < tolerance
    assert abs(moved[0].std() - moved[1].std()) < tolerance
    assert len(np.unique(image_words(4000, 7, 0)[:, 1])) > 3900
