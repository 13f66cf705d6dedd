"""Recurrent layers: dropout that stays the same over time, states from call to call, cells of the users, and misuse."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers, ops, runtime

Array = np.ndarray[Any, Any]
NAMES = ("SimpleRNN", "LSTM", "GRU")


@pytest.fixture(params=runtime.BACKENDS, autouse=True)
def backend(request: pytest.FixtureRequest) -> Any:
    with fastgd.backend(request.param):
        yield request.param


class Total(fastgd.Layer, abstract=True):
    """A cell that adds up what it sees, and gives twice that."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.state_size = size

    def call(self, inputs: Any, states: Any) -> Any:
        total = inputs + states[0]
        return 2.0 * total, total


def plain(units: int, **arguments: Any) -> Any:
    """Return a linear SimpleRNN whose kernels are the identity: the sum of its inputs so far."""
    return layers.SimpleRNN(
        units, arguments.pop("activation", None), kernel_initializer="identity", recurrent_initializer="identity",
        return_sequences=True, **arguments,
    )  # fmt: skip


@pytest.mark.parametrize("written_out", [False, True])
def test_dropout_is_the_same_for_all_steps_of_a_batch(written_out: bool) -> None:
    function = (lambda z: 1.0 * z) if written_out else None
    x = np.ones((64, 3, 20))
    steps = np.diff(plain(20, dropout=0.5, seed=1, activation=function)(x, training=True), axis=1, prepend=0.0)
    # Inputs are dropped or doubled, and the sums grow by the same in every step.
    assert {*np.unique(steps)} == {0.0, 2.0}
    for step in (1, 2):
        np.testing.assert_array_equal(steps[:, step], steps[:, 0])
    assert 0.45 < np.mean(steps) / 2 < 0.55
    # A sum that is dropped in the product begins anew; one that is not is doubled.
    y = plain(20, recurrent_dropout=0.5, seed=1, activation=function)(x, training=True)
    kept = y[:, 1] == 3.0
    np.testing.assert_array_equal(y, np.where(kept[:, None], [[[1.0], [3.0], [7.0]]], 1.0))
    assert 0.45 < np.mean(kept) < 0.55
    np.testing.assert_array_equal(plain(20, dropout=0.5, recurrent_dropout=0.5)(x)[:, 2], 3.0)


@pytest.mark.parametrize("own", [{}, {"reset_after": False}])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_out_is_what_the_op_does(name: str, own: dict[str, Any]) -> None:
    if own and name != "GRU":
        return
    x = np.random.default_rng(1).normal(size=(5, 4, 3))
    own = {**own, "dropout": 0.3, "recurrent_dropout": 0.4, "seed": 6, "dtype": "float64", "return_sequences": True}
    one, many = getattr(layers, name)(3, **own), getattr(layers, name)(3, lambda z: ops.tanh(z), **own)
    outputs = []
    for layer in (one, many):
        layer.build(x.shape)
        layer.set_weights(one.get_weights())
        fastgd.utils.set_random_seed(2)
        outputs.append(layer(x, training=True, mask=np.arange(20).reshape(5, 4) % 3))
    np.testing.assert_allclose(*outputs, rtol=1e-12)
    assert np.abs(outputs[0] - one(x)).max() > 0.01


@pytest.mark.parametrize("name", NAMES)
def test_states_live_through_training_evaluation_and_prediction(name: str) -> None:
    rng = np.random.default_rng(1)
    x, t = rng.normal(size=(4, 6, 3)).astype(np.float32), np.zeros((4, 1), np.float32)
    layer = getattr(layers, name)(2, stateful=True)
    model = fastgd.Sequential([fastgd.Input(batch_shape=(4, 2, 3)), layer, layers.Dense(1)])
    model.compile(fastgd.optimizers.SGD(0.0), "mse")
    # Shuffled samples would not go on where they were.
    model.fit(x[:, :2], t, batch_size=4, shuffle=False, verbose=0)
    model.evaluate(x[:, 2:4], t, batch_size=4, verbose=0)
    last = model.predict(x[:, 4:], batch_size=4, verbose=0)
    whole = getattr(layers, name)(2, return_state=True)
    _, *final = whole(x)
    whole.set_weights(layer.get_weights())
    y, *final = whole(x)
    np.testing.assert_allclose(last, y @ model.weights[-2].numpy(), rtol=1e-4, atol=1e-6)
    for state, expected in zip(layer.states, final, strict=True):
        np.testing.assert_allclose(state.numpy(), expected, rtol=1e-4, atol=1e-6)
    # They are no weights, and calls on arrays move them, too.
    assert len(layer.weights) == 3
    layer.reset_states()
    assert not layer.states[0].numpy().any()
    for part in (x[:, :2], x[:, 2:4], x[:, 4:]):
        got = layer(part)
    np.testing.assert_allclose(got, y, rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match=r"each state must|keeps states"):
        model.predict(x[:3, :2], verbose=0)


