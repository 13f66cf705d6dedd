"""The state of an optimizer as Keras orders it: a list of arrays, and back into the slots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.ops.parameters import Variable
from fastgd.optimizers import Optimizer

Array = npt.NDArray[Any]

# Keras lists the slots of a rule variable by variable; these it lists slot by slot, behind the others and in this
# order.
_BEHIND = {"Adam": ("top",), "AdamW": ("top",), "RMSprop": ("v", "speed", "a")}


def optimizer_arrays(optimizer: Optimizer, variables: Sequence[Variable]) -> list[Array]:
    """Return the number of batches, the learning rate, the slots, and what else Keras keeps.

    Args:
        optimizer: the optimizer; if it is not built, what it would begin with is returned.
        variables: the variables that it trains, in the order of the model.
    """
    arrays = [np.array(optimizer.calls, np.int32 if optimizer.calls < 2**31 else np.int64)]
    if not optimizer.is_scheduled:
        arrays.append(np.array(optimizer.learning_rate, np.float64))
    for slot, place in _places(optimizer, variables):
        if optimizer.built:
            arrays.append(optimizer.slot_values(slot)[place])
        else:
            start = optimizer.slot_start(slot) if slot in optimizer.rule().slots else 0.0
            arrays.append(np.full(variables[place].shape, start, variables[place].dtype))
    if type(optimizer).__name__ == "Nadam":
        arrays.append(np.array(_nadam_product(optimizer), np.float32))
    return arrays


def optimizer_shapes(optimizer: Optimizer, variables: Sequence[Variable]) -> list[tuple[int, ...]]:
    """Return the shapes of what `optimizer_arrays` returns."""
    rate = [] if optimizer.is_scheduled else [()]
    slots = [variables[place].shape for _, place in _places(optimizer, variables)]
    return [(), *rate, *slots, *([()] if type(optimizer).__name__ == "Nadam" else [])]


def load_optimizer(optimizer: Optimizer, variables: Sequence[Variable], arrays: Sequence[Array]) -> None:
    """Put what `optimizer_arrays` returned into an optimizer, which is built for `variables` if it is not yet.

    Raises:
        ValueError: if it is built for others.
    """
    optimizer.build(variables, variables[0].dtype if variables else "float32")
    rest = iter(arrays)
    optimizer.calls = int(next(rest))
    if not optimizer.is_scheduled:
        rate = next(rest)
        # What Keras keeps in float32 need not replace the number that the config has.
        if rate.dtype != np.float32 or np.float32(optimizer.learning_rate) != rate:
            optimizer.learning_rate = float(rate)
    for (slot, place), array in zip(_places(optimizer, variables), rest, strict=False):
        optimizer.slot_values(slot)[place][...] = array


def _places(optimizer: Optimizer, variables: Sequence[Variable]) -> list[tuple[str, int]]:
    """Return the slots and the places of their variables in the order of Keras."""
    slots, rule = optimizer.update_spec().slots, optimizer.rule().slots
    behind = [slot for slot in _BEHIND.get(type(optimizer).__name__, ()) if slot in rule]
    around = [slot for slot in ("average", "accumulator") if slot in slots]
    together = [slot for slot in rule if slot not in behind]
    count = range(len(variables))
    return [
        *((slot, place) for slot in around for place in count),
        *((slot, place) for place in count for slot in together),
        *((slot, place) for slot in behind for place in count),
    ]


def _nadam_product(optimizer: Any) -> float:
    """Return the product of Nadam's rates, which Keras keeps and fastgd works out of the number of updates."""
    product = 1.0
    for step in range(1, optimizer.iterations + 1):
        product *= optimizer.beta_1 * (1.0 - 0.5 * 0.96**step)
        if product == 0.0:
            break
    return product
