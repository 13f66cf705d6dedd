"""Cross-entropies by Keras' names for ops: a value for every element, or for every row of classes, never averaged."""

from __future__ import annotations

from fastgd import config
from fastgd.ops.builder import Tensor
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.ops.losses import by_elements, by_rows


@works_on_arrays("target", "output")
def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    """Return `-(t log p + (1 - t) log(1 - p))` for every element.

    Args:
        target: targets t (batch, ...) from 0 to 1.
        output: probabilities p of the same shape, clipped to `config.epsilon()` from 0 and 1.
        from_logits: whether `output` holds logits z, with p = sigmoid(z), instead.

    Returns:
        Tensor of the same shape.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> ops.binary_crossentropy(np.array([1.0, 0.0]), np.array([0.5, 0.5]))
        array([0.69314718, 0.69314718])
    """
    require_tensors("binary_crossentropy", target, output)
    if from_logits:
        return by_elements("sigmoid_crossentropy", output, target, True)
    return by_elements("binary_crossentropy", output, target, False, epsilon=config.epsilon())


@works_on_arrays("target", "output")
def categorical_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1) -> Tensor:
    """Return `-sum(t log p)` over the classes of the last axis.

    Args:
        target: targets t (batch, ..., c), one-hot or distributions.
        output: probabilities p of the same shape, divided by their sum, then clipped to `config.epsilon()` from 0, 1.
        from_logits: whether `output` holds logits z, with p = softmax(z), instead.
        axis: the axis of the classes, which must be the last.

    Returns:
        Tensor (batch, ...).

    Raises:
        ValueError: if the shapes differ or the axis is not the last.
    """
    require_tensors("categorical_crossentropy", target, output)
    _require_last_axis("categorical_crossentropy", output, axis)
    if from_logits:
        return by_rows("softmax_crossentropy", output, target, True)
    return by_rows("categorical_crossentropy", output, target, False, epsilon=config.epsilon())


@works_on_arrays("target", "output", labels=("target",))
def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """Return `-log p[t]` for the classes of the last axis.

    Args:
        target: integer labels t (batch, ...).
        output: probabilities p (batch, ..., c), or logits; as in `categorical_crossentropy`.
        from_logits: whether `output` holds logits.
        axis: the axis of the classes, which must be the last.

    Returns:
        Tensor (batch, ...).

    Raises:
        ValueError: if the shapes do not fit or the axis is not the last.
    """
    require_tensors("sparse_categorical_crossentropy", target, output)
    _require_last_axis("sparse_categorical_crossentropy", output, axis)
    if from_logits:
        return by_rows("sparse_softmax_crossentropy", output, target, True)
    return by_rows("sparse_categorical_crossentropy", output, target, False, epsilon=config.epsilon())


def _require_last_axis(op: str, output: Tensor, axis: int) -> None:
    rank = len(output.dims)
    require(axis in (-1, rank - 1) and rank >= 2, op, f"the classes must lie on the last axis: `axis` is {axis}")
