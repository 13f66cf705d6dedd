"""The executors of a model: made when they are needed, bound to the current weights, used by one run at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from fastgd import runtime
from fastgd.models.lowering import Lowered
from fastgd.ops.parameters import gather_in_store
from fastgd.ops.updating import same_objects
from fastgd.optimizers import Optimizer
from fastgd.plan import UpdateSpec

Array = npt.NDArray[Any]


@dataclass
class Engine:
    """An executor with what it is bound to."""

    lowered: Lowered
    executor: runtime.Executor
    _bound: list[Array] | None = None
    # The settings of the bound optimizer, what they made, and its slots.
    _update: tuple[list[object], UpdateSpec, list[Array]] | None = None

    def renew(self, lowered: Lowered) -> None:
        """Take up another plan of the same weights, when seeds in it have changed, and bind the weights."""
        self.lowered, self.executor = lowered, runtime.create_executor(lowered.plan)
        self._bound = self._update = None
        self.bind_weights()

    def bind_weights(self) -> None:
        """Bind the arrays in which the weights live now, all in one store; they move when a larger model takes them."""
        arrays = [variable.value for variable in self.lowered.variables]
        if self._bound is not None and same_objects(arrays, self._bound):
            return
        gather_in_store(self.lowered.variables, self.lowered.plan.dtype)
        arrays = [variable.value for variable in self.lowered.variables]
        self.executor.bind_parameters(arrays)
        self._bound = arrays

    def bind_optimizer(self, optimizer: Optimizer) -> None:
        """Bind the rule and the slots of an optimizer, after making the slots if there are none."""
        if self._update is not None:
            seen, spec, slots = self._update
            # The spec follows from the optimizer's attributes: a look at these is a fraction of making it.
            now = [optimizer.slots.get(name) for name in spec.slots]
            if same_objects(seen, optimizer.settings()) and same_objects(now, slots):
                return
        optimizer.build(self.lowered.trained, self.lowered.plan.dtype)
        spec = optimizer.update_spec()
        slots = [optimizer.slots[name] for name in spec.slots]
        if self._update is None or self._update[1] != spec or not same_objects(slots, self._update[2]):
            self.executor.bind_update(spec, slots)
        self._update = optimizer.settings(), spec, slots


class Loan:
    """A context manager that hands out an engine, and gives it back at its end."""

    def __init__(self, engine: Engine, idle: dict[tuple[Any, ...], Engine], key: tuple[Any, ...]) -> None:
        self._engine = engine
        self._idle = idle
        self._key = key

    def __enter__(self) -> Engine:
        return self._engine

    def __exit__(self, *_: object) -> None:
        self._idle[self._key] = self._engine


@dataclass
class Session:
    """The executors that a model keeps for later runs."""

    _idle: dict[tuple[Any, ...], Engine] = field(default_factory=dict)

    def engine(self, role: tuple[Any, ...], lower: Callable[[], Lowered]) -> Loan:
        """Lend the executor for a role, such as training, for the block of a `with`.

        A second run of the same role meanwhile, say in a callback or another thread, gets an executor of its own.

        Args:
            role: what distinguishes this executor from the others of the model.
            lower: makes the plan, called if there is no idle executor.
        """
        # After `reset` a lent executor goes back into the table that was dropped.
        idle = self._idle
        key = (*role, runtime.current_backend())
        engine = idle.pop(key, None)
        if engine is None:
            lowered = lower()
            engine = Engine(lowered, runtime.create_executor(lowered.plan))
        engine.bind_weights()
        return Loan(engine, idle, key)

    def reset(self) -> None:
        """Forget all executors, when plans or losses have changed."""
        self._idle = {}
