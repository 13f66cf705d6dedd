"""An ONNX graph while it is read: its nodes, its constants, and the values that have become placeholders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgd.interop.values import FLAT, LAST, Value, plain
from fastgd.layers import KerasTensor
from fastgd.utils.errors import invalid

Array = npt.NDArray[Any]

# A size that no tensor has stands for the batch in shapes that a graph computes; its multiples for those of the batch.
BATCH_MARK = 1_000_003_000_017

# By ONNX' operators: what makes layers of a node.
Importer = Callable[["GraphReader", "Node"], Any]
IMPORTERS: dict[str, Importer] = {}


def imports(*kinds: str) -> Callable[[Importer], Importer]:
    """Register a function that reads nodes of these kinds."""

    def register(function: Importer) -> Importer:
        IMPORTERS.update(dict.fromkeys(kinds, function))
        return function

    return register


class Node:
    """A node with its attributes as Python's values.

    Args:
        proto: the message.
    """

    def __init__(self, proto: Any) -> None:
        from onnx import helper

        self.proto = proto
        self.kind: str = proto.op_type
        self.inputs = list(proto.input)
        self.outputs = list(proto.output)
        self.attrs = {a.name: helper.get_attribute_value(a) for a in proto.attribute}

    def refuse(self, what: str, value: object) -> ValueError:
        """Return the error for an attribute or an input without a counterpart."""
        place = self.proto.name or self.outputs[0]
        return ValueError(
            f"`{what}` of the node {place!r} ({self.kind}) has no counterpart. Received: {what}={value!r}"
        )

    def ints(self, key: str, default: Sequence[int]) -> tuple[int, ...]:
        """Return an attribute that is a list of integers."""
        return tuple(int(v) for v in self.attrs.get(key, default))

    def text(self, key: str, default: str) -> str:
        """Return an attribute that is a string."""
        value = self.attrs.get(key, default)
        return value.decode() if isinstance(value, bytes) else str(value)


class GraphReader:
    """What is known while one graph is read.

    Args:
        graph: the graph.
        opset: the version of its operators.
        constants: its constants by their names.

    Attributes:
        values: by their names placeholders, arrays, and None for what is left out.
    """

    def __init__(self, graph: Any, opset: int, constants: dict[str, Array]) -> None:
        self.opset = opset
        self.nodes = [Node(proto) for proto in graph.node]
        self.values: dict[str, Any] = {"": None, **constants}
        outputs = [output.name for output in graph.output]
        self._uses = Counter([name for node in self.nodes for name in node.inputs] + outputs)
        self._readers = {name: node for node in self.nodes for name in node.inputs}
        self._names: Counter[str] = Counter()
        self.done: set[int] = set()

    def get(self, name: str) -> Any:
        """Return a value."""
        return self.values[name]

    def all(self, node: Node) -> list[Any]:
        """Return the values that a node takes."""
        return [self.values[name] for name in node.inputs]

    def constant(self, node: Node, place: int, what: str) -> Array | None:
        """Return an input that must be a constant, None if it is left out.

        Raises:
            ValueError: if it is computed.
        """
        value = self.values[node.inputs[place]] if place < len(node.inputs) else None
        if isinstance(value, Value):
            raise node.refuse(what, "computed by the graph")
        return None if value is None else np.asarray(value)

    def integers(self, node: Node, key: str, place: int, default: Sequence[int] | None = None) -> list[int] | None:
        """Return a list of integers that was an attribute once and is an input today."""
        if key in node.attrs:
            return [int(v) for v in np.atleast_1d(node.attrs[key])]
        given = self.constant(node, place, key)
        return list(default) if given is None and default is not None else None if given is None else given.tolist()

    def sole_reader(self, node: Node) -> Node | None:
        """Return the node that alone takes what a node gives, None if there are several, or none."""
        name = node.outputs[0]
        return self._readers.get(name) if self._uses[name] == 1 else None

    def skip(self, node: Node, result: Any) -> None:
        """Let a node give a result that is made already."""
        self.values[node.outputs[0]] = result
        self.done.add(id(node))

    def name_of(self, node: Node) -> str:
        """Return a new name for the layer of a node."""
        text = "".join(c if c.isalnum() else "_" for c in node.proto.name or node.kind).strip("_") or node.kind
        self._names[text] += 1
        return text if self._names[text] == 1 else f"{text}_{self._names[text]}"


def operand(node: Node, value: Any, other: Value) -> Any:
    """Return an operand beside a value: a number, or an array whose axes lie as those of the value.

    Raises:
        ValueError: for an array with an axis of samples.
    """
    array = np.asarray(value)
    if array.ndim == 0 or array.size == 1:
        return float(array.reshape(()))
    rank = len(other.shape) + 1
    if array.ndim > rank or (array.ndim == rank and array.shape[0] != 1):
        raise node.refuse("operand", f"an array of the shape {array.shape}")
    full = array.reshape((1,) * (rank - array.ndim) + array.shape)
    return np.moveaxis(full, 1, -1) if other.order == LAST else full


def settled(value: Value) -> Value:
    """Return a value that is no flattened image."""
    return plain(value) if value.order == FLAT else value


def tensor_of(value: Value) -> KerasTensor:
    """Return the placeholder of a value with the axes of the graph."""
    found: KerasTensor = plain(value).tensor
    return found


def sizes_from(node: Node, array: Array) -> list[int | None]:
    """Return a shape that a graph computes, with None for the batch.

    Raises:
        ValueError: for a shape that mixes samples.
    """
    sizes: list[int | None] = []
    for size in array.reshape(-1).tolist():
        if size == BATCH_MARK:
            sizes.append(None)
        elif abs(size) >= BATCH_MARK:
            raise node.refuse("shape", "a multiple of the batch")
        else:
            sizes.append(int(size))
    return sizes


def refuse_kinds(kinds: Sequence[str]) -> ValueError:
    """Return the error for operators that are not known."""
    return invalid(
        f"fastgd has no counterpart of the ONNX operators {', '.join(kinds)}. Supported: "
        f"{', '.join(sorted(IMPORTERS))}.",
        operators=list(kinds),
    )
