"""Weights: variables, and the flat arrays that all variables of a model share."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import config
from fastgd.ops.operators import Operators
from fastgd.plan import ALIGNMENT_BYTES, flat_layout
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.naming import automatic_name

Array = npt.NDArray[Any]


def aligned_zeros(size: int, dtype: str) -> Array:
    """Return a vector of zeros whose first element lies on a cache line."""
    item = np.dtype(dtype).itemsize
    raw = np.zeros(size * item + ALIGNMENT_BYTES, dtype=np.uint8)
    start = -raw.ctypes.data % ALIGNMENT_BYTES
    return raw[start : start + size * item].view(dtype)


class Watcher:
    """What has to act before weights change."""

    def before_weights_change(self) -> None:
        """Act; called once or more."""
        raise NotImplementedError(f"{type(self).__name__} must implement before_weights_change()")


# Hardly ever any: the recordings of gradient tapes that are not done with.
_watchers: weakref.WeakSet[Watcher] = weakref.WeakSet()


def watch_weights(watcher: Watcher) -> None:
    """Let `watcher` know before training or an assignment changes any weights, until it is gone or unwatched."""
    _watchers.add(watcher)


def unwatch_weights(watcher: Watcher) -> None:
    """Let `watcher` know no longer."""
    _watchers.discard(watcher)


def announce_change(besides: Watcher | None = None) -> None:
    """Tell all watchers that weights are about to change, except the one that changes them."""
    if _watchers:
        for watcher in list(_watchers):
            if watcher is not besides:
                watcher.before_weights_change()


class Variable(Operators):
    """A weight of a layer: an array with a name, which training changes in place.

    Ops and operators take it like a tensor: in a layer's `call` they train it, elsewhere they compute with its value.

    Args:
        initializer: the initial value, whose copy begins the variable's life; or what makes it of `shape` and dtype,
            such as an object of `fastgd.initializers`.
        name: the name inside the layer, such as "kernel"; automatic if None.
        dtype: "float32" or "float64"; `config.floatx()` if None.
        trainable: whether optimizers may change it; `layer.trainable = False` freezes it besides.
        regularizer: a function of `fastgd.regularizers` whose value joins the loss while it is trained, or None.
        constraint: a function of `fastgd.constraints` that it goes through after each update, or None.
        shape: the shape for an initializer that makes the value.

    Raises:
        TypeError: if the value is made, and no shape is given; for a name that is no string.

    Example:
        >>> layer.kernel.assign(np.eye(4))
        >>> self.gain = fastgd.Variable(1.0, name="gain")
    """

    # An array leaves its operators to the variable, so that `array * variable` is an op.
    __array_priority__ = 1000.0

    def __init__(
        self,
        initializer: npt.ArrayLike | Callable[..., npt.ArrayLike],
        name: str | None = None,
        dtype: str | None = None,
        trainable: bool = True,
        regularizer: Callable[..., Any] | None = None,
        constraint: Callable[..., Any] | None = None,
        *,
        shape: Sequence[int] | None = None,
    ) -> None:
        if name is not None and not isinstance(name, str):
            raise mistyped("`name` must be a string; `shape` is given by its name.", name=name)
        dtype = config.floatx() if dtype is None else dtype
        self.name = name or automatic_name("variable")
        self.path = self.name
        self.trainable = trainable
        self.regularizer = regularizer
        self.constraint = constraint
        self._array: Array = np.array(_initial_value(initializer, shape, dtype), dtype=dtype, order="C")
        self._store: ParameterStore | None = None

    @property
    def value(self) -> Array:
        """The live array: training writes into it, and what is written into it is trained on."""
        return self._array

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return self._array.shape

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    @property
    def dtype(self) -> str:
        """The dtype's name."""
        return str(self._array.dtype)

    @property
    def store(self) -> ParameterStore | None:
        """The flat array it lives in, None until a model has taken it up."""
        return self._store

    def numpy(self) -> Array:
        """Return a copy of the value."""
        return self._array.copy()

    def assign(self, value: npt.ArrayLike) -> None:
        """Overwrite the value.

        Args:
            value: an array of the same shape.

        Raises:
            ValueError: if the shape differs.
        """
        array = np.asarray(value)
        if array.shape != self.shape:
            raise invalid(f"`value` must have the shape {self.shape} of the variable {self.path!r}.", shape=array.shape)
        announce_change()
        self._array[...] = array

    def assign_add(self, value: npt.ArrayLike) -> None:
        """Add an array that fits to the value; errors are those of `assign`."""
        self.assign(self.value + np.asarray(value))

    def assign_sub(self, value: npt.ArrayLike) -> None:
        """Subtract an array that fits from the value; errors are those of `assign`."""
        self.assign(self.value - np.asarray(value))

    def __float__(self) -> float:
        """The value of a variable with one element."""
        return float(self.value.item())

    def cast(self, dtype: str) -> None:
        """Take another dtype, which is possible only until a model has taken the variable up.

        Raises:
            ValueError: if it lives in the array of a model of another dtype.
        """
        if dtype == self.dtype:
            return
        if self._store is not None:
            raise invalid(
                f"The weight {self.path!r} belongs to a model of dtype {self.dtype}; "
                "layers cannot be shared between models of different dtypes.",
                dtype=dtype,
            )
        self._array = self._array.astype(dtype)

    def move(self, target: Array, store: ParameterStore) -> None:
        """Copy the value into `target`, a view into the array of `store`, and live there from now on."""
        target[...] = self._array
        self._array = target
        self._store = store

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        """Let NumPy functions take a variable for its value."""
        if copy is False and dtype is not None and np.dtype(dtype) != self._array.dtype:
            raise ValueError(f"a copy is needed to give {self.path!r} as {np.dtype(dtype)}")
        return self._array.astype(dtype or self._array.dtype, copy=bool(copy))

    def __repr__(self) -> str:
        """Show path, shape and dtype."""
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}>"


