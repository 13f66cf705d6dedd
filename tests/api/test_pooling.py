"""Pooling, upsampling, zero padding and cropping: small examples worked out by hand, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers, ops, runtime

X = np.array([[1.0, 5.0, 2.0, 4.0, 3.0]])[..., None]
IMAGE = np.arange(12.0).reshape(1, 3, 4, 1)


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.MaxPooling1D(), [5, 4]),
        (layers.MaxPooling1D(3, 2, "same"), [5, 5, 4]),
        (layers.AveragePooling1D(2), [3, 3]),
        (layers.AveragePooling1D(2, padding="same"), [3, 3, 3]),
        (layers.AveragePooling1D(3, 1, "SAME"), [3, 8 / 3, 11 / 3, 3, 3.5]),
        (layers.GlobalMaxPooling1D(), [5]),
        (layers.GlobalAveragePooling1D(), [3]),
        (layers.UpSampling1D(2), [1, 1, 5, 5, 2, 2, 4, 4, 3, 3]),
        (layers.ZeroPadding1D((2, 1)), [0, 0, 1, 5, 2, 4, 3, 0]),
        (layers.Cropping1D((0, 3)), [1, 5]),
    ],
    ids=lambda value: value.name if isinstance(value, fastgd.Layer) else "",
)
def test_signals(layer: Any, expected: list[float], backend: str) -> None:
    with fastgd.backend(backend):
        np.testing.assert_allclose(np.ravel(layer(X)), expected, rtol=1e-6)


def test_images() -> None:
    assert layers.MaxPooling2D()(IMAGE)[0, ..., 0].tolist() == [[5, 7]]
    assert layers.MaxPool2D is layers.MaxPooling2D
    assert layers.AvgPool2D((1, 2))(IMAGE)[0, ..., 0].tolist() == [[0.5, 2.5], [4.5, 6.5], [8.5, 10.5]]
    assert layers.Cropping2D(1)(IMAGE)[0, ..., 0].tolist() == [[5, 6]]
    assert layers.ZeroPadding2D(((1, 0), (0, 1)))(IMAGE)[0, :2, 3:, 0].tolist() == [[0, 0], [3, 0]]
    # Between the centres 0 and 1 the values 1/4 and 3/4 of the way, and the ends as they are.
    doubled = layers.UpSampling2D((1, 2), interpolation="bilinear")(IMAGE)
    assert doubled[0, 0, :, 0].tolist() == [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]


def test_the_order_of_the_axes_is_no_more_than_that() -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 3))
    for make in (
        lambda order: layers.MaxPooling2D(3, 2, "same", order),
        lambda order: layers.AveragePooling2D(2, 1, "same", order),
        lambda order: layers.UpSampling2D(2, order, "bilinear"),
        lambda order: layers.ZeroPadding2D(1, order),
        lambda order: layers.GlobalMaxPooling2D(order, keepdims=True),
    ):
        last, first = make("channels_last")(x), make("channels_first")(np.moveaxis(x, -1, 1))
        np.testing.assert_array_equal(np.moveaxis(first, 1, -1), last)


def test_a_model_trains_alike_with_any_number_of_threads() -> None:
    rng = np.random.default_rng(1)
    x, t = rng.normal(size=(40, 9, 8, 6)).astype(np.float32), rng.normal(size=(40, 2)).astype(np.float32)
    before, seen = runtime.get_num_threads(), []
    for threads in (1, 3):
        runtime.set_num_threads(threads)
        fastgd.utils.set_random_seed(5)
        pooled = [layers.MaxPooling2D(), layers.AveragePooling2D(2, 1, "same"), layers.UpSampling2D(2)]
        model = fastgd.Sequential([fastgd.Input((9, 8, 6)), *pooled, layers.GlobalMaxPooling2D(), layers.Dense(2)])
        model.compile("adam", "mse")
        model.fit(x, t, batch_size=16, epochs=2, verbose=0)
        seen.append(model.get_weights())
    runtime.set_num_threads(before)
    for ours, theirs in zip(*seen, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_no_window_covers_has_no_gradient() -> None:
    # In training the memory of a gradient has held other numbers before.
    rng = np.random.default_rng(2)
    x, t = rng.normal(size=(24, 9, 7, 3)), rng.normal(size=(24, 2))
    seen = []
    for backend in runtime.BACKENDS:
        with fastgd.backend(backend):
            fastgd.utils.set_random_seed(5)
            parts = [layers.Dense(4, "tanh"), layers.MaxPooling2D((2, 3)), layers.Dense(4, "tanh")]
            parts += [layers.MaxPooling2D((3, 1), (4, 2)), layers.Flatten(), layers.Dense(2)]
            model = fastgd.Sequential([fastgd.Input((9, 7, 3), dtype="float64"), *parts])
            model.compile("adam", "mse")
            model.fit(x, t, batch_size=8, epochs=3, verbose=0)
            seen.append(model.get_weights())
    for ours, theirs in zip(*seen, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.MaxPooling2D((2, 0)), ValueError, r"`pool_size` must be 1 or more\. Received: pool_size=0"),
        (lambda: layers.MaxPooling2D((2, 2, 2)), ValueError, "`pool_size` must be an integer or hold 2"),
        (lambda: layers.AveragePooling1D(2.5), TypeError, r"`pool_size` must be an integer\. Received: pool_size=2.5"),
        (lambda: layers.AveragePooling1D(2, padding="causal"), ValueError, "`padding` is not a known kind"),
        (lambda: layers.MaxPooling1D(data_format="last"), ValueError, "Received: data_format='last'"),
        (lambda: layers.GlobalMaxPooling1D(keepdims=1), TypeError, "`keepdims` must be True or False"),
        (lambda: layers.UpSampling2D(interpolation="bicubic"), ValueError, "Received: interpolation='bicubic'"),
        (lambda: layers.UpSampling1D((2,)), TypeError, "`size` must be an integer"),
        (lambda: layers.ZeroPadding2D(((1, 1), (1, 1, 1))), ValueError, "`padding` must have two numbers per"),
        (lambda: layers.ZeroPadding3D((1, 1)), ValueError, "`padding` must be an integer or have 3 elements"),
        (lambda: layers.Cropping2D(-1), ValueError, r"`cropping` must be 0 or more\. Received: cropping=-1"),
        (lambda: layers.Cropping1D((2, 3))(X), ValueError, "`cropping` must leave something of each spatial axis"),
        (lambda: layers.MaxPooling1D(6)(X), ValueError, r"The window covers \(6,\) and does not fit"),
        (lambda: layers.MaxPooling2D()(X), ValueError, r"needs one input \(batch, height, width, channels\)"),
        (lambda: ops.max_pool(np.ones((2, 3)), 2), ValueError, r"\[max_pool\] x must have 3 or 4 or 5 axes"),
        (lambda: ops.upsample(X, 0), ValueError, "`size` must be 1 or more"),
        (lambda: ops.upsample(X, 2, "cubic"), ValueError, r"\[upsample\] `interpolation` must be one of"),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
