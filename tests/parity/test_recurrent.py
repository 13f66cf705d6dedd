"""Recurrent layers against Keras: random asymmetric weights, masks, states, both directions, forward and backward.

Keras runs unrolled, which needs no compiling, and has zeros before the first step that counts, as all its backends but
the loop of JAX do. Each test goes through many configurations, because each is small.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import jax
import keras
import numpy as np
import pytest

import fastgd
from fastgd import _core, reference

Array = np.ndarray[Any, Any]

CLOSE = {"float64": 1e-11, "float32": 2e-5}
N, STEPS, FEATURES, UNITS = 3, 3, 3, 2


class Joined(fastgd.Layer, abstract=True):
    """The outputs and states of a recurrent layer in one row, for inputs x, states, and a mask that is none of them."""

    def __init__(self, layer: Any, states: int, masked: bool, dtype: str) -> None:
        super().__init__(dtype=dtype)
        self.layer = layer
        self._states, self._masked = states, masked

    def call(self, inputs: Any) -> Any:
        x, *rest = inputs
        mask = rest.pop() if self._masked else None
        y = self.layer(x, initial_state=rest[: self._states] if self._states else None, mask=mask)
        parts = fastgd.utils.structure.flatten(y)
        return fastgd.ops.concatenate([fastgd.ops.flatten(part) for part in parts], axis=1)


def ours(layer: Any, feeds: Sequence[Array], masked: bool) -> tuple[Array, Array, list[Array]]:
    """Return the row of all outputs, random factors, and the gradients of sum(factors row) by inputs and weights."""
    states = len(feeds) - 1 - masked
    entrances = [fastgd.Input(x.shape[1:], dtype=str(feeds[0].dtype)) for x in feeds]
    model = fastgd.Model(entrances, Joined(layer, states, masked, str(feeds[0].dtype))(entrances))
    model.compile("sgd", "mse")
    plan = model.make_plan()
    # The gradient of the mean of the squared distances to y - factors size / 2, over n samples, is factors / n.
    goal = np.random.default_rng(11).normal(size=(N, *model.output_shape[1:])).astype(feeds[0].dtype)
    seen: list[list[Array]] = []
    for run in (reference.Executor(plan), _core.Executor(plan)):
        run.bind_parameters([w.numpy() for w in model._lower(()).variables])
        got = run.inspect([*feeds, goal])
        names = (*plan.inputs[: len(feeds) - masked], *(p.name for p in plan.params if p.trainable))
        row = got[plan.steps[-2].outputs[0]]
        seen.append([row, (row - goal) * 2 / goal.shape[1], *(got["d:" + name] * N for name in names)])
    for mine, native in zip(*seen, strict=True):
        close(native, mine)
    row, factors, *gradients = seen[1]
    return row, factors, gradients


def theirs(layer: Any, feeds: Sequence[Array], masked: bool) -> tuple[Array, Callable[[Array], list[Array]]]:
    """Return the row of Keras' layer, and what makes the gradients of factors."""
    x, *states = feeds[:-1] if masked else feeds
    mask = feeds[-1] != 0 if masked else None

    def call(x: Any, states: Any, variables: Any) -> Any:
        rest = [v.value for v in layer.non_trainable_variables]
        y, _ = layer.stateless_call(variables, rest, x, initial_state=states or None, mask=mask)
        leaves = jax.tree_util.tree_leaves(y)
        return jax.numpy.concatenate([leaf.reshape(len(x), -1) for leaf in leaves], axis=1)

    row, back = jax.vjp(call, x, states, [v.value for v in layer.trainable_variables])

    def gradients(factors: Array) -> list[Array]:
        return [np.asarray(d) for d in jax.tree_util.tree_leaves(back(jax.numpy.asarray(factors)))]

    return np.asarray(row), gradients


def close(actual: Array, expected: Array, what: Any = "") -> None:
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    assert actual.shape == expected.shape, what
    assert np.max(np.abs(actual - expected), initial=0.0) <= CLOSE[str(actual.dtype)] * scale, what


