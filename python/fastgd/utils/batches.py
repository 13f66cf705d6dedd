"""The tuples in which data come to a training step of one's own."""

from __future__ import annotations

from typing import Any

from fastgd.utils.errors import invalid


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return the data of a batch as `train_step` gets them: (x, y, sample_weight) without what is missing at the end.

    Args:
        x: the inputs; alone they come as they are, in a tuple (x,) only if they are a list or a tuple.
        y: the targets.
        sample_weight: the weights of the samples.

    Example:
        >>> fastgd.utils.pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (list, tuple)) else x


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return x, y and the sample weights of the data that `train_step` gets, None for what is missing.

    Args:
        data: x, (x,), (x, y) or (x, y, sample_weight).

    Raises:
        ValueError: for a tuple of another length.

    Example:
        >>> fastgd.utils.unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if not isinstance(data, (list, tuple)):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise invalid("`data` must be x, (x,), (x, y) or (x, y, sample_weight).", **{"len(data)": len(data)})
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight
