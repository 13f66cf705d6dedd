"""Masks: which steps of a sequence count. Tensors carry them from layer to layer, and `call` may take them.

A mask is a floating tensor (batch, steps) of ones and zeros in the plan; it is found in the attribute `mask` of the
tensor that it belongs to.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from fastgd import ops
from fastgd.layers.calling import holds_tensors
from fastgd.ops.builder import PlanBuilder, Tensor
from fastgd.ops.operands import as_tensor
from fastgd.utils.errors import invalid
from fastgd.utils.structure import change, flatten


def masks_of(structure: Any) -> Any:
    """Return the masks that the tensors of a structure carry, None where there is none."""
    return change(structure, lambda leaf: getattr(leaf, "mask", None))


def set_masks(structure: Any, masks: Any) -> None:
    """Let the tensors of a structure carry masks, given in the same structure with None for those that keep theirs."""
    for x, mask in zip(flatten(structure), [] if masks is None else flatten(masks), strict=masks is not None):
        if mask is not None:
            x.mask = mask


def any_mask(masks: Any) -> bool:
    """Return whether there is a mask in a structure."""
    return any(mask is not None for mask in flatten(masks))


def masks_for_call(
    builder: PlanBuilder, first: str, inputs: Any, named: Mapping[str, Any], names: Collection[str]
) -> dict[str, Any]:
    """Return the further arguments of `call` with the masks that it takes and that were not given.

    Keras' rule: `mask` gets those of the inputs if these are the only tensors of the call; if there are others,
    `NAME_mask` gets those of the argument NAME.

    Args:
        builder: the builder of the plan.
        first: the name of the argument that holds the inputs.
        inputs: the inputs.
        named: the further arguments.
        names: the names of all arguments of `call`.
    """
    told = {name: _floating(builder, value) if _is_mask(name) else value for name, value in named.items()}
    held = {name: value for name, value in {first: inputs, **told}.items() if holds_tensors(value)}
    if len(held) == 1:
        wanted = {"mask": held[first]} if first in held else {}
    else:
        wanted = {f"{name}_mask": value for name, value in held.items()}
    for name, value in wanted.items():
        if name in names and told.get(name) is None:
            told[name] = masks_of(value)
    return told


def mask_outputs(layer: Any, inputs: Any, outputs: Any, previous: Any) -> None:
    """Let the outputs of a layer carry the masks that it computes, or warn where it loses that of its inputs.

    Args:
        layer: the layer.
        inputs: what it was called on.
        outputs: what it returned.
        previous: the mask that it was given, else those of the inputs.
    """
    if not layer.supports_masking:
        if any_mask(previous):
            warnings.warn(
                f"Layer '{layer.name}' (of type {type(layer).__name__}) was passed an input with a mask attached to "
                "it. However, this layer does not support masking and will therefore destroy the mask information. "
                "Downstream layers will not see the mask.",
                stacklevel=4,
            )
        return
    leaves: list[Tensor] = flatten(outputs)
    if all(y.mask is not None for y in leaves):
        return
    masks = layer.compute_mask(inputs, previous)
    # A layer of several outputs may have a mask for the first of them alone.
    for y, mask in zip(leaves, [] if masks is None else flatten(masks), strict=False):
        if y.mask is None and mask is not None:
            y.mask = mask


def over(mask: Tensor, x: Tensor) -> Tensor:
    """Return a mask of the first axes of x with axes of size 1 for the others, so that it fits x in any op."""
    rest = len(x.dims) - len(mask.dims)
    y: Tensor = ops.expand_dims(mask, tuple(range(len(mask.dims), len(x.dims)))) if rest > 0 else mask
    return y


def check_listed(inputs: Any, mask: Any) -> list[Tensor | None] | None:
    """Return the masks of a list of inputs, None if there is none at all.

    Raises:
        ValueError: if there is not one for each.
    """
    if mask is None or (isinstance(mask, (list, tuple)) and not any_mask(mask)):
        return None
    if not isinstance(mask, (list, tuple)) or len(mask) != len(inputs):
        raise invalid("`mask` must be a list with one mask, or None, per input.", mask=mask)
    return list(mask)


def _is_mask(name: str) -> bool:
    return name == "mask" or name.endswith("_mask")


def _floating(builder: PlanBuilder, value: Any) -> Any:
    """Return masks as floating tensors, and anything else, such as a flag, as it is."""

    def convert(leaf: Any) -> Any:
        array = isinstance(leaf, np.ndarray) and leaf.ndim > 0
        return as_tensor("mask", leaf, builder) if array or isinstance(leaf, Tensor) else leaf

    return change(value, convert)
