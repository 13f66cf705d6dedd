"""Steps of an optimizer by gradients that Python has: an executor of a plan without steps runs the update."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastgd.constraints import native_spec
from fastgd.ops.parameters import Variable, announce_change
from fastgd.ops.updating import Updater, current_backend
from fastgd.utils.errors import invalid

if TYPE_CHECKING:
    from fastgd.optimizers.optimizer import Optimizer

Array = npt.NDArray[Any]

# What runs the updates of each optimizer, by the backend.
_updaters: weakref.WeakKeyDictionary[Optimizer, dict[str, Updater]] = weakref.WeakKeyDictionary()


def apply_step(
    optimizer: Optimizer, grads: Sequence[npt.ArrayLike | None], trainable_variables: Sequence[Variable]
) -> None:
    """Do what `Optimizer.apply` says."""
    grads, variables = list(grads), list(trainable_variables)
    if len(grads) != len(variables):
        raise invalid(f"`grads` must hold {len(variables)} arrays, one per variable.", **{"len(grads)": len(grads)})
    if not any(gradient is not None for gradient in grads):
        raise invalid("`grads` must hold at least one gradient.", grads=grads)
    dtype = variables[0].dtype
    if not optimizer.built:
        optimizer.build(variables, dtype)
    given: dict[int, Array] = {}
    known = {id(variable) for variable in optimizer.trainable_variables}
    for gradient, variable in zip(grads, variables, strict=True):
        if id(variable) not in known:
            raise invalid(f"The optimizer was not built for the variable {variable.path!r}.", variable=variable)
        if gradient is None:
            warnings.warn(f"The variable {variable.path!r} has no gradient and stays as it is.", stacklevel=4)
            continue
        array = np.ascontiguousarray(gradient, dtype).reshape(np.shape(gradient))
        if array.shape != variable.shape:
            raise invalid(f"The gradient of {variable.path!r} must have the shape {variable.shape}.", shape=array.shape)
        given[id(variable)] = array
    _step(optimizer, given)


def _step(optimizer: Optimizer, given: dict[int, Array]) -> None:
    """Do one step by gradients, found by the identities of their variables; the other variables stay as they are."""
    variables = optimizer.trainable_variables
    kept = [
        (array, array.copy())
        for place, variable in enumerate(variables)
        if id(variable) not in given
        for array in (variable.value, *(optimizer.slot_values(name)[place] for name in optimizer.slots))
    ]
    gradients = [given.get(id(variable), np.zeros_like(variable.value)) for variable in variables]
    native = [None if x.constraint is None else native_spec(x.constraint, x.shape) for x in variables]
    updaters = _updaters.setdefault(optimizer, {})
    updater = updaters.get(backend := current_backend())
    if updater is None:
        updater = updaters[backend] = Updater(variables, native)
    spec = optimizer.update_spec()
    slots = [optimizer.slots[name] for name in spec.slots]
    announce_change()
    updater.step(spec, slots, gradients, float(optimizer.learning_rates(1)[0]), optimizer.calls)
    optimizer.calls += 1
    for variable, known in zip(variables, native, strict=True):
        if variable.constraint is not None and known is None:
            variable.assign(variable.constraint(variable.numpy()))
    for array, before in kept:
        array[...] = before
