"""Inputs that a `rescale` by two numbers alone reads are scaled as they are gathered, with the bits of the step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tolerances
from fastgd import _core, reference
from fastgd.plan import ParamSpec, Plan, Step, TensorSpec, Term
from native.plans import adam_slots

Array = np.ndarray[Any, Any]

WIDTH, ROWS = 37, 101
SCALE, OFFSET = 1 / 255, -0.4


def scaled_plan(dtype: str = "float32", trainable: bool = False, size: tuple[int, ...] = (1,)) -> Plan:
    """Return x -> rescale -> dense with labels t: outputs y, what the scaling gives, and the logits z."""
    tensors = [("x", (-1, WIDTH)), ("y", (-1, WIDTH)), ("z", (-1, 3)), ("v", (-1,)), ("p", (-1, 3))]
    specs = (*(TensorSpec(name, shape, dtype) for name, shape in tensors), TensorSpec("t", (-1,), "int32"))
    params = (
        ParamSpec("w", (WIDTH, 3)), ParamSpec("b", (3,)),
        ParamSpec("scale", size, trainable), ParamSpec("offset", size, trainable),
    )  # fmt: skip
    axis = {} if size == (1,) else {"axis": 1}
    steps = (
        Step("rescale", ("x",), ("y",), ("scale", "offset"), axis),
        Step("dense", ("y",), ("z",), ("w", "b")),
        Step("sparse_softmax_crossentropy", ("z", "t"), ("v", "p")),
    )
    return Plan(dtype, specs, params, steps, ("x", "t"), ("y", "z"), (Term("loss", "v"),))


def parameters(plan: Plan) -> list[Array]:
    rng = np.random.default_rng(2)
    values = [rng.normal(size=p.shape) for p in plan.params[:2]]
    values += [np.full(p.shape, number) for p, number in zip(plan.params[2:], (SCALE, OFFSET), strict=True)]
    return [value.astype(plan.dtype) for value in values]


def data(kind: str) -> tuple[Array, Array]:
    rng = np.random.default_rng(1)
    x = rng.integers(0, 128, (ROWS, WIDTH)).astype(kind)
    return x, rng.integers(0, 3, ROWS).astype(np.int32)


def unscaled(plan: Plan) -> Plan:
    """Return the plan without its first step, fed with what that gives."""
    tensors = tuple(spec for spec in plan.tensors if spec.name != "x")
    return replace(plan, tensors=tensors, steps=plan.steps[1:], inputs=("y", "t"), outputs=("z",))


def predict(executor: Any, x: Array, widths: tuple[int, ...], dtype: str, batch: int = 16) -> list[Array]:
    outputs = [np.empty((ROWS, width), dtype) for width in widths]
    executor.begin("predict", [x, None], batch, outputs=outputs)
    while executor.advance(100, 1.0):
        pass
    return outputs


def learn(executor: Any, plan: Plan, x: Array, t: Array, seed: int | None) -> tuple[list[Array], Array, Array]:
    params = parameters(plan)
    executor.bind_parameters(params)
    executor.bind_update(*adam_slots(plan))
    for epoch in range(3):
        executor.begin("train", [x, t], 16, shuffle_seed=seed, epoch=epoch, iteration=7 * epoch)
        while executor.advance(100, 1.0, np.array([0.01])):
            pass
    totals = executor.totals()
    executor.begin("evaluate", [x, t], 32)
    while executor.advance(100, 1.0):
        pass
    return params, totals, executor.totals()


@pytest.mark.parametrize("isa", _core.available_isas())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i8", "f2", "f4", "f8", "?"])
def test_scaled_inputs_have_the_bits_of_the_step(kind: str, dtype: str, isa: str) -> None:
    plan = scaled_plan(dtype)
    x, t = data(kind)
    executor = _core.Executor(plan, isa)
    executor.bind_parameters(parameters(plan))
    seen = executor.inspect([x, t], False)
    for odd in (x, np.asfortranarray(x), x[::-1][::-1], np.repeat(x, 2, axis=1)[:, ::2]):
        for batch in (1, 16, ROWS):
            y, z = predict(executor, odd, (WIDTH, 3), dtype, batch)
            np.testing.assert_array_equal(y, seen["y"])
            tolerances.assert_close(z, seen["z"], tolerances.summed(dtype, WIDTH))
    scale, offset = parameters(plan)[2:]
    expected = x.astype(dtype) * scale + offset
    tolerances.assert_close(seen["y"], expected, tolerances.summed(dtype, 2))


@pytest.mark.parametrize("work", ["0", "1", "1e12"])
@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize("threads", [1, 3])
def test_training_on_scaled_inputs(threads: int, seed: int | None, work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTGD_TEAM_WORK", work)
    before = _core.get_num_threads()
    _core.set_num_threads(threads)
    plan = scaled_plan()
    x, t = data("u1")
    executor = _core.Executor(plan)
    executor.bind_parameters(parameters(plan))
    y = executor.inspect([x, t], False)["y"]
    got = learn(_core.Executor(plan), plan, x, t, seed)
    rest = unscaled(plan)
    wanted = learn(_core.Executor(rest), rest, y, t, seed)
    _core.set_num_threads(before)
    for mine, other in zip([*got[0], *got[1:]], [*wanted[0], *wanted[1:]], strict=True):
        np.testing.assert_array_equal(mine, other)
    # The reference knows of no such thing.
    params, totals, evaluated = learn(reference.Executor(scaled_plan("float64")), scaled_plan("float64"), x, t, seed)
    tolerances.assert_close(got[0][0], params[0], tolerances.HISTORY)
    tolerances.assert_close(got[1], totals, tolerances.HISTORY)
    tolerances.assert_close(got[2], evaluated, tolerances.HISTORY)


@pytest.mark.parametrize(("trainable", "size"), [(True, (1,)), (False, (WIDTH,)), (True, (WIDTH,))])
def test_other_scalings_stay_steps(trainable: bool, size: tuple[int, ...]) -> None:
    # Constants along an axis, and trainable ones, which get no gradient but belong to the optimizer.
    plan = scaled_plan("float64", trainable, size)
    x, t = data("u1")
    got, wanted = (learn(kind.Executor(plan), plan, x, t, 5) for kind in (_core, reference))
    for mine, other in zip([*got[0], *got[1:]], [*wanted[0], *wanted[1:]], strict=True):
        tolerances.assert_close(mine, other, tolerances.HISTORY)


def test_an_input_that_others_read_stays_as_it_is() -> None:
    plan = scaled_plan()
    also = replace(plan, outputs=("x", "y"))
    x, _ = data("u1")
    for read in (also, replace(plan, outputs=("y", "z"))):
        executor = _core.Executor(read)
        executor.bind_parameters(parameters(read))
        first, second = predict(executor, x, (WIDTH, WIDTH if read is also else 3), "float32")
        scaled = second if read is also else first
        np.testing.assert_allclose(scaled, x * np.float32(SCALE) + np.float32(OFFSET), rtol=1e-6, atol=1e-6)
        if read is also:
            np.testing.assert_array_equal(first, x)


def test_half_precision_is_widened_exactly() -> None:
    # Every number of 16 bits: those below the normal ones, infinities and NaN too.
    bits = np.arange(1 << 16, dtype=np.uint16)
    x = bits.view(np.float16).reshape(-1, 64)
    plan = Plan("float32", (TensorSpec("x", (-1, 64), "float32"),), (), (), ("x",), ("x",))
    for isa in _core.available_isas():
        executor = _core.Executor(plan, isa)
        executor.bind_parameters([])
        out = np.empty(x.shape, np.float32)
        executor.begin("predict", [x], 10, outputs=[out])
        while executor.advance(1000, 1.0):
            pass
        np.testing.assert_array_equal(out, x.astype(np.float32))
        np.testing.assert_array_equal(np.signbit(out), np.signbit(x))
    assert not _core.all_finite(x) and not _core.all_finite(x[:, ::2])
    assert _core.all_finite(x[np.isfinite(x).all(axis=1)])
