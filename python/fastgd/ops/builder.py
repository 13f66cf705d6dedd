"""Writing a plan: symbolic tensors and the builder that collects the steps that ops emit."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from fastgd.ops.operators import Operators
from fastgd.ops.parameters import Variable
from fastgd.plan import BATCH, Attribute, ConstraintSpec, ParamSpec, Plan, Step, TensorSpec, Term
from fastgd.utils.naming import distinct_name

Dims = tuple[int, ...]
Shape = tuple[int | None, ...]

# An odd constant spreads the seeds that are made from one; this is 2**64 divided by the golden ratio.
_SEED_STEP = 0x9E3779B97F4A7C15


def to_shape(dims: Sequence[int]) -> Shape:
    """Return sizes of the plan as a Keras shape, in which a multiple of the batch is None."""
    return tuple(None if d < 0 else d for d in dims)


def to_dims(shape: Sequence[int | None], batch: int = BATCH) -> Dims:
    """Return a Keras shape as sizes of the plan; None is the batch, of the size `batch`."""
    return tuple(batch if d is None else d for d in shape)


def show_dims(dims: Sequence[int]) -> str:
    """Return sizes of the plan as text for messages: (batch, 3) or (4*batch, 3)."""
    words = ["batch" if d == BATCH else f"{-d}*batch" if d < 0 else str(d) for d in dims]
    return "(" + ", ".join(words) + ("," if len(words) == 1 else "") + ")"


# The ops that take int32 tensors; everywhere else they would be read as floating numbers.
INTEGER_TAKERS = frozenset(
    {
        "broadcast_to",
        "cast",
        "category_encoding",
        "class_pairs",
        "concatenate",
        "embedding",
        "flatten",
        "gather",
        "label_share",
        "numpy_function",
        "one_hot",
        "pad",
        "reshape",
        "slice",
        "sparse_categorical_accuracy",
        "sparse_categorical_crossentropy",
        "sparse_softmax_crossentropy",
        "sparse_top_k_categorical_accuracy",
        "transpose",
    }
)


# The builder into whose plan a layer of this thread or asynchronous task is being emitted.
_emitting: ContextVar[PlanBuilder | None] = ContextVar("fastgd_emitting", default=None)


def emitting_builder() -> PlanBuilder | None:
    """Return the builder into whose plan a layer is being emitted, None outside of layers."""
    return _emitting.get()


class Placeholder(Operators):
    """What stands for a tensor before there is a plan: an op called on one is recorded, to be emitted later."""

    # NumPy leaves its operators to ours.
    __array_ufunc__ = None

    def record(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Return what stands for `function(*args, **kwargs)`."""
        raise NotImplementedError(f"{type(self).__name__} must implement record(function, args, kwargs)")


class Tensor(Operators):
    """A tensor of a plan that is being written; ops take and return it.

    Attributes:
        builder: the builder of the plan.
        name: the name in the plan.
        dims: the sizes as the plan counts them: negative ones are multiples of the batch.
        dtype: "float32", "float64" or "int32".
        mask: a floating tensor (batch, steps) of ones and zeros that tells which steps of this one count; None for all.
    """

    __slots__ = ("builder", "dims", "dtype", "mask", "name")
    # NumPy functions refuse it at once instead of treating it as an object, and NumPy leaves its operators to ours.
    __array_ufunc__ = None

    def __init__(self, builder: PlanBuilder, name: str, dims: Dims, dtype: str) -> None:
        self.builder = builder
        self.name = name
        self.dims = dims
        self.dtype = dtype
        self.mask: Tensor | None = None

    @property
    def shape(self) -> Shape:
        """The shape in Keras' form, with None for the batch."""
        return to_shape(self.dims)

    def __repr__(self) -> str:
        """Show name, shape and dtype."""
        return f"<Tensor {self.name} {show_dims(self.dims)} {self.dtype}>"


def as_vector(x: Tensor) -> Tensor:
    """Return a scalar as a vector of one element."""
    return x.builder.emit("reshape", [x], [(1,)], attrs={"shape": (1,)})[0]


