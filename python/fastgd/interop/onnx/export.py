"""Models as ONNX files."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastgd.interop.onnx import normalization, products, sequences, shaping  # noqa: F401 - they register exporters
from fastgd.interop.onnx.graph import EXPORTERS, Array, GraphWriter
from fastgd.models import Model
from fastgd.models.lowering import lower_prediction
from fastgd.plan import Plan, Step
from fastgd.saving.atomic import as_path, write_whole
from fastgd.utils.checks import check_int
from fastgd.utils.errors import invalid, mistyped
from fastgd.utils.extras import import_extra

OLDEST_OPSET = 17
# What protobuf can hold in one message.
LARGEST_BYTES = 2**31 - 1


def export(model: Model, path: Any, opset: int = OLDEST_OPSET) -> None:
    """Write a model to an ONNX file that computes what `predict` does, for batches of any size.

    Every layer becomes the nodes of its steps, those that only act in training become nothing. Inputs and outputs keep
    their names, axes and types. The file is written under a temporary name and renamed.

    Args:
        model: a built model.
        path: the file.
        opset: the version of ONNX' operators, 17 or later.

    Raises:
        ImportError: without the extra "onnx".
        TypeError: if `model` is no model.
        ValueError: if it is not built, calls Python's functions, is larger than 2 GB, or for an unknown opset.

    Example:
        >>> fastgd.interop.onnx.export(model, "model.onnx")
        >>> onnxruntime.InferenceSession("model.onnx").run(None, {"input_layer": x})
    """
    target = as_path(path, "path")
    made = to_onnx(model, opset)
    write_whole(target, made.SerializeToString())


def to_onnx(model: Model, opset: int = OLDEST_OPSET) -> Any:
    """Return a model as an `onnx.ModelProto`; arguments and errors are those of `export`."""
    onnx = import_extra("onnx", "onnx", "Exporting to ONNX")
    if not isinstance(model, Model):
        raise mistyped("`model` must be a model.", model=model)
    newest = onnx.defs.onnx_opset_version()
    if not OLDEST_OPSET <= check_int("opset", opset, 1) <= newest:
        raise invalid(f"`opset` must be from {OLDEST_OPSET} to {newest}, the newest that onnx knows.", opset=opset)
    _ = model.graph
    lowered = lower_prediction(model)
    plan = lowered.plan
    steps = _needed(plan)
    unknown = sorted({step.op for step in steps} - set(EXPORTERS))
    if unknown:
        raise invalid(f"ONNX has no counterpart of {', '.join(unknown)}.", model=model.name)
    params = {spec.name: w.value for spec, w in zip(plan.params, lowered.variables, strict=True)}
    size = sum(value.nbytes for value in params.values())
    if size > LARGEST_BYTES:
        raise invalid("An ONNX file holds at most 2 GB.", bytes=size)
    writer = GraphWriter(plan, params, opset)
    for step in steps:
        EXPORTERS[step.op](writer, step)
    names = _output_names(model, plan)
    for tensor, name in zip(plan.outputs, names, strict=True):
        writer.rename(writer.get(tensor), name)
    made = _assemble(onnx, model, writer, names)
    onnx.checker.check_model(made, full_check=size < LARGEST_BYTES // 4)
    return made


def _needed(plan: Plan) -> list[Step]:
    """Return the steps that lead to the outputs; those of penalties on activations do not."""
    wanted, kept = set(plan.outputs), []
    for step in reversed(plan.steps):
        if wanted.intersection(step.outputs):
            wanted.update(step.inputs)
            kept.append(step)
    return kept[::-1]


def _output_names(model: Model, plan: Plan) -> list[str]:
    """Return the names of the outputs, which must differ from those of the inputs."""
    return [f"{name}_output" if name in plan.inputs else name for name in model.output_names]


def _assemble(onnx: Any, model: Model, writer: GraphWriter, names: list[str]) -> Any:
    """Return the finished message."""
    helper, plan = onnx.helper, writer.plan

    def described(tensor: str, name: str) -> Any:
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(writer.kinds[tensor]))
        sizes = [d if d >= 0 else "batch" if d == -1 else f"{-d}*batch" for d in writer.dims[tensor]]
        return helper.make_tensor_value_info(name, kind, sizes)

    graph = helper.make_graph(
        writer.nodes,
        model.name,
        [described(name, name) for name in plan.inputs],
        [described(tensor, name) for tensor, name in zip(plan.outputs, names, strict=True)],
        [_constant(onnx, name, value) for name, value in writer.constants.items()],
    )
    imports = [helper.make_opsetid("", writer.opset)]
    version = helper.find_min_ir_version_for(imports)
    return helper.make_model(graph, opset_imports=imports, ir_version=version, producer_name="fastgd")


def _constant(onnx: Any, name: str, value: Array) -> Any:
    return onnx.numpy_helper.from_array(value, name)
