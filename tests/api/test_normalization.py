"""Layers whose forward pass has a memory or rolls dice: moving averages, freezing, noise, preprocessing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from fastgd import _core, layers, runtime
from fastgd.plan import ParamSpec, Plan, Step, TensorSpec, Term, UpdateSpec
from fastgd.reference.random import deviates

Array = np.ndarray[Any, Any]

RNG = np.random.default_rng(0)
X, Y = RNG.normal(3.0, 2.0, (50, 4, 3)), RNG.normal(size=(50, 2))


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    """Compute in float64 where nothing else is said."""
    kept = fastgd.config.floatx()
    fastgd.config.set_floatx("float64")
    yield
    fastgd.config.set_floatx(kept)


def small_model(*parts: Any) -> Any:
    model = fastgd.Sequential([fastgd.Input((4, 3)), *parts, layers.Flatten(), layers.Dense(2)])
    model.compile(fastgd.optimizers.SGD(0.01), "mse")
    return model


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_moving_averages_follow_their_formula(backend: str) -> None:
    with fastgd.backend(backend):
        norm = layers.BatchNormalization(momentum=0.7)
        model = small_model(norm)
        model.fit(X, Y, batch_size=16, epochs=3, shuffle=False, verbose=0)
    mean, variance = np.zeros(3), np.ones(3)
    for _ in range(3):
        for start in range(0, 50, 16):
            batch = X[start : start + 16]
            mean = mean * 0.7 + batch.mean(axis=(0, 1)) * 0.3
            variance = variance * 0.7 + batch.var(axis=(0, 1)) * 0.3
    np.testing.assert_allclose(norm.moving_mean.numpy(), mean, rtol=1e-13)
    np.testing.assert_allclose(norm.moving_variance.numpy(), variance, rtol=1e-13)


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_nothing_but_training_moves_the_averages(backend: str) -> None:
    with fastgd.backend(backend):
        norm = layers.BatchNormalization()
        model = small_model(norm)
        before = model.get_weights()
        model.evaluate(X, Y, verbose=0)
        model.predict(X, verbose=0)
        model(X)
        normalized = norm(X, training=True)
        for old, new in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)
        np.testing.assert_allclose(normalized.mean(axis=(0, 1)), 0.0, atol=1e-12)
        np.testing.assert_allclose(norm(X), X / np.sqrt(1.001), rtol=1e-13)
        model.train_on_batch(X, Y)
        assert not np.array_equal(norm.moving_mean.numpy(), before[2])


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize("inner", [False, True], ids=["layer", "model"])
def test_freezing_holds_from_compile_to_compile(backend: str, inner: bool) -> None:
    with fastgd.backend(backend):
        norm = layers.BatchNormalization(momentum=0.5)
        part = fastgd.Sequential([fastgd.Input((4, 3)), norm]) if inner else norm
        model = small_model(part)
        part.trainable = False
        model.train_on_batch(X, Y)
        moved = norm.get_weights()
        assert not np.array_equal(moved[2], np.zeros(3)), "compile came before the freeze"
        model.compile("sgd", "mse")
        part.trainable = True
        model.train_on_batch(X, Y)
        for old, new in zip(moved, norm.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)
        # In inference mode the loss of a training batch is that of an evaluation before it.
        expected = model.evaluate(X, Y, verbose=0, batch_size=50)
        assert model.train_on_batch(X, Y) == pytest.approx(expected, rel=1e-12)
        model.compile("sgd", "mse")
        model.train_on_batch(X, Y)
        assert not np.array_equal(moved[2], norm.moving_mean.numpy())


def test_a_shared_batch_normalization_moves_at_each_call() -> None:
    a, b = (fastgd.Input((3,)) for _ in range(2))
    norm = layers.BatchNormalization(momentum=0.5)
    model = fastgd.Model([a, b], layers.Dense(2)(layers.Add()([norm(a), norm(b)])))
    model.compile("sgd", "mse")
    model.train_on_batch([X[:, 0], X[:, 1]], Y)
    mean = 0.5 * (0.5 * X[:, 0].mean(axis=0)) + 0.5 * X[:, 1].mean(axis=0)
    np.testing.assert_allclose(norm.moving_mean.numpy(), mean, rtol=1e-13)


def test_a_step_may_not_write_what_an_optimizer_trains() -> None:
    tensors = tuple(TensorSpec(name, (-1, 3), "float64") for name in ("x", "y", "t"))
    plan = Plan(
        "float64", (*tensors, TensorSpec("v", (-1,), "float64")), (ParamSpec("m", (3,)), ParamSpec("s", (3,))),
        (
            Step("batch_normalization", ("x",), ("y",), ("m", "s"), {"axis": 1, "scale": False, "center": False}),
            Step("mean_squared_error", ("y", "t"), ("v",)),
        ),
        ("x", "t"), losses=(Term("loss", "v"),),
    )  # fmt: skip
    executor = _core.Executor(plan)
    executor.bind_parameters([np.zeros(3), np.ones(3)])
    executor.bind_update(UpdateSpec("sgd"), [])
    with pytest.raises(ValueError, match=r"\[batch_normalization\] writes the parameter 'm', which must not be train"):
        executor.begin("train", [X[:, 0], X[:, 1]], 5)


def test_statistics_survive_a_large_mean_in_float32() -> None:
    # One pass over squares in float32 would lose all digits of the variance.
    x = (1000.0 + RNG.normal(size=(4096, 3))).astype(np.float32)
    exact = x.astype(np.float64)
    expected = (exact - exact.mean(axis=0)) / exact.std(axis=0)
    by_batch = layers.BatchNormalization(epsilon=0.0, dtype="float32")(x, training=True)
    by_sample = layers.LayerNormalization(epsilon=0.0, dtype="float32")(x.T.copy()).T
    # The mean itself has the roundoff of 1,000.
    for y in (by_batch, by_sample):
        np.testing.assert_allclose(y, expected, atol=2 * 1000 * tolerances.EPS["float32"])


def test_rows_of_zeros_stay_zeros() -> None:
    np.testing.assert_array_equal(layers.UnitNormalization()(np.zeros((2, 3))), 0.0)
    np.testing.assert_array_equal(layers.LayerNormalization()(np.zeros((2, 3))), 0.0)


def test_deviates_are_normal() -> None:
    z = deviates((200_000,), 2**63 + 1, 17)
    near = tolerances.sampled(z.size)
    for power, moment in ((1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0)):
        # The deviation of the fourth power is about ten.
        assert abs((z**power).mean() - moment) < 10 * near
    assert abs((z < -1.959963984540054).mean() - 0.025) < near
    assert abs(np.corrcoef(z[:-1], z[1:])[0, 1]) < near


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_noise_keeps_mean_and_variance_as_told(backend: str) -> None:
    x = np.random.default_rng(3).normal(size=(500, 400))
    near = 3 * tolerances.sampled(x.size)
    with fastgd.backend(backend):
        noise = layers.GaussianNoise(0.5, seed=1)(x, training=True) - x
        factor = layers.GaussianDropout(0.2, seed=2)(x, training=True) / x
        alpha = layers.AlphaDropout(0.3, seed=3)(x, training=True)
        np.testing.assert_array_equal(layers.GaussianNoise(0.5)(x), x)
        np.testing.assert_array_equal(layers.AlphaDropout(0.3)(x), x)
    assert abs(noise.mean()) < near
    assert abs(noise.std() - 0.5) < near
    assert abs(factor.mean() - 1.0) < near
    assert abs(factor.std() - 0.5) < near
    assert abs(alpha.mean()) < near
    assert abs(alpha.std() - 1.0) < near
    # A share of 0.3 lies at one value.
    values, counts = np.unique(alpha, return_counts=True)
    assert abs(counts.max() / x.size - 0.3) < near
    assert values[counts.argmax()] < -1.0


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize("shape", [(None, 1, None), (None, 5, 1), (1, None, None), (None, 1, 1)], ids=str)
def test_noise_shape_couples_elements(backend: str, shape: tuple[int | None, ...]) -> None:
    x = np.ones((40, 5, 30))
    with fastgd.backend(backend):
        y = layers.Dropout(0.4, noise_shape=shape, seed=9)(x, training=True)
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1)
    assert set(np.unique(y)) == {0.0, 1.0 / 0.6}
    for axis in axes:
        assert np.all(y == np.take(y, [0], axis=axis))
    free = np.prod([whole for whole, size in zip(x.shape, shape, strict=True) if size != 1])
    assert abs((y > 0).mean() - 0.6) < tolerances.sampled(int(free))


def test_spatial_dropout_is_dropout_with_a_noise_shape() -> None:
    x = RNG.normal(size=(6, 7, 8))
    fastgd.utils.set_random_seed(1)
    spatial = layers.SpatialDropout1D(0.5, seed=4)(x, training=True)
    fastgd.utils.set_random_seed(1)
    np.testing.assert_array_equal(spatial, layers.Dropout(0.5, (None, 1, None), 4)(x, training=True))


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_integer_inputs_reach_layers_that_take_them(backend: str) -> None:
    with fastgd.backend(backend):
        x, z = fastgd.Input((3,), dtype="int64", name="labels"), fastgd.Input((2,), name="numbers")
        assert x.dtype == "int32"
        encoded = layers.CategoryEncoding(6, output_mode="count")(x)
        model = fastgd.Model([x, z], layers.Dense(1)(layers.Concatenate()([encoded, z])))
        model.compile("sgd", "mse")
        labels, numbers = RNG.integers(0, 6, (9, 3)), RNG.normal(size=(9, 2))
        model.fit({"labels": labels, "numbers": numbers}, np.ones(9), verbose=0)
        kernel, bias = model.get_weights()
        counts = (labels[..., None] == np.arange(6)).sum(axis=1)
        expected = np.concatenate([counts, numbers], axis=1) @ kernel + bias
        np.testing.assert_allclose(model.predict([labels, numbers], verbose=0), expected, rtol=1e-4, atol=1e-5)
        for wrong, text in (
            (labels + 3, r"`x\['labels'\]` must hold integers from 0 to 5. Received: x\['labels'\]\[.*\]=\d"),
            (labels - 0.5, r"must hold integers. Received"),
        ):
            with pytest.raises(ValueError, match=text):
                model.predict([wrong, numbers], verbose=0)


def test_layers_that_compute_refuse_integers() -> None:
    with pytest.raises(ValueError, match=r"^\[dense\] takes floating tensors, not integers. Received: .* dtype int32$"):
        layers.Dense(2)(fastgd.Input((3,), dtype="int32"))
    with pytest.raises(ValueError, match=r"^\[category_encoding\] labels are int32"):
        layers.CategoryEncoding(3)(fastgd.Input((3,), dtype="float32"))
    tensors = (TensorSpec("x", (-1, 3), "int32"), TensorSpec("y", (-1, 2), "float64"))
    plan = Plan("float64", tensors, (ParamSpec("w", (3, 2)),), (Step("dense", ("x",), ("y",), ("w",)),), ("x",), ("y",))
    executor = _core.Executor(plan)
    executor.bind_parameters([np.zeros((3, 2))])
    with pytest.raises(ValueError, match=r"^\[dense\] takes floating numbers. Received: tensor 'x'$"):
        executor.begin("predict", [np.ones((2, 3))], 2, outputs=[np.zeros((2, 2))])


def test_integers_beyond_32_bits_are_refused() -> None:
    x = fastgd.Input((2,), dtype="int32")
    model = fastgd.Model(x, layers.Flatten()(x))
    assert model.predict(np.array([[2**31 - 1, -(2**31)]]), verbose=0).tolist() == [[2**31 - 1, -(2**31)]]
    with pytest.raises(ValueError, match=r"integers from -2147483648 to 2147483647. Received: x\[0, 1\]=2147483648"):
        model.predict(np.array([[0, 2**31]]), verbose=0)


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_bins_are_integers_inside_a_model(backend: str) -> None:
    with fastgd.backend(backend):
        x = fastgd.Input((3,))
        bins = layers.Discretization([0.0, 1.0])(x)
        assert bins.dtype == "int32"
        model = fastgd.Model(x, [bins, layers.CategoryEncoding(3, output_mode="one_hot")(bins)])
        numbers, one_hot = model.predict(np.array([[-1.0, 0.0, 0.5], [1.0, 2.0, 0.999]]), verbose=0)
    assert numbers.dtype == np.int32
    assert numbers.tolist() == [[0, 1, 1], [2, 2, 1]]
    np.testing.assert_array_equal(one_hot, np.eye(3)[numbers])


def test_adapt_reaches_a_model_that_is_already_lowered() -> None:
    layer = layers.Normalization()
    model = fastgd.Sequential([fastgd.Input((3,)), layer, layers.Dense(1)])
    data = RNG.normal(5.0, 3.0, (200, 3))
    model.predict(data, verbose=0)
    layer.adapt([data[:70], data[70:]])
    kernel, bias = model.layers[1].get_weights()
    expected = (data - data.mean(axis=0)) / data.std(axis=0) @ kernel + bias
    np.testing.assert_allclose(model.predict(data, verbose=0), expected, rtol=1e-4, atol=1e-5)


def test_adapt_takes_data_frames() -> None:
    pandas = pytest.importorskip("pandas")
    data = RNG.normal(size=(30, 2))
    layer = layers.Normalization()
    layer.adapt(pandas.DataFrame(data, columns=["a", "b"]))
    np.testing.assert_allclose(layer.mean.numpy(), data.mean(axis=0), rtol=1e-5)


def test_both_interpreters_draw_the_same_noise() -> None:
    x = RNG.normal(size=(33, 7))
    drawn = []
    for backend in runtime.BACKENDS:
        with fastgd.backend(backend):
            fastgd.utils.set_random_seed(3)
            drawn.append(layers.GaussianNoise(0.4, seed=2**64 - 1)(x, training=True))
    np.testing.assert_allclose(*drawn, rtol=1e-13, atol=1e-13)
