"""Ops that pick elements: slices, parts, gathering by indices, and one-hot vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fastgd.ops.axes import normal_axis
from fastgd.ops.builder import Dims, Tensor, show_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.shaping import ravel, squeeze, view
from fastgd.plan import Attribute


def cut(x: Tensor, begin: Sequence[int], step: Sequence[int], dims: Dims) -> Tensor:
    """Return the elements of x at `begin[k] + i step[k]` along each axis k, as many as `dims` says."""
    if x.dims == dims and all(k == 1 for k in step):
        return x
    attrs: dict[str, Attribute] = {"begin": tuple(begin), "step": tuple(step), "shape": dims}
    return x.builder.emit("slice", [x], [dims], attrs=attrs, dtype=x.dtype)[0]


@works_on_arrays("x", batch=False)
def get_item(x: Tensor, key: object) -> Tensor:
    """Return `x[key]` for NumPy's basic indexing.

    Args:
        x: tensor of any shape.
        key: integers, slices, None and Ellipsis. A multiple of the batch is taken whole, in reverse or at one place.

    Returns:
        Tensor of the picked elements.

    Raises:
        ValueError: if there are more indices than axes, or one is out of range.
        TypeError: if one is of another type.
    """
    keys = list(key) if isinstance(key, tuple) else [key]
    used = sum(k is not None and k is not Ellipsis for k in keys)
    ellipses = [place for place, k in enumerate(keys) if k is Ellipsis]
    rank = len(x.dims)
    text = f"x is {show_dims(x.dims)}. Received: {key!r}"
    require(used <= rank and len(ellipses) <= 1, "slice", f"there are too many indices: {text}")
    place = ellipses[0] if ellipses else len(keys)
    keys[place : place + 1] = [slice(None)] * (rank - used)
    begin: list[int] = []
    step: list[int] = []
    sizes: list[int] = []
    shown: list[int] = []
    for k in keys:
        if k is None:
            shown.append(1)
            continue
        d = x.dims[len(sizes)]
        first, stride, size, stays = _along(k, d, text)
        begin.append(first)
        step.append(stride)
        sizes.append(size)
        if stays:
            shown.append(size)
    part = cut(x, begin, step, tuple(sizes))
    return part if tuple(shown) == part.dims else view(part, tuple(shown))


def _along(key: object, d: int, text: str) -> tuple[int, int, int, bool]:
    """Return first index, step and size of what `key` takes from an axis of size d, and whether the axis stays."""
    if isinstance(key, slice):
        if d >= 0:
            taken = range(d)[key]
            return (taken.start if len(taken) else 0), taken.step, len(taken), True
        message = f"a multiple of the batch can be taken whole, in reverse or at one place: {text}"
        require(key.start is None and key.stop is None and key.step in (None, 1, -1), "slice", message)
        return (-1, -1, d, True) if key.step == -1 else (0, 1, d, True)
    if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
        place = int(key)
        require(d < 0 or -d <= place < d, "slice", f"an index is out of range: {text}")
        return place, 1, 1, False
    raise TypeError(f"[slice] indices are integers, slices, None and Ellipsis: {text}")


@works_on_arrays("x", batch=False)
def split(x: Tensor, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Return parts of x along an axis.

    Args:
        x: tensor of any shape.
        indices_or_sections: the number of equal parts, or the indices where a part ends and the next begins.
        axis: the axis, no multiple of the batch; negative ones count from the last.

    Returns:
        List of tensors.

    Raises:
        ValueError: if equal parts do not come out even.
    """
    require_tensors("split", x)
    place = normal_axis("split", axis, len(x.dims))
    size = x.dims[place]
    text = f"x is {show_dims(x.dims)}. Received: indices_or_sections={indices_or_sections}"
    require(size >= 0, "split", f"a multiple of the batch cannot be cut: {text}")
    if isinstance(indices_or_sections, int):
        parts = indices_or_sections
        require(parts > 0 and size % parts == 0, "split", f"the parts of axis {place} are not equal: {text}")
        ends = [size // parts * k for k in range(1, parts)]
    else:
        ends = [int(k) for k in indices_or_sections]
    lead = (slice(None),) * place
    return [get_item(x, (*lead, slice(a, b))) for a, b in zip([0, *ends], [*ends, size], strict=True)]


@works_on_arrays("x", batch=False)
def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Return the tensors that x holds along an axis, `num` of them if it is given, without that axis."""
    require_tensors("unstack", x)
    place = normal_axis("unstack", axis, len(x.dims))
    size = x.dims[place]
    message = f"axis {place} must have a fixed size, and `num` be it: x is {show_dims(x.dims)}. Received: num={num}"
    require(size >= 0 and num in (None, size), "unstack", message)
    return [squeeze(part, place) for part in split(x, size, place)] if size else []


def _constants(op: str, indices: npt.ArrayLike, size: int) -> npt.NDArray[np.int64]:
    """Return indices given as numbers, checked against the size of their axis."""
    array = np.asarray(indices)
    require(array.dtype.kind in "iu" or not array.size, op, f"`indices` must be integers. Received: {array.dtype}")
    inside: bool = size < 0 or not array.size or -size <= int(array.min()) <= int(array.max()) < size
    require(inside, op, f"`indices` must lie in {-size}..{size - 1}. Received: indices={indices!r}")
    return array.astype(np.int64)


@works_on_arrays("x", batch=False)
def take(x: Tensor, indices: Tensor | npt.ArrayLike, axis: int | None = None) -> Tensor:
    """Return the elements of x at some indices along an axis.

    Args:
        x: tensor of any shape.
        indices: integers, or a tensor of int32, of any shape; negative ones count from the last. A tensor's index out
            of range gives NaN.
        axis: the axis; None for all elements one after the other.

    Returns:
        Tensor with the axes of the indices in the place of the axis. An element taken often adds up its gradients.

    Raises:
        ValueError: if the axis does not exist or a number is out of range.
    """
    require_tensors("take", x)
    if axis is None:
        return take(ravel(x), indices, 0)
    place = normal_axis("take", axis, len(x.dims))
    if isinstance(indices, Tensor):
        return _gather("take", x, indices, place, (*x.dims[:place], *indices.dims, *x.dims[place + 1 :]), False)
    array = _constants("take", indices, x.dims[place])
    flat = (*x.dims[:place], array.size, *x.dims[place + 1 :])
    attrs: dict[str, Attribute] = {"axis": place, "indices": tuple(array.ravel().tolist())}
    y = x.builder.emit("gather", [x], [flat], attrs=attrs, dtype=x.dtype)[0]
    return y if array.ndim == 1 else view(y, (*x.dims[:place], *array.shape, *x.dims[place + 1 :]))


@works_on_arrays("x", "indices", labels=("indices",), batch=False)
def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """Return the elements of x that are picked one by one along an axis.

    Args:
        x: tensor of any shape.
        indices: tensor of int32 whose sizes are those of x but on the axis; negative ones count from the last, one out
            of range gives NaN.
        axis: the axis; None for all elements one after the other.

    Returns:
        Tensor of the shape of the indices.

    Raises:
        ValueError: if the shapes do not fit.
    """
    require_tensors("take_along_axis", x, indices)
    if axis is None:
        return take_along_axis(ravel(x), ravel(indices), 0)
    place = normal_axis("take_along_axis", axis, len(x.dims))
    like = (*x.dims[:place], *indices.dims[place : place + 1], *x.dims[place + 1 :])
    sizes = f"x is {show_dims(x.dims)}, the indices {show_dims(indices.dims)}"
    require(indices.dims == like, "take_along_axis", f"the sizes must be equal but on axis {place}: {sizes}")
    return _gather("take_along_axis", x, indices, place, indices.dims, True)


def _gather(op: str, x: Tensor, indices: Tensor, axis: int, dims: Dims, along: bool) -> Tensor:
    require_tensors(op, x, indices)
    require(indices.dtype == "int32", op, f"`indices` must be int32: they are {indices.dtype}")
    message = f"the batch would appear twice: x is {show_dims(x.dims)}, the indices {show_dims(indices.dims)}"
    require(sum(d < 0 for d in dims) <= 1, op, message)
    return x.builder.emit("gather", [x, indices], [dims], attrs={"axis": axis, "along": along}, dtype=x.dtype)[0]


@works_on_arrays("x", labels=("x",), batch=False)
def one_hot(x: Tensor, num_classes: int, axis: int = -1) -> Tensor:
    """Return integers as vectors of zeros with a 1 at their place; an integer that is no class gives zeros.

    Args:
        x: tensor of int32 of any shape.
        num_classes: the size of the vectors.
        axis: where their axis is in the result; negative ones count from its last.

    Returns:
        Tensor with one axis more.

    Raises:
        ValueError: if x is not int32 or the axis does not exist.
    """
    # Imported late: those ops build upon slices.
    from fastgd.ops.moving import moveaxis

    require_tensors("one_hot", x)
    require(x.dtype == "int32", "one_hot", f"x must be int32: it is {x.dtype}")
    require(num_classes >= 0, "one_hot", f"`num_classes` must be 0 or more. Received: num_classes={num_classes}")
    place = normal_axis("one_hot", axis, len(x.dims) + 1)
    y = x.builder.emit("one_hot", [x], [(*x.dims, num_classes)], attrs={"classes": num_classes})[0]
    return y if place == len(x.dims) else moveaxis(y, -1, place)
