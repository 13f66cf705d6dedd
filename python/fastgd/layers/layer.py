"""The base of all layers: names, weights, and what a call does on placeholders, plan tensors and arrays."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from fastgd import config, regularizers
from fastgd.layers.graph import INTEGER, KerasTensor, Node
from fastgd.layers.weights import WeightOwner
from fastgd.ops.builder import Dims, PlanBuilder, Shape, Tensor, to_dims, to_shape
from fastgd.ops.eager import evaluate
from fastgd.ops.recording import RecordedTensor, Recording, current_recording, without_records
from fastgd.utils.checks import check_dtype, check_int, check_sample_shape
from fastgd.utils.errors import invalid, mistyped, refuse_keywords
from fastgd.utils.naming import automatic_name, snake_case
from fastgd.utils.registry import Registry
from fastgd.utils.seeds import draw_seed
from fastgd.utils.structure import flatten, pack
from fastgd.utils.targets import as_integers

registry: Registry[Layer] = Registry("layer")

BASE_KEYWORDS = ("activity_regularizer", "name", "dtype", "trainable", "input_shape", "input_dim")


class Layer(WeightOwner):
    """Base of all layers; a subclass implements `call`, and `build` if it has weights.

    `call(self, inputs)` composes functions of `fastgd.ops` and other layers on symbolic tensors; it may take `training`
    besides. Layers kept in attributes, lists or dicts of the instance are its sublayers: their weights are its own.

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
    """

    integer_inputs: ClassVar[bool] = False
    _takes_training: ClassVar[bool] = False
    # Whether `build` makes the weights in any case; that of a model may have to wait.
    _build_builds: ClassVar[bool] = True

    def __init_subclass__(cls, abstract: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._takes_training = "training" in inspect.signature(cls.call).parameters
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

    def build(self, input_shape: Any) -> None:
        """Make the weights for inputs of a shape, with None for the batch (a list of shapes for a list of inputs)."""
        self.built = True

    def call(self, inputs: Any) -> Any:
        """Emit the layer's ops on symbolic tensors and return the outputs."""
        raise NotImplementedError(f"{type(self).__name__} must implement call(inputs)")

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
        return {"input_shape": _shapes_of(_dims_of(self._nodes[0].inputs))}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Make the weights by what `get_build_config` returned."""
        shape = config.get("input_shape")
        if shape is not None:
            self.build(as_shapes(shape))

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

    def __call__(self, inputs: Any, training: bool | None = None) -> Any:
        """Call the layer: on placeholders to build a model, on arrays to compute at once.

        Args:
            inputs: a KerasTensor or an array (batch, ...), or a list of them for a layer with several inputs.
            training: whether to behave as in training; None means what the model is doing, and False on arrays.

        Returns:
            A KerasTensor or an array; a structure of them for a layer with several outputs.
        """
        leaves = flatten(inputs)
        kinds = {type(leaf) for leaf in leaves}
        if kinds == {KerasTensor}:
            return self._record(inputs, training)
        if kinds == {Tensor}:
            return self.emit(inputs, training)
        if (recording := current_recording()) is not None and KerasTensor not in kinds:
            return self.emit(self._take(recording, inputs), training)
        if RecordedTensor in kinds:
            inputs, kinds = without_records(inputs), set()
        if kinds & {KerasTensor, Tensor}:
            raise mistyped(f"The layer {self.name!r} takes placeholders or arrays, not both.", inputs=inputs)
        return self._run(inputs, bool(training))

    def ensure_built(self, inputs: Any, dtype: str) -> None:
        """Build the layer, if it is not built, for inputs given as a structure of sizes."""
        if not self.built:
            self._built_dtype = dtype
            self.build(_shapes_of(inputs))
            self.built = True

    def emit(self, inputs: Any, training: bool | None = None) -> Any:
        """Emit the layer into the plan that `inputs`, tensors, belong to."""
        leaves = flatten(inputs)
        builder = leaves[0].builder
        self.ensure_built(_dims_of(inputs), builder.dtype)
        if self.index_limit is not None:
            for leaf in leaves:
                builder.limit_indices(leaf, self.index_limit)
        arguments = {}
        if self._takes_training:
            arguments["training"] = builder.training if training is None else training
        with builder.scope(self.name):
            outputs = self.call(inputs, **arguments)
            if not all(isinstance(y, Tensor) for y in flatten(outputs)):
                raise mistyped(f"`call` of {type(self).__name__} must return tensors of fastgd.ops.", call=outputs)
            if self.activity_regularizer is not None:
                for y in flatten(outputs):
                    value = regularizers.lower_tensor(self.activity_regularizer, y)
                    builder.add_loss(value, "sum_over_batch_size")
        self._output_dims = [y.dims for y in flatten(outputs)]
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

    def _record(self, inputs: Any, training: bool | None) -> Any:
        """Build the layer on placeholders and return new ones, whose shapes a trial run of `call` tells."""
        if training and self._takes_training:
            raise invalid(
                "`training=True` cannot be fixed in a functional model; `fit` trains, `predict` does not.",
                training=training,
            )
        leaves: list[KerasTensor] = flatten(inputs)
        floating = [leaf.dtype for leaf in leaves if leaf.dtype != INTEGER]
        dtype = self.given_dtype or (floating[0] if floating else config.floatx())
        self.ensure_built(_dims_of(inputs), dtype)
        builder = PlanBuilder(dtype, training=True)
        symbols = [builder.input(leaf.name, leaf.dims, leaf.plan_dtype) for leaf in leaves]
        outputs = self.emit(pack(inputs, symbols), training)
        node = Node(self, inputs, training)
        placeholders = [KerasTensor(y.dims, y.dtype, node, self.name) for y in flatten(outputs)]
        node.outputs = pack(outputs, placeholders)
        self._nodes.append(node)
        return node.outputs

    def _run(self, inputs: Any, training: bool) -> Any:
        """Compute the layer on arrays at once."""
        # A list of numbers is an array written out; a list of arrays is several inputs.
        single = not isinstance(inputs, (list, tuple, dict)) or not any(hasattr(x, "ndim") for x in flatten(inputs))
        arrays = [np.asarray(inputs)] if single else [np.asarray(x) for x in flatten(inputs)]
        labels: Sequence[int] = ()
        if self.integer_inputs:
            labels = range(len(arrays))
            arrays = [as_integers(array, self.index_limit, "inputs") for array in arrays]
        dims = [to_dims((None, *array.shape[1:])) for array in arrays]
        self.ensure_built(dims[0] if single else dims, self.dtype)
        structure = 0 if single else inputs
        iteration = draw_seed() % 2**63 if training else 0

        def run(*symbols: Tensor) -> Any:
            return self.emit(pack(structure, symbols), training)

        return evaluate(run, arrays, self.dtype, labels, training, iteration)

    def _take(self, recording: Recording, inputs: Any) -> Any:
        """Return tensors of a recording for arrays and recorded tensors."""
        if self.integer_inputs:
            limit = self.index_limit
            leaves = [as_integers(np.asarray(leaf), limit, "inputs") for leaf in flatten(without_records(inputs))]
            return pack(inputs, [recording.feed(leaf, self.dtype, integer=True) for leaf in leaves])
        return recording.take(inputs, self.dtype)

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


def _marking(build: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Return `build` as a method that notes that the weights exist, whether or not it calls that of its base."""

    @functools.wraps(build)
    def marked(self: Any, input_shape: Any) -> None:
        build(self, input_shape)
        self.built = True

    return marked


def _dims_of(inputs: Any) -> Any:
    """Return the sizes of a tensor, or those of a structure's tensors in a list or a dict by its keys."""
    if isinstance(inputs, dict):
        return {key: _dims_of(part) for key, part in inputs.items()}
    return [leaf.dims for leaf in flatten(inputs)] if isinstance(inputs, (list, tuple)) else inputs.dims


def _shapes_of(dims: Any) -> Any:
    """Return what `_dims_of` gave as shapes with None for the batch."""
    if isinstance(dims, dict):
        return {key: _shapes_of(part) for key, part in dims.items()}
    return [to_shape(each) for each in dims] if isinstance(dims, list) else to_shape(dims)


def as_shapes(shapes: Any) -> Any:
    """Return shapes that JSON has made lists of as tuples, in their structure."""
    if isinstance(shapes, dict):
        return {key: as_shapes(part) for key, part in shapes.items()}
    inner = any(isinstance(part, (list, tuple, dict)) for part in shapes)
    return [as_shapes(part) for part in shapes] if inner else tuple(shapes)
