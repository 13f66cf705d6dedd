"""What `compile` was told, settled for the outputs of a model: the loss, its weight and the metrics of each output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd import losses, metrics, ops
from fastgd.losses import Loss
from fastgd.metrics import Metric, Totals
from fastgd.ops.builder import Dims, Tensor
from fastgd.ops.losses import sample_mean
from fastgd.utils.checks import check_real
from fastgd.utils.errors import invalid, mistyped, unknown
from fastgd.utils.naming import distinct_name


@dataclass(frozen=True)
class Observed:
    """A metric of an output, under its name in the logs.

    Attributes:
        name: the name.
        metric: the metric.
        weighted: whether it looks at sample weights.
        masked: whether it is a mean over steps of which a mask lets some count.
    """

    name: str
    metric: Metric
    weighted: bool
    masked: bool = False

    def lower(self, p: Tensor, t: Tensor, mask: Tensor | None) -> Tensor:
        """Emit what is added up for predictions p, which carry the mask, and targets t."""
        if not self.masked or mask is None:
            return self.metric.lower(p, t)
        v = self.metric.lower_steps(p, t, mask.dims)
        return ops.stack([sample_mean(ops.multiply(v, mask)), sample_mean(mask)], 1)

    def columns(self, dims: Dims) -> int:
        """Return how many sums are kept for predictions of shape `dims`."""
        return 2 if self.masked else self.metric.columns(dims)

    def combine(self, totals: Totals) -> Any:
        """Return the value that the sums make."""
        if not self.masked:
            return self.metric.combine(totals)
        top, bottom = totals.columns.tolist()
        return top / bottom if bottom else 0.0


@dataclass(frozen=True)
class OutputObjectives:
    """The loss, its weight in the total, and the metrics of one output."""

    name: str
    dims: Dims
    loss: Loss | None
    weight: float
    metrics: tuple[Observed, ...]

    @cached_property
    def target_kinds(self) -> list[bool]:
        """For each array of targets that the output needs, whether it holds integer labels."""
        kinds = [observed.metric.sparse for observed in self.metrics]
        if self.loss is not None:
            kinds.insert(0, self.loss.sparse)
        return list(dict.fromkeys(kinds))

    @cached_property
    def ignored_label(self) -> int | None:
        """The label besides the classes that the targets may hold, None if there is none.

        A loss decides for all, as metrics count no label outside the classes. Without one the metrics must agree.
        """
        if self.loss is not None and self.loss.sparse:
            return self.loss.ignore_class
        ignored = {observed.metric.ignore_class for observed in self.metrics if observed.metric.sparse}
        return ignored.pop() if len(ignored) == 1 else None

    @cached_property
    def label_limit(self) -> int:
        """What integer labels must stay below: the number of classes, unless only a loss reads them that says more."""
        limits = [self.dims[-1] for observed in self.metrics if observed.metric.sparse]
        if self.loss is not None and self.loss.sparse:
            limits.append(self.loss.label_limit(self.dims))
        return min(limits)

    @cached_property
    def scale(self) -> float:
        """What the plan's value of the loss is multiplied by.

        The plan has one value per sample, the mean of the values that the loss has for it; a loss that sums adds those
        up.
        """
        return self.values_per_sample if self.loss is not None and self.loss.reduction == "sum" else 1.0

    @property
    def values_per_sample(self) -> float:
        """How many values the loss has for one sample."""
        return 1.0 if self.loss is None else float(self.loss.values_per_sample(self.dims))


@dataclass(frozen=True)
class Objectives:
    """The objectives of all outputs, and how the numbers of a run become logs."""

    outputs: tuple[OutputObjectives, ...]

    @cached_property
    def with_loss(self) -> list[OutputObjectives]:
        """The outputs that have a loss."""
        return [output for output in self.outputs if output.loss is not None]

    @cached_property
    def output_names(self) -> list[str]:
        """The names of the outputs."""
        return [output.name for output in self.outputs]

    @cached_property
    def with_targets(self) -> list[str]:
        """The names of the outputs that need targets."""
        return [output.name for output in self.outputs if output.target_kinds]

    @cached_property
    def names(self) -> list[str]:
        """The names in the logs: the total loss, the losses of the outputs if there are several, then the metrics."""
        single = len(self.with_loss) == 1
        own = [] if single else [f"{output.name}_loss" for output in self.with_loss]
        return ["loss", *own, *(observed.name for output in self.outputs for observed in output.metrics)]

    def logs(self, totals: npt.NDArray[np.float64]) -> dict[str, Any]:
        """Return the logs for the numerators and denominators of all losses, then of all columns of all metrics.

        Behind the losses of the outputs come the penalties, which only the total loss shows. A metric of several
        values, such as one per class, gives an array.
        """
        metrics = self._metric_columns
        row = len(totals) - sum(columns for _, columns in metrics) if metrics else len(totals)
        sums = totals[:row].tolist()
        own: list[float] = []
        total = penalties = 0.0
        for place, (top, bottom) in enumerate(sums):
            loss = top / bottom if bottom else 0.0
            if place < len(self._factors):
                scale, weight = self._factors[place]
                own.append(scale * loss)
                total += weight * own[-1]
            else:
                penalties += loss
        total += penalties
        if not metrics and len(own) == 1:
            return {"loss": total}
        values: list[Any] = [total] if len(own) == 1 else [total, *own]
        # Every loss counts the samples, whatever their weights.
        samples = sums[0][1] if row else 0.0
        for observed, columns in metrics:
            part = totals[row : row + columns]
            values.append(observed.combine(Totals(part[:, 0], float(part[0, 1]), samples)))
            row += columns
        return dict(zip(self.names, values, strict=True))

    @cached_property
    def _factors(self) -> list[tuple[float, float]]:
        """By what each loss is multiplied to be shown, and that to be part of the total."""
        return [(output.scale, output.weight) for output in self.with_loss]

    @cached_property
    def _metric_columns(self) -> list[tuple[Observed, int]]:
        return [(seen, seen.columns(output.dims)) for output in self.outputs for seen in output.metrics]

    def find_metric(self, name: str) -> Metric | None:
        """Return the metric called `name` in the logs."""
        for output in self.outputs:
            for observed in output.metrics:
                if observed.name == name:
                    return observed.metric
        return None


def settle(
    names: Sequence[str],
    dims: Sequence[Dims],
    loss: Any,
    loss_weights: Any,
    metrics: Any,
    weighted_metrics: Any,
    masks: Sequence[Dims | None],
) -> Objectives:
    """Return the objectives that the arguments of `compile` mean for outputs of these names, shapes and masks.

    Raises:
        ValueError: for an unknown name, or a list or dict that does not fit the outputs.
        TypeError: for an argument of a wrong type.
    """
    chosen = _spread("loss", loss, names)
    weights = _spread("loss_weights", loss_weights, names)
    plain = _spread_metrics("metrics", metrics, names)
    weighted = _spread_metrics("weighted_metrics", weighted_metrics, names)
    outputs = []
    for k, name in enumerate(names):
        own_loss = losses.get(chosen[k])
        if own_loss is not None and own_loss.reduction in (None, "none"):
            raise invalid("`loss` must be reduced to one number to be trained.", reduction=own_loss.reduction)
        prefix = "" if len(names) == 1 else f"{name}_"
        sparse = own_loss is not None and own_loss.sparse
        observed = [
            _observe(metric, prefix, dims[k], sparse, is_weighted, masks[k] is not None)
            for is_weighted, group in ((False, plain[k]), (True, weighted[k]))
            for metric in group
        ]
        weight = 1.0 if weights[k] is None else check_real("loss_weights", weights[k])
        outputs.append(OutputObjectives(name, dims[k], own_loss, weight, tuple(observed)))
    return Objectives(tuple(_with_distinct_names(outputs)))


def _observe(identifier: Any, prefix: str, dims: Dims, sparse: bool, weighted: bool, masked: bool) -> Observed:
    metric = metrics.get(identifier, dims, sparse)
    return Observed(prefix + metric.name, metric, weighted, masked and metric.heeds_masks)


def _spread(argument: str, value: Any, names: Sequence[str]) -> list[Any]:
    """Return one entry per output from an entry for all, a list or a dict by the outputs' names."""
    if isinstance(value, dict) and "class_name" not in value:
        _check_keys(argument, value, names)
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise invalid(f"`{argument}` must have one entry per output: {', '.join(names)}.", **{argument: value})
        return list(value)
    if argument == "loss_weights" and value is not None and len(names) > 1:
        raise mistyped("`loss_weights` must be a list or a dict for a model with several outputs.", loss_weights=value)
    return [value] * len(names)


