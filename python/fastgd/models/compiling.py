"""compile: the optimizer, losses and metrics of a model, settled once its outputs are known, and its plans."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from fastgd import optimizers
from fastgd.layers.layer import Layer
from fastgd.metrics import Metric
from fastgd.models.lowering import Lowered, lower_prediction, lower_training
from fastgd.models.objectives import Objectives, settle
from fastgd.models.session import Session
from fastgd.ops.builder import Dims
from fastgd.ops.parameters import Variable
from fastgd.optimizers import Optimizer
from fastgd.optimizers.optimizer import registry
from fastgd.plan import BATCH, Plan
from fastgd.utils.checks import check_bool, check_int
from fastgd.utils.errors import invalid

if TYPE_CHECKING:
    from fastgd.models.model import Model


@dataclass
class Compiled:
    """The arguments of `compile`, and what held at that time.

    Attributes:
        flags: the layers that there were, with whether each was trainable.
        trained: the ids of the variables that were trainable.
        moving: the ids of those that the forward pass moves.
    """

    optimizer: Optimizer
    loss: Any
    loss_weights: Any
    metrics: Any
    weighted_metrics: Any
    flags: Sequence[tuple[Layer, bool]] = ()
    objectives: Objectives | None = None
    trained: frozenset[int] | None = None
    moving: frozenset[int] | None = None

    def settle(self, model: Model) -> Objectives | None:
        """Return the objectives, which are made when the outputs are first known; None until then."""
        if self.objectives is None and model.built:
            dims = [y.dims for y in model.outputs]
            masks = [y.mask_dims for y in model.outputs]
            self.objectives = self._settle(model, model.output_names, dims, masks)
            with _trainable_as(self.flags):
                self.trained = frozenset(id(variable) for variable in model.trainable_weights)
                self.moving = frozenset(id(variable) for variable in model.moving_weights)
        elif self.objectives is None and model.layers and not model.subclassed:
            # A trial, so that a misspelt name is reported by `compile` and not by `fit`. Nobody knows yet what outputs
            # the `call` of a subclass has.
            self._settle(model, [model.layers[-1].name], [(BATCH, 2)], [None])
        return self.objectives

    def unsettle(self) -> None:
        """Forget the objectives, when the graph has changed."""
        self.objectives = None

    def _settle(self, model: Model, names: list[str], dims: list[Dims], masks: list[Dims | None]) -> Objectives:
        objectives = settle(names, dims, self.loss, self.loss_weights, self.metrics, self.weighted_metrics, masks)
        if not model.overrides("train_step"):
            for output in objectives.outputs:
                for observed in output.metrics:
                    observed.metric.require_lower()
        return objectives


class Compilable:
    """The part of a model that `compile` concerns."""

    def _init_compiling(self) -> None:
        self._compiled: Compiled | None = None
        self._session = Session()

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int | str = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how to train; which layers are trainable is settled now, too.

        The last four say in Keras how a step is executed. A plan is compiled always, as many batches run in one go as
        the callbacks allow, and no loss needs scaling: they are checked, so that scripts run unchanged, and decide
        nothing.

        Args:
            optimizer: a name or an Optimizer.
            loss: a name, a Loss or a function of `fastgd.losses`; for several outputs also a list, or a dict by their
                names, in which None or nothing means no loss.
            loss_weights: the weight of each loss in the total: a list, a dict, or a number for a single output.
            metrics: a list of names or Metrics, which do not look at sample weights; for several outputs a list with
                one entry or list per output, or a dict.
            weighted_metrics: the same for metrics that do.
            run_eagerly: False; a plan cannot be run line by line.
            steps_per_execution: 1 or more, or "auto".
            jit_compile: True, False or "auto".
            auto_scale_loss: True or False.

        Raises:
            ValueError: if the optimizer is None, a name is unknown, or `run_eagerly` is True.
            TypeError: if an argument has a wrong type.

        Example:
            >>> model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        """
        _check_execution(run_eagerly, steps_per_execution, jit_compile, auto_scale_loss)
        flags = [(layer, layer.trainable) for layer in _layers_of(self._model)]
        compiled = Compiled(check_optimizer(optimizer), loss, loss_weights, metrics, weighted_metrics, flags)
        compiled.settle(self._model)
        self._compiled = compiled
        self._reset_plans()

    def make_plan(self, training: bool = True, sample_weight: bool = False) -> Plan:
        """Return the plan that the executors run, for tests and for the curious.

        Args:
            training: whether to return the plan to train and evaluate, which needs `compile`, or the one to predict.
            sample_weight: whether the plan to train takes sample weights for every output.

        Returns:
            The plan. Its parameters have the order and the names of both plans.
        """
        if not training:
            return lower_prediction(self._model).plan
        objectives = self._ready("make_plan")
        return self._lower(range(len(objectives.outputs)) if sample_weight else ()).plan

    def get_compile_config(self) -> dict[str, Any] | None:
        """Return the arguments of `compile`, None before it; a subclass with a `compile` of its own overrides it."""
        if self._compiled is None:
            return None
        names = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics")
        given = {name: _renamed(getattr(self._compiled, name), self._keys_by_name()) for name in names}
        return {**given, "run_eagerly": False, "steps_per_execution": 1, "jit_compile": "auto"}

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compile the model by what `get_compile_config` returned."""
        if type(self).compile is not Compilable.compile:
            warnings.warn(
                f"{type(self).__name__} has a `compile` of its own, which is not called: call it, or override "
                "`get_compile_config` and `compile_from_config`.",
                stacklevel=2,
            )
            return
        names = {key: name for name, key in self._keys_by_name().items()}
        self.compile(**{argument: _renamed(value, names) for argument, value in config.items()})

    def _keys_by_name(self) -> dict[str, str]:
        """Return the keys by which Keras knows the outputs, where the outputs are a dict, by their names."""
        model = self._model
        if not model.has_graph or not isinstance(model.output, dict):
            return {}
        return dict(zip(model.output_names, sorted(model.output), strict=True))

    @property
    def compiled(self) -> bool:
        """Whether `compile` has been called."""
        return self._compiled is not None

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer that `compile` was given."""
        return self._require_compiled("optimizer").optimizer

    @property
    def loss(self) -> Any:
        """The loss that `compile` was given."""
        return self._require_compiled("loss").loss

    @property
    def metrics_names(self) -> list[str]:
        """The names in the logs, in the order in which `evaluate` returns the numbers."""
        return self._ready("metrics_names").names

    def named_metrics(self) -> dict[str, Metric]:
        """Return the metrics by their names in the logs."""
        outputs = self._ready("named_metrics").outputs
        return {observed.name: observed.metric for output in outputs for observed in output.metrics}

    @property
    def _model(self) -> Model:
        return cast("Model", self)

    def _build_for(self, x: Any) -> None:
        """Build a model that waits for the shape of its data."""

    def _require_compiled(self, what: str) -> Compiled:
        if self._compiled is None:
            raise ValueError(f"The model {self._model.name!r} is not compiled: call `compile` before `{what}`.")
        return self._compiled

    def _ready(self, what: str, x: Any = None) -> Objectives:
        """Return the objectives of a compiled model, building it for x first if it waits for that."""
        compiled = self._require_compiled(what)
        if x is not None:
            self._build_for(x)
        _ = self._model.graph
        objectives = compiled.settle(self._model)
        assert objectives is not None
        if not objectives.with_loss:
            raise ValueError(f"The model {self._model.name!r} has no loss: give `compile` one before `{what}`.")
        return objectives

    def _lower(self, weighted: Any) -> Lowered:
        compiled = self._require_compiled("fit")
        objectives = self._ready("fit")
        return lower_training(self._model, objectives, compiled.trained or frozenset(), weighted, compiled.moving)

    def _trained_variables(self) -> list[Variable]:
        """Return the variables that training changes: those that were trainable when the model was compiled."""
        model = self._model
        _ = model.graph
        if self._compiled is None:
            return model.trainable_weights
        self._compiled.settle(model)
        trained = self._compiled.trained or frozenset()
        return [variable for variable in model.weights if id(variable) in trained]

    def _reset_plans(self) -> None:
        """Forget the executors, when the graph or the objectives have changed."""
        self._session.reset()


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Return an argument of `compile` with the keys of a dict renamed where `names` has them."""
    if not isinstance(value, Mapping):
        return value
    return {names.get(key, key): part for key, part in value.items()}


def _layers_of(layer: Layer) -> list[Layer]:
    """Return a layer and all layers inside it."""
    inner = layer.layers if hasattr(layer, "layers") else layer.sublayers
    return [layer, *(each for part in inner for each in _layers_of(part))]


@contextmanager
def _trainable_as(flags: Sequence[tuple[Layer, bool]]) -> Iterator[None]:
    """Let layers be trainable as they were: a model that is built late is compiled with the flags of `compile`."""
    present = [(layer, layer.trainable) for layer, _ in flags]
    for layer, trainable in flags:
        layer._trainable = trainable
    try:
        yield
    finally:
        for layer, trainable in present:
            layer._trainable = trainable


def check_optimizer(optimizer: Any) -> Optimizer:
    """Return the optimizer that the argument of `compile` names.

    Raises:
        ValueError: if it is None, or a name is unknown.
    """
    if optimizer is None:
        known = ", ".join(repr(name) for name in registry.names())
        raise invalid(f"`optimizer` must be given: {known} or an Optimizer.", optimizer=optimizer)
    return optimizers.get(optimizer)


def _check_execution(run_eagerly: Any, steps_per_execution: Any, jit_compile: Any, auto_scale_loss: Any) -> None:
    """Check the arguments of `compile` that decide nothing here."""
    if check_bool("run_eagerly", run_eagerly):
        raise invalid("`run_eagerly` must be False: steps always run compiled.", run_eagerly=run_eagerly)
    if steps_per_execution != "auto":
        check_int("steps_per_execution", steps_per_execution, 1)
    if jit_compile != "auto":
        check_bool("jit_compile", jit_compile)
    check_bool("auto_scale_loss", auto_scale_loss)
