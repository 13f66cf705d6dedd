"""Axes as the user gives them, counted from either end, as the plan counts them."""

from __future__ import annotations

from collections.abc import Sequence

from fastgd.ops.checks import require


def normal_axis(op: str, axis: int, rank: int) -> int:
    """Return `axis`, which may count from the last, as a number from 0.

    Raises:
        ValueError: with `[op]` in front, if there is no such axis among `rank`.
    """
    require(-rank <= axis < rank, op, f"`axis` must be from {-rank} to {rank - 1}. Received: axis={axis}")
    return axis + rank if axis < 0 else axis


def normal_axes(op: str, axis: int | Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """Return one or several axes as sorted numbers from 0; None means all.

    Raises:
        ValueError: with `[op]` in front, if one does not exist or is given twice.
    """
    if axis is None:
        return tuple(range(rank))
    axes = [normal_axis(op, k, rank) for k in ([axis] if isinstance(axis, int) else axis)]
    require(len(set(axes)) == len(axes), op, f"`axis` must not name an axis twice. Received: axis={axis}")
    return tuple(sorted(axes))


def axes_behind_batch(op: str, axis: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """Return one or several axes of samples as sorted numbers from 1.

    Raises:
        ValueError: with `[op]` in front, if there is none, or one does not exist, is given twice or is the batch.
    """
    axes = normal_axes(op, axis, rank)
    require(bool(axes) and axes[0] >= 1, op, f"`axis` must name axes behind the batch. Received: axis={axis}")
    return axes


def require_neighbours(op: str, axes: Sequence[int]) -> None:
    """Raise a ValueError with `[op]` in front unless sorted axes follow one another."""
    follow = list(axes) == list(range(axes[0], axes[0] + len(axes))) if axes else True
    require(follow, op, f"`axis` must name neighbouring axes. Received: axis={tuple(axes)}")
