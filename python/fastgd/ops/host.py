"""Functions written with plain NumPy as ops: `numpy_function`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.ops.builder import Dims, Placeholder, PlanBuilder, Tensor, to_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import common_dtype
from fastgd.ops.operands import as_tensor
from fastgd.plan import BATCH, HostFunction, resolve_shape

Array = npt.NDArray[Any]
Shapes = Sequence[int | None] | Sequence[Sequence[int | None]] | None

_OP = "numpy_function"


def numpy_function(
    forward: Callable[..., Any],
    inputs: Sequence[Any],
    shape: Shapes = None,
    backward: Callable[..., Any] | None = None,
    name: str | None = None,
) -> Any:
    """Return what a function written with plain NumPy makes of tensors: `y = forward(*inputs)`.

    This is slow: for every batch the engine stops all its threads, takes the interpreter lock and copies the arrays.
    An op that `fastgd.ops` has, or that a few of its functions make, is many times as fast.

    The function sees whole batches, one array per input, in the dtype of the model; labels are int32. All arrays are
    copies, which it may keep and overwrite. An exception in it ends the run and comes out of `fit`; the batch at hand
    then updates nothing. Models that several Python threads use call it from each of them.

    Args:
        forward: `forward(*inputs)` returns an array, or a tuple of arrays where `shape` is a list of shapes. Results
            of any real type are converted to the dtype of the model.
        inputs: tensors, placeholders or variables, besides which arrays and numbers may stand; or arrays alone, for
            which `forward` is called at once.
        shape: the shape of the output with None for the batch, or a list of such shapes for several outputs; that of
            the first input if None.
        backward: `backward(dy, y, *inputs)` returns the gradient of the loss by each input, given dy, that by the
            output y: an array, or for several inputs a tuple of arrays, where None stands for zeros. For several
            outputs dy and y are tuples. Without it the function can be evaluated, but nothing before it trained.
        name: the name in messages; that of the function if None.

    Returns:
        A tensor or placeholder, or an array; a tuple of them for several outputs.

    Raises:
        TypeError: if an input is none of these, or if a result holds no real numbers.
        ValueError: if a result has another shape or number; and when a model with trained weights before a function
            without `backward` is trained.

    Example:
        >>> def forward(x):
        ...     return np.sinc(x)
        >>> def backward(dy, y, x):
        ...     slope = np.divide(np.cos(np.pi * x) - y, x, out=np.zeros_like(x), where=x != 0)
        ...     return dy * slope
        >>> y = ops.numpy_function(forward, [x], backward=backward)
    """
    values = list(inputs)
    require(bool(values), _OP, "needs at least one input")
    name = name or str(getattr(forward, "__qualname__", type(forward).__name__))
    placeholder = next((value for value in values if isinstance(value, Placeholder)), None)
    if placeholder is not None:
        return placeholder.record(numpy_function, (forward, values, shape, backward, name), {})
    tensors = [value for value in values if isinstance(value, Tensor)]
    if not tensors:
        return _run(forward, [np.array(value) for value in values], shape, name)
    require_tensors(_OP, *tensors)
    builder = tensors[0].builder
    # Labels stay the integers that they are.
    operands = [value if isinstance(value, Tensor) else as_tensor(_OP, value, builder) for value in values]
    dims = _all_dims(shape, operands[0].dims, builder.batch)
    function = _host_function(forward, backward, dims, _is_several(shape), builder, name)
    outputs = builder.emit(_OP, operands, dims, attrs={"function": function})
    return outputs if _is_several(shape) else outputs[0]


def _is_several(shape: Shapes) -> bool:
    return isinstance(shape, list) and not all(size is None or isinstance(size, int) for size in shape)


def _all_dims(shape: Any, default: Dims, batch: int = BATCH) -> list[Dims]:
    if shape is None:
        return [default]
    return [to_dims(each, batch) for each in (shape if _is_several(shape) else [shape])]


def _run(forward: Callable[..., Any], arrays: Sequence[Array], shape: Shapes, name: str) -> Any:
    """Call the function on arrays, the first of which tells the batch."""
    dims = _all_dims(shape, arrays[0].shape)
    batch = arrays[0].shape[0] if arrays[0].ndim else 1
    shapes = [resolve_shape(each, batch) for each in dims]
    several = _is_several(shape)
    results = _results(forward(*arrays), shapes, common_dtype(arrays), name, several)
    return results if several else results[0]


def _host_function(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None,
    dims: Sequence[Dims],
    several: bool,
    builder: PlanBuilder,
    name: str,
) -> HostFunction:
    """Return the functions as the plan has them, with everything checked that they return."""
    dtype = builder.dtype

    def run_forward(inputs: Sequence[Array], shapes: Sequence[Sequence[int]]) -> Sequence[Array]:
        return _results(forward(*inputs), shapes, dtype, name, several)

    def run_backward(
        d_outputs: Sequence[Array], outputs: Sequence[Array], inputs: Sequence[Array]
    ) -> Sequence[Array | None]:
        assert backward is not None
        # Sizes are told before the function may change the arrays.
        shapes = [x.shape for x in inputs]
        given = (d_outputs, outputs) if several else (d_outputs[0], outputs[0])
        gradients = backward(*given, *inputs)
        if len(shapes) == 1 and not isinstance(gradients, (tuple, list)):
            gradients = (gradients,)
        _require_count(gradients, len(shapes), "`backward`", "gradients, one per input", name)
        return [
            None if dx is None else _converted(dx, size, dtype, f"`backward` of {name!r}")
            for dx, size in zip(gradients, shapes, strict=True)
        ]

    return HostFunction(name, tuple(dims), run_forward, None if backward is None else run_backward)


def _results(results: Any, shapes: Sequence[Sequence[int]], dtype: str, name: str, several: bool) -> tuple[Array, ...]:
    if not several:
        results = (results,)
    _require_count(results, len(shapes), "`forward`", "arrays", name)
    return tuple(_converted(y, size, dtype, f"`forward` of {name!r}") for y, size in zip(results, shapes, strict=True))


def _require_count(results: Any, count: int, function: str, what: str, name: str) -> None:
    if not isinstance(results, (tuple, list)) or len(results) != count:
        found = len(results) if isinstance(results, (tuple, list)) else type(results).__name__
        raise ValueError(f"[{_OP}] {function} of {name!r} must return a tuple of {count} {what}. Received: {found}")


def _converted(result: Any, shape: Sequence[int], dtype: str, what: str) -> Array:
    """Return a copy of a result in the model's dtype, after comparing it with what was said of it."""
    array = np.asarray(result)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"[{_OP}] {what} must return arrays of real numbers. Received: dtype={array.dtype}")
    if array.shape != tuple(shape):
        raise ValueError(f"[{_OP}] {what} must return an array of shape {tuple(shape)}. Received: shape={array.shape}")
    return np.array(array, dtype=dtype, order="C")
