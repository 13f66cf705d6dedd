"""ONNX files as models: what the exporter wrote, what others write, and clear refusals."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgd
from cases import layer_cases
from contract.test_layers import call
from fastgd import layers

onnx = pytest.importorskip("onnx")
reference = pytest.importorskip("onnx.reference")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from fastgd.interop.onnx import export, from_onnx, to_onnx  # noqa: E402

Array = np.ndarray[Any, Any]
# Every function is a row of Dense, too.
ROWS = [case for case in layer_cases() if case.inputs and case.cls != "Activation"]
# What the exporter writes and no layer reads.
ONE_WAY = r"ONNX operators TopK|\((Resize|Reshape)\) has no counterpart"


def randomise(model: Any, seed: int) -> None:
    """Give a model random positive weights, which do for variances, too."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.uniform(0.1, 1.0, w.shape) for w in model.weights])


@pytest.mark.parametrize("part", range(4))
def test_every_layer_comes_back(part: int) -> None:
    refused = set()
    for case in ROWS[part::4]:
        layer = getattr(layers, case.cls)(**case.config)
        kind = "int32" if case.integers else None
        inputs = [fastgd.Input(shape, dtype=kind, name=f"x{k}") for k, shape in enumerate(case.inputs)]
        model = fastgd.Model(inputs, call(layer, inputs))
        randomise(model, case.seed)
        rng = np.random.default_rng(case.seed)
        drawn = [
            rng.integers(0, case.integers, (3, *s)) if case.integers else rng.normal(size=(3, *s)) for s in case.inputs
        ]
        made = to_onnx(model)
        try:
            got = from_onnx(made).predict(drawn, verbose=0)
        except Exception as error:
            if isinstance(error, ValueError) and re.search(ONE_WAY, str(error)):
                refused.add(case.cls)
                continue
            raise AssertionError(f"{case.id}: {error}") from error
        np.testing.assert_allclose(got, model.predict(drawn, verbose=0), rtol=1e-5, atol=1e-5, err_msg=case.id)
    assert refused <= {"RandomCrop", "Dense", "TimeDistributed"}


def test_a_network_comes_back_as_layers_that_can_be_trained(tmp_path: Path) -> None:
    x = fastgd.Input((6, 7, 2))
    y = layers.Conv2D(4, 3, activation="relu", padding="same")(x)
    y = layers.MaxPooling2D()(layers.BatchNormalization()(y))
    y = layers.Dense(5, "tanh")(layers.Flatten()(y))
    model = fastgd.Model(x, layers.Dense(3, "softmax")(y))
    randomise(model, 1)
    export(model, tmp_path / "m.onnx")
    again = from_onnx(tmp_path / "m.onnx")
    kinds = [type(layer).__name__ for layer in again.layers]
    assert kinds == [
        "InputLayer", "Conv2D", "BatchNormalization", "MaxPooling2D", "Flatten", "Dense", "Dense", "Activation",
    ]  # fmt: skip
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]
    images, labels = np.random.default_rng(0).normal(size=(8, 6, 7, 2)), np.arange(8) % 3
    again.compile("adam", "sparse_categorical_crossentropy")
    losses = [again.train_on_batch(images, labels) for _ in range(20)]
    assert losses[-1] < losses[0]


