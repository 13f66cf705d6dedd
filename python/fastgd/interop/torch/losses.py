"""PyTorch's losses: the ones that they are here, with the targets and weights that those want."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import losses
from fastgd.interop.torch.links import tensor_array
from fastgd.interop.torch.refusals import refuse_option
from fastgd.layers import Activation, KerasTensor
from fastgd.losses import Loss
from fastgd.utils.errors import invalid, mistyped

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Objective:
    """A loss with what surrounds it.

    Attributes:
        loss: the loss.
        weight: the number by which it is multiplied.
        prepare: makes targets and sample weights, or None, of PyTorch's targets.
    """

    loss: Loss
    prepare: Callable[[Array], tuple[Array, Array | None]]
    weight: float = 1.0


# The functions of torch.nn.functional, which may be given in place of the classes, by their names too.
FUNCTIONS = {
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "smooth_l1_loss": "SmoothL1Loss",
    "huber_loss": "HuberLoss",
}


def find_objective(loss: Any, output: KerasTensor, targets: Sequence[Array]) -> Objective:
    """Return what a loss of PyTorch is for an output of a model.

    Args:
        loss: an object of `torch.nn`, or a function of `torch.nn.functional` or its name.
        output: the output.
        targets: all targets there will be.

    Raises:
        ValueError: for options without a counterpart.
        TypeError: for anything else.
    """
    import torch

    name = loss if isinstance(loss, str) else getattr(loss, "__name__", "")
    if name in FUNCTIONS:
        loss = getattr(torch.nn, FUNCTIONS[name])()
    kind = type(loss).__name__
    if kind not in (*_MAKERS, *_LABELLED) or not isinstance(loss, torch.nn.Module):
        known = ", ".join([*_LABELLED, *_MAKERS, *(repr(each) for each in FUNCTIONS)])
        raise mistyped(f"`loss` must be one of {known}.", loss=loss)
    if loss.reduction not in ("mean", "sum"):
        raise refuse_option(kind, "reduction", loss.reduction)
    reduction = "sum" if loss.reduction == "sum" else "sum_over_batch_size"
    if kind in _LABELLED:
        return _labelled(loss, output, reduction, targets)
    return _MAKERS[kind](loss, output, reduction)


def _labelled(loss: Any, output: KerasTensor, reduction: str, targets: Sequence[Array]) -> Objective:
    """Cross-entropy from logits, for integer labels or probabilities; log-probabilities are logits of theirs."""
    kind, classes = type(loss).__name__, output.dims[-1]
    weight = None if loss.weight is None else tensor_array(loss.weight)
    smoothing = float(getattr(loss, "label_smoothing", 0.0))
    probable = all(y.dtype.kind == "f" and y.ndim == len(output.dims) for y in targets)
    if kind == "NLLLoss":
        layer = output.node.layer
        if probable or not (isinstance(layer, Activation) and layer.get_config()["activation"] == "log_softmax"):
            raise invalid("NLLLoss needs labels and a module that ends with LogSoftmax.", layer=layer.name)
    elif not probable and any(y.dtype.kind not in "iu" for y in targets):
        raise mistyped("`y` must hold integer labels or probabilities.", dtypes=[str(y.dtype) for y in targets])
    ignores = not probable and any(bool(np.any(y == loss.ignore_index)) for y in targets)
    if smoothing or probable:
        if weight is not None or ignores:
            raise refuse_option(kind, "weight" if ignores else "ignore_index", "beside smoothed labels")
        made: Loss = losses.CategoricalCrossentropy(True, smoothing, reduction=reduction)
        return Objective(made, lambda y: (y if probable else np.eye(classes, dtype=output.dtype)[y], None))
    if weight is None:
        ignored = loss.ignore_index if ignores else None
        return Objective(losses.SparseCategoricalCrossentropy(True, ignored, reduction), lambda y: (y, None))
    if any(y.ndim != 1 for y in targets):
        raise refuse_option(kind, "weight", "for labels of several axes")
    weights = weight
    if reduction != "sum":
        reduction = "mean_with_sample_weight"

    def prepare(y: Array) -> tuple[Array, Array | None]:
        # A weight of 0 leaves a sample out, so that its label may be any.
        out = y == loss.ignore_index
        return np.where(out, 0, y), np.where(out, 0.0, weights[np.where(out, 0, y)])

    return Objective(losses.SparseCategoricalCrossentropy(True, None, reduction), prepare)


def _elementwise(loss: Loss, output: KerasTensor, reduction: str, weight: float = 1.0) -> Objective:
    """A mean over all elements of a batch; a sum is as many times the mean over the last axis."""
    if reduction == "sum":
        weight *= output.dims[-1]
    shape = tuple(output.dims[1:])

    def prepare(y: Array) -> tuple[Array, Array | None]:
        if y.shape[1:] != shape:
            raise invalid(f"`y` must have the shape of the output, (batch, {', '.join(map(str, shape))}).", y=y.shape)
        return y, None

    return Objective(loss, prepare, weight)


def _binary(loss: Any, output: KerasTensor, reduction: str) -> Objective:
    for option in ("weight", "pos_weight"):
        if getattr(loss, option, None) is not None:
            raise refuse_option(type(loss).__name__, option, getattr(loss, option))
    from_logits = type(loss).__name__ == "BCEWithLogitsLoss"
    return _elementwise(losses.BinaryCrossentropy(from_logits, reduction=reduction), output, reduction)


def _smooth(loss: Any, output: KerasTensor, reduction: str) -> Objective:
    if not loss.beta:
        return _elementwise(losses.MeanAbsoluteError(reduction), output, reduction)
    return _elementwise(losses.Huber(float(loss.beta), reduction), output, reduction, 1 / loss.beta)


_LABELLED = ("CrossEntropyLoss", "NLLLoss")
_MAKERS: dict[str, Callable[[Any, KerasTensor, str], Objective]] = {
    "BCELoss": _binary,
    "BCEWithLogitsLoss": _binary,
    "MSELoss": lambda loss, output, reduction: _elementwise(losses.MeanSquaredError(reduction), output, reduction),
    "L1Loss": lambda loss, output, reduction: _elementwise(losses.MeanAbsoluteError(reduction), output, reduction),
    "SmoothL1Loss": _smooth,
    "HuberLoss": lambda loss, output, reduction: _elementwise(
        losses.Huber(float(loss.delta), reduction), output, reduction
    ),
}
