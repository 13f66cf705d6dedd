"""The sum of tensors of one shape: `sum_of`."""

from __future__ import annotations

from collections.abc import Sequence

from fastgd.ops.builder import Tensor
from fastgd.ops.checks import require, require_same_dims, require_tensors
from fastgd.ops.eager import works_on_arrays


@works_on_arrays("inputs", batch=False)
def sum_of(inputs: Sequence[Tensor]) -> Tensor:
    """Return the sum of tensors of one shape.

    Args:
        inputs: one or more tensors of any shape.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if the shapes differ.
    """
    require(len(inputs) > 0, "add", "needs at least one input")
    require_tensors("add", *inputs)
    require_same_dims("add", inputs)
    return inputs[0].builder.emit("add", inputs, [inputs[0].dims])[0]
