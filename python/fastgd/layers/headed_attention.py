"""What the layers of attention with several heads share: projections, masks, one step for all heads."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from fastgd import constraints, initializers, ops, regularizers
from fastgd.layers.einsum_dense import EinsumDense
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.ops.operands import as_tensor
from fastgd.ops.shaping import view
from fastgd.utils.checks import check_bool, check_int, check_real, check_seed
from fastgd.utils.errors import invalid
from fastgd.utils.registry import to_config
from fastgd.utils.seeds import draw_seed


class HeadedAttention(Layer, abstract=True):
    """Base of `y = (softmax(q k' / sqrt(key_dim)) v) output`, with q, k and v projections of the inputs for each head.

    Args:
        heads: the numbers of heads of the queries, and of keys and values.
        key_dim: the size of a head of queries and keys.
        value_dim: the size of a head of values.
        made: the sizes of the last axes of y; None for those of the query.
        dropout: the share of weights that are set to zero in training.
        use_bias: whether the projections have biases.
        sliding_window: the steps that are seen: those less than so many away; None for all.
        kernel_initializer: the initial kernels.
        bias_initializer: the initial biases.
        kernel_regularizer: the penalty on each kernel.
        bias_regularizer: the penalty on each bias.
        activity_regularizer: the penalty on what each projection gives, y among them.
        kernel_constraint: what each kernel goes through after each update.
        bias_constraint: the same for each bias.
        use_gate: whether a projection of the query through a sigmoid multiplies what the heads give.
        seed: that of the dropout.
        **kwargs: those of `Layer`.
    """

    supports_masking = True
    gate_dense: EinsumDense

    def __init__(
        self,
        heads: tuple[int, int],
        key_dim: int,
        value_dim: int,
        made: tuple[int, ...] | None,
        dropout: float,
        use_bias: bool,
        sliding_window: int | None,
        kernel_initializer: Any,
        bias_initializer: Any,
        kernel_regularizer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        kernel_constraint: Any,
        bias_constraint: Any,
        use_gate: bool,
        seed: int | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        # The projections have it, the last of which makes y.
        self._penalty = regularizers.get(activity_regularizer)
        self._heads, self._key_size, self._value_size, self._made = heads, key_dim, value_dim, made
        self.dropout = check_real("dropout", dropout, 0.0, 1.0)
        self.use_bias = check_bool("use_bias", use_bias)
        self.sliding_window = None if sliding_window is None else check_int("sliding_window", sliding_window, 1)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.use_gate = check_bool("use_gate", use_gate)
        self.seed = check_seed("seed", seed)
        self._drawn = draw_seed() if self.seed is None else self.seed

    def build(self, query_shape: Any, value_shape: Any, key_shape: Any = None) -> None:
        """Make the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        shapes = query_shape, value_shape, key_shape
        if any(len(shape) != 3 or None in shape[1:] for shape in shapes) or value_shape[1] != key_shape[1]:
            raise invalid(
                f"The layer {self.name!r} takes a query (batch, queries, features), a value and a key (batch, keys, "
                "features) of equal lengths.",
                query_shape=query_shape,
                value_shape=value_shape,
                key_shape=key_shape,
            )
        heads, groups = self._heads
        self.query_dense = self._projection("query", query_shape, (heads, self._key_size))
        self.key_dense = self._projection("key", key_shape, (groups, self._key_size))
        if self.use_gate:
            self.gate_dense = self._projection("gate", query_shape, (heads, self._value_size), "sigmoid")
        self.value_dense = self._projection("value", value_shape, (groups, self._value_size))
        shape = (*query_shape[:2], heads, self._value_size)
        self.output_dense = self._projection("attention_output", shape, self._made or (query_shape[2],))
        super().build(query_shape)

    def _projection(
        self, name: str, shape: Sequence[int | None], sizes: tuple[int, ...], activation: str | None = None
    ) -> EinsumDense:
        """Return a layer, built, that makes axes of some sizes of all but the first two axes of its input."""
        summed, made = "cdefghij"[: len(shape) - 2], "klmnopqr"[: len(sizes)]
        layer = EinsumDense(
            f"ab{summed},{summed}{made}->ab{made}",
            (None, *sizes),
            activation,
            made if self.use_bias else None,
            self.kernel_initializer,
            self.bias_initializer,
            self.kernel_regularizer,
            self.bias_regularizer,
            self._penalty,
            self.kernel_constraint,
            self.bias_constraint,
            name=name,
            dtype=self.dtype,
        )
        layer.ensure_built((-1, *shape[1:]), self.dtype)
        return layer

    def call(
        self,
        query: Tensor,
        value: Tensor,
        key: Tensor | None = None,
        query_mask: Tensor | None = None,
        value_mask: Tensor | None = None,
        key_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        return_attention_scores: bool = False,
        training: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Emit the projections, which are products with matrices, and one step for all heads."""
        heads, groups = self._heads
        steps = query.dims[1]
        seen = self._seen(query, value, query_mask, value_mask, key_mask, attention_mask)
        q, k, v = (
            _flat(layer(x))
            for layer, x in (
                (self.query_dense, query),
                (self.key_dense, value if key is None else key),
                (self.value_dense, value),
            )
        )
        rate = self.dropout if training else 0.0
        y, weights = ops.attention(
            q, k, v, heads, seen, use_causal_mask, self._key_size**-0.5, rate, self._drawn if rate else 0, groups
        )
        if self.use_gate:
            y = ops.multiply(y, _flat(self.gate_dense(query)))
        y = self.output_dense(view(y, (y.dims[0], steps, heads, self._value_size)))
        return (y, weights) if return_attention_scores else y

    def _seen(
        self,
        query: Tensor,
        value: Tensor,
        query_mask: Tensor | None,
        value_mask: Tensor | None,
        key_mask: Tensor | None,
        attention_mask: Tensor | None,
    ) -> Tensor | None:
        """Return which keys each query sees as (batch or 1, heads or 1, queries or 1, keys or 1), None for all."""
        parts = [None if query_mask is None else ops.expand_dims(query_mask, (1, 3))]
        parts += [None if mask is None else ops.expand_dims(mask, (1, 2)) for mask in (value_mask, key_mask)]
        if attention_mask is not None:
            # For all samples, for each, or for each and each head.
            axes = {2: (0, 1), 3: (1,)}.get(len(attention_mask.dims))
            parts.append(attention_mask if axes is None else ops.expand_dims(attention_mask, axes))
        if self.sliding_window is not None:
            apart = np.arange(query.dims[1])[:, None] - np.arange(value.dims[1])
            parts.append(as_tensor("mask", (abs(apart) < self.sliding_window)[None, None], query.builder))
        seen = None
        for part in parts:
            if part is not None:
                seen = part if seen is None else ops.multiply(seen, part)
        return seen

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        return {
            **super().get_config(),
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "sliding_window": self.sliding_window,
            "kernel_initializer": to_config(self.kernel_initializer),
            "bias_initializer": to_config(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self._penalty),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "use_gate": self.use_gate,
            "seed": self.seed,
        }


def _flat(x: Tensor) -> Tensor:
    """Return x (batch, steps, heads, size) as (batch, steps, heads size)."""
    return view(x, (*x.dims[:2], prod(x.dims[2:])))
