"""The layers that are activation functions with arguments."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from fastgd import activations, ops
from fastgd.layers.layer import Layer
from fastgd.ops.axes import axes_behind_batch, require_neighbours
from fastgd.ops.builder import Tensor
from fastgd.ops.shaping import view
from fastgd.utils.checks import check_real
from fastgd.utils.errors import invalid, mistyped

# The logit of what a mask leaves out.
_MASKED_LOGIT = -1e9


class ReLU(Layer):
    """`y = min(max(x, 0), max_value)` where `x > threshold`, else `negative_slope * (x - threshold)`.

    Args:
        max_value: the largest y; None is no bound.
        negative_slope: the slope up to the threshold.
        threshold: where that line ends.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Raises:
        ValueError: if an argument is negative.

    Example:
        >>> fastgd.layers.ReLU(max_value=6.0)
    """

    supports_masking = True

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else check_real("max_value", max_value, 0.0)
        self.negative_slope = check_real("negative_slope", negative_slope, 0.0)
        self.threshold = check_real("threshold", threshold, 0.0)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the function."""
        y: Tensor = activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)
        return y

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        own = {"max_value": self.max_value, "negative_slope": self.negative_slope, "threshold": self.threshold}
        return {**super().get_config(), **own}


class LeakyReLU(Layer):
    """`y = x` where x is positive, else `negative_slope * x`.

    Args:
        negative_slope: the slope below zero.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Raises:
        ValueError: if `negative_slope` is negative.

    Example:
        >>> fastgd.layers.LeakyReLU(negative_slope=0.1)

    Source:
        Maas, Hannun and Ng, Rectifier nonlinearities improve neural network acoustic models, ICML 2013.
    """

    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.negative_slope = check_real("negative_slope", negative_slope, 0.0)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the function."""
        return ops.leaky_relu(inputs, self.negative_slope)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(Layer):
    """`y = x` where x is positive, else `alpha * (exp(x) - 1)`.

    Args:
        alpha: minus the limit of y far below zero.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Raises:
        ValueError: if `alpha` is negative.

    Example:
        >>> fastgd.layers.ELU(alpha=0.5)

    Source:
        Clevert, Unterthiner and Hochreiter, Fast and accurate deep network learning by exponential linear units,
        ICLR 2016.
    """

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = check_real("alpha", alpha, 0.0)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the function."""
        return ops.elu(inputs, self.alpha)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "alpha": self.alpha}


class Softmax(Layer):
    """`y = exp(x) / sum(exp(x))` over one axis, or over several that lie side by side.

    Args:
        axis: the axis, or a list of axes; negative ones count from the last.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Raises:
        ValueError: if x has no such axis, or if several do not lie side by side behind the batch.

    Example:
        >>> fastgd.layers.Softmax(axis=1)
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, (list, tuple)) and not axis:
            raise invalid("`axis` must name at least one axis.", axis=axis)
        for each in axis if isinstance(axis, (list, tuple)) else [axis]:
            if not isinstance(each, int) or isinstance(each, bool):
                raise mistyped("`axis` must be an integer or a list of integers.", axis=axis)
        self.axis = axis if isinstance(axis, int) else list(axis)

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Emit the function; what a mask, of shape x or smaller, leaves out is 0 and takes no share.

        Raises:
            ValueError: if the last axes of the mask are neither those of x nor 1.
        """
        if mask is None:
            return self._softmax(inputs)
        pairs = zip(reversed(mask.dims), reversed(inputs.dims), strict=False)
        if len(mask.dims) > len(inputs.dims) or any(m not in (1, d) for m, d in pairs):
            raise invalid("`mask` must fit the inputs: each size is theirs or 1.", mask=mask.shape, inputs=inputs.shape)
        counts = ops.greater(mask, 0.5)
        y: Tensor = ops.where(counts, self._softmax(ops.where(counts, inputs, _MASKED_LOGIT)), 0.0)
        return y

    def _softmax(self, inputs: Tensor) -> Tensor:
        """Emit the function; several axes are made one before it."""
        if isinstance(self.axis, int):
            return ops.softmax(inputs, self.axis)
        if len(self.axis) == 1:
            return ops.softmax(inputs, self.axis[0])
        dims = inputs.dims
        places = axes_behind_batch(self.name, self.axis, len(dims))
        require_neighbours(self.name, places)
        first, last = places[0], places[-1]
        merged = view(inputs, (*dims[:first], prod(dims[first : last + 1]), *dims[last + 1 :]))
        return view(ops.softmax(merged, first), dims)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "axis": self.axis}
