"""Training tables of vectors: updated in pieces, late, or from a gradient that is stored; any number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from cases import OptimizerCase, optimizer_cases
from fastgd import _core, layers, optimizers

Array = np.ndarray[Any, Any]

# Rows and widths: a table that is visited as a whole in every batch, and one whose rows wait until they are read.
SMALL, LATE = (700, 5), (4200, 32)


def made(size: tuple[int, int], optimizer: Any, dtype: str = "float32", **config: Any) -> Any:
    """Return a compiled model that begins with a table."""
    fastgd.utils.set_random_seed(3)
    table = layers.Embedding(*size, dtype=dtype, **config)
    model = fastgd.Sequential([table, layers.Flatten(), layers.Dense(2, "tanh", dtype=dtype)])
    model.compile(optimizer, "mse")
    return model


def data(rows: int, samples: int = 37) -> tuple[Array, Array]:
    """Return integers and targets: some rows of the table occur in every batch, some in none."""
    rng = np.random.default_rng(5)
    return (rows * rng.random((samples, 6)) ** 3).astype(np.int32), rng.normal(size=(samples, 2))


def state(model: Any) -> list[Array]:
    """Return copies of all weights and slots."""
    return [*model.get_weights(), *(slot.copy() for slot in model.optimizer.slots.values())]


def trained(
    size: tuple[int, int], optimizer: Any, threads: int = 1, backend: str = "native", dtype: str = "float32"
) -> list[Array]:
    """Return the state after three epochs of small batches, the last of which is smaller still."""
    x, t = data(size[0])
    before = _core.get_num_threads()
    _core.set_num_threads(threads)
    try:
        with fastgd.backend(backend):
            model = made(size, optimizer, dtype)
            model.fit(x, t, batch_size=8, epochs=3, shuffle=False, verbose=0)
            return state(model)
    finally:
        _core.set_num_threads(before)


def assert_same_bits(got: list[Array], want: list[Array]) -> None:
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("case", list(optimizer_cases()), ids=lambda c: c.id)
def test_rows_that_wait_have_the_bits_of_a_stored_gradient(case: OptimizerCase) -> None:
    def optimizer(**more: Any) -> Any:
        return getattr(optimizers, case.cls)(**{**case.config, **more})

    late = trained(LATE, optimizer())
    assert all(np.all(np.isfinite(part)) for part in late)
    if any("clip" in name for name in case.config):
        for got, want in zip(late, trained(LATE, optimizer(), backend="numpy"), strict=True):
            tolerances.assert_close(got, want, tolerances.chained("float32", 100, 100, 100))
    else:
        # A norm that limits nothing has the gradient stored.
        assert_same_bits(late, trained(LATE, optimizer(global_clipnorm=1e30)))


@pytest.mark.parametrize("size", [SMALL, LATE], ids=str)
@pytest.mark.parametrize("config", [{}, {"weight_decay": 0.01, "use_ema": True}, {"gradient_accumulation_steps": 2}])
def test_no_bit_hangs_on_the_number_of_threads(
    config: dict[str, Any], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTGD_TEAM_WORK", "0")
    first = trained(size, optimizers.Adam(0.01, **config))
    for threads in (2, 5):
        assert_same_bits(trained(size, optimizers.Adam(0.01, **config), threads), first)
    if not config:
        assert_same_bits(trained(size, optimizers.Adam(0.01, global_clipnorm=1e30)), first)


def test_rows_wait_through_many_batches_and_changing_rates() -> None:
    # More batches in one run than rows may wait, with a rate for each.
    x, t = data(LATE[0], 1100)
    states = []
    for limit in (None, 1e30):
        rate = optimizers.schedules.ExponentialDecay(0.01, 100, 0.9)
        model = made(LATE, optimizers.Adam(rate, global_clipnorm=limit))
        model.fit(x, t, batch_size=1, epochs=1, shuffle=False, verbose=0)
        states.append(state(model))
    assert_same_bits(*states)


def test_whoever_looks_finds_rows_up_to_date() -> None:
    x, t = data(LATE[0])
    states = []
    for limit in (None, 1e30):
        model, seen = made(LATE, optimizers.Adam(0.01, global_clipnorm=limit)), []
        for k in range(0, 32, 8):
            model.train_on_batch(x[k : k + 8], t[k : k + 8])
            seen += [*state(model), model.predict(x, verbose=0), np.array(model.evaluate(x, t, verbose=0))]
        # An evaluation inside of `fit`, then another update of the same table.
        model.fit(x, t, batch_size=8, epochs=2, shuffle=False, validation_data=(x, t), verbose=0)
        seen += state(model)
        model.compile(optimizers.SGD(0.1, momentum=0.9, global_clipnorm=limit), "mse")
        model.fit(x, t, batch_size=8, epochs=2, shuffle=False, verbose=0)
        states.append([*seen, *state(model)])
    assert_same_bits(*states)


@pytest.mark.parametrize("rule", ["embeddings_regularizer", "embeddings_constraint"])
def test_tables_with_rules_train_alike_on_both_interpreters(rule: str) -> None:
    x, t = data(LATE[0])
    found = []
    for backend in fastgd.runtime.BACKENDS:
        with fastgd.backend(backend):
            kind = "l2" if rule.endswith("regularizer") else "unit_norm"
            model = made(LATE, optimizers.Adam(0.01), "float64", **{rule: kind})
            model.fit(x, t, batch_size=8, epochs=2, shuffle=False, verbose=0)
            found.append(state(model))
    for got, want in zip(*found, strict=True):
        tolerances.assert_close(got, want, tolerances.chained("float64", 100, 100, 100))


def test_integers_out_of_range_are_refused() -> None:
    table = np.arange(6.0).reshape(3, 2)
    for backend in fastgd.runtime.BACKENDS:
        with fastgd.backend(backend):
            np.testing.assert_array_equal(fastgd.ops.embedding([[2, 0]], table), [table[[2, 0]]])
            with pytest.raises(ValueError, match=r"^`x` must hold integers from 0 to 2\. Received: x\[0, 1\]=3$"):
                fastgd.ops.embedding([[0, 3]], table)
            with pytest.raises(ValueError, match=r"must hold integers from 0 to 2\."):
                layers.Embedding(3, 2)(np.array([[0, -1]]))


def pooled(layer: Any, readers: int = 1) -> Any:
    """Return a compiled model that pools the vectors of a table, which another layer reads as well if there are two."""
    fastgd.utils.set_random_seed(3)
    x = fastgd.Input((130,), dtype="int32")
    vectors = layers.Embedding(*LATE, dtype="float64")(x)
    parts = [layer(vectors), layers.GlobalMaxPooling1D(name="other", dtype="float64")(vectors)][:readers]
    y = layers.Dense(2, "tanh", dtype="float64")(
        layers.Concatenate(dtype="float64")(parts) if readers > 1 else parts[0]
    )
    model = fastgd.Model(x, y)
    model.compile(optimizers.Adam(0.01), "mse")
    return model


@pytest.mark.parametrize("readers", [1, 2])
@pytest.mark.parametrize(
    "layer",
    [
        layers.GlobalAveragePooling1D(dtype="float64"),
        layers.Lambda(lambda x: fastgd.ops.sum(x, 1), dtype="float64"),
        layers.GlobalMaxPooling1D(dtype="float64"),
    ],
    ids=["mean", "sum", "max"],
)
def test_pooled_vectors_train_alike_on_both_interpreters(
    layer: Any, readers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTGD_TEAM_WORK", "0")
    rng = np.random.default_rng(5)
    x, t = (LATE[0] * rng.random((37, 130)) ** 3).astype(np.int32), rng.normal(size=(37, 2))
    before, states = _core.get_num_threads(), []
    for backend, threads in (("numpy", 1), ("native", 1), ("native", 3)):
        _core.set_num_threads(threads)
        try:
            with fastgd.backend(backend):
                model = pooled(layer, readers)
                model.fit(x, t, batch_size=8, epochs=2, shuffle=False, verbose=0)
                states.append([*state(model), model.predict(x, verbose=0)])
        finally:
            _core.set_num_threads(before)
    assert_same_bits(states[1], states[2])
    for got, want in zip(states[1], states[0], strict=True):
        tolerances.assert_close(got, want, 1e-9)
