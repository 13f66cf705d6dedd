"""What a GradientTape records: ops on tensors that stand for the values which the engine gives them later."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.ops.builder import Dims, PlanBuilder, Tensor
from fastgd.ops.parameters import Variable, Watcher, watch_weights
from fastgd.plan import BATCH, ConstraintSpec, TensorSpec
from fastgd.utils.errors import invalid
from fastgd.utils.naming import distinct_name
from fastgd.utils.seeds import draw_seed
from fastgd.utils.structure import flatten, pack

Array = npt.NDArray[Any]

_active: ContextVar[Recording | None] = ContextVar("fastgd_recording", default=None)


class RecordedTensor(Tensor):
    """A tensor inside the block of a GradientTape; outside it is taken for its value.

    NumPy functions, `float` and the like give the value too, at any time. The engine computes it when it is first
    needed, from the weights of the moment in which it was recorded.
    """

    __slots__ = ("__weakref__",)
    builder: Recording

    def numpy(self) -> Array:
        """Return the value."""
        return self.builder.value_of(self)

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        """Let NumPy functions take it for its value."""
        value = self.numpy()
        return value.astype(dtype or value.dtype, copy=bool(copy))

    def __float__(self) -> float:
        return float(self.numpy().item())

    def __bool__(self) -> bool:
        return bool(self.numpy().item())

    def __len__(self) -> int:
        return len(self.numpy())

    def __format__(self, spec: str) -> str:
        return format(float(self), spec) if spec else repr(self)


class Recording(PlanBuilder, Watcher):
    """The steps inside the block of a GradientTape, or of several nested ones.

    Arrays that enter a layer, a model or a loss are inputs whose first axis is the batch. All of them have equally many
    rows.

    Attributes:
        rows: the number of rows, None until an array has entered.
        feeds: the arrays of the inputs, by name.
        watched: the tensors of the arrays that a tape watches, by the arrays' identities, each with its array.
        values: the values that are known, by the names of tensors.
        iteration: which draw of the random ops it makes.
        ran: whether a run has moved the averages that its layers move.
        tapes: the tapes that record here.
    """

    def __init__(self) -> None:
        super().__init__("", training=False)
        self.rows: int | None = None
        self.feeds: dict[str, Array] = {}
        self.watched: dict[int, tuple[Array, Tensor | None]] = {}
        self.values: dict[str, Array] = {}
        self.iteration = draw_seed() % 2**63
        self.ran = False
        self.tapes: weakref.WeakSet[Any] = weakref.WeakSet()
        self._handed: weakref.WeakSet[Tensor] = weakref.WeakSet()
        # What the builder itself holds on to is nobody's value.
        self._inner: set[str] = set()
        self._kept: list[Array] | None = None

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record what happens inside."""
        token = _active.set(self)
        try:
            yield
        finally:
            _active.reset(token)

    @property
    def is_active(self) -> bool:
        """Whether it records now."""
        return _active.get() is self

    def take(self, structure: Any, dtype: str, name: str = "inputs") -> Any:
        """Return a structure of arrays and recorded tensors with a tensor of this recording for each."""
        # A list of numbers is an array written out; a list of arrays is several inputs.
        leaves = flatten(structure)
        if isinstance(structure, (list, tuple)) and not any(hasattr(leaf, "shape") for leaf in leaves):
            structure, leaves = 0, [np.asarray(structure)]
        return pack(structure, [self.feed(leaf, dtype, name) for leaf in leaves])

    def feed(self, x: Any, dtype: str, name: str = "inputs", integer: bool = False) -> Tensor:
        """Return the tensor of an array (n, ...), which becomes an input; one of this recording is returned as it is.

        Args:
            x: an array, or a recorded tensor, which counts as its value if another recording made it.
            dtype: the floating type of whoever takes it.
            name: what messages call it.
            integer: whether to make an int32 tensor of it.
        """
        if isinstance(x, Tensor) and x.builder is self:
            return x
        found = self.watched.get(id(x))
        if found is not None and found[1] is not None:
            return found[1]
        array = np.array(x)
        self.settle_dtype(dtype)
        if array.dtype.kind not in "biuf" or array.ndim == 0:
            raise invalid(f"`{name}` must be numbers with the batch as their first axis.", **{name: x})
        if self.rows is not None and len(array) != self.rows:
            raise invalid(
                "All arrays that enter layers and losses inside a GradientTape must have equally many rows; there are "
                f"arrays of {self.rows} rows already.",
                **{f"{name}.shape": array.shape},
            )
        self.rows = len(array)
        tensor = self.input("x", (BATCH, *array.shape[1:]), "int32" if integer else None)
        self.feeds[tensor.name] = self.values[tensor.name] = array
        if found is not None:
            self.watched[id(x)] = found[0], tensor
        return tensor

    def adopt(self, value: Any, rank: int) -> Any:
        """Return a tensor for an array beside tensors of which the largest has `rank` axes, if it has one row for each.

        Smaller arrays are left as they are: NumPy's rule lines them up with the last axes.
        """
        if isinstance(value, np.ndarray) and value.ndim == rank and self.rows and len(value) == self.rows:
            return self.feed(value, self.dtype, integer=value.dtype == np.int32)
        return value

    def settle_dtype(self, dtype: str) -> None:
        """Take the floating type of the first that enters."""
        self.dtype = self.dtype or dtype
        if dtype != self.dtype:
            raise invalid(f"Everything inside a GradientTape must have one dtype, here {self.dtype}.", dtype=dtype)

    def param(self, variable: Variable, trainable: bool | None = None, constraint: ConstraintSpec | None = None) -> str:
        """Return the parameter's name for `variable`, as a PlanBuilder does, and watch it."""
        known = len(self.variables)
        self.settle_dtype(variable.dtype)
        name = super().param(variable, trainable, constraint)
        if len(self.variables) > known:
            watch_weights(self)
            if self._kept is not None:
                self._kept.append(variable.numpy())
        return name

    def read(self, variable: Variable) -> Tensor:
        """Return the value of `variable` as a tensor."""
        self.settle_dtype(variable.dtype)
        tensor = super().read(variable)
        self._inner.add(tensor.name)
        return tensor

    def tensor(self, name: str) -> Tensor:
        """Return its tensor called `name`."""
        spec = self._tensors[name]
        return Tensor(self, name, spec.shape, spec.dtype)

    def before_weights_change(self) -> None:
        """Keep the weights as they are now: values and gradients that are asked for later are taken there."""
        if self._kept is None:
            self._kept = [variable.numpy() for variable in self.variables]

    def arrays(self) -> list[Array]:
        """Return the arrays of the parameters at the moment of recording."""
        return self._kept or [variable.value for variable in self.variables]

    def wanted(self) -> list[Tensor]:
        """Return the tensors that somebody still holds and whose values are not known."""
        held = [x for x in self._handed if x.name not in self.values and x.name not in self._inner]
        return sorted(held, key=lambda x: x.name)

    def value_of(self, tensor: Tensor) -> Array:
        """Return the value of one of its tensors."""
        if tensor.name not in self.values:
            from fastgd.ops.recorded_runs import compute_values

            compute_values(self)
        return self.values[tensor.name]

    def _new_tensor(self, name: str, dims: Dims, dtype: str) -> Tensor:
        name = distinct_name(name, self._tensors)
        self._tensors[name] = TensorSpec(name, dims, dtype)
        tensor = RecordedTensor(self, name, dims, dtype)
        self._handed.add(tensor)
        return tensor


