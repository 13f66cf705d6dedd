"""Sliding windows over a time series, in batches: `timeseries_dataset_from_array`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.utils.checks import check_bool, check_int, check_seed
from fastgd.utils.errors import invalid
from fastgd.utils.seeds import draw_seed

Array = npt.NDArray[Any]


class TimeseriesDataset:
    """Batches of windows, and of their targets; it can be iterated over again and again, for several epochs.

    Args:
        data: the series, time first.
        targets: that of the window that starts at each place, or None.
        starts: where the windows start.
        offsets: the places of a window's steps behind its start.
        batch_size: the windows of a batch; None for windows one by one, without an axis for the batch.
        generator: shuffles the windows anew for each pass, or None.
    """

    def __init__(
        self,
        data: Array,
        targets: Array | None,
        starts: Array,
        offsets: Array,
        batch_size: int | None,
        generator: np.random.Generator | None,
    ) -> None:
        self._data = data
        self._targets = targets
        self._starts = starts
        self._offsets = offsets
        self.batch_size = batch_size
        self._generator = generator

    def __len__(self) -> int:
        """The number of batches."""
        return -(-len(self._starts) // (self.batch_size or 1))

    def __iter__(self) -> Iterator[Any]:
        """Yield windows, or tuples of windows and targets."""
        starts = self._starts if self._generator is None else self._generator.permutation(self._starts)
        size = self.batch_size or 1
        for first in range(0, len(starts), size):
            places = starts[first : first + size]
            windows = self._data[places[:, None] + self._offsets]
            targets = None if self._targets is None else self._targets[places]
            if self.batch_size is None:
                windows, targets = windows[0], None if targets is None else targets[0]
            yield windows if targets is None else (windows, targets)


def timeseries_dataset_from_array(
    data: npt.ArrayLike,
    targets: npt.ArrayLike | None,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
) -> TimeseriesDataset:
    """Return the sliding windows over a series as batches, for `fit`, `evaluate`, `predict` and loops.

    The window from start s holds `data[s + sampling_rate * k]` for k from 0 to `sequence_length - 1`; its target is
    `targets[s]`, so that targets are shifted by whoever gives them.

    Args:
        data: the series (steps, ...), time first.
        targets: an array with the target of the window that starts at each step, or None for windows alone.
        sequence_length: the steps of a window.
        sequence_stride: how far apart windows start.
        sampling_rate: how far apart the steps of a window are.
        batch_size: the windows of a batch, of which the last one may have fewer; None for windows one by one.
        shuffle: whether the windows come in another order, and in another one for each pass.
        seed: that of the order.
        start_index: the first step that windows may hold, None for the first of all.
        end_index: the step behind the last one that they may hold, None for the end.

    Returns:
        An object that can be iterated over, of which each pass gives all batches: arrays (n, sequence_length, ...), or
        tuples of these and targets (n, ...).

    Raises:
        ValueError: if an argument is out of range, or the series is too short for a window.

    Example:
        >>> batches = timeseries_dataset_from_array(series[:-10], series[10:], sequence_length=10)
        >>> model.fit(batches, epochs=5)
    """
    series = np.asarray(data)
    steps = len(series)
    length = check_int("sequence_length", sequence_length, 1)
    strides = {"sequence_stride": sequence_stride, "sampling_rate": sampling_rate}
    for name, stride in strides.items():
        if check_int(name, stride, 1) >= steps:
            raise invalid(f"`{name}` must be less than the {steps} steps of the series.", **{name: stride})
    first = 0 if start_index is None else check_int("start_index", start_index, 0)
    end = steps if end_index is None else check_int("end_index", end_index, 1)
    if not first < steps:
        raise invalid(f"`start_index` must be less than the {steps} steps of the series.", start_index=start_index)
    if not first < end <= steps:
        raise invalid(f"`end_index` must be above `start_index` and up to {steps}.", end_index=end_index)
    if batch_size is not None:
        check_int("batch_size", batch_size, 1)
    # Targets may end before the series does.
    wanted = None if targets is None else np.asarray(targets)[first:]
    count = end - first - (length - 1) * sampling_rate
    if wanted is not None:
        count = min(count, len(wanted), end - first)
    if count < 1:
        raise invalid(f"`sequence_length` is too long for {end - first} steps.", sequence_length=sequence_length)
    check_seed("seed", seed)
    generator = np.random.default_rng(draw_seed() if seed is None else seed) if check_bool("shuffle", shuffle) else None
    starts = np.arange(0, count, sequence_stride)
    offsets = np.arange(length) * sampling_rate
    return TimeseriesDataset(series[first:end], wanted, starts, offsets, batch_size, generator)
