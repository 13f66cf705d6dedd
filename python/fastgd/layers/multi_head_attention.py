"""Attention with several heads, each of which sees the sequence through projections of its own."""

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


class MultiHeadAttention(HeadedAttention):
    """Attention in several heads: `y = concat(softmax(q k' / sqrt(key_dim)) v) output`, with projections q, k and v.

    Args:
        num_heads: the number of heads.
        key_dim: the size of a head of queries and keys.
        value_dim: the size of a head of values; `key_dim` if None.
        dropout: the share of weights that are set to zero in training, from 0 to 1.
        use_bias: whether the projections have biases.
        output_shape: the size of the last axis of y, or the sizes of several; that of the query's if None.
        attention_axes: the axis over which steps see one another: 1, or None.
        sliding_window: how far a query sees: the keys less than so many steps away; None for all.
        kernel_initializer: the initial kernel of each projection.
        bias_initializer: the initial bias of each.
        kernel_regularizer: the penalty on each kernel: a name, a config, a Regularizer or a function.
        bias_regularizer: the same for the biases.
        activity_regularizer: the penalty on what each projection gives, y among them, divided by the batch size.
        kernel_constraint: what each kernel goes through after each update: a name, a config, a Constraint or a
            function.
        bias_constraint: the same for the biases.
        use_gate: whether a further projection of the query through a sigmoid multiplies what the heads give.
        seed: that of the dropout, from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        **kwargs: those of `Layer`.

    Call arguments:
        query, value, key: tensors as below; the value is the key if there is none.
        query_mask, value_mask, key_mask: (batch, steps), 0 where a step is padding; those that the inputs carry if they
            are not given.
        attention_mask: (batch, queries, keys), (queries, keys) or (batch, heads, queries, keys), 0 where a key is not
            seen. All masks hold together; a query that sees nothing gets zeros from the heads.
        return_attention_scores: whether to return the weights before dropout too.
        use_causal_mask: whether query i sees the keys 0 to i only.

    Shapes:
        query (batch, queries, d), value (batch, keys, e) and key (batch, keys, f) give y (batch, queries, d), and the
        weights (batch, num_heads, queries, keys). Kernels: (d, num_heads, key_dim), (f, num_heads, key_dim), (e,
        num_heads, value_dim) and (num_heads, value_dim, d).

    Raises:
        ValueError: if a size is not positive, or inputs do not fit.

    Example:
        >>> y = fastgd.layers.MultiHeadAttention(num_heads=4, key_dim=32)(x, x, use_causal_mask=True)

    Source:
        Vaswani and others, Attention is all you need, NIPS 2017.
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: int | Sequence[int] | None = None,
        attention_axes: int | Sequence[int] | None = None,
        sliding_window: int | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.num_heads = check_int("num_heads", num_heads, 1)
        self.key_dim = check_int("key_dim", key_dim, 1)
        self.value_dim = self.key_dim if value_dim is None else check_int("value_dim", value_dim, 1)
        if attention_axes not in (None, 1, (1,), [1]):
            raise invalid("`attention_axes` must be 1 or None.", attention_axes=attention_axes)
        sizes = output_shape if isinstance(output_shape, (list, tuple)) else (output_shape,)
        made = None if output_shape is None else tuple(check_int("output_shape", size, 1) for size in sizes)
        super().__init__(
            (self.num_heads, self.num_heads), self.key_dim, self.value_dim, made, dropout, use_bias, sliding_window,
            kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, use_gate, seed, **kwargs,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        own = {"num_heads": self.num_heads, "key_dim": self.key_dim, "value_dim": self.value_dim}
        return {**super().get_config(), **own, "output_shape": self._made, "attention_axes": (1,)}


class GroupQueryAttention(HeadedAttention):
    """Attention in several heads, of which neighbouring ones share their keys and values.

    Args:
        head_dim: the size of a head.
        num_query_heads: the number of heads of queries.
        num_key_value_heads: that of keys and values, which divides it.
        dropout: the share of weights that are set to zero in training, from 0 to 1.
        use_bias: whether the projections have biases.
        sliding_window: how far a query sees: the keys less than so many steps away; None for all.
        kernel_initializer: the initial kernel of each projection.
        bias_initializer: the initial bias of each.
        kernel_regularizer: the penalty on each kernel: a name, a config, a Regularizer or a function.
        bias_regularizer: the same for the biases.
        activity_regularizer: the penalty on what each projection gives, y among them, divided by the batch size.
        kernel_constraint: what each kernel goes through after each update: a name, a config, a Constraint or a
            function.
        bias_constraint: the same for the biases.
        use_gate: whether a further projection of the query through a sigmoid multiplies what the heads give.
        seed: that of the dropout, from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        **kwargs: those of `Layer`.

    Call arguments:
        query, value, key: tensors as below; the value is the key if there is none.
        query_mask, value_mask, key_mask: (batch, steps), 0 where a step is padding; those that the inputs carry if they
            are not given.
        attention_mask: (batch, queries, keys), (queries, keys) or (batch, heads, queries, keys), 0 where a key is not
            seen. All masks hold together; a query that sees nothing gets zeros from the heads.
        return_attention_scores: whether to return the weights before dropout too.
        use_causal_mask: whether query i sees the keys 0 to i only.

    Shapes:
        query (batch, queries, d), value (batch, keys, e) and key (batch, keys, f) give y (batch, queries, d), and the
        weights (batch, num_query_heads, queries, keys).

    Raises:
        ValueError: if a size is not positive, the heads cannot be shared evenly, or inputs do not fit.

    Example:
        >>> y = fastgd.layers.GroupQueryAttention(head_dim=32, num_query_heads=8, num_key_value_heads=2)(x, x)

    Source:
        Ainslie and others, GQA: Training generalized multi-query transformer models, EMNLP 2023.
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.head_dim = check_int("head_dim", head_dim, 1)
        self.num_query_heads = check_int("num_query_heads", num_query_heads, 1)
        self.num_key_value_heads = check_int("num_key_value_heads", num_key_value_heads, 1)
        if self.num_query_heads % self.num_key_value_heads:
            raise invalid(
                f"`num_key_value_heads` must divide `num_query_heads`, {num_query_heads}.",
                num_key_value_heads=num_key_value_heads,
            )
        super().__init__(
            (self.num_query_heads, self.num_key_value_heads), self.head_dim, self.head_dim, None, dropout, use_bias,
            sliding_window, kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer,
            activity_regularizer, kernel_constraint, bias_constraint, use_gate, seed, **kwargs,
        )  # fmt: skip

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        heads = {"num_query_heads": self.num_query_heads, "num_key_value_heads": self.num_key_value_heads}
        return {**super().get_config(), "head_dim": self.head_dim, **heads}


def _flat(x: Tensor) -> Tensor:
    """Return x (batch, steps, heads, size) as (batch, steps, heads size)."""
    return view(x, (*x.dims[:2], prod(x.dims[2:])))