def current_recording() -> Recording | None:
    """Return the recording that is active in this thread or asynchronous task."""
    return _active.get()


def without_records(structure: Any) -> Any:
    """Return a structure with values in the place of recorded tensors whose recording is not active."""
    leaves = flatten(structure)
    if not any(isinstance(leaf, RecordedTensor) for leaf in leaves):
        return structure
    return pack(structure, [_outside(leaf) for leaf in leaves])


def _outside(leaf: Any) -> Any:
    return leaf.numpy() if isinstance(leaf, RecordedTensor) and not leaf.builder.is_active else leaf


def recording_of(leaves: Sequence[Any]) -> Recording | None:
    """Return the active recording if it concerns `leaves`: one of its tensors is among them, or a variable."""
    recording = _active.get()
    if recording is None:
        return None
    concerned = any(isinstance(x, Variable) or (isinstance(x, Tensor) and x.builder is recording) for x in leaves)
    return recording if concerned else None


def as_recorded(recording: Recording, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tensors among the arguments of an op as tensors of `recording`.

    Those of other recordings count as arrays, variables are read, and arrays that have a row for each sample become
    inputs; everything else is left as it is.
    """
    known = {name: without_records(value) for name, value in arguments.items()}
    ranks = [len(leaf.dims) for leaf in flatten(list(known.values())) if isinstance(leaf, Tensor)]

    def convert(value: Any) -> Any:
        if isinstance(value, Variable):
            return recording.read(value)
        return recording.adopt(value, max(ranks)) if ranks else value

    return {name: pack(value, [convert(leaf) for leaf in flatten(value)]) for name, value in known.items()}
