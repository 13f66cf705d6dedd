"""Sequential models: the tutorials' script, building, adding and removing layers, names and the summary."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
import fastgd as keras


def test_tutorial_script_runs_with_only_its_import_changed(blobs, capsys):
    x, labels = blobs
    X_train, y_train = x, np.eye(3)[labels]
    input_size, output_size = 4, 3
    model = keras.Sequential(
        [
            keras.layers.Dense(64, activation="relu", input_shape=(input_size,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(output_size, activation="softmax"),
        ]
    )
    model.compile(optimizer="sgd", loss="categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X_train, y_train, epochs=10, batch_size=32)
    assert list(history.history) == ["accuracy", "loss"]
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert history.epoch == list(range(10))
    assert model.history is history
    loss, accuracy = model.evaluate(X_train, y_train)
    assert accuracy > 0.8
    assert loss < history.history["loss"][0]
    predictions = model.predict(X_train)
    assert predictions.shape == (120, 3)
    assert predictions.dtype == np.float32
    np.testing.assert_allclose(predictions.sum(axis=1), 1.0, rtol=1e-5)
    assert "Epoch 10/10" in capsys.readouterr().out


def test_seed_fixes_everything(blobs):
    x, labels = blobs

    def run():
        fastgd.utils.set_random_seed(3)
        layers = [
            fastgd.Input((4,)),
            fastgd.layers.Dense(8, "relu"),
            fastgd.layers.Dropout(0.3),
            fastgd.layers.Dense(3),
        ]
        model = fastgd.Sequential(layers)
        loss = fastgd.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss)
        history = model.fit(x, labels, epochs=3, verbose=0)
        return history.history["loss"], model.predict(x, verbose=0)

    (loss_1, p_1), (loss_2, p_2) = run(), run()
    assert loss_1 == loss_2
    np.testing.assert_array_equal(p_1, p_2)


def test_deferred_model_is_built_by_fit(blobs):
    x, labels = blobs
    model = fastgd.Sequential([fastgd.layers.Dense(5), fastgd.layers.Dense(3, "softmax")])
    assert not model.built
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x, labels, verbose=0)
    assert model.input_shape == (None, 4)
    assert [w.shape for w in model.weights] == [(4, 5), (5,), (5, 3), (3,)]


def test_deferred_model_is_built_by_call_and_by_build():
    model = fastgd.Sequential([fastgd.layers.Dense(2)])
    assert model(np.ones((3, 4))).shape == (3, 2)
    other = fastgd.Sequential([fastgd.layers.Dense(2)])
    other.build((None, 4))
    assert other.count_params() == 10
    listed = fastgd.Sequential([fastgd.layers.Dense(2)])
    assert listed([[1.0, 2.0], [3.0, 4.0]]).shape == (2, 2)


def test_vector_of_samples_is_a_column_of_one_feature():
    model = fastgd.Sequential([fastgd.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.arange(5.0), np.arange(5.0), verbose=0)
    assert model.input_shape == (None, 1)
    assert model.predict(np.arange(5.0), verbose=0).shape == (5, 1)


def test_predict_before_build_is_a_clear_error():
    model = fastgd.Sequential([fastgd.layers.Dense(2)])
    with pytest.raises(ValueError, match="'sequential' is not built: it does not know the shape of its input yet"):
        model.predict(np.ones((3, 4)))
    with pytest.raises(ValueError, match="not built"):
        model.count_params()


def test_add_and_pop():
    model = fastgd.Sequential()
    model.add(fastgd.Input((4,)))
    model.add(fastgd.layers.Dense(8, "relu"))
    model.add(fastgd.layers.Dense(3))
    assert model.output_shape == (None, 3)
    x = np.ones((2, 4))
    before = model(x)
    last = model.pop()
    assert last.name == "dense_1"
    assert model(x).shape == (2, 8)
    model.add(last)
    np.testing.assert_array_equal(model(x), before)
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"]
    model.pop()
    model.pop()
    with pytest.raises(ValueError, match="There is no layer to remove"):
        model.pop()


def test_added_layer_is_trained_after_a_fit(blobs):
    x, labels = blobs
    model = fastgd.Sequential([fastgd.Input((4,)), fastgd.layers.Dense(3)])
    model.compile("sgd", fastgd.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    model.fit(x, labels, verbose=0)
    model.add(fastgd.layers.Dense(3, "softmax"))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    assert list(model.fit(x, labels, verbose=0).history) == ["accuracy", "loss"]
    assert model.metrics_names == ["loss", "accuracy"]


def test_failed_add_leaves_the_model_as_it_was():
    model = fastgd.Sequential([fastgd.Input((4,)), fastgd.layers.Dense(3)])
    with pytest.raises(ValueError, match=r"^\[reshape\] \(batch, 3\) cannot take the shape \(None, 2, 2\)"):
        model.add(fastgd.layers.Reshape((2, 2)))
    assert model.output_shape == (None, 3)
    assert len(model.layers) == 1
    assert model(np.ones((1, 4))).shape == (1, 3)


def test_wrong_layers_are_refused():
    model = fastgd.Sequential([fastgd.Input((4,))])
    with pytest.raises(TypeError, match=r"`layer` must be a layer. Received: layer='dense'"):
        model.add("dense")
    with pytest.raises(ValueError, match="An Input must be the first of the chain"):
        model.add(fastgd.Input((4,)))
    model.add(fastgd.layers.Dense(2, name="same"))
    with pytest.raises(ValueError, match=r"must have distinct names. Received: name='same'"):
        model.add(fastgd.layers.Dense(2, name="same"))


def test_names_follow_keras():
    names = [fastgd.layers.Dense(1).name for _ in range(3)]
    assert names == ["dense", "dense_1", "dense_2"]
    assert fastgd.Sequential().name == "sequential"
    x = fastgd.Input((2,))
    assert x.name == "input_layer"
    assert fastgd.Model(x, fastgd.layers.Dense(1)(x)).name == "functional"
    fastgd.utils.clear_session()
    assert fastgd.layers.Dense(1).name == "dense"


def test_input_dim_and_batch_shape():
    by_dim = fastgd.Sequential([fastgd.layers.Dense(2, input_dim=3)])
    by_shape = fastgd.Sequential([fastgd.Input(batch_shape=(None, 3)), fastgd.layers.Dense(2)])
    assert by_dim.input_shape == by_shape.input_shape == (None, 3)


def test_thousand_layers_do_not_exhaust_the_stack():
    layers = [fastgd.layers.Activation("tanh") for _ in range(1000)]
    model = fastgd.Sequential([fastgd.Input((2,)), *layers])
    assert model(np.ones((1, 2))).shape == (1, 2)


def test_summary_shows_layers_and_totals():
    model = fastgd.Sequential(
        [fastgd.Input((4,)), fastgd.layers.Dense(8, name="hidden[1]"), fastgd.layers.Dense(3, trainable=False)]
    )
    shown = []
    model.summary(print_fn=shown.append, show_trainable=True)
    text = shown[0]
    for part in ("Layer (type)", "Output Shape", "Param #", "hidden[1] (Dense)", "(None, 8)", "Trainable"):
        assert part in text
    assert "Total params: 67" in text
    assert "Trainable params: 40" in text
    assert "Non-trainable params: 27" in text
    unbuilt = []
    fastgd.Sequential([fastgd.layers.Dense(1)]).summary(print_fn=unbuilt.append)
    assert "0 (unbuilt)" in unbuilt[0]