def _spread_metrics(argument: str, value: Any, names: Sequence[str]) -> list[list[Any]]:
    """Return a list of metrics per output."""
    if value is None:
        return [[] for _ in names]
    if isinstance(value, dict):
        _check_keys(argument, value, names)
        entries = [value.get(name) for name in names]
    elif not isinstance(value, (list, tuple)):
        raise mistyped(f"`{argument}` must be a list, or a dict by the outputs' names.", **{argument: value})
    elif len(names) == 1:
        entries = [value[0] if len(value) == 1 and isinstance(value[0], (list, tuple)) else value]
    elif len(value) != len(names):
        raise invalid(f"`{argument}` must have one entry per output: {', '.join(names)}.", **{argument: value})
    else:
        entries = list(value)
    groups = [entry if isinstance(entry, (list, tuple)) else [entry] for entry in entries]
    return [[metric for metric in group if metric is not None] for group in groups]


def _check_keys(argument: str, value: dict[str, Any], names: Sequence[str]) -> None:
    for key in value:
        if key not in names:
            raise unknown("output", names, **{argument: key})


def _with_distinct_names(outputs: Sequence[OutputObjectives]) -> list[OutputObjectives]:
    """Return the outputs with a number behind the name of a metric that the logs have already, as in Keras."""
    taken = set(Objectives(tuple(replace(output, metrics=()) for output in outputs)).names)
    settled = []
    for output in outputs:
        observed = []
        for metric in output.metrics:
            name = distinct_name(metric.name, taken)
            taken.add(name)
            observed.append(replace(metric, name=name))
        settled.append(replace(output, metrics=tuple(observed)))
    return settled
