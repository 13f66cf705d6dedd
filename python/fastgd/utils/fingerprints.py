"""Hashes of strings that are the same on every machine and in every run: FarmHash's fingerprint and SipHash."""

from __future__ import annotations

_MASK = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def farmhash64(data: bytes) -> int:
    """Return the 64-bit fingerprint of `data`.

    Source:
        G. Pike, FarmHash, Fingerprint64, https://github.com/google/farmhash (2014).
    """
    size = len(data)
    if size <= 16:
        return _up_to_16(data)
    if size <= 32:
        return _up_to_32(data)
    if size <= 64:
        return _up_to_64(data)
    return _above_64(data)


def siphash64(data: bytes, key: tuple[int, int]) -> int:
    """Return SipHash-2-4 of `data` under two 64-bit keys.

    Source:
        J.-P. Aumasson and D. J. Bernstein, SipHash: a fast short-input PRF, INDOCRYPT 2012.
    """
    first, second = (part & _MASK for part in key)
    state = [
        0x736F6D6570736575 ^ first,
        0x646F72616E646F6D ^ second,
        0x6C7967656E657261 ^ first,
        0x7465646279746573 ^ second,
    ]
    whole = len(data) // 8 * 8
    words = [_word(data, at) for at in range(0, whole, 8)]
    words.append(int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56)
    for word in words:
        state[3] ^= word
        _sip_rounds(state, 2)
        state[0] ^= word
    state[2] ^= 0xFF
    _sip_rounds(state, 4)
    return state[0] ^ state[1] ^ state[2] ^ state[3]


def _sip_rounds(v: list[int], rounds: int) -> None:
    for _ in range(rounds):
        v[0] = (v[0] + v[1]) & _MASK
        v[2] = (v[2] + v[3]) & _MASK
        v[1] = _rotate_left(v[1], 13) ^ v[0]
        v[3] = _rotate_left(v[3], 16) ^ v[2]
        v[0] = _rotate_left(v[0], 32)
        v[2] = (v[2] + v[1]) & _MASK
        v[0] = (v[0] + v[3]) & _MASK
        v[1] = _rotate_left(v[1], 17) ^ v[2]
        v[3] = _rotate_left(v[3], 21) ^ v[0]
        v[2] = _rotate_left(v[2], 32)


def _rotate_left(value: int, by: int) -> int:
    return (value << by | value >> (64 - by)) & _MASK


def _rotate(value: int, by: int) -> int:
    value &= _MASK
    return (value >> by | value << (64 - by)) & _MASK


def _word(data: bytes, at: int, size: int = 8) -> int:
    return int.from_bytes(data[at : at + size], "little")


def _shift_mix(value: int) -> int:
    value &= _MASK
    return value ^ value >> 47


def _mix(u: int, v: int, factor: int) -> int:
    a = _shift_mix(((u ^ v) & _MASK) * factor)
    b = _shift_mix((v ^ a) * factor)
    return b * factor & _MASK


def _up_to_16(data: bytes) -> int:
    size = len(data)
    factor = _K2 + 2 * size
    if size >= 8:
        a, b = _word(data, 0) + _K2, _word(data, size - 8)
        return _mix(_rotate(b, 37) * factor + a, (_rotate(a, 25) + b) * factor, factor)
    if size >= 4:
        return _mix(size + (_word(data, 0, 4) << 3), _word(data, size - 4, 4), factor)
    if size:
        y = data[0] + (data[size >> 1] << 8)
        z = size + (data[-1] << 2)
        return _shift_mix(y * _K2 ^ z * _K0) * _K2 & _MASK
    return _K2


def _halves(data: bytes) -> tuple[int, int, int, int]:
    """Return the two numbers that 17 to 64 bytes are first mixed to, their scaled first word, and the factor."""
    size = len(data)
    factor = _K2 + 2 * size
    short = size <= 32
    a, b = _word(data, 0) * (_K1 if short else _K2), _word(data, 8)
    c, d = _word(data, size - 8) * factor, _word(data, size - 16) * _K2
    return _rotate(a + b, 43) + _rotate(c, 30) + d, a + _rotate(b + _K2, 18) + c, a, factor


def _up_to_32(data: bytes) -> int:
    y, z, _, factor = _halves(data)
    return _mix(y, z, factor)


def _up_to_64(data: bytes) -> int:
    size = len(data)
    y, z, a, factor = _halves(data)
    z = _mix(y, z, factor)
    e, f = _word(data, 16) * factor, _word(data, 24)
    g, h = (y + _word(data, size - 32)) * factor, (z + _word(data, size - 24)) * factor
    return _mix(_rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, factor)


def _above_64(data: bytes) -> int:
    size = len(data)
    x, y = 81, (81 * _K1 + 113) & _MASK
    z = _shift_mix(y * _K2 + 113) * _K2 & _MASK
    v, w = (0, 0), (0, 0)
    x = (x * _K2 + _word(data, 0)) & _MASK
    for at in range(0, (size - 1) // 64 * 64, 64):
        x, y, z, v, w = _block(data, at, (x, y, z), v, w, _K1, 1)
    factor = _K1 + ((z & 0xFF) << 1)
    w = (w[0] + ((size - 1) & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x, y, z, v, w = _block(data, size - 64, (x, y, z), v, w, factor, 9)
    return _mix(_mix(v[0], w[0], factor) + _shift_mix(y) * _K0 + z, _mix(v[1], w[1], factor) + x, factor)


def _block(
    data: bytes,
    at: int,
    state: tuple[int, int, int],
    v: tuple[int, int],
    w: tuple[int, int],
    factor: int,
    weight: int,
) -> tuple[int, int, int, tuple[int, int], tuple[int, int]]:
    """Mix the 64 bytes from `at` into the state; the last block has another factor and weight than those before."""
    x, y, z = state
    x = _rotate(x + y + v[0] + _word(data, at + 8), 37) * factor
    y = _rotate(y + v[1] + _word(data, at + 48), 42) * factor
    x = (x ^ w[1] * weight) & _MASK
    y = (y + v[0] * weight + _word(data, at + 40)) & _MASK
    z = _rotate(z + w[0], 33) * factor & _MASK
    v = _weak(data, at, v[1] * factor, x + w[0])
    w = _weak(data, at + 32, z + w[1], y + _word(data, at + 16))
    return z, y, x, v, w


def _weak(data: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    first, second, third, last = (_word(data, at + 8 * k) for k in range(4))
    a += first
    b = _rotate(b + a + last, 21)
    c = a
    a += second + third
    return (a + last) & _MASK, (b + _rotate(a, 44) + c) & _MASK
