"""The losses that start from logits: activation and cross-entropy in one step, where both are exact and stable.

Each gives the probabilities too, as a second output for the metrics.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.reference.activations import log_softmax, softmax
from fastgd.reference.averaging import loss, require_labels
from fastgd.reference.functions import sigmoid
from fastgd.reference.losses import smooth
from fastgd.reference.registry import Array, Attrs
from fastgd.reference.row_losses import add_at_labels, at_labels, split_ignored


@loss("sigmoid_crossentropy")
class SigmoidCrossentropy:
    """e = max(z, 0) - z t' + log(1 + e^-abs(z)), which is -(t' log p + (1 - t') log(1 - p)) for p = sigmoid(z)."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e and sigmoid(z), where the argument p holds the logits z."""
        z = p
        e = np.maximum(z, 0) - z * smooth(t, attrs, 2) + np.log1p(np.exp(-np.abs(z)))
        return e, sigmoid(z)

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return sigmoid(z) - t'."""
        return extras[0] - smooth(t, attrs, 2)


@loss("softmax_crossentropy", class_axis=True)
class SoftmaxCrossentropy:
    """e = sum(t' (logsumexp(z) - z)), which is -sum(t' log p) for p = softmax(z)."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e and softmax(z), where the argument p holds the logits z."""
        z = p
        return -np.sum(smooth(t, attrs, z.shape[-1]) * log_softmax(z), axis=-1), softmax(z)

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return softmax(z) sum(t') - t': the targets need not add up to one."""
        t = smooth(t, attrs, p.shape[-1])
        slope: Array = extras[0] * np.sum(t, axis=-1, keepdims=True) - t
        return slope


@loss("sparse_softmax_crossentropy", class_axis=True, check=require_labels)
class SparseSoftmaxCrossentropy:
    """e = logsumexp(z) - z_t, and 0 for an ignored label."""

    @staticmethod
    def value(p: Array, t: Array, attrs: Attrs) -> tuple[Array, ...]:
        """Return e and softmax(z), where the argument p holds the logits z."""
        z = p
        t, valid = split_ignored(t, attrs)
        return np.where(valid, -at_labels(log_softmax(z), t)[..., 0], 0).astype(z.dtype), softmax(z)

    @staticmethod
    def slope(p: Array, t: Array, extras: Sequence[Array], attrs: Attrs) -> Array:
        """Return softmax(z) - onehot(t)."""
        t, valid = split_ignored(t, attrs)
        slope: Array = extras[0].copy()
        add_at_labels(slope, t, -1)
        slope[~valid] = 0
        return slope
