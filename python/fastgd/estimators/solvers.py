"""Optimizers by scikit-learn's names or fastgd's, what changes their rates between epochs, and their state in files."""

from __future__ import annotations

from typing import Any

from fastgd import optimizers
from fastgd.optimizers import Optimizer
from fastgd.optimizers.schedules import LearningRateSchedule
from fastgd.utils.errors import invalid, unknown

RATES = ("constant", "invscaling", "adaptive")

# Below this rate "adaptive" ends the fit instead of dividing it again, and by this much it divides.
_LEAST_RATE = 1e-6
_DIVISOR = 5.0


def make_optimizer(solver: Any, rate: float | LearningRateSchedule, numbers: dict[str, Any]) -> Optimizer:
    """Return a new optimizer.

    Args:
        solver: "sgd", "adam", another name of fastgd, or an Optimizer, of which a like one is made.
        rate: the learning rate, for a name.
        numbers: `momentum`, `nesterovs_momentum`, `beta_1`, `beta_2` and `epsilon`, for "sgd" and "adam".

    Raises:
        ValueError: for an unknown name.
    """
    if isinstance(solver, Optimizer):
        return type(solver).from_config(solver.get_config())
    if solver == "sgd":
        momentum = float(numbers.get("momentum", 0.0))
        return optimizers.SGD(rate, momentum, bool(numbers.get("nesterovs_momentum") and momentum > 0))
    if solver == "adam":
        chosen: dict[str, Any] = {
            name: float(numbers[name]) for name in ("beta_1", "beta_2", "epsilon") if name in numbers
        }
        return optimizers.Adam(rate, **chosen)
    return type(optimizers.get(solver))(rate)


def check_solver(solver: Any) -> None:
    """Raise a ValueError unless `solver` is "lbfgs", a name of an optimizer or an Optimizer."""
    if isinstance(solver, Optimizer) or solver == "lbfgs":
        return
    if not isinstance(solver, str):
        raise invalid("`solver` must be 'lbfgs', a name of `fastgd.optimizers` or an Optimizer.", solver=solver)
    known = ["lbfgs", *optimizers.optimizer.registry.names()]
    if solver not in known:
        raise unknown("solver", known, solver=solver)


class RatePolicy:
    """The learning rate between epochs: "constant", "invscaling" or "adaptive".

    Args:
        kind: which.
        optimizer: the optimizer.
        start: the first rate.
        power: the exponent of "invscaling".
    """

    def __init__(self, kind: str, optimizer: Optimizer, start: float, power: float) -> None:
        self.kind, self._optimizer, self._start, self._power = kind, optimizer, start, power

    def after_epoch(self, samples: int) -> None:
        """Lower the rate of "invscaling" to `start / (samples + 1)^power`, after so many samples in all."""
        if self.kind == "invscaling":
            self._optimizer.learning_rate = self._start / (samples + 1) ** self._power

    def stops(self) -> bool:
        """Return whether the fit ends now that nothing improves; "adaptive" lowers the rate first."""
        if self.kind != "adaptive" or self._optimizer.learning_rate <= _LEAST_RATE:
            return True
        self._optimizer.learning_rate = self._optimizer.learning_rate / _DIVISOR
        return False


class StoredOptimizer:
    """The state of an optimizer without its variables, for files: config, number of batches, slots."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.kind = type(optimizer)
        self.config = optimizer.get_config()
        self.calls = optimizer.calls
        self.slots = {name: [part.copy() for part in optimizer.slot_values(name)] for name in optimizer.slots}

    def restore(self, variables: Any, dtype: str) -> Optimizer:
        """Return the optimizer as it was, for variables of the same shapes."""
        optimizer = self.kind.from_config(self.config)
        optimizer.calls = self.calls
        if self.slots:
            optimizer.build(variables, dtype)
            for name, parts in self.slots.items():
                for target, part in zip(optimizer.slot_values(name), parts, strict=True):
                    target[...] = part
        return optimizer
