"""A run over data: what is read, in which order, how far it has come, and the checks of what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from fastgd.plan import Plan, resolve_shape
from fastgd.reference.feeds import Feeds, check_bound
from fastgd.reference.program import Program
from fastgd.reference.random import permutation
from fastgd.reference.registry import Array


@dataclass(slots=True)
class Run:
    """A run between `begin` and its last batch; `position` is the first row not yet used."""

    mode: str
    program: Program
    feeds: Feeds
    batch_size: int
    shuffle_seed: int | None
    epoch: int
    outputs: Sequence[Array]
    position: int = 0
    order: Array | None = field(init=False)

    def __post_init__(self) -> None:
        seed = self.shuffle_seed
        self.order = None if seed is None else permutation(self.feeds.rows, seed, self.epoch)

    @property
    def batches_left(self) -> int:
        """The number of batches still to run, the last of which may be a partial one."""
        return -(-(self.feeds.rows - self.position) // self.batch_size)

    def next_pass(self) -> Run:
        """Return the run over the same rows in the next epoch."""
        return replace(self, epoch=self.epoch + 1, position=0)


def check_outputs(plan: Plan, outputs: Sequence[Array], rows: int, mode: str) -> None:
    """Check the arrays that a prediction fills, or that training fills if there are any.

    Raises:
        ValueError: if their number, a shape or a dtype is wrong, or if the mode fills none and there are some.
    """
    names = plan.outputs if mode == "predict" or (mode == "train" and outputs) else ()
    if len(outputs) != len(names):
        raise ValueError(f"mode {mode!r} fills {len(names)} outputs. Received: {len(outputs)} arrays")
    for name, array in zip(names, outputs, strict=True):
        spec = plan.tensor(name)
        if not spec.shape or spec.shape[0] >= 0:
            raise ValueError(f"output `{name}` must have the batch first, the plan says {spec.shape}")
        check_bound(name, array, resolve_shape(spec.shape, rows), spec.dtype)


def learning_rates_of(rates: npt.ArrayLike | None, count: int) -> list[float]:
    """Return one Python float for each of `count` batches, from one number per batch or a single one for all.

    Raises:
        ValueError: if there are none or too few.
    """
    if rates is None:
        raise ValueError("training needs `learning_rates`")
    given = [float(rate) for rate in np.asarray(rates, dtype=np.float64).reshape(-1)]
    if len(given) == 1:
        return given * count
    if len(given) < count:
        raise ValueError(f"`learning_rates` must hold 1 or {count} numbers. Received: {len(given)}")
    return given
