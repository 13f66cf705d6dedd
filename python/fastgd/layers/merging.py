"""The layers that join several inputs into one output."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import prod
from typing import Any

from fastgd import config, ops
from fastgd.layers.layer import Layer
from fastgd.layers.masks import any_mask, check_listed, over
from fastgd.ops.axes import normal_axis
from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require
from fastgd.ops.shaping import view
from fastgd.utils.checks import check_bool, check_int
from fastgd.utils.errors import invalid, mistyped


class Merge(Layer, abstract=True):
    """Base of the layers that take a list of inputs."""

    def build(self, input_shape: Any) -> None:
        """Check that the layer was called on a list."""
        if not isinstance(input_shape, list) or not input_shape:
            raise mistyped(f"{type(self).__name__} must be called on a list of inputs.", input_shape=input_shape)
        super().build(input_shape)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return where any of the inputs counts, None unless all have masks."""
        masks = check_listed(inputs, previous_mask)
        if masks is None or any(mask is None for mask in masks):
            return None
        return reduce(ops.maximum, masks)


class Elementwise(Merge, abstract=True):
    """Base of the layers that combine their inputs element by element.

    Axes of size 1 are repeated to the size of the others; an input with fewer axes gets new ones behind the batch.
    """

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Emit the steps."""
        rank = max(len(x.dims) for x in inputs)
        missing = [rank - len(x.dims) for x in inputs]
        # A mask belongs to the first axes of an input as it came.
        masks = [None if x.mask is None or n else over(x.mask, x) for x, n in zip(inputs, missing, strict=True)]
        alike = [ops.expand_dims(x, tuple(range(1, 1 + n))) if n else x for x, n in zip(inputs, missing, strict=True)]
        return self.combine_masked(alike, masks) if any_mask(masks) else self.combine(alike)

    def combine(self, inputs: Sequence[Tensor]) -> Tensor:
        """Emit what makes one tensor of several with as many axes."""
        raise NotImplementedError(f"{type(self).__name__} must implement combine(inputs)")

    def combine_masked(self, inputs: Sequence[Tensor], masks: Sequence[Tensor | None]) -> Tensor:
        """Emit the same for inputs some of which have masks; what these leave out counts unless a layer says else."""
        return self.combine(inputs)


class Add(Elementwise):
    """The sum of inputs (batch, ...), whose axes of size 1 are repeated.

    Args:
        **kwargs: those of `Layer`.

    Example:
        >>> y = fastgd.layers.Add()([x, fastgd.layers.Dense(8)(x)])
    """

    def combine(self, inputs: Sequence[Tensor]) -> Tensor:
        """Emit the sum, as one step where the shapes are equal."""
        return ops.sum_of(inputs) if len({x.dims for x in inputs}) == 1 else reduce(ops.add, inputs)


class Subtract(Elementwise):
    """The first of two inputs less the second, whose axes of size 1 are repeated.

    Args:
        **kwargs: those of `Layer`.

    Example:
        >>> y = fastgd.layers.Subtract()([a, b])
    """

    def build(self, input_shape: Any) -> None:
        """Check that there are two inputs."""
        super().build(input_shape)
        if len(input_shape) != 2:
            raise invalid("Subtract must be called on exactly 2 inputs.", input_shape=input_shape)

    def combine(self, inputs: Sequence[Tensor]) -> Tensor:
        """Emit the difference."""
        y: Tensor = ops.subtract(*inputs)
        return y


class Multiply(Elementwise):
    """The product of inputs (batch, ...), element by element; axes of size 1 are repeated.

    Args:
        **kwargs: those of `Layer`.

    Example:
        >>> y = fastgd.layers.Multiply()([x, gate])
    """

    def combine(self, inputs: Sequence[Tensor]) -> Tensor:
        """Emit the products, from the first to the last."""
        return reduce(ops.multiply, inputs)

    def combine_masked(self, inputs: Sequence[Tensor], masks: Sequence[Tensor | None]) -> Tensor:
        """Emit the products, in which masked factors are 1; they are 0 where all factors are masked."""
        factors = [x if m is None else ops.where(m, x, 1.0) for x, m in zip(inputs, masks, strict=True)]
        known = [m for m in masks if m is not None]
        y = self.combine(factors)
        return ops.where(reduce(ops.maximum, known), y, 0.0) if len(known) == len(masks) else y


class Average(Add):
    """The mean of inputs (batch, ...), element by element; axes of size 1 are repeated.

    Args:
        **kwargs: those of `Layer`.

    Example:
        >>> y = fastgd.layers.Average()([a, b, c])
    """

    def combine(self, inputs: Sequence[Tensor]) -> Tensor:
        """Emit the sum and its division by the number of inputs."""
        y: Tensor = ops.divide(super().combine(inputs), float(len(inputs)))
        return y


class Extremum(Elementwise, abstract=True):
    """Base of the layers that choose among their inputs: where one is masked, the others alone are chosen from."""

    @staticmethod
    def choose(a: Tensor, b: Tensor) -> Tensor:
        """Emit the choice between two tensors."""
        raise NotImplementedError("a subclass of Extremum must implement choose(a, b)")

    def combine(self, inputs: Sequence[Tensor]) -> Tensor:
        """Emit the choices, from the first to the last."""
        return reduce(self.choose, inputs)

    def combine_masked(self, inputs: Sequence[Tensor], masks: Sequence[Tensor | None]) -> Tensor:
        """Emit the choices, before each of which what is masked on one side is replaced by the other side."""
        y, known = inputs[0], masks[0]
        for x, mask in zip(inputs[1:], masks[1:], strict=True):
            x = x if mask is None else ops.where(mask, x, y)
            y = y if known is None else ops.where(known, y, x)
            known = None if mask is None or known is None else ops.maximum(known, mask)
            y = self.choose(y, x)
        return y


class Maximum(Extremum):
    """The largest of inputs (batch, ...), element by element; axes of size 1 are repeated.

    Args:
        **kwargs: those of `Layer`.

    Example:
        >>> y = fastgd.layers.Maximum()([a, b])
    """

    @staticmethod
    def choose(a: Tensor, b: Tensor) -> Tensor:
        """Emit the maximum."""
        y: Tensor = ops.maximum(a, b)
        return y


class Minimum(Extremum):
    """The smallest of inputs (batch, ...), element by element; axes of size 1 are repeated.

    Args:
        **kwargs: those of `Layer`.

    Example:
        >>> y = fastgd.layers.Minimum()([a, b])
    """

    @staticmethod
    def choose(a: Tensor, b: Tensor) -> Tensor:
        """Emit the minimum."""
        y: Tensor = ops.minimum(a, b)
        return y


class Concatenate(Merge):
    """The inputs joined along an axis; their shapes are equal but on it.

    Args:
        axis: any axis but the batch, 0; negative ones count from the last.
        **kwargs: those of `Layer`.

    Example:
        >>> y = fastgd.layers.Concatenate()([a, b])
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = check_int("axis", axis, -(2**31))

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Emit the step."""
        behind = self.axis not in (0, -len(inputs[0].dims))
        sizes = " and ".join(show_dims(x.dims) for x in inputs)
        require(behind, "concatenate", f"axis {self.axis} must be one of the axes behind the batch: they are {sizes}")
        return ops.concatenate(inputs, self.axis)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return where any of the joined masks counts; an input without one counts everywhere."""
        masks = check_listed(inputs, previous_mask)
        if masks is None:
            return None
        whole = [
            x.builder.constant(1.0, x.dims) if mask is None else ops.broadcast_to(over(mask, x), x.shape)
            for x, mask in zip(inputs, masks, strict=True)
        ]
        return ops.max(ops.concatenate(whole, self.axis), -1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "axis": self.axis}


