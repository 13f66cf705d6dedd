"""Running what a GradientTape recorded: plans for gradients and values, compiled once for all recordings alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import ops, runtime
from fastgd.ops.builder import Tensor, as_vector
from fastgd.ops.losses import sample_mean
from fastgd.ops.parameters import Variable, aligned_zeros, announce_change
from fastgd.ops.recording import Recording
from fastgd.plan import BATCH, Plan, Step, Term, UpdateSpec, flat_layout, resolve_shape

Array = npt.NDArray[Any]

# Adds the gradient, times the learning rate of 1, to a vector of zeros, and moves nothing.
_RULE = UpdateSpec("gradient", {}, ("gradient",))

# The executors that are kept for later recordings of the same steps, those that nobody uses now.
_MOST_KEPT = 64
_kept: dict[Any, runtime.Executor] = {}


@dataclass(frozen=True)
class _Part:
    """A summand of a number: `weight` times the mean or the sum of the values of a tensor, or its only value."""

    tensor: Tensor
    weight: float
    reduction: str


def gradients(recording: Recording, target: Tensor, sources: Sequence[Variable]) -> list[Array | None]:
    """Return the gradient of the sum of `target` by each of the variables, None where it does not hang on one.

    Whatever else somebody still holds of the recording gets its value in the same run.
    """
    with recording.recording():
        if not recording.rows:
            recording.feed(np.zeros(1, recording.dtype), recording.dtype)
        held = recording.wanted()
        parts = _merged(recording, _parts(recording, target if target.dims == () else ops.sum(target)))
        numbers = {x.name: _parts(recording, x) for x in held if x.dims == () and x.name != target.name}
        spread = {x.name: _spread(x) for x in held if x.dims != () and x.dims[0] >= 0}
        outputs = [x for x in held if x.dims[:1] and x.dims[0] < 0] + list(spread.values())
    losses = tuple(Term(f"loss_{k}", part.tensor.name, part.weight, part.reduction) for k, part in enumerate(parts))
    used = _used(recording, _tensors(losses))
    observed = {part.tensor.name: part.tensor.dims for summands in numbers.values() for part in summands}
    others = {name: dims for name, dims in observed.items() if name not in _tensors(losses)}
    # A value for the whole batch is a loss that counts nothing, one per sample a metric.
    losses += tuple(Term(name, name, 0.0, "sum") for name, dims in others.items() if dims == (1,))
    metrics = tuple(Term(name, name) for name, dims in others.items() if dims == (BATCH,))
    plan = _cut(recording, [*_tensors(losses), *_tensors(metrics), *(y.name for y in outputs)], sources)
    plan = replace(plan, losses=losses, metrics=metrics, outputs=tuple(y.name for y in outputs))
    trained = [variable for variable, spec in zip(recording.variables, plan.params, strict=True) if spec.trainable]
    layout = flat_layout([variable.size for variable in trained], plan.dtype)
    flat = aligned_zeros(layout.size, plan.dtype)
    rows = recording.rows or 1
    arrays = [np.empty(resolve_shape(y.dims, rows), y.dtype) for y in outputs]
    totals = _run(recording, plan, flat, arrays)
    means = {term.tensor: top / bottom for term, (top, bottom) in zip((*losses, *metrics), totals, strict=True)}
    for y, array in zip(outputs, arrays, strict=True):
        recording.values[y.name] = array
    for name, y in spread.items():
        recording.values[name] = recording.values[y.name][0]
    # What a term of the loss says for a sum is the sum, and so is n times what a metric says.
    by_reduction = {term.tensor: term.reduction for term in losses}

    def number(parts: Iterable[_Part]) -> Array:
        total = 0.0
        for part in parts:
            mean = means[part.tensor.name]
            if part.tensor.dims == (BATCH,):
                mean /= rows if by_reduction.get(part.tensor.name) == "sum" else 1
                mean *= rows if part.reduction == "sum" else 1
            total += part.weight * mean
        return np.asarray(total, plan.dtype)

    if target.dims == ():
        recording.values[target.name] = number(parts)
    for name, summands in numbers.items():
        recording.values[name] = number(summands)
    found: dict[int, Array] = {
        id(variable): flat[at : at + variable.size].reshape(variable.shape)
        for variable, at in zip(trained, layout.offsets, strict=True)
    }
    return [found[id(variable)] if id(variable) in used else None for variable in sources]


def _used(recording: Recording, wanted: Iterable[str]) -> set[int]:
    """Return the ids of the variables on which tensors hang."""
    plan = _cut(recording, wanted, ())
    names = {name for step in plan.steps for name in step.params}
    return {id(x) for x, spec in zip(recording.variables, plan.params, strict=True) if spec.name in names}


def input_gradients(recording: Recording, target: Tensor, sources: Sequence[Tensor]) -> list[Array]:
    """Return the gradient of the sum of `target` by each of the inputs; the plan is compiled anew every time."""
    with recording.recording():
        total = as_vector(target if target.dims == () else ops.sum(target))
    plan = _cut(recording, [total.name], ())
    plan = replace(plan, losses=(Term("loss", total.name, 1.0, "sum"),))
    seen = _inspect(recording, plan)
    return [seen.get("d:" + x.name, np.zeros_like(recording.feeds[x.name], plan.dtype)) for x in sources]


def compute_values(recording: Recording) -> None:
    """Compute the values of everything that somebody still holds, without a gradient."""
    with recording.recording():
        if not recording.rows:
            recording.feed(np.zeros(1, recording.dtype), recording.dtype)
    held = recording.wanted()
    plan = _cut(recording, [x.name for x in held], ())
    seen = _inspect(recording, plan)
    recording.values.update({x.name: seen[x.name] for x in held})


def _tensors(terms: Iterable[Term]) -> list[str]:
    return [term.tensor for term in terms]


def _inspect(recording: Recording, plan: Plan) -> dict[str, Array]:
    executor = runtime.create_executor(plan)
    executor.bind_parameters(recording.arrays())
    feeds = [recording.feeds[name] for name in plan.inputs]
    return dict(executor.inspect(feeds, True, recording.iteration))


def _run(recording: Recording, plan: Plan, flat: Array, outputs: Sequence[Array]) -> npt.NDArray[np.float64]:
    """Run one batch forward and backward; the gradient goes to `flat`. Return the totals."""
    announce_change(besides=recording)
    key = (_key(plan), runtime.current_backend())
    executor = _kept.pop(key, None) or runtime.create_executor(plan)
    # Averages move in the first run of a recording, and in no other.
    first, recording.ran = not recording.ran, True
    pairs = zip(recording.variables, plan.params, recording.arrays(), strict=True)
    restored = [] if first else [(array, array.copy()) for _, spec, array in pairs if not spec.trainable]
    executor.bind_parameters(recording.arrays())
    executor.bind_update(_RULE, [flat])
    feeds = [recording.feeds[name] for name in plan.inputs]
    executor.begin("train", feeds, recording.rows or 1, iteration=recording.iteration, outputs=outputs)
    executor.advance(1, 1e9, np.ones(1))
    totals = executor.totals()
    for array, before in restored:
        array[...] = before
    _kept[key] = executor
    if len(_kept) > _MOST_KEPT:
        # Another thread may take the oldest away meanwhile.
        _kept.pop(next(iter(list(_kept))), None)
    return totals


def _key(plan: Plan) -> Any:
    """Return what tells the plan from others, hashable."""
    steps = tuple((s.op, s.inputs, s.outputs, s.params, tuple(sorted(s.attrs.items()))) for s in plan.steps)
    return plan.dtype, plan.tensors, plan.params, steps, plan.inputs, plan.outputs, plan.losses, plan.metrics


def _cut(recording: Recording, wanted: Iterable[str], trained: Sequence[Variable]) -> Plan:
    """Return the plan of the steps that lead to `wanted`."""
    whole = recording.build()
    needed = set(wanted)
    steps: list[Step] = []
    for step in reversed(whole.steps):
        if needed.intersection(step.outputs):
            steps.append(step)
            needed.update(step.inputs)
    known = needed.union(*(step.outputs for step in steps)) | set(whole.inputs[:1])
    ids = {id(variable) for variable in trained}
    params = tuple(
        replace(spec, trainable=id(variable) in ids)
        for spec, variable in zip(whole.params, recording.variables, strict=True)
    )
    return replace(
        whole,
        tensors=tuple(spec for spec in whole.tensors if spec.name in known),
        params=params,
        steps=tuple(reversed(steps)),
        # One input tells how many rows there are, even if nothing needs it.
        inputs=tuple(name for name in whole.inputs if name in known),
    )


def _spread(x: Tensor) -> Tensor:
    """Return a tensor without the batch once for every sample, since outputs have a batch."""
    return ops.broadcast_to(ops.expand_dims(x, 0), (None, *x.dims))


def _merged(recording: Recording, parts: Sequence[_Part]) -> list[_Part]:
    """Add up the parts of the same tensor: a plan has one loss for each."""
    merged: dict[str, _Part] = {}
    rows = recording.rows or 1
    for part in parts:
        before = merged.get(part.tensor.name)
        if before is None:
            merged[part.tensor.name] = part
        elif before.reduction == part.reduction:
            merged[part.tensor.name] = replace(part, weight=before.weight + part.weight)
        else:
            weights = [each.weight * (rows if each.reduction == "sum" else 1) for each in (before, part)]
            merged[part.tensor.name] = _Part(part.tensor, sum(weights), "sum_over_batch_size")
    return list(merged.values())


def _parts(recording: Recording, x: Tensor) -> list[_Part]:
    """Return the summands of a number: means and sums over samples stay apart, so that a batch can be shared out."""
    producers = {name: step for step in recording.steps for name in step.outputs}
    dims = {spec.name: spec.shape for spec in recording.build().tensors}
    parts: list[_Part] = []

    def visit(name: str, weight: float) -> None:
        step = producers[name]
        function = step.attrs.get("function")
        if step.op == "reduce" and function in ("mean", "sum") and _over_all(step, dims):
            inner = dims[step.inputs[0]]
            if inner[0] == BATCH:
                weight *= prod(inner[1:]) if function == "sum" else 1
                reduction = "sum" if function == "sum" else "sum_over_batch_size"
                parts.append(_Part(sample_mean(recording.tensor(step.inputs[0])), weight, reduction))
                return
        if step.op == "binary" and all(dims[source] == () for source in step.inputs):
            a, b = step.inputs
            if function in ("add", "subtract"):
                visit(a, weight)
                visit(b, weight if function == "add" else -weight)
                return
            for factor, other in ((a, b), (b, a)):
                if function == "multiply" and factor in producers and producers[factor].op == "constant":
                    visit(other, weight * float(producers[factor].attrs["value"]))  # type: ignore[arg-type]
                    return
        if step.op == "reshape" and dims[step.inputs[0]] == ():
            visit(step.inputs[0], weight)
            return
        parts.append(_Part(as_vector(recording.tensor(name)), weight, "sum"))

    visit(x.name, 1.0)
    return parts


def _over_all(step: Step, dims: dict[str, tuple[int, ...]]) -> bool:
    """Return whether a step reduces a tensor to one number."""
    return dims[step.outputs[0]] == () and len(dims[step.inputs[0]]) > 0
