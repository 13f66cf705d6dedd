"""The layer that looks up vectors of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd import constraints, initializers, ops, regularizers
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_bool, check_int
from fastgd.utils.errors import invalid
from fastgd.utils.registry import to_config


class Embedding(Layer):
    """`y = embeddings[x]`: a trained vector for each integer.

    Vectors of integers that a batch has not have the gradient 0, so that Adam and momentum go on moving them, as dense
    updates do in Keras. The gradient never stands in memory: where nothing needs it as a whole, as clipping by norm
    does, rows are updated as they come.

    Args:
        input_dim: the number of integers: they go from 0 to `input_dim - 1`.
        output_dim: the size of a vector.
        embeddings_initializer: the initial vectors, of shape (input_dim, output_dim).
        embeddings_regularizer: the penalty on all vectors: a name, a config, a Regularizer or a function.
        embeddings_constraint: what all vectors go through after each update: a name, a config, a Constraint or a
            function.
        mask_zero: whether 0 stands for padding, which layers that know masks then skip.
        weights: initial vectors, in place of the initializer's: an array (input_dim, output_dim), or a list of one.
        **kwargs: those of `Layer`.

    Shapes:
        x (batch, ...), integers, gives y (batch, ..., output_dim).

    Raises:
        ValueError: if a size is not positive or `weights` has another shape; in calls, if an integer is out of range.

    Example:
        >>> fastgd.layers.Embedding(10_000, 64, mask_zero=True)
    """

    integer_inputs = True
    embeddings: Variable

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.input_dim = check_int("input_dim", input_dim, 1)
        self.output_dim = check_int("output_dim", output_dim, 1)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = check_bool("mask_zero", mask_zero)
        if weights is not None:
            self.build(None)
            [value] = weights if isinstance(weights, (list, tuple)) and len(weights) == 1 else [weights]
            value = np.asarray(value)
            if value.shape != (self.input_dim, self.output_dim):
                raise invalid(
                    f"`weights` must have the shape {(self.input_dim, self.output_dim)}.", weights=value.shape
                )
            self.embeddings.assign(value)

    @property
    def index_limit(self) -> int:
        """What the integers must stay below."""
        return self.input_dim

    def build(self, input_shape: Any) -> None:
        """Make the vectors."""
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
        )
        super().build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        """Emit the step."""
        return ops.embedding(inputs, self.embeddings)

    def compute_mask(self, inputs: Tensor, previous_mask: Any = None) -> Tensor | None:
        """Return 1 where the integer is not 0, None without `mask_zero`."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": to_config(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
        }
