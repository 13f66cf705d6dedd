"""Constraints on weights by Keras' names: what a weight is brought back to after each update."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import config as settings
from fastgd.ops.axes import normal_axes, require_neighbours
from fastgd.plan import ConstraintSpec
from fastgd.utils.checks import check_int, check_real
from fastgd.utils.registry import Registry, function_config, stands_for_call

Array = npt.NDArray[Any]
Axis = int | Sequence[int] | None

_registry: Registry[Constraint] = Registry("constraint")


class Constraint:
    """Base of all constraints: an object called with the value of a weight returns the value to go on with.

    A subclass implements `__call__(w)` on a NumPy array, and `get_config` if it has arguments; it is then found by its
    name. Any function of one array does as well. The constraints of this module run natively behind the update; one of
    your own is called from Python after every batch, which costs a small model most of its speed.

    Example:
        >>> fastgd.layers.Dense(8, kernel_constraint=fastgd.constraints.MaxNorm(3))
    """

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            _registry.add(cls)

    def __call__(self, w: Any) -> Array:
        """Return the constrained value of a weight or an array."""
        raise NotImplementedError(f"{type(self).__name__} must implement __call__(w)")

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Constraint:
        """Make an object from what `get_config` returned."""
        return cls(**config)


class NonNeg(Constraint):
    """`max(w, 0)`."""

    def __call__(self, w: Any) -> Array:
        """Return the constrained value."""
        constrained: Array = np.maximum(np.asarray(w), 0)
        return constrained

    def spec(self, shape: Sequence[int]) -> ConstraintSpec:
        """Return what the engine does to a parameter of this shape."""
        return ConstraintSpec("non_neg")


class MinMaxNorm(Constraint):
    """`w (rate clip(norm, min_value, max_value) + (1 - rate) norm) / (norm + epsilon)`, with `norm = sqrt(sum w^2)`.

    Args:
        min_value: the smallest norm, 0 or more.
        max_value: the largest norm.
        rate: how much of the way is gone at each update, from 0 to 1.
        axis: the axis or the neighbouring axes that a norm runs over: 0 for the incoming weights of each unit of a
            Dense layer; all of them if None.

    Raises:
        ValueError: if a number is negative or `rate` above 1.
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0) -> None:
        self.min_value = check_real("min_value", min_value, 0.0)
        self.max_value = check_real("max_value", max_value, 0.0)
        self.rate = check_real("rate", rate, 0.0, 1.0)
        self.axis = _check_axis(axis)

    def __call__(self, w: Any) -> Array:
        """Return the constrained value."""
        array = np.asarray(w)
        axes = self._axes_of(array.shape)
        norm = np.sqrt(np.sum(np.square(array), axis=axes, keepdims=True))
        desired = self.rate * np.clip(norm, self.min_value, self.max_value) + (1 - self.rate) * norm
        constrained: Array = array * (desired / (settings.epsilon() + norm))
        return constrained

    def _axes_of(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return the axes of a norm over a weight of `shape`, counted from the first and in order."""
        axes = normal_axes(type(self).__name__, self.axis, len(shape))
        require_neighbours(type(self).__name__, axes)
        return axes

    def spec(self, shape: Sequence[int]) -> ConstraintSpec:
        """Return what the engine does to a parameter of this shape."""
        axes = self._axes_of(shape)
        return ConstraintSpec("norm", axes, self.min_value, self.max_value, self.rate, settings.epsilon())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"min_value": self.min_value, "max_value": self.max_value, "rate": self.rate, "axis": self.axis}


class MaxNorm(MinMaxNorm):
    """`w clip(norm, 0, max_value) / (norm + epsilon)`: no norm is above `max_value`.

    Args:
        max_value: the largest norm, 0 or more.
        axis: as in `MinMaxNorm`.

    Source:
        Srebro, Rennie and Jaakkola, Maximum-margin matrix factorization, NIPS 2004.
    """

    def __init__(self, max_value: float = 2, axis: Axis = 0) -> None:
        super().__init__(max_value=max_value, axis=axis)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"max_value": self.max_value, "axis": self.axis}


class UnitNorm(MinMaxNorm):
    """`w / (norm + epsilon)`: every norm is 1.

    Args:
        axis: as in `MinMaxNorm`.
    """

    def __init__(self, axis: Axis = 0) -> None:
        super().__init__(1.0, 1.0, axis=axis)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"axis": self.axis}


# Keras offers every class under its lower-case name too.
max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm


def native_spec(constraint: Any, shape: Sequence[int]) -> ConstraintSpec | None:
    """Return what the engine does in the place of `constraint`, None for one that only Python knows."""
    spec: ConstraintSpec | None = constraint.spec(shape) if stands_for_call(constraint, "spec") else None
    return spec


def get(identifier: Any) -> Callable[..., Any] | None:
    """Return the constraint that `identifier` names: a name, a config, a class, a function, a constraint, or None.

    Raises:
        ValueError: for an unknown name.
        TypeError: for anything else.
    """
    return _registry.resolve(identifier)


def serialize(constraint: Any) -> dict[str, Any] | None:
    """Return the config of a constraint, None for None.

    Raises:
        TypeError: for a plain function, which has none.
    """
    return function_config(constraint)


def deserialize(config: Mapping[str, Any]) -> Constraint:
    """Make a constraint from its config."""
    return _registry.from_config(config, "config")


def _check_axis(axis: Axis) -> int | list[int] | None:
    if axis is None:
        return None
    if isinstance(axis, (list, tuple)):
        return [check_int("axis", each, -(2**31)) for each in axis]
    return check_int("axis", axis, -(2**31))
