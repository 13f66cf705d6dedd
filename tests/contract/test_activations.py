"""What every activation must do: give its formula on both interpreters, inside Dense and alone; its gradient."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import cases
import fastgd
import tolerances
from contract.formulas import ACTIVATIONS, sparsemax
from fastgd import _core, activations, layers, ops, runtime
from fastgd.activations import _ALIASES as ALIASES
from fastgd.activations import _FUNCTIONS as NAMED
from fastgd.ops.activations import FUSED
from reference.gradcheck import check_gradients

Array = np.ndarray[Any, Any]

# `threshold` has no defaults: it can be named and called, but serves no layer by its name. `glu` changes the shape.
REGISTERED = {name: function for name, function in NAMED.items() if name not in ("threshold", "glu")}

ISAS = [*_core.available_isas(), "numpy"]
COLUMNS = 67


def values() -> Array:
    """Return rows of numbers of many sizes, with both zeros."""
    x = np.random.default_rng(2).normal(size=(40, COLUMNS)) * np.geomspace(1e-3, 8.0, 40)[:, None]
    x[0, :2] = 0.0, -0.0
    return x


def test_every_activation_has_a_formula_and_a_row() -> None:
    without = sorted(set(REGISTERED) - set(ACTIVATIONS))
    assert not without, f"add to ACTIVATIONS in tests/contract/formulas.py: {', '.join(without)}"
    assert set(REGISTERED) == set(cases.FUNCTIONS), "FUNCTIONS in tests/cases.py must name every activation"
    public = {name for name, value in vars(activations).items() if callable(value) and value in REGISTERED.values()}
    assert public == set(REGISTERED) | set(ALIASES)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", REGISTERED)
def test_value(name: str, dtype: str, isa: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if isa != "numpy":
        monkeypatch.setenv("FASTGD_ISA", isa)
    x = values().astype(dtype)
    expected = ACTIVATIONS[name](x.astype(np.float64))
    close = tolerances.chained(dtype, COLUMNS, 1)
    with fastgd.backend("numpy" if isa == "numpy" else "native"):
        direct = activations.get(name)(x)
        layer = fastgd.Sequential([fastgd.Input((COLUMNS,), dtype=dtype), layers.Activation(name)])
        dense = layers.Dense(COLUMNS, name, kernel_initializer="zeros", use_bias=False)
        fused = fastgd.Sequential([fastgd.Input((COLUMNS,), dtype=dtype), dense])
        dense.kernel.assign(np.eye(COLUMNS))
        for what, got in (
            ("on arrays", direct),
            ("layer", layer.predict(x, verbose=0)),
            ("in Dense", fused.predict(x, verbose=0)),
        ):
            assert got.dtype == dtype
            # Row by row: the small rows must be right in their own scale, but for a difference from x in that of x.
            for row, want, given in zip(got, expected, x, strict=True):
                scale = float(np.abs(given).max()) if name == "tanh_shrink" else None
                tolerances.assert_close(row, want, close, scale, what=what)


@pytest.mark.parametrize("name", REGISTERED)
def test_gradient_inside_a_dense_layer(name: str) -> None:
    entrance = fastgd.Input((4,), dtype="float64")
    model = fastgd.Model(entrance, layers.Dense(3)(layers.Dense(6, name)(layers.Dense(5, name)(entrance))))
    model.compile("sgd", "mse")
    rng = np.random.default_rng(17)
    # Small sums, since exponentials of exponentials grow beyond what differences can tell.
    size = 0.4 if name == "exponential" else 1.0
    params = [rng.normal(size=p.shape) * size for p in model.make_plan().params]
    check_gradients(model.make_plan(), [rng.normal(size=(3, 4)), rng.normal(size=(3, 3))], params)


@pytest.mark.parametrize("name", REGISTERED)
def test_dense_takes_along_what_derives_from_its_output(name: str) -> None:
    entrance = fastgd.Input((4,))
    model = fastgd.Model(entrance, layers.Dense(3, name)(entrance))
    model.compile("sgd", "mse")
    steps = [step.op for step in model.make_plan().steps]
    assert steps == ["dense", *([] if name in FUSED else ["activation"]), "mean_squared_error"]


def test_a_loss_takes_the_logits_of_a_softmax_over_the_last_axis_only() -> None:
    for axis, fused in ((-1, True), (2, True), (1, False)):
        entrance = fastgd.Input((4, 5))
        model = fastgd.Model(entrance, layers.Softmax(axis)(entrance))
        model.compile("sgd", "categorical_crossentropy")
        found = [step.op for step in model.make_plan().steps]
        assert found == (["softmax_crossentropy"] if fused else ["activation", "categorical_crossentropy"])


def test_names_of_the_users_own() -> None:
    def doubled(x: Any) -> Any:
        return ops.sum_of([x, x])

    assert activations.deserialize("doubled", {"doubled": doubled}) is doubled
    assert activations.deserialize("swish") is activations.silu
    assert activations.get("threshold")(np.array([0.5, 2.0]), 1.0, -3.0).tolist() == [-3.0, 2.0]


def test_softmax_along_an_axis_of_an_array() -> None:
    x = np.random.default_rng(3).normal(size=(4, 3, 5))
    for axis in (0, 1, 2, -1, -3):
        e = np.exp(x)
        for function, expected in (
            (activations.softmax, e / e.sum(axis=axis, keepdims=True)),
            (activations.log_softmax, x - np.log(e.sum(axis=axis, keepdims=True))),
            (activations.sparsemax, np.apply_along_axis(sparsemax, axis, x)),
        ):
            np.testing.assert_allclose(function(x, axis), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("backend", runtime.BACKENDS)
def test_glu_halves_an_axis(backend: str) -> None:
    x = np.random.default_rng(4).normal(size=(4, 6, 2))
    with fastgd.backend(backend):
        for axis, (a, b) in {-1: np.split(x, 2, 2), 1: np.split(x, 2, 1), 0: np.split(x, 2)}.items():
            np.testing.assert_allclose(activations.glu(x, axis), a / (1 + np.exp(-b)), rtol=1e-13)
    with pytest.raises(ValueError, match=r"the parts of axis 1 are not equal"):
        layers.Dense(3, "glu")(np.ones((2, 4)))
    assert activations.get("glu") is activations.glu
    assert layers.Dense(4, "glu")(fastgd.Input((3,))).shape == (None, 2)


@pytest.mark.parametrize("name", REGISTERED)
def test_names(name: str) -> None:
    function = REGISTERED[name]
    for spelling in (name, name.upper(), function):
        assert activations.get(spelling) is function
    assert activations.serialize(function) == name
    for layer in (layers.Dense(3, name), layers.Activation(name)):
        config = json.loads(json.dumps(layer.get_config()))
        assert config["activation"] == name
        assert type(layer).from_config(config).activation is function  # type: ignore[attr-defined]


@pytest.mark.parametrize("backend", runtime.BACKENDS)
@pytest.mark.parametrize("name", REGISTERED)
def test_far_from_zero(name: str, backend: str) -> None:
    x = np.array([[-1e4, 1e4], [-700.0, 700.0], [-88.0, 88.0]])
    positive = np.maximum(x, 0)
    if name == "exponential":
        x[:, 1] = 0.0
    # The other functions are what their formulas are in the limit.
    expected = {
        "tanh": np.sign(x),
        "sigmoid": (x > 0).astype(float),
        "softmax": (x > 0).astype(float),
        "log_softmax": np.where(x > 0, 0.0, 2 * x),
        "exponential": (x == 0).astype(float),
        "log_sigmoid": -np.maximum(-x, 0),
        "tanh_shrink": x - np.sign(x),
        **dict.fromkeys(("softplus", "silu", "mish", "gelu"), positive),
    }.get(name)
    if expected is None:
        expected = ACTIVATIONS[name](x)
    for dtype in ("float32", "float64"):
        with fastgd.backend(backend):
            got = activations.get(name)(x.astype(dtype))
        assert np.isfinite(got).all()
        tolerances.assert_close(got, expected, tolerances.chained(dtype, 2, 1))
