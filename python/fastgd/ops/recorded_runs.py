"""Running what a GradientTape recorded: plans for gradients and values, compiled once for all recordings alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from fastgd.plan import BATCH, Plan, Step, TensorSpec, Term, UpdateSpec, flat_layout, resolve_shape

Array = npt.NDArray[Any]

# Adds the gradient, times the learning rate of 1, to a vector of zeros, and moves nothing.
_RULE = UpdateSpec("gradient", {}, ("gradient",))

# The executors that are kept for later recordings of the same steps, those that nobody uses now.
_MOST_KEPT = 64
_kept: dict[Any, runtime.Executor] = {}


@dataclass(frozen=True)
class _Part:
    """A summand of a number: `weight` times the mean or the sum of the values of a tensor, or its `whole` value."""

    tensor: str
    weight: float
    reduction: str
    whole: bool = False


@dataclass(frozen=True)
class _Program:
    """What to run for a gradient, and how to read the results: the same for all recordings of the same steps.

    Attributes:
        plan: the plan.
        parts: the summands of the target, None if it is no number.
        numbers: the summands of other numbers that are held, by their names.
        outputs: the tensors that the plan gives besides.
        spread: the outputs that stand for tensors without a batch, by the names of these.
        used: the variables on which the target hangs, by their places in the recording.
    """

    plan: Plan
    parts: tuple[_Part, ...] | None
    numbers: dict[str, tuple[_Part, ...]]
    outputs: tuple[TensorSpec, ...]
    spread: dict[str, str]
    used: frozenset[int]


# Those that were worked out before, by the steps and by what was asked for.
_programs: dict[Any, _Program] = {}


def gradients(recording: Recording, target: Tensor, sources: Sequence[Variable]) -> list[Array | None]:
    """Return the gradient of the sum of `target` by each of the variables, None where it does not hang on one.

    Whatever else somebody still holds of the recording gets its value in the same run.
    """
    _need_rows(recording)
    held = recording.wanted()
    places = {id(variable): k for k, variable in enumerate(recording.variables)}
    trained = tuple(sorted({places[id(variable)] for variable in sources if id(variable) in places}))
    key = (_key(recording.build()), target.name, tuple(x.name for x in held), trained, recording.rows)
    program = _programs.get(key)
    if program is None:
        program = _make_program(recording, target, held, trained)
        _programs[key] = program
        _forget_oldest(_programs)
    plan = program.plan
    layout = flat_layout((plan.params[place].size for place in trained), plan.dtype)
    flat = aligned_zeros(layout.size, plan.dtype)
    arrays = {
        spec.name: np.empty(resolve_shape(spec.shape, recording.rows or 1), spec.dtype) for spec in program.outputs
    }
    totals = _run(recording, (key, runtime.current_backend()), plan, flat, [*arrays.values()])
    recording.values.update(arrays)
    recording.values.update({name: arrays[full][0] for name, full in program.spread.items()})
    numbers = program.numbers if program.parts is None else {**program.numbers, target.name: program.parts}
    recording.values.update(_numbers(plan, numbers, totals, recording.rows or 1))
    found: dict[int, Array] = {
        place: flat[at : at + plan.params[place].size].reshape(plan.params[place].shape)
        for place, at in zip(trained, layout.offsets, strict=True)
    }
    used = (places.get(id(variable), -1) for variable in sources)
    return [found[place] if place in program.used else None for place in used]


def _make_program(recording: Recording, target: Tensor, held: Sequence[Tensor], trained: tuple[int, ...]) -> _Program:
    """Work out what to run for the gradient by the variables at the places `trained`."""
    with recording.recording():
        parts = _merged(recording, _parts(recording, target if target.dims == () else ops.sum(target)))
        numbers = {x.name: tuple(_parts(recording, x)) for x in held if x.dims == () and x.name != target.name}
        spread = {x.name: _spread(x) for x in held if x.dims != () and x.dims[0] >= 0}
        outputs = [x for x in held if x.dims[:1] and x.dims[0] < 0] + list(spread.values())
    losses = tuple(Term(f"loss_{k}", part.tensor, part.weight, part.reduction) for k, part in enumerate(parts))
    reached = {name for step in _cut(recording, _tensors(losses), ()).steps for name in step.params}
    observed = {part.tensor: part.whole for summands in numbers.values() for part in summands}
    others = {name: whole for name, whole in observed.items() if name not in _tensors(losses)}
    # A value for the whole batch is a loss that counts nothing, one per sample a metric.
    losses += tuple(Term(name, name, 0.0, "sum") for name, whole in others.items() if whole)
    metrics = tuple(Term(name, name) for name, whole in others.items() if not whole)
    names = tuple(y.name for y in outputs)
    plan = _cut(recording, [*_tensors(losses), *_tensors(metrics), *names], trained)
    plan = replace(plan, losses=losses, metrics=metrics, outputs=names)
    return _Program(
        plan,
        tuple(parts) if target.dims == () else None,
        numbers,
        tuple(TensorSpec(y.name, y.dims, y.dtype) for y in outputs),
        {name: y.name for name, y in spread.items()},
        frozenset(place for place, spec in enumerate(plan.params) if spec.name in reached),
    )


def _numbers(
    plan: Plan, numbers: Mapping[str, Iterable[_Part]], totals: npt.NDArray[np.float64], rows: int
) -> dict[str, Array]:
    """Return the values of numbers from the totals of a run."""
    terms = (*plan.losses, *plan.metrics)
    means = {term.tensor: top / bottom for term, (top, bottom) in zip(terms, totals, strict=True)}
    # What a term of the loss says for a sum is the sum, and so is n times what a metric says.
    summed = {term.tensor for term in plan.losses if term.reduction == "sum"}
    values = {}
    for name, parts in numbers.items():
        total = 0.0
        for part in parts:
            mean = means[part.tensor]
            if not part.whole:
                mean /= rows if part.tensor in summed else 1
                mean *= rows if part.reduction == "sum" else 1
            total += part.weight * mean
        values[name] = np.asarray(total, plan.dtype)
    return values


def _need_rows(recording: Recording) -> None:
    """Let a recording have an input: it tells how many rows there are."""
    if not recording.rows:
        recording.feed(np.zeros(1, recording.dtype), recording.dtype)


def _forget_oldest(kept: dict[Any, Any]) -> None:
    if len(kept) > _MOST_KEPT:
        # Another thread may take the oldest away meanwhile.
        kept.pop(next(iter(list(kept))), None)


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
    _need_rows(recording)
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


def _run(recording: Recording, key: Any, plan: Plan, flat: Array, outputs: Sequence[Array]) -> npt.NDArray[np.float64]:
    """Run one batch forward and backward; the gradient goes to `flat`. Return the totals."""
    announce_change(besides=recording)
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
    _forget_oldest(_kept)
    return totals


def _key(plan: Plan) -> Any:
    """Return what tells the plan from others, hashable."""
    steps = tuple((s.op, s.inputs, s.outputs, s.params, tuple(sorted(s.attrs.items()))) for s in plan.steps)
    return plan.dtype, plan.tensors, plan.params, steps, plan.inputs, plan.outputs, plan.losses, plan.metrics


def _cut(recording: Recording, wanted: Iterable[str], trained: Sequence[int]) -> Plan:
    """Return the plan of the steps that lead to `wanted`."""
    whole = recording.build()
    needed = set(wanted)
    steps: list[Step] = []
    for step in reversed(whole.steps):
        if needed.intersection(step.outputs):
            steps.append(step)
            needed.update(step.inputs)
    known = needed.union(*(step.outputs for step in steps)) | set(whole.inputs[:1])
    params = tuple(replace(spec, trainable=place in trained) for place, spec in enumerate(whole.params))
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
        before = merged.get(part.tensor)
        if before is None:
            merged[part.tensor] = part
        elif before.reduction == part.reduction:
            merged[part.tensor] = replace(part, weight=before.weight + part.weight)
        else:
            weights = [each.weight * (rows if each.reduction == "sum" else 1) for each in (before, part)]
            merged[part.tensor] = _Part(part.tensor, sum(weights), "sum_over_batch_size")
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
                parts.append(_Part(sample_mean(recording.tensor(step.inputs[0])).name, weight, reduction))
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
        parts.append(_Part(as_vector(recording.tensor(name)).name, weight, "sum", whole=True))

    visit(x.name, 1.0)
    return parts


def _over_all(step: Step, dims: dict[str, tuple[int, ...]]) -> bool:
    """Return whether a step reduces a tensor to one number."""
    return dims[step.outputs[0]] == () and len(dims[step.inputs[0]]) > 0