def test_a_stateful_layer_must_know_its_batches() -> None:
    with pytest.raises(ValueError, match=r"size of the batches of the stateful layer 'mine' must be known"):
        layers.GRU(2, stateful=True, name="mine")(fastgd.Input((3, 2)))
    written = layers.RNN(layers.GRUCell(2), stateful=True)
    assert written(fastgd.Input((3, 2), batch_size=5)).shape == (None, 2)
    with pytest.raises(ValueError, match="`stateful` needs"):
        layers.LSTM(2, activation="silu", stateful=True)
    both = layers.Bidirectional(layers.RNN([layers.LSTMCell(2), layers.GRUCell(3)], stateful=True))
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    first, second = both(x), both(x)
    assert np.abs(first - second).max() > 1e-3
    both.reset_state()
    np.testing.assert_array_equal(both(x), first)


def test_cells_of_the_users() -> None:
    x = np.arange(12.0).reshape(2, 3, 2)
    y, state = layers.RNN(Total(2), return_sequences=True, return_state=True)(x)
    np.testing.assert_allclose(y, 2 * np.cumsum(x, axis=1))
    np.testing.assert_allclose(state, x.sum(axis=1))
    masked = layers.RNN(Total(2), return_sequences=True)(x, mask=np.array([[0, 1, 0], [1, 0, 1]]))
    np.testing.assert_allclose(masked[0], [[0, 0], [4, 6], [4, 6]])
    np.testing.assert_allclose(masked[1], [[12, 14], [12, 14], [32, 36]])
    begun = layers.RNN(Total(2), go_backwards=True)(x, initial_state=[np.full((2, 2), 100.0)])
    np.testing.assert_allclose(begun, 2 * (x.sum(axis=1) + 100.0))
    # Beside cells of the library.
    mixed = layers.RNN([layers.SimpleRNNCell(2), Total(2)])(x)
    np.testing.assert_allclose(mixed.shape, (2, 2))


def test_a_cell_takes_one_step() -> None:
    x, h = fastgd.Input((3,)), fastgd.Input((2,))
    cell = layers.StackedRNNCells([layers.LSTMCell(2), layers.GRUCell(2)])
    y, states = cell(x, [[h, h], h])
    model = fastgd.Model([x, h], [y, *states[0], states[1]])
    arrays = [np.ones((4, 3)), np.ones((4, 2))]
    assert [part.shape for part in model.predict(arrays, verbose=0)] == [(4, 2)] * 4
    with pytest.raises(ValueError, match=r"needs inputs of shape \(batch, features\)"):
        layers.GRUCell(2)(np.ones((4, 3, 2)), np.ones((4, 2)))


def test_an_encoder_hands_its_states_to_a_decoder() -> None:
    source, target = fastgd.Input((4, 3)), fastgd.Input((5, 2))
    _, *states = layers.LSTM(6, return_state=True, name="encoder")(source)
    decoded = layers.LSTM(6, return_sequences=True)(target, initial_state=states)
    model = fastgd.Model([source, target], layers.Dense(1)(decoded))
    model.compile(fastgd.optimizers.Adam(0.02), "mse")
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=(32, 4, 3)), rng.normal(size=(32, 5, 2))
    goal = np.repeat(x.mean(axis=(1, 2))[:, None, None], 5, axis=1)
    losses = model.fit([x, z], goal, epochs=15, verbose=0).history["loss"]
    # What is to be predicted comes through the states alone.
    assert losses[-1] < 0.5 * losses[0]
    again = fastgd.models.clone_model(model)
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict([x, z], verbose=0), model.predict([x, z], verbose=0))
    read = type(model).from_config(json.loads(json.dumps(model.get_config())))
    read.set_weights(model.get_weights())
    np.testing.assert_array_equal(read.predict([x, z], verbose=0), model.predict([x, z], verbose=0))


