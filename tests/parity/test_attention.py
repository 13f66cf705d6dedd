"""The layers of attention, embeddings and einsums against Keras: values, gradients, masks of every kind."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import fastgd
from fastgd import layers
from parity.gradients import GRADIENT, compare_layers, numbers, of_keras

EINSUMS: list[tuple[str, Any, str | None, tuple[int, ...]]] = [
    ("ab,bc->ac", 4, "c", (3,)),
    ("abc,cx->abx", (None, 4), "x", (2, 3)),
    ("abc,cde->abde", (None, 2, 3), "de", (2, 4)),
    ("abc,cde->abde", (2, 2, 3), "d", (2, 4)),
    ("abcd,cde->abe", (None, 5), None, (2, 3, 4)),
    ("...x,xy->...y", 3, "y", (2, 2, 4)),
]


@pytest.mark.parametrize(("equation", "made", "bias", "shape"), EINSUMS, ids=str)
def test_einsum_dense(equation: str, made: Any, bias: str | None, shape: tuple[int, ...]) -> None:
    ours, theirs = (lib.EinsumDense(equation, made, "tanh", bias) for lib in (layers, keras.layers))
    ours = layers.EinsumDense(equation, made, "tanh", bias, dtype="float64")
    compare_layers(ours, theirs, [numbers(1, 3, *shape)])


class Spread(fastgd.Layer, abstract=True):
    """A layer called with the parts of its input as arguments of their own, the last ones under names."""

    def __init__(self, inner: Any, names: tuple[str, ...], options: dict[str, Any], lists: bool) -> None:
        super().__init__(dtype="float64")
        self.inner, self.names, self.options, self.lists = inner, names, options, lists

    def build(self, input_shape: Any) -> None:
        shapes = input_shape[: len(input_shape) - len(self.names)]
        if self.lists:
            self.inner.build(shapes)
        else:
            self.inner.build(*shapes)

    def call(self, inputs: Any) -> Any:
        return spread(self, fastgd.ops, inputs)


class KerasSpread(keras.layers.Layer):  # type: ignore[misc]
    """The same for Keras."""

    def __init__(self, inner: Any, names: tuple[str, ...], options: dict[str, Any], lists: bool) -> None:
        super().__init__()
        self.inner, self.names, self.options, self.lists = inner, names, options, lists

    build = Spread.build

    def call(self, inputs: Any) -> Any:
        return spread(self, keras.ops, inputs)


def spread(self: Any, ops: Any, inputs: Any) -> Any:
    """Call the inner layer, and join the weights to its result where they are asked for."""
    cut = len(inputs) - len(self.names)
    masks = dict(zip(self.names, inputs[cut:], strict=True))
    if self.lists:
        if masks:
            masks = {"mask": [masks.get("query_mask"), masks.get("value_mask")]}
            if ops is keras.ops:
                masks = {"mask": [None if m is None else ops.cast(m, "bool") for m in masks["mask"]]}
        y = self.inner(list(inputs[:cut]), **masks, **self.options)
    else:
        if ops is keras.ops and "query_mask" in masks:
            # Keras reads it off the query alone, and puts it here.
            rows = masks.pop("query_mask")[:, :, None]
            masks["attention_mask"] = rows * masks.get("attention_mask", ops.ones((1, 4, 5), "float64"))
        y = self.inner(*inputs[:cut], **masks, **self.options)
    if not self.options.get("return_attention_scores"):
        return y
    return ops.concatenate([ops.reshape(part, (3, -1) if ops is keras.ops else (None, -1)) for part in y], axis=-1)


# What the calls are made with: the names of masks that are fed, and options.
CALLS: list[tuple[tuple[str, ...], dict[str, Any]]] = [
    ((), {}),
    ((), {"use_causal_mask": True}),
    (("value_mask",), {}),
    (("query_mask", "value_mask"), {"return_attention_scores": True}),
    (("query_mask", "value_mask", "attention_mask"), {"return_attention_scores": True, "use_causal_mask": True}),
    (("attention_mask",), {"return_attention_scores": True}),
]
MASKS: dict[str, tuple[int, ...]] = {"query_mask": (4,), "value_mask": (5,), "attention_mask": (4, 5)}


def compare(ours: Any, theirs: Any, masks: tuple[str, ...], options: dict[str, Any], keyed: bool, lists: bool) -> None:
    """Compare two layers of attention whose first key is always seen."""
    arrays = [numbers(1, 3, 4, 6), numbers(2, 3, 5, 6), numbers(3, 3, 5, 6)][: 2 + keyed]
    for name in masks:
        mask = (np.random.default_rng(len(name)).random((3, *MASKS[name])) < 0.6).astype(np.float64)
        mask[..., 0] = 1
        arrays.append(mask)
    compare_layers(Spread(ours, masks, options, lists), KerasSpread(theirs, masks, options, lists), arrays)


HEADED: list[tuple[str, dict[str, Any]]] = [
    ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}),
    ("MultiHeadAttention", {"num_heads": 3, "key_dim": 2, "value_dim": 4, "output_shape": 5, "use_gate": True}),
    ("MultiHeadAttention", {"num_heads": 1, "key_dim": 4, "use_bias": False, "sliding_window": 2}),
    ("GroupQueryAttention", {"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2}),
]


def each_in_turn(rows: list[tuple[str, dict[str, Any]]], calls: list[Any]) -> list[tuple[Any, ...]]:
    """Return every row with every other call: compiling them takes long."""
    return [(*row, *call) for k, row in enumerate(rows) for j, call in enumerate(calls) if (j + k) % 2 == 0]


@pytest.mark.parametrize(("name", "config", "masks", "options"), each_in_turn(HEADED, CALLS), ids=str)
def test_heads(name: str, config: dict[str, Any], masks: tuple[str, ...], options: dict[str, Any]) -> None:
    # Where weights are not asked for, JAX takes the softmax in float32, and a query that sees nothing gets a mean.
    options = {**options, "return_attention_scores": True}
    ours, theirs = getattr(layers, name)(**config, dtype="float64"), getattr(keras.layers, name)(**config)
    compare(ours, theirs, masks, options, keyed=len(masks) == 1, lists=False)


SINGLE: list[tuple[str, dict[str, Any]]] = [
    ("Attention", {}),
    ("Attention", {"use_scale": True}),
    ("Attention", {"score_mode": "concat", "use_scale": True}),
    ("Attention", {"score_mode": "concat"}),
    ("AdditiveAttention", {}),
    ("AdditiveAttention", {"use_scale": False}),
]


@pytest.mark.parametrize(("name", "config", "masks", "options"), each_in_turn(SINGLE, CALLS[:4]), ids=str)
def test_one_head(name: str, config: dict[str, Any], masks: tuple[str, ...], options: dict[str, Any]) -> None:
    ours, theirs = getattr(layers, name)(**config, dtype="float64"), getattr(keras.layers, name)(**config)
    compare(ours, theirs, masks, options, keyed=bool(masks), lists=True)


def test_embedding() -> None:
    x = np.random.default_rng(3).integers(0, 7, (4, 5)).astype(np.int32)
    ours, theirs = layers.Embedding(7, 3, mask_zero=True, dtype="float64"), keras.layers.Embedding(7, 3, mask_zero=True)
    table, factors = numbers(1, 7, 3), numbers(2, 4, 5, 3)
    for layer in (ours, theirs):
        layer.build((None, 5))
        layer.set_weights([table])
    y, (wanted,) = of_keras(lambda w: theirs.stateless_call([w], [], x)[0], factors, theirs.embeddings.value)
    np.testing.assert_array_equal(ours(x), y)
    with fastgd.GradientTape() as tape:
        total = fastgd.ops.sum(ours(x) * factors)
    np.testing.assert_allclose(tape.gradient(total, ours.embeddings), wanted, rtol=GRADIENT, atol=GRADIENT)


@pytest.mark.parametrize("causal", [False, True])
def test_heads_against_pytorch(causal: bool) -> None:
    torch = pytest.importorskip("torch")
    heads, size, features = 2, 3, 6
    ours = layers.MultiHeadAttention(heads, size, dtype="float64")
    arrays, factors = [numbers(1, 3, 5, features), numbers(2, 3, 5, features)], numbers(3, 3, 5, features)
    ours.build((None, 5, features), (None, 5, features))
    ours.set_weights([numbers(k, *w.shape) for k, w in enumerate(ours.weights)])
    theirs = torch.nn.MultiheadAttention(features, heads, batch_first=True, dtype=torch.float64)
    kernels = [w.numpy() for w in ours.weights if w.name == "kernel"]
    biases = [w.numpy() for w in ours.weights if w.name == "bias"]
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.from_numpy(np.concatenate([k.reshape(features, -1).T for k in kernels[:3]])))
        theirs.in_proj_bias.copy_(torch.from_numpy(np.concatenate([b.ravel() for b in biases[:3]])))
        theirs.out_proj.weight.copy_(torch.from_numpy(kernels[3].reshape(-1, features).T))
        theirs.out_proj.bias.copy_(torch.from_numpy(biases[3]))
    query, value = (torch.from_numpy(x).requires_grad_() for x in arrays)
    hidden = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1) if causal else None
    y, weights = theirs(query, value, value, attn_mask=hidden, average_attn_weights=False)
    (y * torch.from_numpy(factors)).sum().backward()
    got, shares = ours(*arrays, use_causal_mask=causal, return_attention_scores=True)
    np.testing.assert_allclose(got, y.detach(), rtol=GRADIENT, atol=GRADIENT)
    np.testing.assert_allclose(shares, weights.detach(), rtol=GRADIENT, atol=GRADIENT)
    with fastgd.GradientTape() as tape:
        tape.watch(arrays)
        total = fastgd.ops.sum(ours(*arrays, use_causal_mask=causal) * factors)
    wanted = [query.grad, value.grad, theirs.out_proj.weight.grad.T.reshape(heads, size, features)]
    for gradient, expected in zip(tape.gradient(total, [*arrays, ours.output_dense.kernel]), wanted, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=GRADIENT, atol=GRADIENT)
