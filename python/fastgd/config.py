"""Global settings: the default dtype, the fuzz factor of the losses, the order of images' axes, and where text goes."""

from __future__ import annotations

_FLOAT_TYPES = ("float32", "float64")
_DATA_FORMATS = ("channels_last", "channels_first")

_floatx = "float32"
_epsilon = 1e-7
_image_data_format = "channels_last"
_interactive_logging = True


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
    """Return the order of an image's axes where a layer names none: "channels_last" unless it was changed.

    It means (batch, height, width, channels), and "channels_first" (batch, channels, height, width).
    """
    return _image_data_format


def set_image_data_format(data_format: str) -> None:
    """Set the order of an image's axes where a layer names none.

    Args:
        data_format: "channels_last" or "channels_first". Layers that exist already keep theirs.

    Raises:
        ValueError: for anything else.
    """
    global _image_data_format
    if data_format not in _DATA_FORMATS:
        known = ", ".join(_DATA_FORMATS)
        raise ValueError(f"`data_format` must be one of {known}. Received: data_format={data_format!r}")
    _image_data_format = data_format


def backend() -> str:
    """Return the interpreter that runs models now: "native" or "numpy"; `fastgd.backend` chooses it."""
    # Imported late: the runtime knows this module.
    from fastgd.runtime import current_backend

    return current_backend()


def enable_interactive_logging() -> None:
    """Let progress and messages of callbacks be printed, as they are to begin with."""
    global _interactive_logging
    _interactive_logging = True


def disable_interactive_logging() -> None:
    """Let progress and messages of callbacks go to the logger "fastgd" of Python's `logging`, at its level INFO."""
    global _interactive_logging
    _interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """Return whether progress and messages of callbacks are printed rather than logged."""
    return _interactive_logging
