"""The native executor against the reference over whole epochs, and its manners towards data, threads and callers."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tolerances
from fastgd import _core, reference
from fastgd.plan import Plan, Step, TensorSpec, UpdateSpec
from native.plans import adam_slots, classifier, random_params, train

Array = np.ndarray[Any, Any]


def data(rows: int = 333, width: int = 19, classes: int = 5) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, width)).astype(np.float32), rng.integers(0, classes, rows).astype(np.int32)


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set the number of threads, with every step shared out however small it is."""
    before = _core.get_num_threads()
    monkeypatch.setenv("FASTGD_TEAM_WORK", "0")
    yield _core.set_num_threads
    _core.set_num_threads(before)


# Widths that end within a vector of any tier, and widths that end with one.
@pytest.mark.parametrize("widths", [(19, 33, 17, 5), (19, 48, 24, 20, 10, 5)])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_follows_the_reference(dtype: str, dropout: float, widths: tuple[int, ...]) -> None:
    plan = classifier(widths, dtype, "tanh", dropout)
    x, t = data()
    native, native_totals = train(_core.Executor(plan), plan, x, t, epochs=3)
    expected, totals = train(reference.Executor(plan), plan, x, t, epochs=3)
    tolerances.assert_close(native_totals, totals, tolerances.HISTORY)
    # Adam divides by the root of its second moment, so that roundings of small gradients grow to full steps.
    for a, b in zip(native, expected, strict=True):
        tolerances.assert_close(a, b, 1e-3 if dtype == "float32" else 1e-9)


@pytest.mark.parametrize("batch", [1, 2, 9])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_one_kernel_twice_gathers_both_gradients(dtype: str, batch: int) -> None:
    # A batch of one makes the second gradient add to the first row by row; 149 columns end within a vector.
    plan = classifier((35, 149, 149, 149, 5), dtype, "tanh")
    steps = tuple(replace(s, params=("w1", "b1")) if s.params == ("w2", "b2") else s for s in plan.steps)
    plan = replace(plan, steps=steps, params=tuple(p for p in plan.params if p.name not in ("w2", "b2")))
    x, t = data(20, 35)
    native, native_totals = train(_core.Executor(plan), plan, x, t, epochs=2, batch=batch)
    expected, totals = train(reference.Executor(plan), plan, x, t, epochs=2, batch=batch)
    tolerances.assert_close(native_totals, totals, tolerances.HISTORY)
    for a, b in zip(native, expected, strict=True):
        tolerances.assert_close(a, b, 1e-3 if dtype == "float32" else 1e-9)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_groups_of_samples_follow_the_reference(threads: int, dropout: float, monkeypatch: pytest.MonkeyPatch) -> None:
    # Batches of 150 in eight groups of 18 or 19 samples, and a rest of 33 in two.
    monkeypatch.setenv("FASTGD_TEAM_WORK", "1")
    before = _core.get_num_threads()
    _core.set_num_threads(threads)
    plan = classifier((19, 33, 17, 5), "float64", "tanh", dropout)
    x, t = data()
    native, native_totals = train(_core.Executor(plan), plan, x, t, epochs=3, batch=150)
    expected, totals = train(reference.Executor(plan), plan, x, t, epochs=3, batch=150)
    _core.set_num_threads(before)
    tolerances.assert_close(native_totals, totals, tolerances.HISTORY)
    for a, b in zip(native, expected, strict=True):
        tolerances.assert_close(a, b, 1e-9)


def test_groups_of_samples_add_up_their_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    # One step of plain descent: only a gradient of all samples gives the weights of the whole batch.
    plan = classifier((7, 9, 4), "float64", "tanh")
    x, t = data(64, 7, 4)
    results = []
    for work in ("0", "1"):
        monkeypatch.setenv("FASTGD_TEAM_WORK", work)
        executor, params = _core.Executor(plan), random_params(plan)
        executor.bind_parameters(params)
        executor.bind_update(UpdateSpec("sgd"), [])
        executor.begin("train", [x, t], 64)
        executor.advance(1, 1e9, np.array([0.5]))
        results.append((params, executor.totals()))
    (whole, whole_totals), (grouped, grouped_totals) = results
    tolerances.assert_close(grouped_totals, whole_totals, tolerances.HISTORY)
    assert not all(np.array_equal(a, b) for a, b in zip(whole, grouped, strict=True)), "no groups were formed"
    for a, b in zip(grouped, whole, strict=True):
        tolerances.assert_close(a, b, 1e-12)


