"""The base of all optimizers: learning rate, rule, and the flat arrays of their slots."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.ops.parameters import Variable, aligned_zeros
from fastgd.optimizers.applying import apply_step
from fastgd.optimizers.schedules import LearningRateSchedule, deserialize, serialize
from fastgd.optimizers.update_steps import UpdateSteps
from fastgd.plan import UpdateSpec, flat_layout
from fastgd.utils.checks import check_real
from fastgd.utils.errors import invalid, mistyped, refuse_keywords
from fastgd.utils.locks import ForkSafeLock
from fastgd.utils.registry import Registry

Array = npt.NDArray[Any]

# Keras says "rmsprop" and "adamw", not "rm_sprop" and "adam_w".
registry: Registry[Optimizer] = Registry("optimizer", spelling=str.lower)

_building = ForkSafeLock()

_BASE_KEYWORDS = (
    "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum", "ema_overwrite_frequency",
    "loss_scale_factor", "gradient_accumulation_steps", "name",
)  # fmt: skip


class Optimizer(UpdateSteps):
    """Base of all optimizers; a subclass implements `rule` and `get_config` and is then found by its name.

    One step: the gradient is accumulated, clipped, the weights decay, the rule moves them, the averages follow.

    Args:
        learning_rate: a float, 0 or more, or a LearningRateSchedule. An int is refused, as Keras does: it is a typing
            error more often than not.
        weight_decay: d; every step begins with `w -= d lr w`, for all trainable weights (decoupled from the gradient,
            as in AdamW, and not PyTorch's d w added to the gradient). None for none. See `exclude_from_weight_decay`.
        clipnorm: c; the gradient g of each weight array is multiplied by `min(1, c / |g|)`, |g| its 2-norm.
        clipvalue: c; every element of the gradient is brought between -c and c.
        global_clipnorm: as `clipnorm`, with the norm of the gradients of all weights together. At most one of the three
            may be given.
        use_ema: whether to keep a running average of the weights: `average = m average + (1 - m) w` after each step,
            with 0 for m at the first. At the end of `fit` it takes the place of the weights.
        ema_momentum: m, from 0 to 1.
        ema_overwrite_frequency: after every so many updates the average takes the place of the weights already during
            training; None for never.
        loss_scale_factor: what the loss is multiplied by before gradients are computed, and the gradients divided by
            afterwards: in float32 it keeps very small gradients from vanishing. A power of 2 changes nothing else.
        gradient_accumulation_steps: k, 2 or more; only every k-th batch updates the weights, by the mean of the last k
            gradients. `iterations` counts updates; a LearningRateSchedule sees the number of batches, as in Keras.
        name: the name; the class' in lower case if None.
        **kwargs: refused, with the known keywords.
    """

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not abstract:
            registry.add(cls)

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_keywords(type(self), kwargs, _BASE_KEYWORDS)
        self._learning_rate: float | LearningRateSchedule = 0.0
        self.learning_rate = learning_rate
        self._init_steps(
            weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency,
            loss_scale_factor, gradient_accumulation_steps,
        )  # fmt: skip
        self.name = name or type(self).__name__.lower()
        self.slots = {}
        self._variables = None

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next batch; it may be set at any time, but to a float only if it is one now."""
        return self._rate_at(self._calls)

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
        """Return the learning rate of each of the next `count` batches."""
        if not self.is_scheduled:
            return np.array([self._learning_rate] * count)
        return np.array([self._rate_at(step) for step in range(self._calls, self._calls + count)])

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
    def built(self) -> bool:
        """Whether `build` has made the slots."""
        return self._variables is not None

    def rule(self) -> UpdateSpec:
        """Return the update rule, its numbers and its slots, without what all optimizers share.

        They must follow from the attributes of the optimizer; an attribute is set anew and not changed in place.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement rule()")

    def update_spec(self) -> UpdateSpec:
        """Return the whole update: the rule and the steps around it."""
        return self._surround(self.rule())

    def settings(self) -> list[object]:
        """Return all attributes but the number of batches: while they are the same objects, so is `update_spec`."""
        return [self, *vars(self).values()]

    def slot_start(self, name: str) -> float:
        """Return the number that every element of the rule's slot `name` starts with."""
        return 0.0

    def build(self, variables: Sequence[Variable], dtype: str) -> None:
        """Make the slots for `variables`; nothing happens if they were made for the same variables.

        Args:
            variables: the trainable variables in the order of the plan.
            dtype: "float32" or "float64".

        Raises:
            ValueError: if the slots belong to other variables.
        """
        # Several threads may train one model: the slots exist before anybody learns that there are some.
        with _building:
            self._build(variables, dtype)

    def _build(self, variables: Sequence[Variable], dtype: str) -> None:
        if self._variables is not None:
            same = len(variables) == len(self._variables) and all(map(_is, variables, self._variables))
            if not same:
                raise invalid(
                    f"This {type(self).__name__} optimizes other weights already; "
                    "give each model, and each choice of trainable layers, an optimizer of its own.",
                    variables=[variable.path for variable in variables],
                )
            return
        self._layout = flat_layout((variable.size for variable in variables), dtype)
        self._variables = list(variables)
        self.slots = {name: aligned_zeros(self._layout.size, dtype) for name in self.update_spec().slots}
        for name in self.rule().slots:
            # The gaps between the parameters stay zero.
            for part in self.slot_values(name):
                part[...] = self.slot_start(name)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[npt.ArrayLike | None, Variable]]) -> int:
        """Do one step by gradients that the caller has, such as those of a GradientTape.

        Args:
            grads_and_vars: pairs of a gradient and its variable.

        Returns:
            `iterations` after it.

        Raises:
            ValueError: as `apply`.

        Example:
            >>> optimizer.apply_gradients(zip(gradients, model.trainable_weights))
        """
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def apply(
        self, grads: Sequence[npt.ArrayLike | None], trainable_variables: Sequence[Variable] | None = None
    ) -> None:
        """Do one step by gradients that the caller has; the engine does it, with everything around the rule.

        The first call makes the slots for its variables. With `loss_scale_factor` the gradients are divided by it, as
        it is the loss of `fit` that it multiplies; `scale_loss` does that for a loss of one's own.

        Args:
            grads: an array for each variable; None leaves the variable alone.
            trainable_variables: the variables; those that the optimizer was built for if None.

        Raises:
            ValueError: for variables that it was not built for, gradients of wrong shapes, or no gradient at all.
        """
        if trainable_variables is None:
            if self._variables is None:
                raise ValueError("`trainable_variables` must be given until the optimizer is built.")
            trainable_variables = self._variables
        apply_step(self, grads, trainable_variables)

    def scale_loss(self, loss: Any) -> Any:
        """Return a loss times `loss_scale_factor`, by which `apply` divides the gradients."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        rate = self._learning_rate
        return {
            "learning_rate": serialize(rate) if isinstance(rate, LearningRateSchedule) else rate,
            **self._steps_config(),
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
