"""ONNX files as models."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastgd.interop.onnx import importers  # noqa: F401 - they register themselves
from fastgd.interop.onnx.reading import BATCH_MARK, IMPORTERS, Array, GraphReader, Node, refuse_kinds, tensor_of
from fastgd.interop.values import Value
from fastgd.layers import Input
from fastgd.models import Model
from fastgd.saving.atomic import as_path
from fastgd.utils.errors import invalid
from fastgd.utils.extras import import_extra

FLOATS = {"float32": "float32", "float64": "float64", "float16": "float32"}


def from_onnx(path: Any) -> Model:
    """Return the model of an ONNX file: layers and ops with its weights, which can be trained on.

    Images keep the axes that the file gives them; inside the channels are last. A constant that several nodes share
    becomes a weight of each.

    Args:
        path: the file, or an `onnx.ModelProto`. Its first axis is the batch, all other sizes are fixed.

    Returns:
        The model, not compiled.

    Raises:
        ImportError: without the extra "onnx".
        FileNotFoundError: if there is no file.
        ValueError: for a file that is none of ONNX, and for operators or attributes without a counterpart, by name.

    Example:
        >>> model = fastgd.interop.onnx.from_onnx("model.onnx")
    """
    onnx = import_extra("onnx", "onnx", "Reading ONNX files")
    import_extra("onnx.reference", "onnx", "Reading ONNX files")
    graph, opset = _checked(onnx, path)
    constants = {tensor.name: _array(onnx, tensor) for tensor in graph.initializer}
    reader = GraphReader(graph, opset, constants)
    unknown = sorted({node.kind for node in reader.nodes} - {*IMPORTERS, *FOLDED})
    if unknown:
        raise refuse_kinds(unknown)
    inputs = [_input(onnx, entry) for entry in graph.input if entry.name not in constants]
    kinds = {str(value.tensor.dtype) for value in inputs} - {"int32"}
    reader.values[":dtype"] = kinds.pop() if len(kinds) == 1 else "float32"
    reader.values.update({value.tensor.name: value for value in inputs})
    for node in reader.nodes:
        if id(node) not in reader.done:
            _read(onnx, reader, node)
    outputs = []
    for entry in graph.output:
        value = reader.values[entry.name]
        if not isinstance(value, Value):
            raise invalid("An output of the graph must depend on its inputs.", output=entry.name)
        outputs.append(tensor_of(value))
    tensors = [value.tensor for value in inputs]
    return Model(
        tensors if len(tensors) > 1 else tensors[0], outputs if len(outputs) > 1 else outputs[0],
        name="".join(c if c.isalnum() else "_" for c in graph.name) or None,
    )  # fmt: skip


# What is computed of constants and shapes alone.
FOLDED = ("Constant", "Shape", "ConstantOfShape")
# What makes no more elements than it takes.
NO_LARGER = ("Constant", "Shape", "Concat", "Unsqueeze", "Squeeze", "Slice", "Cast", "Reshape", "Transpose", "Identity")
# The elements that a constant may have that is not in the file.
LARGEST_CONSTANT = 1 << 24


def _checked(onnx: Any, path: Any) -> tuple[Any, int]:
    """Return the graph of a file and the version of its operators, after ONNX' own checks."""
    if isinstance(path, onnx.ModelProto):
        model = path
    else:
        name = str(as_path(path, "path"))
        try:
            # Parts in other files are not opened.
            model = onnx.load_model_from_string(as_path(path, "path").read_bytes())
            onnx.checker.check_model(model)
        except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
            raise invalid(f"The file is no valid ONNX model: {error}.", path=name) from error
        except Exception as error:
            if type(error).__name__ != "DecodeError":
                raise
            raise invalid("The file is no ONNX model.", path=name) from error
    foreign = sorted({entry.domain for entry in model.opset_import} - {"", "ai.onnx"})
    if foreign or len(model.functions):
        raise invalid("Operators of other domains than ONNX' own have no counterpart.", domains=foreign)
    return model.graph, max(entry.version for entry in model.opset_import)


def _array(onnx: Any, tensor: Any) -> Array:
    """Return a constant of the file.

    Raises:
        ValueError: if it lies in another file.
    """
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise invalid("Constants in other files are not read.", tensor=tensor.name)
    return np.asarray(onnx.numpy_helper.to_array(tensor))


def _input(onnx: Any, entry: Any) -> Value:
    """Return the placeholder of an input."""
    kind = entry.type.tensor_type
    sizes = [d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim]
    if not sizes or None in sizes[1:]:
        raise invalid("All sizes of an input but the first, the batch, must be fixed.", input=entry.name, shape=sizes)
    dtype = str(np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)))
    if dtype not in FLOATS and not dtype.startswith(("int", "uint")):
        raise invalid("Inputs must hold floating numbers or integers.", input=entry.name, dtype=dtype)
    shape = tuple(int(size or 0) for size in sizes[1:])
    return Value(Input(shape, dtype=FLOATS.get(dtype, "int32"), name=entry.name), shape)


def _read(onnx: Any, reader: GraphReader, node: Node) -> None:
    """Let a node give its results; what depends on constants and shapes alone is computed by ONNX' reference."""
    values = [value for name in node.inputs if (value := reader.values[name]) is not None]
    found: list[Any]
    if node.kind == "Shape":
        value = values[0]
        shape = (BATCH_MARK, *value.shape) if isinstance(value, Value) else np.shape(value)
        found = [np.array(shape[node.attrs.get("start", 0) : node.attrs.get("end")], np.int64)]
    elif not any(isinstance(value, Value) for value in values):
        evaluator = onnx.reference.ReferenceEvaluator(node.proto)
        found = evaluator.run(None, _bounded(reader, node))
    else:
        if node.kind not in IMPORTERS:
            raise refuse_kinds([node.kind])
        if not isinstance(values[0], Value) and node.kind in ("Reshape", "Expand", "Slice", "Pad"):
            raise node.refuse("data", "a constant")
        found = [IMPORTERS[node.kind](reader, node)]
    reader.values.update(zip(node.outputs, found, strict=False))


def _bounded(reader: GraphReader, node: Node) -> dict[str, Array]:
    """Return the constants that a node takes, after making sure that it makes none that is absurdly large.

    A constant that is repeated for every sample is one for a single sample, which is broadcast later.
    """
    given = {name: np.asarray(reader.values[name]) for name in node.inputs if name}
    sizes = [float(max(value.size, 1)) for value in given.values()]
    if node.kind in ("Expand", "ConstantOfShape"):
        name = node.inputs[-1]
        given[name] = np.where(given[name] == BATCH_MARK, 1, given[name])
        size = math.prod(float(max(d, 1)) for d in given[name].reshape(-1).tolist())
    elif node.kind in NO_LARGER:
        size = 0.0
    else:
        try:
            size = math.prod(map(float, np.broadcast_shapes(*(value.shape for value in given.values()))))
            size = 0.0 if size <= max(sizes, default=0.0) else size
        except ValueError:
            size = math.prod(sizes)
    if size > LARGEST_CONSTANT:
        raise node.refuse("inputs", "constants that make a larger one than files may ask for")
    return given
