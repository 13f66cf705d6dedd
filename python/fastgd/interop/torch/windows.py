"""PyTorch's convolutions and pools: its paddings as layers of their own where no other padding means the same."""

from __future__ import annotations

from typing import Any

from fastgd.interop.torch.refusals import refuse_option
from fastgd.interop.values import LAST, Sizes, Value, channels_last
from fastgd.interop.windows import ORDER, class_of, kind_of_padding, pad
from fastgd.utils.windows import window_sizes


def sizes_of(value: Any, rank: int) -> Sizes:
    """Return one integer per spatial axis for an integer or a tuple."""
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank
    return tuple(int(size) for size in given)


def images(value: Value, rank: int, name: str) -> Value:
    """Return a value with the channels last, after checking that it has so many spatial axes."""
    if len(value.shape) != rank + 1:
        raise ValueError(
            f"The module {name!r} takes inputs (batch, channels and {rank} spatial sizes). Received: "
            f"shape={('batch', *value.shape)}"
        )
    return channels_last(value)


def padding_of_convolution(module: Any, rank: int, name: str) -> Sizes:
    """Return the zeros before each axis, as many as behind it.

    Raises:
        ValueError: for padding with other values, or "same" with an odd number of zeros.
    """
    if module.padding_mode != "zeros":
        raise refuse_option(name, "padding_mode", module.padding_mode)
    if module.padding == "valid":
        return (0,) * rank
    if module.padding == "same":
        extents = [
            (k - 1) * d
            for k, d in zip(sizes_of(module.kernel_size, rank), sizes_of(module.dilation, rank), strict=True)
        ]
        if any(extent % 2 for extent in extents):
            raise refuse_option(name, "padding", "same, with an odd number of zeros")
        return tuple(extent // 2 for extent in extents)
    return sizes_of(module.padding, rank)


def pool(value: Value, module: Any, name: str, rank: int) -> Value:
    """Return the maxima or means of windows.

    Raises:
        ValueError: for dilated windows, indices, other divisors, and means whose padding does not count.
    """
    kind = "Max" if type(module).__name__.startswith("Max") else "Average"
    value = images(value, rank, name)
    window, padding = sizes_of(module.kernel_size, rank), sizes_of(module.padding, rank)
    strides = sizes_of(module.kernel_size if module.stride is None else module.stride, rank)
    for option, harmless in (("dilation", 1), ("return_indices", False), ("divisor_override", None)):
        given = getattr(module, option, harmless)
        if given != harmless and sizes_of(given or 0, rank) != (harmless,) * rank:
            raise refuse_option(name, option, given)
    sizes, ones = value.shape[1:], (1,) * rank
    after = padding
    if module.ceil_mode:
        after = tuple(
            # The last window must begin inside the input or what is before it.
            p + (w + (-(-(s + 2 * p - w) // step)) * step - (s + 2 * p) if _opens(s, p, w, step) else 0)
            for s, p, w, step in zip(sizes, padding, window, strides, strict=True)
        )
    found = kind_of_padding(sizes, window, strides, ones, padding, after)
    counted = kind == "Average" and module.count_include_pad and (any(padding) or any(after))
    x = value.tensor
    if kind == "Average" and (after != padding or (counted and found == "valid")):
        raise refuse_option(name, "ceil_mode", True)
    if found is None or counted:
        if kind == "Average" and not counted:
            raise refuse_option(name, "count_include_pad", False)
        x, found = pad(x, padding, after, float("-inf") if kind == "Max" else 0.0), "valid"
    layer = class_of(kind + "Pooling{}D", rank)(window, strides, found, ORDER)
    return Value(layer(x), (value.shape[0], *window_sizes(sizes, window, strides, ones, padding, after)), LAST)


def _opens(size: int, padding: int, window: int, step: int) -> bool:
    """Return whether rounding up adds a window that begins before the end of the input."""
    more = -(-(size + 2 * padding - window) // step)
    return more * step != size + 2 * padding - window and more * step < size + padding


def adaptive_pool(value: Value, module: Any, name: str, rank: int) -> Value:
    """Return the maxima or means of as many windows as asked for, which the sizes must be multiples of."""
    kind = "Max" if "Max" in type(module).__name__ else "Average"
    value = images(value, rank, name)
    channels, sizes = value.shape[0], value.shape[1:]
    given = module.output_size if isinstance(module.output_size, (tuple, list)) else (module.output_size,) * rank
    wanted = tuple(s if w is None else int(w) for s, w in zip(sizes, given, strict=True))
    if getattr(module, "return_indices", False):
        raise refuse_option(name, "return_indices", True)
    if any(s % w for s, w in zip(sizes, wanted, strict=True)):
        raise refuse_option(name, "output_size", f"{module.output_size}, for an input of the sizes {sizes}")
    if set(wanted) == {1}:
        layer = class_of(f"Global{kind}Pooling{{}}D", rank)(data_format=ORDER, keepdims=True)
    else:
        window = tuple(s // w for s, w in zip(sizes, wanted, strict=True))
        layer = class_of(kind + "Pooling{}D", rank)(window, data_format=ORDER)
    return Value(layer(value.tensor), (channels, *wanted), LAST)
