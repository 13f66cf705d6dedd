"""Steps of the plan that move, join, reduce and encode elements, in ONNX."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fastgd.interop.onnx.graph import END, GraphWriter, exports, flag, ints, number
from fastgd.plan import Step


@exports("dropout", "alpha_dropout", "gaussian_noise", "random_flip", "random_affine", "random_tone")
def nothing(g: GraphWriter, step: Step) -> None:
    """What acts in training alone leaves out its step."""
    x, y = step.inputs[0], step.outputs[0]
    if g.is_first(x):
        g.set_first(y, g.get_first(x))
    else:
        g.set(y, g.get(x))


@exports("flatten", "reshape")
def reshape(g: GraphWriter, step: Step) -> None:
    """The same elements in another shape."""
    g.set(step.outputs[0], g.reshape(g.get(step.inputs[0]), g.dims[step.outputs[0]]))


@exports("add")
def add(g: GraphWriter, step: Step) -> None:
    """The sum from the first to the last; images keep the order of their axes."""
    first = g.is_first(*step.inputs)
    values = [(g.get_first if first else g.get)(name) for name in step.inputs]
    total = values[0]
    for value in values[1:]:
        total = g.add(total, value)
    (g.set_first if first else g.set)(step.outputs[0], total)


@exports("concatenate")
def concatenate(g: GraphWriter, step: Step) -> None:
    """Tensors joined along an axis."""
    axis, rank = int(number(step.attrs, "axis")), len(g.dims[step.inputs[0]])
    first = g.is_first(*step.inputs)
    place = axis % rank
    if first:
        place = 1 if place == rank - 1 else place + 1 if place else 0
    values = [(g.get_first if first else g.get)(name) for name in step.inputs]
    (g.set_first if first else g.set)(step.outputs[0], g.node("Concat", values, axis=place))


@exports("transpose")
def transpose(g: GraphWriter, step: Step) -> None:
    """The axes in another order; that of channels to the front may be there already."""
    (x,), (y,), axes = step.inputs, step.outputs, ints(step.attrs, "axes")
    rank = len(axes)
    if rank > 2 and axes == [0, rank - 1, *range(1, rank - 1)]:
        g.set(y, g.get_first(x))
    elif rank > 2 and axes == [0, *range(2, rank), 1]:
        g.set_first(y, g.get(x))
    else:
        g.set(y, g.node("Transpose", [g.get(x)], perm=axes))


@exports("broadcast_to")
def broadcast_to(g: GraphWriter, step: Step) -> None:
    """x repeated; the batch that it has itself is broadcast against 1."""
    x, dims = step.inputs[0], list(ints(step.attrs, "shape"))
    own = g.dims[x]
    for k in range(1, len(own) + 1):
        if own[-k] == dims[-k]:
            dims[-k] = 1
    g.set(step.outputs[0], g.node("Expand", [g.get(x), g.shape(dims)]))


@exports("slice")
def slice_(g: GraphWriter, step: Step) -> None:
    """x at begin + step i; axes that are taken whole are left out."""
    x, y = step.inputs[0], step.outputs[0]
    begins, ends, axes, steps = [], [], [], []
    places = zip(ints(step.attrs, "begin"), ints(step.attrs, "step"), g.dims[x], g.dims[y], strict=True)
    for axis, (begin, stride, whole, size) in enumerate(places):
        if stride == 1 and begin == 0 and size == whole:
            continue
        if size < 0:
            # The batch, reversed.
            end = -END
        else:
            end = begin + stride * size
            # Beyond the first or the last element, which no number of that sign names.
            if stride < 0 and (end < 0 <= begin or end < -abs(whole)):
                end = -END
            elif stride > 0 and begin < 0 <= end:
                end = END
        begins.append(begin)
        ends.append(end)
        axes.append(axis)
        steps.append(stride)
    if not axes:
        g.set(y, g.get(x))
        return
    given: Sequence[Sequence[int]] = (begins, ends, axes, steps)
    g.set(y, g.node("Slice", [g.get(x), *map(g.integers, given)]))


@exports("pad")
def pad(g: GraphWriter, step: Step) -> None:
    """x with elements of a value around it."""
    x, y = step.inputs[0], step.outputs[0]
    before, after = ints(step.attrs, "before"), ints(step.attrs, "after")
    first = g.is_first(x)
    if first:
        before, after = ([sizes[0], sizes[-1], *sizes[1:-1]] for sizes in (before, after))
    value = g.constant(number(step.attrs, "value"), g.kinds[x])
    padded = g.node("Pad", [g.get_first(x) if first else g.get(x), g.integers([*before, *after]), value])
    (g.set_first if first else g.set)(y, padded)


@exports("gather")
def gather(g: GraphWriter, step: Step) -> None:
    """Gather, or GatherElements with one index per element."""
    axis = int(number(step.attrs, "axis"))
    given = len(step.inputs) == 2
    indices = g.get(step.inputs[1]) if given else g.constant(ints(step.attrs, "indices"), np.int64)
    kind = "GatherElements" if flag(step.attrs, "along") else "Gather"
    g.set(step.outputs[0], g.node(kind, [g.get(step.inputs[0]), indices], axis=axis))


@exports("one_hot", "category_encoding")
def encode(g: GraphWriter, step: Step) -> None:
    """1 at the label; of several labels of a sample the largest or the sum."""
    x, rank = step.inputs[0], len(g.dims[step.inputs[0]])
    several = step.op == "category_encoding"
    classes = int(number(step.attrs, "num_tokens" if several else "classes"))
    labels = g.node("Unsqueeze", [g.get(x), g.integers([rank])])
    hits = g.cast(g.node("Equal", [labels, g.constant(np.arange(classes), np.int32)]), g.dtype)
    if several:
        hits = g.reduce("ReduceSum" if flag(step.attrs, "count") else "ReduceMax", hits, [rank - 1], keepdims=False)
    g.set(step.outputs[0], hits)


@exports("discretize")
def discretize(g: GraphWriter, step: Step) -> None:
    """How many boundaries are not above x; all where it is NaN."""
    name, boundaries = step.inputs[0], g.param(step.params[0])
    rank = len(g.dims[name])
    x = g.node("Unsqueeze", [g.get(name), g.integers([rank])])
    above = g.cast(g.node("Less", [x, g.constant(boundaries)]), np.int32)
    count = g.reduce("ReduceSum", above, [rank], keepdims=False)
    g.set(step.outputs[0], g.node("Sub", [g.constant(boundaries.size, np.int32), count]))


@exports("constant")
def constant(g: GraphWriter, step: Step) -> None:
    """A value everywhere."""
    value, dims = number(step.attrs, "value"), ints(step.attrs, "shape")
    if all(d >= 0 for d in dims):
        g.set(step.outputs[0], g.constant(np.full(dims, value)))
    else:
        g.set(step.outputs[0], g.node("Expand", [g.constant(value), g.shape(dims)]))


@exports("parameter")
def parameter(g: GraphWriter, step: Step) -> None:
    """The value of a parameter."""
    g.set(step.outputs[0], g.constant(g.param(step.params[0])))


@exports("cast")
def cast(g: GraphWriter, step: Step) -> None:
    """Integers as floating numbers."""
    g.set(step.outputs[0], g.cast(g.get(step.inputs[0]), g.dtype))


REDUCTIONS = {
    "sum": "ReduceSum", "mean": "ReduceMean", "prod": "ReduceProd", "max": "ReduceMax", "min": "ReduceMin",
    "logsumexp": "ReduceLogSumExp",
}  # fmt: skip


@exports("reduce")
def reduce(g: GraphWriter, step: Step) -> None:
    """A reduction over axes; that of an image with the channels first keeps them there."""
    name, function, keepdims = step.inputs[0], str(step.attrs["function"]), flag(step.attrs, "keepdims")
    axes, rank = ints(step.attrs, "axes"), len(g.dims[name])
    if not axes:
        x = g.get(name)
        g.set(step.outputs[0], x if function in REDUCTIONS else g.node("Sub", [x, x]))
        return
    first = g.is_first(name) and axes == list(range(1, rank - 1))
    x = g.get_first(name) if first else g.get(name)
    axes = [axis + 1 for axis in axes] if first else axes
    if function in REDUCTIONS:
        y = g.reduce(REDUCTIONS[function], x, axes, keepdims)
    else:
        centred = g.node("Sub", [x, g.reduce("ReduceMean", x, axes)])
        y = g.reduce("ReduceMean", g.multiply(centred, centred), axes, keepdims)
        y = g.node("Sqrt", [y]) if function == "std" else y
    (g.set_first if first and keepdims else g.set)(step.outputs[0], y)


@exports("arg_reduce")
def arg_reduce(g: GraphWriter, step: Step) -> None:
    """The index of the first extreme."""
    kind = "ArgMax" if step.attrs["function"] == "max" else "ArgMin"
    index = g.node(kind, [g.get(step.inputs[0])], axis=int(number(step.attrs, "axis")), keepdims=0)
    g.set(step.outputs[0], g.cast(index, np.int32))


@exports("cumsum")
def cumsum(g: GraphWriter, step: Step) -> None:
    """Running sums."""
    axis = g.constant(int(number(step.attrs, "axis")), np.int64)
    g.set(step.outputs[0], g.node("CumSum", [g.get(step.inputs[0]), axis]))
