"""The only table of tolerances: each derived from the unit roundoff and the length of what was summed."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

# The unit roundoff of each type.
EPS = {"float32": float(np.finfo(np.float32).eps), "float64": float(np.finfo(np.float64).eps)}

# The step of the 4th-order central differences: the formula's own error is h^4 f'''''/30, about 1e-13, and rounding
# adds about epsilon/h, so that this step leaves 1e-12 of a gradient of order one.
GRADIENT_STEP = 1e-3

# Gradients against these differences, relative to the largest element of each gradient: what the project promises. It
# leaves room for fifth derivatives a million times the gradient, and any wrong term is far above it.
GRADIENT_CHECK = 1e-7

# Histories of the two interpreters over ten epochs: rounding differs in every product and grows slowly where
# activations are smooth. A rectifier that rounding flips parts two runs for good: no tolerance covers that.
HISTORY = 1e-4

# Weights and slots after 50 updates in float64 on a smooth problem: each adds sqrt(terms) * epsilon or 1e-15, and
# what is added early is carried along 50 times, which makes 5e-14; the factor 20 is for Adam, which divides by small
# moments.
FIFTY_UPDATES = 1e-12

# Weights after 200 updates in float64 against the formulas: noise in every batch keeps the gradients, and with them the
# divisors, of order one; each update adds about 1e-15 of its rate.
TWO_HUNDRED_UPDATES = 1e-12

# A least-squares line found by descent, against numpy.polyfit: the 8 digits that the project promises.
LEAST_SQUARES = 1e-8

# Elementary functions, in units in the last place.
ELEMENTARY_ULP = {"float32": 2.0, "float64": 4.0}

# The functions of the op `unary`, the same: a logarithm to another base adds a product to its own 0.9.
UNARY_ULP = 2.5


def summed(dtype: str, length: int) -> float:
    """Return the relative error allowed to a sum of `length` products evaluated in two orders.

    Both orders are wrong by at most length * eps; with random signs by about sqrt(length) * eps. The factor 8 covers
    the tail of that distribution over the many elements that a test compares.
    """
    return 8 * EPS[dtype] * math.sqrt(max(1.0, float(length)))


def chained(dtype: str, *lengths: int) -> float:
    """Return the relative error allowed to a chain of sums of these lengths, each fed with the one before.

    Every link adds the error of its own sum and hands on the errors before it, which links of order one do not enlarge.
    An elementary function of 2 ULP or a quotient is a link of length 1.
    """
    return sum(summed(dtype, length) for length in lengths)


def sampled(count: int) -> float:
    """Return the error, in standard deviations, allowed to mean and deviation of `count` random numbers.

    The standard error of a mean is 1 / sqrt(count), that of the deviation of a normal or flatter distribution less; one
    draw in two million is beyond five of them, and the seeds of the tests are fixed besides.
    """
    return 5.0 / math.sqrt(count)


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
