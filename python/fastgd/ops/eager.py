"""Running ops at once on arrays: a plan of their own is written and run by the current backend."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from fastgd import config, runtime
from fastgd.ops.builder import Placeholder, PlanBuilder, Tensor, emitting_builder
from fastgd.ops.parameters import Variable
from fastgd.ops.recording import RecordedTensor, as_recorded, recording_of, without_records
from fastgd.plan import BATCH, resolve_shape
from fastgd.utils.errors import invalid
from fastgd.utils.structure import change, flatten, pack

Array = npt.NDArray[Any]
F = TypeVar("F", bound=Callable[..., Any])

# Executors of ops on arrays that are kept for calls of the same kind, and the elements that such a call has at most:
# beyond, making the executor is a small part of the work, and its memory a large one.
_MOST_KEPT = 64
_MOST_ELEMENTS = 1 << 16


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
    kind = dtype or common_dtype([array for k, array in enumerate(arrays) if k not in labels])
    feeds = [_to_feed(array, "int32" if k in labels else kind) for k, array in enumerate(given)]
    builder = PlanBuilder(kind, training)
    inputs = [builder.input(f"x{k}", (-1, *feed.shape[1:]), str(feed.dtype)) for k, feed in enumerate(feeds)]
    result = function(*inputs)
    outputs = flatten(result)
    executor = runtime.create_executor(builder.build(outputs))
    executor.bind_parameters([variable.value for variable in builder.variables])
    values = executor.inspect(feeds, training, iteration)
    _keep_states(builder, values)
    return pack(result, [np.array(values[y.name]) for y in outputs])


def _keep_states(builder: PlanBuilder, values: Mapping[str, Array]) -> None:
    """Write what recurrent steps carry from batch to batch, which `inspect` leaves alone, into its variables."""
    for step in builder.steps:
        if step.attrs.get("stateful"):
            final = step.outputs[1:]
            for variable, name in zip(builder.params_of(step)[-len(final) :], final, strict=True):
                variable.assign(values[name])


@dataclass
class _Program:
    """An executor of `function` on arrays of certain shapes, and what it gives: a structure and its arrays' shapes."""

    executor: runtime.Executor
    structure: Any
    shapes: list[tuple[int, ...]]
    dtypes: list[str]

    def run(self, feeds: Sequence[Array]) -> Any:
        """Return what the function gives for the one sample that the arrays are."""
        outputs = [np.empty((1, *s), dtype) for s, dtype in zip(self.shapes, self.dtypes, strict=True)]
        self.executor.begin("predict", [feed[None] for feed in feeds], 1, outputs=outputs)
        self.executor.advance(1, 1e9)
        return pack(self.structure, [y[0, ...] for y in outputs])


# Those that nobody uses now: a call takes one out and puts it back, so that no two threads share one.
_kept: dict[Any, _Program] = {}


def evaluate_whole(
    function: Callable[..., Any], arrays: Sequence[npt.ArrayLike], key: Any = None, labels: Sequence[int] = ()
) -> Any:
    """Return `function(*arrays)` for arrays of any shape, none of whose axes is a batch.

    Each array is fed as one sample, of which the plan makes a tensor without a batch axis.

    Args:
        function: takes one tensor per array; returns a tensor or a structure of tensors.
        arrays: arrays of any shape, or numbers.
        key: what tells this function from others, hashable; None keeps nothing for later calls.
        labels: the positions of the arrays that hold integers.

    Returns:
        What `function` returns, with arrays in the place of tensors.
    """
    kind = common_dtype([array for k, array in enumerate(arrays) if k not in labels])
    kinds = ["int32" if k in labels else kind for k in range(len(arrays))]
    feeds = [_to_numbers(np.asarray(x)).astype(k, order="C", copy=False) for x, k in zip(arrays, kinds, strict=True)]
    keeps = key is not None and sum(feed.size for feed in feeds) <= _MOST_ELEMENTS
    slot = (key, kind, runtime.current_backend(), *(feed.shape for feed in feeds))
    program = _kept.pop(slot, None) if keeps else None
    if program is None:
        program, constant = _make_program(function, feeds, kind)
        keeps = keeps and constant
    result = program.run(feeds)
    if keeps:
        _kept[slot] = program
        if len(_kept) > _MOST_KEPT:
            # Another thread may take the oldest away meanwhile.
            _kept.pop(next(iter(list(_kept))), None)
    return result


