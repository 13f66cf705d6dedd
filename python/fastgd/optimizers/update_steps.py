"""What all optimizers do around their rules: clipping, weight decay, accumulation of gradients, averages of weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from fastgd.ops.parameters import Variable
from fastgd.plan import Layout, UpdateSpec
from fastgd.utils.checks import check_above_zero, check_bool, check_int, check_real
from fastgd.utils.errors import invalid, mistyped

Array = npt.NDArray[Any]


class UpdateSteps:
    """The part of every optimizer that does not hang on its rule.

    Attributes:
        weight_decay: the arguments of `Optimizer` under their own names, down to `gradient_accumulation_steps`.
        slots: the state of the optimizer by name, one flat array each, laid out like the trainable variables.
    """

    # The count, which every batch changes, stands apart from the attributes that say how an update is done.
    __slots__ = ("__dict__", "_calls")

    slots: dict[str, Array]
    _calls: int
    _variables: list[Variable] | None
    _layout: Layout

    def _init_steps(
        self,
        weight_decay: float | None,
        clipnorm: float | None,
        clipvalue: float | None,
        global_clipnorm: float | None,
        use_ema: bool,
        ema_momentum: float,
        ema_overwrite_frequency: int | None,
        loss_scale_factor: float | None,
        gradient_accumulation_steps: int | None,
    ) -> None:
        self.weight_decay = None if weight_decay is None else check_real("weight_decay", weight_decay, 0.0)
        self.clipnorm = _positive("clipnorm", clipnorm)
        self.clipvalue = _positive("clipvalue", clipvalue)
        self.global_clipnorm = _positive("global_clipnorm", global_clipnorm)
        if sum(limit is not None for limit in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise invalid(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set.",
                clipnorm=clipnorm, clipvalue=clipvalue, global_clipnorm=global_clipnorm,
            )  # fmt: skip
        self.use_ema = check_bool("use_ema", use_ema)
        self.ema_momentum = check_real("ema_momentum", ema_momentum, 0.0, 1.0)
        self.ema_overwrite_frequency = _count("ema_overwrite_frequency", ema_overwrite_frequency, 1)
        self.loss_scale_factor = _positive("loss_scale_factor", loss_scale_factor)
        self.gradient_accumulation_steps = _count("gradient_accumulation_steps", gradient_accumulation_steps, 2)
        self._calls = 0
        self._undecayed: list[Variable] = []
        self._undecayed_names: re.Pattern[str] | None = None

    @property
    def calls(self) -> int:
        """How many gradients it has taken; with `gradient_accumulation_steps` k, every k of them make an update."""
        return self._calls

    @calls.setter
    def calls(self, value: int) -> None:
        self._calls = check_int("calls", value, 0)

    @property
    def iterations(self) -> int:
        """The number of updates done; setting it forgets that there are gradients in the accumulator."""
        return self._calls // (self.gradient_accumulation_steps or 1)

    @iterations.setter
    def iterations(self, value: int) -> None:
        self._calls = check_int("iterations", value, 0) * (self.gradient_accumulation_steps or 1)

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Leave some variables out of weight decay; a second call replaces the first.

        Args:
            var_list: these variables.
            var_names: all variables in whose names one of these regular expressions is found, such as "bias".

        Raises:
            ValueError: if the optimizer is built already, or a name is no regular expression.
            TypeError: if a list holds anything else.

        Example:
            >>> optimizer = fastgd.optimizers.AdamW()
            >>> optimizer.exclude_from_weight_decay(var_names=["bias"])
        """
        if self._variables is not None:
            raise ValueError("`exclude_from_weight_decay` must be called before the optimizer is built.")
        variables, names = list(var_list or ()), list(var_names or ())
        if isinstance(var_names, str) or not all(isinstance(name, str) for name in names):
            raise mistyped("`var_names` must be a list of strings.", var_names=var_names)
        if not all(isinstance(variable, Variable) for variable in variables):
            raise mistyped("`var_list` must be a list of variables.", var_list=var_list)
        try:
            pattern = re.compile("|".join(names)) if names else None
        except re.error as error:
            raise invalid(f"`var_names` must hold regular expressions: {error}.", var_names=var_names) from error
        self._undecayed, self._undecayed_names = variables, pattern

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that it was built for, in the order of its slots; none before."""
        return list(self._variables or ())

    def slot_values(self, name: str) -> list[Array]:
        """Return the slot `name` as one array per trainable variable, in the shape of each; writing changes the slot.

        Raises:
            ValueError: if there is no such slot, or not yet.
        """
        if self._variables is None or name not in self.slots:
            raise invalid(f"`name` must be one of the slots that were built: {', '.join(self.slots)}.", name=name)
        flat = self.slots[name]
        return [
            flat[offset : offset + variable.size].reshape(variable.shape)
            for variable, offset in zip(self._variables, self._layout.offsets, strict=True)
        ]

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Put the averages into the variables, which `fit` does at its end; nothing happens without `use_ema`.

        Args:
            var_list: the trainable variables in the order in which the optimizer was built.

        Raises:
            ValueError: if their number differs from that of the averages.
        """
        if not self.use_ema or not self._calls:
            return
        averages = self.slot_values("average")
        if len(var_list) != len(averages):
            raise invalid(f"`var_list` must hold the {len(averages)} variables of the optimizer.", length=len(var_list))
        for variable, average in zip(var_list, averages, strict=True):
            variable.assign(average)

    def _surround(self, spec: UpdateSpec) -> UpdateSpec:
        """Return the spec of a rule with the numbers and slots of the steps around it."""
        hyper, slots = dict(spec.hyper), list(spec.slots)
        undecayed: tuple[int, ...] = ()
        if self.weight_decay:
            hyper["weight_decay"] = self.weight_decay
            undecayed = tuple(k for k, variable in enumerate(self._variables or ()) if self._is_undecayed(variable))
        for name in ("clipnorm", "clipvalue", "global_clipnorm", "loss_scale_factor"):
            if (value := getattr(self, name)) is not None:
                hyper[name] = value
        if self.gradient_accumulation_steps:
            hyper["gradient_accumulation_steps"] = float(self.gradient_accumulation_steps)
            slots.append("accumulator")
        if self.use_ema:
            hyper["ema_momentum"] = self.ema_momentum
            if self.ema_overwrite_frequency:
                hyper["ema_overwrite_frequency"] = float(self.ema_overwrite_frequency)
            slots.append("average")
        return UpdateSpec(spec.rule, hyper, tuple(slots), undecayed)

    def _is_undecayed(self, variable: Variable) -> bool:
        if any(variable is other for other in self._undecayed):
            return True
        return self._undecayed_names is not None and self._undecayed_names.search(variable.name) is not None

    def _steps_config(self) -> dict[str, Any]:
        names = (
            "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum",
            "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def _positive(name: str, value: object) -> float | None:
    return None if value is None else check_above_zero(name, value)


def _count(name: str, value: object, least: int) -> int | None:
    return None if value is None else check_int(name, value, least)
