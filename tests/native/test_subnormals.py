"""Numbers below the smallest normal one: zero while the engine trains, numbers like others everywhere else."""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
import signal
import sys
import threading
from typing import Any

import numpy as np
import pytest

import fastgd
from fastgd import _core, kernels, layers
from fastgd.plan import UpdateSpec
from native.plans import adam_slots, classifier, random_params

Array = np.ndarray[Any, Any]


@pytest.fixture(params=[1, 3])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Share out every instruction, however small, among so many threads."""
    before = _core.get_num_threads()
    monkeypatch.setenv("FASTGD_TEAM_WORK", "0")
    _core.set_num_threads(request.param)
    yield request.param
    _core.set_num_threads(before)


def normal(values: Array) -> bool:
    """Whether all values are zero or normal; told by their bits, whatever the processor makes of subnormals."""
    exponents = values.view(np.int32) >> 23 & 0xFF if values.itemsize == 4 else values.view(np.int64) >> 52 & 0x7FF
    return bool(((exponents != 0) | (values == 0)).all())


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("at_once", [False, True], ids=["pass by pass", "at once"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_moments_that_no_gradient_feeds_do_not_end_among_them(dtype: str, at_once: bool) -> None:
    # 0.6 times the smallest subnormal number is rounded to that number again: a moment would never leave it.
    plan = classifier((70, 33, 4), dtype, "tanh")
    executor, params = _core.Executor(plan), random_params(plan)
    spec, slots = adam_slots(plan)
    executor.bind_parameters(params)
    executor.bind_update(UpdateSpec(spec.rule, {**spec.hyper, "beta_1": 0.6}, spec.slots), slots)
    rng = np.random.default_rng(3)
    x, t = rng.normal(size=(20, 70)).astype(dtype), rng.integers(0, 4, 20).astype(np.int32)
    executor.begin("train", [x, t], 20)
    executor.advance(1, 1e9, np.array([1e-3]))
    of_kernel = slots[0][: params[0].size]
    assert np.count_nonzero(of_kernel) == params[0].size
    x[:] = 0
    steps = 300 if dtype == "float32" else 1800
    executor.begin("train", [x, t], 20, None, 1, executor.iteration)
    if at_once:
        assert executor.run_passes(steps, 1e9, 1e-3) == steps
    else:
        for step in range(steps):
            executor.begin("train", [x, t], 20, None, 1 + step, executor.iteration)
            executor.advance(1, 1e9, np.array([1e-3]))
    # Without fused multiply-adds, 0.4 m is zero before m is.
    assert np.abs(of_kernel).max() <= 2.5 * np.finfo(dtype).tiny
    assert all(normal(a) for a in (*params, *slots))


@pytest.mark.usefixtures("threads")
def test_gradients_of_others_are_applied_in_the_same_way() -> None:
    plan = classifier((70, 33, 4))
    executor = _core.Executor(plan)
    params = [np.full_like(p, 1e-40) for p in random_params(plan)]
    spec, slots = adam_slots(plan)
    executor.bind_parameters(params)
    executor.bind_update(spec, slots)
    executor.update([np.zeros_like(p) for p in params], 1e-3, 0)
    assert all(np.count_nonzero(p) == 0 for p in params)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64") or sys.platform != "linux", reason="reads MXCSR")
@pytest.mark.usefixtures("threads")
def test_a_team_computes_as_its_caller() -> None:
    # fenv_t of x86-64 ends with MXCSR, in which bits 15 and 6 make subnormals zero.
    library, environment = ctypes.CDLL(ctypes.util.find_library("m")), ctypes.create_string_buffer(32)
    assert library.fegetenv(environment) == 0
    before, own = environment.raw, bytearray(environment.raw)
    own[28:32] = (int.from_bytes(own[28:32], "little") | 1 << 15 | 1 << 6).to_bytes(4, "little")
    w = np.full(1_000_000, 1e-40, np.float32)
    g, kept = np.zeros_like(w), w.copy()
    try:
        kernels.sgd_update(kept, g)
        assert library.fesetenv(ctypes.create_string_buffer(bytes(own), 32)) == 0
        kernels.sgd_update(w, g)
    finally:
        library.fesetenv(ctypes.create_string_buffer(before, 32))
    assert np.count_nonzero(kept) == kept.size
    assert np.count_nonzero(w) == 0


@pytest.mark.usefixtures("threads")
@pytest.mark.skipif(_core.build_info()["openmp"] != "libgomp", reason="calls libgomp")
def test_threads_of_a_team_are_left_as_they_were() -> None:
    seen: list[bool] = []
    plan = classifier((70, 33, 4))
    x, t = np.ones((20, 70), np.float32), np.zeros(20, np.int32)

    def train_and_look() -> None:
        # A thread of its own has a team of its own, which begins while it trains.
        executor, params = _core.Executor(plan), random_params(plan)
        executor.bind_parameters(params)
        executor.bind_update(*adam_slots(plan))
        executor.begin("train", [x, t], 20)
        executor.run_passes(3, 1e9, 1e-3)
        look = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(lambda _: seen.append(halves()))
        ctypes.CDLL("libgomp.so.1").GOMP_parallel(look, None, 3, 0)

    thread = threading.Thread(target=train_and_look)
    thread.start()
    thread.join()
    assert seen == [True] * 3


def halves() -> bool:
    return bool(np.float32(1e-40) * np.float32(0.5) > 0)


class Looking(layers.NumpyLayer, abstract=True):
    """A layer that looks whether it may compute with subnormal numbers."""

    seen: list[bool]

    def forward(self, x: Array) -> Array:
        self.seen.append(halves())
        return x

    def backward(self, dy: Array, y: Array, x: Array) -> Any:
        self.seen.append(halves())
        return (dy,)


def test_functions_of_the_user_compute_with_them() -> None:
    looking = Looking()
    looking.seen = []
    model = fastgd.Sequential([fastgd.Input((3,)), layers.Dense(4), looking, layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3)), np.ones((8, 2)), batch_size=4, epochs=2, verbose=0)
    assert looking.seen.count(True) == len(looking.seen) >= 8
    assert halves()


def test_signal_handlers_compute_with_them() -> None:
    seen: list[bool] = []
    plan = classifier((200, 200, 5))
    executor, params = _core.Executor(plan), random_params(plan)
    executor.bind_parameters(params)
    executor.bind_update(*adam_slots(plan))
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(2000, 200)).astype(np.float32), rng.integers(0, 5, 2000).astype(np.int32)
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(halves()))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        executor.begin("train", [x, t], 50)
        # Long enough for the handler to run while the engine does.
        executor.run_passes(10**9, 0.3, 1e-4)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert seen == [True]
