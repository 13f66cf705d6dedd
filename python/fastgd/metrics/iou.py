"""Intersection over union of predicted and true regions, from a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgd import config
from fastgd.metrics.base import Array, Metric, Totals
from fastgd.ops.builder import Dims, Tensor
from fastgd.ops.metric_columns import class_pairs
from fastgd.utils.checks import check_bool, check_int, check_real
from fastgd.utils.errors import invalid


class IoU(Metric):
    """The mean over some classes of `true positives / (true positives + false positives + false negatives)`.

    Classes that appear neither in the targets nor in the predictions are left out of the mean. Weights of samples are
    counted as they are, not rounded to integers.

    Args:
        num_classes: how many classes there are; pairs with a class outside of them do not count.
        target_class_ids: the classes whose mean is taken.
        name: the name.
        ignore_class: a class of the targets, such as 255 for the edges in images, that does not count; None for none.
        sparse_y_true: whether targets are numbers of classes, or else one-hot along the last axis.
        sparse_y_pred: whether predictions are numbers of classes, or else scores along the last axis, whose largest is
            taken.
        axis: -1, the last, for the classes.
    """

    _direction = "up"
    _p_form: str | None = None
    _threshold: float = 0.5
    _config_keys: tuple[str, ...] = (
        "num_classes", "target_class_ids", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis",
    )  # fmt: skip

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name)
        self.num_classes = check_int("num_classes", num_classes, 1)
        self.target_class_ids = [check_int("target_class_ids", label, 0) for label in target_class_ids]
        if not self.target_class_ids or max(self.target_class_ids) >= self.num_classes:
            message = f"`target_class_ids` must hold classes from 0 to {self.num_classes - 1}."
            raise invalid(message, target_class_ids=target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true = check_bool("sparse_y_true", sparse_y_true)
        self.sparse_y_pred = check_bool("sparse_y_pred", sparse_y_pred)
        if axis != -1:
            raise invalid("`axis` must be -1: classes lie along the last axis.", axis=axis)
        self.axis = axis
        # Numbers of classes against scores lack the axis of the classes.
        self.sparse = self.sparse_y_true and not self.sparse_y_pred

    def lower(self, p: Tensor, t: Tensor) -> Tensor:
        """Emit the cells of the confusion matrix per sample."""
        p_form = self._p_form or ("label" if self.sparse_y_pred else "one_hot")
        t_form = "label" if self.sparse_y_true else "one_hot"
        return class_pairs(p, t, self.num_classes, self.ignore_class, p_form, t_form, self._threshold)

    def columns(self, dims: Dims) -> int:
        """Return one sum per cell of the confusion matrix."""
        return self.num_classes**2

    def target_dims(self, dims: Dims) -> Dims:
        """Return the shape that targets must have for predictions of shape `dims`."""
        if self.sparse_y_pred and not self.sparse_y_true:
            return (*dims, self.num_classes)
        return super().target_dims(dims)

    def combine(self, totals: Totals) -> float | Array:
        """Return the mean over the classes."""
        matrix = totals.columns.reshape(self.num_classes, self.num_classes)
        both = np.diag(matrix)
        either = matrix.sum(axis=0) + matrix.sum(axis=1) - both
        chosen = [label for label in self.target_class_ids if either[label] > 1e-9]
        epsilon = config.epsilon()
        return float(np.sum(both[chosen] / (either[chosen] + epsilon)) / (len(chosen) + epsilon))

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), **{key: getattr(self, key) for key in self._config_keys}}

    def _labels(self, t: Array, p: Array) -> Array:
        # A label outside of the classes does not count, so that it is no error either.
        return t.astype(np.int32)


class BinaryIoU(IoU):
    """The mean of the intersections over unions of the classes `y_pred >= threshold`, 1, and else, 0.

    Args:
        target_class_ids: the classes whose mean is taken: of 0 and 1.
        threshold: from where on a prediction means class 1.
        name: the name.
    """

    _p_form = "threshold"
    _config_keys: tuple[str, ...] = ("target_class_ids", "threshold")

    def __init__(
        self, target_class_ids: Sequence[int] = (0, 1), threshold: float = 0.5, name: str | None = None
    ) -> None:
        super().__init__(2, target_class_ids, name)
        self.threshold = self._threshold = check_real("threshold", threshold)


class MeanIoU(IoU):
    """The mean over all classes; the arguments are those of IoU."""

    _config_keys: tuple[str, ...] = ("num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        classes = range(check_int("num_classes", num_classes, 1))
        super().__init__(num_classes, classes, name, ignore_class, sparse_y_true, sparse_y_pred, axis)


class OneHotIoU(IoU):
    """The same for one-hot targets; the arguments are those of IoU."""

    _config_keys: tuple[str, ...] = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, target_class_ids, name, ignore_class, False, sparse_y_pred, axis)


class OneHotMeanIoU(MeanIoU):
    """The mean over all classes for one-hot targets; the arguments are those of IoU."""

    _config_keys: tuple[str, ...] = ("num_classes", "ignore_class", "sparse_y_pred", "axis")

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(num_classes, name, ignore_class, False, sparse_y_pred, axis)