def inputs(states: Sequence[int], masked: bool, dtype: str = "float64", features: int = FEATURES) -> list[Array]:
    """Return x, initial states of these sizes, and a mask: of one gap inside, gaps at both ends, and nothing at all."""
    rng = np.random.default_rng(3)
    arrays = [rng.normal(size=(N, STEPS, features)), *(rng.normal(size=(N, size)) for size in states)]
    if masked:
        arrays.append(np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0]]))
    return [array.astype(dtype) for array in arrays]


def compare(mine: Any, other: Any, states: Sequence[int], masked: bool, what: Any, dtype: str = "float64") -> None:
    """Give both layers the same random weights and compare all outputs and all gradients.

    Several layers of ours may be compared with one of Keras: those after the first return the end of its row.
    """
    feeds = inputs(states, masked, dtype)
    several = mine if isinstance(mine, list) else [mine]
    for layer in several:
        layer.build((None, *feeds[0].shape[1:]))
    other.build(feeds[0].shape)
    assert [w.shape for w in several[0].weights] == [tuple(w.shape) for w in other.weights], what
    assert [w.name for w in several[0].weights] == [w.name for w in other.weights], what
    rng = np.random.default_rng(11)
    weights = [(rng.normal(size=w.shape) / w.shape[0] ** 0.5).astype(dtype) for w in several[0].weights]
    other.set_weights(weights)
    expected, back = theirs(other, feeds, masked)
    for layer in several:
        layer.set_weights(weights)
        row, factors, gradients = ours(layer, feeds, masked)
        width = row.shape[1]
        close(row, expected[:, -width:], what)
        if layer is not several[0] and not masked:
            # Its gradients are those of the first layer's last step: nothing that a mask could change.
            continue
        padded = np.concatenate([np.zeros((N, expected.shape[1] - width), dtype), factors], axis=1)
        for got, want in zip(gradients, back(padded), strict=True):
            close(got, want, what)


FLAGS = (False, True)
KINDS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "SimpleRNN": ("SimpleRNN", 1, {}),
    "LSTM": ("LSTM", 2, {}),
    "GRU": ("GRU", 1, {}),
    "GRU, reset before": ("GRU", 1, {"reset_after": False}),
}
# The weights are overwritten: JAX takes long to draw them.
QUICK = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros"}
# Those of the ops, others that the ops take along, and two that are written out step by step.
FUNCTIONS = (("tanh", "sigmoid"), ("softplus", "hard_sigmoid"), ("silu", "sigmoid"))


@pytest.mark.parametrize("functions", FUNCTIONS, ids="/".join)
@pytest.mark.parametrize("kind", KINDS)
def test_layers(kind: str, functions: tuple[str, str]) -> None:
    name, count, own = KINDS[kind]
    chosen = {"activation": functions[0], "recurrent_activation": functions[1]}
    if name == "SimpleRNN":
        del chosen["recurrent_activation"]
    biased = FLAGS if functions == FUNCTIONS[0] else (True,)
    for back, bias, masked, given in itertools.product(FLAGS, biased, FLAGS, FLAGS):
        config = {**own, **chosen, **QUICK, "go_backwards": back, "use_bias": bias, "return_state": True}
        other = getattr(keras.layers, name)(UNITS, unroll=True, return_sequences=True, **config)
        compare(both_kinds(name, config), other, [UNITS] * count * given, masked, (config, masked, given))


def both_kinds(name: str, config: dict[str, Any], dtype: str = "float64") -> list[Any]:
    """Return our layer that returns sequences, and the one that does not."""
    return [getattr(fastgd.layers, name)(UNITS, return_sequences=s, dtype=dtype, **config) for s in (True, False)]


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_layers_in_float32(kind: str) -> None:
    name, count, own = KINDS[kind]
    for back in FLAGS:
        config = {**own, "go_backwards": back, "return_state": True}
        other = getattr(keras.layers, name)(UNITS, unroll=True, dtype="float32", return_sequences=True, **config)
        compare(both_kinds(name, config, "float32"), other, [UNITS] * count, True, config, "float32")