class Dot(Merge):
    """The sums of products of two inputs along one axis of each, for every sample.

    Inputs (batch, ..., k, ...) and (batch, ..., k, ...) give the other axes of the first, then those of the second:
    `y[n, i, j] = sum over k of a[n, i, k] b[n, k, j]` for the axes (2, 1). Two inputs (batch, k) give (batch, 1).

    Args:
        axes: the axis of both inputs, or one for each; not the batch, 0; negative ones count from the last.
        normalize: whether the inputs are divided by their lengths along the axes first: then it is the cosine.
        **kwargs: those of `Layer`.

    Raises:
        ValueError: when called, if there are not two inputs, an axis does not exist, or their sizes differ.

    Example:
        >>> similarity = fastgd.layers.Dot(axes=1, normalize=True)([a, b])
    """

    def __init__(self, axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(axes, int):
            if not isinstance(axes, (list, tuple)):
                raise mistyped("`axes` must be an integer or two.", axes=axes)
            if len(axes) != 2:
                raise invalid("`axes` must be an integer or two.", axes=axes)
            self.axes: int | tuple[int, ...] = tuple(check_int("axes", axis, -(2**31)) for axis in axes)
        else:
            self.axes = check_int("axes", axes, -(2**31))
        self.normalize = check_bool("normalize", normalize)

    def build(self, input_shape: Any) -> None:
        """Check that there are two inputs."""
        super().build(input_shape)
        if len(input_shape) != 2:
            raise invalid("Dot must be called on exactly 2 inputs.", input_shape=input_shape)

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        """Emit a product of matrices per sample."""
        pair = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        axes = [normal_axis("dot", axis, len(x.dims)) for axis, x in zip(pair, inputs, strict=True)]
        sizes = " and ".join(show_dims(x.dims) for x in inputs)
        require(0 not in axes, "dot", f"`axes` must be behind the batch: they are {sizes}. Received: axes={self.axes}")
        left, right = (x.dims[axis] for x, axis in zip(inputs, axes, strict=True))
        require(left == right, "dot", f"the sizes {left} and {right} along the axes {axes} differ: they are {sizes}")
        a, b = (_unit(x, axis) if self.normalize else x for x, axis in zip(inputs, axes, strict=True))
        pairs = zip(inputs, axes, strict=True)
        rest = tuple(d for x, axis in pairs for k, d in enumerate(x.dims) if k not in (0, axis))
        first, first_is_front = _as_matrices(a, axes[0], front=False)
        second, second_is_front = _as_matrices(b, axes[1], front=True)
        y = ops.matmul(first, second, transpose_a=first_is_front, transpose_b=not second_is_front)
        return view(y, (a.dims[0], *(rest or (1,))))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """Return None: the steps of the inputs are summed over or paired."""

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def _unit(x: Tensor, axis: int) -> Tensor:
    """Return x divided by its lengths along an axis, which count no less than epsilon."""
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    y: Tensor = ops.multiply(x, ops.rsqrt(ops.maximum(squares, config.epsilon() ** 2)))
    return y


def _as_matrices(x: Tensor, axis: int, front: bool) -> tuple[Tensor, bool]:
    """Return x as a matrix per sample, one side of which is the axis, and whether that is the first side.

    An axis at either end stays there, because products take matrices either way; another one is moved to the front or
    to the end.
    """
    last = len(x.dims) - 1
    if axis not in (1, last):
        x = ops.moveaxis(x, axis, 1 if front else last)
        axis = 1 if front else last
    size, rest = x.dims[axis], prod(x.dims[1:axis] + x.dims[axis + 1 :])
    is_front = axis == 1 and (front or last > 1)
    return view(x, (x.dims[0], size, rest) if is_front else (x.dims[0], rest, size)), is_front


def add(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the sum of placeholders or arrays; `kwargs` are those of `Add`."""
    return Add(**kwargs)(inputs)


def subtract(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the first of two placeholders or arrays less the second; `kwargs` are those of `Subtract`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the elementwise product of placeholders or arrays; `kwargs` are those of `Multiply`."""
    return Multiply(**kwargs)(inputs)


def average(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the elementwise mean of placeholders or arrays; `kwargs` are those of `Average`."""
    return Average(**kwargs)(inputs)


def maximum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the elementwise maximum of placeholders or arrays; `kwargs` are those of `Maximum`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs: Sequence[Any], **kwargs: Any) -> Any:
    """Return the elementwise minimum of placeholders or arrays; `kwargs` are those of `Minimum`."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs: Sequence[Any], axis: int = -1, **kwargs: Any) -> Any:
    """Return placeholders or arrays joined along an axis; `kwargs` are those of `Concatenate`."""
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs: Sequence[Any], axes: int | Sequence[int], normalize: bool = False, **kwargs: Any) -> Any:
    """Return the sums of products of two placeholders or arrays along an axis of each; `kwargs` as for `Dot`."""
    return Dot(axes, normalize, **kwargs)(inputs)
