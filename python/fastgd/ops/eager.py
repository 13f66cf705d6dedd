"""Running ops at once on arrays: a plan of their own is written, run by the current backend, and forgotten."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from fastgd import config, runtime
from fastgd.ops.builder import PlanBuilder, Tensor
from fastgd.utils.errors import invalid
from fastgd.utils.structure import flatten, pack

Array = npt.NDArray[Any]
F = TypeVar("F", bound=Callable[..., Any])


def evaluate(
    function: Callable[..., Any],
    arrays: Sequence[npt.ArrayLike],
    dtype: str | None = None,
    labels: Sequence[int] = (),
    training: bool = False,
    iteration: int = 0,
) -> Any:
    """Return `function(*arrays)` for a function written with ops on symbolic tensors.

    Args:
        function: takes one tensor per array; returns a tensor or a structure of tensors.
        arrays: arrays with the batch as their first axis.
        dtype: the floating type to compute in; that of the arrays if None, `config.floatx()` if they have none.
        labels: the positions of the arrays that hold integer labels.
        training: whether to run the training form.
        iteration: which draw of the random ops to make.

    Returns:
        What `function` returns, with arrays in the place of tensors.
    """
    given = [np.asarray(array) for array in arrays]
    kind = dtype or _common_dtype([array for k, array in enumerate(given) if k not in labels])
    feeds = [_to_feed(array, "int32" if k in labels else kind) for k, array in enumerate(given)]
    builder = PlanBuilder(kind, training)
    inputs = [builder.input(f"x{k}", (-1, *feed.shape[1:]), str(feed.dtype)) for k, feed in enumerate(feeds)]
    result = function(*inputs)
    outputs = flatten(result)
    executor = runtime.create_executor(builder.build(outputs))
    executor.bind_parameters([variable.value for variable in builder.variables])
    values = executor.inspect(feeds, training, iteration)
    return pack(result, [np.array(values[y.name]) for y in outputs])


def works_on_arrays(*tensors: str, labels: Sequence[str] = ()) -> Callable[[F], F]:
    """Let an op on symbolic tensors take arrays too.

    Args:
        tensors: the names of the arguments that are tensors or lists of tensors.
        labels: those among them that hold integer labels.

    Returns:
        A decorator. The function it returns runs `evaluate` unless one of the tensors is symbolic.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def op(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            given = {name: bound.arguments[name] for name in tensors}
            # A list is a list of tensors only where the op takes one; elsewhere it is an array written out.
            leaves = {name: flatten(x) for name, x in given.items()}
            if any(isinstance(leaf, Tensor) for group in leaves.values() for leaf in group):
                return function(*args, **kwargs)
            lists = signature.parameters[tensors[0]].annotation.startswith("Sequence")
            arrays = list(given[tensors[0]]) if lists else list(given.values())
            positions = [k for k, name in enumerate(tensors) if name in labels]

            def run(*symbols: Tensor) -> Any:
                named = {tensors[0]: list(symbols)} if lists else dict(zip(tensors, symbols, strict=True))
                bound.arguments.update(named)
                return function(*bound.args, **bound.kwargs)

            return evaluate(run, arrays, labels=positions)

        return op  # type: ignore[return-value]

    return decorate


def _common_dtype(arrays: Sequence[Array]) -> str:
    """Return the floating type in which arrays are computed together."""
    floats = [array.dtype for array in arrays if array.dtype.kind == "f"]
    if not floats:
        return config.floatx()
    return "float64" if np.result_type(*floats).itemsize > 4 else "float32"


def _to_feed(array: Array, dtype: str) -> Array:
    if array.ndim == 0:
        raise invalid("Arrays need a batch as their first axis; this one has no axis.", array=array)
    if array.dtype.kind not in "biuf":
        raise invalid("Arrays must hold numbers.", dtype=str(array.dtype))
    return array.astype(dtype, copy=False)
