"""Every registered class has a row in tests/cases.py and a public name, and is found by Keras' names."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

import cases
from contract.registered import KINDS, callback_classes, exported, registered
from fastgd.utils.naming import snake_case

ROWS: dict[str, Iterable[cases.ClassCase]] = {
    "layer": list(cases.layer_cases()),
    "optimizer": list(cases.optimizer_cases()),
    "loss": list(cases.loss_cases()),
    "metric": list(cases.metric_cases()),
    "initializer": list(cases.initializer_cases()),
    "regularizer": list(cases.regularizer_cases()),
    "constraint": list(cases.constraint_cases()),
    "schedule": list(cases.schedule_cases()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_registered_class_has_a_row(kind: str) -> None:
    without = cases.missing(registered(kind), ROWS[kind])
    assert not without, f"add a row to {kind}_cases() in tests/cases.py for: {', '.join(without)}"
    unknown = {case.cls for case in ROWS[kind]} - set(registered(kind))
    assert not unknown, f"{kind}_cases() in tests/cases.py has rows for classes that do not exist: {unknown}"


def test_every_callback_has_a_row() -> None:
    without = cases.missing(callback_classes(), cases.callback_cases())
    assert not without, f"add a row to callback_cases() in tests/cases.py for: {', '.join(without)}"


def test_a_class_without_a_row_is_named() -> None:
    assert cases.missing(["SGD", "Adam", "Muon"], cases.optimizer_cases()) == ["Muon"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_registered_class_is_public_and_every_public_class_registered(kind: str) -> None:
    base, module, _ = KINDS[kind]
    public = {name: cls for name, cls in exported(base, module).items() if cls.__module__.startswith("fastgd.")}
    abstract = {name for name, cls in public.items() if cls not in registered(kind).values()}
    assert registered(kind).items() <= public.items()
    # A base class of a family is public without being registered: nobody asks for it by name. So is a base for users.
    abstract -= {"NumpyLayer", "NumpyLoss", "NumpyMetric"}
    assert all(any(issubclass(c, public[name]) for c in registered(kind).values()) for name in abstract)


@pytest.mark.parametrize("kind", KINDS)
def test_every_class_is_found_by_its_names(kind: str) -> None:
    registry = KINDS[kind][2]
    for name, cls in registered(kind).items():
        for spelling in (name, snake_case(name), name.lower(), name.upper()):
            assert registry.find(spelling) is cls, spelling
    with pytest.raises(ValueError, match=rf"`identifier` is not a known {kind}\. .*Received: identifier='nothing'$"):
        registry.find("nothing")


@pytest.mark.parametrize("kind", [*KINDS, "callback"])
def test_every_class_has_a_docstring_of_its_own(kind: str) -> None:
    classes = callback_classes() if kind == "callback" else registered(kind)
    assert [name for name, cls in classes.items() if not (cls.__dict__.get("__doc__") or "").strip()] == []
