"""Scaled dot-product attention with several heads: `attention`."""

from __future__ import annotations

from typing import Any

from fastgd.ops.builder import Tensor, show_dims
from fastgd.ops.checks import require, require_tensors
from fastgd.ops.eager import works_on_arrays
from fastgd.plan import Attribute


def attention(
    q: Any,
    k: Any,
    v: Any,
    heads: int,
    mask: Any = None,
    causal: bool = False,
    scale: float = 1.0,
    rate: float = 0.0,
    seed: int = 0,
    key_value_heads: int | None = None,
) -> tuple[Any, Any]:
    """Return `drop(p) v` and p for each head, with `p = softmax(scale q k')` over the keys that a query sees.

    The heads are neighbouring parts of the last axis. What a query does not see has the weight 0; a query that sees
    nothing gives 0.

    Args:
        q: tensor, placeholder or array (batch, queries, heads d).
        k: the same (batch, keys, key_value_heads d).
        v: the same (batch, keys, key_value_heads e).
        heads: the number of heads of the queries.
        mask: tensor (batch or 1, heads or 1, queries or 1, keys or 1) that is 0 where a key is not seen; None for all
            seen. No gradient flows to it.
        causal: whether query i sees the keys 0 to i only.
        scale: what the products of queries and keys are multiplied by.
        rate: the share of weights that dropout sets to zero in training, from 0 to 1.
        seed: that of the dropout, as in `dropout`.
        key_value_heads: the number of heads of keys and values, which divides `heads`: neighbouring heads of queries
            share one. None for as many as the queries have.

    Returns:
        Two tensors, placeholders or arrays: (batch, queries, heads e), and the weights before dropout (batch, heads,
        queries, keys).

    Raises:
        ValueError: if the shapes do not fit, or for a wrong rate.

    Source:
        Vaswani and others, Attention is all you need, NIPS 2017.
    """
    attrs: dict[str, Attribute] = {"heads": heads, "causal": causal, "scale": float(scale), "rate": float(rate)}
    attrs["key_value_heads"] = heads if key_value_heads is None else key_value_heads
    pair: tuple[Any, Any] = _plain(q, k, v, attrs, seed) if mask is None else _masked(q, k, v, mask, attrs, seed)
    return pair


@works_on_arrays("q", "k", "v")
def _plain(q: Tensor, k: Tensor, v: Tensor, attrs: dict[str, Attribute], seed: int) -> tuple[Tensor, Tensor]:
    return _emit([q, k, v], attrs, seed)


@works_on_arrays("q", "k", "v", "mask")
def _masked(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor, attrs: dict[str, Attribute], seed: int
) -> tuple[Tensor, Tensor]:
    return _emit([q, k, v, mask], attrs, seed)


def _emit(inputs: list[Tensor], attrs: dict[str, Attribute], seed: int) -> tuple[Tensor, Tensor]:
    require_tensors("attention", *inputs)
    q, k, v = (x.dims for x in inputs[:3])
    heads, groups, rate = attrs["heads"], attrs["key_value_heads"], attrs["rate"]
    assert isinstance(heads, int) and isinstance(groups, int) and isinstance(rate, float)
    fits = groups >= 1 and heads >= groups and heads % groups == 0
    require(fits, "attention", f"`key_value_heads` must divide `heads`: they are {groups} and {heads}")
    require(0.0 <= rate <= 1.0, "attention", f"the rate must lie between 0 and 1: it is {rate}")
    fits = len(q) == len(k) == len(v) == 3 and q[0] == k[0] == v[0] and k[1] == v[1]
    fits = fits and not (q[2] % heads or k[2] % groups or v[2] % groups) and q[2] // heads == k[2] // groups
    sizes = f"the queries are {show_dims(q)}, the keys {show_dims(k)}, the values {show_dims(v)}"
    require(fits, "attention", f"{heads} and {groups} heads do not fit: {sizes}")
    scores = (q[0], heads, q[1], k[1])
    if len(inputs) > 3:
        mask = inputs[3].dims
        fits = len(mask) == 4 and all(size in (1, whole) for size, whole in zip(mask, scores, strict=True))
        require(fits, "attention", f"the mask {show_dims(mask)} does not fit the scores {show_dims(scores)}")
    if rate > 0:
        attrs = {**attrs, "seed": inputs[0].builder.distinct_seed(seed)}
    y, p = inputs[0].builder.emit("attention", inputs, [(*q[:2], heads * (v[2] // groups)), scores], attrs=attrs)
    return y, p
