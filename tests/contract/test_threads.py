"""The number of threads changes no bit: weights, optimizer slots, history and predictions of many kinds of models."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import layers, losses
from fastgd.constraints import UnitNorm
from fastgd.layers import Activation, Add, Concatenate, Dense, Dropout, Flatten, Reshape
from fastgd.optimizers import SGD, Adam
from fastgd.regularizers import L1L2

Array = np.ndarray[Any, Any]
Setting = tuple[Any, Any, Any, dict[str, Any]]

THREADS = (1, 2, 3, 4, 7)


def numbers(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def labels(n: int, classes: int) -> Array:
    return np.random.default_rng(1).integers(0, classes, n)


def chain(entrance: Any, *parts: Any) -> Any:
    return fastgd.Sequential([entrance, *parts])


def sparse_classifier() -> Setting:
    model = chain(fastgd.Input((19,)), Dense(37, "relu"), Dense(23, "tanh"), Dense(5, "softmax"))
    model.compile(Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, numbers(101, 19), labels(101, 5), {"batch_size": 33}


def one_hot_classifier() -> Setting:
    model = chain(fastgd.Input((11,)), Dense(65, "leaky_relu"), Dense(7, "softmax"))
    model.compile(SGD(0.1), losses.CategoricalCrossentropy(label_smoothing=0.1), metrics=["accuracy", "crossentropy"])
    return model, numbers(70, 11), np.eye(7)[labels(70, 7)], {"batch_size": 17}


def binary_classifier() -> Setting:
    model = chain(fastgd.Input((30,)), Dense(64, "sigmoid"), Dense(1, "sigmoid"))
    model.compile(Adam(), losses.BinaryCrossentropy(label_smoothing=0.2), metrics=["accuracy"])
    return model, numbers(64, 30), labels(64, 2), {"batch_size": 13, "validation_split": 0.25}


def losses_from_probabilities() -> Setting:
    x = fastgd.Input((9,))
    p, q = Dense(6, "softmax", name="p")(x), Dense(4, "sigmoid", name="q")(x)
    # The probabilities feed further layers, so that the losses cannot be taken from the logits.
    model = fastgd.Model(x, [p, q, Dense(1, name="r")(Concatenate()([p, q]))])
    model.compile(SGD(0.1), ["sparse_categorical_crossentropy", "binary_crossentropy", "mae"])
    t = [labels(55, 6), (numbers(55, 4, seed=3) > 0).astype(float), numbers(55, 1)]
    return model, numbers(55, 9), t, {"batch_size": 8}


def float64_regression() -> Setting:
    model = chain(fastgd.Input((13,), dtype="float64"), Dense(33, "tanh"), Dense(17, "tanh"), Dense(2))
    model.compile(SGD(0.05, momentum=0.9, nesterov=True), "mse", metrics=["mae"])
    return model, numbers(77, 13), numbers(77, 2), {"batch_size": 25}


def two_inputs_two_outputs() -> Setting:
    a, b = fastgd.Input((6,), name="a"), fastgd.Input((3, 4), name="b")
    h = Concatenate()([Dense(16, "relu")(a), Flatten()(Dense(5, "tanh")(b))])
    model = fastgd.Model([a, b], [Dense(3, "softmax", name="kind")(h), Dense(2, name="size")(h)])
    model.compile(Adam(0.01), ["sparse_categorical_crossentropy", "mse"], loss_weights=[1.0, 0.3])
    x, t = {"a": numbers(61, 6), "b": numbers(61, 3, 4)}, {"kind": labels(61, 3), "size": numbers(61, 2)}
    return model, x, t, {"batch_size": 20, "sample_weight": np.random.default_rng(2).uniform(0, 2, 61)}


def shared_layers() -> Setting:
    a, b = fastgd.Input((10,)), fastgd.Input((10,))
    body, again = Dense(24, "relu"), Dense(24, "sigmoid")
    left, right = again(body(a)), again(again(body(b)))
    model = fastgd.Model([a, b], Dense(1)(Add()([left, right])))
    model.compile(SGD(0.05, momentum=0.5), "mae")
    return model, [numbers(48, 10), numbers(48, 10, seed=4)], numbers(48), {"batch_size": 11}


def fan_out_with_add() -> Setting:
    x = fastgd.Input((20,))
    h = Dense(40, "relu")(x)
    for _ in range(3):
        h = Add()([h, Dense(40, "tanh")(h), Activation("sigmoid")(h)])
    model = fastgd.Model(x, Dense(4, "softmax")(h))
    model.compile(Adam(), "sparse_categorical_crossentropy")
    return model, numbers(66, 20), labels(66, 4), {"batch_size": 32}


def dense_connections() -> Setting:
    x = fastgd.Input((8,))
    parts = [x]
    for units in (3, 65, 1):
        parts.append(Dense(units, "tanh")(Concatenate()(parts) if len(parts) > 1 else x))
    model = fastgd.Model(x, Dense(2)(Concatenate()(parts)))
    model.compile(Adam(0.01), "mse")
    return model, numbers(59, 8), numbers(59, 2), {"batch_size": 16}


def dropout() -> Setting:
    parts = [
        Dropout(0.2, seed=5),
        Dense(50, "relu"),
        Dropout(0.5),
        Dense(31, "relu"),
        Dropout(0.9),
        Dense(3, "softmax"),
    ]
    model = chain(fastgd.Input((29,)), *parts)
    model.compile(Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, numbers(90, 29), labels(90, 3), {"batch_size": 19}


def deep_and_narrow() -> Setting:
    model = chain(fastgd.Input((3,)), *(Dense(3 + k % 4, "tanh") for k in range(16)), Dense(1))
    model.compile(SGD(0.05), "mse")
    return model, numbers(40, 3), numbers(40), {"batch_size": 9}


def wide() -> Setting:
    model = chain(fastgd.Input((300,)), Dense(513, "relu"), Dense(129, "relu"), Dense(10, "softmax"))
    model.compile(Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, numbers(131, 300), labels(131, 10), {"batch_size": 64}


def batch_larger_than_the_data() -> Setting:
    model = chain(fastgd.Input((12,)), Dense(21, "relu"), Dense(1))
    model.compile(SGD(0.1, momentum=0.9), losses.MeanSquaredError(reduction="sum"))
    return model, numbers(37, 12) / 10, numbers(37), {"batch_size": 1000, "epochs": 4}


def images_and_sequences() -> Setting:
    parts = [Flatten(), Reshape((7, 9)), Dense(11, "relu"), Dropout(0.3), Flatten(), Dense(6)]
    model = chain(fastgd.Input((7, 3, 3)), *parts)
    model.compile(Adam(0.01, epsilon=1e-3), losses.SparseCategoricalCrossentropy(from_logits=True))
    return model, (numbers(45, 7, 3, 3) * 50).astype(np.int16), labels(45, 6), {"batch_size": 14}


def loss_over_time() -> Setting:
    model = chain(fastgd.Input((5, 8), dtype="float64"), Dense(16, "leaky_relu"), Dense(4, "softmax"))
    model.compile(Adam(0.01), "categorical_crossentropy", weighted_metrics=["accuracy", "mae"])
    t = np.eye(4)[np.random.default_rng(8).integers(0, 4, (43, 5))]
    return model, numbers(43, 5, 8), t, {"batch_size": 10, "sample_weight": np.arange(43.0) % 4}


def single_rows() -> Setting:
    model = chain(fastgd.Input((5,)), Dense(64, "relu"), Dense(2, "sigmoid"))
    model.compile(SGD(0.1), "binary_crossentropy")
    return model, numbers(23, 5), (numbers(23, 2) > 0).astype(float), {"batch_size": 1, "shuffle": False}


def groups_and_a_rest() -> Setting:
    # 101 samples in batches of 64: four groups, then two of 18 and 19 samples.
    x = fastgd.Input((6,))
    y = Dense(3, "softmax")(fastgd.layers.Dropout(0.4, seed=9)(Dense(20, "tanh")(x)))
    model = fastgd.Model(x, y)
    model.compile(Adam(0.01), "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
    return model, numbers(101, 6), labels(101, 3), {"batch_size": 64, "sample_weight": np.arange(101.0) % 3}


def normalisations() -> Setting:
    x = fastgd.Input((9, 37))
    h = layers.BatchNormalization(momentum=0.9)(x)
    h = layers.GroupNormalization(3, axis=1)(layers.BatchNormalization(axis=1)(Dense(30, "tanh")(h)))
    h = layers.RMSNormalization()(layers.LayerNormalization(axis=1)(layers.GroupNormalization(5)(h)))
    y = Dense(3)(layers.UnitNormalization()(layers.LayerNormalization()(Flatten()(h))))
    model = fastgd.Model(x, y)
    model.compile(Adam(0.01), "mse")
    return model, numbers(75, 9, 37), numbers(75, 3), {"batch_size": 32}


def a_norm_of_many_rows() -> Setting:
    parts = [layers.BatchNormalization(), Dense(4, "tanh"), layers.BatchNormalization(scale=False), Flatten(), Dense(1)]
    model = chain(fastgd.Input((30, 5)), *parts)
    model.compile(SGD(0.01), "mse")
    return model, numbers(120, 30, 5), numbers(120), {"batch_size": 50}


def noises() -> Setting:
    # 101 samples in batches of 64 are also cut into groups: each draws what it would as a part of the batch.
    x = fastgd.Input((5, 6))
    h = layers.GaussianNoise(0.3, seed=1)(layers.SpatialDropout1D(0.3, seed=1)(x))
    h = layers.AlphaDropout(0.2, seed=2)(layers.GaussianDropout(0.2, seed=3)(Dense(20, "tanh")(h)))
    h = layers.AlphaDropout(0.2, noise_shape=(None, 5, 1), seed=2)(Dropout(0.3, noise_shape=(1, 1, None), seed=4)(h))
    model = fastgd.Model(x, Dense(3, "softmax")(Flatten()(h)))
    model.compile(Adam(0.01), "sparse_categorical_crossentropy")
    return model, numbers(101, 5, 6), labels(101, 3), {"batch_size": 64}


def augmented_images() -> Setting:
    # Bytes are scaled as they are gathered; each image draws what it would draw in any group.
    parts = [
        layers.Rescaling(1 / 255), layers.RandomFlip(seed=1), layers.RandomBrightness(0.2, (0, 1)),
        layers.RandomContrast(0.3, (0, 1)), layers.RandomTranslation(0.2, 0.1, seed=1),
        layers.RandomRotation(0.1, "constant", seed=2), layers.RandomZoom(0.2, seed=3), layers.RandomCrop(6, 5, seed=4),
        Flatten(), Dense(20, "tanh"), Dense(3, "softmax"),
    ]  # fmt: skip
    model = chain(fastgd.Input((8, 7, 2)), *parts)
    model.compile(Adam(0.01), "sparse_categorical_crossentropy")
    x = np.random.default_rng(6).integers(0, 256, (101, 8, 7, 2)).astype(np.uint8)
    return model, x, labels(101, 3), {"batch_size": 64, "validation_split": 0.2}


def preprocessing() -> Setting:
    x, z = fastgd.Input((3,), dtype="int32"), fastgd.Input((4,))
    moments = {"mean": [0.1, 0.2, 0.3, 0.4], "variance": [1.0, 2.0, 3.0, 4.0]}
    scaled = layers.Normalization(**moments)(layers.Rescaling(0.5, 1.0)(z))
    bins = layers.Discretization([-0.5, 0.0, 0.5], output_mode="multi_hot")(z)
    model = fastgd.Model([x, z], Dense(2)(Concatenate()([layers.CategoryEncoding(7)(x), scaled, bins])))
    model.compile(SGD(0.05), "mse")
    return model, [np.stack([labels(70, 7)] * 3, axis=1), numbers(70, 4)], numbers(70, 2), {"batch_size": 16}


def clipped_groups() -> Setting:
    model = chain(fastgd.Input((6,)), Dense(20, "tanh"), Dense(3, "softmax"))
    steps = {"gradient_accumulation_steps": 2, "use_ema": True, "ema_overwrite_frequency": 2, "weight_decay": 0.01}
    model.compile(Adam(0.01, clipnorm=0.1, **steps), "sparse_categorical_crossentropy")
    return model, numbers(101, 6), labels(101, 3), {"batch_size": 64, "epochs": 5}


def clipped_as_a_whole() -> Setting:
    # The first kernel has 75 blocks to sum over.
    model = chain(fastgd.Input((300,)), Dense(513, "relu"), Dense(10, "softmax"))
    optimizer = SGD(0.5, momentum=0.9, global_clipnorm=0.1, use_ema=True, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model, numbers(131, 300), labels(131, 10), {"batch_size": 64}


def accumulated_pieces() -> Setting:
    model = chain(fastgd.Input((40,)), Dense(70, "relu"), Dense(2))
    model.compile(SGD(0.1, clipvalue=0.01, gradient_accumulation_steps=2, loss_scale_factor=8.0), "mse")
    return model, numbers(90, 40), numbers(90, 2), {"batch_size": 32, "epochs": 3}


def penalties_and_constraints() -> Setting:
    rules: dict[str, Any] = {"kernel_regularizer": "l1", "bias_regularizer": "l2", "kernel_constraint": "max_norm"}
    parts = [
        Dense(131, "tanh", activity_regularizer="l2", **rules),
        Dense(33, "tanh", kernel_regularizer="orthogonal_regularizer", kernel_constraint=UnitNorm(axis=1)),
        Dense(4, kernel_regularizer=L1L2(0.01, 0.02), kernel_constraint="non_neg", bias_constraint="unit_norm"),
    ]
    model = chain(fastgd.Input((67,)), *parts)
    model.compile(Adam(0.01, weight_decay=0.01), "mse", metrics=["mae"])
    return model, numbers(140, 67), numbers(140, 4), {"batch_size": 64}


def activations_that_hang_together() -> Setting:
    model = chain(fastgd.Input((6,)), Dense(20, "tanh", activity_regularizer="orthogonal_regularizer"), Dense(3))
    model.compile(SGD(0.05), "mse")
    return model, numbers(101, 6), numbers(101, 3), {"batch_size": 64}


def sequences_of_few_samples() -> Setting:
    # Three samples or less share their units, the others are shared out themselves; of some all steps are skipped.
    x = numbers(15, 5, 4)
    x[np.random.default_rng(7).random((15, 5)) < 0.4] = 0
    x[3:5] = 0
    parts = [
        layers.Masking(), layers.LSTM(64, return_sequences=True),
        layers.GRU(96, return_sequences=True, reset_after=False),
        layers.SimpleRNN(64, return_sequences=True, dropout=0.2), layers.GRU(64, go_backwards=True), Dense(2),
    ]  # fmt: skip
    model = chain(fastgd.Input((5, 4)), *parts)
    model.compile(Adam(0.01), "mse")
    return model, x, numbers(15, 2), {"batch_size": 3}


def sequences_of_many_samples() -> Setting:
    x = np.sort(labels(130, 11).reshape(-1, 5)[:, ::-1], axis=1)
    parts = [
        layers.Embedding(11, 8, mask_zero=True), layers.Bidirectional(layers.LSTM(9, return_sequences=True)),
        layers.MultiHeadAttention(2, 4), layers.GRU(7, recurrent_dropout=0.3), Dense(2),
    ]  # fmt: skip
    tokens = fastgd.Input((5,), dtype="int32")
    h = parts[1](parts[0](tokens))
    model = fastgd.Model(tokens, parts[4](parts[3](parts[2](h, h))))
    model.compile(Adam(0.01), "mse")
    return model, x, numbers(len(x), 2), {"batch_size": 20}


MODELS: list[Callable[[], Setting]] = [
    sparse_classifier, one_hot_classifier, binary_classifier, losses_from_probabilities, float64_regression,
    two_inputs_two_outputs, shared_layers, fan_out_with_add, dense_connections, dropout, deep_and_narrow, wide,
    batch_larger_than_the_data, groups_and_a_rest, normalisations, a_norm_of_many_rows, noises, augmented_images,
    preprocessing,
    images_and_sequences, loss_over_time, single_rows,
    clipped_groups, clipped_as_a_whole, accumulated_pieces,
    penalties_and_constraints, activations_that_hang_together,
    sequences_of_few_samples, sequences_of_many_samples,
]  # fmt: skip


def run(build: Callable[[], Setting], threads: int) -> dict[str, Any]:
    """Train a model from the start with so many threads, and return everything that can be seen of it."""
    fastgd.set_num_threads(threads)
    fastgd.utils.clear_session(free_memory=False)
    fastgd.utils.set_random_seed(6)
    model, x, t, arguments = build()
    history = model.fit(x, t, **{"epochs": 2, "verbose": 0, **arguments})
    assert fastgd.get_num_threads() == threads
    weight = arguments.get("sample_weight")
    seen: dict[str, Any] = {f"history of {name}": values for name, values in history.history.items()}
    seen |= {f"weights of {w.path}": w.numpy() for w in model.weights}
    seen |= {f"slot {name}": slot.copy() for name, slot in model.optimizer.slots.items()}
    seen["evaluate"] = model.evaluate(x, t, batch_size=7, sample_weight=weight, verbose=0)
    predicted = model.predict(x, batch_size=50, verbose=0)
    seen |= {f"output {k}": y for k, y in enumerate(predicted if isinstance(predicted, list) else [predicted])}
    return seen


@pytest.mark.parametrize("work", ["0", "1", None], ids=["every step shared out", "groups of samples", "default"])
@pytest.mark.parametrize("build", MODELS, ids=lambda b: b.__name__)
def test_bits_do_not_depend_on_the_number_of_threads(
    build: Callable[[], Setting], work: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if work is not None:
        monkeypatch.setenv("FASTGD_TEAM_WORK", work)
    expected = run(build, THREADS[0])
    assert all(np.isfinite(value).all() for value in expected.values())
    for threads in THREADS[1:]:
        found = run(build, threads)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value, err_msg=f"{name}, {threads} threads")


@pytest.mark.parametrize("build", [sparse_classifier, dropout, float64_regression], ids=lambda b: b.__name__)
def test_bits_do_not_depend_on_the_run(build: Callable[[], Setting], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTGD_TEAM_WORK", "0")
    expected = run(build, 4)
    for _ in range(5):
        found = run(build, 4)
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name], value, err_msg=name)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc")
def test_the_threads_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    # Equal bits would prove nothing if one thread did all the work.
    monkeypatch.setenv("FASTGD_TEAM_WORK", "0")
    run(wide, 9)
    assert len(list(Path("/proc/self/task").iterdir())) >= 9