@pytest.mark.parametrize("batch", [36, 150, 600])
@pytest.mark.parametrize("limit", [{}, {"global_clipnorm": 0.1}], ids=["bare", "clipped"])
def test_the_number_of_threads_changes_no_bit_of_groups(
    batch: int, limit: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two, eight and thirty-two groups, whose gradients threads add up alone as far as they have made them.
    monkeypatch.setenv("FASTGD_TEAM_WORK", "1")
    plan = classifier((7, 33, 4), "float32", "tanh")
    x, t = data(2 * batch, 7, 4)
    before, results = _core.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 4, 5, 7):
            _core.set_num_threads(threads)
            executor, params = _core.Executor(plan), random_params(plan)
            executor.bind_parameters(params)
            spec, slots = adam_slots(plan)
            executor.bind_update(replace(spec, hyper={**spec.hyper, **limit}), slots)
            for epoch in range(2):
                executor.begin("train", [x, t], batch, iteration=2 * epoch)
                executor.advance(2, 1e9, np.array([0.01]))
            results.append([*params, executor.totals()])
    finally:
        _core.set_num_threads(before)
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(other, results[0], strict=True))


def test_groups_of_many_samples_may_have_large_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    # 620 KB of gradients: two groups of 160 and 161 samples, and a rest that is not grouped.
    plan = classifier((256, 400, 130, 4), "float32", "tanh")
    x, t = data(500, 256, 4)
    before, results = _core.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            _core.set_num_threads(threads)
            native, totals = train(_core.Executor(plan), plan, x, t, epochs=2, batch=321)
            results.append([*native, totals])
    finally:
        _core.set_num_threads(before)
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(other, results[0], strict=True))
    monkeypatch.setenv("FASTGD_TEAM_WORK", "0")
    whole, _ = train(_core.Executor(plan), plan, x, t, epochs=2, batch=321)
    assert not all(np.array_equal(a, b) for a, b in zip(whole, results[0], strict=False)), "no groups were formed"
    expected, totals = train(reference.Executor(plan), plan, x, t, epochs=2, batch=321)
    tolerances.assert_close(results[0][-1], totals, 1e-5)
    for a, b in zip(results[0], expected, strict=False):
        # Adam's first steps hang on the sign alone of gradients near zero.
        assert np.mean(np.abs(a - b) > 1e-5) < 1e-3


def test_samples_that_hang_together_are_not_parted(monkeypatch: pytest.MonkeyPatch) -> None:
    # Every row of x x' x has a part of every sample.
    tensors = tuple(TensorSpec(name, (-1, size), "float64") for name, size in (("x", 3), ("xx", -1), ("y", 3)))
    steps = (Step("matmul", ("x", "x"), ("xx",), (), {"transpose_b": True}), Step("matmul", ("xx", "x"), ("y",)))
    plan = Plan("float64", tensors, (), steps, ("x",), ("y",))
    x = np.random.default_rng(0).normal(size=(64, 3))
    monkeypatch.setenv("FASTGD_TEAM_WORK", "1")
    executor = _core.Executor(plan)
    executor.bind_parameters([])
    out = np.empty((64, 3))
    executor.begin("predict", [x], 64, outputs=[out])
    executor.advance(1, 1e9)
    tolerances.assert_close(out, x @ x.T @ x, 1e-12)


