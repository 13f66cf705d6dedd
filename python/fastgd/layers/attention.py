"""Attention over sequences with one head: by products, and by sums through tanh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastgd import ops
from fastgd.layers.layer import Layer
from fastgd.ops.builder import Tensor
from fastgd.ops.operands import as_tensor
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_bool, check_real, check_seed
from fastgd.utils.errors import invalid, unknown
from fastgd.utils.seeds import draw_seed

# What the score of a key that is not seen is lowered by.
_UNSEEN = 1e9


class Attention(Layer):
    """`y = softmax(scores) value`: each query takes a mean of the values, weighted by how its scores with the keys are.

    The scores are the products `query key'`, or with "concat" the sums of `tanh(query + key)` over the last axis, times
    a trained number.

    Args:
        use_scale: whether the scores ("dot"), or what tanh is taken of ("concat"), are multiplied by a trained number.
        score_mode: "dot" or "concat".
        dropout: the share of weights that are set to zero in training, from 0 to 1.
        seed: that of the dropout, from 0 to 2**64 - 1; drawn from the generator of `utils.set_random_seed` if None.
        **kwargs: those of `Layer`.

    Call arguments:
        inputs: the list [query, value] or [query, value, key]; the value is the key if there is none.
        mask: the list of the masks of query and value, (batch, steps) each or None: values at 0 get no weight, results
            at 0 of the query's are 0. Those that the inputs carry if it is not given.
        return_attention_scores: whether to return the weights too.
        use_causal_mask: whether step i of the query sees the steps 0 to i only.

    Shapes:
        query (batch, queries, d), value (batch, keys, e) and key (batch, keys, d) give y (batch, queries, e), and the
        weights (batch, queries, keys).

    Raises:
        ValueError: for an unknown mode, or inputs of other shapes.

    Example:
        >>> y = fastgd.layers.Attention(use_scale=True)([query, value])

    Source:
        Luong, Pham and Manning, Effective approaches to attention-based neural machine translation, EMNLP 2015.
    """

    supports_masking = True
    scale: Variable | None
    concat_score_weight: Variable | None

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.use_scale = check_bool("use_scale", use_scale)
        if score_mode not in ("dot", "concat"):
            raise unknown("score mode", ("dot", "concat"), score_mode=score_mode)
        self.score_mode = score_mode
        self.dropout = check_real("dropout", dropout, 0.0, 1.0)
        self.seed = check_seed("seed", seed)
        self._drawn = draw_seed() if self.seed is None else self.seed

    def build(self, input_shape: Any) -> None:
        """Make the trained numbers."""
        _check_shapes(self, input_shape)
        self.scale = self.add_weight((), "ones", name="scale") if self.use_scale else None
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")
        super().build(input_shape)

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """Emit the scores (batch, queries, keys) where they are no products."""
        together = ops.expand_dims(query, 2) + ops.expand_dims(key, 1)
        if self.scale is not None:
            together = ops.multiply(together, self.scale)
        scores: Tensor = ops.multiply(ops.sum(ops.tanh(together), axis=-1), self.concat_score_weight)
        return scores

    def call(
        self,
        inputs: Sequence[Tensor],
        mask: Any = None,
        training: bool = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """Emit one step for products, several for sums."""
        query, value, key = (*inputs, inputs[1])[:3]
        query_mask, value_mask = (None, None) if mask is None else mask[:2]
        rate = self.dropout if training else 0.0
        # The weights that the step gives are those before dropout.
        if self.score_mode == "dot" and not (rate and return_attention_scores):
            if self.scale is not None:
                query = ops.multiply(query, self.scale)
            seen = None if value_mask is None else ops.expand_dims(value_mask, (1, 2))
            y, weights = ops.attention(
                query, key, value, 1, seen, use_causal_mask, rate=rate, seed=self._drawn if rate else 0
            )
            weights = ops.squeeze(weights, 1)
        else:
            scores = self.scores(query, key) if self.score_mode == "concat" else self._products(query, key)
            weights = ops.softmax(_hide(scores, value_mask, use_causal_mask))
            if rate:
                weights = ops.dropout(weights, rate, self._drawn)
            y = ops.matmul(weights, value)
        if query_mask is not None:
            y = ops.where(ops.expand_dims(query_mask, -1), y, 0.0)
        return (y, weights) if return_attention_scores else y

    def _products(self, query: Tensor, key: Tensor) -> Tensor:
        scores = ops.matmul(query, key, transpose_b=True)
        return scores if self.scale is None else ops.multiply(scores, self.scale)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the query."""
        return None if previous_mask is None else previous_mask[0]

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        own = {"use_scale": self.use_scale, "score_mode": self.score_mode, "dropout": self.dropout, "seed": self.seed}
        return {**super().get_config(), **own}


class AdditiveAttention(Attention):
    """`y = softmax(scores) value`, the scores being `sum(scale tanh(query + key))` over the last axis.

    Args:
        use_scale: whether there is a trained scale, one number for each place of the last axis; else it is 1.
        dropout: as in `Attention`.
        **kwargs: `seed` as in `Attention`, and those of `Layer`.

    Call arguments:
        As those of `Attention`.

    Shapes:
        As those of `Attention`.

    Raises:
        ValueError: for inputs of other shapes.

    Example:
        >>> y = fastgd.layers.AdditiveAttention()([query, value])

    Source:
        Bahdanau, Cho and Bengio, Neural machine translation by jointly learning to align and translate, ICLR 2015.
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale, "concat", dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Make the scale."""
        _check_shapes(self, input_shape)
        self.scale = self.add_weight((input_shape[0][-1],), name="scale") if self.use_scale else None
        self.built = True

    def scores(self, query: Tensor, key: Tensor) -> Tensor:
        """Emit the scores (batch, queries, keys)."""
        together = ops.tanh(ops.expand_dims(query, 2) + ops.expand_dims(key, 1))
        return ops.sum(together if self.scale is None else ops.multiply(together, self.scale), axis=-1)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        config = super().get_config()
        del config["score_mode"]
        return config


def _hide(scores: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
    """Return scores that are lowered where a key is not seen."""
    seen = None if mask is None else ops.expand_dims(mask, 1)
    if causal:
        past = as_tensor("mask", np.tril(np.ones((1, *scores.dims[1:]))), scores.builder)
        seen = past if seen is None else ops.multiply(seen, past)
    return scores if seen is None else ops.where(seen, scores, scores - _UNSEEN)


def _check_shapes(layer: Layer, shapes: Any) -> None:
    """Raise a ValueError unless there are two or three inputs of three axes that fit."""
    fits = isinstance(shapes, list) and len(shapes) in (2, 3) and all(len(shape) == 3 for shape in shapes)
    if fits:
        query, value, key = (*shapes, shapes[1])[:3]
        fits = query[2] == key[2] and value[1] == key[1] and None not in (*query[1:], *value[1:])
    if not fits:
        raise invalid(
            f"The layer {layer.name!r} takes [query, value] or [query, value, key] of shapes (batch, queries, d), "
            "(batch, keys, e) and (batch, keys, d).",
            shapes=shapes,
        )
