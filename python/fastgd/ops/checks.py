"""What the shape rules of all ops share: errors that begin with `[op]`."""

from __future__ import annotations

from collections.abc import Sequence

from fastgd.ops.builder import Tensor, show_dims


def require(condition: bool, op: str, message: str) -> None:
    """Raise a ValueError with `[op]` before `message` unless `condition` holds."""
    if not condition:
        raise ValueError(f"[{op}] {message}")


def require_tensors(op: str, *tensors: object) -> None:
    """Raise a TypeError unless all are tensors, and a ValueError unless they belong to one plan."""
    for x in tensors:
        if not isinstance(x, Tensor):
            raise TypeError(f"[{op}] takes tensors of one plan, not mixed with arrays. Received: {type(x).__name__}")
    builders = {id(x.builder) for x in tensors if isinstance(x, Tensor)}
    require(len(builders) == 1, op, "the tensors are of different plans")


def require_same_dims(op: str, tensors: Sequence[Tensor]) -> None:
    """Raise a ValueError unless all have the same shape."""
    sizes = [show_dims(x.dims) for x in tensors]
    require(len(set(sizes)) == 1, op, f"all inputs must have one shape: they are {' and '.join(sizes)}")
