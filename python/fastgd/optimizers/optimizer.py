"""The base of all optimizers: learning rate, count of updates, and the flat arrays of their slots."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.ops.parameters import Variable, aligned_zeros
from fastgd.optimizers.schedules import LearningRateSchedule, deserialize, serialize
from fastgd.plan import UpdateSpec, flat_layout
from fastgd.utils.checks import check_int, check_real
from fastgd.utils.errors import invalid, mistyped, refuse_keywords
from fastgd.utils.registry import Registry

Array = npt.NDArray[Any]

# Keras says "rmsprop" and "adamw", not "rm_sprop" and "adam_w".
registry: Registry[Optimizer] = Registry("optimizer", spelling=str.lower)

_BASE_KEYWORDS = ("name", "weight_decay")


class Optimizer:
    """Base of all optimizers; a subclass implements `rule` and `get_config` and is then found by its name.

    Args:
        learning_rate: a float, 0 or more, or a LearningRateSchedule. An int is refused, as Keras does: it is a typing
            error more often than not.
        weight_decay: d; every step begins with `w -= d lr w`, for all trainable weights (decoupled from the gradient,
            as in AdamW, and not PyTorch's d w added to the gradient). None for none.
        name: the name; the class' in lower case if None.
        **kwargs: refused, with the known keywords.

    Attributes:
        slots: the state of the update rule by name, one flat array each, laid out like the trainable variables.
    """

    slots: dict[str, Array]

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            registry.add(cls)

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        weight_decay: float | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_keywords(type(self), kwargs, _BASE_KEYWORDS)
        self._learning_rate: float | LearningRateSchedule = 0.0
        self.learning_rate = learning_rate
        self.weight_decay = None if weight_decay is None else check_real("weight_decay", weight_decay, 0.0)
        self.name = name or type(self).__name__.lower()
        self._iterations = 0
        self.slots = {}
        self._variables: list[Variable] | None = None

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next update; it may be set at any time, but to a float only if it is one now."""
        return self._rate_at(self._iterations)

    @learning_rate.setter
    def learning_rate(self, value: float | LearningRateSchedule) -> None:
        if isinstance(value, LearningRateSchedule):
            self._learning_rate = value
            return
        if not isinstance(value, (float, np.floating)):
            raise invalid("`learning_rate` must be a float or a LearningRateSchedule.", learning_rate=value)
        if self.is_scheduled:
            raise mistyped(
                f"`learning_rate` follows a {type(self._learning_rate).__name__} and cannot be set to a number. Set "
                "another schedule, or make the optimizer with a float.",
                learning_rate=value,
            )
        self._learning_rate = check_real("learning_rate", value, 0.0)

    @property
    def is_scheduled(self) -> bool:
        """Whether the learning rate follows a LearningRateSchedule."""
        return isinstance(self._learning_rate, LearningRateSchedule)

    def learning_rates(self, count: int) -> Array:
        """Return the learning rate of each of the next `count` updates."""
        return np.array([self._rate_at(step) for step in range(self._iterations, self._iterations + count)])

    def _rate_at(self, step: int) -> float:
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            given: Any = rate(step)
            # The full check takes longer than most formulas.
            if type(given) is float and 0.0 <= given < math.inf:
                return given
            # What NumPy's functions make of a number may be an array without axes.
            return check_real("learning_rate", given[()] if isinstance(given, np.ndarray) else given, 0.0)
        return rate

    @property
    def iterations(self) -> int:
        """The number of updates done."""
        return self._iterations

    @iterations.setter
    def iterations(self, value: int) -> None:
        self._iterations = check_int("iterations", value, 0)

    @property
    def built(self) -> bool:
        """Whether `build` has made the slots."""
        return self._variables is not None

    def rule(self) -> UpdateSpec:
        """Return the update rule, its numbers and its slots, without what all optimizers share."""
        raise NotImplementedError(f"{type(self).__name__} must implement rule()")

    def update_spec(self) -> UpdateSpec:
        """Return the whole update: the rule and the weight decay before it."""
        spec = self.rule()
        if not self.weight_decay:
            return spec
        return UpdateSpec(spec.rule, {**spec.hyper, "weight_decay": self.weight_decay}, spec.slots)

    def slot_start(self, name: str) -> float:
        """Return the number that every element of the slot `name` starts with."""
        return 0.0

    def build(self, variables: Sequence[Variable], dtype: str) -> None:
        """Make the slots for `variables`; nothing happens if they were made for the same variables.

        Args:
            variables: the trainable variables in the order of the plan.
            dtype: "float32" or "float64".

        Raises:
            ValueError: if the slots belong to other variables.
        """
        if self._variables is not None:
            same = len(variables) == len(self._variables) and all(map(_is, variables, self._variables))
            if not same:
                raise invalid(
                    f"This {type(self).__name__} optimizes other weights already; "
                    "give each model, and each choice of trainable layers, an optimizer of its own.",
                    variables=[variable.path for variable in variables],
                )
            return
        layout = flat_layout((variable.size for variable in variables), dtype)
        self.slots = {name: aligned_zeros(layout.size, dtype) for name in self.rule().slots}
        for name, slot in self.slots.items():
            # The gaps between the parameters stay zero.
            for variable, offset in zip(variables, layout.offsets, strict=True):
                slot[offset : offset + variable.size] = self.slot_start(name)
        self._variables = list(variables)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        rate = self._learning_rate
        return {
            "learning_rate": serialize(rate) if isinstance(rate, LearningRateSchedule) else rate,
            "weight_decay": self.weight_decay,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Optimizer:
        """Make an object from what `get_config` returned."""
        rate = config.get("learning_rate")
        if isinstance(rate, Mapping):
            return cls(**{**config, "learning_rate": deserialize(rate)})
        return cls(**config)


def _is(a: object, b: object) -> bool:
    return a is b
