"""Layers, losses, metrics and regularizers written with plain NumPy, on both interpreters."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers, losses, metrics, ops

Array = np.ndarray[Any, Any]

BACKENDS = ("native", "numpy")


@pytest.fixture(params=BACKENDS, autouse=True)
def _each_backend(request: pytest.FixtureRequest) -> Any:
    with fastgd.backend(request.param):
        yield


class NumpyDense(layers.NumpyLayer, abstract=True):
    """A dense layer, as one writes it with NumPy."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight((input_shape[-1], self.units), name="kernel")
        self.bias = self.add_weight((self.units,), "zeros", name="bias")

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def forward(self, x: Array, w: Array, b: Array) -> Array:
        return np.tanh(x @ w + b)

    def backward(self, dy: Array, y: Array, x: Array, w: Array, b: Array) -> Any:
        dz = dy * (1 - y**2)
        return dz @ w.T, x.T @ dz, dz.sum(axis=0)


class NumpySquared(losses.NumpyLoss, abstract=True):
    """Half the mean squared error."""

    def value(self, y_true: Array, y_pred: Array) -> Array:
        return 0.5 * np.square(y_pred - y_true).reshape(len(y_true), -1).mean(axis=1)

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        return (y_pred - y_true) / y_true[0].size


class Farthest(metrics.NumpyMetric, abstract=True):
    """The largest distance in each sample."""

    def value(self, y_true: Array, y_pred: Array) -> Array:
        return np.abs(y_pred - y_true).max(axis=-1)


def network(dense: Any, loss: Any, dtype: str = "float64", **compiled: Any) -> Any:
    made = [dense(7, "a"), dense(5, "b"), layers.Dense(3, name="c", dtype=dtype)]
    model = fastgd.Sequential([fastgd.Input((4,), dtype=dtype), *made])
    model.compile(fastgd.optimizers.Adam(0.01), loss, **compiled)
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(size=w.shape) for w in model.weights])
    return model


def of_numpy(units: int, name: str) -> Any:
    return NumpyDense(units, name=name)


def of_ops(units: int, name: str) -> Any:
    return layers.Dense(units, "tanh", name=name)


def half(y_true: Any, y_pred: Any) -> Any:
    return 0.5 * ops.mean(ops.square(y_pred - y_true), axis=-1)


@pytest.mark.parametrize("work", ["0", None], ids=["every step shared out", "default"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-4)])
def test_a_network_of_numpy_trains_like_one_of_ops(dtype, tolerance, work, rng, monkeypatch):
    if work is not None:
        monkeypatch.setenv("FASTGD_TEAM_WORK", work)
    x, t, s = rng.normal(size=(50, 4)), rng.normal(size=(50, 3)), rng.uniform(0.5, 2.0, 50)
    seen = []
    for dense, loss in ((of_numpy, NumpySquared()), (of_ops, half)):
        model = network(dense, loss, dtype, metrics=["mae"])
        gradient = model.loss_and_gradient(x, t)
        history = model.fit(x, t, 16, epochs=3, sample_weight=s, shuffle=False, verbose=0).history
        scores = model.evaluate(x, t, sample_weight=s, verbose=0)
        seen.append([*gradient, history["loss"], history["mae"], scores, model.predict(x, verbose=0)])
        seen[-1] += [model(x[:7]), model.layers[0](x[:7]), *model.get_weights()]
    for got, expected in zip(*seen, strict=True):
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
        assert np.asarray(got).dtype == np.asarray(expected).dtype


def test_losses_and_metrics_on_arrays_and_in_models(rng):
    x, t = rng.normal(size=(20, 4)), rng.normal(size=(20, 3))
    model = network(of_ops, NumpySquared(), metrics=[Farthest(name="far")])
    p = model.predict(x, verbose=0)
    expected = [0.5 * np.mean((p - t) ** 2), np.abs(p - t).max(axis=1).mean()]
    np.testing.assert_allclose(model.evaluate(x, t, 6, verbose=0), expected, rtol=1e-12)
    assert NumpySquared()(t, p) == pytest.approx(expected[0])
    metric = Farthest()
    metric.update_state(t[:9], p[:9])
    metric.update_state(t[9:], p[9:])
    assert metric.result() == pytest.approx(expected[1])


