"""PyTorch's modules by their classes: the layers that they become, with their weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from fastgd import layers, ops
from fastgd.interop.torch import activations
from fastgd.interop.torch.attention import attention, decoder_layer, encoder_layer, stack
from fastgd.interop.torch.recurrent import recurrent
from fastgd.interop.torch.refusals import refuse_option
from fastgd.interop.torch.windows import adaptive_pool, images, padding_of_convolution, pool, sizes_of
from fastgd.interop.values import FLAT, LAST, SAME, Value, channels_last, flat, plain, reshaped
from fastgd.interop.windows import ORDER, class_of, kind_of_padding, pad
from fastgd.utils.windows import window_sizes

if TYPE_CHECKING:
    from fastgd.interop.torch.conversion import Converter

Handler = Callable[..., Any]


def linear(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return a Dense; behind a flattened image the rows of its kernel take the order of the elements there."""
    if value.order == LAST or (value.order == FLAT and convert.is_shared(module)):
        value = plain(value)
    units, inputs = module.weight.shape
    if inputs != value.shape[-1]:
        raise ValueError(f"The module {name!r} takes {inputs} features. Received: {value.shape[-1]}")
    layer = convert.layer(
        module,
        lambda: layers.Dense(units, convert.fused, use_bias=module.bias is not None, **convert.named(name)),
    )
    y = layer(value.tensor)
    if value.order == FLAT:
        rank = len(value.origin)
        view = (units, *value.origin)
        convert.link(layer.kernel, module.weight, view, (*range(2, rank + 1), 1, 0))
    else:
        convert.link(layer.kernel, module.weight, (units, inputs), (1, 0))
    convert.link(layer.bias, module.bias)
    return Value(y, (*value.shape[:-1], units))