def test_both_directions() -> None:
    for merge, sequences in itertools.product(("concat", "sum", "mul", "ave", None), FLAGS):
        # Only the loop of JAX, which takes long to compile, zeroes what is skipped.
        masked = not sequences
        config = {**QUICK, "return_sequences": sequences, "return_state": True, "unroll": True}
        pair = []
        for library, kind in ((fastgd, {"dtype": "float64"}), (keras, {})):
            layer = library.layers.LSTM(UNITS, **config, **kind)
            pair.append(library.layers.Bidirectional(layer, merge_mode=merge, **kind))
        compare(*pair, [UNITS] * 4, masked, (config, merge))


def test_both_directions_of_different_layers_with_zeros_for_what_is_skipped() -> None:
    pair = []
    for library, kind in ((fastgd, {"dtype": "float64"}), (keras, {})):
        ahead = library.layers.LSTM(UNITS, return_sequences=True, **kind)
        back = library.layers.GRU(UNITS, return_sequences=True, go_backwards=True, **kind)
        pair.append(library.layers.Bidirectional(ahead, backward_layer=back, **kind))
    compare(*pair, [], True, "different layers")


def test_zeros_for_what_is_skipped() -> None:
    config = {"zero_output_for_mask": True, "return_state": True}
    other = keras.layers.SimpleRNN(UNITS, return_sequences=True, **config)
    compare(both_kinds("SimpleRNN", config), other, [UNITS], True, config)


def test_stacked_cells() -> None:
    for back, full in itertools.product(FLAGS, FLAGS):
        made = []
        for library, kind in ((fastgd, {"dtype": "float64"}), (keras, {"unroll": True})):
            parts = library.layers
            for sequences in FLAGS[::-1] if library is fastgd else (True,):
                cells = [parts.LSTMCell(2), parts.SimpleRNNCell(2, activation="silu"), parts.GRUCell(2)]
                way = {"return_sequences": sequences, "go_backwards": back, "return_state": True}
                made.append(parts.RNN(cells, **way, **kind))
        # Keras wants the states in the structure of the cells, which the shared code does not make.
        other = Restructured(made.pop(), [[2, 2], [2], [2]]) if full else made.pop()
        compare(made, other, [2, 2, 2, 2] * full, full, way)


class Restructured:
    """Keras' layer, with its initial states as nested lists."""

    def __init__(self, layer: Any, sizes: Sequence[Sequence[int]]) -> None:
        self._layer, self._sizes = layer, sizes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._layer, name)

    def stateless_call(self, *args: Any, initial_state: Any, **kwargs: Any) -> Any:
        flat = iter(initial_state)
        nested = [[next(flat) for _ in sizes] for sizes in self._sizes]
        return self._layer.stateless_call(*args, initial_state=nested, **kwargs)


