"""The base of all layers: names, weights, and what a call does on placeholders, plan tensors and arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from fastgd import config, regularizers
from fastgd.layers.calling import (
    CallSignature,
    as_feed,
    as_shapes,
    batches_in,
    build_arguments,
    dims_of,
    holds_tensors,
    shapes_of,
    take_named,
    tensors_in,
)
from fastgd.layers.graph import INTEGER, KerasTensor, Node, placeholders_in
from fastgd.layers.masks import mask_outputs, masks_for_call, masks_of
from fastgd.layers.weights import WeightOwner
from fastgd.ops.builder import Dims, PlanBuilder, Shape, Tensor, to_dims, to_shape
from fastgd.ops.eager import evaluate
from fastgd.ops.recording import RecordedTensor, Recording, current_recording, without_records
from fastgd.utils.checks import check_dtype, check_int, check_sample_shape
from fastgd.utils.errors import invalid, mistyped, refuse_keywords
from fastgd.utils.naming import automatic_name, snake_case
from fastgd.utils.registry import Registry
from fastgd.utils.seeds import draw_seed
from fastgd.utils.structure import change, flatten, pack
from fastgd.utils.targets import as_integers

registry: Registry[Layer] = Registry("layer")
# The classes that are no layers of a registry: those of models.
model_classes: dict[str, Any] = {}

BASE_KEYWORDS = ("activity_regularizer", "name", "dtype", "trainable", "input_shape", "input_dim")


class Layer(WeightOwner):
    """Base of all layers; a subclass implements `call`, and `build` if it has weights.

    `call(self, inputs)` composes functions of `fastgd.ops` and other layers on symbolic tensors; it may take `training`
    besides, `mask`, which it gets from the inputs, and further arguments, tensors or plain values. Layers kept in
    attributes, lists or dicts of the instance are its sublayers: their weights are its own.

    Args:
        activity_regularizer: what joins the loss for each output: a name, a config, a Regularizer or a function; its
            value is divided by the number of samples.
        name: the name, unique in a model; the class' in snake case with a counter if None.
        dtype: "float32" or "float64"; None follows the floating inputs. All layers of a model have one dtype.
        trainable: whether `compile` lets optimizers change the weights.
        input_shape: the shape of one sample, which lets a Sequential model begin with this layer.
        input_dim: short for `input_shape=(input_dim,)`.
        **kwargs: refused, with the known keywords.

    Attributes:
        integer_inputs: whether the inputs are int32: then arrays are checked and converted.
        supports_masking: whether the layer takes inputs that carry a mask, and gives its outputs what `compute_mask`
            returns; a class with a `compute_mask` of its own does unless it says otherwise.
    """

    integer_inputs: ClassVar[bool] = False
    supports_masking: bool = False
    _signature: ClassVar[CallSignature]
    _takes_training: ClassVar[bool] = False
    # Whether `build` makes the weights in any case; that of a model may have to wait.
    _build_builds: ClassVar[bool] = True

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._signature = CallSignature(cls.call)
        cls._takes_training = "training" in cls._signature.names
        if "compute_mask" in cls.__dict__ and "supports_masking" not in cls.__dict__:
            cls.supports_masking = True
        if "build" in cls.__dict__ and cls._build_builds:
            setattr(cls, "build", _marking(cls.build))  # noqa: B010
        if not abstract:
            registry.add(cls)

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
        input_shape: Sequence[int | None] | None = None,
        input_dim: int | None = None,
        **kwargs: Any,
    ) -> None:
        refuse_keywords(type(self), kwargs, BASE_KEYWORDS)
        if name is not None and (not name or "/" in name):
            raise invalid("`name` must be a non-empty string without a slash.", name=name)
        self.name = name or automatic_name(snake_case(type(self).__name__))
        self._given_dtype = None if dtype is None else check_dtype("dtype", dtype)
        self._built_dtype: str | None = None
        self._init_weights(trainable)
        # The sizes of the outputs of the last call on tensors.
        self._output_dims: list[Dims] = []
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._nodes: list[Node] = []
        if input_dim is not None:
            input_shape = (check_int("input_dim", input_dim, 1),)
        self.first_shape = None if input_shape is None else check_sample_shape("input_shape", input_shape)

    # ---- What a subclass says.

    def build(self, *args: Any, **kwargs: Any) -> None:
        """Make the weights for inputs of a shape, with None for the batch (a list of shapes for a list of inputs).

        `build(self, input_shape)` may have further arguments named after those of `call` that hold tensors:
        `build(self, query_shape, value_shape)` for `call(self, query, value)`.
        """
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Emit the layer's ops on symbolic tensors and return the outputs; `call(self, inputs)` is the usual form."""
        raise NotImplementedError(f"{type(self).__name__} must implement call(inputs)")

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the outputs, or one for each: that of the inputs unless a layer has its own.

        Args:
            inputs: what the layer was called on.
            previous_mask: the mask that the call was given, else those that the inputs carry; None without.
        """
        return previous_mask

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make a like layer."""
        own: dict[str, Any] = {"name": self.name, "trainable": self._trainable, "dtype": self._given_dtype}
        if self.activity_regularizer is not None:
            own["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if self.first_shape is not None:
            own["input_shape"] = self.first_shape
        return own

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Layer:
        """Make a layer from what `get_config` returned."""
        return cls(**config)

    def get_build_config(self) -> dict[str, Any] | None:
        """Return what `build_from_config` makes the weights of a like layer from: the shape of the input.

        A subclass whose weights hang on more overrides both.
        """
        if not self._nodes or not self.weights:
            return None
        inputs, named = self._nodes[0].arguments(lambda x: x)
        if placeholders_in(named):
            # Such a layer is built where it is called.
            return None
        return {"input_shape": shapes_of(dims_of(inputs))}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Make the weights by what `get_build_config` returned."""
        shape = config.get("input_shape")
        if shape is not None:
            self.build(as_shapes(shape))

    @property
    def call_names(self) -> tuple[str, ...]:
        """The names of the arguments of `call`."""
        return self._signature.names

    @property
    def index_limit(self) -> int | None:
        """What integer inputs must stay below, None for no limit."""
        return None

    # ---- Calls.

    @property
    def dtype(self) -> str:
        """The dtype of weights and outputs."""
        return self._given_dtype or self._built_dtype or config.floatx()

    @property
    def given_dtype(self) -> str | None:
        """The dtype that the layer was made with, None if it follows its inputs."""
        return self._given_dtype

    @property
    def input(self) -> Any:
        """The placeholder or placeholders that the layer was called on, if that was once."""
        return self._single_node().inputs

    @property
    def output(self) -> Any:
        """The placeholder or placeholders that the layer returned, if it was called once."""
        return self._single_node().outputs

    @property
    def output_shapes(self) -> list[Shape]:
        """The shapes of the outputs with None for the batch, if it is clear which they are: else an empty list."""
        if len(self._nodes) > 1:
            return []
        # A layer inside another one or inside a subclassed model is called on tensors alone.
        dims = [y.dims for y in flatten(self._nodes[0].outputs)] if self._nodes else self._output_dims
        return [to_shape(each) for each in dims]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layer: on placeholders to build a model, on arrays to compute at once.

        Args:
            *args: the inputs: a KerasTensor or an array (batch, ...), or a list of them for a layer with several
                inputs; then further arguments of `call`.
            **kwargs: further arguments of `call`. Those that hold placeholders, or arrays with a row for each sample,
                are tensors there; everything else is passed as it is. `training` may be among them: whether to behave
                as in training; None means what the model is doing, and False on arrays.

        Returns:
            A KerasTensor or an array; a structure of them for a layer with several outputs.

        Raises:
            TypeError: if `call` takes other arguments, or placeholders are mixed with arrays as inputs.
        """
        inputs, named = self._signature.bind(self, args, kwargs)
        training = named.pop("training", None)
        kinds = {type(leaf) for leaf in flatten(inputs)}
        others = {type(leaf) for leaf in flatten(named)}
        if kinds == {KerasTensor} or (KerasTensor in others and not kinds & {Tensor}):
            return self._record(inputs, training, named)
        if kinds == {Tensor}:
            return self.emit(inputs, training, named)
        if (recording := current_recording()) is not None and KerasTensor not in kinds:
            taken = self._take(recording, inputs)
            return self.emit(taken, training, take_named(recording, named, self.dtype))
        if RecordedTensor in kinds | others:
            inputs, named = without_records((inputs, named))
            kinds -= {RecordedTensor}
        if kinds & {KerasTensor, Tensor}:
            raise self._mixed(inputs)
        return self._run(inputs, bool(training), named)

    def ensure_built(self, inputs: Any, dtype: str, others: Mapping[str, Any] = MappingProxyType({})) -> None:
        """Build the layer, if it is not built.

        Args:
            inputs: the inputs as a structure of sizes.
            dtype: the floating type.
            others: the sizes of further arguments that hold tensors, by their names.
        """
        if not self.built:
            self._built_dtype = dtype
            self.build(shapes_of(inputs), **build_arguments(self.build, others))
            self.built = True

    def emit(self, inputs: Any, training: bool | None = None, named: Mapping[str, Any] = MappingProxyType({})) -> Any:
        """Emit the layer into the plan that `inputs`, tensors, belong to; `named` are further arguments of `call`."""
        leaves = flatten(inputs)
        builder = leaves[0].builder
        others = {name: dims_of(x) for name, x in named.items() if name != "mask" and holds_tensors(x)}
        self.ensure_built(dims_of(inputs), builder.dtype, others)
        if self.index_limit is not None:
            for leaf in leaves:
                builder.limit_indices(leaf, self.index_limit)
        with builder.scope(self.name):
            outputs = self.invoke(inputs, training, named)
            if self.activity_regularizer is not None:
                for y in flatten(outputs):
                    value = regularizers.lower_tensor(self.activity_regularizer, y)
                    builder.add_loss(value, "sum_over_batch_size")
        self._output_dims = [y.dims for y in flatten(outputs)]
        return outputs

    def invoke(self, inputs: Any, training: bool | None, named: Mapping[str, Any] = MappingProxyType({})) -> Any:
        """Return what `call` returns, given `training` and the masks that it takes; the outputs carry their masks."""
        builder: PlanBuilder = tensors_in(inputs)[0].builder
        signature = self._signature
        arguments = masks_for_call(builder, signature.first, inputs, named, signature.names)
        given = arguments.get("mask")
        previous = masks_of(inputs) if given is None else given
        if self._takes_training:
            arguments["training"] = builder.training if training is None else training
        outputs = self.call(inputs, **arguments)
        if not flatten(outputs) or not all(isinstance(y, Tensor) for y in flatten(outputs)):
            raise mistyped(f"`call` of {type(self).__name__} must return tensors of fastgd.ops.", call=outputs)
        mask_outputs(self, inputs, outputs, previous)
        return outputs

    def add_loss(self, loss: Any) -> None:
        """Let a tensor join the loss of the model; `call` may do it.

        Args:
            loss: a tensor of one value, or of one value per sample, which are added up; or a list of them.

        Raises:
            TypeError: if something is no tensor.
            ValueError: if it has another shape.
        """
        for value in flatten(loss):
            if not isinstance(value, Tensor):
                raise mistyped("`loss` must be a tensor that `call` has made.", loss=value)
            value.builder.add_loss(value)

    def _record(self, inputs: Any, training: bool | None, named: Mapping[str, Any]) -> Any:
        """Build the layer on placeholders and return new ones, whose shapes a trial run of `call` tells."""
        if training and self._takes_training:
            raise invalid(
                "`training=True` cannot be fixed in a functional model; `fit` trains, `predict` does not.",
                training=training,
            )
        leaves: list[KerasTensor] = flatten(inputs)
        if not all(isinstance(leaf, KerasTensor) for leaf in leaves):
            raise self._mixed(inputs)
        if self.integer_inputs:
            for leaf in leaves:
                leaf.node.layer.hold_integers()
        floating = [leaf.dtype for leaf in leaves if leaf.dtype != INTEGER]
        dtype = self.given_dtype or (floating[0] if floating else config.floatx())
        builder = PlanBuilder(dtype, training=True)
        node = Node(self, inputs, training, named)
        symbols = {id(x): x.symbol(builder) for x in placeholders_in(inputs, named)}
        given, others = node.arguments(lambda x: symbols[id(x)])
        outputs = self.emit(given, training, others)
        placeholders = [KerasTensor.like(y, node, self.name) for y in flatten(outputs)]
        node.outputs = pack(outputs, placeholders)
        self._nodes.append(node)
        return node.outputs

    def _mixed(self, inputs: Any) -> TypeError:
        return mistyped(f"The layer {self.name!r} takes placeholders or arrays, not both.", inputs=inputs)

    def _run(self, inputs: Any, training: bool, named: Mapping[str, Any]) -> Any:
        """Compute the layer on arrays at once."""
        # A list of numbers is an array written out; a list of arrays is several inputs.
        single = not isinstance(inputs, (list, tuple, dict)) or not any(hasattr(x, "ndim") for x in flatten(inputs))
        arrays = [np.asarray(inputs)] if single else [np.asarray(x) for x in flatten(inputs)]
        labels: list[int] = []
        if self.integer_inputs:
            labels = [*range(len(arrays))]
            arrays = [as_integers(array, self.index_limit, "inputs") for array in arrays]
        structure, count = 0 if single else inputs, len(arrays)
        rows = len(arrays[0]) if arrays[0].ndim else 0
        batches = batches_in(named, rows)
        labels += [count + k for k, (_, array) in enumerate(batches) if array.dtype.kind in "iu"]
        arrays += [as_feed(name, array) for name, array in batches]
        fed = {id(array) for _, array in batches}
        if not batches:
            dims = [to_dims((None, *array.shape[1:])) for array in arrays]
            self.ensure_built(dims[0] if single else dims, self.dtype)
        iteration = draw_seed() % 2**63 if training else 0

        def run(*symbols: Tensor) -> Any:
            further = iter(symbols[count:])
            others = change(dict(named), lambda leaf: next(further) if id(leaf) in fed else leaf)
            return self.emit(pack(structure, symbols[:count]), training, others)

        return evaluate(run, arrays, self.dtype, labels, training, iteration)

    def _take(self, recording: Recording, inputs: Any) -> Any:
        """Return tensors of a recording for arrays and recorded tensors."""
        if self.integer_inputs:
            limit = self.index_limit
            leaves = [as_integers(np.asarray(leaf), limit, "inputs") for leaf in flatten(without_records(inputs))]
            return pack(inputs, [recording.feed(leaf, self.dtype, integer=True) for leaf in leaves])
        return recording.take(inputs, self.dtype)

    def hold_integers(self) -> None:
        """Take notice that a layer reads the output as integers; the entrance of a model alone can follow."""

    def forget(self, node: Node) -> None:
        """Forget a call on placeholders, when a model has dropped it."""
        self._nodes = [known for known in self._nodes if known is not node]

    def _single_node(self) -> Node:
        if len(self._nodes) != 1:
            raise ValueError(
                f"The layer {self.name!r} has been called {len(self._nodes)} times on placeholders; "
                "`input` and `output` exist after exactly one call."
            )
        return self._nodes[0]

    def __repr__(self) -> str:
        """Show class and name."""
        return f"<{type(self).__name__} name={self.name}>"


def _marking(build: Callable[..., None]) -> Callable[..., None]:
    """Return `build` as a method that notes that the weights exist, whether or not it calls that of its base."""

    @functools.wraps(build)
    def marked(self: Any, *args: Any, **kwargs: Any) -> None:
        build(self, *args, **kwargs)
        self.built = True

    return marked
