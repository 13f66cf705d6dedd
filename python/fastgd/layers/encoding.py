"""The preprocessing layers that make categories: `Discretization` and `CategoryEncoding`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import ops
from fastgd.layers.layer import Layer
from fastgd.layers.scaling import as_batches
from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_above_zero, check_int
from fastgd.utils.errors import invalid, mistyped, unknown

Array = npt.NDArray[Any]

ENCODINGS = ("one_hot", "multi_hot", "count")


def encode(labels: Tensor, classes: int, output_mode: str) -> Tensor:
    """Emit the encoding of int32 labels (batch, ...) that the output mode names."""
    if output_mode == "one_hot":
        # Each label is a row of its own; a last axis of one label is taken for that row.
        single = len(labels.dims) > 1 and labels.dims[-1] == 1
        shape = labels.shape if single else (*labels.shape, 1)
        return ops.category_encoding(ops.reshape(labels, shape), classes)
    if len(labels.dims) != 2:
        raise invalid(f"`output_mode={output_mode!r}` needs labels of shape (batch, labels).", shape=labels.shape)
    return ops.category_encoding(labels, classes, count=output_mode == "count")


class CategoryEncoding(Layer):
    """Integer labels as vectors: one-hot, multi-hot or counts.

    Args:
        num_tokens: the number of classes; labels are from 0 to `num_tokens - 1`.
        output_mode: "one_hot", a vector per label; "multi_hot", a vector per sample with ones for its labels; "count",
            the same with how often each label occurs.
        **kwargs: those of `Layer`.

    Shapes:
        "multi_hot" and "count": x (batch, labels), integers, gives y (batch, num_tokens). "one_hot": x (batch, ...)
        gives y (batch, ..., num_tokens), a last axis of size 1 being dropped.

    Raises:
        ValueError: if `num_tokens` is missing or not positive, or the mode is unknown.

    Example:
        >>> x = fastgd.Input((3,), dtype="int32")
        >>> y = fastgd.layers.CategoryEncoding(10, output_mode="multi_hot")(x)
    """

    integer_inputs = True

    def __init__(self, num_tokens: int | None = None, output_mode: str = "multi_hot", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if num_tokens is None:
            raise invalid("`num_tokens` must be given.", num_tokens=num_tokens)
        self.num_tokens = check_int("num_tokens", num_tokens, 1)
        if output_mode not in ENCODINGS:
            raise unknown("output mode", ENCODINGS, output_mode=output_mode)
        self.output_mode = output_mode

    @property
    def index_limit(self) -> int | None:
        """The number of classes."""
        return self.num_tokens

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return encode(inputs, self.num_tokens, self.output_mode)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {**super().get_config(), "num_tokens": self.num_tokens, "output_mode": self.output_mode}


class Discretization(Layer):
    """Numbers as the bins that they fall into: `y = k` where `boundaries[k-1] <= x < boundaries[k]`.

    Args:
        bin_boundaries: the ascending boundaries, one less than there are bins.
        num_bins: how many bins `adapt` shall make, instead of the boundaries.
        epsilon: how exact `adapt` has to be: quantiles are taken from about `1 / epsilon` numbers of each batch.
        output_mode: "int", the bins as int32; "one_hot", "multi_hot" or "count" as in `CategoryEncoding`.
        **kwargs: those of `Layer`.

    Shapes:
        "int": x (batch, ...) gives y of the same shape. The others as in `CategoryEncoding`.

    Raises:
        ValueError: unless exactly one of `bin_boundaries` and `num_bins` is given.

    Example:
        >>> fastgd.layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0])
    """

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if (bin_boundaries is None) == (num_bins is None):
            raise invalid(
                "Give either `bin_boundaries` or `num_bins`.", bin_boundaries=bin_boundaries, num_bins=num_bins
            )
        self.num_bins = None if num_bins is None else check_int("num_bins", num_bins, 1)
        self.epsilon = check_above_zero("epsilon", epsilon)
        if output_mode not in ("int", *ENCODINGS):
            raise unknown("output mode", ("int", *ENCODINGS), output_mode=output_mode)
        self.output_mode = output_mode
        self.bin_boundaries = None if bin_boundaries is None else _ascending(bin_boundaries)

    def build(self, input_shape: Any) -> None:
        """Make the boundaries, which are no weights."""
        if self.bin_boundaries is None:
            raise ValueError(f"The layer {self.name!r} has no boundaries yet: call `adapt` before it is used.")
        self._boundaries = Variable(self.bin_boundaries, "bin_boundaries", self.dtype, trainable=False)
        super().build(input_shape)

    def adapt(self, data: Any) -> None:
        """Learn boundaries between which the data lie in equal shares; call it before the layer is used.

        Args:
            data: an array, a data frame, or a list of arrays.

        Raises:
            ValueError: if the boundaries were given or the layer has been used, or the data have no rows.
            TypeError: if the data are no numbers.
        """
        if self.num_bins is None:
            raise invalid("`adapt` is for a layer with `num_bins`.", bin_boundaries=self.bin_boundaries)
        if self.built:
            raise ValueError(f"The layer {self.name!r} has been used: call `adapt` before.")
        summary = np.zeros((2, 0), np.float32)
        for batch in as_batches(data):
            merged = np.concatenate([_summarize(batch, self.epsilon), summary], axis=1)
            summary = _compress(merged[:, np.argsort(merged[0])], self.epsilon)
        self.bin_boundaries = [float(value) for value in _compress(summary, 1.0 / self.num_bins)[0, :-1]]

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        bins = ops.discretize(inputs, self._boundaries)
        return bins if self.output_mode == "int" else encode(bins, self._boundaries.size + 1, self.output_mode)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {
            **super().get_config(),
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Discretization:
        """Make a layer from what `get_config` returned, with the boundaries that it had learned."""
        arguments = dict(config)
        learned = arguments.pop("bin_boundaries") if arguments.get("num_bins") is not None else None
        layer = cls(**arguments)
        if learned is not None:
            layer.bin_boundaries = _ascending(learned)
        return layer


def _ascending(boundaries: Any) -> list[float]:
    array = np.asarray(boundaries)
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise mistyped("`bin_boundaries` must be a list of numbers.", bin_boundaries=boundaries)
    if not (np.isfinite(array).all() and np.all(np.diff(array) >= 0)):
        raise invalid("`bin_boundaries` must be finite and ascend.", bin_boundaries=boundaries)
    return [float(value) for value in array]


def _summarize(values: Array, epsilon: float) -> Array:
    """Return every so many of the sorted values, and how many each stands for: about 1 / epsilon columns."""
    ordered = np.sort(values.astype(np.float32), axis=None)
    step = max(ordered.size * epsilon, 1.0)
    chosen = ordered[int(step - 1) :: int(step)]
    return np.stack([chosen, np.full_like(chosen, step)])


def _compress(summary: Array, epsilon: float) -> Array:
    """Return a summary of about 1 / epsilon columns, interpolated along the cumulated weights."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    weights = summary[1].cumsum()
    values = np.interp(shares, weights / weights[-1], summary[0])
    reached = np.interp(shares, weights / weights[-1], weights)
    return np.stack([values, np.diff(reached, prepend=0.0)]).astype(np.float32)
