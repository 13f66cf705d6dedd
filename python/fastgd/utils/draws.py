"""Random numbers of distributions that NumPy has not."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def truncated(generator: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return standard normal values, those beyond 2 drawn again."""
    values = np.asarray(generator.standard_normal(shape))
    beyond = np.abs(values) > 2
    while beyond.any():
        values[beyond] = generator.standard_normal(int(beyond.sum()))
        beyond = np.abs(values) > 2
    return values
