"""What the steps that multiply by a kernel share: a bias, and an activation that they take along."""

from __future__ import annotations

import numpy.typing as npt

from fastgd.ops.activations import FUSED, function_attributes
from fastgd.ops.checks import require
from fastgd.ops.parameters import Variable, as_variable
from fastgd.plan import Attribute
from fastgd.utils.errors import unknown

Weight = Variable | npt.ArrayLike


def product_params(op: str, kernel: Variable, units: int, bias: Weight | None) -> list[Variable]:
    """Return kernel and bias, which is optional, as the parameters of a step.

    Raises:
        ValueError: unless the bias has one value for each of the `units`; that of `dense` may have more axes.
    """
    if bias is None:
        return [kernel]
    b = as_variable(bias, "bias", kernel.dtype)
    sizes = f"it is {b.shape}, the kernel {kernel.shape}"
    require(
        b.shape == (units,) or (op == "dense" and b.size == units),
        op,
        f"the bias must have one value per unit: {sizes}",
    )
    return [kernel, b]


def fused_attributes(op: str, activation: str, numbers: dict[str, float]) -> dict[str, Attribute]:
    """Return the attributes of an activation that a step takes along.

    Raises:
        ValueError: for a function whose derivative does not follow from its output (docs/ops.md).
        TypeError: for a number that it has not, or that is missing.
    """
    if activation not in FUSED:
        raise unknown(f"activation of {op}", FUSED, activation=activation)
    return function_attributes("activation", activation, numbers)
