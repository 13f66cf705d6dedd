"""The door for other solvers: all trained weights as one vector, and the loss with its gradient at that point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastgd.models.data import ArrayData
from fastgd.models.loop import CHUNK_SECONDS
from fastgd.models.lowering import Lowered
from fastgd.models.objectives import Objectives
from fastgd.models.session import Engine
from fastgd.ops.parameters import Variable, aligned_zeros
from fastgd.plan import UpdateSpec, flat_layout
from fastgd.utils.errors import invalid, mistyped

if TYPE_CHECKING:
    from fastgd.models.model import Model

Array = npt.NDArray[Any]

# Adds up the gradients of batches, each times its share of the rows, and moves nothing.
_RULE = UpdateSpec("gradient", {}, ("gradient",))


def loss_and_gradient(model: Model, engine: Engine, objectives: Objectives, data: ArrayData) -> tuple[float, Array]:
    """Return the loss over `data` and its gradient by the trained weights, laid out as `read_flat` does.

    Args:
        model: the model, compiled.
        engine: an executor of its plan for training, kept for this purpose.
        objectives: what the numbers of the executor mean.
        data: the rows.
    """
    executor = engine.executor
    trained = engine.lowered.trained
    layout = flat_layout([variable.size for variable in trained], engine.lowered.plan.dtype)
    total = aligned_zeros(layout.size, engine.lowered.plan.dtype)
    executor.bind_update(_RULE, [total])
    # Layers such as BatchNormalization move averages in every training pass.
    frozen = [variable for variable in engine.lowered.variables if not any(variable is other for other in trained)]
    kept = [variable.numpy() for variable in frozen]
    rows, size = data.feeds.rows, min(data.batch_size, data.feeds.rows)
    shares = np.array([min(size, rows - start) / rows for start in range(0, rows, size)])
    executor.begin("train", data.feeds.arrays, size, iteration=model.optimizer.calls)
    done = 0
    while done < len(shares):
        done += executor.advance(len(shares) - done, CHUNK_SECONDS, shares[done:])
    for variable, value in zip(frozen, kept, strict=True):
        variable.assign(value)
    parts = [total[at : at + variable.size] for variable, at in zip(trained, layout.offsets, strict=True)]
    return objectives.logs(executor.totals())["loss"], _join(parts, engine.lowered.plan.dtype)


def without_constraints(lowered: Lowered) -> Lowered:
    """Return a plan whose steps leave parameters where they are: other solvers see to constraints themselves."""
    params = tuple(replace(spec, constraint=None) for spec in lowered.plan.params)
    return replace(lowered, plan=replace(lowered.plan, params=params))


def read_flat(variables: Sequence[Variable], dtype: str) -> Array:
    """Return a copy of the values of variables, one after the other."""
    return _join([variable.value.reshape(-1) for variable in variables], dtype)


def write_flat(variables: Sequence[Variable], values: Any) -> None:
    """Overwrite variables by a vector as `read_flat` returns it.

    Raises:
        TypeError: if it holds no real numbers.
        ValueError: if its shape is wrong.
    """
    array = np.asarray(values)
    size = sum(variable.size for variable in variables)
    if array.dtype.kind not in "biuf":
        raise mistyped("`flat_parameters` must hold real numbers.", dtype=str(array.dtype))
    if array.shape != (size,):
        raise invalid(f"`flat_parameters` must have the shape ({size},).", shape=array.shape)
    at = 0
    for variable in variables:
        variable.assign(array[at : at + variable.size].reshape(variable.shape))
        at += variable.size


def _join(parts: Sequence[Array], dtype: str) -> Array:
    return np.concatenate(parts) if parts else np.zeros(0, dtype)
