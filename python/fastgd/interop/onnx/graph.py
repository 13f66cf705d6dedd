"""An ONNX graph while it is written: values, nodes, constants, and the two orders of the axes of images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.plan import Attribute, Plan, Step

Array = npt.NDArray[Any]
Sizes = tuple[int, ...]

# What slices run to where they run to the end.
END = 2**31 - 1

# By ops of the plan: what writes the nodes of a step.
Exporter = Callable[["GraphWriter", Step], None]
EXPORTERS: dict[str, Exporter] = {}


def exports(*ops: str) -> Callable[[Exporter], Exporter]:
    """Register a function that writes the nodes of steps with one of these ops."""

    def register(function: Exporter) -> Exporter:
        EXPORTERS.update(dict.fromkeys(ops, function))
        return function

    return register


class GraphWriter:
    """The nodes and constants of one graph.

    A tensor of the plan may be there with its axes as they are, with the channels of an image first, or both: each form
    is made of the other when something wants it, so that convolutions that follow each other transpose nothing.

    Args:
        plan: the plan.
        params: the values of its parameters by their names.
        opset: the version of the operators.
    """

    def __init__(self, plan: Plan, params: Mapping[str, Array], opset: int) -> None:
        from onnx import helper

        self._helper: Any = helper
        self.plan = plan
        self.params = params
        self.opset = opset
        self.dtype = np.dtype(plan.dtype)
        self.dims = {spec.name: spec.shape for spec in plan.tensors}
        self.kinds = {spec.name: spec.dtype for spec in plan.tensors}
        self.nodes: list[Any] = []
        self.constants: dict[str, Array] = {}
        self._plain: dict[str, str] = {name: name for name in plan.inputs}
        self._first: dict[str, str] = {}
        self._numbers: dict[tuple[Any, ...], str] = {}
        self._count = 0
        self._batch: str | None = None

    # ---- Nodes and constants.

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        return self.nodes_of(kind, inputs, 1, **attributes)[0]

    def nodes_of(self, kind: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        """Add a node and return the names of its outputs."""
        names = [self._name(kind) for _ in range(outputs)]
        self.nodes.append(self._helper.make_node(kind, list(inputs), names, name=self._name("node"), **attributes))
        return names

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Return the name of a constant: an array, or a number of the plan's floating type."""
        array = np.ascontiguousarray(np.asarray(value, self.dtype if dtype is None else dtype)).reshape(np.shape(value))
        key = (array.dtype.str, array.shape, array.tobytes()) if array.size <= 16 else ()
        if key and key in self._numbers:
            return self._numbers[key]
        name = self._name("constant")
        self.constants[name] = array
        if key:
            self._numbers[key] = name
        return name

    def integers(self, values: Sequence[int]) -> str:
        """Return the name of a vector of int64, as shapes and axes are given."""
        return self.constant(list(values), np.int64)

    def rename(self, value: str, name: str) -> None:
        """Give a value the name of an output of the model."""
        self.nodes.append(self._helper.make_node("Identity", [value], [name], name=self._name("node")))

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}:{self._count}"

    # ---- Tensors of the plan.

    def get(self, name: str) -> str:
        """Return the value of a tensor with its axes as they are."""
        if name not in self._plain:
            rank = len(self.dims[name])
            self._plain[name] = self.node("Transpose", [self._first[name]], perm=(0, *range(2, rank), 1))
        return self._plain[name]

    def get_first(self, name: str) -> str:
        """Return the value of a tensor with its last axis, the channels, behind the batch."""
        rank = len(self.dims[name])
        if rank == 2:
            return self.get(name)
        if name not in self._first:
            self._first[name] = self.node("Transpose", [self._plain[name]], perm=(0, rank - 1, *range(1, rank - 1)))
        return self._first[name]

    def is_first(self, *names: str) -> bool:
        """Return whether all of these tensors are there with the channels first, and one is not as it is."""
        return all(name in self._first for name in names) and any(name not in self._plain for name in names)

    def set(self, name: str, value: str) -> None:
        """Take a value for a tensor."""
        self._plain[name] = value

    def set_first(self, name: str, value: str) -> None:
        """Take a value with the channels first for a tensor."""
        (self._plain if len(self.dims[name]) == 2 else self._first)[name] = value

    def param(self, name: str) -> Array:
        """Return the value of a parameter."""
        return self.params[name]

    # ---- Shapes with the batch in them.

    def batch(self) -> str:
        """Return the number of samples as a vector of one int64."""
        if self._batch is None:
            shape = self.node("Shape", [self.plan.inputs[0]])
            self._batch = self.node("Gather", [shape, self.integers([0])], axis=0)
        return self._batch

    def shape(self, dims: Sequence[int]) -> str:
        """Return sizes of the plan as a vector of int64."""
        if all(d >= 0 for d in dims):
            return self.integers(dims)
        parts = [self.integers([d]) if d >= 0 else self.node("Mul", [self.batch(), self.integers([-d])]) for d in dims]
        return parts[0] if len(parts) == 1 else self.node("Concat", parts, axis=0)

    def reshape(self, value: str, dims: Sequence[int]) -> str:
        """Return a value in other sizes of the plan."""
        free = [d for d in dims if d < 0]
        if len(free) <= 1 and 0 not in dims:
            return self.node("Reshape", [value, self.integers([d if d >= 0 else -1 for d in dims])])
        return self.node("Reshape", [value, self.shape(dims)], allowzero=1)

    # ---- Small formulas.

    def cast(self, value: str, dtype: Any) -> str:
        """Return a value in another type."""
        return self.node("Cast", [value], to=self._helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def add(self, a: str, b: str) -> str:
        """Return a + b."""
        return self.node("Add", [a, b])

    def multiply(self, a: str, b: str) -> str:
        """Return a b."""
        return self.node("Mul", [a, b])

    def where(self, condition: str, a: str, b: str) -> str:
        """Return a where the condition holds, else b."""
        return self.node("Where", [condition, a, b])

    def reduce(self, function: str, value: str, axes: Sequence[int], keepdims: bool = True) -> str:
        """Return a reduction such as "ReduceMean"; in older opsets most took the axes as an attribute."""
        if self.opset >= 18 or function == "ReduceSum":
            return self.node(function, [value, self.integers(axes)], keepdims=int(keepdims))
        return self.node(function, [value], axes=list(axes), keepdims=int(keepdims))


def ints(attrs: Mapping[str, Attribute], key: str) -> list[int]:
    """Return an attribute that is a tuple of integers."""
    value = attrs[key]
    assert isinstance(value, tuple)
    return [int(v) for v in value]


def number(attrs: Mapping[str, Attribute], key: str, default: float = 0.0) -> float:
    """Return an attribute that is a number."""
    value = attrs.get(key, default)
    assert isinstance(value, (int, float))
    return float(value)


def flag(attrs: Mapping[str, Attribute], key: str, default: bool = False) -> bool:
    """Return an attribute that is a boolean."""
    return bool(attrs.get(key, default))
