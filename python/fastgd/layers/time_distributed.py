"""The layer that calls another one on every step of a sequence."""

from __future__ import annotations

from typing import Any

from fastgd import ops
from fastgd.layers.batch_normalization import BatchNormalization
from fastgd.layers.layer import Layer
from fastgd.layers.wrapper import Wrapper
from fastgd.ops.builder import Tensor, show_dims, to_dims
from fastgd.ops.shaping import view
from fastgd.utils.errors import invalid


class TimeDistributed(Wrapper):
    """`y[:, k] = layer(x[:, k])` for each step k, with the same weights.

    The steps join the batch: the layer runs once, on `steps` times as many samples. One that looks at the batch as a
    whole in training, which is `BatchNormalization`, runs step by step instead.

    Args:
        layer: the layer or model, of one input and one output.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, steps, ...) gives y (batch, steps, ...), the rest being what the layer makes of the rest. A mask
        (batch, steps) is passed on; the layer gets its part if its `call` takes one.

    Raises:
        TypeError: if `layer` is no layer.
        ValueError: when called, if x has fewer than three axes, or the mask does not begin with the axes of x.

    Example:
        >>> frames = fastgd.Input((10, 28, 28, 1))
        >>> y = fastgd.layers.TimeDistributed(fastgd.layers.Conv2D(8, 3))(frames)
    """

    supports_masking = True

    def build(self, input_shape: Any) -> None:
        """Build the layer for one step.

        Raises:
            ValueError: if there are fewer than three axes.
        """
        if len(input_shape) < 3:
            raise invalid("TimeDistributed takes inputs (batch, steps, ...).", input_shape=input_shape)
        self.layer.ensure_built(to_dims((None, *input_shape[2:])), self.dtype)
        super().build(input_shape)

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None) -> Tensor:
        """Emit the layer on the steps."""
        dims = inputs.dims
        if mask is not None and mask.dims[:2] != dims[:2]:
            raise invalid("`mask` must begin with the batch and the steps of the inputs.", mask=show_dims(mask.dims))
        takes_mask = mask is not None and "mask" in self.layer.call_names
        if _couples_samples(self.layer):
            steps = range(dims[1])
            masks = [{"mask": mask[:, k]} if takes_mask and mask is not None else {} for k in steps]
            return ops.stack([self.layer.emit(inputs[:, k], training, masks[k]) for k in steps], 1)
        folded = {"mask": _folded(mask)} if takes_mask and mask is not None else {}
        x = _folded(inputs)
        with x.builder.multiple(x.dims[0]):
            y: Tensor = self.layer.emit(x, training, folded)
        return view(y, (*dims[:2], *y.dims[1:]))


def _folded(x: Tensor) -> Tensor:
    """Return x (batch, steps, ...) with the steps in the batch."""
    return view(x, (x.dims[0] * x.dims[1], *x.dims[2:]))


def _couples_samples(layer: Layer) -> bool:
    """Return whether a layer, or one inside it, takes moments of the batch."""
    inner = layer.layers if hasattr(layer, "layers") else layer.sublayers
    return isinstance(layer, BatchNormalization) or any(_couples_samples(each) for each in inner)
