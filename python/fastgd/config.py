"""Global numeric settings: the default dtype, the fuzz factor of the losses and the image data format."""

from __future__ import annotations

_FLOAT_TYPES = ("float32", "float64")

_floatx = "float32"
_epsilon = 1e-7


def floatx() -> str:
    """Return the dtype of models that name none: "float32" unless `set_floatx` changed it."""
    return _floatx


def set_floatx(value: str) -> None:
    """Set the dtype of models that name none.

    Args:
        value: "float32" or "float64". Models that exist already keep theirs.

    Raises:
        ValueError: for any other dtype.

    Example:
        >>> fastgd.config.set_floatx("float64")
    """
    global _floatx
    if value not in _FLOAT_TYPES:
        raise ValueError(f"`value` must be one of {', '.join(_FLOAT_TYPES)}. Received: value={value!r}")
    _floatx = value


def epsilon() -> float:
    """Return the distance from 0 and 1 to which losses clip probabilities: 1e-7 unless `set_epsilon` changed it."""
    return _epsilon


def set_epsilon(value: float) -> None:
    """Set the distance from 0 and 1 to which losses clip probabilities.

    Args:
        value: a positive number below 0.5. Compiled models keep the one they were compiled with.

    Raises:
        ValueError: if it is not in that range.
    """
    global _epsilon
    if not 0.0 < value < 0.5:
        raise ValueError(f"`value` must be a number between 0 and 0.5. Received: value={value!r}")
    _epsilon = float(value)


def image_data_format() -> str:
    """Return the order of an image's axes, "channels_last": (batch, height, width, channels)."""
    return "channels_last"
