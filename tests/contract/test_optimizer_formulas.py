"""Every optimizer over 200 steps against its formula as Keras states it, written out plainly for one array."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from fastgd import _core, optimizers, runtime
from fastgd.layers import Dense

Array = np.ndarray[Any, Any]
# One step: (w, g, t) -> the new w, with t from 1.
Step = Callable[[Array, Array, int], Array]

STEPS = 200
BATCH = 4
RATE = 0.01


def sgd(momentum: float = 0.0, nesterov: bool = False) -> Step:
    v: Any = 0.0

    def step(w: Array, g: Array, t: int) -> Array:
        nonlocal v
        v = momentum * v - RATE * g
        return w + (momentum * v - RATE * g if nesterov else v)

    return step


def adam(b1: float = 0.9, b2: float = 0.999, e: float = 1e-7, amsgrad: bool = False) -> Step:
    m: Any = 0.0
    v: Any = 0.0
    top: Any = 0.0

    def step(w: Array, g: Array, t: int) -> Array:
        nonlocal m, v, top
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        top = np.maximum(top, v)
        return w - RATE * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(top if amsgrad else v) + e)

    return step


def adamax(b1: float = 0.9, b2: float = 0.999, e: float = 1e-7) -> Step:
    m: Any = 0.0
    u: Any = 0.0

    def step(w: Array, g: Array, t: int) -> Array:
        nonlocal m, u
        m = b1 * m + (1 - b1) * g
        u = np.maximum(b2 * u, abs(g))
        return w - RATE * m / ((1 - b1**t) * (u + e))

    return step


def nadam(b1: float = 0.9, b2: float = 0.999, e: float = 1e-7) -> Step:
    m: Any = 0.0
    v: Any = 0.0
    product = 1.0

    def step(w: Array, g: Array, t: int) -> Array:
        nonlocal m, v, product
        now, after = b1 * (1 - 0.5 * 0.96**t), b1 * (1 - 0.5 * 0.96 ** (t + 1))
        product *= now
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        m_hat = after * m / (1 - product * after) + (1 - now) * g / (1 - product)
        return w - RATE * m_hat / (np.sqrt(v / (1 - b2**t)) + e)

    return step


def lion(b1: float = 0.9, b2: float = 0.99) -> Step:
    m: Any = 0.0

    def step(w: Array, g: Array, t: int) -> Array:
        nonlocal m
        w = w - RATE * np.sign(b1 * m + (1 - b1) * g)
        m = b2 * m + (1 - b2) * g
        return w

    return step


def rmsprop(rho: float = 0.9, momentum: float = 0.0, e: float = 1e-7, centered: bool = False) -> Step:
    v: Any = 0.0
    a: Any = 0.0
    speed: Any = 0.0

    def step(w: Array, g: Array, t: int) -> Array:
        nonlocal v, a, speed
        v = rho * v + (1 - rho) * g**2
        a = rho * a + (1 - rho) * g
        speed = momentum * speed + RATE * g / np.sqrt((v - a**2 if centered else v) + e)
        return w - speed

    return step


def adagrad(start: float = 0.1, e: float = 1e-7) -> Step:
    a = start

    def step(w: Array, g: Array, t: int) -> Array:
        nonlocal a
        a = a + g**2
        return w - RATE * g / np.sqrt(a + e)

    return step


def adadelta(rho: float = 0.95, e: float = 1e-7) -> Step:
    a: Any = 0.0
    d: Any = 0.0

    def step(w: Array, g: Array, t: int) -> Array:
        nonlocal a, d
        a = rho * a + (1 - rho) * g**2
        move = -np.sqrt(d + e) / np.sqrt(a + e) * g
        d = rho * d + (1 - rho) * move**2
        return w + RATE * move

    return step


def ftrl(p: float = 0.5, start: float = 0.1, l1: float = 0, l2: float = 0, shrink: float = 0, beta: float = 0) -> Step:
    n: Any = start
    z: Any = 0.0

    def step(w: Array, g: Array, t: int) -> Array:
        nonlocal n, z
        n_new = n + g**2
        z = z + g + 2 * shrink * w - (n_new**p - n**p) / RATE * w
        n = n_new
        return (np.clip(z, -l1, l1) - z) / (n**p / RATE + 2 * (l2 + beta / (2 * RATE)))

    return step


def decayed(step: Step, decay: float) -> Step:
    return lambda w, g, t: step(w - w * decay * RATE, g, t)


def pairs() -> Iterator[tuple[Callable[[], fastgd.Optimizer], Callable[[], Step]]]:
    """Yield what makes an optimizer, and what makes its step by the formula, with the defaults and with others."""
    o = optimizers
    yield lambda: o.SGD(RATE), sgd
    yield lambda: o.SGD(RATE, weight_decay=0.3), lambda: decayed(sgd(), 0.3)
    yield lambda: o.SGD(RATE, 0.9, True, weight_decay=0.3), lambda: decayed(sgd(0.9, True), 0.3)
    yield lambda: o.Adam(RATE), adam
    yield lambda: o.Adam(RATE, amsgrad=True), lambda: adam(amsgrad=True)
    yield lambda: o.Adam(RATE, 0.8, 0.9, 1e-3, True), lambda: adam(0.8, 0.9, 1e-3, True)
    yield lambda: o.AdamW(RATE), lambda: decayed(adam(), 0.004)
    yield lambda: o.AdamW(RATE, 0.3, 0.8, 0.9, 1e-3, True), lambda: decayed(adam(0.8, 0.9, 1e-3, True), 0.3)
    yield lambda: o.Adamax(RATE), adamax
    yield lambda: o.Adamax(RATE, 0.8, 0.9, 1e-2, weight_decay=0.3), lambda: decayed(adamax(0.8, 0.9, 1e-2), 0.3)
    yield lambda: o.Nadam(RATE), nadam
    yield lambda: o.Nadam(RATE, 0.8, 0.9, 1e-2, weight_decay=0.3), lambda: decayed(nadam(0.8, 0.9, 1e-2), 0.3)
    yield lambda: o.Lion(RATE), lion
    yield lambda: o.Lion(RATE, 0.7, 0.9, weight_decay=0.3), lambda: decayed(lion(0.7, 0.9), 0.3)
    yield lambda: o.RMSprop(RATE), rmsprop
    yield lambda: o.RMSprop(RATE, 0.8, 0.0, 1e-3, True), lambda: rmsprop(0.8, 0.0, 1e-3, True)
    yield lambda: o.RMSprop(RATE, 0.8, 0.7, 1e-3), lambda: rmsprop(0.8, 0.7, 1e-3)
    yield (
        lambda: o.RMSprop(RATE, 0.95, 0.7, 1e-3, True, weight_decay=0.3),
        lambda: decayed(rmsprop(0.95, 0.7, 1e-3, True), 0.3),
    )
    yield lambda: o.Adagrad(RATE), adagrad
    yield lambda: o.Adagrad(RATE, 0.0, 1e-2, weight_decay=0.3), lambda: decayed(adagrad(0.0, 1e-2), 0.3)
    yield lambda: o.Adadelta(RATE), adadelta
    yield lambda: o.Adadelta(RATE, 0.8, 1e-2, weight_decay=0.3), lambda: decayed(adadelta(0.8, 1e-2), 0.3)
    yield lambda: o.Ftrl(RATE), ftrl
    yield lambda: o.Ftrl(RATE, -0.7, 0.2, 0.1, 0.2, 0.3, 0.4), lambda: ftrl(0.7, 0.2, 0.1, 0.2, 0.3, 0.4)
    yield lambda: o.Ftrl(RATE, 0.0, l1_regularization_strength=2.0), lambda: ftrl(0.0, l1=2.0)
    yield lambda: o.Ftrl(RATE, weight_decay=0.3), lambda: decayed(ftrl(), 0.3)


PAIRS = list(pairs())


def name_of(pair: tuple[Callable[[], fastgd.Optimizer], Callable[[], Step]]) -> str:
    config = pair[0]().get_config()
    return f"{config.pop('name')}({','.join(f'{k}={v}' for k, v in config.items() if v is not None)})"


def data() -> tuple[Array, Array, Array, Array]:
    """Return inputs, targets and first weights of a linear model: noise in every batch keeps the gradients."""
    rng = np.random.default_rng(8)
    return (
        rng.normal(size=(STEPS * BATCH, 7)), rng.normal(size=(STEPS * BATCH, 5)),
        rng.normal(size=(7, 5)), rng.normal(size=5),
    )  # fmt: skip


@pytest.mark.parametrize("isa", [*_core.available_isas(), "numpy"])
@pytest.mark.parametrize("pair", PAIRS, ids=name_of)
def test_two_hundred_steps_against_the_formula(pair: Any, isa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    x, t, w, b = data()
    model = fastgd.Sequential([fastgd.Input((7,), dtype="float64"), Dense(5)])
    model.compile(pair[0](), "mse")
    model.set_weights([w, b])
    if isa != "numpy":
        monkeypatch.setenv("FASTGD_ISA", isa)
    with fastgd.backend("numpy" if isa == "numpy" else "native"):
        model.fit(x, t, BATCH, shuffle=False, verbose=0)
    assert model.optimizer.iterations == STEPS
    step_w, step_b = pair[1](), pair[1]()
    for k in range(STEPS):
        rows = slice(k * BATCH, (k + 1) * BATCH)
        error = 2.0 * (x[rows] @ w + b - t[rows]) / t[rows].size
        w, b = step_w(w, x[rows].T @ error, k + 1), step_b(b, error.sum(axis=0), k + 1)
    for got, want in zip(model.get_weights(), (w, b), strict=True):
        tolerances.assert_close(got, want, tolerances.TWO_HUNDRED_UPDATES)


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize("pair", PAIRS, ids=name_of)
def test_gaps_stay_zero(pair: Any, backend: str) -> None:
    # With epsilon 0, where the optimizer has one, a gap would divide zero by zero.
    config = pair[0]().get_config()
    optimizer = type(pair[0]()).from_config({**config, **({"epsilon": 0.0} if "epsilon" in config else {})})
    x, t, w, b = data()
    with fastgd.backend(backend):
        model = fastgd.Sequential([fastgd.Input((7,), dtype="float64"), Dense(5)])
        model.compile(optimizer, "mse")
        model.set_weights([w, b])
        model.fit(x, t, BATCH, shuffle=False, verbose=0)
    assert all(np.isfinite(value).all() for value in model.get_weights())
    for name, slot in optimizer.slots.items():
        assert np.isfinite(slot).all(), name
        assert not slot[35:40].any() and not slot[45:].any(), name


def test_slots_start_where_the_optimizer_says() -> None:
    optimizer = optimizers.Adagrad(initial_accumulator_value=0.25)
    model = fastgd.Sequential([fastgd.Input((7,)), Dense(5)])
    model.compile(optimizer, "mse")
    optimizer.learning_rate = 0.0
    x = np.zeros((2, 7))
    model.train_on_batch(x, model.predict(x, verbose=0))
    np.testing.assert_array_equal(optimizer.slots["a"], [0.25] * 35 + [0.0] * 13 + [0.25] * 5 + [0.0] * 11)


def test_nadam_goes_on_from_any_iteration() -> None:
    x, t, *_ = data()
    weights = []
    for jump in (False, True):
        for backend in runtime.BACKENDS:
            optimizer = optimizers.Nadam(RATE)
            model = fastgd.Sequential([fastgd.Input((7,), dtype="float64"), Dense(5, kernel_initializer="ones")])
            model.compile(optimizer, "mse")
            with fastgd.backend(backend):
                if jump:  # The same executor sees the iteration go back.
                    optimizer.iterations = 1000
                    optimizer.learning_rate = 0.0
                    model.train_on_batch(x, t)
                    optimizer.learning_rate = RATE
                    for slot in optimizer.slots.values():
                        slot[:] = 0.0
                optimizer.iterations = 5
                model.train_on_batch(x, t)
            weights.append(model.get_weights()[0])
    for other in weights[1:]:
        tolerances.assert_close(other, weights[0], tolerances.FIFTY_UPDATES)
