"""Products, convolutions and windows of the plan in ONNX."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from fastgd.interop.onnx.functions import activate
from fastgd.interop.onnx.graph import GraphWriter, exports, flag, ints
from fastgd.plan import Step


@exports("dense")
def dense(g: GraphWriter, step: Step) -> None:
    """y = f(x w + b): a Gemm for matrices, else a MatMul over the last axis."""
    (x,), (y,) = step.inputs, step.outputs
    # Kernels of more axes are read as matrices.
    w = g.param(step.params[0]).reshape(g.dims[x][-1], -1)
    bias = [g.constant(g.param(name).reshape(-1)) for name in step.params[1:]]
    if len(g.dims[x]) == 2:
        z = g.node("Gemm", [g.get(x), g.constant(w), *bias])
    else:
        z = g.node("MatMul", [g.get(x), g.constant(w)])
        z = g.add(z, bias[0]) if bias else z
    g.set(y, activate(g, z, step.attrs))


@exports("matmul")
def matmul(g: GraphWriter, step: Step) -> None:
    """y = a b, of the last two axes, one or both of them stored swapped."""
    operands = []
    for name, key in zip(step.inputs, ("transpose_a", "transpose_b"), strict=True):
        value, rank = g.get(name), len(g.dims[name])
        if flag(step.attrs, key):
            value = g.node("Transpose", [value], perm=[*range(rank - 2), rank - 1, rank - 2])
        operands.append(value)
    g.set(step.outputs[0], g.node("MatMul", operands))


def _cropped(g: GraphWriter, x: str, before: list[int], after: list[int], sizes: Sequence[int]) -> str:
    """Return x, channels first, without what negative paddings crop; these become 0."""
    if min(*before, *after) >= 0:
        return x
    begins = [max(-b, 0) for b in before]
    ends = [size - max(-a, 0) for size, a in zip(sizes, after, strict=True)]
    axes = g.integers(range(2, 2 + len(sizes)))
    x = g.node("Slice", [x, g.integers(begins), g.integers(ends), axes])
    before[:], after[:] = [max(b, 0) for b in before], [max(a, 0) for a in after]
    return x


@exports("convolution", "depthwise_convolution")
def convolution(g: GraphWriter, step: Step) -> None:
    """A Conv, whose kernels have filters and channels before the window."""
    (x,), (y,) = step.inputs, step.outputs
    w = g.param(step.params[0])
    *window, channels, filters = w.shape
    spatial, groups = range(len(window)), int(step.attrs.get("groups", 1))  # type: ignore[arg-type]
    if step.op == "depthwise_convolution":
        # Filter i m + j is the j-th of channel i.
        groups = channels
        w = w.transpose(len(window), len(window) + 1, *spatial).reshape(channels * filters, 1, *window)
    else:
        w = w.transpose(len(window) + 1, len(window), *spatial)
    before, after = ints(step.attrs, "padding_before"), ints(step.attrs, "padding_after")
    value = _cropped(g, g.get_first(x), before, after, g.dims[x][1:-1])
    bias = [g.constant(g.param(name)) for name in step.params[1:]]
    z = g.node(
        "Conv",
        [value, g.constant(w), *bias],
        kernel_shape=window,
        strides=ints(step.attrs, "strides"),
        dilations=ints(step.attrs, "dilations"),
        pads=[*before, *after],
        group=groups,
    )
    g.set_first(y, activate(g, z, step.attrs))


@exports("transposed_convolution")
def transposed_convolution(g: GraphWriter, step: Step) -> None:
    """A ConvTranspose; where its padding cannot say which part of the sum is wanted, that part is cut out."""
    (x,), (y,) = step.inputs, step.outputs
    w = g.param(step.params[0])
    *window, filters, _ = w.shape
    rank = len(window)
    strides, dilations, sizes = (ints(step.attrs, key) for key in ("strides", "dilations", "sizes"))
    before, after = ints(step.attrs, "padding_before"), ints(step.attrs, "padding_after")
    each = zip(g.dims[x][1:-1], window, strides, dilations, strict=True)
    full = [(size - 1) * stride + (k - 1) * dilation + 1 for size, k, stride, dilation in each]
    more = [o - f + b + a for o, f, b, a in zip(sizes, full, before, after, strict=True)]
    value, kernel = g.get_first(x), g.constant(w.transpose(rank + 1, rank, *range(rank)))
    bias = [g.constant(g.param(name)) for name in step.params[1:]]
    common = {"kernel_shape": window, "strides": strides, "dilations": dilations}
    if min(*before, *after, *more) >= 0 and all(m < s for m, s in zip(more, strides, strict=True)):
        z = g.node("ConvTranspose", [value, kernel, *bias], pads=[*before, *after], output_padding=more, **common)
    else:
        z = g.node("ConvTranspose", [value, kernel], **common)
        # What lies between `before` and `before + size` of the whole sum, and zeros where that is nothing of it.
        ends = [b + o for b, o in zip(before, sizes, strict=True)]
        begins = [max(b, 0) for b in before]
        z = g.node("Slice", [z, g.integers(begins), g.integers(ends), g.integers(range(2, rank + 2))])
        margins = [max(-b, 0) for b in before], [max(e - f, 0) for e, f in zip(ends, full, strict=True)]
        z = g.node("Pad", [z, g.integers([0, 0, *margins[0], 0, 0, *margins[1]])])
        z = g.add(z, g.node("Reshape", [bias[0], g.integers([filters, *(1,) * rank])])) if bias else z
    g.set_first(y, activate(g, z, step.attrs))


@exports("max_pool", "average_pool")
def pool(g: GraphWriter, step: Step) -> None:
    """MaxPool and AveragePool: what a window has outside the input does not count."""
    (x,), (y,) = step.inputs, step.outputs
    where = {
        "kernel_shape": ints(step.attrs, "window"),
        "strides": ints(step.attrs, "strides"),
        "pads": [*ints(step.attrs, "padding_before"), *ints(step.attrs, "padding_after")],
    }
    kind = "MaxPool" if step.op == "max_pool" else "AveragePool"
    g.set_first(y, g.node(kind, [g.get_first(x)], **where))


@exports("upsample")
def upsample(g: GraphWriter, step: Step) -> None:
    """Resize: each element repeated, or interpolated between the centres."""
    (x,), (y,) = step.inputs, step.outputs
    scales = g.constant([1.0, 1.0, *map(float, ints(step.attrs, "factors"))], np.float32)
    if step.attrs["interpolation"] == "nearest":
        how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    else:
        how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    g.set_first(y, g.node("Resize", [g.get_first(x), "", scales], **how))


@exports("random_crop")
def random_crop(g: GraphWriter, step: Step) -> None:
    """Outside training the middle part of the image's proportions, resized."""
    (x,), (y,) = step.inputs, step.outputs
    height, width = int(step.attrs["height"]), int(step.attrs["width"])  # type: ignore[arg-type]
    _, h, w, _ = g.dims[x]
    part = min(h, max(1, h if width == 0 else w * height // width)), min(w, max(1, h * width // height))
    begins = (h - part[0]) // 2, (w - part[1]) // 2
    ends = begins[0] + part[0], begins[1] + part[1]
    value = g.node("Slice", [g.get_first(x), g.integers(begins), g.integers(ends), g.integers([2, 3])])
    if part != (height, width):
        scales = [1.0, 1.0, height / part[0], width / part[1]]
        how = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
        value = g.node("Resize", [value, "", g.constant(scales, np.float32)], **how)
    g.set_first(y, value)


@exports("prelu")
def prelu(g: GraphWriter, step: Step) -> None:
    """PRelu with a slope per element of a sample, or fewer."""
    alpha = g.param(step.params[0])
    slopes = g.constant(alpha if prod(alpha.shape) else np.zeros(1))
    g.set(step.outputs[0], g.node("PRelu", [g.get(step.inputs[0]), slopes]))
