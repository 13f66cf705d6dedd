"""The arrays of a run, matched to the inputs and outputs of a model and checked once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastgd.models.arrays import as_array, check_finite, fit_shape
from fastgd.models.objectives import Objectives, OutputObjectives
from fastgd.utils.errors import invalid, mistyped, unknown
from fastgd.utils.targets import as_integers, as_labels

if TYPE_CHECKING:
    from fastgd.models.model import Model

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Feeds:
    """Arrays in the order of the plan's inputs, with equal numbers of rows.

    Attributes:
        arrays: model inputs, then targets, then sample weights.
        weighted: the outputs, by their place, that have sample weights.
    """

    arrays: tuple[Array, ...]
    weighted: frozenset[int] = frozenset()

    @property
    def rows(self) -> int:
        """The number of samples."""
        return len(self.arrays[0])

    def part(self, start: int, stop: int | None = None) -> Feeds:
        """Return views of the rows from `start` to `stop`."""
        return Feeds(tuple(array[start:stop] for array in self.arrays), self.weighted)


def input_feeds(model: Model, x: Any, name: str = "x") -> Feeds:
    """Return the arrays for the inputs of a model.

    Args:
        model: the model.
        x: an array; for several inputs a list or a dict by the inputs' names.
        name: what messages call it.

    Raises:
        ValueError: for wrong shapes or numbers, and for integers that a layer has no place for.
        TypeError: for something that is no array of numbers.
    """
    keys, arrays = _input_arrays(model, x, name)
    _check_lengths(keys, arrays)
    return Feeds(tuple(arrays))


def _input_arrays(model: Model, x: Any, name: str) -> tuple[list[str], list[Array]]:
    """Return what messages call the arrays of the inputs, and the arrays."""
    graph = model.graph
    keys, values = _match(x, graph.input_names, name, "input")
    arrays: list[Array] = []
    for key, value, placeholder in zip(keys, values, graph.flat_inputs, strict=True):
        array = fit_shape(as_array(value, key), placeholder.dims[1:], key, f"the input {placeholder.name!r}")
        check_finite(array, key)
        if placeholder.plan_dtype is not None:
            array = as_integers(array, graph.index_limits(model.dtype)[len(arrays)], key)
        arrays.append(array)
    return keys, arrays


def all_feeds(model: Model, objectives: Objectives, x: Any, y: Any, sample_weight: Any, names: Sequence[str]) -> Feeds:
    """Return the arrays for the inputs, the targets and the sample weights of a model.

    Args:
        model: the model.
        objectives: the losses and metrics, which say what targets must be like.
        x: as in `input_feeds`.
        y: an array of targets; for several outputs a list or a dict by the outputs' names.
        sample_weight: None, an array (n,) for all outputs, or a list or dict of such arrays by outputs.
        names: what messages call these three.

    Raises:
        ValueError: for wrong shapes, numbers, labels or lengths.
        TypeError: for something that is no array of numbers.
    """
    owners, arrays = _input_arrays(model, x, names[0])
    output_names, needed = objectives.output_names, objectives.with_targets
    if isinstance(y, dict) or len(needed) == len(output_names):
        keys, values = _match(y, output_names, names[1], "output", needed)
    else:
        keys, values = _match_some(y, objectives, names[1])
    for key, value, output in zip(keys, values, objectives.outputs, strict=True):
        for sparse in output.target_kinds:
            arrays.append(_target(value, key, output, sparse))
            owners.append(key)
    if sample_weight is None:
        _check_lengths(owners, arrays)
        return Feeds(tuple(arrays))
    weights = _match_weights(sample_weight, output_names, names[2])
    for key, value in (weights[k] for k in sorted(weights)):
        weight = fit_shape(as_array(value, key), (), key, "one weight per sample")
        check_finite(weight, key)
        arrays.append(weight)
        owners.append(key)
    _check_lengths(owners, arrays)
    return Feeds(tuple(arrays), frozenset(weights))


def _target(value: Any, name: str, output: OutputObjectives, sparse: bool) -> Array:
    """Return the targets of an output in the form of its loss."""
    array = as_array(value, name)
    check_finite(array, name)
    dims = output.dims[1:-1] if sparse else output.dims[1:]
    if array.shape[1:] != dims:
        array = fit_shape(array, dims, name, _owner(array, output, sparse))
    return as_labels(array, output.label_limit, name, output.ignored_label) if sparse else array


def _owner(array: Array, output: OutputObjectives, sparse: bool) -> str:
    """Return whose shape targets must have, and what is likely amiss."""
    owner = f"the output {output.name!r}"
    if sparse:
        if array.shape[1:] == output.dims[1:] and output.dims[-1] > 1:
            owner += "; one-hot targets go with 'categorical_crossentropy', and labels are wanted"
    elif array.ndim == len(output.dims) - 1 and output.dims[-1] > 1 and array.dtype.kind in "iu":
        owner += "; integer labels go with 'sparse_categorical_crossentropy' or to_categorical"
    return owner


def _match(
    value: Any, names: Sequence[str], argument: str, kind: str, needed: Collection[str] | None = None
) -> tuple[list[str], list[Any]]:
    """Return what messages call each array, and the arrays, in the order of the inputs or outputs `names`."""
    keys = _keys(names, argument)
    if isinstance(value, Mapping):
        for name in value:
            if name not in names:
                raise unknown(kind, names, **{argument: name})
        missing = [name for name in names if name not in value and (needed is None or name in needed)]
        if missing:
            raise invalid(f"`{argument}` must hold the {kind} {missing[0]!r}.", **{argument: list(value)})
        return keys, [value.get(name) for name in names]
    if len(names) > 1:
        if not isinstance(value, (list, tuple)):
            raise mistyped(f"`{argument}` must be a list of {len(names)} arrays or a dict.", **{argument: type(value)})
        if len(value) != len(names):
            raise invalid(f"`{argument}` must hold {len(names)} arrays.", **{f"len({argument})": len(value)})
        return keys, list(value)
    if isinstance(value, (list, tuple)) and len(value) == 1 and hasattr(value[0], "shape"):
        return keys, [value[0]]
    return keys, [value]


def _match_some(y: Any, objectives: Objectives, argument: str) -> tuple[list[str], list[Any]]:
    """Match targets of a model of which some outputs need none: a list has an entry for all or for those that do."""
    names, needed = objectives.output_names, objectives.with_targets
    if isinstance(y, (list, tuple)) and len(y) == len(names):
        return _match(y, names, argument, "output")
    keys, values = _match(y, needed, argument, "output")
    found = {name: (key, value) for name, key, value in zip(needed, keys, values, strict=True)}
    pairs = [found.get(name, (argument, None)) for name in names]
    return [key for key, _ in pairs], [value for _, value in pairs]


def _match_weights(value: Any, names: Sequence[str], argument: str) -> dict[int, tuple[str, Any]]:
    """Return the name and the array of the sample weights of each output that has some."""
    # A list of numbers is an array written out; a list of arrays has one per output.
    is_list = isinstance(value, (list, tuple)) and any(np.ndim(part) > 0 for part in value if part is not None)
    by_output = isinstance(value, Mapping) or is_list
    if not by_output:
        return dict.fromkeys(range(len(names)), (argument, value))
    keys, values = _match(value, names, argument, "output", needed=set())
    return {k: (key, v) for k, (key, v) in enumerate(zip(keys, values, strict=True)) if v is not None}


def _keys(names: Sequence[str], argument: str) -> list[str]:
    return [argument] if len(names) == 1 else [f"{argument}[{name!r}]" for name in names]


def _check_lengths(keys: Sequence[str], arrays: Sequence[Array]) -> None:
    rows = len(arrays[0])
    for array in arrays:
        if len(array) != rows:
            lengths = dict(zip(keys, map(len, arrays), strict=True))
            shown = ", ".join(f"len({key})={length}" for key, length in lengths.items())
            raise ValueError(
                f"`{keys[0]}` and the arrays that go with it must have equal numbers of rows. Received: {shown}"
            )