def make_cell(library: Any) -> type:
    """Return a cell of two states with outputs of another size, written with the ops of a library."""
    ops = library.ops

    class MinimalCell(library.Layer, **({"abstract": True} if library is fastgd else {})):
        def __init__(self, units: int, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.state_size = [units, units + 1]
            self.output_size = units + 1

        def build(self, input_shape: Any) -> None:
            sizes = {"kernel": (input_shape[-1], self.units), "mix": (self.units, self.units + 1)}
            for name, shape in sizes.items():
                setattr(self, name, self.add_weight(shape=shape, initializer="glorot_uniform", name=name))

        def call(self, inputs: Any, states: Any) -> Any:
            h, total = states
            h = ops.tanh(ops.matmul(inputs, self.kernel) + 0.5 * h)
            total = 0.9 * total + ops.matmul(h, self.mix)
            return ops.sigmoid(total), [h, total]

    return MinimalCell


def test_cells_of_the_users() -> None:
    kinds = make_cell(fastgd), make_cell(keras)
    for back, masked, given in itertools.product(FLAGS, FLAGS, FLAGS):
        way = {"go_backwards": back, "return_state": True}
        mine = [fastgd.layers.RNN(kinds[0](2), return_sequences=s, dtype="float64", **way) for s in (True, False)]
        other = keras.layers.RNN(kinds[1](2), return_sequences=True, unroll=True, **way)
        compare(mine, other, [2, 3] * given, masked, way)


@pytest.mark.parametrize("kind", KINDS)
def test_single_cells(kind: str) -> None:
    name, count, own = KINDS[kind]
    x, *states = inputs([UNITS] * count, False)
    mine = getattr(fastgd.layers, f"{name}Cell")(UNITS, dtype="float64", **own)
    other = getattr(keras.layers, f"{name}Cell")(UNITS, **own)
    mine.build((None, FEATURES))
    other.build((None, FEATURES))
    weights = [np.random.default_rng(5).normal(size=w.shape) for w in mine.weights]
    mine.set_weights(weights)
    other.set_weights(weights)
    y, after = mine(x[:, 0], states)
    expected, wanted = other(x[:, 0], states)
    assert isinstance(after, list)
    for got, want in zip((y, *after), (expected, *wanted), strict=True):
        close(np.asarray(got), np.asarray(want))


@pytest.mark.parametrize("kind", KINDS)
def test_stateful_layers(kind: str) -> None:
    name, _, own = KINDS[kind]
    mine = getattr(fastgd.layers, name)(UNITS, stateful=True, dtype="float64", **own)
    other = getattr(keras.layers, name)(UNITS, stateful=True, unroll=True, **own)
    x = inputs([], False)[0]
    model = fastgd.Sequential([fastgd.Input(batch_shape=x.shape, dtype="float64"), mine])
    other.build(x.shape)
    weights = [np.random.default_rng(5).normal(size=w.shape) for w in mine.weights]
    mine.set_weights(weights)
    other.set_weights(weights)
    for scale in (1.0, 2.0, -1.0):
        close(model.predict(scale * x, batch_size=N, verbose=0), np.asarray(other(scale * x)))
    assert len(mine.weights) == len(other.weights)
    for got, want in zip(mine.states, other.states, strict=True):
        close(got.numpy(), np.asarray(want))
    mine.reset_states()
    other.reset_states()
    close(model.predict(x, batch_size=N, verbose=0), np.asarray(other(x)))


def test_initial_weights_and_names() -> None:
    for name, config in (("LSTM", {}), ("LSTM", {"unit_forget_bias": False}), ("GRU", {}), ("SimpleRNN", {})):
        chosen = {**config, "kernel_initializer": "ones", "recurrent_initializer": "ones", "bias_initializer": "zeros"}
        pair = [getattr(library.layers, name)(2, **chosen) for library in (fastgd, keras)]
        for layer in pair:
            layer.build((None, 4, 3))
        for got, want in zip(pair[0].get_weights(), pair[1].get_weights(), strict=True):
            np.testing.assert_array_equal(got, want)
        unknown = set(pair[1].get_config()) - set(pair[0].get_config())
        assert unknown <= {"activity_regularizer"}, unknown


@pytest.mark.usefixtures("own_float64")
def test_histories() -> None:
    # Three epochs with penalties and a constraint, by the same optimizer.
    rng = np.random.default_rng(2)
    x, t = rng.normal(size=(12, 5, 3)), rng.normal(size=(12, 2))
    rules: dict[str, Any] = {
        "kernel_regularizer": "l2", "recurrent_regularizer": "l1", "bias_regularizer": "l2",
        "recurrent_constraint": "max_norm", "activity_regularizer": "l2",
    }  # fmt: skip
    losses, weights = [], []
    for library in (fastgd, keras):
        layers = library.layers
        first = layers.Bidirectional(layers.LSTM(4, **rules))
        model = library.Sequential([library.Input((5, 3)), first, layers.Dense(2)])
        if not weights:
            weights = [rng.normal(size=w.shape) / w.shape[0] for w in model.weights]
        model.set_weights(weights)
        model.compile(library.optimizers.Adam(0.01), "mse")
        losses.append(model.fit(x, t, batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-9)
