"""What elementwise ops do with their operands: numbers, arrays and variables become tensors, shapes are broadcast."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import numpy as np

from fastgd.ops.builder import Dims, PlanBuilder, Tensor, show_dims
from fastgd.ops.checks import require_tensors
from fastgd.ops.parameters import Variable


def as_tensors(op: str, *values: Any) -> list[Tensor]:
    """Return `values`, one of which is a tensor, as floating tensors of its plan.

    A number becomes a constant, an array a parameter that is not trained, a variable a parameter, and integers are cast
    to the plan's floating type.

    Raises:
        TypeError: for something else.
        ValueError: if tensors belong to different plans.
    """
    tensors = [value for value in values if isinstance(value, Tensor)]
    require_tensors(op, *tensors)
    return [as_tensor(op, value, tensors[0].builder) for value in values]


def as_tensor(op: str, value: Any, builder: PlanBuilder) -> Tensor:
    """Return one operand as a floating tensor of the plan of `builder`; `as_tensors` says how."""
    if isinstance(value, Tensor):
        return builder.emit("cast", [value], [value.dims])[0] if value.dtype == "int32" else value
    if isinstance(value, Variable):
        return builder.read(value)
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"[{op}] takes tensors, variables, arrays and numbers. Received: {type(value).__name__}")
    if array.ndim == 0:
        return builder.constant(float(array))
    return builder.read(Variable(array, "constant", builder.dtype, trainable=False))


def broadcast_dims(op: str, tensors: Sequence[Tensor]) -> Dims:
    """Return the common sizes of tensors by NumPy's rule: aligned at the last axis, and 1 fits any size.

    The batch fits itself and 1 alone, since no other size equals it in every batch.

    Raises:
        ValueError: if two sizes do not fit.
    """
    dims: Dims = ()
    for x in tensors:
        pairs = list(zip_longest(reversed(dims), reversed(x.dims), fillvalue=1))
        if any(a != b and 1 not in (a, b) for a, b in pairs):
            shapes = " and ".join(show_dims(each.dims) for each in tensors)
            raise ValueError(f"[{op}] the shapes {shapes} do not fit together")
        dims = tuple(b if a == 1 else a for a, b in reversed(pairs))
    return dims