def _initial_value(initializer: Any, shape: Sequence[int] | None, dtype: str) -> Any:
    """Return a value as it is, or what an initializer makes."""
    if isinstance(initializer, str):
        text = "`initializer` must be a value or an object, such as initializers.Zeros()."
        raise mistyped(text, initializer=initializer)
    if not callable(initializer):
        return initializer
    if shape is None:
        raise mistyped("`shape` must be given with an initializer.", shape=shape)
    return initializer(tuple(shape), dtype)


def as_variable(value: Variable | npt.ArrayLike, name: str, dtype: str, trainable: bool = True) -> Variable:
    """Return a variable as it is and an array as a variable."""
    return value if isinstance(value, Variable) else Variable(np.asarray(value), name, dtype, trainable)


class ParameterStore:
    """One flat array that holds variables one after the other, the trainable ones first, each on a cache line."""

    def __init__(self, variables: Sequence[Variable], dtype: str) -> None:
        """Move `variables` into a new array."""
        ordered = sorted(variables, key=lambda variable: not variable.trainable)
        layout = flat_layout((variable.size for variable in ordered), dtype)
        self.array = aligned_zeros(layout.size, dtype)
        # Weak, so that a layer shared by many short-lived models does not keep them all.
        self._members = [weakref.ref(variable) for variable in ordered]
        for variable, offset in zip(ordered, layout.offsets, strict=True):
            variable.move(self.array[offset : offset + variable.size].reshape(variable.shape), self)

    @property
    def variables(self) -> list[Variable]:
        """The variables that still exist, in the order of the array."""
        found = [reference() for reference in self._members]
        return [variable for variable in found if variable is not None and variable.store is self]


def gather_in_store(variables: Sequence[Variable], dtype: str) -> None:
    """See to it that `variables` live in one store.

    If they live in several or in none, a new store takes them up together with everything that shared their stores:
    then the variables of every model concerned still lie in one array.
    """
    first = variables[0].store if variables else None
    if first is not None and all(variable.store is first for variable in variables):
        return
    stores = {id(variable.store): variable.store for variable in variables}
    if len(stores) == 1 and None not in stores.values():
        return
    members = {id(variable): variable for variable in variables}
    for store in stores.values():
        if store is not None:
            members.update({id(variable): variable for variable in store.variables})
    for variable in members.values():
        variable.cast(dtype)
    ParameterStore(list(members.values()), dtype)
