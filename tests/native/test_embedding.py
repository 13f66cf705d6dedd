"""Training tables of vectors: what gives the gradient away in pieces against what stores it, on any number of threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from cases import optimizer_cases
from fastgd import _core, layers, optimizers

Array = np.ndarray[Any, Any]

ROWS, WIDTH = 700, 5


def trained(optimizer: Any, threads: int = 1, backend: str = "native", dtype: str = "float64") -> list[Array]:
    """Return the weights after three epochs of small batches, the last of which is smaller still."""
    rng = np.random.default_rng(5)
    # Some rows are used in every batch, some in none.
    x = (ROWS * rng.random((37, 6)) ** 3).astype(np.int32)
    before = _core.get_num_threads()
    _core.set_num_threads(threads)
    try:
        with fastgd.backend(backend):
            fastgd.utils.set_random_seed(3)
            table = layers.Embedding(ROWS, WIDTH, dtype=dtype)
            model = fastgd.Sequential([table, layers.Flatten(), layers.Dense(2, "tanh", dtype=dtype)])
            model.compile(optimizer, "mse")
            model.fit(x, rng.normal(size=(37, 2)), batch_size=8, epochs=3, shuffle=False, verbose=0)
            return [*model.get_weights(), *model.optimizer.slots.values()]
    finally:
        _core.set_num_threads(before)


@pytest.mark.parametrize("case", list(optimizer_cases()), ids=lambda c: c.id)
def test_pieces_of_a_gradient_train_like_the_whole(case: Any) -> None:
    def made(**more: Any) -> Any:
        return getattr(optimizers, case.cls)(**{**case.config, **more})

    pieces = trained(made())
    assert np.all(np.isfinite(pieces[0]))
    for got, want in zip(pieces, trained(made(), backend="numpy"), strict=True):
        tolerances.assert_close(got, want, tolerances.chained("float64", 100, 100))


@pytest.mark.parametrize("config", [{}, {"weight_decay": 0.01, "use_ema": True}, {"gradient_accumulation_steps": 2}])
def test_no_bit_hangs_on_the_number_of_threads_or_on_storing_the_gradient(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTGD_TEAM_WORK", "0")
    first = trained(optimizers.Adam(0.01, **config), dtype="float32")
    # A norm that limits nothing has the gradient stored.
    others = [trained(optimizers.Adam(0.01, **config), threads, dtype="float32") for threads in (2, 5)]
    if not config:
        others.append(trained(optimizers.Adam(0.01, global_clipnorm=1e30), dtype="float32"))
    for other in others:
        for got, want in zip(other, first, strict=True):
            np.testing.assert_array_equal(got, want)


def test_an_index_that_is_none_gives_nan_and_no_gradient() -> None:
    table = np.arange(6.0).reshape(3, 2)
    x = np.array([[2.0, 5.0], [0.0, -3.0]])
    y = fastgd.ops.embedding(x[:, :1].astype(int), table)
    np.testing.assert_array_equal(y[:, 0], table[[2, 0]])
    for backend in fastgd.runtime.BACKENDS:
        with (
            fastgd.backend(backend),
            pytest.raises(ValueError, match=r"^`x` must hold integers from 0 to 2\. Received: "),
        ):
            fastgd.ops.embedding(x.astype(int), table)
