"""The layers that normalise along axes of each sample: by mean and variance, by root mean square, by length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastgd import ops
from fastgd.layers.affine import AffineNormalization, check_axes, sizes_along
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_real


class LayerNormalization(AffineNormalization):
    """`y = gamma (x - mean) / sqrt(variance + epsilon) + beta`, the moments taken along `axis` of each sample.

    Args:
        axis: one axis, or a list of neighbours, none of them the batch.
        epsilon: added to the biased variance.
        center: whether there is a beta.
        scale: whether there is a gamma.
        beta_initializer: the initial beta, of the sizes of those axes.
        gamma_initializer: the initial gamma.
        beta_regularizer: the penalty on beta: a name, a config, a Regularizer or a function.
        gamma_regularizer: the same for gamma.
        beta_constraint: what beta goes through after each update: a name, a config, a Constraint or a function.
        gamma_constraint: the same for gamma.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Example:
        >>> fastgd.layers.LayerNormalization()

    Source:
        Ba, Kiros, Hinton, Layer normalization, arXiv:1607.06450, 2016.
    """

    supports_masking = True

    def __init__(
        self,
        axis: int | Sequence[int] = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rules = beta_regularizer, gamma_regularizer, beta_constraint, gamma_constraint
        super().__init__(axis, epsilon, center, scale, beta_initializer, gamma_initializer, *rules, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta."""
        self.add_affine(self.channels(input_shape))
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.layer_normalization(inputs, self.gamma, self.beta, self.axis, self.epsilon)


class RMSNormalization(Layer):
    """`y = scale x / sqrt(mean(x^2) + epsilon)`, the mean taken along `axis` of each sample.

    Args:
        axis: one axis, or a list of neighbours, none of them the batch.
        epsilon: added to the mean of the squares.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Example:
        >>> fastgd.layers.RMSNormalization()

    Source:
        Zhang, Sennrich, Root mean square layer normalization, NeurIPS 2019.
    """

    scale: Variable

    def __init__(self, axis: int | Sequence[int] = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = check_axes(axis)
        self.epsilon = check_real("epsilon", epsilon, 0.0)

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        self.scale = self.add_weight(sizes_along(self.name, self.axis, input_shape), "ones", name="scale")
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.rms_normalization(inputs, self.scale, self.axis, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


class UnitNormalization(Layer):
    """`y = x / sqrt(sum(x^2))`, the sum taken along `axis` of each sample: vectors of length 1.

    Args:
        axis: one axis, or a list of neighbours, none of them the batch.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape. A vector shorter than 1e-12 is divided by 1e-12.

    Example:
        >>> fastgd.layers.UnitNormalization()
    """

    supports_masking = True

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = check_axes(axis)

    def build(self, input_shape: Any) -> None:
        """Check the axes."""
        sizes_along(self.name, self.axis, input_shape)
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.unit_normalization(inputs, self.axis)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "axis": self.axis}
