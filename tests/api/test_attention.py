"""Attention in models: masks that arrive with the inputs, transformers that train, calls that are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers, ops

Array = np.ndarray[Any, Any]


def block(x: Any, inner: int = 12, memory: Any = None, **options: Any) -> Any:
    """Return what a block of a transformer makes of a sequence."""
    seen = layers.MultiHeadAttention(2, 4, dropout=0.1, seed=5)(x, x if memory is None else memory, **options)
    x = layers.LayerNormalization()(x + seen)
    deeper = layers.Dense(x.shape[-1])(layers.Dense(inner, "relu")(x))
    return layers.LayerNormalization()(x + deeper)


def test_an_encoder_learns_where_two_tokens_meet() -> None:
    fastgd.utils.set_random_seed(2)
    rng = np.random.default_rng(0)
    x = rng.integers(0, 6, (300, 6))
    y = np.any(x == 1, axis=1) & np.any(x == 2, axis=1)
    tokens = fastgd.Input((6,))
    encoded = block(layers.Embedding(6, 16)(tokens))
    model = fastgd.Model(tokens, layers.Dense(1, "sigmoid")(layers.GlobalAveragePooling1D()(encoded)))
    model.compile(fastgd.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=25, batch_size=32, verbose=0).history
    assert history["accuracy"][-1] > 0.9


def test_a_decoder_learns_to_repeat_and_never_looks_ahead() -> None:
    fastgd.utils.set_random_seed(3)
    half = np.random.default_rng(1).integers(0, 5, (200, 4))
    x = np.concatenate([half, half], axis=1)
    tokens = fastgd.Input((7,))
    embedded = layers.Embedding(5, 16)(tokens)
    positions = layers.Lambda(lambda x: x + np.eye(7, 16))(embedded)
    decoded = block(block(positions, use_causal_mask=True), use_causal_mask=True)
    model = fastgd.Model(tokens, layers.Dense(5)(decoded))
    loss = fastgd.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(fastgd.optimizers.Adam(0.01), loss)
    model.fit(x[:, :-1], x[:, 1:], epochs=40, batch_size=25, verbose=0)
    told = model.predict(x[:, :-1], verbose=0).argmax(axis=-1)
    assert np.mean(told[:, 3:] == x[:, 4:]) > 0.9
    other = x[:, :-1].copy()
    other[:, 5:] = (other[:, 5:] + 1) % 5
    first, second = model.predict(x[:, :-1], verbose=0), model.predict(other, verbose=0)
    np.testing.assert_array_equal(first[:, :5], second[:, :5])
    assert not np.array_equal(first[:, 5:], second[:, 5:])


def test_masks_of_embeddings_reach_attention() -> None:
    tokens, memory = fastgd.Input((5,)), fastgd.Input((4,))
    table = layers.Embedding(9, 6, mask_zero=True)
    attention = layers.MultiHeadAttention(2, 3)
    y, weights = attention(table(tokens), table(memory), return_attention_scores=True)
    model = fastgd.Model([tokens, memory], [y, weights, layers.Attention()([table(tokens), table(memory)])])
    x, m = np.array([[1, 2, 3, 0, 0]]), np.array([[4, 5, 0, 0]])
    heads, weights, single = model.predict([x, m], verbose=0)
    np.testing.assert_allclose(weights[0, :, :3].sum(axis=-1), 1, rtol=1e-6)
    assert not weights[0, :, :, 2:].any() and not weights[0, :, 3:].any()
    assert not single[0, 3:].any()
    # What stands where nothing is seen does not matter; what is fed as masks is the same.
    rows = table(m)
    np.testing.assert_allclose(
        attention(table(x), rows, query_mask=x != 0, value_mask=m != 0), heads, rtol=1e-5, atol=1e-6
    )
    rows[:, 2:] = 7
    np.testing.assert_allclose(
        attention(table(x), rows, query_mask=x != 0, value_mask=m != 0), heads, rtol=1e-5, atol=1e-6
    )


def test_encoder_and_decoder_train_together() -> None:
    fastgd.utils.set_random_seed(4)
    source, target = fastgd.Input((5, 6)), fastgd.Input((3, 6))
    model = fastgd.Model([source, target], block(target, memory=block(source)))
    model.compile(fastgd.optimizers.Adam(0.01), "mse")
    rng = np.random.default_rng(2)
    x, t, y = (rng.normal(size=(40, n, 6)) for n in (5, 3, 3))
    losses = model.fit([x, t], y, epochs=25, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    again = fastgd.models.clone_model(model)
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict([x, t], verbose=0), model.predict([x, t], verbose=0))


def test_weights_and_dropout() -> None:
    x = np.random.default_rng(5).normal(size=(2, 6, 4))
    for layer in (layers.MultiHeadAttention(2, 3, dropout=0.5, seed=1), layers.GroupedQueryAttention(3, 4, 2)):
        y, weights = layer(x, x, return_attention_scores=True)
        np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-6)
        assert np.array_equal(y, layer(x, x)) and y.shape == x.shape
    layer = layers.Attention(dropout=0.5, seed=1)
    _, dropped = layer([x, x], training=True, return_attention_scores=True)
    assert 0.2 < np.mean(dropped == 0) < 0.8
    assert not np.array_equal(layer([x, x], training=True), layer([x, x]))


def test_a_query_that_sees_nothing_gets_zeros() -> None:
    x = np.random.default_rng(6).normal(size=(1, 3, 4))
    seen = np.ones((1, 1, 3, 3))
    seen[0, 0, 1] = 0
    for backend in fastgd.runtime.BACKENDS:
        with fastgd.backend(backend):
            y, p = ops.attention(x, x, x, 2, mask=seen)
            assert not y[0, 1].any() and not p[0, :, 1].any() and np.all(np.isfinite(y))


def test_wrong_calls_are_refused() -> None:
    x = np.ones((2, 3, 4))
    with pytest.raises(ValueError, match=r"^\[attention\] 3 and 3 heads do not fit: the queries are \(batch, 3, 4\)"):
        ops.attention(x, x, x, 3)
    with pytest.raises(
        ValueError, match=r"^\[attention\] the mask \(batch, 2\) does not fit the scores \(batch, 1, 3, 3"
    ):
        ops.attention(x, x, x, 1, mask=np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"`key_value_heads` must divide `heads`"):
        ops.attention(x, x, x, 4, key_value_heads=3)
    with pytest.raises(ValueError, match=r"takes \[query, value\] or \[query, value, key\]"):
        layers.Attention()([x, np.ones((2, 3, 5))])
    with pytest.raises(ValueError, match=r"^`num_key_value_heads` must divide `num_query_heads`, 4\."):
        layers.GroupQueryAttention(2, 4, 3)
    with pytest.raises(ValueError, match=r"^`attention_axes` must be 1 or None"):
        layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))
    with pytest.raises(ValueError, match="of equal lengths"):
        layers.MultiHeadAttention(2, 3)(x, x, np.ones((2, 4, 4)))
    for equation in ("abc,cx->axb", "ab,bc", "abc,bcx->abx", "aab,bc->aac"):
        with pytest.raises(ValueError, match=r"^`equation` must have the form"):
            layers.EinsumDense(equation, 3)
    with pytest.raises(ValueError, match=r"^`output_shape` does not fit"):
        layers.EinsumDense("abc,cde->abde", (4, 2, 2))(x)
    with pytest.raises(ValueError, match=r"^`weights` must have the shape \(3, 2\)"):
        layers.Embedding(3, 2, weights=np.ones((2, 2)))
    np.testing.assert_array_equal(layers.Embedding(3, 2, weights=[np.ones((3, 2))])(np.array([[1]])), [[[1, 1]]])
