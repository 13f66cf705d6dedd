"""Images and signals in either order of axes: ops compute with the channels last, and others are transposed around."""

from __future__ import annotations

from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.moving import transpose


def to_channels_last(op: str, x: Tensor, data_format: str, ranks: tuple[int, ...] = (1, 2, 3)) -> Tensor:
    """Return x as (batch, sizes..., channels).

    Args:
        op: the op, for messages.
        x: tensor whose channels are where `data_format` says.
        data_format: "channels_last" or "channels_first".
        ranks: the numbers of spatial axes that the op knows.

    Raises:
        ValueError: if x has another number of axes, or an axis beside the first one depends on the batch.
    """
    require_tensors(op, x)
    shape = show_dims(x.dims)
    counts = " or ".join(str(rank + 2) for rank in ranks)
    require(len(x.dims) - 2 in ranks, op, f"x must have {counts} axes, with batch and channels: it is {shape}")
    require(min(x.dims[1:]) >= 0, op, f"only the first axis of x may depend on the batch: it is {shape}")
    if data_format == "channels_last":
        return x
    # Between two such ops the axes need not go there and back.
    before = x.builder.source(x, "transpose", {"axes": _first_order(len(x.dims))})
    return transpose(x, (0, *range(2, len(x.dims)), 1)) if before is None else before


def from_channels_last(y: Tensor, data_format: str) -> Tensor:
    """Return y, whose channels are last, in the order that `data_format` says."""
    return y if data_format == "channels_last" else transpose(y, _first_order(len(y.dims)))


def _first_order(axes: int) -> tuple[int, ...]:
    """Return the axes of (batch, sizes..., channels) with the channels behind the batch."""
    return (0, axes - 1, *range(1, axes - 1))
