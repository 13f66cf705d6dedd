"""The op `slice`, in a module of its own because it has the name of a class of Python's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.indexing import cut


@works_on_arrays("inputs", batch=False)
def slice(inputs: Tensor, start_indices: Sequence[int], shape: Sequence[int | None]) -> Tensor:
    """Return the block of a tensor that begins at some indices.

    Args:
        inputs: tensor of any shape.
        start_indices: where the block begins, one integer of 0 or more for each axis; 0 for a multiple of the batch.
        shape: its size along each axis; None for what is left there, as it must be for a multiple of the batch.

    Returns:
        Tensor of that shape.

    Raises:
        ValueError: if there is not one number for each axis, or the block is not within the tensor.

    Example:
        >>> ops.slice(np.eye(3), [1, 0], [2, 2])
        array([[0., 1.],
               [0., 0.]])
    """
    require_tensors("slice", inputs)
    dims = inputs.dims
    begin = [int(k) for k in np.asarray(start_indices, dtype=np.int64)]
    text = f"the tensor is {show_dims(dims)}. Received: start_indices={begin}, shape={tuple(shape)}"
    require(len(begin) == len(shape) == len(dims), "slice", f"each axis needs a start and a size: {text}")
    sizes = [
        d if size is None and d < 0 else d - k if size is None else int(size)
        for k, d, size in zip(begin, dims, shape, strict=True)
    ]
    for k, d, size in zip(begin, dims, sizes, strict=True):
        inside = (k, size) == (0, d) if d < 0 else 0 <= k <= k + size <= d
        require(inside, "slice", f"the block must lie within the tensor: {text}")
    return cut(inputs, begin, [1] * len(dims), tuple(sizes))
