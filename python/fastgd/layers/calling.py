"""The arguments of a layer's `call`: which names they have, which of them hold tensors, and the shapes for `build`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from fastgd.ops.builder import Tensor, to_shape
from fastgd.ops.recording import Recording, without_records
from fastgd.utils.errors import mistyped
from fastgd.utils.structure import change, flatten
from fastgd.utils.targets import as_integers

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class CallSignature:
    """What `call` of a class of layers takes.

    Args:
        call: the method.

    Attributes:
        first: the name of the argument that holds the inputs.
        names: the names of all arguments.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        own = inspect.signature(call)
        self._signature = own.replace(parameters=[*own.parameters.values()][1:])
        self.names = tuple(self._signature.parameters)
        self.first = self.names[0] if self.names else ""

    def bind(self, layer: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the inputs, and the other arguments by their names; `training` is there if it was given.

        Args:
            layer: the layer, for messages.
            args: the arguments of a call of the layer given by position.
            kwargs: those given by name; `training` may be among them whether or not `call` takes it.

        Raises:
            TypeError: if `call` takes other arguments.
        """
        told = dict(kwargs)
        context = {} if "training" in self.names or "training" not in told else {"training": told.pop("training")}
        try:
            bound = self._signature.bind(*args, **told)
        except TypeError as error:
            text = f"`call` of {type(layer).__name__} takes ({', '.join(self.names)}): {error}."
            raise mistyped(text, layer=layer.name) from None
        named: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            kind = self._signature.parameters[name].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                named.update(value)
            elif kind in _BY_NAME or (name == self.first and len(value) == 1):
                named[name] = value if kind in _BY_NAME else value[0]
            else:
                raise mistyped(f"`call` of {type(layer).__name__} must take its arguments by name.", argument=name)
        if self.first not in named:
            raise mistyped(f"`call` of {type(layer).__name__} needs the argument `{self.first}`.", layer=layer.name)
        return named.pop(self.first), {**named, **context}


def holds_tensors(value: Any) -> bool:
    """Return whether an argument is a tensor, or a structure of tensors with None in the place of some."""
    leaves = flatten(value)
    known = [leaf for leaf in leaves if leaf is not None]
    return bool(known) and all(isinstance(leaf, Tensor) for leaf in known)


def tensors_in(*structures: Any) -> list[Tensor]:
    """Return the tensors among the leaves."""
    return [leaf for leaf in flatten(structures) if isinstance(leaf, Tensor)]


def dims_of(inputs: Any) -> Any:
    """Return the sizes of a tensor, or those of a structure's tensors in a list or a dict by its keys."""
    if isinstance(inputs, dict):
        return {key: dims_of(part) for key, part in inputs.items()}
    if isinstance(inputs, (list, tuple)):
        return [dims_of(leaf) for leaf in flatten(inputs)]
    return None if inputs is None else inputs.dims


def shapes_of(dims: Any) -> Any:
    """Return what `dims_of` gave as shapes with None for the batch."""
    if isinstance(dims, dict):
        return {key: shapes_of(part) for key, part in dims.items()}
    if isinstance(dims, list):
        return [shapes_of(each) for each in dims]
    return None if dims is None else to_shape(dims)


def as_shapes(shapes: Any) -> Any:
    """Return shapes that JSON has made lists of as tuples, in their structure."""
    if isinstance(shapes, dict):
        return {key: as_shapes(part) for key, part in shapes.items()}
    inner = any(isinstance(part, (list, tuple, dict)) for part in shapes)
    return [as_shapes(part) for part in shapes] if inner else tuple(shapes)


def build_arguments(build: Callable[..., Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `build` takes besides the shape of the inputs: `NAME_shape` for each further argument NAME.

    Args:
        build: the method, bound.
        others: the sizes of the further arguments of `call` that hold tensors, by their names.
    """
    shapes = {f"{name}_shape": shapes_of(each) for name, each in others.items()}
    known = inspect.signature(build).parameters if shapes else {}
    return {name: shape for name, shape in shapes.items() if name in known}


def batches_in(named: Mapping[str, Any], rows: int) -> list[tuple[str, Any]]:
    """Return the arrays among further arguments that have a row for each sample, with the names of their arguments.

    They come in the order in which `flatten` takes a dict apart.
    """
    return [(name, leaf) for name in sorted(named) for leaf in flatten(named[name]) if _is_batch(leaf, rows)]


def _is_batch(leaf: Any, rows: int | None) -> bool:
    return isinstance(leaf, np.ndarray) and leaf.ndim > 0 and len(leaf) == rows


def as_feed(name: str, array: Any) -> Any:
    """Return an array for a plan: integers of 32 bits for those of any size, and everything else as it is."""
    return as_integers(array, None, name) if array.dtype.kind in "iu" else array


def take_named(recording: Recording, named: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    """Return further arguments with a tensor of the recording for each array that has a row for each sample."""

    def take(name: str, leaf: Any) -> Any:
        value = without_records(leaf)
        if not _is_batch(value, recording.rows):
            return value
        return recording.feed(as_feed(name, value), dtype, name, integer=value.dtype.kind in "iu")

    return {name: change(value, partial(take, name)) for name, value in named.items()}
