"""The entrance of a model: `Input` and its layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastgd.layers.graph import INTEGER, KerasTensor, Node
from fastgd.layers.layer import Layer
from fastgd.ops.builder import to_dims
from fastgd.utils.checks import check_int, check_sample_shape, is_integer_dtype
from fastgd.utils.errors import invalid
from fastgd.utils.naming import automatic_name


class InputLayer(Layer):
    """The layer behind `Input`: it has a placeholder as its output and does nothing.

    Args:
        shape: the shape of one sample, without the batch.
        dtype: as in `Input`.
        name: as in `Layer`.
        batch_size: as in `Input`.
    """

    def __init__(
        self, shape: Sequence[int], dtype: Any = None, name: str | None = None, batch_size: int | None = None
    ) -> None:
        if dtype in ("string", str):
            raise invalid(
                "A model holds no strings: apply TextVectorization, StringLookup or Hashing to the data first, and let "
                "the model begin with an Input for their results.",
                dtype=dtype,
            )
        # The type of the placeholder alone: layers, which compute, have floating ones.
        self.holds_integers = is_integer_dtype(dtype)
        super().__init__(name=name or automatic_name("input_layer"), dtype=None if self.holds_integers else dtype)
        self.sample_shape = check_sample_shape("shape", shape)
        self.batch_size = None if batch_size is None else check_int("batch_size", batch_size, 1)
        self.built = True
        node = Node(self, [])
        kind = INTEGER if self.holds_integers else self.dtype
        node.outputs = KerasTensor(to_dims((None, *self.sample_shape)), kind, node, self.name)
        self._nodes.append(node)

    def call(self, inputs: Any) -> Any:
        """Return the inputs."""
        return inputs

    def hold_integers(self) -> None:
        """Hold integers, unless a floating dtype was asked for."""
        if self._given_dtype is None:
            self.holds_integers = True
            self.output.dtype = INTEGER

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        dtype = INTEGER if self.holds_integers else self._given_dtype
        size = {} if self.batch_size is None else {"batch_size": self.batch_size}
        return {"shape": self.sample_shape, "dtype": dtype, "name": self.name, **size}


def Input(  # noqa: N802 - Keras' name
    shape: Sequence[int] | None = None,
    batch_size: int | None = None,
    dtype: Any = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
) -> KerasTensor:
    """Return a placeholder with which a model begins.

    Args:
        shape: the shape of one sample, without the batch.
        batch_size: the size of all batches, which stateful layers need to know; None for any. Nothing else hangs on it.
        dtype: "float32" or "float64", the type that the model computes in; arrays of any type may be fed. "int32" is
            for layers that take labels or indices: arrays fed must hold integers of 32 bits. All other integer types
            mean the same. None is the floating type of the model, or "int32" where an Embedding or another layer that
            takes integers is called on the placeholder.
        batch_shape: `batch_size` and the shape of one sample, instead of both.
        name: the name of the input, by which arrays may be given in a dict.

    Returns:
        The placeholder, to call layers on.

    Raises:
        ValueError: unless exactly one of `shape` and `batch_shape` is given, or if the size is not positive.

    Example:
        >>> x = fastgd.Input(shape=(784,))
        >>> y = fastgd.layers.Dense(10, activation="softmax")(x)
        >>> model = fastgd.Model(x, y)
    """
    if batch_shape is not None:
        if shape is not None or batch_size is not None:
            raise invalid("Give `shape` or `batch_shape`, not both.", shape=shape, batch_shape=batch_shape)
        if len(batch_shape) == 0:
            raise invalid("`batch_shape` must begin with the size of the batches, or None.", batch_shape=batch_shape)
        shape, batch_size = check_sample_shape("batch_shape", batch_shape[1:]), batch_shape[0]
    if shape is None:
        raise invalid("`shape` must be given: the shape of one sample, without the batch.", shape=shape)
    placeholder: KerasTensor = InputLayer(shape, dtype, name, batch_size).output
    return placeholder
