"""What every regularizer and constraint must do: keep its formula in every form, its config, and refuse wrong input."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from cases import ClassCase, constraint_cases, regularizer_cases
from contract.registered import make, round_trips
from fastgd import _core, constraints, ops, reference, regularizers, runtime
from fastgd.constraints import native_spec
from fastgd.ops.builder import PlanBuilder
from fastgd.ops.parameters import Variable
from fastgd.plan import ParamSpec, Plan, Step, TensorSpec, Term, UpdateSpec
from fastgd.regularizers import L1, L1L2, L2, OrthogonalRegularizer, lower_weight

Array = np.ndarray[Any, Any]

REGULARIZERS = list(regularizer_cases())
CONSTRAINTS = list(constraint_cases())
TIERS = _core.available_isas()
SHAPE = (67, 21)


def penalty_of(regularizer: Any, x: Array) -> float:
    """The penalty, written out over the elements or the pairs of vectors."""
    if isinstance(regularizer, L1L2):
        return float(sum(regularizer.l1 * abs(e) + regularizer.l2 * e * e for e in x.ravel().tolist()))
    vectors = x if regularizer.mode == "rows" else x.T
    units = [v / np.linalg.norm(v) for v in vectors]
    return regularizer.factor * float(np.mean([abs(np.dot(a, b)) for a, b in combinations(units, 2)]))


@pytest.mark.parametrize("case", REGULARIZERS, ids=lambda c: c.id)
def test_a_penalty_is_the_same_of_arrays_weights_and_tensors(case: ClassCase, rng: np.random.Generator) -> None:
    regularizer = make("regularizer", case)
    x = rng.normal(size=SHAPE)
    expected = penalty_of(regularizer, x)
    tolerances.assert_close(regularizer(x), expected, 1e-12)
    assert regularizer(x.astype(np.float32)).dtype == np.float32
    builder = PlanBuilder("float64")
    rows = builder.input("rows", (-1,))
    value = lower_weight(regularizer, builder, Variable(x, "w", "float64"))
    assert value.dims == (1,)
    plan = builder.build()
    for isa in TIERS:
        executor = _core.Executor(plan, isa)
        executor.bind_parameters([v.value for v in builder.variables])
        tolerances.assert_close(executor.inspect([np.zeros(3)])[value.name], [expected], 1e-12)
    assert rows.name == "rows"
    # As a penalty on a tensor: per sample, or one value.
    for backend in runtime.BACKENDS:
        with fastgd.backend(backend):
            if isinstance(regularizer, L1L2):
                values = ops.penalty(x, regularizer.l1, regularizer.l2)
                assert values.shape == (len(x),)
            else:
                values = ops.orthogonality(x, regularizer.factor, regularizer.mode)
            tolerances.assert_close(values.sum(), expected, 1e-12)


@pytest.mark.parametrize("case", REGULARIZERS, ids=lambda c: c.id)
def test_config_round_trip_of_regularizers(case: ClassCase, rng: np.random.Generator) -> None:
    regularizer, x = make("regularizer", case), rng.normal(size=SHAPE)
    for way, again in round_trips("regularizer", regularizer):
        assert again(x) == regularizer(x), way
    again = regularizers.deserialize(regularizers.serialize(regularizer) or {})
    assert again.get_config() == regularizer.get_config()


def constrained(case: ClassCase, w: Array) -> Array:
    """The constrained value by the formula, norm by norm."""
    config = {"min_value": 0.0, "max_value": 1.0, "rate": 1.0, "axis": 0, **case.config}
    if case.cls == "NonNeg":
        return np.where(w > 0, w, 0)
    if case.cls == "UnitNorm":
        config |= {"min_value": 1.0, "max_value": 1.0}
    if case.cls == "MaxNorm":
        config |= {"max_value": case.config.get("max_value", 2.0)}
    axes = config["axis"]
    rest = w if axes in (None, [0, 1]) else w.T if axes == 0 else w
    groups = [rest.ravel()] if axes in (None, [0, 1]) else list(rest)
    done = []
    for group in groups:
        norm = float(np.linalg.norm(group))
        desired = config["rate"] * min(max(norm, config["min_value"]), config["max_value"])
        done.append(group * ((desired + (1 - config["rate"]) * norm) / (norm + 1e-7)))
    value = np.array(done).reshape(rest.shape)
    return value.T if axes == 0 else value


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CONSTRAINTS, ids=lambda c: c.id)
def test_a_constraint_is_the_same_in_python_and_in_both_engines(
    case: ClassCase, dtype: str, rng: np.random.Generator
) -> None:
    constraint = make("constraint", case)
    w = (rng.normal(size=SHAPE) * rng.uniform(0.05, 0.6, SHAPE[1]) * rng.uniform(0.1, 1, (SHAPE[0], 1))).astype(dtype)
    w[3] = 0
    expected = constrained(case, w.astype(np.float64))
    assert not np.array_equal(expected, w)
    close = tolerances.summed(dtype, w.size)
    tolerances.assert_close(constraint(w), expected, close)
    assert constraint(w).dtype == dtype
    # A step of plain descent at rate 0 leaves the constraint alone to act.
    tensors = (TensorSpec("x", (-1, SHAPE[0]), dtype), TensorSpec("y", (-1, SHAPE[1]), dtype))
    tensors += (TensorSpec("t", (-1, SHAPE[1]), dtype), TensorSpec("v", (-1,), dtype))
    steps = (Step("dense", ("x",), ("y",), ("w",)), Step("mean_squared_error", ("y", "t"), ("v",)))
    params = (ParamSpec("w", SHAPE, True, native_spec(constraint, SHAPE)),)
    plan = Plan(dtype, tensors, params, steps, ("x", "t"), (), (Term("loss", "v"),))
    feeds = [rng.normal(size=(64, n)).astype(dtype) for n in SHAPE]
    for executor in [*(_core.Executor(plan, isa) for isa in TIERS), reference.Executor(plan)]:
        value = w.copy()
        executor.bind_parameters([value])
        executor.bind_update(UpdateSpec("sgd"), [])
        executor.begin("train", feeds, 64)
        assert executor.advance(1, 1e9, np.array([0.0])) == 1
        tolerances.assert_close(value, expected, close, what=executor.isa)


@pytest.mark.parametrize("case", CONSTRAINTS, ids=lambda c: c.id)
def test_config_round_trip_of_constraints(case: ClassCase, rng: np.random.Generator) -> None:
    constraint, w = make("constraint", case), rng.normal(size=SHAPE)
    for way, again in round_trips("constraint", constraint):
        np.testing.assert_array_equal(again(w), constraint(w), err_msg=way)
    again = constraints.deserialize(constraints.serialize(constraint) or {})
    assert again.get_config() == constraint.get_config()


def test_names_and_aliases() -> None:
    assert isinstance(regularizers.get("l1_l2"), L1L2)
    assert (regularizers.l1, regularizers.l2, regularizers.l1_l2) == (L1, L2, L1L2)
    assert regularizers.orthogonal_regularizer is OrthogonalRegularizer
    assert constraints.max_norm is constraints.MaxNorm
    for module in (regularizers, constraints):
        assert module.get(None) is None
        assert module.get(abs) is abs
        assert module.serialize(None) is None
    made = regularizers.get({"class_name": "L2", "config": {"l2": 0.5}})
    assert made is not None
    assert made(np.array([2.0])) == 2.0
    defaults = [L1(), L1(None), L2(), L2(None), OrthogonalRegularizer()]
    assert [next(iter(r.get_config().values())) for r in defaults] == [0.01] * 5
    assert constraints.MaxNorm().get_config() == {"max_value": 2, "axis": 0}


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (lambda: L1(-1), ValueError, r"`l1` must be 0 or more\. Received: l1=-1"),
        (lambda: L2("a"), TypeError, r"`l2` must be a number\. Received: l2='a'"),
        (lambda: L1L2(0.1, np.nan), ValueError, r"`l2` must be finite\. Received: l2=nan"),
        (lambda: OrthogonalRegularizer(mode="row"), ValueError, r"`mode` .* 'rows'\?.*Received: mode='row'"),
        (lambda: OrthogonalRegularizer()(np.ones(3)), ValueError, r"takes a matrix\. Received: shape=\(3,\)"),
        (lambda: regularizers.get("l3"), ValueError, r"`regularizer` is not a known regularizer\. .*regularizer='l3'"),
        (lambda: regularizers.get(3), TypeError, r"`regularizer` must be a name, .*Received: regularizer=3"),
        (lambda: regularizers.serialize(abs), TypeError, r"A function has no config"),
        (lambda: constraints.get("norm"), ValueError, r"`constraint` is not a known constraint\."),
        (lambda: constraints.get(3), TypeError, r"`constraint` must be a name, .*Received: constraint=3"),
        (lambda: constraints.MaxNorm(-1), ValueError, r"`max_value` must be 0 or more\."),
        (lambda: constraints.MinMaxNorm(rate=2), ValueError, r"`rate` must be between 0 and 1\."),
        (lambda: constraints.UnitNorm("0"), TypeError, r"`axis` must be an integer\."),
        (lambda: constraints.UnitNorm(2)(np.ones((2, 2))), ValueError, r"`axis` must be from -2 to 1.*axis=2"),
        (
            lambda: constraints.UnitNorm([0, 2])(np.ones((2, 2, 2))),
            ValueError,
            r"`axis` must name neighbouring axes\.",
        ),
    ],
)
def test_wrong_arguments(wrong: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        wrong()
