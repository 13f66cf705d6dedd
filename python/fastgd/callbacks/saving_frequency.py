"""How often callbacks write files: after every epoch, or after so many batches."""

from __future__ import annotations

from typing import Any

from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid


def check_save_freq(save_freq: Any) -> int | str:
    """Return `save_freq`: "epoch" or a number of batches.

    Raises:
        ValueError: for anything else.
    """
    if save_freq == "epoch":
        return "epoch"
    if isinstance(save_freq, (str, bool)):
        raise invalid('`save_freq` must be "epoch" or a number of batches.', save_freq=save_freq)
    return check_int("save_freq", save_freq, 1)


class BatchCounter:
    """Counts batches across epochs, and tells when it is time to write again.

    Args:
        save_freq: every how many batches.
    """

    def __init__(self, save_freq: int) -> None:
        self._every = save_freq
        self.seen = 0

    def is_time(self) -> bool:
        """Count a batch and return whether something is to be written after it."""
        self.seen += 1
        if self.seen < self._every:
            return False
        self.seen = 0
        return True
