"""What a layer does with its weights: making them, listing them, reading and writing them all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import initializers
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_bool
from fastgd.utils.errors import invalid

Array = npt.NDArray[Any]


class WeightOwner:
    """The part of a layer that holds weights.

    Attributes:
        name: the name of the layer.
        built: whether the weights exist.
    """

    name: str
    built: bool

    def _init_weights(self, trainable: bool) -> None:
        self.built = False
        self._trainable = check_bool("trainable", trainable)
        self._variables: list[Variable] = []

    @property
    def dtype(self) -> str:
        """The dtype of the weights."""
        raise NotImplementedError(f"{type(self).__name__} must say its dtype")

    def add_weight(
        self, shape: Sequence[int], initializer: Any = "glorot_uniform", trainable: bool = True, name: str = "weight"
    ) -> Variable:
        """Make a weight; `build` calls it.

        Args:
            shape: the shape.
            initializer: a name, a config or an Initializer.
            trainable: whether optimizers may change it.
            name: the name inside the layer.

        Returns:
            The new variable.
        """
        value = initializers.get(initializer)(tuple(shape), self.dtype)
        variable = Variable(value, name, self.dtype, trainable)
        variable.path = f"{self.name}/{name}"
        self._variables.append(variable)
        return variable

    @property
    def weights(self) -> list[Variable]:
        """All variables, the trainable ones first."""
        return sorted(self._variables, key=lambda variable: not variable.trainable)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables that training may change: none while the layer is frozen."""
        return [variable for variable in self.weights if variable.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The variables that training leaves alone."""
        trainable = {id(variable) for variable in self.trainable_weights}
        return [variable for variable in self.weights if id(variable) not in trainable]

    @property
    def moving_weights(self) -> list[Variable]:
        """The variables that the forward pass moves in training, such as moving averages: none while it is frozen."""
        return []

    @property
    def trainable(self) -> bool:
        """Whether optimizers may change the weights; a model takes notice when it is compiled."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = check_bool("trainable", value)

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

    def count_params(self) -> int:
        """Return the number of elements of all weights.

        Raises:
            ValueError: if the layer is not built.
        """
        if not self.built:
            raise ValueError(f"The layer {self.name!r} is not built, so its weights cannot be counted yet.")
        return sum(variable.size for variable in self.weights)