def test_arguments_and_weights() -> None:
    layer = layers.LSTM(3, recurrent_dropout=0.2, use_cudnn=False)
    assert (layer.units, layer.recurrent_dropout, layer.use_cudnn, layer.unroll) == (3, 0.2, False, False)
    with pytest.raises(AttributeError, match="'LSTM' object has no attribute 'kernel'"):
        _ = layer.kernel
    layer(np.ones((1, 2, 4)))
    assert [w.path for w in layer.weights] == [f"lstm_cell/{n}" for n in ("kernel", "recurrent_kernel", "bias")]
    np.testing.assert_array_equal(layer.cell.bias.numpy(), [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    assert [w.shape for w in layers.GRU(3)(fastgd.Input((2, 4))).node.layer.weights] == [(4, 9), (3, 9), (2, 9)]
    weights = layer.get_weights()
    both = layers.Bidirectional(layer, weights=[*weights, *weights])
    both(np.ones((1, 2, 4)))
    assert both.forward_layer is not layer
    np.testing.assert_array_equal(both.backward_layer.get_weights()[0], weights[0])
    assert [part.name for part in (both.forward_layer, both.backward_layer)] == ["forward_lstm", "backward_lstm"]


def test_masks_of_outputs_and_states() -> None:
    class Seen(fastgd.Layer, abstract=True):
        supports_masking = True

        def call(self, inputs: Any, mask: Any = None) -> Any:
            return ops.zeros_like(inputs) if mask is None else inputs * 0.0 + 1.0

    x, kept = np.ones((2, 3, 4)), np.array([[1, 1, 0], [0, 1, 1]])
    for layer, passes in (
        (layers.GRU(2, return_sequences=True), True),
        (layers.GRU(2), False),
        (layers.Bidirectional(layers.GRU(2, return_sequences=True)), True),
        (layers.RNN(layers.GRUCell(2), return_sequences=True), True),
    ):
        got = fastgd.Sequential([layer, Seen()])(x, mask=kept)
        assert np.all(got == passes), layer


def test_gradients_in_a_tape() -> None:
    layer = layers.LSTM(2, dtype="float64")
    x = np.random.default_rng(0).normal(size=(3, 4, 2))
    with fastgd.GradientTape() as tape:
        loss = ops.sum(ops.square(layer(x)))
    gradients = tape.gradient(loss, layer.trainable_weights)
    assert [np.shape(d) for d in gradients] == [(2, 8), (2, 8), (8,)]
    assert all(np.abs(d).max() > 0 for d in gradients)


class BeginsWithOnes(Total, abstract=True):
    def get_initial_state(self, batch_size: int) -> Any:
        return np.ones((batch_size, self.state_size))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.LSTM(0), ValueError, r"`units` must be 1 or more. Received: units=0"),
        (lambda: layers.LSTM(2, recurrent_activation="swoosh"), ValueError, "swoosh"),
        (lambda: layers.GRU(2, dropout=1.5), ValueError, r"`dropout` must be between 0 and 1. Received: dropout=1.5"),
        (lambda: layers.GRU(2, use_cudnn="yes"), ValueError, "`use_cudnn`.*Received: use_cudnn='yes'"),
        (lambda: layers.GRU(2, reset_after=1), TypeError, "`reset_after` must be True or False"),
        (lambda: layers.RNN(layers.Dense(2)), TypeError, "`cell` must be a Layer.*Received: cell="),
        (lambda: layers.RNN(BeginsWithOnes(2)), ValueError, "give the layer an `initial_state`"),
        (lambda: layers.StackedRNNCells([]), ValueError, "`cells` must hold a cell"),
        (lambda: layers.StackedRNNCells(layers.GRUCell(2)), TypeError, "`cells` must be a list"),
        (lambda: layers.Bidirectional(layers.Dense(2)), TypeError, "`layer` must be a recurrent layer"),
        (lambda: layers.Bidirectional(layers.GRU(2), "max"), ValueError, "`merge_mode` is not a known merge mode"),
        (
            lambda: layers.Bidirectional(layers.GRU(2), backward_layer=layers.GRU(2)),
            ValueError,
            r"must go opposite ways. Received: go_backwards=\(False, False\)",
        ),
        (
            lambda: layers.Bidirectional(
                layers.GRU(2), backward_layer=layers.GRU(2, go_backwards=True, return_sequences=True)
            ),
            ValueError,
            "must have the same `return_sequences`",
        ),
        (lambda: layers.GRU(2)(np.ones((2, 3))), ValueError, r"shape \(batch, steps, ...\).*sequences_shape"),
        (
            lambda: layers.LSTM(2)(np.ones((2, 3, 4)), initial_state=[np.ones((2, 2))]),
            ValueError,
            "`initial_state` of 'lstm.*' must hold 2 states",
        ),
        (
            lambda: layers.Bidirectional(layers.GRU(2))(np.ones((2, 3, 4)), initial_state=[np.ones((2, 2))]),
            ValueError,
            "must hold the states of both layers",
        ),
    ],
)
def test_misuse(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
