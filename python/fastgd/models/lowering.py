"""Lowering: the plans of a model, one to train and evaluate, one to predict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from fastgd import ops
from fastgd.constraints import native_spec
from fastgd.losses import Loss
from fastgd.losses.masked import MaskedValues, masked_loss
from fastgd.models.objectives import Objectives, OutputObjectives
from fastgd.ops import losses as emit
from fastgd.ops.builder import PlanBuilder, Tensor
from fastgd.ops.parameters import Variable
from fastgd.plan import BATCH, Plan, Term
from fastgd.regularizers import lower_weight
from fastgd.utils.errors import invalid
from fastgd.utils.structure import flatten, pack

if TYPE_CHECKING:
    from fastgd.models.model import Model


@dataclass(frozen=True)
class Lowered:
    """A plan and the variables behind its parameters, in the order in which their arrays are bound."""

    plan: Plan
    variables: tuple[Variable, ...]

    @cached_property
    def trained(self) -> list[Variable]:
        """The variables that training changes."""
        pairs = zip(self.variables, self.plan.params, strict=True)
        return [variable for variable, spec in pairs if spec.trainable]

    @cached_property
    def constrained_in_python(self) -> list[Variable]:
        """The trained variables whose constraint the engine does not know."""
        pairs = zip(self.variables, self.plan.params, strict=True)
        return [w for w, spec in pairs if spec.trainable and w.constraint is not None and spec.constraint is None]


def lower_prediction(model: Model) -> Lowered:
    """Return the plan from the inputs to the outputs, with layers in their form for prediction."""
    builder = _start(model, training=False, trained=None)
    outputs = _run_graph(model, builder)
    known = set(builder.inputs)
    for k, y in enumerate(outputs):
        # Each output must be a tensor of its own that some step makes.
        outputs[k] = ops.activation(y, "linear") if y.name in known else y
        known.add(outputs[k].name)
    return Lowered(builder.build(outputs), tuple(builder.variables))


def lower_training(
    model: Model,
    objectives: Objectives,
    trained: Collection[int],
    weighted: Collection[int],
    moving: Collection[int] | None = None,
) -> Lowered:
    """Return the plan from inputs, targets and sample weights to losses and metrics.

    A loss from probabilities whose sigmoid or softmax serves nothing else is taken from the logits: that is exact
    where probabilities round to 0 or 1, and one step less. The metrics then read the probabilities that it hands out.

    Args:
        model: the model.
        objectives: the losses and metrics of its outputs.
        trained: the ids of the variables that optimizers change.
        weighted: the outputs, by their place, that have sample weights.
        moving: the ids of the variables that the forward pass moves, such as moving averages; those of the layers that
            are not frozen if None.
    """
    builder = _start(model, training=True, trained=trained, moving=moving)
    outputs = _run_graph(model, builder)
    targets = {
        (k, sparse): builder.input(
            f"{output.name}/{'labels' if sparse else 'targets'}",
            output.dims[:-1] if sparse else output.dims,
            "int32" if sparse else None,
        )
        for k, output in enumerate(objectives.outputs)
        for sparse in output.target_kinds
    }
    weights = {k: builder.input(f"{objectives.outputs[k].name}/sample_weight", (BATCH,)) for k in sorted(weighted)}
    losses: list[Term] = []
    metrics: list[Term] = []
    counts = Counter(y.name for y in outputs)
    for k, (y, output) in enumerate(zip(outputs, objectives.outputs, strict=True)):
        p = y
        if output.loss is not None:
            t = targets[k, output.loss.sparse]
            v, share, p = _lower_loss(builder, output.loss, y, t, alone=counts[y.name] == 1)
            losses.append(_loss_term(output, output.loss, v, share, weights.get(k)))
        for observed in output.metrics:
            v = observed.lower(p, targets[k, observed.metric.sparse], y.mask)
            weight = weights.get(k) if observed.weighted else None
            columns = observed.columns(p.dims)
            sample_weight = None if weight is None else weight.name
            metrics.append(Term(observed.name, v.name, sample_weight=sample_weight, columns=columns))
    for variable in model.weights:
        if variable.regularizer is not None and id(variable) in trained:
            builder.add_loss(lower_weight(variable.regularizer, builder, variable))
    losses += builder.losses
    return Lowered(builder.build((), losses, metrics), tuple(builder.variables))


def _start(
    model: Model, training: bool, trained: Collection[int] | None, moving: Collection[int] | None = None
) -> PlanBuilder:
    """Return a builder that knows all variables of the model, so that every plan has the same parameters."""
    builder = PlanBuilder(model.dtype, training, moving)
    for variable in sorted(model.weights, key=lambda variable: not variable.trainable):
        changes = trained is not None and id(variable) in trained
        rule = variable.constraint
        spec = native_spec(rule, variable.shape) if rule is not None and changes else None
        builder.param(variable, trainable=changes, constraint=spec)
    return builder


def _run_graph(model: Model, builder: PlanBuilder) -> list[Tensor]:
    graph = model.graph
    inputs = [
        builder.input(name, x.dims, x.plan_dtype) for name, x in zip(graph.input_names, graph.flat_inputs, strict=True)
    ]
    outputs: list[Tensor] = flatten(graph.run(pack(graph.inputs, inputs)))
    return outputs


def _lower_loss(builder: PlanBuilder, loss: Loss, y: Tensor, t: Tensor, alone: bool) -> MaskedValues:
    """Emit a loss of the output y; return its values, which share of them counts, and what metrics read.

    Args:
        builder: the builder of the plan.
        loss: the loss.
        y: the output.
        t: its targets.
        alone: whether no other output is the same tensor.
    """
    if loss.dtype not in (None, builder.dtype):
        raise invalid(f"`dtype` of the loss {loss.name!r} must be the model's, {builder.dtype}.", dtype=loss.dtype)
    z = builder.take_activation(y, loss.link) if loss.link and alone and not loss.from_logits else None
    if y.mask is not None:
        return masked_loss(loss, y if z is None else z, t, y.mask, loss.from_logits or z is not None)
    if loss.from_logits:
        v, p = loss.lower_logits(y, t)[0], y
    else:
        v, p = (loss.lower(y, t), y) if z is None else loss.lower_logits(z, t)
    return MaskedValues(v, None if loss.reduction == "sum" else loss.share(v, t), p)


def _loss_term(output: OutputObjectives, loss: Loss, v: Tensor, share: Tensor | None, weight: Tensor | None) -> Term:
    """Return the term for the values v; where not all samples count alike, v is first divided by their mean.

    Args:
        output: the output.
        loss: its loss.
        v: the values per sample, or one for the whole batch.
        share: which share of the values of each sample counts, None if all do.
        weight: the sample weights, None without.

    Raises:
        ValueError: for sample weights beside several values for the whole batch.
    """
    title, factor = f"{output.name}_loss", output.weight * output.scale
    if v.dims == (1,):
        if weight is None and loss.ignore_class is None:
            return Term(title, v.name, factor, "sum")
        if output.values_per_sample != 1.0:
            text = f"The loss {loss.name!r} has no values per sample that could be weighted."
            raise invalid(text, sample_weight=weight)
        # With weights Keras counts the one value for every sample.
        v = ops.broadcast_to(v, (None,))
    by_weight = loss.reduction == "mean_with_sample_weight" and weight is not None
    divisors = [weight] if by_weight and weight is not None else []
    # Keras divides by the sum of the weights as they are given, one per sample, whatever values a sample has.
    scale = output.values_per_sample if by_weight else 1.0
    if share is not None and loss.reduction != "sum":
        divisors.append(share)
        scale = 1.0
    if divisors:
        v = emit.divide_by_mean(v, divisors, scale)
    reduction = "sum" if loss.reduction == "sum" else "sum_over_batch_size"
    name = None if weight is None else weight.name
    return Term(title, v.name, factor, reduction, name)
