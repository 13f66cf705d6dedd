"""Batches that the caller hands over one by one: what `fit` does with them, and what is changed between them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import fastgd
from fastgd import layers, optimizers

ROWS = 24


def make(optimizer: optimizers.Optimizer) -> fastgd.Sequential:
    fastgd.utils.set_random_seed(5)
    model = fastgd.Sequential(
        [layers.Input((6,)), layers.Dense(7, activation="tanh"), layers.Dense(4, activation="softmax")]
    )
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(ROWS, 6)).astype(np.float32), rng.integers(0, 4, ROWS)


@pytest.mark.parametrize("rule", [optimizers.SGD, optimizers.Adam, optimizers.RMSprop])
def test_a_batch_is_a_step_of_fit(rule: Callable[[], optimizers.Optimizer]) -> None:
    x, y = data()
    one, other = make(rule()), make(rule())
    for start in range(0, ROWS, 8):
        loss, accuracy = one.train_on_batch(x[start : start + 8], y[start : start + 8])
        assert loss > 0 and 0 <= accuracy <= 1
    other.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    for mine, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert one.optimizer.iterations == other.optimizer.iterations == 3
    np.testing.assert_array_equal(one.predict_on_batch(x), one.predict(x, verbose=0))


def set_beta(model: fastgd.Sequential) -> None:
    model.optimizer.beta_1 = 0.3


def set_rate(model: fastgd.Sequential) -> None:
    model.optimizer.learning_rate = 0.2


def set_clipping(model: fastgd.Sequential) -> None:
    model.optimizer.clipvalue = 1e-3


def set_decay(model: fastgd.Sequential) -> None:
    model.optimizer.weight_decay = 0.9


def clear_moments(model: fastgd.Sequential) -> None:
    for slot in model.optimizer.slots.values():
        slot[:] = 0


def replace_moments(model: fastgd.Sequential) -> None:
    model.optimizer.slots["m"] = np.full_like(model.optimizer.slots["m"], 0.5)


def set_weights(model: fastgd.Sequential) -> None:
    model.set_weights([weight / 2 for weight in model.get_weights()])


def grow(model: fastgd.Sequential) -> None:
    # The weights move into the store of the larger model.
    fastgd.Sequential([model, layers.Dense(2)]).build((None, 6))


CHANGES = [set_beta, set_rate, set_clipping, set_decay, clear_moments, replace_moments, set_weights, grow]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_between_batches_counts(change: Callable[[fastgd.Sequential], None]) -> None:
    x, y = data()
    results = []
    for backend in ("native", "numpy"):
        with fastgd.backend(backend):
            model = make(optimizers.AdamW(0.05, weight_decay=0.1))
            for _ in range(3):
                model.train_on_batch(x, y)
            before = model.get_weights()
            change(model)
            for _ in range(3):
                model.train_on_batch(x, y)
        results.append(model.get_weights())
        assert not all(np.array_equal(a, b) for a, b in zip(before, results[-1], strict=True))
    plain = make(optimizers.AdamW(0.05, weight_decay=0.1))
    for _ in range(6):
        plain.train_on_batch(x, y)
    for mine, theirs in zip(*results, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4)
    changed = any(
        not np.allclose(mine, theirs, rtol=1e-3, atol=1e-3)
        for mine, theirs in zip(results[0], plain.get_weights(), strict=True)
    )
    assert changed == (change is not grow)


KINDS = [
    *((-1, kind) for kind in ("int8", "int32", "int64", "float32")),
    *((4, kind) for kind in ("int8", "int32", "int64", "uint8", "float32", ">i4")),
]


@pytest.mark.parametrize(("label", "kind"), KINDS)
def test_labels_out_of_range_are_named(label: int, kind: str) -> None:
    x, y = data()
    y = y.astype(kind)
    y[17] = label
    model = make(optimizers.SGD())
    with pytest.raises(
        ValueError, match=rf"`y` must hold labels from 0 to 3, one per class. Received: y\[17\]={label}"
    ):
        model.train_on_batch(x, y)
    assert model.optimizer.iterations == 0


def test_rows_that_differ_are_counted() -> None:
    x, y = data()
    model = make(optimizers.SGD())
    with pytest.raises(ValueError, match=r"`x` and the arrays .* Received: len\(x\)=24, len\(y\)=23"):
        model.train_on_batch(x, y[:-1])
    with pytest.raises(ValueError, match=r"len\(x\)=24, len\(y\)=24, len\(sample_weight\)=5"):
        model.train_on_batch(x, y, np.ones(5))