def graph_of(nodes: list[Any], shape: list[Any], constants: dict[str, Array]) -> Any:
    """Return a valid model of these nodes with the input x."""
    graph = helper.make_graph(
        nodes,
        "others",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", None])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def test_what_others_write(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)

    def drawn(*shape: int) -> Array:
        return rng.normal(size=shape).astype(np.float32)

    node = helper.make_node
    # Images with the channels first, as PyTorch exports them: shapes that hang on the batch, a bias behind a product,
    # a residual, a broadcast weight of each channel, and a Gemm with a transposed kernel behind a flattened image.
    nodes = [
        node("Conv", ["x", "w", "b"], ["a"], pads=[1, 1, 1, 1], strides=[2, 1]),
        node("LeakyRelu", ["a"], ["c"], alpha=0.1),
        node("Mul", ["c", "scale"], ["d"]),
        node("Conv", ["d", "dw"], ["e"], group=4, auto_pad="SAME_UPPER"),
        node("Add", ["e", "c"], ["f"]),
        node("AveragePool", ["f"], ["g"], kernel_shape=[2, 2], strides=[1, 2], pads=[0, 0, 1, 1], count_include_pad=1),
        node("GlobalAveragePool", ["g"], ["h0"]),
        node("Clip", ["h0", "low", "high"], ["h"]),
        node("Mul", ["g", "h"], ["i"]),
        node("Shape", ["i"], ["shape"]),
        node("Gather", ["shape", "zero"], ["batch"], axis=0),
        node("Unsqueeze", ["batch", "axes"], ["rows"]),
        node("Concat", ["rows", "rest"], ["sizes"], axis=0),
        node("Reshape", ["i", "sizes"], ["j"]),
        node("Gemm", ["j", "k", "kb"], ["l"], transB=1, alpha=0.5, beta=2.0),
        node("Relu", ["l"], ["m"]),
        node("MatMul", ["m", "last"], ["n"]),
        node("Add", ["lb", "n"], ["o"]),
        node("Softmax", ["o"], ["y"]),
    ]  # fmt: skip
    constants = {
        "w": drawn(4, 3, 3, 3), "b": drawn(4), "scale": drawn(4, 1, 1), "dw": drawn(4, 1, 3, 3),
        "low": np.float32(-0.2), "high": np.float32(0.3), "zero": np.array(0), "axes": np.array([0]),
        "rest": np.array([-1]), "k": drawn(5, 48), "kb": drawn(5), "last": drawn(5, 3), "lb": drawn(3),
    }  # fmt: skip
    made = graph_of(nodes, ["n", 3, 8, 6], constants)
    x = drawn(2, 3, 8, 6)
    (want,) = reference.ReferenceEvaluator(made).run(None, {"x": x})
    path = tmp_path / "m.onnx"
    path.write_bytes(made.SerializeToString())
    model = from_onnx(path)
    np.testing.assert_allclose(model.predict(x, verbose=0), want, rtol=1e-5, atol=1e-5)
    assert [type(layer).__name__ for layer in model.layers].count("Dense") == 2


def test_what_has_no_counterpart_is_refused_by_name(tmp_path: Path) -> None:
    node = helper.make_node

    def refused(message: str, nodes: list[Any], shape: Any = ("n", 4), **constants: Array) -> None:
        with pytest.raises(ValueError, match=message):
            from_onnx(graph_of(nodes, list(shape), constants))

    refused(r"operators Det, TanhGrad. Supported: .*Conv", [node("Det", ["x"], ["a"]), node("TanhGrad", ["a"], ["y"])])
    refused("`axis` of the node 'join'", [node("Concat", ["x", "x"], ["y"], axis=0, name="join")])
    refused("`perm` of the node", [node("Transpose", ["x"], ["y"], perm=[1, 0])])
    refused("All sizes of an input but the first", [node("Relu", ["x"], ["y"])], ["n", "m"])
    refused("must depend on its inputs", [node("Relu", ["c"], ["y"])], c=np.ones(3, np.float32))
    huge = np.array([2**20, 2**20])
    refused("larger one than files may ask for", [node("Expand", ["c", "s"], ["y"])], c=np.float32([1]), s=huge)
    refused("`shape` of the node", [node("Reshape", ["x", "c"], ["y"])], c=np.array([4, -1]))
    (tmp_path / "m.onnx").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="The file is no ONNX model|no valid ONNX model"):
        from_onnx(tmp_path / "m.onnx")
    with pytest.raises(FileNotFoundError):
        from_onnx(tmp_path / "absent.onnx")
    # A file that names another one does not have it opened.
    made = graph_of([node("Relu", ["x"], ["y"])], ["n", 4], {"w": np.ones(4, np.float32)})
    onnx.external_data_helper.set_external_data(made.graph.initializer[0], "elsewhere")
    made.graph.initializer[0].ClearField("raw_data")
    with pytest.raises(ValueError, match="no valid ONNX model|other files"):
        from_onnx(made)
