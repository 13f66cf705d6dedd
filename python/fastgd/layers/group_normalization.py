"""The layer that normalises groups of channels within each sample."""

from __future__ import annotations

from typing import Any

from fastgd import ops
from fastgd.layers.affine import AffineNormalization
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid


class GroupNormalization(AffineNormalization):
    """`y = gamma (x - mean) / sqrt(variance + epsilon) + beta`, with the moments of each group of channels.

    They are taken over the channels of a group and all other axes of a sample; gamma and beta are per channel.

    Args:
        groups: the number of groups, which divides the number of channels; -1 makes each channel a group.
        axis: the axis of the channels, any but the batch.
        epsilon: added to the biased variance.
        center: whether there is a beta.
        scale: whether there is a gamma.
        beta_initializer: the initial beta, of shape (channels,).
        gamma_initializer: the initial gamma.
        beta_regularizer: the penalty on beta: a name, a config, a Regularizer or a function.
        gamma_regularizer: the same for gamma.
        beta_constraint: what beta goes through after each update: a name, a config, a Constraint or a function.
        gamma_constraint: the same for gamma.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...) gives y of the same shape.

    Raises:
        ValueError: if the groups do not divide the channels.

    Example:
        >>> fastgd.layers.GroupNormalization(groups=8)

    Source:
        Wu, He, Group normalization, ECCV 2018.
    """

    supports_masking = True

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
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
        self.groups = check_int("groups", groups, -1)
        if self.groups == 0:
            raise invalid("`groups` must be 1 or more, or -1.", groups=groups)

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta."""
        (channels,) = self.channels(input_shape)
        if channels % self.groups:
            raise invalid(f"`groups` must divide the {channels} channels.", groups=self.groups)
        self.add_affine((channels,))
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        groups = inputs.dims[self.axis] if self.groups == -1 else self.groups
        return ops.group_normalization(inputs, groups, self.axis, self.gamma, self.beta, self.epsilon)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "groups": self.groups}
