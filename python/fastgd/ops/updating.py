"""Updates of variables by gradients that Python has: an executor of a plan without steps runs them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from fastgd import runtime
from fastgd.ops.parameters import Variable
from fastgd.plan import ConstraintSpec, ParamSpec, Plan, UpdateSpec
from fastgd.runtime import current_backend

__all__ = ["Updater", "current_backend"]

Array = npt.NDArray[Any]


class Updater:
    """The updates of some variables, on the backend that is current when it is made.

    Args:
        variables: the variables, all of one dtype.
        constraints: what the engine brings each back to after an update, or None.
    """

    def __init__(self, variables: Sequence[Variable], constraints: Sequence[ConstraintSpec | None]) -> None:
        specs = tuple(
            ParamSpec(f"w{k}", variable.shape, True, constraint)
            for k, (variable, constraint) in enumerate(zip(variables, constraints, strict=True))
        )
        self._variables = list(variables)
        self._executor = runtime.create_executor(Plan(variables[0].dtype, (), specs, (), ()))
        self._bound: list[Array] = []
        self._rule: tuple[UpdateSpec, list[Array]] | None = None

    def step(
        self, spec: UpdateSpec, slots: Sequence[Array], gradients: Sequence[Array], rate: float, iteration: int
    ) -> None:
        """Do one update by the rule `spec` with its slots; the arguments are those of the executors."""
        arrays = [variable.value for variable in self._variables]
        if not same_objects(arrays, self._bound):
            self._executor.bind_parameters(arrays)
            self._bound = arrays
        if self._rule is None or self._rule[0] != spec or not same_objects(slots, self._rule[1]):
            self._executor.bind_update(spec, slots)
            self._rule = spec, list(slots)
        self._executor.update(gradients, rate, iteration)


def same_objects(a: Sequence[object], b: Sequence[object]) -> bool:
    """Return whether two sequences hold the same objects, whatever they think of being equal."""
    return len(a) == len(b) and all(map(operator.is_, a, b))
