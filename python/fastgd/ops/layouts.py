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
    counts = " or ".join(str(rank + 2) for rank in ranks)
    require(len(x.dims) - 2 in ranks, op, f"x must have {counts} axes, with batch and channels: it is {show_dims(x.dims)}")
    fixed = min(x.dims[1:]) >= 0
    require(fixed, op, f"only the first axis of x may depend on the batch: it is {show_dims(x.dims)}")
    return x if data_format == "channels_last" else transpose(x, (0, *range(2, len(x.dims)), 1))


def from_channels_last(y: Tensor, data_format: str) -> Tensor:
    """Return y, whose channels are last, in the order that `data_format` says."""
    last = len(y.dims) - 1
    return y if data_format == "channels_last" else transpose(y, (0, last, *range(1, last)))
