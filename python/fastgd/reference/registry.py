"""The table of ops: each family registers its forward and backward functions here under the op's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.plan import Attribute

Array = npt.NDArray[Any]
Attrs = Mapping[str, Attribute]
MaybeArrays = Sequence[Array | None]
Gradients = tuple[MaybeArrays, MaybeArrays]


@dataclass(frozen=True, slots=True)
class Context:
    """What a step knows about the batch it runs in.

    Attributes:
        training: whether dropout and the like are active.
        iteration: the number of updates done before this batch.
        dtype: the plan's floating type.
        batch: the number of samples in this batch.
        input_needs: for each input, whether somebody wants its gradient.
        param_needs: for each parameter, whether it is trained.
        updates: whether forward may change parameters that no optimizer trains (moving averages): in training only,
            neither in evaluation and prediction nor in `inspect`.
        keeps_states: whether forward may overwrite what it carries from batch to batch (recurrent states): in every
            run, not in `inspect`.
        saved: what forward leaves for backward, beyond its outputs.
    """

    training: bool
    iteration: int
    dtype: np.dtype[Any]
    batch: int
    input_needs: tuple[bool, ...] = ()
    param_needs: tuple[bool, ...] = ()
    updates: bool = False
    keeps_states: bool = False
    saved: dict[str, Array] = field(default_factory=dict)


# outputs = forward(ctx, inputs, params, attrs)
Forward = Callable[[Context, Sequence[Array], Sequence[Array], Attrs], Sequence[Array]]
# d_inputs, d_params = backward(ctx, inputs, params, outputs, d_outputs, attrs), with None where no gradient flows.
# It never writes into `d_outputs`: where a tensor fans out, several steps may hold the same array.
Backward = Callable[[Context, Sequence[Array], Sequence[Array], Sequence[Array], MaybeArrays, Attrs], Gradients]


@dataclass(slots=True)
class Op:
    """One op: its forward function, its backward function if it has one, and how many of its inputs get a gradient.

    `differentiable` counts leading inputs (a loss has one: its target gets no gradient), perhaps by the attributes;
    None stands for all.
    `is_flat` tells by the attributes whether the op has no gradient after all, as the function of an op may have none.
    `calls_back`: its errors are those of the user's own code, and are left as they are.
    """

    forward: Forward
    backward: Backward | None = None
    differentiable: int | Callable[[Attrs], int] | None = None
    calls_back: bool = False
    is_flat: Callable[[Attrs], bool] = lambda attrs: False

    def carries_gradient(self, position: int, attrs: Attrs) -> bool:
        """Return whether a gradient can flow to the input at `position`."""
        count = self.differentiable(attrs) if callable(self.differentiable) else self.differentiable
        return self.backward is not None and (count is None or position < count)


OPS: dict[str, Op] = {}


def forward(name: str, calls_back: bool = False) -> Callable[[Forward], Forward]:
    """Return a decorator that registers a function as the forward pass of the op `name`."""

    def register(function: Forward) -> Forward:
        OPS[name] = Op(function, calls_back=calls_back)
        return function

    return register


def backward(
    name: str,
    differentiable: int | Callable[[Attrs], int] | None = None,
    is_flat: Callable[[Attrs], bool] = lambda attrs: False,
) -> Callable[[Backward], Backward]:
    """Return a decorator that registers a function as the backward pass of the op `name`, whose forward stands above.

    Args:
        name: the op.
        differentiable: how many leading inputs get a gradient, perhaps by the attributes; None stands for all.
        is_flat: whether it has no gradient with certain attributes.
    """

    def register(function: Backward) -> Backward:
        OPS[name].backward = function
        OPS[name].differentiable = differentiable
        OPS[name].is_flat = is_flat
        return function

    return register


def lookup(name: str) -> Op:
    """Return the op called `name`.

    Raises:
        ValueError: if there is none.
    """
    if name not in OPS:
        raise ValueError(f"[{name}] unknown op. Known ops: {', '.join(sorted(OPS))}.")
    return OPS[name]


def number(attrs: Attrs, name: str, default: float) -> float:
    """Return the attribute `name` as a Python float, which never widens a float32 array."""
    value = attrs.get(name, default)
    if not isinstance(value, (bool, int, float)):
        raise ValueError(f"attribute `{name}` must be a number. Received: {value!r}")
    return float(value)


def integer(attrs: Attrs, name: str) -> int:
    """Return the attribute `name` as an integer; a seed of 64 bits stays whole."""
    value = attrs.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"`{name}` must be an integer. Received: {name}={value!r}")
    return value


def sizes(attrs: Attrs, name: str) -> tuple[int, ...]:
    """Return the attribute `name`, a tuple of integers."""
    value = attrs[name]
    if not isinstance(value, (tuple, list)) or any(isinstance(size, float) for size in value):
        raise ValueError(f"`{name}` must be a tuple of integers. Received: {name}={value!r}")
    return tuple(int(size) for size in value)


def require_same_shape(first: Array, second: Array) -> None:
    """Raise a ValueError unless both shapes are equal: NumPy would broadcast where the plan does not."""
    if first.shape != second.shape:
        raise ValueError(f"inputs must have one shape. Received: {first.shape} and {second.shape}")