def test_labels_arrive_as_integers(rng):
    class LabelLoss(losses.NumpyLoss, abstract=True):
        sparse = True

        def value(self, y_true: Array, y_pred: Array) -> Array:
            assert y_true.dtype == np.int32
            return -np.log(y_pred[np.arange(len(y_true)), y_true])

        def gradient(self, y_true: Array, y_pred: Array) -> Array:
            return -np.eye(3)[y_true] / y_pred

    class Hits(metrics.NumpyMetric, abstract=True):
        sparse = True

        def value(self, y_true: Array, y_pred: Array) -> Array:
            return y_pred.argmax(axis=1) == y_true

    x, t = rng.normal(size=(30, 4)), rng.integers(0, 3, 30)
    seen = []
    for loss, metric in ((LabelLoss(), Hits()), ("sparse_categorical_crossentropy", "sparse_categorical_accuracy")):
        model = fastgd.Sequential([fastgd.Input((4,), dtype="float64"), layers.Dense(3, "softmax")])
        model.compile("sgd", loss, metrics=[metric])
        model.set_weights([np.full(w.shape, 0.1) * np.arange(w.size).reshape(w.shape) for w in model.weights])
        model.fit(x, t, 8, epochs=2, shuffle=False, verbose=0)
        seen.append([*model.get_weights(), model.evaluate(x, t, verbose=0)])
    for got, expected in zip(*seen, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-7)


def test_several_inputs_and_outputs_constants_and_variables(rng):
    scale = fastgd.Variable(np.array([1.0, 2.0, 3.0]), "scale", "float64")

    def forward(a: Array, b: Array, w: Array, c: Array) -> Any:
        return a * w + c, (a * b).sum(axis=1)

    def backward(dy: Any, y: Any, a: Array, b: Array, w: Array, c: Array) -> Any:
        assert (dy[0].shape, y[0].shape, dy[1].shape) == (a.shape, a.shape, (len(a),))
        return dy[0] * w + dy[1][:, None] * b, dy[1][:, None] * a, (dy[0] * a).sum(axis=0), None

    def function(a: Any, b: Any) -> Any:
        return ops.numpy_function(forward, [a, b, scale, np.ones(3)], [(None, 3), (None,)], backward)

    a, b = rng.normal(size=(2, 5, 3))
    assert fastgd.testing.check_gradients(function, [a, b]).elements == 33
    # An output that nothing uses has the gradient 0.
    assert fastgd.testing.check_gradients(lambda a, b: function(a, b)[1], [a, b]).elements == 33
    first, second = function(a, b)
    np.testing.assert_allclose(first, a * scale.value + 1)
    np.testing.assert_allclose(second, (a * b).sum(axis=1))
    inputs = [fastgd.Input((3,), dtype="float64") for _ in range(2)]
    model = fastgd.Model(inputs, list(function(*inputs)))
    for got, expected in zip(model.predict([a, b], batch_size=2, verbose=0), (first, second), strict=True):
        np.testing.assert_allclose(got, expected)