class PlanBuilder:
    """Collects tensors, parameters and steps, and makes the plan of them.

    Args:
        dtype: the floating type of the plan.
        training: whether layers that differ between training and prediction shall emit their training form.
        moving: the ids of the variables that steps may move in training besides those that optimizers train, such as
            moving averages; None if their layers decide.

    Attributes:
        variables: the variables behind the parameters, in the order in which arrays are bound.
        steps: the steps so far.
        losses: the losses that layers have added besides those of the outputs.
        index_limits: by the names of tensors what integers fed to them must stay below.
        batch: what ops take for the batch: -1, or a multiple inside a layer that has joined other axes with it.
    """

    def __init__(self, dtype: str, training: bool = False, moving: Collection[int] | None = None) -> None:
        self.dtype = dtype
        self.training = training
        self.batch = BATCH
        self._moving = moving
        self.variables: list[Variable] = []
        self.steps: list[Step] = []
        self._tensors: dict[str, TensorSpec] = {}
        self.losses: list[Term] = []
        self.index_limits: dict[str, int] = {}
        self._inputs: list[str] = []
        self._params: dict[int, ParamSpec] = {}
        self._read: dict[int, Tensor] = {}
        self._seeds: set[int] = set()
        self._scopes: list[str] = []

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs so far."""
        return tuple(self._inputs)

    def input(self, name: str, dims: Dims, dtype: str | None = None) -> Tensor:
        """Add a tensor that is fed from data."""
        tensor = self._new_tensor(name, dims, dtype or self.dtype)
        self._inputs.append(tensor.name)
        return tensor

    def param(self, variable: Variable, trainable: bool | None = None, constraint: ConstraintSpec | None = None) -> str:
        """Return the parameter's name for `variable`, adding the parameter at the first call."""
        spec = self._params.get(id(variable))
        if spec is None:
            name = distinct_name(variable.path, {known.name for known in self._params.values()})
            spec = ParamSpec(name, variable.shape, variable.trainable if trainable is None else trainable, constraint)
            self._params[id(variable)] = spec
            self.variables.append(variable)
        return spec.name

    def params_of(self, step: Step) -> list[Variable]:
        """Return the variables behind the parameters of a step."""
        known = {self._params[id(variable)].name: variable for variable in self.variables}
        return [known[name] for name in step.params]

    def read(self, variable: Variable) -> Tensor:
        """Return the value of `variable` as a tensor, which has no batch axis; one step serves all who read it."""
        if id(variable) not in self._read:
            self._read[id(variable)] = self.emit("parameter", [], [variable.shape], [variable])[0]
        return self._read[id(variable)]

    def constant(self, value: float, dims: Dims = ()) -> Tensor:
        """Return a tensor of these sizes that holds `value` everywhere."""
        return self.emit("constant", [], [dims], attrs={"value": float(value), "shape": dims})[0]

    def emit(
        self,
        op: str,
        inputs: Sequence[Tensor],
        dims: Sequence[Dims],
        params: Sequence[Variable] = (),
        attrs: Mapping[str, Attribute] | None = None,
        dtype: str | None = None,
    ) -> tuple[Tensor, ...]:
        """Add the step `op` and return its outputs, one per entry of `dims`, of the plan's floating type or `dtype`."""
        if op not in INTEGER_TAKERS and any(x.dtype == "int32" for x in inputs):
            wrong = ", ".join(x.name for x in inputs if x.dtype == "int32")
            raise ValueError(f"[{op}] takes floating tensors, not integers. Received: {wrong} of dtype int32")
        prefix = "/".join([*self._scopes, op])
        outputs = tuple(self._new_tensor(prefix, size, dtype or self.dtype) for size in dims)
        names = tuple(self.param(variable) for variable in params)
        self.steps.append(
            Step(op, tuple(x.name for x in inputs), tuple(y.name for y in outputs), names, dict(attrs or {}))
        )
        return outputs

    def moves(self, variable: Variable, otherwise: bool) -> bool:
        """Return whether steps may move `variable` in training; `otherwise` is what its layer says."""
        return otherwise if self._moving is None else id(variable) in self._moving

    def limit_indices(self, x: Tensor, limit: int) -> None:
        """Note that a layer takes only integers below `limit` in x."""
        self.index_limits[x.name] = min(limit, self.index_limits.get(x.name, limit))

    def take_activation(self, y: Tensor, function: str) -> Tensor | None:
        """Undo the activation `function` that made y, and return what it was applied to.

        A loss that knows the activation computes better from there, if nothing else needs y.

        Returns:
            The tensor before the activation; None, and nothing is changed, if y has another origin or is needed.
        """
        if any(y.name in step.inputs for step in self.steps) or any(y.name == term.tensor for term in self.losses):
            return None
        for place, step in enumerate(self.steps):
            if step.outputs != (y.name,):
                continue
            if step.op == "activation" and dict(step.attrs) == {"function": function}:
                del self.steps[place]
                del self._tensors[y.name]
                before = self._tensors[step.inputs[0]]
                return Tensor(self, before.name, before.shape, before.dtype)
            # A step that takes an activation along.
            if step.attrs.get("activation") == function:
                self.steps[place] = replace(step, attrs={**step.attrs, "activation": "linear"})
                return y
        return None

    def source(self, y: Tensor, op: str, attrs: Mapping[str, Attribute]) -> Tensor | None:
        """Return the first input of the step that made y, None if that is not `op` with these attributes."""
        for step in reversed(self.steps):
            if y.name in step.outputs:
                if step.op != op or dict(step.attrs) != attrs:
                    return None
                spec = self._tensors[step.inputs[0]]
                return Tensor(self, spec.name, spec.shape, spec.dtype)
        return None

    def distinct_seed(self, seed: int) -> int:
        """Return `seed`, or one derived from it if a step has it already: no two steps of a plan share their draws."""
        while seed in self._seeds:
            seed = (seed + _SEED_STEP) % 2**64
        self._seeds.add(seed)
        return seed

    def add_loss(self, value: Tensor, reduction: str = "sum") -> None:
        """Let `value` join the total loss: a scalar, a tensor of one value for the batch, or one value per sample.

        Args:
            value: tensor of shape (), (1,) or (batch,).
            reduction: "sum", or "sum_over_batch_size" to divide by the number of samples.
        """
        if value.dims == ():
            value = as_vector(value)
        if value.dims not in ((1,), (BATCH,)):
            raise ValueError(f"a loss has one value, or one per sample: this one has the shape {show_dims(value.dims)}")
        self.losses.append(Term(value.name, value.name, reduction=reduction))

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Name the tensors made inside after the layer `name`."""
        self._scopes.append(name)
        token = _emitting.set(self)
        try:
            yield
        finally:
            _emitting.reset(token)
            self._scopes.pop()

    @contextmanager
    def multiple(self, batch: int) -> Iterator[None]:
        """Let ops inside take a multiple of the batch, such as -3, for the batch."""
        before, self.batch = self.batch, batch
        try:
            yield
        finally:
            self.batch = before

    def build(self, outputs: Sequence[Tensor] = (), losses: Sequence[Term] = (), metrics: Sequence[Term] = ()) -> Plan:
        """Return the finished plan."""
        return Plan(
            dtype=self.dtype,
            tensors=tuple(self._tensors.values()),
            params=tuple(self._params[id(variable)] for variable in self.variables),
            steps=tuple(self.steps),
            inputs=self.inputs,
            outputs=tuple(y.name for y in outputs),
            losses=tuple(losses),
            metrics=tuple(metrics),
        )

    def _new_tensor(self, name: str, dims: Dims, dtype: str) -> Tensor:
        name = distinct_name(name, self._tensors)
        self._tensors[name] = TensorSpec(name, dims, dtype)
        return Tensor(self, name, dims, dtype)
