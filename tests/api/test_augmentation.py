"""Augmentation in models: bytes as they are, training only, draws that differ from image to image and step to step."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd import layers


def random_layers():
    return [
        layers.RandomFlip("horizontal", seed=1), layers.RandomTranslation(0.2, 0.2, seed=2),
        layers.RandomRotation(0.1, seed=3), layers.RandomZoom(0.2, seed=4),
        layers.RandomBrightness(0.2, seed=5), layers.RandomContrast(0.4, seed=6),
    ]  # fmt: skip


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (50, 6, 5, 2)).astype(np.uint8)


def classifier(*parts):
    fastgd.utils.set_random_seed(3)
    head = [layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(3, "softmax")]
    model = fastgd.Sequential([fastgd.Input((6, 5, 2)), *parts, *head])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.mark.parametrize("parts", [list, random_layers])
def test_bytes_train_as_floats_do(parts, images, rng):
    y = rng.integers(0, 3, 50)
    seen = []
    for x in (images, images.astype(np.float32), images.astype(np.float16), images.astype(np.int16)):
        model = classifier(*parts())
        history = model.fit(x, y, 16, epochs=2, verbose=0, validation_data=(x, y)).history
        logs = model.train_on_batch(x[:9], y[:9])
        seen.append((history, logs, model.evaluate(x, y, verbose=0), model.predict(x, verbose=0).tolist()))
    assert all(other == seen[0] for other in seen[1:])


def test_images_may_enter_as_integers(images):
    first, second = (
        fastgd.Sequential([fastgd.Input((6, 5, 2), dtype=kind), layers.Rescaling(1 / 255, -0.5), layers.Flatten()])
        for kind in ("float32", "uint8")
    )
    np.testing.assert_array_equal(second.predict(images, verbose=0), first.predict(images, verbose=0))
    scale = layers.Normalization(axis=None, mean=3.0, variance=4.0)
    whole = fastgd.Sequential([fastgd.Input((6, 5, 2), dtype="uint8"), scale])
    np.testing.assert_allclose(whole.predict(images, verbose=0), (images - 3.0) / 2.0, rtol=1e-6)
    for kind in (layers.RandomCrop(4, 4, seed=1), layers.RandomTranslation(0.2, 0.2, seed=1)):
        drawn = [
            fastgd.Sequential([fastgd.Input((6, 5, 2), dtype=dtype), type(kind).from_config(kind.get_config())])
            for dtype in ("float32", "uint8")
        ]
        np.testing.assert_array_equal(drawn[1].predict(images, verbose=0), drawn[0].predict(images, verbose=0))
        assert drawn[1](images, training=True).dtype == np.float32


def test_evaluation_and_prediction_do_not_draw(images, rng):
    y = rng.integers(0, 3, 50)
    plain, augmented = classifier(), classifier(*random_layers())
    assert plain.evaluate(images, y, verbose=0) == augmented.evaluate(images, y, verbose=0)
    np.testing.assert_array_equal(plain.predict(images, verbose=0), augmented.predict(images, verbose=0))
    assert plain.train_on_batch(images, y) != augmented.train_on_batch(images, y)


@pytest.mark.parametrize("place", range(6))
def test_each_image_and_each_call_draws_anew(place, images):
    layer = random_layers()[place]
    same = np.repeat(images[:1], 20, axis=0)
    first, second = (layer(same, training=True) for _ in range(2))
    assert first.dtype == np.float32 and (first != second).any()
    assert len({image.tobytes() for image in first}) > 1
    np.testing.assert_array_equal(layer(same), same)


def test_a_seed_gives_the_same_draws(images):
    y = np.arange(50) % 3
    once, twice = (classifier(*random_layers()).fit(images, y, verbose=0).history for _ in range(2))
    assert once == twice
