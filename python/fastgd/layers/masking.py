"""The layer that finds out by the values which steps of a sequence count."""

from __future__ import annotations

from typing import Any

from fastgd import ops
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_real


class Masking(Layer):
    """Masks the steps all of whose features are `mask_value`, and sets them to 0.

    The layers behind it that support masking skip these steps, and so do the loss and the metrics.

    Args:
        mask_value: what the features of a padded step are.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, steps, features) gives y of the same shape, with a mask (batch, steps).

    Raises:
        TypeError: if `mask_value` is no number.

    Example:
        >>> model = fastgd.Sequential([
        ...     fastgd.Input((20, 3)),
        ...     fastgd.layers.Masking(mask_value=-1.0),
        ...     fastgd.layers.GlobalAveragePooling1D(),
        ... ])
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = check_real("mask_value", mask_value)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the steps that find the mask and apply it."""
        y: Tensor = ops.where(self._counts(inputs, keepdims=True), inputs, 0.0)
        return y

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask that the values tell, whatever mask there was before."""
        return self._counts(inputs, keepdims=False)

    def _counts(self, inputs: Any, keepdims: bool) -> Any:
        return ops.max(ops.not_equal(inputs, self.mask_value), -1, keepdims)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "mask_value": self.mask_value}
