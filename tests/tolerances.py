"""The only table of tolerances: each derived from the unit roundoff and the length of what was summed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# The unit roundoff of each type.
EPS = {"float32": float(np.finfo(np.float32).eps), "float64": float(np.finfo(np.float64).eps)}

# Gradients against 4th-order central differences in float64: the promise of docs (reliability).
GRADIENT_CHECK = 1e-7

# Histories of the two interpreters over ten epochs of training: rounding differs in every product and grows slowly.
HISTORY = 1e-4

# Elementary functions, in units in the last place.
ELEMENTARY_ULP = {"float32": 2.0, "float64": 4.0}


def summed(dtype: str, length: int) -> float:
    """Return the relative error allowed to a sum of `length` products evaluated in two orders.

    Both orders are wrong by at most length * eps; with random signs by about sqrt(length) * eps. The factor 8 covers
    the tail of that distribution over the many elements that a test compares.
    """
    return 8 * EPS[dtype] * max(1.0, float(length)) ** 0.5


def assert_close(
    actual: npt.ArrayLike, expected: npt.ArrayLike, relative: float, scale: float | None = None, what: str = ""
) -> None:
    """Assert |actual - expected| <= relative * scale, scale being the largest expected magnitude if not given.

    The magnitude of the whole array is the yardstick because an element near zero is a difference of larger numbers.
    """
    a = np.asarray(actual, np.float64)
    e = np.asarray(expected, np.float64)
    assert a.shape == e.shape, f"{what}: shapes {a.shape} and {e.shape}"
    if e.size == 0:
        return
    np.testing.assert_array_equal(np.isnan(a), np.isnan(e), err_msg=what)
    magnitude = float(np.nanmax(np.abs(e))) if scale is None else scale
    worst = float(np.nanmax(np.abs(a - e))) if not np.isnan(e).all() else 0.0
    assert worst <= relative * max(magnitude, 1e-30), f"{what}: differs by {worst:.3e} at magnitude {magnitude:.3e}"