def _make_program(function: Callable[..., Any], feeds: Sequence[Array], kind: str) -> tuple[_Program, bool]:
    """Return the program, and whether it holds for later calls too: the arrays of its parameters may change."""
    builder = PlanBuilder(kind)
    samples = [builder.input(f"x{k}", (BATCH, *feed.shape), str(feed.dtype)) for k, feed in enumerate(feeds)]
    symbols = [
        builder.emit("reshape", [x], [feed.shape], attrs={"shape": feed.shape}, dtype=x.dtype)[0]
        for x, feed in zip(samples, feeds, strict=True)
    ]
    result = function(*symbols)
    tensors: list[Tensor] = flatten(result)
    dims = [(BATCH, *y.dims) for y in tensors]
    outputs = [
        builder.emit("reshape", [y], [size], attrs={"shape": size}, dtype=y.dtype)[0]
        for y, size in zip(tensors, dims, strict=True)
    ]
    executor = runtime.create_executor(builder.build(outputs))
    executor.bind_parameters([variable.value for variable in builder.variables])
    shapes = [resolve_shape(y.dims, 1) for y in tensors]
    kinds = [y.dtype for y in outputs]
    program = _Program(executor, pack(result, [None] * len(tensors)), shapes, kinds)
    return program, not builder.variables


def works_on_arrays(*tensors: str, labels: Sequence[str] = (), batch: bool = True) -> Callable[[F], F]:
    """Let an op on symbolic tensors take arrays and placeholders too.

    Args:
        tensors: the names of the arguments that are tensors or lists of tensors.
        labels: those among them that hold integer labels.
        batch: whether arrays have a batch as their first axis; if not, they may have any shape, and numbers may stand
            for arrays.

    Returns:
        A decorator. The function it returns emits steps if one of the tensors is symbolic, becomes a call of a model's
        graph if one is a placeholder, and else runs at once.
    """

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        lists = str(signature.parameters[tensors[0]].annotation).startswith("Sequence")

        @functools.wraps(function)
        def op(*args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(*args, **kwargs)
            # Tensors that may be left out count only where they are given.
            given = {name: bound.arguments[name] for name in tensors if bound.arguments.get(name) is not None}
            leaves = flatten(list(given.values()))
            if (recording := recording_of(leaves)) is not None:
                symbolic = as_recorded(recording, given)
                bound.arguments.update(symbolic)
                return function(*bound.args, **bound.kwargs)
            if any(isinstance(leaf, RecordedTensor) for leaf in leaves):
                given = {name: without_records(value) for name, value in given.items()}
                bound.arguments.update(given)
                args, kwargs, leaves = bound.args, bound.kwargs, flatten(list(given.values()))
            if any(isinstance(leaf, Tensor) for leaf in leaves):
                return function(*args, **kwargs)
            placeholder = next((leaf for leaf in leaves if isinstance(leaf, Placeholder)), None)
            if placeholder is not None:
                return placeholder.record(op, args, kwargs)
            if (builder := emitting_builder()) is not None and any(isinstance(leaf, Variable) for leaf in leaves):
                # Inside of a layer a weight alone is a tensor, too, or it would not be trained.
                bound.arguments.update({name: _read(builder, value) for name, value in given.items()})
                return function(*bound.args, **bound.kwargs)
            # A list is a list of tensors only where the op takes one; elsewhere it is an array written out.
            names: list[str]
            if lists:
                names = [tensors[0]]
                arrays = list(given[tensors[0]])
            else:
                # A number beside arrays is part of the function, as it is beside symbolic tensors.
                names = [name for name, x in given.items() if batch or not _is_number(x)] or list(given)
                arrays = [given[name] for name in names]

            def run(*symbols: Tensor) -> Any:
                named = {tensors[0]: list(symbols)} if lists else dict(zip(names, symbols, strict=True))
                bound.arguments.update(named)
                return function(*bound.args, **bound.kwargs)

            places = [k for k, name in enumerate(names) if name in labels]
            if batch:
                return evaluate(run, arrays, labels=places)
            # The representation, because 0.0 and -0.0 are equal.
            rest = {name: x for name, x in bound.arguments.items() if name not in names}
            # NumPy shortens the representation of a long array.
            whole = repr({name: x.tolist() if isinstance(x, np.ndarray) else x for name, x in rest.items()})
            return evaluate_whole(run, arrays, (function, tuple(names), whole), places)

        return op  # type: ignore[return-value]

    return decorate


def _read(builder: PlanBuilder, structure: Any) -> Any:
    """Return a structure with tensors in the place of variables."""
    return change(structure, lambda leaf: builder.read(leaf) if isinstance(leaf, Variable) else leaf)


def _is_number(x: Any) -> bool:
    """Return whether x is a Python number, which has no floating type of its own."""
    return type(x) in (bool, int, float)


def common_dtype(arrays: Sequence[npt.ArrayLike]) -> str:
    """Return the floating type in which arrays are computed together; `config.floatx()` if none has one."""
    kinds = [np.asarray(array).dtype for array in arrays if not _is_number(array)]
    floats = [kind for kind in kinds if kind.kind == "f"]
    if not floats:
        return config.floatx()
    return "float64" if np.result_type(*floats).itemsize > 4 else "float32"


def _to_feed(array: Array, dtype: str) -> Array:
    if array.ndim == 0:
        raise invalid("Arrays need a batch as their first axis; this one has no axis.", array=array)
    return _to_numbers(array).astype(dtype, copy=False)


def _to_numbers(array: Array) -> Array:
    if array.dtype.kind not in "biuf":
        raise invalid("Arrays must hold numbers.", dtype=str(array.dtype))
    return array