# In the wide layer each thread has columns of the gradient, and copies the rows that they are made from.
@pytest.mark.parametrize(
    "widths", [(19, 130, 70, 5), (1100, 130, 70, 5), (1024, 1100, 5)], ids=["whole sums", "sums in parts", "wide"]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_number_of_threads_changes_no_bit(dtype: str, widths: tuple[int, ...], threads: Any) -> None:
    plan = classifier(widths, dtype, "relu", 0.3)
    x, t = data(width=widths[0])
    results = []
    for n in (1, 2, 3, 4, 7):
        threads(n)
        params, totals = train(_core.Executor(plan), plan, x, t)
        results.append((n, params, totals))
    _, params, totals = results[0]
    for n, others, other_totals in results[1:]:
        assert np.array_equal(totals, other_totals), n
        assert all(np.array_equal(a, b) for a, b in zip(params, others, strict=True)), n


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x.astype(np.float64),
        lambda x: np.asfortranarray(x),
        lambda x: np.repeat(x, 2, axis=0)[::2],
        lambda x: np.repeat(x, 3, axis=1)[:, ::3],
        lambda x: x[::-1][::-1],
        lambda x: np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape),
    ],
    ids=["float64", "fortran", "row stride", "column stride", "reversed twice", "unaligned"],
)
def test_data_of_any_layout_gives_the_same_bits(convert: Any) -> None:
    plan = classifier((19, 8, 5))
    x, t = data()
    expected, totals = train(_core.Executor(plan), plan, x, t)
    odd = convert(x)
    before = odd.copy()
    got, got_totals = train(_core.Executor(plan), plan, odd, t)
    assert np.array_equal(odd, before)
    assert np.array_equal(totals, got_totals)
    assert all(np.array_equal(a, b) for a, b in zip(expected, got, strict=True))


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "?"])
def test_every_numeric_type_is_converted_at_the_gather(dtype: str) -> None:
    plan = classifier((4, 3))
    rng = np.random.default_rng(1)
    x = rng.integers(0, 2 if dtype == "?" else 100, (11, 4)).astype(dtype)
    params = random_params(plan)
    executor = _core.Executor(plan)
    executor.bind_parameters(params)
    out = np.empty((11, 3), np.float32)
    executor.begin("predict", [x, None], 4, outputs=[out])
    while executor.advance(100, 1.0):
        pass
    tolerances.assert_close(out, x.astype(np.float32) @ params[0] + params[1], tolerances.summed("float32", 4))


@pytest.mark.parametrize(
    "array", [np.zeros((3, 4), ">f4"), np.zeros((3, 4), "g"), np.zeros((3, 4), object), np.zeros((3, 4), complex)]
)
def test_other_types_are_refused_by_name(array: Array) -> None:
    plan = classifier((4, 3))
    executor = _core.Executor(plan)
    executor.bind_parameters(random_params(plan))
    with pytest.raises(ValueError, match="`x` must be an array of float16, float32, float64"):
        executor.begin("evaluate", [array, np.zeros(3, np.int32)], 2)


def test_misuse_is_an_error() -> None:
    plan = classifier((4, 3))
    x, t = np.zeros((3, 4), np.float32), np.zeros(3, np.int32)
    executor = _core.Executor(plan)
    with pytest.raises(RuntimeError, match="call begin first"):
        executor.advance(1, 1.0)
    with pytest.raises(RuntimeError, match="call bind_parameters first"):
        executor.begin("evaluate", [x, t], 2)
    executor.bind_parameters(random_params(plan))
    with pytest.raises(RuntimeError, match="call bind_update first"):
        executor.begin("train", [x, t], 2)
    with pytest.raises(ValueError, match="`batch_size` must be at least 1. Received: batch_size=0"):
        executor.begin("evaluate", [x, t], 0)
    with pytest.raises(ValueError, match="same number of rows"):
        executor.begin("evaluate", [x, t[:2]], 2)
    with pytest.raises(ValueError, match=r"takes samples of shape \(4,\). Received: \(5,\)"):
        executor.begin("evaluate", [np.zeros((3, 5), np.float32), t], 2)
    with pytest.raises(ValueError, match="is needed but no array was given"):
        executor.begin("evaluate", [x, None], 2)
    read_only = random_params(plan)
    read_only[0].flags.writeable = False
    with pytest.raises(ValueError, match="`w0` must be writeable"):
        executor.bind_parameters(read_only)
    executor.bind_update(*adam_slots(plan))
    executor.begin("train", [x, t], 1)
    with pytest.raises(ValueError, match="`learning_rates` must hold one rate, or one per batch"):
        executor.advance(3, 1.0, np.array([0.1, 0.2]))


