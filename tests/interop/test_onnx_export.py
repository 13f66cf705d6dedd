"""Exported models: valid by ONNX' own checker, and the same outputs from onnxruntime as from `predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgd
from cases import ALONG_AN_AXIS, ELEMENTWISE, layer_cases
from contract.test_layers import call
from fastgd import layers, ops
from fastgd.reference.elementwise import BINARY, UNARY

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from fastgd.interop.onnx import export, to_onnx  # noqa: E402

Array = np.ndarray[Any, Any]
ROWS = [case for case in layer_cases() if case.inputs]
CLASSES = sorted({case.cls for case in ROWS})
# What the project promises of every layer.
CLOSE = 1e-5


def session_of(made: Any) -> Any:
    """Return what runs a model in onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])


def compare(model: Any, feeds: dict[str, Array], opset: int = 17) -> None:
    """Compare a model with its export on arrays by the names of the inputs, for two sizes of batches."""
    session = session_of(to_onnx(model, opset))
    for rows in (len(next(iter(feeds.values()))), 1):
        part = {name: x[:rows] for name, x in feeds.items()}
        want = model.predict(part if len(part) > 1 else next(iter(part.values())), verbose=0)
        wants = [want] if isinstance(want, np.ndarray) else list(want.values()) if isinstance(want, dict) else want
        for y, expected in zip(session.run(None, part), wants, strict=True):
            assert y.dtype == expected.dtype
            assert y.shape == expected.shape
            np.testing.assert_allclose(y, expected, rtol=CLOSE, atol=CLOSE)


def randomise(model: Any, seed: int) -> None:
    """Give a model asymmetric weights of order one; variances are positive."""
    rng = np.random.default_rng(seed)
    values = [rng.normal(size=w.shape) / max(w.shape[0] if w.shape else 1, 1) ** 0.5 for w in model.weights]
    names = [w.name for w in model.weights]
    model.set_weights([abs(v) + 0.1 if "variance" in n else v for v, n in zip(values, names, strict=True)])


@pytest.mark.parametrize("cls", CLASSES)
def test_every_layer(cls: str) -> None:
    for case in ROWS:
        if case.cls != cls:
            continue
        layer = getattr(layers, cls)(**case.config)
        kind = "int32" if case.integers else None
        inputs = [fastgd.Input(shape, dtype=kind, name=f"x{k}") for k, shape in enumerate(case.inputs)]
        model = fastgd.Model(inputs, call(layer, inputs))
        randomise(model, case.seed)
        rng = np.random.default_rng(case.seed + 1)
        feeds = {}
        for k, shape in enumerate(case.inputs):
            drawn = rng.integers(0, case.integers, (3, *shape)) if case.integers else rng.normal(size=(3, *shape))
            feeds[f"x{k}"] = drawn.astype(np.int32 if case.integers else np.float32)
        try:
            compare(model, feeds)
        except Exception as error:
            raise AssertionError(f"{case.id}: {error}") from error


def test_images_keep_the_order_of_their_axes_between_layers() -> None:
    x = fastgd.Input((8, 9, 2))
    y = layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same", activation="relu")(x))
    y = layers.Add()([layers.MaxPooling2D()(y), layers.AveragePooling2D(2)(layers.LeakyReLU()(y))])
    y = layers.Concatenate()([y, layers.Dropout(0.5)(y)])
    y = layers.UpSampling2D()(layers.ZeroPadding2D()(layers.Activation("gelu")(y)))
    y = layers.GlobalAveragePooling2D()(layers.Conv2DTranspose(3, 3, strides=2)(y) * 2.0)
    model = fastgd.Model(x, layers.Dense(3, "softmax")(y))
    randomise(model, 4)
    compare(model, {x.name: np.random.default_rng(0).normal(size=(3, 8, 9, 2)).astype(np.float32)})
    kinds = [node.op_type for node in to_onnx(model).graph.node]
    # At the entrance.
    assert kinds.count("Transpose") == 1
    assert {"Conv", "BatchNormalization", "MaxPool", "AveragePool", "ConvTranspose", "Gemm", "Softmax"} <= set(kinds)


