"""Functional models: graphs with several inputs and outputs, shared layers and nested models."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd.layers import Add, Concatenate, Dense, Dropout, Flatten, Reshape


def test_two_inputs_two_outputs(rng):
    a, b = fastgd.Input((3,), name="a"), fastgd.Input((2,), name="b")
    joined = Concatenate()([Dense(4, "relu")(a), b])
    model = fastgd.Model([a, b], [Dense(1, name="p")(joined), Dense(2, "softmax", name="q")(joined)])
    model.compile(
        "adam",
        loss={"p": "mse", "q": "sparse_categorical_crossentropy"},
        loss_weights={"p": 2.0, "q": 0.5},
        metrics={"p": ["mae"], "q": "accuracy"},
    )
    xa, xb, p, q = rng.normal(size=(10, 3)), rng.normal(size=(10, 2)), rng.normal(size=10), np.arange(10) % 2
    history = model.fit({"a": xa, "b": xb}, {"p": p, "q": q}, epochs=2, verbose=0).history
    assert list(history) == ["loss", "p_loss", "p_mae", "q_accuracy", "q_loss"]
    assert history["loss"][0] == pytest.approx(2 * history["p_loss"][0] + 0.5 * history["q_loss"][0])
    assert model.metrics_names == ["loss", "p_loss", "q_loss", "p_mae", "q_accuracy"]
    listed = model.evaluate([xa, xb], [p, q], verbose=0)
    named = model.evaluate([xa, xb], [p, q], verbose=0, return_dict=True)
    assert list(named) == sorted(named)
    assert listed == [named[name] for name in model.metrics_names]
    outputs = model.predict([xa, xb], verbose=0)
    assert [y.shape for y in outputs] == [(10, 1), (10, 2)]
    np.testing.assert_allclose(np.mean((outputs[0][:, 0] - p) ** 2), named["p_loss"], rtol=1e-5)


def test_structures_of_inputs_and_outputs_come_back():
    x = {"left": fastgd.Input((2,), name="left"), "right": fastgd.Input((2,), name="right")}
    model = fastgd.Model(x, {"sum": Add()([x["left"], x["right"]]), "same": x["left"]})
    result = model({"left": np.ones((1, 2)), "right": np.full((1, 2), 2.0)})
    np.testing.assert_array_equal(result["sum"], [[3.0, 3.0]])
    np.testing.assert_array_equal(result["same"], [[1.0, 1.0]])


def test_shared_layer_has_one_kernel_and_sums_gradients(rng):
    a, b = fastgd.Input((3,)), fastgd.Input((3,))
    shared = Dense(2, use_bias=False)
    model = fastgd.Model([a, b], Add()([shared(a), shared(b)]))
    assert len(model.weights) == 1
    kernel = shared.kernel.numpy()
    xa, xb, t = rng.normal(size=(5, 3)), rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    model.compile(fastgd.optimizers.SGD(0.1), "mse")
    model.train_on_batch([xa, xb], t)
    d = 2 * ((xa + xb) @ kernel - t) / t.size
    np.testing.assert_allclose(shared.kernel.numpy(), kernel - 0.1 * (xa + xb).T @ d, rtol=1e-5, atol=1e-6)


def test_nested_models_share_weights(rng):
    x = fastgd.Input((4,))
    encoder = fastgd.Model(x, Dense(2, "tanh")(x), name="encoder")
    decoder = fastgd.Sequential([fastgd.Input((2,)), Dense(4)], name="decoder")
    auto = fastgd.Model(x, decoder(encoder(x)), name="auto")
    assert [layer.name for layer in auto.layers] == ["input_layer", "encoder", "decoder"]
    data = rng.normal(size=(16, 4))
    np.testing.assert_allclose(auto(data), decoder(encoder(data)), rtol=1e-6)
    auto.compile("adam", "mse")
    auto.fit(data, data, epochs=2, verbose=0)
    np.testing.assert_allclose(auto(data), decoder(encoder(data)), rtol=1e-6)
    stores = {id(w.store) for w in auto.weights}
    assert len(stores) == 1
    chained = fastgd.Sequential([encoder, Dense(1)])
    assert chained.input_shape == (None, 4)
    np.testing.assert_allclose(encoder(data), fastgd.Model(x, encoder(x))(data))


def test_unbuilt_sequential_is_built_by_a_call_in_a_graph():
    head = fastgd.Sequential([Dense(3), Dense(1)])
    x = fastgd.Input((5,))
    model = fastgd.Model(x, head(x))
    assert head.built
    assert model.count_params() == 5 * 3 + 3 + 3 + 1


def test_intermediate_outputs_can_be_read(rng):
    model = fastgd.Sequential([fastgd.Input((4,)), Dense(3, "relu"), Dense(2)])
    features = fastgd.Model(model.input, model.layers[0].output)
    tail = fastgd.Model(model.layers[0].output, model.output)
    x = rng.normal(size=(6, 4))
    np.testing.assert_allclose(tail(features(x)), model(x), rtol=1e-6)


def test_layers_are_ordered_by_distance_from_the_outputs():
    a, b = fastgd.Input((2,), name="a"), fastgd.Input((2,), name="b")
    deep = Dense(2, name="deep_2")(Dense(2, name="deep_1")(a))
    shallow = Dense(2, name="shallow")(b)
    model = fastgd.Model([a, b], Add(name="sum")([deep, shallow]))
    names = [layer.name for layer in model.layers]
    assert names == ["a", "deep_1", "b", "deep_2", "shallow", "sum"]
    assert [w.path for w in model.weights][:2] == ["deep_1/kernel", "deep_1/bias"]


def test_dense_on_higher_rank_and_reshapes(rng):
    x = fastgd.Input((6, 2))
    y = Flatten()(Reshape((3, -1))(Dense(5, "relu")(x)))
    model = fastgd.Model(x, y)
    assert model.output_shape == (None, 30)
    data = rng.normal(size=(4, 6, 2)).astype(np.float32)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model(data), np.maximum(data @ kernel + bias, 0).reshape(4, 30), rtol=1e-5, atol=1e-6)


def test_disconnected_graph_is_a_clear_error():
    a, b = fastgd.Input((2,), name="a"), fastgd.Input((2,), name="b")
    with pytest.raises(ValueError, match=r"depend on the input 'b', which is not among `inputs`. Received: inputs="):
        fastgd.Model(a, Add()([a, b]))


def test_wrong_arguments_of_model():
    x = fastgd.Input((2,))
    with pytest.raises(ValueError, match="needs `inputs` and `outputs`"):
        fastgd.Model()
    with pytest.raises(TypeError, match="`outputs` must be made by Input and by calls of layers"):
        fastgd.Model(x, np.ones(3))
    with pytest.raises(ValueError, match="must not hold one placeholder twice"):
        fastgd.Model([x, x], Add()([x, x]))
    twins = Dense(2, name="twin")(Dense(2, name="twin")(x))
    with pytest.raises(ValueError, match=r"must have distinct names. Received: name='twin'"):
        fastgd.Model(x, twins)


def test_call_of_a_model_with_another_shape():
    model = fastgd.Sequential([fastgd.Input((4,)), Dense(1)])
    with pytest.raises(
        ValueError, match=r"The input 'input_layer' has the shape \(batch, 4\). Received: shape=\(None, 5\)"
    ):
        model(fastgd.Input((5,)))


def test_mixed_placeholders_and_arrays_are_refused():
    with pytest.raises(TypeError, match="takes placeholders or arrays, not both"):
        Add()([fastgd.Input((2,)), np.ones((1, 2))])
    with pytest.raises(TypeError, match="is a placeholder without values"):
        np.asarray(fastgd.Input((2,)))


def test_get_layer():
    model = fastgd.Sequential([fastgd.Input((4,)), Dense(3, name="hidden"), Dense(1)])
    assert model.get_layer("hidden") is model.get_layer(index=0)
    with pytest.raises(ValueError, match="`name` is not a known layer. Did you mean 'hidden'?"):
        model.get_layer("hiddn")
    with pytest.raises(ValueError, match="Give either `name` or `index`"):
        model.get_layer()


def test_dropout_runs_in_training_only(rng):
    x = fastgd.Input((50,))
    model = fastgd.Model(x, Dropout(0.5)(x))
    data = np.ones((4, 50), np.float32)
    np.testing.assert_array_equal(model(data), data)
    dropped = model(data, training=True)
    assert set(np.unique(dropped)) == {0.0, 2.0}
    assert not np.array_equal(dropped, model(data, training=True))
    with pytest.raises(ValueError, match="`training=True` cannot be fixed in a functional model"):
        Dropout(0.5)(x, training=True)
    off = Dropout(0.5)(x, training=False)
    assert all(step.op != "dropout" for step in _training_plan(x, Dense(1)(off)).steps)


def _training_plan(x, y):
    model = fastgd.Model(x, y)
    model.compile("sgd", "mse")
    return model.make_plan()


@pytest.mark.parametrize("seed", [None, 5])
def test_dropout_layers_do_not_share_masks(seed):
    x = fastgd.Input((8,))
    shared = Dropout(0.5, seed=seed)
    y = Add()([Dropout(0.5, seed=seed)(x), Dropout(0.5, seed=seed)(x), shared(x), shared(x)])
    steps = [step for step in _training_plan(x, y).steps if step.op == "dropout"]
    assert len({step.attrs["seed"] for step in steps}) == 4


def test_dtype_of_a_model(rng):
    double = fastgd.Sequential([fastgd.Input((3,), dtype="float64"), Dense(2)])
    by_layer = fastgd.Sequential([Dense(2, dtype="float64", input_shape=(3,)), Dense(1)])
    late = fastgd.Sequential([fastgd.Input((3,)), Dense(2), Dense(1, dtype=np.float64)])
    for model in (double, by_layer, late):
        assert model.dtype == "float64"
        assert {w.dtype for w in model.weights} == {"float64"}
        assert model.make_plan(training=False).dtype == "float64"
        assert model.predict(rng.normal(size=(2, 3)), verbose=0).dtype == np.float64
    with pytest.raises(ValueError, match="must have one dtype; those of 'sequential_3' differ"):
        fastgd.Sequential([fastgd.Input((3,)), Dense(2, dtype="float32"), Dense(1, dtype="float64")])
    with pytest.raises(ValueError, match=r"`dtype` must be one of float32, float64. Received: dtype='float16'"):
        Dense(1, dtype="float16")


def test_floatx_is_the_default_dtype():
    try:
        fastgd.config.set_floatx("float64")
        assert fastgd.Sequential([fastgd.Input((3,)), Dense(2)]).dtype == "float64"
    finally:
        fastgd.config.set_floatx("float32")


def test_layer_cannot_serve_models_of_two_dtypes():
    shared = Dense(2)
    x = fastgd.Input((3,))
    single = fastgd.Model(x, shared(x))
    single(np.ones((1, 3)))
    double = fastgd.Input((3,), dtype="float64")
    with pytest.raises(ValueError, match="belongs to a model of dtype float32"):
        fastgd.Model(double, shared(double))
