"""Steps of one's own: `fit` and `evaluate` of classes that override `train_step` and `test_step`."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd.layers import Dense, Dropout

RNG = np.random.default_rng(4)
X = RNG.normal(size=(50, 3)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


@pytest.fixture(params=["native", "numpy"], autouse=True)
def backend(request):
    with fastgd.backend(request.param):
        yield


class Plain(fastgd.Model):
    """The step that `fit` does by itself, written out."""

    def train_step(self, data):
        x, y, sample_weight = fastgd.utils.unpack_x_y_sample_weight(data)
        with fastgd.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred, sample_weight=sample_weight)
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply(gradients, self.trainable_weights)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=len(x))
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


def network(kind, **options):
    x = fastgd.Input((3,))
    h = Dense(6, "tanh", kernel_regularizer="l2", activity_regularizer="l1")(x)
    return kind(x, Dense(1, "sigmoid")(h), **options)


def test_a_step_written_out_trains_as_fit_does():
    own, known = network(Plain), network(fastgd.Model)
    known.set_weights(own.get_weights())
    weight = RNG.uniform(0.5, 1.5, 50)
    for model in (own, known):
        model.compile(fastgd.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy", "mae"])
        model.fit(X, Y, sample_weight=weight, batch_size=16, epochs=4, shuffle=False, verbose=0)
    for a, b in zip(own.get_weights(), known.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-6)
    assert list(own.history.history) == list(known.history.history)
    for name, values in known.history.history.items():
        np.testing.assert_allclose(own.history.history[name], values, rtol=2e-4)
    assert own.optimizer.iterations == 16


def test_the_steps_of_the_base_class_can_be_called():
    class Counting(fastgd.Model):
        def train_step(self, data):
            self.seen.append(len(data[0]))
            return super().train_step(data)

        def test_step(self, data):
            self.tested.append(len(data[0]))
            return super().test_step(data)

    own, known = network(Counting), network(fastgd.Model)
    own.seen, own.tested = [], []
    known.set_weights(own.get_weights())
    for model in (own, known):
        model.compile("sgd", "mse", metrics=["mae"])
        model.fit(X, Y, 20, epochs=3, shuffle=False, verbose=0, validation_data=(X, Y))
    assert own.seen == [20, 20, 10] * 3 and own.tested == [20, 20, 10] * 3
    for name, values in known.history.history.items():
        np.testing.assert_allclose(own.history.history[name], values, rtol=1e-5)
    a = own.evaluate(X, Y, verbose=0, return_dict=True)
    assert a == pytest.approx(known.evaluate(X, Y, verbose=0, return_dict=True), rel=1e-5)


class Pair(fastgd.Model):
    """A generative adversarial network as in Keras' examples."""

    def __init__(self):
        super().__init__()
        self.generator = fastgd.Sequential([fastgd.Input((2,)), Dense(8, "relu"), Dense(3)])
        self.discriminator = fastgd.Sequential(
            [fastgd.Input((3,)), Dense(8, "relu"), Dropout(0.2), Dense(1, "sigmoid")]
        )

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn
        self.d_loss = fastgd.metrics.Mean(name="d_loss")
        self.g_loss = fastgd.metrics.Mean(name="g_loss")

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def train_step(self, real):
        n = len(real)
        fake = self.generator(RNG.normal(size=(n, 2)))
        images = np.concatenate([fake, real])
        labels = np.concatenate([np.ones((n, 1)), np.zeros((n, 1))])
        with fastgd.GradientTape() as tape:
            predictions = self.discriminator(images, training=True)
            d_loss = self.loss_fn(labels, predictions)
        grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(grads, self.discriminator.trainable_weights, strict=True))
        with fastgd.GradientTape() as tape:
            g_loss = self.loss_fn(np.zeros((n, 1)), self.discriminator(self.generator(RNG.normal(size=(n, 2)))))
        grads = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(zip(grads, self.generator.trainable_weights, strict=True))
        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}


def test_a_pair_of_models_trains_in_fit(capsys):
    pair = Pair()
    pair.compile(fastgd.optimizers.Adam(), fastgd.optimizers.Adam(), fastgd.losses.BinaryCrossentropy())
    before = pair.get_weights()
    history = pair.fit(X, epochs=3, batch_size=16, verbose=2).history
    assert set(history) == {"d_loss", "g_loss"} and all(np.isfinite(v).all() for v in history.values())
    assert len(before) == 8 and all((a != b).any() for a, b in zip(before, pair.get_weights(), strict=True))
    assert pair.d_optimizer.iterations == pair.g_optimizer.iterations == 12
    assert "d_loss" in capsys.readouterr().out


def test_data_callbacks_and_validation():
    class Seen(fastgd.Model):
        def __init__(self):
            super().__init__()
            self.batches = []

        def train_step(self, data):
            self.batches.append(data)
            return {"number": np.float32(len(self.batches))}

        def test_step(self, data):
            return {"rows": len(data[0])}

    model = Seen()
    model.compile()
    stop = fastgd.callbacks.EarlyStopping("number", patience=1, mode="min")
    history = model.fit(X, Y, batch_size=20, epochs=9, validation_split=0.2, callbacks=[stop], verbose=0).history
    assert history == {"number": [2.0, 4.0], "val_rows": [10, 10]}
    x, y = model.batches[0]
    assert x.shape == (20, 3) and y.shape == (20, 1) and any((row == x[0]).all() for row in X)
    model.batches.clear()
    model.fit([X, X], verbose=0, steps_per_epoch=1, epochs=2, shuffle=False)
    assert [len(data) for data in model.batches] == [1, 1] and model.batches[1][0][0].tolist() == X[32:].tolist()
    model.batches.clear()
    model.fit(((X[k : k + 10], Y[k : k + 10]) for k in range(0, 50, 10)), verbose=0)
    assert len(model.batches) == 5 and len(model.batches[0]) == 2
    assert model.evaluate(X, Y, verbose=0) == 18
    assert model.evaluate(X, Y, batch_size=10, steps=2, verbose=0, return_dict=True) == {"rows": 10}


def test_wrong_steps_are_refused():
    class Wrong(fastgd.Model):
        def train_step(self, data):
            return 3.0

    model = Wrong()
    with pytest.raises(ValueError, match="compile"):
        model.fit(X, verbose=0)
    model.compile()
    with pytest.raises(TypeError, match="`train_step`"):
        model.fit(X, verbose=0)
    with pytest.raises(ValueError, match="equal numbers of rows"):
        model.fit(X, Y[:3], verbose=0)
    with pytest.raises(ValueError, match=r"len\(data\)"):
        fastgd.utils.unpack_x_y_sample_weight((1, 2, 3, 4))
