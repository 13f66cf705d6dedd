"""The data of a run: arrays fed from outside, checked once, gathered and converted batch by batch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from fastgd.plan import Plan, TensorSpec
from fastgd.reference.registry import Array, MaybeArrays


class Feeds:
    """The arrays fed for the inputs of a plan.

    Attributes:
        rows: how many samples there are.
    """

    def __init__(self, plan: Plan, arrays: MaybeArrays, needed: Collection[str], partial: bool) -> None:
        """Check the arrays against the plan without converting them.

        Args:
            plan: the plan.
            arrays: one array per input; with `partial`, None for those that are not needed.
            needed: the inputs that will be read.
            partial: whether inputs that are not needed may be absent.

        Raises:
            ValueError: if the number, the shape, the dtype or the length of an array is wrong.
        """
        if len(arrays) != len(plan.inputs):
            raise ValueError(f"feeds must hold one array per input, {len(plan.inputs)}. Received: {len(arrays)}")
        self._columns: list[tuple[TensorSpec, Array]] = []
        lengths: dict[str, int] = {}
        for name, array in zip(plan.inputs, arrays, strict=True):
            if name not in needed and partial:
                continue
            if array is None:
                raise ValueError(f"input `{name}` has no array")
            spec = plan.tensor(name)
            _check_feed(spec, np.asarray(array))
            lengths[name] = len(array)
            if name in needed:
                self._columns.append((spec, np.asarray(array)))
        if len(set(lengths.values())) > 1:
            raise ValueError(f"feeds must have equal lengths. Received: {lengths}")
        if not lengths:
            raise ValueError("no input is fed, so the number of samples is unknown")
        self.rows = next(iter(lengths.values()))
        if self.rows == 0:
            raise ValueError("feeds must have at least one row")

    def gather(self, rows: slice | Array) -> dict[str, Array]:
        """Return the chosen rows of each needed input, C-contiguous and in the dtype of the plan."""
        return {spec.name: np.ascontiguousarray(array[rows], dtype=spec.dtype) for spec, array in self._columns}


def _check_feed(spec: TensorSpec, array: Array) -> None:
    """Raise a ValueError unless the array's rows fit the tensor and its numbers can be converted."""
    if array.dtype.kind not in "biu" and not (array.dtype.kind == "f" and array.dtype.itemsize <= 8):
        raise ValueError(
            f"`{spec.name}` must be float16, float32, float64, an integer type or bool. Received: {array.dtype}"
        )
    if array.ndim != len(spec.shape) or array.shape[1:] != spec.shape[1:]:
        raise ValueError(f"[input] `{spec.name}` has shape {array.shape}, the plan says {spec.shape}")


def check_bound(name: str, array: Any, shape: Sequence[int], dtype: str) -> Array:
    """Return an array that will be written in place, after checking that it can be.

    Raises:
        ValueError: if it is not a writeable C-contiguous array of this shape and dtype.
    """
    if not isinstance(array, np.ndarray):
        raise ValueError(f"`{name}` must be a NumPy array. Received: {type(array).__name__}")
    if array.dtype != dtype:
        raise ValueError(f"`{name}` must be {dtype}. Received: {array.dtype}")
    if array.shape != tuple(shape):
        raise ValueError(f"`{name}` must have shape {tuple(shape)}. Received: {array.shape}")
    if not (array.flags.c_contiguous and array.flags.writeable):
        raise ValueError(f"`{name}` must be C-contiguous and writeable")
    return array
