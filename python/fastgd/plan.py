"""The plan: a network as a flat list of steps on named tensors, the contract between Python and both interpreters.

A plan is complete before anything runs: it names every tensor, parameter and operation, in topological order. The
native engine (`fastgd._core`) and the NumPy interpreter (`fastgd.reference`) run the same plan and must agree.

Sizes. A dimension `d >= 0` is a fixed size; `d < 0` means `-d` times the batch size, so `-1` is the batch itself and
`-12` is what remains after a reshape has merged twelve time steps into the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

BATCH = -1

# Parameters, gradients and optimizer slots begin at multiples of one cache line inside their flat arrays.
ALIGNMENT_BYTES = 64

ITEM_SIZES = {"float32": 4, "float64": 8, "int32": 4}


@dataclass(frozen=True, slots=True)
class HostFunction:
    """A function on NumPy arrays that the step `numpy_function` calls, while the interpreter waits with all threads.

    It owns the arrays that it is given: they are copies. Exceptions end the run and reach its caller.

    Attributes:
        name: the name in messages.
        shapes: the shapes of the outputs, floating all of them, as sizes of the plan.
        forward: outputs = forward(inputs, shapes), with a tuple of arrays, and their shapes for the batch at hand;
            returns as many C-contiguous arrays of the plan's floating type.
        backward: d_inputs = backward(d_outputs, outputs, inputs); returns such an array, or None for zeros, for each
            input. None where the function has no gradient.
    """

    name: str
    shapes: tuple[tuple[int, ...], ...]
    forward: Callable[[Sequence[Any], Sequence[tuple[int, ...]]], Sequence[Any]] = field(repr=False)
    backward: Callable[[Sequence[Any], Sequence[Any], Sequence[Any]], Sequence[Any]] | None = field(
        default=None, repr=False
    )


Attribute = bool | int | float | str | tuple[int, ...] | tuple[float, ...] | HostFunction


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A tensor of the plan: its unique name, its shape (see the module's text on sizes) and its dtype.

    `dtype` is the plan's own floating type, or "int32" for labels and indices.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True, slots=True)
class ConstraintSpec:
    """What a parameter is brought back to after every update.

    Attributes:
        kind: "non_neg", which is max(w, 0), or "norm": w is multiplied by
            `(rate clip(norm, low, high) + (1 - rate) norm) / (norm + epsilon)`.
        axes: the neighbouring axes over which a norm `sqrt(sum w^2)` runs; for each place on the others there is one.
        low: the smallest norm.
        high: the largest norm.
        rate: how much of the way to a norm within these bounds is gone at a time.
        epsilon: what keeps the division finite.
    """

    kind: str
    axes: tuple[int, ...] = ()
    low: float = 0.0
    high: float = 0.0
    rate: float = 1.0
    epsilon: float = 0.0


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """A parameter: its unique name, its fixed shape, whether training changes it, and what then constrains it."""

    name: str
    shape: tuple[int, ...]
    trainable: bool = True
    constraint: ConstraintSpec | None = None

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Step:
    """One operation: `outputs = op(inputs; params, attrs)`. docs/ops.md says what each op computes."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    params: tuple[str, ...] = ()
    attrs: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Term:
    """A number followed over the batches: a loss (`weight` != 0 joins the total) or a metric.

    `tensor` holds one value per sample, shape `(-1,)`. `sample_weight`, if given, is an input of the same shape.
    That of a loss without sample weights may instead hold one value for the whole batch, shape `(1,)`.

    A loss of one batch of n samples with values v and sample weights s is `sum(s * v) / n` for the reduction
    "sum_over_batch_size" and `sum(s * v)` for "sum"; over an epoch it is the mean of the batch losses weighted by n.
    So a value for the whole batch counts as it is for "sum", as penalties on parameters do, and divided by n for
    "sum_over_batch_size", as penalties on activations do. A metric is `sum(s * v) / sum(s)` over the epoch.

    A metric may have several numerators, `columns` of them, over the one denominator sum(s). Its tensor then has the
    shape `(-1, columns)`, one value for each. Or it is an int32 tensor `(-1, m)` of numbers of columns, in each of
    which the sample counts s, once for every time that it is named; a number outside 0..columns-1 counts nowhere.
    """

    name: str
    tensor: str
    weight: float = 1.0
    reduction: str = "sum_over_batch_size"
    sample_weight: str | None = None
    columns: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """A network ready to run.

    Attributes:
        dtype: "float32" or "float64", the type of every tensor that is not int32 and of every parameter.
        tensors: every tensor that a step or an input names.
        params: every parameter, in the order in which arrays are bound.
        steps: the operations in topological order.
        inputs: the tensors fed from data, row by row: model inputs, then targets, then sample weights.
        outputs: the tensors that `predict` returns.
        losses: the terms whose weighted sum is minimised.
        metrics: the terms that are only observed.
    """

    dtype: str
    tensors: tuple[TensorSpec, ...]
    params: tuple[ParamSpec, ...]
    steps: tuple[Step, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    losses: tuple[Term, ...] = ()
    metrics: tuple[Term, ...] = ()

    def tensor(self, name: str) -> TensorSpec:
        """Return the tensor called `name`."""
        for spec in self.tensors:
            if spec.name == name:
                return spec
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class UpdateSpec:
    """An update rule over flat vectors: its name, its numbers and the names of its slots.

    docs/ops.md gives each rule's formula. The learning rate is passed with each run, not here. The steps around a rule
    have their numbers in `hyper` and their slots behind those of the rule; `undecayed` are the parameters that weight
    decay leaves alone, by their positions among the trainable ones.
    """

    rule: str
    hyper: Mapping[str, float] = field(default_factory=dict)
    slots: tuple[str, ...] = ()
    undecayed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """Where arrays lie inside one flat array: an offset for each, all aligned, and the whole size, in elements."""

    offsets: tuple[int, ...]
    size: int


def flat_layout(sizes: Iterable[int], dtype: str) -> Layout:
    """Lay arrays of `sizes` elements one after the other, each aligned to `ALIGNMENT_BYTES`.

    The gaps hold zeros and stay zero: a gradient of zero leaves a parameter of zero where it is in every rule.
    """
    unit = ALIGNMENT_BYTES // ITEM_SIZES[dtype]
    offsets = []
    end = 0
    for size in sizes:
        offsets.append(end)
        end += -(-size // unit) * unit
    return Layout(tuple(offsets), end)


def resolve_shape(shape: Sequence[int], batch: int) -> tuple[int, ...]:
    """Return `shape` with its batch multiples replaced by numbers for a batch of `batch` samples."""
    return tuple(d if d >= 0 else -d * batch for d in shape)
