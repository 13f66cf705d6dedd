"""Steps that the engine runs as one: the same training as by the reference, on any number of threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from fastgd import _core, layers, optimizers

Array = np.ndarray[Any, Any]


def pooled(filters: int, kernel: int, activation: str | None, pool: Any, **how: Any) -> Callable[[Any], Any]:
    def body(x: Any) -> Any:
        x = layers.Conv2D(filters, kernel, padding="same", activation=activation)(x)
        return layers.MaxPooling2D(pool, **how)(x)

    return body


def read_twice(x: Any) -> Any:
    """The output of the convolution is wanted by itself as well, and so is that of the normalisation."""
    y = layers.Conv2D(4, 3, activation="relu")(x)
    z = layers.BatchNormalization()(y)
    flat = [layers.Flatten()(each) for each in (layers.MaxPooling2D()(y), y, layers.ReLU()(z), z)]
    return layers.Concatenate()(flat)


def normalized(norm: Callable[[], Any], activation: Callable[[], Any]) -> Callable[[Any], Any]:
    return lambda x: activation()(norm()(layers.Conv2D(9, 3, use_bias=False)(x)))


BODIES: dict[str, Callable[[Any], Any]] = {
    "halved": pooled(6, 5, "relu", 2),
    "halved, no activation": pooled(6, 3, None, 2),
    "overlapping": pooled(7, 3, "relu", 3, strides=1),
    "apart": pooled(5, 2, "relu", 2, strides=3),
    "padded": pooled(6, 3, "relu", (3, 2), strides=2, padding="same"),
    "in tiles": pooled(24, 3, "relu", 2),
    "in tiles, padded": pooled(17, 3, "relu", 3, strides=2, padding="same"),
    "another activation": pooled(6, 3, "tanh", 2),
    "read twice": read_twice,
    "batch and relu": normalized(layers.BatchNormalization, layers.ReLU),
    "batch and leaky": normalized(layers.BatchNormalization, lambda: layers.LeakyReLU(0.3)),
    "batch and sigmoid": normalized(
        lambda: layers.BatchNormalization(scale=False, center=False), lambda: layers.Activation("sigmoid")
    ),
    "rows of channels": normalized(lambda: layers.BatchNormalization(axis=1), lambda: layers.Activation("tanh")),
    "groups": normalized(lambda: layers.GroupNormalization(3), layers.ReLU),
    "frozen": normalized(lambda: layers.BatchNormalization(trainable=False), layers.ReLU),
}


def data(shape: tuple[int, ...], samples: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(7)
    return rng.normal(size=(samples, *shape)), rng.normal(size=(samples, 3))


def results(make: Callable[[], Any], x: Array, t: Array, batch: int, threads: int, backend: str) -> list[Array]:
    """Return the weights after two epochs and what is predicted and evaluated then."""
    before = _core.get_num_threads()
    _core.set_num_threads(threads)
    try:
        with fastgd.backend(backend):
            model = make()
            model.fit(x, t, batch_size=batch, epochs=2, verbose=0)
            return [*model.get_weights(), model.predict(x, verbose=0), np.array(model.evaluate(x, t, verbose=0))]
    finally:
        _core.set_num_threads(before)


def check(make: Callable[[], Any], x: Array, t: Array, batch: int) -> None:
    wanted = results(make, x, t, batch, 1, "numpy")
    found = results(make, x, t, batch, 1, "native")
    for got, want in zip(found, wanted, strict=True):
        tolerances.assert_close(got, want, tolerances.FIFTY_UPDATES)
    for threads in (2, 3):
        again = results(make, x, t, batch, threads, "native")
        assert all(np.array_equal(a, b) for a, b in zip(again, found, strict=True))


def model_of(body: Callable[[Any], Any], shape: tuple[int, ...]) -> Callable[[], Any]:
    def make() -> Any:
        fastgd.utils.set_random_seed(2)
        given = fastgd.Input(shape)
        model = fastgd.Model(given, layers.Dense(3)(layers.Flatten()(body(given))))
        model.compile(optimizers.SGD(0.001), "mse")
        return model

    return make


# With fewer than eight samples threads share each of them.
@pytest.mark.usefixtures("own_float64")
@pytest.mark.parametrize("batch", [5, 12])
@pytest.mark.parametrize("name", BODIES)
def test_fused_steps(name: str, batch: int) -> None:
    shape = (9, 10, 16 if "tiles" in name else 3)
    x, t = data(shape, 29)
    check(model_of(BODIES[name], shape), x, t, batch)


@pytest.mark.usefixtures("own_float64")
def test_more_channels_than_a_block_has() -> None:
    shape = (2, 300)
    x, t = data(shape, 29)
    check(model_of(lambda x: layers.ReLU()(layers.BatchNormalization()(x)), shape), x, t, 12)


def along_one(x: Any) -> Any:
    return layers.MaxPooling1D()(layers.Conv1D(6, 3, activation="relu")(x))


def along_three(x: Any) -> Any:
    return layers.MaxPooling3D(2)(layers.Conv3D(4, 2, activation="relu")(x))


@pytest.mark.usefixtures("own_float64")
@pytest.mark.parametrize(("body", "shape"), [(along_one, (17, 3)), (along_three, (5, 6, 4, 2))])
def test_other_numbers_of_axes(body: Callable[[Any], Any], shape: tuple[int, ...]) -> None:
    x, t = data(shape, 29)
    check(model_of(body, shape), x, t, 12)
