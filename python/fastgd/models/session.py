"""The executors of a model: made when they are needed, bound to the current weights, used by one run at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from fastgd import runtime
from fastgd.models.lowering import Lowered
from fastgd.ops.parameters import gather_in_store
from fastgd.ops.updating import same_arrays
from fastgd.optimizers import Optimizer
from fastgd.plan import UpdateSpec

Array = npt.NDArray[Any]


@dataclass
class Engine:
    """An executor with what it is bound to."""

    lowered: Lowered
    executor: runtime.Executor
    _bound: list[Array] | None = None
    _update: tuple[UpdateSpec, list[Array]] | None = None

    def renew(self, lowered: Lowered) -> None:
        """Take up another plan of the same weights, when seeds in it have changed, and bind the weights."""
        self.lowered, self.executor = lowered, runtime.create_executor(lowered.plan)
        self._bound = self._update = None
        self.bind_weights()

    def bind_weights(self) -> None:
        """Bind the arrays in which the weights live now; they move when a larger model takes them up."""
        arrays = [variable.value for variable in self.lowered.variables]
        if self._bound is None or not same_arrays(arrays, self._bound):
            self.executor.bind_parameters(arrays)
            self._bound = arrays

    def bind_optimizer(self, optimizer: Optimizer) -> None:
        """Bind the rule and the slots of an optimizer, after making the slots if there are none."""
        optimizer.build(self.lowered.trained, self.lowered.plan.dtype)
        spec = optimizer.update_spec()
        slots = [optimizer.slots[name] for name in spec.slots]
        if self._update is None or self._update[0] != spec or not same_arrays(slots, self._update[1]):
            self.executor.bind_update(spec, slots)
            self._update = spec, slots


@dataclass
class Session:
    """The executors that a model keeps for later runs."""

    _idle: dict[tuple[Any, ...], Engine] = field(default_factory=dict)

    @contextmanager
    def engine(self, role: tuple[Any, ...], lower: Callable[[], Lowered]) -> Iterator[Engine]:
        """Lend the executor for a role, such as training, until the block ends.

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
        gather_in_store(engine.lowered.variables, engine.lowered.plan.dtype)
        engine.bind_weights()
        try:
            yield engine
        finally:
            idle[key] = engine

    def reset(self) -> None:
        """Forget all executors, when plans or losses have changed."""
        self._idle = {}
