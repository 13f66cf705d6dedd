"""Prints the constants of csrc/simd/math.h: minimax polynomials, fitted in mpmath and rounded to float and double.

The coefficients are rounded one after the other, the lowest degree first, and the others fitted anew each time, so that
the rounding of one is made good by the rest. Run it as `python tools/make_coefficients.py`.
"""

import functools
from collections.abc import Callable

import mpmath as mp

mp.mp.dps = 60

Function = Callable[[mp.mpf], mp.mpf]


def round_to(value: mp.mpf, bits: int) -> mp.mpf:
    """Rounds to the nearest number with a significand of `bits` bits."""
    if value == 0:
        return mp.mpf(0)
    mantissa, exponent = mp.frexp(value)
    return mp.ldexp(mp.nint(mp.ldexp(mantissa, bits)), int(exponent) - bits)


def minimax(target: list[mp.mpf], basis: list[list[mp.mpf]], rounds: int = 40) -> list[mp.mpf]:
    """Coefficients of the basis that make the largest error of approximating the target small, both given on a grid.

    Lawson's method: least squares whose weights grow where the error is large, which tends to the minimax solution. It
    asks less of the basis than Remez exchange does (ours vanishes inside the interval), for a small loss.
    """
    count = len(basis)
    shares = [mp.mpf(1)] * len(target)
    best, least = [mp.mpf(0)] * count, mp.inf
    for _ in range(rounds):
        system, right = mp.matrix(count, count), mp.matrix(count, 1)
        for i in range(count):
            weighted = [s * v for s, v in zip(shares, basis[i], strict=True)]
            right[i] = mp.fdot(weighted, target)
            for j in range(i + 1):
                system[i, j] = system[j, i] = mp.fdot(weighted, basis[j])
        found = list(mp.lu_solve(system, right))
        errors = [abs(t - mp.fdot(found, column)) for t, column in zip(target, zip(*basis, strict=True), strict=True)]
        worst = max(errors)
        if worst < least:
            best, least = found, worst
        total = mp.fdot(shares, errors)
        shares = [s * e * len(target) / total for s, e in zip(shares, errors, strict=True)]
    return best


def fit(
    target: Function, weight: Function, degree: int, low: float, high: float, bits: int
) -> tuple[list[mp.mpf], float]:
    """Rounded coefficients, the constant first, and log2 of their largest weighted error."""
    a, b = mp.mpf(low), mp.mpf(high)
    grid = [(a + b) / 2 - (b - a) / 2 * mp.cos(mp.pi * (i + mp.mpf("0.5")) / 160) for i in range(160)]
    left = [weight(x) * target(x) for x in grid]
    rounded: list[mp.mpf] = []
    for first in range(degree + 1):
        basis = [[weight(x) * x**power for x in grid] for power in range(first, degree + 1)]
        rounded.append(round_to(minimax(left, basis)[0], bits))
        left = [value - rounded[-1] * column for value, column in zip(left, basis[0], strict=True)]
    return rounded, float(mp.log(max(abs(value) for value in left), 2))


def exp_target(r: mp.mpf) -> mp.mpf:
    """q of e^r = 1 + r + r^2 q(r)."""
    return mp.mpf(1) / 2 + r / 6 if abs(r) < 1e-25 else (mp.exp(r) - 1 - r) / r**2


def log_target(z: mp.mpf) -> mp.mpf:
    """l of 2 atanh(s) = 2 s + s z l(z), where z = s^2."""
    if z < 1e-25:
        return mp.mpf(2) / 3 + z * 2 / 5
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) - 2 * s) / (s * z)


def log_weight(z: mp.mpf) -> mp.mpf:
    """Makes the error of l the relative error of 2 atanh(s)."""
    s = mp.sqrt(z) if z > 0 else mp.mpf(10) ** -20
    return s**3 / (2 * mp.atanh(s))


# The tail of the normal distribution is fitted in t = (x - 4) / (x + 4), which 4 makes smooth: see tail_target.
TAIL_CENTRE = 4


@functools.cache
def tail_target(t: mp.mpf) -> mp.mpf:
    """(x + 4) e^(x^2 / 2) P(X > x) for a standard normal X, where x = 4 (1 + t) / (1 - t) >= 0."""
    x = TAIL_CENTRE * (1 + t) / (1 - t)
    return (x + TAIL_CENTRE) * mp.exp(x * x / 2) * mp.erfc(x / mp.sqrt(2)) / 2


def show(name: str, kind: str, values: list[mp.mpf], error: float | None = None) -> None:
    """Prints one constant or polynomial as C++ hexadecimal floating-point literals."""
    suffix = "f" if kind == "float" else ""
    note = "" if error is None else f"  // error 2^{error:.1f}"
    print(f"{name}<{kind}> = {{{', '.join(float(v).hex() + suffix for v in values)}}};{note}")


def main() -> None:
    """Prints everything that math.h holds."""
    # The quotient is rounded to an integer with an error, so the interval is a little wider than ln(2) / 2.
    radius = float(mp.log(2) / 2) * 1.002
    for kind, bits, high_bits, exp_degree, log_degree, tail_degree, tail_high in (
        ("float", 24, 15, 4, 3, 10, 14.5),
        ("double", 53, 32, 9, 7, 22, 39.0),
    ):
        # Cut, not rounded: both parts are positive, so that an infinite exponent times either has the same sign.
        high = mp.ldexp(mp.floor(mp.ldexp(mp.log(2), high_bits)), -high_bits)
        show("kLog2E", kind, [round_to(1 / mp.log(2), bits)])
        show("kLn2High", kind, [high])
        show("kLn2Low", kind, [round_to(mp.log(2) - high, bits)])
        decimal = mp.log(2) / mp.log(10)
        decimal_high = mp.ldexp(mp.floor(mp.ldexp(decimal, high_bits)), -high_bits)
        show("kLog10E", kind, [round_to(1 / mp.log(10), bits)])
        show("kLog10Of2High", kind, [decimal_high])
        show("kLog10Of2Low", kind, [round_to(decimal - decimal_high, bits)])
        show("kExp", kind, *fit(exp_target, lambda r: r**2 / mp.exp(r), exp_degree, -radius, radius, bits))
        # m is in [0.75, 1.5), so s = (m - 1) / (m + 1) is in [-1/7, 1/5].
        show("kLog", kind, *fit(log_target, log_weight, log_degree, 0.0, 0.04, bits))
        high_t = (tail_high - TAIL_CENTRE) / (tail_high + TAIL_CENTRE)
        show("kTail", kind, *fit(tail_target, lambda t: 1 / tail_target(t), tail_degree, -1.0, high_t, bits))


if __name__ == "__main__":
    main()
