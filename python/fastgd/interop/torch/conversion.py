"""PyTorch modules as models: tracing them, converting call by call, and copying weights both ways."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastgd.interop.torch.activations import FUSED, NAMED
from fastgd.interop.torch.functions import AS_MODULES, call
from fastgd.interop.torch.links import Link, MovingVariance, find_tensors, tensor_array
from fastgd.interop.torch.modules import HANDLERS, SPATIAL
from fastgd.interop.torch.refusals import Withheld, refuse_module
from fastgd.interop.values import LAST, SAME, Sizes, Value, moved, plain
from fastgd.layers import Input, Layer
from fastgd.models import Model
from fastgd.ops.parameters import Variable
from fastgd.utils.checks import check_sample_shape
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.structure import change, flatten
from fastgd.utils.windows import check_data_format

# The modules that take an activation along.
TAKING = ("Linear", "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d")

# The modules that torch.fx takes whole, or not at all.
WHOLE = ("TransformerEncoder", "TransformerEncoderLayer")


@dataclass
class Origin:
    """Where a model came from.

    Attributes:
        module: the module, as long as it lives.
        links: its tensors.
        variances: the moving variances among them.
        inputs: the orders in which the model takes its inputs.
        outputs: the orders in which it gives its outputs.
        output_axes: the number of axes of the first output.
    """

    module: weakref.ref[Any]
    links: list[Link]
    variances: list[MovingVariance]
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    output_axes: int = 0


_origins: weakref.WeakKeyDictionary[Model, Origin] = weakref.WeakKeyDictionary()


def origin_of(model: Any) -> Origin:
    """Return where a model came from.

    Raises:
        ValueError: if `from_torch` did not make it.
    """
    if not isinstance(model, Model) or model not in _origins:
        raise invalid("`model` must be one that `from_torch` returned.", model=model)
    return _origins[model]


class Converter:
    """What is known while one module is converted.

    Args:
        module: the module.
        modules: the uses of each module in it, by their ids.

    Attributes:
        dtype: the dtype of the model.
        fused: the activation that the layer at hand takes along, None without.
    """

    def __init__(self, module: Any, modules: Counter[int]) -> None:
        self._module = module
        self._uses = modules
        # Each module is kept beside its layer: an id is that of an object that lives.
        self._layers: dict[int, tuple[Any, Layer]] = {}
        self._names = {id(p): name for name, p in module.named_parameters()}
        self._names |= {id(b): name for name, b in module.named_buffers()}
        self._held: dict[str, dict[tuple[int, int] | None, Link]] = {}
        self.links: list[Link] = []
        self.variances: list[MovingVariance] = []
        self.fused: str | None = None
        self.dtype = _dtype_of(module)

    def is_shared(self, module: Any) -> bool:
        """Return whether a module is called more than once."""
        return self._uses[id(module)] > 1

    def named(self, name: str) -> dict[str, Any]:
        """Return the arguments that all layers with weights have."""
        return {"name": name, "dtype": self.dtype}

    def layer(self, module: Any, make: Callable[[], Any]) -> Any:
        """Return the layer of a module, made at its first call."""
        if id(module) not in self._layers:
            self._layers[id(module)] = (module, make())
        return self._layers[id(module)][1]

    def apply(self, module: Any, name: str, *args: Any, fused: str | None = None, **kwargs: Any) -> Any:
        """Return what a module gives.

        Args:
            module: the module.
            name: the name of its layer.
            *args: its arguments.
            fused: the activation that its layer takes along.
            **kwargs: more of its arguments.

        Raises:
            ValueError: if its class has no counterpart.
        """
        kind = type(module).__name__
        if kind not in HANDLERS:
            raise refuse_module(name, kind, HANDLERS)
        self.fused, outer = fused, self.fused
        try:
            return HANDLERS[kind](self, module, name, *args, **kwargs)
        finally:
            self.fused = outer

    def link(
        self,
        variable: Any,
        tensor: Any,
        view: Sizes | None = None,
        axes: Sizes | None = None,
        blocks: Sizes = (),
        part: int | None = None,
        addend: Any = None,
        section: tuple[int, int] | None = None,
    ) -> Link | None:
        """Let a variable stand for a tensor and take over its numbers; nothing happens without a tensor.

        Args:
            variable: the variable.
            tensor: the tensor.
            view: as in `Link`, the shape of the tensor if None; so are the others.
            axes: as they are if None.
            blocks: as in `Link`.
            part: as in `Link`.
            addend: the second tensor itself.
            section: as in `Link`.

        Raises:
            ValueError: if another layer has that tensor too.
        """
        if tensor is None:
            return None
        name = self._names[id(tensor)]
        held = self._held.setdefault(name, {})
        if section in held and held[section].variable is variable:
            return None
        if section in held or None in held or (section is None and held):
            raise _shared(name)
        shape = tuple(view or tensor.shape)
        other = None if addend is None else self._names[id(addend)]
        link = Link(variable, name, shape, tuple(axes or range(len(shape))), blocks, part, other, section)
        held[section] = link
        self.links.append(link)
        value, numbers = variable.numpy(), tensor_array(tensor)
        link.put(value, numbers if addend is None else numbers + tensor_array(addend))
        variable.assign(value)
        if not tensor.requires_grad:
            variable.trainable = False
        return link

    def link_variance(self, variable: Any, module: Any, samples: int) -> None:
        """Link a moving variance, and note how PyTorch moves it otherwise."""
        link = self.link(variable, module.running_var)
        if link is not None:
            counter = self._names[id(module.num_batches_tracked)]
            self.variances.append(MovingVariance(link, samples, 1 - module.momentum, counter))

    def variable(self, tensor: Any) -> Variable:
        """Return the variable for a tensor that `forward` computes with."""
        import torch

        if not isinstance(tensor, torch.Tensor):
            raise mistyped("`forward` may compute with its inputs, numbers, parameters and buffers.", operand=tensor)
        name = self._names.get(id(tensor))
        if name is None:
            return Variable(tensor_array(tensor), "constant", self.dtype, trainable=False)
        if name not in self._held:
            self.link(Variable(tensor_array(tensor), name.replace(".", "_"), self.dtype, tensor.requires_grad), tensor)
        link = self._held[name].get(None)
        if link is None or not link.is_plain:
            # A layer has it, in another order.
            raise _shared(name)
        return link.variable


def from_torch(module: Any, input_shape: Any, data_format: str = "channels_first") -> Model:
    """Return a model that computes what a module of PyTorch computes, with its weights.

    The module is traced by `torch.fx`: an `nn.Sequential`, or a `forward` without branches that depend on data, of the
    modules, functions and methods that have a counterpart. It is not changed.

    Args:
        module: the `torch.nn.Module`.
        input_shape: the shape of one sample, without the batch, as the module takes it; for several arguments a list of
            such shapes.
        data_format: "channels_first": inputs and outputs have PyTorch's axes. "channels_last": images that go into a
            convolution or the like, and those that come out, have their channels last, which saves their transposition.

    Returns:
        The model, whose layers have the names of the modules. `to_torch` brings its weights back.

    Raises:
        ImportError: without PyTorch.
        TypeError: if `module` is no module.
        ValueError: for a module or function without a counterpart; the message names it and what there is.

    Example:
        >>> model = fastgd.interop.torch.from_torch(net, (1, 28, 28))
        >>> model.predict(images)
    """
    import torch

    if not isinstance(module, torch.nn.Module):
        raise mistyped("`module` must be a torch.nn.Module.", module=module)
    several = isinstance(input_shape, (list, tuple)) and any(isinstance(s, (list, tuple)) for s in input_shape)
    shapes = [check_sample_shape("input_shape", shape) for shape in (input_shape if several else [input_shape])]
    last = check_data_format(data_format) == "channels_last"
    root = torch.nn.Sequential(module) if type(module).__name__ in WHOLE else module
    nodes = list(trace(root).nodes)
    modules = dict(root.named_modules())
    uses = Counter(id(modules[node.target]) for node in nodes if node.op == "call_module")
    convert = Converter(module, uses)
    entrances = [node for node in nodes if node.op == "placeholder" and (node.users or not node.args)]
    if len(entrances) != len(shapes):
        names = ", ".join(node.name for node in entrances)
        raise invalid(f"`input_shape` must hold a shape for each of the arguments: {names}.", input_shape=input_shape)
    values: dict[Any, Any] = {}
    inputs: list[Value] = []
    for node, shape in zip(entrances, shapes, strict=True):
        order = LAST if last and len(shape) > 1 and _takers(node, modules) <= SPATIAL else SAME
        kind = "int32" if _takers(node, modules) == {"Embedding"} else convert.dtype
        x = Input(moved(shape) if order == LAST else shape, dtype=kind, name=node.name)
        values[node] = Value(x, shape, order)
        inputs.append(values[node])
    outputs: Any = None
    for node in nodes:
        if node in values:
            continue
        if node.op == "placeholder":
            values[node] = node.args[0] if node.args else None
        elif node.op == "output":
            outputs = _resolve(node.args[0], values)
        else:
            values[node] = _convert(convert, node, values, modules, root)
    leaves: list[Value] = flatten(outputs)
    for leaf in leaves:
        if isinstance(leaf, Withheld):
            raise leaf.error
    if not all(isinstance(leaf, Value) for leaf in leaves):
        raise invalid("`forward` must return tensors.", outputs=outputs)
    kept = [v if last and v.order == LAST else plain(v) for v in leaves]
    made = iter([v.tensor for v in kept])
    tensors = [v.tensor for v in inputs]
    name = type(module).__name__.lower()
    model = Model(
        tensors if len(tensors) > 1 else tensors[0], change(outputs, lambda _: next(made), _is_value), name=name
    )
    origin = Origin(weakref.ref(module), convert.links, convert.variances)
    origin.inputs, origin.outputs = [v.order for v in inputs], [v.order for v in kept]
    origin.output_axes = len(kept[0].tensor.dims)
    _origins[model] = origin
    return model


def to_torch(model: Model, module: Any = None) -> Any:
    """Copy the weights of a model that `from_torch` made back into a module, in place.

    Args:
        model: the model.
        module: a module like the one that it was made from; that one itself if None.

    Returns:
        The module.

    Raises:
        ValueError: if the model has another origin, the module is gone, or it lacks a tensor.
    """
    origin = origin_of(model)
    module = origin.module() if module is None else module
    if module is None:
        raise invalid("`module` must be given: the one that the model was made from is gone.", module=module)
    tensors = find_tensors(module, origin.links)
    for link in origin.links:
        tensor = tensors[link.name]
        value = link.take(link.variable.value, tensor.shape)
        link.write(tensor, value if link.addend is None else value - tensor_array(tensors[link.addend]))
    return module


def trace(module: Any) -> Any:
    """Return the graph of what a module in training calls.

    Raises:
        ValueError: if it cannot be traced, which the message says why.
    """
    import torch

    for name, part in module.named_modules():
        if part._forward_hooks or part._forward_pre_hooks:
            raise invalid("Modules with hooks cannot be converted: remove them first.", module=name or "the module")
    modes = [(part, part.training) for part in module.modules()]
    try:
        module.train()
        return torch.fx.Tracer().trace(module)
    except (torch.fx.proxy.TraceError, RuntimeError) as error:
        raise invalid(f"`forward` cannot be traced by torch.fx: {error}.", module=type(module).__name__) from error
    finally:
        for part, mode in modes:
            part.training = mode


def _convert(convert: Converter, node: Any, values: dict[Any, Any], modules: dict[str, Any], root: Any) -> Any:
    """Return the value of a node that is neither the begin nor the end."""
    if node.op == "get_attr":
        found: Any = root
        for part in node.target.split("."):
            found = getattr(found, part)
        return found
    args = _resolve(node.args, values)
    kwargs = _resolve(node.kwargs, values)
    if node.op == "call_module":
        module = modules[node.target]
        taking = type(module).__name__ in TAKING
        fused, follower = _activation_behind(node, modules, convert) if taking else (None, None)
        result = convert.apply(module, node.name.lstrip("_"), *args, fused=fused, **kwargs)
        if follower is not None:
            values[follower] = result
        return result
    if node.op == "call_function" and getattr(node.target, "__name__", "") == "getattr":
        if args[1] != "shape":
            raise invalid("`forward` may read `shape` of a tensor and no other attribute.", attribute=args[1])
        return call(convert, "size", node.name, args[:1], {})
    target = node.target if node.op == "call_method" else getattr(node.target, "__name__", str(node.target))
    return call(convert, target, node.name, args, dict(kwargs))


def _shared(name: str) -> ValueError:
    return invalid("Two modules share a tensor, which layers cannot.", tensor=name)


def _activation_behind(node: Any, modules: dict[str, Any], convert: Converter) -> tuple[str | None, Any]:
    """Return the activation that alone takes what a product gives, and its node, if the product can take it along."""
    if len(node.users) != 1 or convert.is_shared(modules[node.target]):
        return None, None
    follower = next(iter(node.users))
    kind = ""
    if follower.op == "call_module":
        module = modules[follower.target]
        kind = type(module).__name__
    elif follower.op in ("call_function", "call_method") and len(follower.args) == 1:
        name = follower.target if follower.op == "call_method" else getattr(follower.target, "__name__", "")
        kind = AS_MODULES.get(name, ("", ""))[0]
    return (NAMED[kind], follower) if kind in FUSED else (None, None)


def _takers(node: Any, modules: dict[str, Any]) -> set[str]:
    """Return the classes of the modules that take an input; "" stands for anything else, or nothing."""
    kinds = {type(modules[u.target]).__name__ if u.op == "call_module" else "" for u in node.users}
    return kinds or {""}


def _resolve(structure: Any, values: dict[Any, Any]) -> Any:
    """Return arguments with the values of the nodes among them."""
    if isinstance(structure, (tuple, list)):
        return type(structure)(_resolve(part, values) for part in structure)
    if isinstance(structure, dict):
        return {key: _resolve(part, values) for key, part in structure.items()}
    if isinstance(structure, slice):
        return slice(*(_resolve(part, values) for part in (structure.start, structure.stop, structure.step)))
    found = values[structure] if type(structure).__name__ == "Node" else structure
    if isinstance(found, Withheld):
        raise found.error
    return found


def _is_value(structure: Any) -> bool:
    return isinstance(structure, Value)


def _dtype_of(module: Any) -> str:
    """Return the one floating dtype of a module's parameters.

    Raises:
        ValueError: if they have several, or one that there is not.
    """
    import torch

    found: Sequence[str] = sorted({str(p.dtype).rpartition(".")[2] for p in module.parameters()})
    if not found:
        found = [str(torch.get_default_dtype()).rpartition(".")[2]]
    if len(found) > 1 or found[0] not in ("float32", "float64"):
        raise invalid("All parameters of `module` must be float32, or all float64.", dtypes=list(found))
    return str(np.dtype(found[0]))
