"""The circle loss of embeddings: those of one label shall be near each other, and far from those of others."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd import ops
from fastgd.losses.loss import Loss
from fastgd.ops.builder import Dims, Tensor, show_dims
from fastgd.ops.eager import works_on_arrays
from fastgd.utils.checks import check_bool, check_real
from fastgd.utils.errors import invalid
from fastgd.utils.targets import as_labels

# Labels are compared as numbers of the plan's type; float32 tells all integers up to here apart.
MOST_LABELS = 2**24


class Circle(Loss):
    """`log(1 + sum(e^(g w_p (d_p - m))) sum(e^(g w_n (1 - m - d_n))))` for each sample of a batch, with labels.

    The first sum runs over the samples p of the same label, the second over the samples n of another one. The distances
    are `d = max(1 - cosine, 0)` for embeddings of length 1, and the weights `w_p = m + d_p` and `w_n = 1 + m - d_n`, at
    least 0: what is far from where it should be weighs more. A sample without any p or any n has the loss 0 and does
    not count in a mean. The loss of a sample hangs on the whole batch.

    Args:
        gamma: g, the scale of the exponents.
        margin: m, the distance at which both kinds of sample are near enough.
        remove_diagonal: whether a sample is no p of its own.
        reduction: as in `Loss`.
        name: the name.
        dtype: as in `Loss`.

    Example:
        >>> model = fastgd.Sequential([fastgd.Input((8,)), fastgd.layers.Dense(3), fastgd.layers.UnitNormalization()])
        >>> model.compile("adam", fastgd.losses.Circle())

    Source: Sun and others, Circle loss: A unified perspective of pair similarity optimization, CVPR 2020.
    """

    sparse = True

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str = "circle",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.gamma = check_real("gamma", gamma)
        self.margin = check_real("margin", margin)
        self.remove_diagonal = check_bool("remove_diagonal", remove_diagonal)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of every sample: of arrays an array, of tensors a tensor."""
        if not isinstance(y_pred, Tensor):
            return self.values(y_true, y_pred)
        return _circle(y_true, y_pred, y_true, y_pred, self.remove_diagonal, self.gamma, self.margin)

    def target_dims(self, dims: Dims) -> Dims:
        """Return the shape of the labels: one for each sample."""
        if len(dims) != 2:
            raise invalid(f"The loss {self.name!r} takes embeddings (batch, size).", shape=show_dims(dims))
        return dims[:1]

    def label_limit(self, dims: Dims) -> int:
        """Return what labels must stay below."""
        return MOST_LABELS

    def share(self, v: Tensor, t: Tensor) -> Tensor | None:
        """Return 1 for a sample that counts, 0 for one whose loss is 0."""
        y: Tensor = ops.greater(v, 0.0)
        return y

    def _valid(self, y_true: Any, values: Any) -> Any:
        return values > 0

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        own = {"gamma": self.gamma, "margin": self.margin, "remove_diagonal": self.remove_diagonal}
        return {**super().get_config(), **own}


def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """Return the circle loss of each of the embeddings `y_pred`, as `Circle` has it.

    Args:
        y_true: their labels, integers (n,).
        y_pred: embeddings of length 1, (n, size).
        ref_labels: the labels (k,) of other embeddings that they are compared with; None compares them with each other.
        ref_embeddings: these embeddings (k, size).
        remove_diagonal: whether embedding i is not compared with embedding i of the others.
        gamma: as in `Circle`.
        margin: as in `Circle`.

    Returns:
        Tensor or array (n,).
    """
    labels = [y_true, y_true if ref_labels is None else ref_labels]
    if not any(isinstance(t, Tensor) for t in labels):
        labels = [as_labels(np.asarray(t).reshape(-1), MOST_LABELS, "y_true") for t in labels]
    others = y_pred if ref_embeddings is None else ref_embeddings
    return _circle(labels[0], y_pred, labels[1], others, remove_diagonal, gamma, margin)


@works_on_arrays("t", "p", "ref_t", "ref_p", labels=("t", "ref_t"), batch=False)
def _circle(
    t: Tensor, p: Tensor, ref_t: Tensor, ref_p: Tensor, remove_diagonal: bool, gamma: float, margin: float
) -> Tensor:
    """Emit the loss of the embeddings p with labels t among others."""
    distance = ops.maximum(ops.subtract(1.0, ops.matmul(p, ops.transpose(ref_p))), 0.0)
    rows, columns = ops.expand_dims(ops.add(t, 0.0), 1), ops.expand_dims(ops.add(ref_t, 0.0), 0)
    alike = ops.equal(rows, columns)
    other = ops.logical_not(alike)
    if remove_diagonal:
        # The numbers of the samples, which no plan knows otherwise: the batch may have any size.
        down, across = (ops.cumsum(ops.ones_like(x), k) for k, x in enumerate((rows, columns)))
        alike = ops.logical_and(alike, ops.not_equal(down, across))
    near = ops.multiply(ops.maximum(ops.add(distance, margin), 0.0), ops.subtract(distance, margin))
    far = ops.multiply(ops.maximum(ops.subtract(1.0 + margin, distance), 0.0), ops.subtract(1.0 - margin, distance))
    total = ops.add(*(_log_sum(which, ops.multiply(x, gamma)) for which, x in ((alike, near), (other, far))))
    return ops.softplus(total)


def _log_sum(which: Tensor, x: Tensor) -> Tensor:
    """Return the logarithm of the sum of e^x along the rows, over those that are meant."""
    return ops.logsumexp(ops.where(which, x, -np.inf), axis=1)