def moved(x: Any, labels: Any) -> list[Any]:
    """Return tensors made by ops whose sizes hang on the batch."""
    y = layers.Dense(6, "tanh")(x)
    rows = ops.reshape(y, (None, 2, 3))
    steps = ops.transpose(ops.matmul(rows, ops.transpose(rows, (0, 2, 1))), (1, 0, 2))
    back = ops.reshape(ops.flip(ops.transpose(steps, (1, 0, 2)), 1), (None, 4))[:, ::-2]
    picked = ops.take_along_axis(y, labels, axis=1) + ops.sum(ops.one_hot(labels, 6), axis=(1,))[:, :2]
    wide = ops.broadcast_to(ops.expand_dims(ops.mean(y, axis=0), 0), (None, 6)) + ops.ones_like(y)
    ranks = ops.one_hot(ops.argmax(y, axis=-1), 6)
    parts = [
        ops.take(wide, [3, -1, 0], axis=1),
        back,
        picked,
        ops.cumsum(y, axis=1),
        ops.flip(y, 1),
        y[:, -3:-1],
        ranks,
    ]
    return [
        ops.concatenate(parts, axis=-1),
        ops.std(y, axis=-1, keepdims=True),
        ops.flip(y, 0),
        ops.pad(y, ((0, 0), (1, 2))),
    ]


REDUCED = ("sum", "mean", "prod", "max", "min", "logsumexp", "var", "std")


def test_ops_in_models_of_ones_own() -> None:
    rng = np.random.default_rng(3)
    feeds = {"x": rng.normal(size=(5, 4)).astype(np.float32), "labels": rng.integers(0, 6, (5, 2)).astype(np.int32)}
    inputs = [fastgd.Input((4,), name="x"), fastgd.Input((2,), dtype="int32", name="labels")]
    model = fastgd.Model(inputs, moved(*inputs))
    randomise(model, 1)
    compare(model, feeds)
    x = fastgd.Input((7,), name="x")
    y = fastgd.Input((7,), name="y")
    outputs = [getattr(ops, name)(x) for name in UNARY] + [getattr(ops, name)(x, y) for name in BINARY]
    outputs += [getattr(ops, name)(x, axis=1, keepdims=True) for name in REDUCED]
    outputs += [
        ops.where(ops.less(x, y), x, 2.0),
        ops.arctan2(-x, y - 1.0),
        ops.arctan2(x - x, y - y),
        ops.clip(x, 0, 1),
    ]
    outputs += [ops.activation(4.0 * (x - y), name, **numbers) for name, numbers in ELEMENTWISE]
    outputs += [ops.activation(x, name) for name in ALONG_AN_AXIS]
    feeds = {"x": rng.uniform(0.2, 2.0, (4, 7)), "y": rng.uniform(0.3, 2.0, (4, 7))}
    feeds["x"][0, :3] = feeds["y"][0, :3]
    for opset in (17, 18, 20, 23):
        compare(fastgd.Model([x, y], outputs), {k: v.astype(np.float32) for k, v in feeds.items()}, opset)


def test_float64_inputs_that_are_outputs_and_nested_models() -> None:
    x = fastgd.Input((3,), dtype="float64", name="x")
    inner = fastgd.Sequential([fastgd.Input((3,), dtype="float64"), layers.Dense(4, "tanh"), layers.Dense(3)])
    model = fastgd.Model(x, [x, inner(inner(x))])
    made = to_onnx(model)
    feeds = {"x": np.random.default_rng(0).normal(size=(2, 3))}
    compare(model, feeds)
    assert made.graph.output[0].name != "x"
    shape = made.graph.input[0].type.tensor_type.shape.dim
    assert (shape[0].dim_param, shape[1].dim_value) == ("batch", 3)


class Host(layers.NumpyLayer):
    """A function of Python's."""

    def forward(self, x: Array) -> Array:
        return x + 1


def test_files_are_written_whole_and_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    model = fastgd.Sequential([fastgd.Input((3,)), layers.Dense(2)])
    path = tmp_path / "model.onnx"
    model.export(path, format="onnx", opset_version=18)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.onnx"]
    assert onnx.load(path).opset_import[0].version == 18
    with pytest.raises(ValueError, match="`opset` must be from 17 to .*Received: opset=16"):
        export(model, path, 16)
    with pytest.raises(TypeError, match="`model` must be a model"):
        export(None, path)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is not built"):
        export(fastgd.Sequential([layers.Dense(2)]), path)
    with pytest.raises(ValueError, match="`format` is not a known format.*onnx"):
        model.export(path, format="tf_saved_model")
    with pytest.raises(ValueError, match="`input_signature` must be None"):
        model.export(path, input_signature=[(None, 3)])
    with pytest.raises(TypeError, match="export has no keyword `wrong`"):
        model.export(path, wrong=1)
    host = fastgd.Sequential([fastgd.Input((3,)), Host()])
    with pytest.raises(ValueError, match="ONNX has no counterpart of numpy_function"):
        export(host, path)
