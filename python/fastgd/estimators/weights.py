"""Sample weights and class weights, checked and multiplied."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.class_weight import compute_sample_weight

from fastgd.utils.errors import invalid

Array = npt.NDArray[Any]


def combined_weights(sample_weight: Any, class_weight: Any, x: Any, y: Array | None) -> Array | None:
    """Return one weight per sample, or None where all count alike.

    Args:
        sample_weight: None, a number, or an array (n,).
        class_weight: None, "balanced", a dict from labels to weights, or a list of dicts for several labels per sample.
        x: the samples.
        y: their labels as the user gave them; None where there are no classes.

    Raises:
        ValueError: for weights of another shape, negative ones, or such that are all 0.
    """
    weights = None
    if sample_weight is not None:
        weights = _checked(sample_weight, x)
    if class_weight is not None:
        factors = _of_classes(class_weight, y, weights)
        weights = factors if weights is None else weights * factors
    if weights is not None and not weights.sum() > 0:
        raise invalid("`sample_weight` and `class_weight` must not make the weights of all samples zero.", sum=0.0)
    return weights


def _of_classes(class_weight: Any, y: Array | None, weights: Array | None) -> Array:
    """Return the weight of each sample's class; "balanced" gives each class the same sum, sample weights included."""
    if isinstance(class_weight, str) and class_weight == "balanced" and y is not None and y.ndim == 1:
        classes, places = np.unique(y, return_inverse=True)
        sums = np.bincount(places, weights)
        total = sums.sum() / len(classes)
        factors: Array = np.divide(total, sums, out=np.zeros(len(classes)), where=sums > 0)[places]
        return factors
    plain: Array = compute_sample_weight(class_weight, y)
    return plain


def _checked(sample_weight: Any, x: Any) -> Array:
    if isinstance(sample_weight, Real):
        sample_weight = np.full(x.shape[0], sample_weight, np.float64)
    weights: Array = check_array(sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight")
    if weights.ndim != 1:
        raise invalid("`sample_weight` must have one axis.", shape=weights.shape)
    check_consistent_length(x, weights)
    if weights.min(initial=0.0) < 0:
        raise invalid("`sample_weight` must not be negative.", min=float(weights.min()))
    return weights
