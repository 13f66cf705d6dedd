"""Integers and moving averages where models are made of models: ops, sublayers, subclasses, clones, other solvers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers, ops, runtime

Array = np.ndarray[Any, Any]

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 4, (30, 3))
X, Y = RNG.normal(2.0, 1.5, (30, 5)), RNG.normal(size=(30, 2))


def one_hot(values: Array, classes: int) -> Array:
    return np.asarray(np.eye(classes)[values])


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_ops_take_integer_inputs(backend: str) -> None:
    x = fastgd.Input((3,), dtype="int32")
    swapped = ops.flip(ops.concatenate([x, ops.take(x, [2, 0], axis=1)], axis=1), 1)
    y = ops.reshape(ops.one_hot(ops.pad(swapped, [[0, 0], [1, 0]]), 4), (None, 24))
    with fastgd.backend(backend):
        got = fastgd.Model(x, [y, x * 2 + 0.5, ops.transpose(ops.expand_dims(x, 1), (0, 2, 1))]).predict(LABELS)
    moved = np.concatenate([LABELS, LABELS[:, [2, 0]]], axis=1)[:, ::-1]
    padded = np.pad(moved, [[0, 0], [1, 0]])
    np.testing.assert_array_equal(got[0], one_hot(padded, 4).reshape(30, 24))
    np.testing.assert_allclose(got[1], LABELS * 2 + 0.5)
    assert got[2].dtype == np.int32
    np.testing.assert_array_equal(got[2], LABELS[:, :, None])


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_indices_of_maxima_are_predicted_as_integers(backend: str) -> None:
    x = fastgd.Input((5,))
    with fastgd.backend(backend):
        got = fastgd.Model(x, ops.argmax(x, axis=1)).predict(X, batch_size=7)
        assert ops.argmax(X, axis=0).dtype == np.int32
    assert got.dtype == np.int32
    np.testing.assert_array_equal(got, X.argmax(axis=1))


class Counting(fastgd.Model):
    """Counts labels, and normalises the counts in a layer that is inside another."""

    integer_inputs = True

    def __init__(self) -> None:
        super().__init__()
        self.encode = layers.CategoryEncoding(4, output_mode="count")
        self.block = Block()
        self.head = layers.Dense(2)

    def call(self, inputs: Any) -> Any:
        return self.head(self.block(self.encode(inputs)))


class Block(layers.Layer):
    """A layer with a sublayer that has moving averages."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.norm = layers.BatchNormalization(momentum=0.5)

    def call(self, inputs: Any) -> Any:
        return ops.tanh(self.norm(inputs))


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_a_subclassed_model_takes_integers_and_moves_averages(backend: str) -> None:
    with fastgd.backend(backend):
        model = Counting()
        model.compile(fastgd.optimizers.SGD(0.0), "mse")
        model.fit(LABELS, Y, batch_size=30, verbose=0)
        assert [w.name for w in model.moving_weights] == ["moving_mean", "moving_variance"]
        counts = one_hot(LABELS, 4).sum(axis=1)
        np.testing.assert_allclose(model.block.norm.moving_mean.numpy(), 0.5 * counts.mean(axis=0), rtol=1e-6)
        with pytest.raises(ValueError, match=r"integers from 0 to 3. Received: x\[0, 0\]=4"):
            model.predict(np.full((1, 3), 4))
        kept = model.block.norm.moving_mean.numpy()
        model.block.trainable = False
        assert model.moving_weights == []
        model.compile(fastgd.optimizers.SGD(0.0), "mse")
        model.fit(LABELS, Y, batch_size=10, verbose=0)
        np.testing.assert_array_equal(model.block.norm.moving_mean.numpy(), kept)


def test_integers_are_checked_by_layers_inside_models_of_models() -> None:
    inner = fastgd.Sequential([fastgd.Input((3,), dtype="int32"), layers.CategoryEncoding(4), layers.Dense(2)])
    x = fastgd.Input((3,), dtype="int32")
    outer = fastgd.Model(x, inner(x))
    assert outer.predict(LABELS).shape == (30, 2)
    with pytest.raises(ValueError, match="integers from 0 to 3"):
        outer.predict(LABELS + 1)


def test_clones_and_configs_keep_integer_inputs_and_rules() -> None:
    labels, x = fastgd.Input((3,), dtype="int32"), fastgd.Input((5,))
    norm = layers.BatchNormalization(
        beta_regularizer="l2", gamma_regularizer="l1", beta_constraint="non_neg", gamma_constraint="max_norm"
    )
    h = layers.PReLU(alpha_regularizer="l1", alpha_constraint="non_neg")(norm(x))
    model = fastgd.Model([labels, x], layers.Dense(2)(layers.concatenate([layers.CategoryEncoding(4)(labels), h])))
    clones = [fastgd.models.clone_model(model), fastgd.models.model_from_json(model.to_json())]
    for clone in clones:
        clone.set_weights(model.get_weights())
        assert [x.dtype for x in clone.inputs] == ["int32", "float32"]
        np.testing.assert_array_equal(clone.predict([LABELS, X]), model.predict([LABELS, X]))
        assert [w.regularizer is None for w in clone.trainable_weights] == [False, False, False, True, True]
        assert [w.constraint is None for w in clone.trainable_weights] == [False, False, False, True, True]
        assert len(clone.moving_weights) == 2


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_the_gradient_for_other_solvers_leaves_averages_alone(backend: str) -> None:
    with fastgd.backend(backend):
        model = fastgd.Sequential([fastgd.Input((5,)), layers.BatchNormalization(), layers.Dense(2)])
        model.compile("sgd", "mse")
        before = model.get_weights()
        model.loss_and_gradient(X, Y)
        for old, new in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(new, old)
