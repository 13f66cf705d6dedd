"""Backends, the weights' flat array, ops on arrays, and what `import fastgd` brings along."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest

import fastgd
from fastgd import ops, runtime
from fastgd.ops.parameters import aligned_zeros
from fastgd.plan import flat_layout


def test_backend_is_chosen_for_a_block():
    outside = runtime.current_backend()
    with fastgd.backend("numpy"):
        assert runtime.current_backend() == "numpy"
        with fastgd.backend("native"):
            assert runtime.current_backend() == "native"
        assert runtime.current_backend() == "numpy"
        elsewhere = []
        thread = threading.Thread(target=lambda: elsewhere.append(runtime.current_backend()))
        thread.start()
        thread.join()
        assert elsewhere == [outside]
    assert runtime.current_backend() == outside


def test_backend_may_be_set_without_a_block():
    outside = fastgd.backend("numpy")
    assert runtime.current_backend() == "numpy"
    outside.__exit__(None, None, None)


def test_environment_sets_the_default(monkeypatch):
    monkeypatch.setenv("FASTGD_BACKEND", "numpy")
    assert runtime.current_backend() == "numpy"
    monkeypatch.delenv("FASTGD_BACKEND")
    assert runtime.current_backend() == "native"
    monkeypatch.setenv("FASTGD_BACKEND", "cuda")
    with pytest.raises(ValueError, match="`FASTGD_BACKEND` is not a known backend. Known: native, numpy"):
        runtime.current_backend()


def test_unknown_backend():
    with pytest.raises(
        ValueError, match=r"`name` is not a known backend. Did you mean 'numpy'\?.*Received: name='nunpy'"
    ):
        fastgd.backend("nunpy")


def test_missing_native_module_is_reported_when_it_is_needed(monkeypatch):
    model = fastgd.Sequential([fastgd.Input((2,)), fastgd.layers.Dense(1)])
    monkeypatch.setitem(sys.modules, "fastgd._core", None)
    monkeypatch.setattr(fastgd.runtime, "_native", None)
    with (
        fastgd.backend("native"),
        pytest.raises(ImportError, match=r"fastgd._core cannot be imported.*FASTGD_BACKEND=numpy"),
    ):
        model.predict(np.ones((1, 2)))
    with fastgd.backend("numpy"):
        assert model.predict(np.ones((1, 2)), verbose=0).shape == (1, 1)


def test_import_is_light():
    heavy = ("rich", "typer", "fastgd.datasets", "fastgd._core", "fastgd.reference")
    code = f"import sys, fastgd; print(*[name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""


def test_lazy_names():
    assert fastgd.datasets.digits
    assert callable(fastgd.show_versions)
    assert {"datasets", "show_versions", "Sequential"} <= set(dir(fastgd))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = fastgd.nothing
    for name in set(fastgd.__all__) - {"__version__"}:
        assert getattr(fastgd, name) is not None


def test_weights_lie_in_one_aligned_array_trainable_first(rng):
    model = fastgd.Sequential([fastgd.Input((3,)), fastgd.layers.Dense(5), fastgd.layers.Dense(2)])
    before = model.get_weights()
    model(rng.normal(size=(1, 3)))
    store = model.weights[0].store
    layout = flat_layout([w.size for w in model.weights], "float32")
    assert store.array.size == layout.size
    assert store.array.ctypes.data % 64 == 0
    for variable, offset, value in zip(model.weights, layout.offsets, before, strict=True):
        assert np.shares_memory(variable.value, store.array)
        assert variable.value.ctypes.data == store.array.ctypes.data + 4 * offset
        np.testing.assert_array_equal(variable.value, value)


def test_models_follow_weights_that_move(rng):
    x, t = rng.normal(size=(6, 3)), rng.normal(size=(6, 1))
    shared = fastgd.layers.Dense(4)
    entrance = fastgd.Input((3,))
    first = fastgd.Sequential([entrance, shared, fastgd.layers.Dense(1)])
    first.compile("sgd", "mse")
    first.fit(x, t, verbose=0)
    old = first.weights[0].store
    second = fastgd.Model(entrance, fastgd.layers.Dense(2)(shared(entrance)))
    second.compile("sgd", "mse")
    second.fit(x, np.tile(t, 2), verbose=0)
    assert shared.kernel.store is not old
    assert {id(w.store) for w in first.weights + second.weights} == {id(shared.kernel.store)}
    expected = (x @ shared.kernel.numpy() + shared.bias.numpy()) @ first.get_weights()[2] + first.get_weights()[3]
    np.testing.assert_allclose(first(x), expected, rtol=1e-4, atol=1e-5)
    kernel = shared.kernel.numpy()
    first.fit(x, t, verbose=0)
    assert not np.array_equal(kernel, second.get_weights()[0])


def test_submodel_does_not_move_weights(rng):
    model = fastgd.Sequential([fastgd.Input((3,)), fastgd.layers.Dense(4), fastgd.layers.Dense(1)])
    model(rng.normal(size=(1, 3)))
    store = model.weights[0].store
    fastgd.Model(model.input, model.layers[0].output)(rng.normal(size=(1, 3)))
    assert model.weights[0].store is store


def test_variables():
    layer = fastgd.layers.Dense(2, dtype="float64")
    layer.build((None, 3))
    kernel = layer.kernel
    kernel.assign(np.ones((3, 2)))
    assert repr(kernel) == "<Variable path=dense/kernel, shape=(3, 2), dtype=float64>"
    np.testing.assert_array_equal(np.asarray(kernel) + 1, np.full((3, 2), 2.0))
    assert np.asarray(kernel, dtype="float32").dtype == np.float32
    with pytest.raises(
        ValueError, match=r"must have the shape \(3, 2\) of the variable 'dense/kernel'. Received: shape=\(2,\)"
    ):
        kernel.assign(np.ones(2))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [0, 1, 17])
def test_aligned_zeros(dtype, size):
    array = aligned_zeros(size, dtype)
    assert array.shape == (size,)
    assert array.dtype == dtype
    assert size == 0 or array.ctypes.data % 64 == 0
    assert not array.any()


def test_ops_on_arrays(rng):
    a, b = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 4, 5))
    np.testing.assert_allclose(ops.matmul(a, b), a @ b, rtol=1e-12)
    np.testing.assert_allclose(ops.matmul(a, a, transpose_b=True), a @ a.transpose(0, 2, 1), rtol=1e-12)
    np.testing.assert_allclose(ops.dense(a, b[0], np.ones(5), "relu"), np.maximum(a @ b[0] + 1, 0), rtol=1e-12)
    np.testing.assert_array_equal(ops.reshape(a, (-1, 4)), a.reshape(-1, 4))
    np.testing.assert_array_equal(ops.reshape(a, (None, -1, 2)), a.reshape(2, 6, 2))
    np.testing.assert_array_equal(ops.flatten(a), a.reshape(2, 12))
    assert ops.flatten(a.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(ops.sum_of([a, a, a]), 3 * a, rtol=1e-12)


def test_ops_report_shapes():
    with pytest.raises(
        ValueError, match=r"^\[matmul\] the inner sizes 3 and 2 differ: a is \(1, 2, 3\), b \(1, 2, 3\)"
    ):
        ops.matmul(np.ones((1, 2, 3)), np.ones((1, 2, 3)))
    with pytest.raises(ValueError, match=r"^\[reshape\] .*: exactly one size must hold the batch"):
        ops.reshape(np.ones((2, 3)), (2, 3))
    with pytest.raises(ValueError, match=r"^\[binary_crossentropy\] all inputs must have one shape"):
        ops.binary_crossentropy(np.ones((2, 3)), np.ones((2, 4)))
    with pytest.raises(ValueError, match="Arrays need a batch as their first axis"):
        ops.flatten(3.0)
    with pytest.raises(ValueError, match=r"`function` is not a known activation"):
        ops.activation(np.ones((1, 1)), "step")


def test_batch_multiples_pass_through_a_reshape(rng):
    class Stacked(fastgd.Layer, abstract=True):
        def call(self, inputs):
            rows = ops.reshape(inputs, (-1, 2))
            assert rows.dims == (-3, 2)
            return ops.reshape(ops.activation(rows, "softmax"), (None, 3, 2))

    x = rng.normal(size=(4, 3, 2))
    entrance = fastgd.Input((3, 2), dtype="float64")
    model = fastgd.Model(entrance, Stacked()(entrance))
    np.testing.assert_allclose(model(x), np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True), rtol=1e-12)
