"""What a layer does with its weights: making them, listing them, reading and writing them all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from math import prod
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from fastgd import constraints, initializers, regularizers
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_bool, check_dtype
from fastgd.utils.errors import invalid

Array = npt.NDArray[Any]
T = TypeVar("T")


# How many bytes the weights may have that a model from a file still makes; None where nobody limits them.
_limit: ContextVar[list[int] | None] = ContextVar("weight_limit", default=None)


@contextmanager
def limit_weights(size: int) -> Iterator[None]:
    """Let weights that are made in the block have `size` bytes at most: a config from a file may name any shape."""
    token = _limit.set([size])
    try:
        yield
    finally:
        _limit.reset(token)


def _take_from_limit(path: str, shape: tuple[int, ...], dtype: str) -> None:
    left = _limit.get()
    if left is not None:
        left[0] -= prod(shape) * np.dtype(dtype).itemsize
        if left[0] < 0:
            raise invalid(f"The weight {path!r} is larger than all that the file holds.", shape=shape)


class WeightOwner:
    """The part of a layer that holds weights: its own, and those of the layers it keeps in its attributes.

    Attributes:
        name: the name of the layer.
        built: whether the weights exist.
    """

    name: str
    built: bool
    # What Keras writes for a layer of the class besides its weights.
    _unused_keys: ClassVar[tuple[str, ...]] = ()

    def _init_weights(self, trainable: bool) -> None:
        self.built = False
        self._trainable = check_bool("trainable", trainable)
        self._variables: list[Variable] = []

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        raise NotImplementedError(f"{type(self).__name__} must say its dtype")

    def add_weight(
        self,
        shape: Sequence[int] | None = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Make a weight; `build` calls it.

        Args:
            shape: the shape, () if None.
            initializer: a name, a config or an Initializer; "glorot_uniform" if None.
            dtype: that of the layer, or None.
            trainable: whether optimizers may change it.
            regularizer: what joins the loss while it is trained: a name, a config, a Regularizer or a function.
            constraint: what it goes through after each update: a name, a config, a Constraint or a function.
            name: the name inside the layer; "weight" if None.

        Returns:
            The new variable.

        Raises:
            ValueError: if a name is unknown, or `dtype` is not the layer's.
        """
        if dtype is not None and check_dtype("dtype", dtype) != self.dtype:
            raise invalid(f"All weights of the layer {self.name!r} have its dtype, {self.dtype}.", dtype=dtype)
        name = name or "weight"
        _take_from_limit(f"{self.name}/{name}", tuple(shape or ()), self.dtype)
        value = initializers.get(initializer or "glorot_uniform")(tuple(shape or ()), self.dtype)
        rules = regularizers.get(regularizer), constraints.get(constraint)
        variable = Variable(value, name, self.dtype, trainable, *rules)
        variable.path = f"{self.name}/{name}"
        self._variables.append(variable)
        return variable

    @property
    def own_variables(self) -> list[Variable]:
        """The variables of the layer itself: those of `add_weight`, and trainable ones that an attribute holds."""
        held = (value for value in vars(self).values() if isinstance(value, Variable) and value.trainable)
        return distinct([*self._variables, *held])

    @property
    def sublayers(self) -> list[Any]:
        """The layers in the attributes of this one, or in their lists and dicts, each once, in the order of making."""
        # Private attributes of the base classes hold calls and graphs, never layers of the user's.
        return distinct([layer for value in vars(self).values() for layer in _layers_in(value)])

    @property
    def weights(self) -> list[Variable]:
        """All variables: its own, the trainable ones first, then those of its sublayers."""
        return distinct([*self._own_weights(), *(v for layer in self.sublayers for v in layer.weights)])

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that training may change: none while the layer is frozen."""
        if not self.trainable:
            return []
        own = [variable for variable in self.own_variables if variable.trainable]
        return distinct([*own, *(variable for layer in self.sublayers for variable in layer.trainable_weights)])

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The variables that training leaves alone."""
        trainable = {id(variable) for variable in self.trainable_weights}
        return [variable for variable in self.weights if id(variable) not in trainable]

    @property
    def variables(self) -> list[Variable]:
        """The same as `weights`: layers have no other variables."""
        return self.weights

    @property
    def trainable_variables(self) -> list[Variable]:
        """The same as `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The same as `non_trainable_weights`."""
        return self.non_trainable_weights

    @property
    def moving_weights(self) -> list[Variable]:
        """The variables that the forward pass moves in training, such as moving averages; a frozen layer has none."""
        layers = self.sublayers if self.trainable else []
        return distinct([variable for layer in layers for variable in layer.moving_weights])

    @property
    def losses(self) -> list[Any]:
        """The penalties on the trainable weights at their present values, one number each.

        Those on activations hang on data; they are in the loss that `fit` and `evaluate` report.
        """
        return [w.regularizer(w.value) for w in self.trainable_weights if w.regularizer is not None]

    @property
    def trainable(self) -> bool:
        """Whether optimizers may change the weights; a model takes notice when it is compiled."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = check_bool("trainable", value)
        for layer in self.sublayers:
            layer.trainable = value

    def get_weights(self) -> list[Array]:
        """Return copies of all weights, in the order of `weights`."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[npt.ArrayLike]) -> None:
        """Overwrite all weights.

        Args:
            weights: one array per variable, as `get_weights` returns them.

        Raises:
            ValueError: if the number of arrays or a shape differs; nothing is changed then.
        """
        arrays = [np.asarray(value) for value in weights]
        shapes = [array.shape for array in arrays]
        if shapes != [variable.shape for variable in self.weights]:
            expected = [variable.shape for variable in self.weights]
            raise invalid(f"`weights` must have the shapes {expected} of {self.name!r}.", shapes=shapes)
        for variable, array in zip(self.weights, arrays, strict=True):
            variable.assign(array)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the layer's own weights, without those of its sublayers, into a file; a subclass may do it otherwise.

        Args:
            store: takes arrays by keys: "0", "1" and so on.
        """
        for key, variable in enumerate(self._own_weights()):
            store[str(key)] = variable.numpy()

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Take the weights that `save_own_variables` has put into a file.

        Args:
            store: has the arrays by their keys.

        Raises:
            ValueError: if their number or a shape differs.
        """
        self.plan_loading(store)()

    def plan_loading(self, store: Any) -> Callable[[], None]:
        """Return the function that does what `load_own_variables` does, after checking what can be checked before."""
        if type(self).load_own_variables is not WeightOwner.load_own_variables:
            return lambda: self.load_own_variables(store)
        own = self._own_weights()
        keys = [str(key) for key in range(len(own))]
        if sorted(key for key in store if key not in self._unused_keys) != sorted(keys):
            raise invalid(f"The layer {self.name!r} has {len(own)} weights of its own.", weights=sorted(store))
        for key, variable in zip(keys, own, strict=True):
            # A file tells shapes without reading: nothing is allocated for one that does not fit.
            shape = store.shape(key) if hasattr(store, "shape") else np.shape(store[key])
            if shape != variable.shape:
                raise invalid(f"The weight {variable.path!r} has the shape {variable.shape}.", shape=shape)
        arrays = [store[key] for key in keys]

        def load() -> None:
            for variable, array in zip(own, arrays, strict=True):
                variable.assign(array)

        return load

    def _own_weights(self) -> list[Variable]:
        return sorted(self.own_variables, key=lambda variable: not variable.trainable)

    def count_params(self) -> int:
        """Return the number of elements of all weights.

        Raises:
            ValueError: if the layer is not built.
        """
        if not self.built:
            raise ValueError(f"The layer {self.name!r} is not built, so its weights cannot be counted yet.")
        return sum(variable.size for variable in self.weights)


def distinct(things: Sequence[T]) -> list[T]:
    """Return the things in their order, each object once."""
    return list({id(thing): thing for thing in things}.values())


def _layers_in(value: Any) -> list[Any]:
    """Return the layers in an attribute: itself, or what lists, tuples and dicts hold."""
    if isinstance(value, WeightOwner):
        return [value]
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [layer for part in value for layer in _layers_in(part)]
