"""PyTorch's attention and the blocks of transformers: layers for each of their parts, whose weights they share out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fastgd import layers
from fastgd.interop.torch.activations import FUSED, NAMED, NUMBERED
from fastgd.interop.torch.links import tensor_array
from fastgd.interop.torch.refusals import Withheld, refuse_option
from fastgd.interop.values import Value, plain

if TYPE_CHECKING:
    from fastgd.interop.torch.conversion import Converter

Block = Callable[[Value], Value]

# PyTorch's names of the projections in the order of the blocks of `in_proj_weight`, and ours.
PROJECTIONS = (("q", "query"), ("k", "key"), ("v", "value"))


def attention(
    convert: Converter,
    module: Any,
    name: str,
    query: Value,
    key: Value,
    value: Value,
    key_padding_mask: Any = None,
    need_weights: bool = True,
    attn_mask: Any = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> Any:
    """Return what the heads give, and None or, if weights were asked for, what nothing may compute with.

    Raises:
        ValueError: for time before samples, masks of padding, further keys, and masks that depend on data.
    """
    wrong = (
        ("batch_first", not module.batch_first, False),
        ("add_bias_kv", module.bias_k is not None, True),
        ("add_zero_attn", module.add_zero_attn, True),
        ("key_padding_mask", key_padding_mask is not None, _shown(key_padding_mask)),
    )
    for option, is_wrong, given in wrong:
        if is_wrong:
            raise refuse_option(name, option, given)
    q, k, v = (plain(each) for each in (query, key, value))
    features = module.embed_dim, module.kdim, module.vdim
    if any(len(x.shape) != 2 or x.shape[1] != size for x, size in zip((q, k, v), features, strict=True)):
        raise ValueError(
            f"The module {name!r} takes a query, a key and a value (batch, steps, features) with {features[0]}, "
            f"{features[1]} and {features[2]} features. Received: shapes={[('batch', *x.shape) for x in (q, k, v)]}"
        )
    seen = _seen(name, attn_mask, is_causal, (q.shape[0], k.shape[0]))
    layer = convert.layer(
        module,
        lambda: layers.MultiHeadAttention(
            module.num_heads, module.head_dim, dropout=module.dropout, use_bias=module.in_proj_bias is not None,
            **convert.named(name),
        ),
    )  # fmt: skip
    causal = seen is not None and np.array_equal(seen, np.tri(*seen.shape, dtype=bool))
    masks = {"use_causal_mask": True} if causal else {} if seen is None else {"attention_mask": seen}
    y = layer(q.tensor, v.tensor, k.tensor, **masks)
    _link(convert, module, layer)
    weights = Withheld(refuse_option(name, "need_weights", True)) if need_weights else None
    return q.like(y), weights


def _link(convert: Converter, module: Any, layer: Any) -> None:
    """Link the projections, which PyTorch keeps in one tensor if all their inputs have the same size."""
    together = module.in_proj_weight
    for number, (short, long) in enumerate(PROJECTIONS):
        dense, section = getattr(layer, f"{long}_dense"), (number, len(PROJECTIONS))
        width = dense.kernel.shape[0]
        whole = getattr(module, f"{short}_proj_weight") if together is None else together
        place = None if together is None else section
        convert.link(dense.kernel, whole, (module.embed_dim, width), (1, 0), section=place)
        convert.link(dense.bias, module.in_proj_bias, (module.embed_dim,), section=section)
    out = module.out_proj
    convert.link(layer.output_dense.kernel, out.weight, tuple(out.weight.shape), (1, 0))
    convert.link(layer.output_dense.bias, out.bias)


def _seen(name: str, mask: Any, is_causal: bool, sizes: tuple[int, int]) -> npt.NDArray[np.bool_] | None:
    """Return which keys each query sees, None for all.

    Raises:
        ValueError: for a mask that is none of constants, adds numbers, differs between samples, or hides all keys.
    """
    if mask is None:
        if is_causal:
            # PyTorch, too, wants the mask that this hint is about.
            raise refuse_option(name, "is_causal", True)
        return None
    if isinstance(mask, Value) or not hasattr(mask, "detach") or tuple(mask.shape) != sizes:
        raise refuse_option(name, "attn_mask", _shown(mask))
    numbers = tensor_array(mask)
    seen: npt.NDArray[np.bool_] = ~numbers if numbers.dtype == bool else numbers == 0.0
    if numbers.dtype != bool and not np.all(np.isneginf(numbers) | seen):
        raise refuse_option(name, "attn_mask", "numbers other than 0 and -inf")
    if not seen.any(axis=1).all():
        raise refuse_option(name, "attn_mask", "a query that sees no key")
    if is_causal and not np.array_equal(seen, np.tri(*sizes, dtype=bool)):
        raise refuse_option(name, "is_causal", "True, beside another mask")
    return seen


def _shown(mask: Any) -> Any:
    """Return what tells a mask in a message: its shape, that of a sample if it depends on data."""
    return ("batch", *mask.shape) if isinstance(mask, Value) else tuple(getattr(mask, "shape", ()))


def encoder_layer(
    convert: Converter,
    module: Any,
    name: str,
    src: Value,
    src_mask: Any = None,
    src_key_padding_mask: Any = None,
    is_causal: bool = False,
) -> Value:
    """Return a block of an encoder: attention to itself and two products, each added to what it began with."""
    attend = _attending(convert, module.self_attn, f"{name}_self_attn", None, src_mask, src_key_padding_mask, is_causal)
    return _residual(convert, module, name, src, attend)


def decoder_layer(
    convert: Converter,
    module: Any,
    name: str,
    tgt: Value,
    memory: Value,
    tgt_mask: Any = None,
    memory_mask: Any = None,
    tgt_key_padding_mask: Any = None,
    memory_key_padding_mask: Any = None,
    tgt_is_causal: bool = False,
    memory_is_causal: bool = False,
) -> Value:
    """Return a block of a decoder, which attends to itself and then to what an encoder gave."""
    itself = tgt_mask, tgt_key_padding_mask, tgt_is_causal
    other = memory_mask, memory_key_padding_mask, memory_is_causal
    first = _attending(convert, module.self_attn, f"{name}_self_attn", None, *itself)
    second = _attending(convert, module.multihead_attn, f"{name}_multihead_attn", memory, *other)
    return _residual(convert, module, name, tgt, first, second)


def stack(convert: Converter, module: Any, name: str, x: Value, *args: Any, **kwargs: Any) -> Value:
    """Return what the blocks of an encoder or decoder give one after another; the first may take a mask `mask`."""
    if "mask" in kwargs:
        kwargs["src_mask"] = kwargs.pop("mask")
    for key in ("is_causal", "tgt_is_causal"):
        # None leaves the question to the mask.
        if key in kwargs:
            kwargs[key] = bool(kwargs[key])
    for number, block in enumerate(module.layers):
        x = convert.apply(block, f"{name}_layers_{number}", x, *args, **kwargs)
    return x if module.norm is None else convert.apply(module.norm, f"{name}_norm", x)


def _attending(
    convert: Converter, module: Any, name: str, memory: Value | None, mask: Any, padding: Any, is_causal: bool
) -> Block:
    """Return the function that lets a sequence attend to the memory, or to itself."""

    def attend(x: Value) -> Value:
        keys = x if memory is None else memory
        y: Value = attention(convert, module, name, x, keys, keys, padding, False, mask, is_causal=is_causal)[0]
        return y

    return attend


def _residual(convert: Converter, module: Any, name: str, x: Value, *attending: Block) -> Value:
    """Return x after blocks, each of which has a dropout and is added, with a norm before it or behind the sum."""
    x = plain(x)
    for number, block in enumerate((*attending, _feeding(convert, module, name)), 1):
        norm, dropout = f"norm{number}", f"dropout{number}"
        before = _part(convert, module, name, norm, x) if module.norm_first else x
        y = _part(convert, module, name, dropout, block(before))
        x = x.like(layers.add([x.tensor, y.tensor]))
        x = x if module.norm_first else _part(convert, module, name, norm, x)
    return x


def _feeding(convert: Converter, module: Any, name: str) -> Block:
    """Return the function of two products with an activation and a dropout between them."""
    activation = _activation(name, module.activation)
    kind = type(activation).__name__
    fused = NAMED[kind] if kind in FUSED else None

    def feed(x: Value) -> Value:
        y: Value = convert.apply(module.linear1, f"{name}_linear1", x, fused=fused)
        y = y if fused else convert.apply(activation, f"{name}_activation", y)
        return _part(convert, module, name, "linear2", _part(convert, module, name, "dropout", y))

    return feed


def _activation(name: str, activation: Any) -> Any:
    """Return the module of an activation that is one, or one of the functions."""
    import torch

    if isinstance(activation, torch.nn.Module):
        return activation
    function = getattr(activation, "__name__", "")
    for kind in (*NAMED, *NUMBERED):
        if activation is getattr(torch.nn.functional, kind.lower(), None):
            return getattr(torch.nn, kind)()
    raise refuse_option(name, "activation", function)


def _part(convert: Converter, module: Any, name: str, part: str, x: Value) -> Value:
    y: Value = convert.apply(getattr(module, part), f"{name}_{part}", x)
    return y