@pytest.mark.parametrize("threads", [1, 2])
def test_training_gives_the_outputs_before_each_update(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # In groups of samples, and in one whole batch where the shuffle leaves a rest.
    monkeypatch.setenv("FASTGD_TEAM_WORK", "1")
    before = _core.get_num_threads()
    _core.set_num_threads(threads)
    plan = classifier((19, 33, 5), "float64", "tanh")
    assert plan.outputs
    x, t = data()
    seen = []
    for make in (_core.Executor, reference.Executor):
        params, (spec, slots) = random_params(plan), adam_slots(plan)
        executor = make(plan)
        executor.bind_parameters(params)
        executor.bind_update(spec, slots)
        outputs = [np.empty((333, plan.tensor(name).shape[1])) for name in plan.outputs]
        executor.begin("train", [x, t], 150, shuffle_seed=3, outputs=outputs)
        while executor.advance(1, 10.0, np.array([0.1])):
            continue
        seen.append([*outputs, *params])
        with pytest.raises(ValueError, match="outputs"):
            executor.begin("evaluate", [x, t], 150, outputs=outputs)
    _core.set_num_threads(before)
    for a, b in zip(*seen, strict=True):
        tolerances.assert_close(a, b, 1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_updates_by_given_gradients(dtype: str, threads: Any) -> None:
    plan = classifier((19, 33, 5), dtype, "tanh")
    rng = np.random.default_rng(2)
    steps = [[rng.normal(size=spec.shape).astype(dtype) for spec in plan.params] for _ in range(4)]
    kept = [[gradient.copy() for gradient in gradients] for gradients in steps]
    seen = []
    for count, make in ((1, _core.Executor), (3, _core.Executor), (1, reference.Executor)):
        threads(count)
        params, (spec, slots) = random_params(plan), adam_slots(plan)
        executor = make(plan)
        executor.bind_parameters(params)
        spec = UpdateSpec(spec.rule, {**spec.hyper, "global_clipnorm": 0.5, "weight_decay": 0.01}, spec.slots)
        executor.bind_update(spec, slots)
        for k, gradients in enumerate(steps):
            executor.update(gradients, 0.05, k)
        seen.append([*params, *slots])
        with pytest.raises(ValueError, match="gradients"):
            executor.update(steps[0][1:], 0.05, 4)
        with pytest.raises(ValueError, match="must"):
            executor.update([g[:1] for g in steps[0]], 0.05, 4)
    for a, b in zip(seen[0], seen[1], strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(seen[0], seen[2], strict=True):
        tolerances.assert_close(a, b, 1e-5 if dtype == "float32" else 1e-12)
    for given, before in zip(steps, kept, strict=True):
        for a, b in zip(given, before, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_run_stops_in_time() -> None:
    plan = classifier((256, 256, 5))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20000, 256)).astype(np.float32)
    t = rng.integers(0, 5, 20000).astype(np.int32)
    executor = _core.Executor(plan)
    executor.bind_parameters(random_params(plan))
    executor.bind_update(*adam_slots(plan))
    executor.begin("train", [x, t], 8)
    done = executor.advance(10**9, 0.01, np.array([1e-3]))
    assert 0 < done < 2500


@pytest.mark.usefixtures("_interruptible")
def test_ctrl_c_ends_a_run() -> None:
    plan = classifier((512, 512, 512, 5))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60000, 512)).astype(np.float32)
    t = rng.integers(0, 5, 60000).astype(np.int32)
    executor = _core.Executor(plan)
    params = random_params(plan)
    executor.bind_parameters(params)
    executor.bind_update(*adam_slots(plan))
    executor.begin("train", [x, t], 64)
    timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        executor.advance(10**9, 1e9, np.array([1e-3]))
    timer.join()
    assert 0 < executor.iteration < 60000 // 64
    assert all(np.isfinite(p).all() for p in params)
    # The executor runs on, and a new run starts clean.
    assert executor.advance(1, 1e9, np.array([1e-3])) == 1
    executor.begin("evaluate", [x[:64], t[:64]], 64)
    assert executor.advance(1, 1.0) == 1


def test_a_forked_child_runs_on_one_thread(threads: Any) -> None:
    threads(2)
    plan = classifier((19, 130, 5))
    x, t = data()
    executor = _core.Executor(plan)
    expected, _ = train(executor, plan, x, t)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            got, _ = train(executor, plan, x, t)
            same = all(np.array_equal(a, b) for a, b in zip(expected, got, strict=True))
            code = 0 if same and _core.get_num_threads() == 1 else 2
        finally:
            os._exit(code)
    deadline = time.monotonic() + 30
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            break
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            pytest.fail("the forked child hangs")
        time.sleep(0.01)
    assert os.waitstatus_to_exitcode(status) == 0


def test_many_threads_may_share_one_executor() -> None:
    plan = classifier((19, 64, 5))
    x, t = data()
    executor = _core.Executor(plan)
    executor.bind_parameters(random_params(plan))
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(20):
                executor.inspect([x, t])
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert not failures


def test_permutations_agree() -> None:
    from fastgd.reference.random import permutation

    for n in (1, 2, 7, 1000):
        order = _core.permutation(n, 2**63 + 17, 3)
        assert sorted(order) == list(range(n))
        assert np.array_equal(order, permutation(n, 2**63 + 17, 3))
