"""Sixteen Python threads on one model and on several: right results, no hang, and other threads run meanwhile."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd.layers import Dense, Dropout

Array = np.ndarray[Any, Any]

THREADS = 16
RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 30))
LABELS = RNG.integers(0, 4, 200)


@pytest.fixture(autouse=True)
def _often_switching() -> Any:
    # Python's threads change places every microsecond or so: races show that are rare otherwise.
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    fastgd.utils.clear_session(free_memory=False)
    fastgd.utils.set_random_seed(5)
    yield
    sys.setswitchinterval(before)


def make(seed: int = 0) -> Any:
    layers = [Dense(40, "relu"), Dropout(0.2, seed=seed), Dense(4, "softmax")]
    model = fastgd.Sequential([fastgd.Input((30,)), *layers])
    model.compile(fastgd.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) / w.shape[0] ** 0.5 for w in model.weights])
    return model


def together(work: Callable[[int], Any]) -> list[Any]:
    """Run work(0) to work(15) at the same time and return their results; an error or a hang fails the test."""
    results: list[Any] = [None] * THREADS
    errors: list[BaseException] = []
    start = threading.Barrier(THREADS)

    def run(k: int) -> None:
        try:
            start.wait()
            results[k] = work(k)
        except BaseException as error:
            errors.append(error)

    # Daemons, so that a thread that hangs fails this test and not the whole run.
    workers = [threading.Thread(target=run, args=(k,), daemon=True) for k in range(THREADS)]
    for worker in workers:
        worker.start()
    deadline = time.monotonic() + 120
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))
    assert not any(worker.is_alive() for worker in workers), "a thread hangs"
    if errors:
        raise errors[0]
    return results


@pytest.mark.parametrize("work", ["0", None], ids=["every step shared out", "default"])
def test_predict_and_evaluate_on_one_model(work: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if work is not None:
        monkeypatch.setenv("FASTGD_TEAM_WORK", work)
    expected = make()
    p, scores = expected.predict(X, verbose=0), expected.evaluate(X, LABELS, verbose=0)
    for _ in range(5):
        # A new model each time: the first call of all threads at once is the delicate one.
        model = make()

        def ask(k: int, model: Any = model) -> Any:
            return model.predict(X, verbose=0) if k % 2 else model.evaluate(X, LABELS, verbose=0)

        for k, result in enumerate(together(ask)):
            if k % 2:
                np.testing.assert_array_equal(result, p)
            else:
                assert result == scores


@pytest.mark.parametrize("work", ["0", None], ids=["every step shared out", "default"])
def test_fit_on_models_of_their_own(work: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if work is not None:
        monkeypatch.setenv("FASTGD_TEAM_WORK", work)

    def train(k: int) -> list[Array]:
        model = make(k)
        history = model.fit(X, LABELS, 17, epochs=3, shuffle=False, verbose=0).history
        weights: list[Array] = model.get_weights()
        return [np.array(history["loss"]), np.array(history["accuracy"]), *weights, model.predict(X, verbose=0)]

    expected = [train(k) for k in range(THREADS)]
    for found, want in zip(together(train), expected, strict=True):
        for a, b in zip(found, want, strict=True):
            np.testing.assert_array_equal(a, b)


def test_models_made_at_the_same_time_have_names_and_seeds_of_their_own() -> None:
    names = together(lambda k: [fastgd.layers.Dense(1).name for _ in range(20)])
    flat = [name for group in names for name in group]
    assert len(set(flat)) == len(flat)
    kernels = together(lambda k: make_unseeded().tobytes())
    assert len(set(kernels)) == THREADS


def make_unseeded() -> Array:
    layer = Dense(3)
    layer.build((None, 3))
    kernel: Array = layer.kernel.numpy()
    return kernel


def test_fit_of_one_model_from_all_threads_ends_with_sound_weights() -> None:
    # Nobody promises an order of the updates, but there is no crash, no hang and no broken number.
    model = make()
    first = model.evaluate(X, LABELS, verbose=0)[0]
    before = model.get_weights()
    together(lambda k: model.fit(X, LABELS, 20, epochs=2, verbose=0))
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert all(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert model.evaluate(X, LABELS, verbose=0)[0] < first
    assert np.isfinite(model.fit(X, LABELS, verbose=0).history["loss"][0])


def test_other_threads_run_while_a_model_trains() -> None:
    x = np.random.default_rng(1).normal(size=(20_000, 100)).astype(np.float32)
    model = fastgd.Sequential([fastgd.Input((100,)), Dense(300, "relu"), Dense(300, "relu"), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x[:64], x[:64, 0], verbose=0)
    ticks: list[int] = []
    training = threading.Event()
    done = threading.Event()

    def tick() -> None:
        training.wait()
        while not done.is_set():
            ticks.append(1)
            time.sleep(0.001)

    other = threading.Thread(target=tick)
    other.start()
    training.set()
    model.fit(x, x[:, 0], 64, epochs=2, verbose=0)
    during = len(ticks)
    done.set()
    other.join()
    # Were the interpreter lock held, the other thread would get a turn between stretches at best.
    assert during > 20


def test_each_thread_has_its_backend() -> None:
    model = make()
    expected = {}
    for backend in ("native", "numpy"):
        with fastgd.backend(backend):
            expected[backend] = model.predict(X, verbose=0)

    def ask(k: int) -> Any:
        with fastgd.backend(("native", "numpy")[k % 2]):
            return model.predict(X, verbose=0)

    for k, result in enumerate(together(ask)):
        np.testing.assert_array_equal(result, expected[("native", "numpy")[k % 2]])
