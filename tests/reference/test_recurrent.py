"""The recurrent ops of the reference: masks, directions and states against simpler runs of the same step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cases import RECURRENT
from fastgd import ops
from fastgd.ops.builder import PlanBuilder
from fastgd.ops.parameters import Variable
from fastgd.plan import ParamSpec, Plan, Step, TensorSpec
from fastgd.reference import Executor

Array = np.ndarray[Any, Any]
N, T, U, I = 3, 5, 2, 4  # noqa: E741
SAME = 1e-12


def random(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def weights(gates: int, own: dict[str, Any]) -> list[Array]:
    bias = (2, gates * U) if own.get("reset_after") else (gates * U,)
    return [random(k, *shape) for k, shape in enumerate(((I, gates * U), (U, gates * U), bias))]


def run(op: str, gates: int, states: int, x: Array, *rest: Array, **attrs: Any) -> list[Array]:
    """Return all outputs for one batch."""
    t = x.shape[1]
    inputs = [TensorSpec(f"x{k}", (-1, *feed.shape[1:]), "float64") for k, feed in enumerate((x, *rest))]
    y = (-1, t, U) if attrs.get("return_sequences") else (-1, U)
    outputs = [TensorSpec(f"y{k}", s, "float64") for k, s in enumerate((y, *[(-1, U)] * states))]
    arrays = weights(gates, attrs)
    params = tuple(ParamSpec(f"w{k}", w.shape) for k, w in enumerate(arrays))
    names = tuple(tuple(spec.name for spec in group) for group in (inputs, outputs, params))
    plan = Plan(
        "float64", (*inputs, *outputs), params, (Step(op, names[0], names[1], names[2], attrs),), names[0], names[1]
    )
    executor = Executor(plan)
    executor.bind_parameters(arrays)
    seen = executor.inspect([x, *rest])
    return [seen[name] for name in names[1]]


@pytest.mark.parametrize(("op", "gates", "states", "own"), RECURRENT)
def test_skipped_steps_are_as_if_they_were_not_there(op: str, gates: int, states: int, own: dict[str, Any]) -> None:
    x, kept = random(7, 1, T, I), np.array([[0.0, 1.0, 0.0, 2.0, 0.0]])
    short = run(op, gates, states, x[:, [1, 3]], return_sequences=True, **own)
    y, *final = run(op, gates, states, x, kept, return_sequences=True, masked=True, **own)
    first, second = short[0][0]
    np.testing.assert_allclose(y[0], [np.zeros(U), first, first, second, second], atol=SAME)
    for state, expected in zip(final, short[1:], strict=True):
        np.testing.assert_allclose(state, expected, atol=SAME)
    zeroed = run(op, gates, states, x, kept, return_sequences=True, masked=True, zero_output_for_mask=True, **own)
    np.testing.assert_allclose(zeroed[0][0], [0 * first, first, 0 * first, second, 0 * first], atol=SAME)
    last = run(op, gates, states, x, kept, masked=True, zero_output_for_mask=True, **own)
    assert not last[0].any()
    assert last[1].any()


@pytest.mark.parametrize(("op", "gates", "states", "own"), RECURRENT)
def test_directions_states_and_factors(op: str, gates: int, states: int, own: dict[str, Any]) -> None:
    x = random(7, N, T, I)
    back = run(op, gates, states, x[:, ::-1].copy(), go_backwards=True, return_sequences=True, **own)
    whole = run(op, gates, states, x, return_sequences=True, **own)
    head = run(op, gates, states, x[:, :2].copy(), **own)
    tail = run(op, gates, states, x[:, 2:].copy(), *head[1:], initial_state=True, **own)
    ones = run(op, gates, states, x, np.ones((N, U)), recurrent_dropout=True, return_sequences=True, **own)
    none = run(op, gates, states, x, np.zeros((N, U)), recurrent_dropout=True, return_sequences=True, **own)
    for part, expected in zip((*back, *ones), (*whole, *whole), strict=True):
        np.testing.assert_allclose(part, expected, atol=SAME)
    np.testing.assert_allclose(tail[0], whole[0][:, -1], atol=SAME)
    np.testing.assert_allclose(tail[1], whole[1], atol=SAME)
    np.testing.assert_allclose(none[0][:, 0], whole[0][:, 0], atol=SAME)
    assert np.abs(none[0][:, 1] - whole[0][:, 1]).max() > 0.01


@pytest.mark.parametrize(("op", "gates", "states", "own"), RECURRENT)
def test_stored_states_live_from_batch_to_batch_in_every_run(
    op: str, gates: int, states: int, own: dict[str, Any]
) -> None:
    stored = [Variable(np.zeros((N, U)), "state", "float64", trainable=False) for _ in range(states)]
    builder = PlanBuilder("float64")
    x = builder.input("x", (-1, 2, I))
    arguments = {"reset_after": own["reset_after"]} if own else {}
    y = getattr(ops, op)(x, *weights(gates, own), stored=stored, **arguments)
    executor = Executor(builder.build(y))
    executor.bind_parameters([variable.value for variable in builder.variables])
    data = random(7, N, 6, I)
    first, second, third = (np.ascontiguousarray(data[:, k : k + 2]) for k in (0, 2, 4))
    got = [np.empty((2 * N, U)) for _ in y]
    executor.begin("predict", [np.concatenate([first, second])], N, outputs=got)
    executor.advance(2, 1.0)
    whole = run(op, gates, states, data[:, :4].copy(), **own)
    for value, variable, expected in zip(got[1:], stored, whole[1:], strict=True):
        np.testing.assert_allclose(value[N:], expected, atol=SAME)
        np.testing.assert_allclose(variable.value, expected, atol=SAME)
    # `inspect` reads them and leaves them alone.
    before = [variable.numpy() for variable in stored]
    seen = executor.inspect([third])
    np.testing.assert_allclose(seen[y[0].name], run(op, gates, states, data, **own)[0], atol=SAME)
    for variable, value in zip(stored, before, strict=True):
        np.testing.assert_array_equal(variable.value, value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation": "gelu"}, "derivative"),
        ({"activation": "softmax"}, "element by element"),
        ({"masked": True}, "takes 2 inputs"),
        ({"use_bias": False}, "2 parameters"),
    ],
)
def test_wrong_attributes(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"\\[lstm\\].*{message}"):
        run("lstm", 4, 2, random(1, N, T, I), **change)


def test_wrong_shapes() -> None:
    with pytest.raises(ValueError, match="x must have"):
        run("lstm", 4, 2, random(1, N, 0, I))
    with pytest.raises(ValueError, match="the kernel must have"):
        run("lstm", 4, 2, random(1, N, T, I + 1))
    with pytest.raises(ValueError, match="the mask must have"):
        run("lstm", 4, 2, random(1, N, T, I), random(1, N, T + 1), masked=True)
    with pytest.raises(ValueError, match="each state must have"):
        run("simple_rnn", 1, 1, random(1, N, T, I), random(1, N, U + 1), initial_state=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel": np.zeros((I, 3 * U))}, "`kernel` must have the shape"),
        ({"bias": np.zeros(U)}, "`bias` must have the shape"),
        ({"x": "whole"}, "steps, features"),
        ({"h": "state"}, "all initial states"),
        ({"mask": "state"}, "the mask \\(batch, 5\\)"),
        ({"factors": "x"}, "factors must be"),
        ({"activation": "elu"}, "not a known function of lstm"),
        ({"recurrent_activation": "gelu"}, "not a known function of lstm"),
        ({"stored": [Variable(np.zeros((N, U)), "h", "float64", trainable=False)]}, "takes 2 variables"),
        ({"stored": [Variable(np.zeros((N, U)), "h", "float64")] * 2}, "cannot store"),
    ],
)
def test_wrong_arguments_of_the_function(change: dict[str, Any], message: str) -> None:
    builder = PlanBuilder("float64")
    tensors = {
        "x": builder.input("x", (-1, T, I)),
        "state": builder.input("state", (-1, U)),
        "whole": builder.input("whole", (-1, I)),
    }
    kernel, recurrent, bias = weights(4, {})
    arguments = {"x": tensors["x"], "kernel": kernel, "recurrent_kernel": recurrent, "bias": bias}
    arguments |= {k: tensors[v] if isinstance(v, str) and v in tensors else v for k, v in change.items()}
    with pytest.raises(ValueError, match=message):
        ops.lstm(**arguments)  # type: ignore[arg-type]


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


@pytest.mark.parametrize(("op", "gates", "states", "own"), RECURRENT)
def test_steps_by_hand(op: str, gates: int, states: int, own: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    # One sample, one input and one unit: plain numbers, gate by gate.
    for name in ("U", "I"):
        monkeypatch.setitem(globals(), name, 1)
    w, r, b = (array.ravel() for array in weights(gates, own))
    x = random(9, 1, 3, 1)
    h = c = 0.0
    for v in x.ravel():
        if op == "simple_rnn":
            h = math.tanh(v * w[0] + h * r[0] + b[0])
        elif op == "lstm":
            i, f, g, o = (v * w[k] + h * r[k] + b[k] for k in range(4))
            c = sigmoid(f) * c + sigmoid(i) * math.tanh(g)
            h = sigmoid(o) * math.tanh(c)
        elif own["reset_after"]:
            z, q = (sigmoid(v * w[k] + b[k] + h * r[k] + b[3 + k]) for k in range(2))
            h = z * h + (1 - z) * math.tanh(v * w[2] + b[2] + q * (h * r[2] + b[5]))
        else:
            z, q = (sigmoid(v * w[k] + b[k] + h * r[k]) for k in range(2))
            h = z * h + (1 - z) * math.tanh(v * w[2] + b[2] + q * h * r[2])
    found = run(op, gates, states, x, **own)
    np.testing.assert_allclose([y.item() for y in found], [h, h, c][: 1 + states], atol=SAME)
