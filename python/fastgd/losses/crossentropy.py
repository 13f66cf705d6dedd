"""Losses of probabilities or of logits: binary and categorical cross-entropies, plain and focal, and with labels."""

from __future__ import annotations

from typing import Any, ClassVar

from fastgd import config, ops
from fastgd.losses.loss import Loss, NativeLoss
from fastgd.ops import losses as emit
from fastgd.ops.builder import Tensor
from fastgd.utils.checks import check_bool, check_int, check_last_axis, check_real
from fastgd.utils.errors import invalid


class _Crossentropy(NativeLoss, abstract=True):
    """What the cross-entropies share: predictions may be logits, targets may be smoothed.

    Attributes:
        from_logits_op: the op that takes logits.
    """

    from_logits_op: ClassVar[str]

    def __init__(
        self,
        from_logits: bool,
        label_smoothing: float,
        axis: int,
        reduction: str | None,
        name: str,
        dtype: str | None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits = check_bool("from_logits", from_logits)
        self.label_smoothing = check_real("label_smoothing", label_smoothing, 0.0, 1.0)
        self.axis = check_last_axis(axis)

    def attrs(self) -> dict[str, Any]:
        """Return the attributes of the op that takes probabilities."""
        return {**self.logit_attrs(), "epsilon": config.epsilon()}

    def logit_attrs(self) -> dict[str, Any]:
        """Return the attributes of the op that takes logits."""
        return {"label_smoothing": self.label_smoothing}

    def lower_logits(self, z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Emit the loss per sample and the probabilities."""
        return emit.with_probabilities(self.from_logits_op, z, t, **self.logit_attrs())

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        own = {"from_logits": self.from_logits, "label_smoothing": self.label_smoothing, "axis": self.axis}
        return {**own, **super().get_config()}


class BinaryCrossentropy(_Crossentropy):
    """The mean of `-(t log p + (1 - t) log(1 - p))` for targets t from 0 to 1.

    Args:
        from_logits: whether predictions are logits z, with `p = sigmoid(z)`, instead of probabilities p.
        label_smoothing: s in `t (1 - s) + s / 2`, which takes the place of t.
        axis: the axis of the mean that comes first, which must be the last.
        reduction: as in `Loss`.
        name: the name.
        dtype: as in `Loss`.

    Example:
        >>> fastgd.losses.BinaryCrossentropy()([[1.0], [0.0]], [[0.5], [0.5]])
        0.6931471824645996
    """

    link = "sigmoid"
    from_logits_op = "sigmoid_crossentropy"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)


class CategoricalCrossentropy(_Crossentropy):
    """The mean of `-sum(t log p)` over the c classes of the last axis, for one-hot targets t.

    Args:
        from_logits: whether predictions are logits z, with `p = softmax(z)`, instead of probabilities p.
        label_smoothing: s in `t (1 - s) + s / c`, which takes the place of t.
        axis: the axis of the classes, which must be the last.
        reduction: as in `Loss`.
        name: the name.
        dtype: as in `Loss`.
    """

    link = "softmax"
    from_logits_op = "softmax_crossentropy"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)


class SparseCategoricalCrossentropy(_Crossentropy):
    """The mean of `-log p[t]` for integer labels t of the classes of the last axis.

    Args:
        from_logits: whether predictions are logits z, with `p = softmax(z)`, instead of probabilities p.
        ignore_class: a label that does not count: its loss is 0, and a mean is over the others. None if all count.
        reduction: as in `Loss`.
        axis: the axis of the classes, which must be the last.
        name: the name.
        dtype: as in `Loss`.
    """

    sparse = True
    link = "softmax"
    from_logits_op = "sparse_softmax_crossentropy"

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(from_logits, 0.0, axis, reduction, name, dtype)
        self.ignore_class = None if ignore_class is None else check_int("ignore_class", ignore_class, -(2**31))

    def logit_attrs(self) -> dict[str, Any]:
        """Return the attributes of the op that takes logits."""
        return {} if self.ignore_class is None else {"ignore_class": self.ignore_class}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        inherited = {key: value for key, value in super().get_config().items() if key != "label_smoothing"}
        return {"ignore_class": self.ignore_class, **inherited}


class CategoricalGeneralizedCrossEntropy(Loss):
    """The mean of `(1 - p[t]^q) / q` for integer labels t of the classes of the last axis.

    For q near 0 that is the cross-entropy, for q near 1 the absolute error, which wrong labels disturb less.

    Args:
        q: from 0 to 1, both excluded.
        reduction: as in `Loss`.
        name: the name.
        dtype: as in `Loss`.

    Raises:
        ValueError: if q is out of range.

    Example:
        >>> fastgd.losses.CategoricalGeneralizedCrossEntropy()([0, 1], [[0.25, 0.75], [0.0, 1.0]])
        0.5

    Source: Zhang, Sabuncu, Generalized cross entropy loss for training deep neural networks with noisy labels,
    NeurIPS 2018.
    """

    sparse = True

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_generalized_cross_entropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name, reduction, dtype)
        self.q = check_real("q", q)
        if not 0.0 < self.q < 1.0:
            raise invalid("`q` must lie between 0 and 1.", q=q)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of every row of the last axis: of arrays an array, of tensors a tensor."""
        if not isinstance(y_pred, Tensor):
            return self.values(y_true, y_pred)
        own = ops.squeeze(ops.take_along_axis(y_pred, ops.expand_dims(y_true, -1), -1), -1)
        return ops.divide(ops.subtract(1.0, ops.power(own, self.q)), self.q)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {**super().get_config(), "q": self.q}


class _Focal(_Crossentropy, abstract=True):
    """What the focal losses share: well predicted samples weigh less.

    They have no form of their own for logits: these go through the activation first, as in Keras.
    """

    activation: ClassVar[str]

    def __init__(self, alpha: float, gamma: float, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.alpha = check_real("alpha", alpha)
        self.gamma = check_real("gamma", gamma, 0.0)

    def lower_logits(self, z: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Emit the loss per sample and the probabilities."""
        p = ops.activation(z, self.activation)
        return self.lower(p, t), p

    def attrs(self) -> dict[str, Any]:
        """Return the attributes of the op."""
        return {**super().attrs(), "alpha": self.alpha, "gamma": self.gamma}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"alpha": self.alpha, "gamma": self.gamma, **super().get_config()}


class BinaryFocalCrossentropy(_Focal):
    """The mean of `(1 - q)^gamma` times the binary cross-entropy, q being the probability of the right class.

    Args:
        apply_class_balancing: whether to weigh class 1 with alpha and class 0 with 1 - alpha.
        alpha: that weight.
        gamma: how much less what is predicted well weighs.
        from_logits: whether predictions are logits.
        label_smoothing: s in `t (1 - s) + s / 2`, which takes the place of t.
        axis: the axis of the mean that comes first, which must be the last.
        reduction: as in `Loss`.
        name: the name.
        dtype: as in `Loss`.

    Source: Lin and others, Focal loss for dense object detection, ICCV 2017.
    """

    activation = "sigmoid"

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_focal_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(alpha, gamma, from_logits, label_smoothing, axis, reduction, name, dtype)
        self.apply_class_balancing = check_bool("apply_class_balancing", apply_class_balancing)

    def attrs(self) -> dict[str, Any]:
        """Return the attributes of the op."""
        return {**super().attrs(), "apply_class_balancing": self.apply_class_balancing}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like object."""
        return {"apply_class_balancing": self.apply_class_balancing, **super().get_config()}


class CategoricalFocalCrossentropy(_Focal):
    """The mean of `-sum(alpha (1 - p)^gamma t log p)` over the c classes of the last axis.

    Args:
        alpha: the weight of all classes.
        gamma: how much less what is predicted well weighs.
        from_logits: whether predictions are logits.
        label_smoothing: s in `t (1 - s) + s / c`, which takes the place of t.
        axis: the axis of the classes, which must be the last.
        reduction: as in `Loss`.
        name: the name.
        dtype: as in `Loss`.

    Source: Lin and others, Focal loss for dense object detection, ICCV 2017.
    """

    activation = "softmax"

    def __init__(
        self,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_focal_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(alpha, gamma, from_logits, label_smoothing, axis, reduction, name, dtype)
