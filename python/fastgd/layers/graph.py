"""The functional graph: what a layer returns when it is called on an `Input`, and the calls that led there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fastgd.ops.builder import Dims, Placeholder, PlanBuilder, Shape, Tensor, show_dims, to_shape
from fastgd.utils.structure import change, flatten, pack

if TYPE_CHECKING:
    from fastgd.layers.layer import Layer


# The type of labels and indices in every plan.
INTEGER = "int32"


class KerasTensor(Placeholder):
    """A placeholder in a functional model: it has a shape and a dtype but no values.

    Layers and ops that are called on it, and operators like `x * 2`, become calls of the model's graph.

    Attributes:
        dims: the sizes as a plan counts them: negative ones are multiples of the batch.
        dtype: "float32", "float64" or "int32".
        node: the call that made it.
        mask_dims: the sizes of the mask that its tensor carries in a plan, None without.
    """

    def __init__(self, dims: Dims, dtype: str, node: Node, name: str, mask_dims: Dims | None = None) -> None:
        self.dims = dims
        self.dtype = dtype
        self.node = node
        self.name = name
        self.mask_dims = mask_dims

    @classmethod
    def like(cls, y: Tensor, node: Node, name: str) -> KerasTensor:
        """Return a placeholder for a tensor that a call of a layer has made in a trial."""
        return cls(y.dims, y.dtype, node, name, None if y.mask is None else y.mask.dims)

    def symbol(self, builder: PlanBuilder) -> Tensor:
        """Return a new input of a plan that stands for it, with a mask if it has one."""
        tensor = builder.input(self.name, self.dims, self.plan_dtype)
        if self.mask_dims is not None:
            tensor.mask = builder.input(f"{self.name}_mask", self.mask_dims)
        return tensor

    @property
    def shape(self) -> Shape:
        """The shape, with None for the batch."""
        return to_shape(self.dims)

    @property
    def plan_dtype(self) -> str | None:
        """The dtype in a plan: "int32", or None for the floating type of the plan."""
        return INTEGER if self.dtype == INTEGER else None

    def record(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Return the placeholder of an op's result, behind a layer that will emit the op."""
        # Imported late: that layer is made of this module.
        from fastgd.layers.operation import Operation

        operation = Operation(function, args, kwargs)
        return operation(operation.placeholders)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse conversion: there are no values yet."""
        raise TypeError(
            f"{self!r} is a placeholder without values: build a Model of it and call `predict`. Received: {self.name}"
        )

    def __repr__(self) -> str:
        """Show name, shape and dtype."""
        return f"<KerasTensor {self.name} {show_dims(self.dims)} {self.dtype}>"


class Node:
    """One call of a layer.

    Attributes:
        layer: the layer.
        inputs: what it was called on: a KerasTensor or a structure of them; an empty list for inputs of a model.
        training: the argument of that name in the call.
        named: further arguments of `call` by their names, with KerasTensors and plain values.
        outputs: the KerasTensor or the structure that it returned.
    """

    def __init__(
        self, layer: Layer, inputs: Any, training: bool | None = None, named: Mapping[str, Any] | None = None
    ) -> None:
        self.layer = layer
        # Copies, because the caller may append to his list: `parts.append(Dense(8)(Concatenate()(parts)))`.
        self.inputs = pack(inputs, flatten(inputs))
        self.named: dict[str, Any] = pack(dict(named or {}), flatten(dict(named or {})))
        self.training = training
        self.outputs: Any = None

    @property
    def parents(self) -> list[Node]:
        """The calls whose outputs this one takes."""
        return [tensor.node for tensor in self.placeholders]

    @property
    def placeholders(self) -> list[KerasTensor]:
        """The KerasTensors among its arguments, in order."""
        return placeholders_in(self.inputs, self.named)

    def arguments(self, function: Callable[[KerasTensor], Any]) -> tuple[Any, dict[str, Any]]:
        """Return the inputs and the further arguments with `function` of each KerasTensor in its place."""
        replace = lambda leaf: function(leaf) if isinstance(leaf, KerasTensor) else leaf  # noqa: E731
        return change(self.inputs, replace), change(self.named, replace)


def placeholders_in(*structures: Any) -> list[KerasTensor]:
    """Return the KerasTensors among the leaves of structures."""
    return [leaf for leaf in flatten(structures) if isinstance(leaf, KerasTensor)]


def nodes_before(outputs: Sequence[KerasTensor], inputs: Sequence[KerasTensor] = ()) -> list[Node]:
    """Return the calls that lead from `inputs` to `outputs`, those of `inputs` included, each after what it depends on.

    The walk keeps its own stack, because a chain of a thousand layers is no reason to run out of Python's.
    """
    given = {id(tensor) for tensor in inputs}
    order: list[Node] = []
    finished: set[int] = set()
    stack = [(tensor.node, False) for tensor in reversed(outputs)]
    while stack:
        node, parents_done = stack.pop()
        if id(node) in finished:
            continue
        if parents_done:
            finished.add(id(node))
            order.append(node)
            continue
        stack.append((node, True))
        if not any(id(tensor) in given for tensor in flatten(node.outputs)):
            stack.extend((parent, False) for parent in reversed(node.parents))
    return order


def layers_in_order(nodes: Sequence[Node]) -> list[Layer]:
    """Return the layers of a graph as Keras orders them: by their distance from the outputs, the farthest first.

    Layers at one distance stay in the order in which a walk from the outputs meets them.

    Args:
        nodes: all calls, each after those whose outputs it takes.
    """
    distance: dict[int, int] = {}
    for node in reversed(nodes):
        own = distance.setdefault(id(node), 0)
        for parent in node.parents:
            distance[id(parent)] = max(distance.get(id(parent), 0), own + 1)
    by_layer: dict[int, int] = {}
    met: dict[int, Layer] = {}
    for node in nodes:
        met.setdefault(id(node.layer), node.layer)
        by_layer[id(node.layer)] = max(by_layer.get(id(node.layer), 0), distance[id(node)])
    return sorted(met.values(), key=lambda layer: -by_layer[id(layer)])
