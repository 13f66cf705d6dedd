"""The steps of `fit` and `evaluate` as methods that a subclass may override, and what such a method calls."""

from __future__ import annotations

from typing import Any

from fastgd import ops
from fastgd.callbacks import CallbackList
from fastgd.metrics import Mean, Metric
from fastgd.models.compiling import Compilable
from fastgd.models.objectives import OutputObjectives
from fastgd.ops.builder import Tensor
from fastgd.ops.recording import Recording, current_recording
from fastgd.regularizers import lower_weight
from fastgd.utils.batches import unpack_x_y_sample_weight
from fastgd.utils.structure import flatten


class Steps(Compilable):
    """The part of a model that does one step.

    `fit` and `evaluate` run many batches in one call of the engine. Where a subclass overrides `train_step` or
    `test_step` they call it for every batch instead.
    """

    def _init_steps(self) -> None:
        self._init_compiling()
        self._loss_tracker = Mean(name="loss")
        self._running: Any = 0.0

    def train_step(self, data: Any) -> dict[str, Any]:
        """Do one update with a batch; a subclass may override it to train in another way.

        Args:
            data: the arrays of the batch, as `utils.unpack_x_y_sample_weight` takes them apart.

        Returns:
            The logs. Those of the last step of an epoch are the logs of the epoch, so they should be the results of
            metrics, which `reset_metrics` resets before every epoch; here they are means over the epoch so far.

        Example:
            >>> class Plain(fastgd.Model):
            ...     def train_step(self, data):
            ...         x, y = data
            ...         with fastgd.GradientTape() as tape:
            ...             loss = self.compute_loss(y=y, y_pred=self(x, training=True))
            ...         gradients = tape.gradient(loss, self.trainable_weights)
            ...         self.optimizer.apply(gradients, self.trainable_weights)
            ...         return {"loss": float(loss)}
        """
        batch, objectives = self._model._batch("train_step", *unpack_x_y_sample_weight(data))
        with self._model._engine("train", batch) as engine:
            batch.train(engine, objectives, None, None, 0).run_epoch(CallbackList())
            self._running = self._running + engine.executor.totals()
        return objectives.logs(self._running)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Return the logs of a batch without training; what `train_step` says holds for it too."""
        batch, objectives = self._model._batch("test_step", *unpack_x_y_sample_weight(data))
        with self._model._engine("evaluate", batch) as engine:
            batch.evaluate(engine, objectives, CallbackList())
            self._running = self._running + engine.executor.totals()
        return objectives.logs(self._running)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """Return the loss that `compile` was given, with all penalties, for steps of one's own.

        Args:
            x: the inputs, for subclasses that override it.
            y: the targets.
            y_pred: what a call of the model returned.
            sample_weight: None or the weights (n,).
            training: for subclasses that override it.

        Returns:
            A tensor inside a GradientTape, else a float.
        """
        total: Any = 0.0
        for output, t, p, weight in self._by_output(y, y_pred, sample_weight):
            if output.loss is not None:
                total = total + output.weight * output.loss(t, p, weight)
        recording = current_recording()
        penalties = self._model.losses if recording is None else _recorded_penalties(self._model, recording)
        for penalty in penalties:
            total = total + penalty
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Let the metrics that `compile` was given see a batch, and return the results of `metrics`."""
        for output, t, p, weight in self._by_output(y, y_pred, sample_weight):
            for observed in output.metrics:
                observed.metric.update_state(t, p, weight if observed.weighted else None)
        return self.get_metrics_result()

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the results of `metrics` by their names."""
        return {name: metric.result() for name, metric in self.named_metrics().items()}

    def reset_metrics(self) -> None:
        """Reset `metrics`, as `fit` does before every epoch of steps of one's own."""
        self._running = 0.0
        for metric in self.metrics:
            metric.reset_state()

    @property
    def metrics(self) -> list[Metric]:
        """The metrics; those of a class with a step of its own begin with the mean of the loss, for it to update."""
        return list(self._own_metrics().values())

    def named_metrics(self) -> dict[str, Metric]:
        """Return the metrics by their names in the logs."""
        own = self._own_metrics()
        kept = {id(metric): name for name, metric in own.items()}
        # A subclass may have listed others.
        return {kept.get(id(metric), metric.name): metric for metric in self.metrics}

    def _own_metrics(self) -> dict[str, Metric]:
        if not self.overrides("train_step"):
            return super().named_metrics()
        compiled = self._compiled
        objectives = None if compiled is None else compiled.settle(self._model)
        outputs = () if objectives is None else objectives.outputs
        observed = {each.name: each.metric for output in outputs for each in output.metrics}
        return {"loss": self._loss_tracker, **observed}

    def overrides(self, step: str) -> bool:
        """Return whether the class has a "train_step" or "test_step" of its own."""
        return getattr(type(self), step) is not getattr(Steps, step)

    def _by_output(self, y: Any, y_pred: Any, sample_weight: Any) -> list[tuple[OutputObjectives, Any, Any, Any]]:
        """Return the objectives, targets, predictions and weights of each output."""
        compiled = self._require_compiled("compute_loss")
        objectives = compiled.settle(self._model)
        if objectives is None:
            _ = self._model.graph
            raise AssertionError("a model with a graph has objectives")
        outputs = objectives.outputs
        if len(outputs) == 1:
            return [(outputs[0], y, flatten(y_pred)[0], sample_weight)]
        shared = not isinstance(sample_weight, (list, tuple, dict))
        weights = [sample_weight] * len(outputs) if shared else _listed(sample_weight, outputs)
        return list(zip(outputs, _listed(y, outputs), flatten(y_pred), weights, strict=True))


def _listed(structure: Any, outputs: tuple[OutputObjectives, ...]) -> list[Any]:
    """Return what belongs to each output from a list or a dict by their names."""
    if isinstance(structure, dict):
        return [structure.get(output.name) for output in outputs]
    return [None] * len(outputs) if structure is None else list(structure)


def _recorded_penalties(model: Any, recording: Recording) -> list[Tensor]:
    """Return what layers have added to the loss in a recording since the last time, and the penalties on weights."""
    penalties: list[Tensor] = []
    added, recording.losses = recording.losses, []
    for term in added:
        value = recording.tensor(term.tensor)
        if term.reduction == "sum":
            penalties.append(ops.sum(value))
        elif value.dims == (1,):
            penalties.append(ops.sum(value) / float(recording.rows or 1))
        else:
            penalties.append(ops.mean(value))
    ruled = [variable for variable in model.trainable_weights if variable.regularizer is not None]
    return penalties + [ops.sum(lower_weight(variable.regularizer, recording, variable)) for variable in ruled]