def test_a_regularizer_is_a_function(rng):
    def penalty(w: Any) -> Any:
        return ops.numpy_function(
            lambda w: 0.5 * np.sum(w**4), [w], (), lambda dy, y, w: dy * 2 * w**3, name="fourth powers"
        )

    x, t = rng.normal(size=(20, 4)), rng.normal(size=(20, 3))
    seen = []
    for rule in (penalty, lambda w: 0.5 * ops.sum(ops.square(ops.square(w)))):
        dense = layers.Dense(3, kernel_regularizer=rule, activity_regularizer=rule)
        model = fastgd.Sequential([fastgd.Input((4,), dtype="float64"), dense])
        model.compile("sgd", "mse")
        model.set_weights([np.full(w.shape, 0.1) for w in model.weights])
        model.fit(x, t, 8, epochs=2, shuffle=False, verbose=0)
        seen.append([*model.get_weights(), model.evaluate(x, t, verbose=0), model.losses[0]])
    for got, expected in zip(*seen, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_the_function_owns_its_arrays(rng):
    kept: list[Array] = []

    def forward(x: Array) -> Array:
        kept.append(x)
        y = 2 * x
        x[:] = np.nan
        return y

    def backward(dy: Array, y: Array, x: Array) -> Array:
        dx = 2 * dy
        dy[:] = y[:] = x[:] = np.nan
        return dx

    x, t = rng.normal(size=(12, 3)), rng.normal(size=(12, 3))
    a = fastgd.Input((3,), dtype="float64")
    h = layers.Dense(3)(a)
    model = fastgd.Model(a, layers.Add()([ops.numpy_function(forward, [h], backward=backward), h]))
    model.compile("sgd", "mse")
    history = model.fit(x, t, 5, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert all(np.isnan(each).all() for each in kept)
    model.evaluate(x, t, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


class ReachedError(Exception):
    """What the functions below raise."""


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("where", ["forward", "backward"])
@pytest.mark.parametrize("error", [ReachedError("here"), ValueError("here"), KeyboardInterrupt()], ids=repr)
def test_an_exception_comes_out_as_it_is(where, error, threads, rng, monkeypatch):
    monkeypatch.setenv("FASTGD_TEAM_WORK", "0")
    calls = {"forward": 0, "backward": 0}
    armed = [True]

    def count(name: str) -> None:
        calls[name] += 1
        if armed[0] and name == where and calls[name] == 3:
            raise error

    def forward(x: Array) -> Array:
        count("forward")
        return x.copy()

    def backward(dy: Array, y: Array, x: Array) -> Array:
        count("backward")
        return dy

    class Watched(layers.Layer, abstract=True):
        def call(self, x: Any) -> Any:
            return ops.numpy_function(forward, [x], backward=backward)

    def make() -> Any:
        hidden = [layers.Dense(6, "tanh"), Watched(), layers.Dense(3)]
        model = fastgd.Sequential([fastgd.Input((4,), dtype="float64"), *hidden])
        model.compile(fastgd.optimizers.Adam(0.1), "mse", metrics=["mae"])
        rng = np.random.default_rng(0)
        model.set_weights([rng.normal(size=w.shape) for w in model.weights])
        return model

    x, t = rng.normal(size=(50, 4)), rng.normal(size=(50, 3))
    before = fastgd.get_num_threads()
    fastgd.set_num_threads(threads)
    try:
        model = make()
        with pytest.raises(type(error)) as caught:
            model.fit(x, t, 10, epochs=3, shuffle=False, verbose=0)
        assert caught.value is error
        assert any(entry.name == "count" for entry in caught.traceback)
        # Two batches were done, and nothing of the third.
        assert model.optimizer.iterations == 2
        armed[0] = False
        expected = make()
        expected.fit(x[:20], t[:20], 10, shuffle=False, verbose=0)
        for got, want in zip(model.get_weights(), expected.get_weights(), strict=True):
            np.testing.assert_array_equal(got, want)
        for each in (model, expected):
            each.fit(x, t, 10, epochs=2, shuffle=False, verbose=0)
        assert model.evaluate(x, t, verbose=0) == expected.evaluate(x, t, verbose=0)
        if where == "forward":
            for call in (
                lambda: model.predict(x, verbose=0),
                lambda: model.evaluate(x, t, verbose=0),
                lambda: model.layers[1](x),
            ):
                armed[0], calls["forward"] = True, 2
                with pytest.raises(type(error)) as caught:
                    call()
                assert caught.value is error
    finally:
        fastgd.set_num_threads(before)


def doubled(x: Any, result: Any = None, gradient: Any = None, **options: Any) -> Any:
    """Return 2 x, or whatever the functions give for x and dy instead."""
    return ops.numpy_function(
        result or (lambda x: 2 * x), [x], backward=gradient or (lambda dy, y, x: 2 * dy), name="doubled", **options
    )


@pytest.mark.parametrize(
    ("error", "message", "options"),
    [
        (ValueError, r"`forward` of 'doubled' must return an array of shape \(4, 3\). Received: shape=\(4, 2\)$",
         {"result": lambda x: x[:, :2]}),
        (ValueError, r"of shape \(4, 3\). Received: shape=\(\)$", {"result": lambda x: 1.0}),
        (TypeError, r"`forward` of 'doubled' must return arrays of real numbers. Received: dtype=complex128$",
         {"result": lambda x: x * 1j}),
        (TypeError, "must return arrays of real numbers. Received: dtype=object$", {"result": lambda x: None}),
        (ValueError, "`forward` of 'doubled' must return a tuple of 2 arrays. Received: ndarray$",
         {"shape": [(None, 3), (None,)]}),
        (ValueError, "`forward` of 'doubled' must return a tuple of 2 arrays. Received: 3$",
         {"shape": [(None, 3), (None,)], "result": lambda x: (x, x, x)}),
        (ValueError, r"`backward` of 'doubled' must return an array of shape \(4, 3\). Received: shape=\(3,\)$",
         {"gradient": lambda dy, y, x: dy[0]}),
        (ValueError, r"`backward` of 'doubled' must return a tuple of 1 gradients, one per input. Received: 2$",
         {"gradient": lambda dy, y, x: (dy, dy)}),
        (TypeError, "`backward` of 'doubled' must return arrays of real numbers. Received: dtype=<U1$",
         {"gradient": lambda dy, y, x: "x"}),
    ],
)  # fmt: skip
def test_what_functions_return_is_checked(error, message, options, rng):
    x = rng.normal(size=(4, 3))
    with pytest.raises(error, match=r"^\[numpy_function\] .*" + message):
        fastgd.testing.check_gradients(lambda x: doubled(x, **options), x)


def test_results_of_other_real_types_are_converted(rng):
    x = rng.normal(size=(4, 3)).astype(np.float32)
    for result, expected in ((lambda x: x > 0, x > 0), (lambda x: x.astype(np.float64), x), (np.rint, np.rint(x))):
        a = fastgd.Input((3,))
        got = fastgd.Model(a, doubled(a, result)).predict(x, verbose=0)
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, expected)
    assert ops.numpy_function(np.rint, [x]).dtype == np.float32
    transposed = doubled(rng.normal(size=(3, 4)).T, lambda x: np.asfortranarray(x))
    assert transposed.flags.c_contiguous


def test_a_gradient_without_backward(rng):
    class Rounded(layers.NumpyLayer, abstract=True):
        def forward(self, x: Array) -> Array:
            return np.rint(x)

    x, t = rng.normal(size=(10, 4)), rng.normal(size=(10, 2))

    def make(*made: Any) -> Any:
        model = fastgd.Sequential([fastgd.Input((4,), dtype="float64"), *made, layers.Dense(2)])
        model.compile("sgd", "mse")
        return model

    frozen = layers.Dense(3, trainable=False)
    for made in ([Rounded()], [frozen, Rounded()]):
        model = make(*made)
        model.fit(x, t, verbose=0)
        model.loss_and_gradient(x, t)
    model = make(layers.Dense(3), Rounded(name="rounded"))
    np.testing.assert_allclose(model.predict(x, verbose=0), model(x))
    assert np.isfinite(model.evaluate(x, t, verbose=0))
    for call in (model.fit, model.loss_and_gradient):
        with pytest.raises(ValueError, match=r"\[numpy_function\] 'Rounded rounded' has no `backward`, but weights"):
            call(x, t)

    class Stopped(layers.Layer, abstract=True):
        def call(self, x: Any) -> Any:
            return ops.numpy_function(np.rint, [ops.stop_gradient(x)])

    make(layers.Dense(3), Stopped()).fit(x, t, verbose=0)

    class NoGradient(losses.NumpyLoss, abstract=True):
        def value(self, y_true: Array, y_pred: Array) -> Array:
            return np.abs(y_true - y_pred).mean(axis=1)

    model = fastgd.Sequential([fastgd.Input((4,)), layers.Dense(2)])
    model.compile("sgd", NoGradient(name="mine"))
    assert np.isfinite(model.evaluate(x, t, verbose=0))
    with pytest.raises(ValueError, match="'the loss mine' has no `backward`"):
        model.fit(x, t, verbose=0)


def test_what_is_not_implemented_says_so(rng):
    x = rng.normal(size=(4, 3))
    for call, message in (
        (lambda: layers.NumpyLayer()(x), r"NumpyLayer must implement forward\(x, \*weights\)"),
        (lambda: losses.NumpyLoss()(x, x), r"NumpyLoss must implement value\(y_true, y_pred\)"),
        (lambda: metrics.NumpyMetric()(x, x), r"NumpyMetric must implement value\(y_true, y_pred\)"),
    ):
        with pytest.raises(NotImplementedError, match=message):
            call()
    with pytest.raises(ValueError, match=r"\[numpy_function\] needs at least one input"):
        ops.numpy_function(np.sum, [])

    class WrongSlope(NumpySquared, abstract=True):
        def gradient(self, y_true: Array, y_pred: Array) -> Array:
            return (y_pred - y_true).mean(axis=1)

    with pytest.raises(ValueError, match=r"`gradient` of the loss 'wrong_slope' must .* \(4, 3\). .*shape=\(4,\)$"):
        fastgd.testing.check_gradients(WrongSlope(), [x, x + 1])


def test_nan_passes(rng):
    model = network(lambda units, name: NumpyDense(units, name=name), NumpySquared())
    model.set_weights([np.full(w.shape, np.nan) for w in model.weights])
    x = rng.normal(size=(5, 4))
    assert np.isnan(model.predict(x, verbose=0)).all()
    assert np.isnan(model.evaluate(x, x[:, :3], verbose=0))


def test_several_python_threads(rng):
    x, t = rng.normal(size=(40, 4)), rng.normal(size=(40, 3))
    backend = fastgd.runtime.current_backend()
    expected_model = network(of_numpy, NumpySquared())
    expected = expected_model.predict(x, verbose=0)
    expected_model.fit(x, t, 8, epochs=3, shuffle=False, verbose=0)
    shared = network(of_numpy, NumpySquared())
    results: list[Any] = [None] * 8
    own = [network(of_numpy, NumpySquared()) for _ in range(8)]

    def work(k: int) -> None:
        with fastgd.backend(backend):
            own[k].fit(x, t, 8, epochs=3, shuffle=False, verbose=0)
            results[k] = shared.predict(x, verbose=0), own[k].get_weights()

    workers = [threading.Thread(target=work, args=(k,), daemon=True) for k in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    for p, weights in results:
        np.testing.assert_array_equal(p, expected)
        for got, want in zip(weights, expected_model.get_weights(), strict=True):
            np.testing.assert_array_equal(got, want)


def test_a_function_may_use_models_itself(rng):
    inner = network(of_ops, "mse")
    x = rng.normal(size=(9, 4))
    outer = fastgd.Input((4,), dtype="float64")
    model = fastgd.Model(outer, ops.numpy_function(lambda a: inner.predict(a, verbose=0), [outer], (None, 3)))
    np.testing.assert_array_equal(model.predict(x, batch_size=9, verbose=0), inner.predict(x, verbose=0))


def test_a_model_whose_method_is_called_is_let_go(rng):
    class Own(fastgd.Model):
        def __init__(self) -> None:
            super().__init__()
            self.dense = NumpyDense(3)

        def double(self, x: Array) -> Array:
            return 2 * x

        def call(self, inputs: Any) -> Any:
            y = self.dense(inputs)
            return ops.numpy_function(self.double, [y], backward=lambda dy, y, x: self.double(dy))

    model = Own()
    model.compile("sgd", NumpySquared())
    x = rng.normal(size=(8, 4))
    model.fit(x, x[:, :3], verbose=0)
    model.predict(x, verbose=0)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
