"""The preprocessing layers that scale numbers: `Rescaling` and `Normalization`."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import ops
from fastgd.layers.layer import Layer
from fastgd.ops.axes import axes_behind_batch, require_neighbours
from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_bool, check_int
from fastgd.utils.errors import invalid, mistyped

Array = npt.NDArray[Any]


class Rescaling(Layer):
    """`y = x scale + offset`.

    Args:
        scale: a number, or an array of the sizes of the last axes of x.
        offset: the same.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Example:
        >>> fastgd.layers.Rescaling(1 / 255)
    """

    supports_masking = True

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = _numbers("scale", scale)
        self.offset = _numbers("offset", offset)

    def build(self, input_shape: Any) -> None:
        """Make the constants, which are no weights."""
        scale, offset = np.broadcast_arrays(np.atleast_1d(self.scale), np.atleast_1d(self.offset))
        self._scale = Variable(scale, "scale", self.dtype, trainable=False)
        self._offset = Variable(offset, "offset", self.dtype, trainable=False)
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.rescale(inputs, self._scale, self._offset)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}


class Normalization(Layer):
    """`y = (x - mean) / max(sqrt(variance), epsilon)`, with moments that are given or learned by `adapt`.

    Args:
        axis: the axes that keep moments of their own, neighbours and none of them the batch: an int, a tuple, or None
            for one pair of moments for everything.
        mean: a number or an array for those axes; None leaves it to `adapt`.
        variance: the same; both are given or neither.
        invert: whether to go the way back, `y = x max(sqrt(variance), epsilon) + mean`.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Raises:
        ValueError: if only one of the moments is given, or their shapes do not fit.

    Example:
        >>> layer = fastgd.layers.Normalization()
        >>> layer.adapt(x_train)
    """

    supports_masking = True
    mean: Variable
    variance: Variable
    _unused_keys = ("2",)

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        given = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.axis = tuple(check_int("axis", place, -(2**31)) for place in given)
        if (mean is None) != (variance is None):
            raise invalid("`mean` and `variance` must be given together.", mean=mean, variance=variance)
        self.input_mean: Any = None if mean is None else _numbers("mean", mean)
        self.input_variance: Any = None if variance is None else _numbers("variance", variance)
        if np.shape(mean) != np.shape(variance):
            raise invalid("`mean` and `variance` must have one shape.", mean=mean, variance=variance)
        self.invert = check_bool("invert", invert)

    def build(self, input_shape: Any) -> None:
        """Make the moments: weights that no training changes, or constants if they were given."""
        if isinstance(input_shape, list):
            raise mistyped(f"{type(self).__name__} takes one input.", input_shape=input_shape)
        # Without an axis there is one pair of moments for everything.
        self._kept = axes_behind_batch(self.name, self.axis, len(input_shape)) if self.axis else ()
        require_neighbours(self.name, self._kept)
        shape = tuple(input_shape[place] for place in self._kept)
        if self.input_mean is None:
            self.mean = self.add_weight(shape, "zeros", trainable=False, name="mean")
            self.variance = self.add_weight(shape, "ones", trainable=False, name="variance")
        else:
            try:
                values = [np.broadcast_to(value, shape) for value in (self.input_mean, self.input_variance)]
            except ValueError as error:
                raise invalid(f"`mean` must fit the shape {shape} of the kept axes.", mean=self.input_mean) from error
            self.mean, self.variance = (
                Variable(value, name, self.dtype, trainable=False)
                for name, value in zip(("mean", "variance"), values, strict=True)
            )
        super().build(input_shape)

    def adapt(self, data: Any) -> None:
        """Learn mean and biased variance from data, over all axes but those that are kept.

        Args:
            data: an array, a data frame, or a list of arrays: batches whose moments are joined.

        Raises:
            ValueError: if the moments were given, or the data have no rows or another shape than before.
            TypeError: if the data are no numbers.

        Example:
            >>> layer.adapt(x_train)
        """
        if self.input_mean is not None:
            raise invalid("`adapt` is for a layer without a given `mean`.", mean=self.input_mean)
        batches = as_batches(data)
        if not self.built:
            self.ensure_built((-1, *batches[0].shape[1:]), self.dtype)
        expected = (batches[0].ndim, *self.mean.shape)
        for batch in batches:
            sizes = tuple(batch.shape[place] for place in self._kept if place < batch.ndim)
            if (batch.ndim, *sizes) != expected:
                raise invalid(f"`data` must have the sizes {self.mean.shape} on the kept axes.", shape=batch.shape)
        over = tuple(place for place in range(batches[0].ndim) if place not in self._kept)
        count, mean, squares = 0, np.zeros(self.mean.shape), np.zeros(self.mean.shape)
        for batch in batches:
            values = batch.astype(np.float64)
            n = values.size // max(1, self.mean.size)
            apart = values.mean(axis=over) - mean
            squares = squares + values.var(axis=over) * n + apart**2 * (count * n / (count + n))
            mean = mean + apart * (n / (count + n))
            count += n
        self.mean.assign(mean)
        self.variance.assign(squares / count)

    def save_own_variables(self, store: MutableMapping[str, Any]) -> None:
        """Put the moments into a file, with the number of samples that Keras keeps besides."""
        super().save_own_variables(store)
        if store:
            store[self._unused_keys[0]] = np.array(0, np.int32)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        axis = self._kept[0] if self._kept else None
        return ops.standardize(inputs, self.mean, self.variance, self.invert, axis=axis)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {
            **super().get_config(),
            "axis": self.axis,
            "mean": self.input_mean,
            "variance": self.input_variance,
            "invert": self.invert,
        }


def as_batches(data: Any) -> list[Array]:
    """Return data to adapt to as arrays of numbers, each with at least one row.

    Raises:
        TypeError: if they are no numbers.
        ValueError: if there are none.
    """
    many = isinstance(data, (list, tuple)) and bool(data) and all(hasattr(part, "shape") for part in data)
    arrays = [np.asarray(part) for part in (data if many else [data])]
    for array in arrays:
        if array.dtype.kind not in "biuf":
            raise mistyped("`data` must hold real numbers.", dtype=str(array.dtype))
        if array.ndim == 0 or array.size == 0:
            raise invalid("`data` must have at least one row.", shape=array.shape)
        if not np.isfinite(array).all():
            raise invalid("`data` must hold finite numbers.", shape=array.shape)
    return arrays


def _numbers(name: str, value: Any) -> Any:
    """Return a number as a float and an array as nested lists, as a config holds them."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise mistyped(f"`{name}` must be a number or an array of numbers.", **{name: value})
    return array.astype(np.float64).tolist()
