"""Attention with several heads, each of which sees the sequence through projections of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastgd.layers.headed_attention import HeadedAttention
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid


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
