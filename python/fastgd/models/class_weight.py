"""class_weight: a weight for every class becomes a weight for every sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.models.arrays import as_array
from fastgd.utils.checks import check_real
from fastgd.utils.errors import invalid, mistyped

Array = npt.NDArray[Any]


def check_class_weight(class_weight: Any, outputs: int) -> dict[int, float]:
    """Return the weights by class.

    Args:
        class_weight: a dict from classes to weights.
        outputs: how many outputs the model has.

    Raises:
        TypeError: if it is no dict, or a class is no integer.
        ValueError: if a weight is not a finite number, or the model has several outputs.
    """
    if not isinstance(class_weight, Mapping):
        raise mistyped("`class_weight` must be a dict from classes to weights.", class_weight=class_weight)
    if outputs > 1:
        raise invalid("`class_weight` is for models with one output; use `sample_weight`.", outputs=outputs)
    weights = {}
    for key, value in class_weight.items():
        try:
            label = int(key)
        except (TypeError, ValueError) as error:
            raise mistyped("The keys of `class_weight` must be integers.", class_weight=key) from error
        weights[label] = check_real(f"class_weight[{label}]", value)
    return weights


def weights_of_classes(class_weight: Mapping[int, float], y: Any, name: str = "y") -> Array:
    """Return the weight of each sample's class, 1 for a class that `class_weight` leaves out.

    Args:
        class_weight: weights by class.
        y: labels (n,) or (n, 1), or one-hot or probability rows (n, classes), whose largest entry is the class.
        name: what messages call y.

    Raises:
        ValueError: for targets of more than two axes.
    """
    if isinstance(y, (list, tuple)) and len(y) == 1 and hasattr(y[0], "shape"):
        y = y[0]
    elif isinstance(y, Mapping) and len(y) == 1:
        (y,) = y.values()
    targets = as_array(y, name)
    if targets.ndim > 2:
        raise invalid(f"`class_weight` needs one class per sample in `{name}`.", **{f"{name}.shape": targets.shape})
    if targets.ndim == 2:
        targets = targets.argmax(axis=1) if targets.shape[1] > 1 else targets[:, 0]
    weights = np.ones(len(targets))
    for label, weight in class_weight.items():
        weights[targets == label] = weight
    return weights
