"""The arguments that rule a fit, gathered from an estimator and checked."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from fastgd.estimators.solvers import RATES, check_solver
from fastgd.utils.checks import check_above_zero, check_bool, check_int, check_real
from fastgd.utils.errors import invalid, mistyped, unknown


@dataclass
class Settings:
    """The arguments of a fit under scikit-learn's names; an estimator that lacks one has this default.

    Attributes:
        ftol: the relative decrease of the loss below which "lbfgs" stops; this default is SciPy's.
        numbers: what the optimizers "sgd" and "adam" take besides the rate.
    """

    solver: Any = "adam"
    batch_size: Any = "auto"
    learning_rate: Any = "constant"
    learning_rate_init: Any = 0.001
    power_t: float = 0.5
    max_iter: int = 200
    max_fun: int = 15000
    tol: float = 1e-4
    ftol: float = 1e7 * float(np.finfo(np.float64).eps)
    n_iter_no_change: float = 10
    shuffle: bool = True
    early_stopping: bool = False
    validation_fraction: float = 0.1
    scoring: Any = None
    class_weight: Any = None
    callbacks: Any = None
    verbose: Any = False
    progress: bool = False
    numbers: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, estimator: Any, **others: Any) -> Settings:
        """Gather and check the arguments that an estimator has; `others` are given under other names there.

        Raises:
            ValueError: if one is out of range.
            TypeError: if one has a wrong type.
        """
        names = [entry.name for entry in fields(cls) if hasattr(estimator, entry.name)]
        settings = cls(**{**{name: getattr(estimator, name) for name in names}, **others})
        for name in ("momentum", "nesterovs_momentum", "beta_1", "beta_2", "epsilon"):
            if hasattr(estimator, name) and name not in settings.numbers:
                settings.numbers[name] = getattr(estimator, name)
        settings.check()
        return settings

    def check(self) -> None:
        """Raise for the first argument that is wrong."""
        check_solver(self.solver)
        if self.batch_size != "auto":
            check_int("batch_size", self.batch_size, 1)
        if self.learning_rate not in RATES:
            raise unknown("learning_rate", RATES, learning_rate=self.learning_rate)
        if isinstance(self.learning_rate_init, (int, float, np.number)):
            self.learning_rate_init = check_above_zero("learning_rate_init", self.learning_rate_init)
        check_real("power_t", self.power_t, 0.0)
        check_int("max_iter", self.max_iter, 1)
        check_int("max_fun", self.max_fun, 1)
        check_real("tol", self.tol, 0.0)
        if self.n_iter_no_change != np.inf:
            check_int("n_iter_no_change", self.n_iter_no_change, 1)
        for name in ("shuffle", "early_stopping", "progress"):
            check_bool(name, getattr(self, name))
        if not 0 <= check_real("validation_fraction", self.validation_fraction, 0.0) < 1:
            raise invalid("`validation_fraction` must be below 1.", validation_fraction=self.validation_fraction)
        if self.scoring is not None and not isinstance(self.scoring, str) and not callable(self.scoring):
            raise mistyped("`scoring` must be 'loss', the name of a scorer or a function.", scoring=self.scoring)
        if not isinstance(self.verbose, (bool, int, np.integer)):
            raise mistyped("`verbose` must be a bool or an integer.", verbose=self.verbose)

    @property
    def is_stochastic(self) -> bool:
        """Whether the fit goes by batches."""
        return not (isinstance(self.solver, str) and self.solver == "lbfgs")

    @property
    def policy(self) -> str:
        """What changes the learning rate between epochs: only "sgd" has a choice, as in scikit-learn."""
        return str(self.learning_rate) if self.solver == "sgd" else "constant"


def store_arguments(estimator: Any, arguments: dict[str, Any]) -> None:
    """Set the arguments of `__init__`, as its `locals()` returned them, as attributes of the same names."""
    for name, value in arguments.items():
        if name not in ("self", "__class__"):
            setattr(estimator, name, value)
