"""The arguments of `fit` that need checking together: validation data, its epochs, and the split."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fastgd.models.feeds import Feeds
from fastgd.utils.checks import check_int, check_real
from fastgd.utils.errors import invalid, mistyped


def split_off(feeds: Feeds, validation_split: float) -> tuple[Feeds, Feeds | None]:
    """Return the rows to train on and the last rows, a share `validation_split` of all, to validate on.

    Raises:
        ValueError: if the share is not between 0 and 1, or if a part would have no rows.
    """
    share = check_real("validation_split", validation_split, 0.0)
    if share >= 1:
        raise invalid("`validation_split` must be below 1.", validation_split=validation_split)
    if share == 0:
        return feeds, None
    kept = math.floor(feeds.rows * (1.0 - share))
    if kept in (0, feeds.rows):
        raise invalid(
            f"`validation_split` must leave rows on both sides; of {feeds.rows} it keeps {kept} for training.",
            validation_split=validation_split,
        )
    return feeds.part(0, kept), feeds.part(kept)


def unpack_validation(validation_data: Any) -> tuple[Any, Any, Any]:
    """Return x, y and the sample weights or None from a tuple of two or three.

    Raises:
        TypeError: if it is no such tuple.
    """
    if isinstance(validation_data, (tuple, list)) and len(validation_data) in (2, 3):
        x, y, *rest = validation_data
        return x, y, rest[0] if rest else None
    raise mistyped(
        "`validation_data` must be a tuple (x, y) or (x, y, sample_weight).", validation_data=type(validation_data)
    )


def validation_epochs(validation_freq: Any) -> Callable[[int], bool]:
    """Return the function that tells whether an epoch, counted from 0, is validated.

    Raises:
        TypeError: if `validation_freq` is neither an integer nor a sequence of them.
        ValueError: if it is below 1.
    """
    if isinstance(validation_freq, Iterable) and not isinstance(validation_freq, (str, bytes)):
        chosen = {check_int("validation_freq", epoch, 1) for epoch in validation_freq}
        return lambda epoch: epoch + 1 in chosen
    every = check_int("validation_freq", validation_freq, 1)
    return lambda epoch: (epoch + 1) % every == 0


def report(logs: dict[str, Any], names: Sequence[str], return_dict: bool) -> Any:
    """Return logs as a dict with sorted keys, or as a list in the order of `names`, or as the only number."""
    if return_dict:
        return {name: logs[name] for name in sorted(logs)}
    values = [logs[name] for name in names]
    return values[0] if len(values) == 1 else values