def convolution(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return a convolution, a depthwise one where each channel has kernels of its own."""
    rank = len(module.kernel_size)
    value = images(value, rank, name)
    window, strides, dilations = (
        sizes_of(given, rank) for given in (module.kernel_size, module.stride, module.dilation)
    )
    zeros, sizes = padding_of_convolution(module, rank, name), value.shape[1:]
    where = window, strides, dilations
    padding = None if convert.is_shared(module) else kind_of_padding(sizes, *where, zeros, zeros)
    x = value.tensor if padding else pad(value.tensor, zeros, zeros)
    channels, filters, groups = module.in_channels, module.out_channels, module.groups
    common = {
        "strides": strides, "padding": padding or "valid", "data_format": ORDER, "dilation_rate": dilations,
        "activation": convert.fused, "use_bias": module.bias is not None, **convert.named(name),
    }  # fmt: skip
    depthwise = groups == channels > 1 and rank <= 2
    if depthwise:
        multiplier = filters // channels
        layer = convert.layer(
            module,
            lambda: class_of("DepthwiseConv{}D", rank)(window, depth_multiplier=multiplier, **common),
        )
    else:
        layer = convert.layer(module, lambda: class_of("Conv{}D", rank)(filters, window, groups=groups, **common))
    y = layer(x)
    spatial = tuple(range(2, rank + 2))
    if depthwise:
        convert.link(layer.kernel, module.weight, (channels, multiplier, *window), (*spatial, 0, 1))
    else:
        convert.link(layer.kernel, module.weight, (filters, channels // groups, *window), (*spatial, 1, 0))
    convert.link(layer.bias, module.bias)
    return Value(y, (filters, *window_sizes(sizes, *where, zeros, zeros)), LAST)


def transposed_convolution(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return a transposed convolution, of whose output the padding is cut off."""
    rank = len(module.kernel_size)
    value = images(value, rank, name)
    if module.groups != 1:
        raise refuse_option(name, "groups", module.groups)
    if module.padding_mode != "zeros":
        raise refuse_option(name, "padding_mode", module.padding_mode)
    window, strides, dilations, margins, more = (
        sizes_of(getattr(module, key), rank)
        for key in ("kernel_size", "stride", "dilation", "padding", "output_padding")
    )
    if any(m >= s for m, s in zip(more, strides, strict=True)):
        raise refuse_option(name, "output_padding", module.output_padding)
    layer = convert.layer(
        module,
        lambda: class_of("Conv{}DTranspose", rank)(
            module.out_channels, window, strides=strides, padding="valid", output_padding=more, data_format=ORDER,
            dilation_rate=dilations, activation=convert.fused, use_bias=module.bias is not None, **convert.named(name),
        ),
    )  # fmt: skip
    y = layer(value.tensor)
    if any(margins):
        pairs = tuple((m, m) for m in margins)
        cut = layers.Cropping1D(pairs[0]) if rank == 1 else class_of("Cropping{}D", rank)(pairs, data_format=ORDER)
        y = cut(y)
    convert.link(
        layer.kernel,
        module.weight,
        (module.in_channels, module.out_channels, *window),
        (*range(2, rank + 2), 1, 0),
    )
    convert.link(layer.bias, module.bias)
    return Value(y, (module.out_channels, *y.dims[1:-1]), LAST)


def batch_norm(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return a BatchNormalization whose momentum is the share that is kept."""
    if module.momentum is None or not module.track_running_stats:
        option = "momentum" if module.momentum is None else "track_running_stats"
        raise refuse_option(name, option, getattr(module, option))
    value = channels_last(value) if len(value.shape) > 1 else plain(value)
    affine = module.weight is not None
    layer = convert.layer(
        module,
        lambda: layers.BatchNormalization(
            momentum=1 - module.momentum, epsilon=module.eps, center=affine, scale=affine, **convert.named(name)
        ),
    )
    y = layer(value.tensor)
    convert.link(layer.gamma, module.weight)
    convert.link(layer.beta, module.bias)
    convert.link(layer.moving_mean, module.running_mean)
    convert.link_variance(layer.moving_variance, module, prod(value.shape[1:]))
    return value.like(y)


def embedding(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return an Embedding; PyTorch's ways to treat some rows apart in training have no counterpart."""
    for option in ("padding_idx", "max_norm", "scale_grad_by_freq", "sparse"):
        # Row 0 is one, too.
        if getattr(module, option) is not None and getattr(module, option) is not False:
            raise refuse_option(name, option, getattr(module, option))
    layer = convert.layer(
        module, lambda: layers.Embedding(module.num_embeddings, module.embedding_dim, **convert.named(name))
    )
    y = layer(value.tensor)
    convert.link(layer.embeddings, module.weight)
    return Value(y, (*value.shape, module.embedding_dim))


def layer_norm(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return a LayerNormalization over the last axes."""
    value = plain(value)
    axes = tuple(range(-len(module.normalized_shape), 0))
    if tuple(module.normalized_shape) != value.shape[axes[0] :]:
        raise refuse_option(name, "normalized_shape", module.normalized_shape)
    layer = convert.layer(
        module,
        lambda: layers.LayerNormalization(
            axes if len(axes) > 1 else -1, module.eps, center=module.bias is not None,
            scale=module.weight is not None, **convert.named(name),
        ),
    )  # fmt: skip
    y = layer(value.tensor)
    convert.link(layer.gamma, module.weight)
    convert.link(layer.beta, module.bias)
    return value.like(y)


def rms_norm(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return an RMSNormalization over the last axes."""
    value = plain(value)
    axes = tuple(range(-len(module.normalized_shape), 0))
    if module.weight is None:
        raise refuse_option(name, "elementwise_affine", False)
    epsilon = float(np.finfo(convert.dtype).eps) if module.eps is None else module.eps
    layer = convert.layer(
        module, lambda: layers.RMSNormalization(axes if len(axes) > 1 else -1, epsilon, **convert.named(name))
    )
    y = layer(value.tensor)
    convert.link(layer.scale, module.weight)
    return value.like(y)


def group_norm(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return a GroupNormalization; that of instances has a group per channel."""
    single = "Instance" in type(module).__name__
    if single and module.track_running_stats:
        raise refuse_option(name, "track_running_stats", True)
    value = channels_last(value) if len(value.shape) > 1 else plain(value)
    affine = module.weight is not None
    layer = convert.layer(
        module,
        lambda: layers.GroupNormalization(
            -1 if single else module.num_groups, -1, module.eps, affine, affine, **convert.named(name)
        ),
    )
    y = layer(value.tensor)
    convert.link(layer.gamma, module.weight)
    convert.link(layer.beta, module.bias)
    return value.like(y)


def prelu(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return a PReLU with a slope per channel, or with one for all."""
    value = channels_last(value) if len(value.shape) > 1 else plain(value)
    if module.num_parameters not in (1, value.shape[0]):
        raise refuse_option(name, "num_parameters", module.num_parameters)
    axes = list(range(1, len(value.shape) + (module.num_parameters == 1))) or None
    layer = convert.layer(module, lambda: layers.PReLU(shared_axes=axes, **convert.named(name)))
    y = layer(value.tensor)
    convert.link(layer.alpha, module.weight)
    return value.like(y)


def dropout(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return a dropout of elements, or of whole channels."""
    kind, rank = type(module).__name__, len(value.shape)
    if not module.p:
        return value
    noise: tuple[int | None, ...] | None = None
    if kind in ("Dropout1d", "Dropout2d", "Dropout3d"):
        value = channels_last(value)
        noise = (None, *(1,) * (rank - 1), value.shape[0])
    make = layers.AlphaDropout if kind == "AlphaDropout" else layers.Dropout
    return value.like(make(module.p, noise, name=name)(value.tensor))


def flatten(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return some axes of a sample as one."""
    rank = len(value.shape) + 1
    first, last = (dim % rank for dim in (module.start_dim, module.end_dim))
    if first == 0:
        raise refuse_option(name, "start_dim", module.start_dim)
    if (first, last) == (1, rank - 1):
        return flat(value)
    shape = value.shape
    return reshaped(value, (*shape[: first - 1], prod(shape[first - 1 : last]), *shape[last:]))


def unflatten(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return one axis of a sample as several."""
    place = module.dim % (len(value.shape) + 1) - 1
    if place < 0 or not isinstance(module.unflattened_size, (tuple, list)):
        raise refuse_option(name, "dim", module.dim)
    sizes = list(module.unflattened_size)
    if -1 in sizes:
        sizes[sizes.index(-1)] = value.shape[place] // -prod(sizes)
    return reshaped(value, (*value.shape[:place], *sizes, *value.shape[place + 1 :]))


def upsample(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return an image with each pixel repeated, or interpolated."""
    rank = len(value.shape) - 1
    value = channels_last(value)
    sizes = value.shape[1:]
    wanted = module.size
    if wanted is not None:
        factors: Sequence[float] = [w / s for w, s in zip(sizes_of(wanted, rank), sizes, strict=True)]
    else:
        given = module.scale_factor
        factors = [float(f) for f in (given if isinstance(given, (tuple, list)) else (given,) * rank)]
    bilinear = rank == 2 and module.mode == "bilinear" and not module.align_corners
    if not (module.mode == "nearest" or bilinear):
        raise refuse_option(name, "mode", module.mode)
    if any(f != int(f) for f in factors):
        raise refuse_option(name, "scale_factor", tuple(factors))
    whole = tuple(int(f) for f in factors)
    more = {"interpolation": module.mode} if rank == 2 else {}
    if rank == 1:
        layer: Any = layers.UpSampling1D(whole[0])
    else:
        layer = class_of("UpSampling{}D", rank)(whole, data_format=ORDER, **more)
    return Value(layer(value.tensor), (value.shape[0], *(f * s for f, s in zip(whole, sizes, strict=True))), LAST)


def padding(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return an image with margins of a constant."""
    rank = len(module.padding) // 2
    value = images(value, rank, name)
    # PyTorch names the last axis first.
    pairs = [tuple(module.padding[2 * k : 2 * k + 2]) for k in reversed(range(rank))]
    if any(size < 0 for pair in pairs for size in pair):
        raise refuse_option(name, "padding", module.padding)
    before, after = (tuple(pair[k] for pair in pairs) for k in (0, 1))
    sizes = tuple(s + b + a for s, b, a in zip(value.shape[1:], before, after, strict=True))
    y = pad(value.tensor, before, after, float(getattr(module, "value", 0.0)))
    return Value(y, (value.shape[0], *sizes), LAST)


def pixel_shuffle(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return an image whose channels have become pixels."""
    value, r = plain(images(value, 2, name)), int(module.upscale_factor)
    channels, height, width = value.shape
    parts = layers.Reshape((channels // r**2, r, r, height, width))(value.tensor)
    y = layers.Reshape((channels // r**2, height * r, width * r))(layers.Permute((1, 4, 2, 5, 3))(parts))
    return Value(y, (channels // r**2, height * r, width * r), SAME)


def softmax2d(convert: Converter, module: Any, name: str, value: Value) -> Value:
    """Return the softmax over the channels of an image."""
    value = images(value, 2, name)
    return value.like(ops.softmax(value.tensor, -1))


def _of(function: Callable[..., Value], *rest: Any) -> Handler:
    """Return a handler that needs no converter."""
    return lambda convert, module, name, value: function(value, module, name, *rest)


HANDLERS: dict[str, Handler] = {
    "Linear": linear,
    "Identity": lambda convert, module, name, value: value,
    "Flatten": flatten,
    "Unflatten": unflatten,
    "Upsample": upsample,
    "UpsamplingNearest2d": upsample,
    "PixelShuffle": pixel_shuffle,
    "LayerNorm": layer_norm,
    "RMSNorm": rms_norm,
    "GroupNorm": group_norm,
    "PReLU": prelu,
    "Embedding": embedding,
    "RNN": recurrent,
    "LSTM": recurrent,
    "GRU": recurrent,
    "MultiheadAttention": attention,
    "TransformerEncoderLayer": encoder_layer,
    "TransformerDecoderLayer": decoder_layer,
    "TransformerEncoder": stack,
    "TransformerDecoder": stack,
    "Softmax2d": softmax2d,
    **dict.fromkeys(("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"), dropout),
    **{name: _of(activations.elementwise) for name in (*activations.NAMED, *activations.NUMBERED)},
    **{name: _of(activations.along_axis) for name in activations.ALONG},
    **{f"{kind}Pad{rank}d": padding for kind in ("Zero", "Constant") for rank in (1, 2, 3)},
}
for _rank in (1, 2, 3):
    HANDLERS[f"Conv{_rank}d"] = convolution
    HANDLERS[f"ConvTranspose{_rank}d"] = transposed_convolution
    HANDLERS[f"BatchNorm{_rank}d"] = batch_norm
    HANDLERS[f"InstanceNorm{_rank}d"] = group_norm
    for _kind in ("Max", "Avg"):
        HANDLERS[f"{_kind}Pool{_rank}d"] = _of(pool, _rank)
        HANDLERS[f"Adaptive{_kind}Pool{_rank}d"] = _of(adaptive_pool, _rank)
# The modules that take images, wherever these come from.
SPATIAL = frozenset(name for name in HANDLERS if name[-2:] in ("1d", "2d", "3d") and name != "Softmax2d")
