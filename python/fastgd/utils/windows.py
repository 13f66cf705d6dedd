"""Sliding windows: their arguments, the zeros around the input that a kind of padding means, and the output sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastgd import config
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid, mistyped, unknown

Sizes = tuple[int, ...]

DATA_FORMATS = ("channels_last", "channels_first")


def resolve(name: str, value: Any, rank: int, minimum: int = 1) -> Sizes:
    """Return one integer per spatial axis.

    Args:
        name: the argument, for messages.
        value: an integer, which then holds for each axis, or a list or tuple of `rank` integers.
        rank: the number of spatial axes.
        minimum: the least integer allowed.

    Raises:
        TypeError: if something is no integer.
        ValueError: for another number of integers, or one that is too small.
    """
    if not isinstance(value, (tuple, list)):
        return (check_int(name, value, minimum),) * rank
    if len(value) != rank:
        raise invalid(f"`{name}` must be an integer or hold {rank}, one per spatial axis.", **{name: value})
    return tuple(check_int(name, size, minimum) for size in value)


def check_padding(padding: Any, causal: bool = False) -> str:
    """Return the kind of padding in lower case: "valid", "same" or, where it is allowed, "causal".

    Raises:
        TypeError: if it is no string.
        ValueError: for any other string.
    """
    kinds = ("valid", "same", "causal") if causal else ("valid", "same")
    if not isinstance(padding, str):
        raise mistyped(f"`padding` must be one of {', '.join(kinds)}.", padding=padding)
    if padding.lower() not in kinds:
        raise unknown("kind of padding", kinds, padding=padding)
    return padding.lower()


def check_data_format(data_format: Any) -> str:
    """Return "channels_last" or "channels_first"; None stands for `config.image_data_format()`.

    Raises:
        ValueError: for anything else.
    """
    if data_format is None:
        return config.image_data_format()
    if data_format not in DATA_FORMATS:
        raise unknown("order of axes", DATA_FORMATS, data_format=data_format)
    return str(data_format)


def window_extents(window: Sequence[int], dilations: Sequence[int]) -> Sizes:
    """Return how many neighbours each window covers, those between its dilated elements included."""
    return tuple((k - 1) * dilation + 1 for k, dilation in zip(window, dilations, strict=True))


def window_padding(
    padding: str, sizes: Sequence[int], window: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> tuple[Sizes, Sizes]:
    """Return the zeros before and after each spatial axis.

    Args:
        padding: "valid" has none. "same" has as many as `ceil(size / stride)` windows need, half of them before and the
            odd one after. "causal" has all before, so that no window sees what comes after its last element.
        sizes: the sizes of the input.
        window: the sizes of the window.
        strides: the steps between windows.
        dilations: the steps between the elements of a window.

    Returns:
        The numbers before and those after.
    """
    extents = window_extents(window, dilations)
    if padding == "causal":
        totals = befores = [extent - 1 for extent in extents]
    else:
        each = zip(sizes, extents, strides, strict=True)
        totals = [max((-(-s // step) - 1) * step + e - s, 0) if padding == "same" else 0 for s, e, step in each]
        befores = [total // 2 for total in totals]
    return tuple(befores), tuple(total - before for total, before in zip(totals, befores, strict=True))


def window_sizes(
    sizes: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    before: Sequence[int],
    after: Sequence[int],
) -> Sizes:
    """Return how many windows fit: `floor((size + before + after - extent) / stride) + 1` along each axis.

    Args:
        sizes: the sizes of the input.
        window: the sizes of the window.
        strides: the steps between windows.
        dilations: the steps between the elements of a window.
        before: the zeros before each axis; negative numbers crop it.
        after: the same behind it.

    Raises:
        ValueError: if the input is too small for a single window.
    """
    extents = window_extents(window, dilations)
    whole = [s + b + a for s, b, a in zip(sizes, before, after, strict=True)]
    if any(w < extent for w, extent in zip(whole, extents, strict=True)):
        raise invalid(
            f"The window covers {extents} and does not fit into the input, which is {tuple(whole)} with its padding.",
            input_sizes=tuple(sizes),
        )
    return tuple((w - extent) // step + 1 for w, extent, step in zip(whole, extents, strides, strict=True))
