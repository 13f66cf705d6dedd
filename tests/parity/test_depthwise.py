"""Depthwise and separable convolutions against Keras: random shapes and options, both passes, float64 and float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fastgd
import tolerances
from fastgd import layers

keras = pytest.importorskip("keras")

from parity.gradients import compare_layers, numbers, of_keras  # noqa: E402

Array = np.ndarray[Any, Any]

CLOSE = {"float64": 1e-11, "float32": 2e-5}

# Every layer with what `random_case` does not draw.
ROWS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("DepthwiseConv1D", {"kernel_size": 3, "padding": "SAME", "activation": "relu"}, (9, 5)),
    ("DepthwiseConv2D", {"kernel_size": 3, "padding": "same", "strides": 2, "activation": "tanh"}, (7, 6, 3)),
    ("DepthwiseConv2D", {"kernel_size": (2, 3), "depth_multiplier": 2, "activation": "gelu"}, (5, 6, 3)),
    ("SeparableConv1D", {"filters": 4, "kernel_size": 3, "data_format": "channels_first"}, (3, 9)),
    ("SeparableConv2D", {"filters": 4, "kernel_size": 3, "padding": "same", "activation": "selu"}, (5, 6, 3)),
    ("SeparableConv2D", {"filters": 2, "kernel_size": (3, 1), "strides": 2, "depth_multiplier": 3,
                         "use_bias": False}, (8, 7, 2)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "config", "shape"), ROWS, ids=[f"{row[0]}{k}" for k, row in enumerate(ROWS)])
def test_layers(name: str, config: dict[str, Any], shape: tuple[int, ...]) -> None:
    ours = getattr(layers, name)(**config, dtype="float64")
    theirs = getattr(keras.layers, name)(**config)
    compare_layers(ours, theirs, [numbers(3, 4, *shape)])
    assert [w.name for w in ours.weights] == [w.name for w in theirs.weights]
    assert ours.compute_output_shape((None, *shape)) == theirs.compute_output_shape((None, *shape))
    kept = ours.get_config()
    assert {key: kept[key] for key in config if key != "activation"} == {
        key: value for key, value in theirs.get_config().items() if key in config and key != "activation"
    }
    assert set(theirs.get_config()) - {"activity_regularizer"} <= set(kept)


def random_case(seed: int) -> tuple[dict[str, Any], tuple[int, ...]]:
    """Return the arguments of a depthwise convolution and the shape of its input, batch included."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(1, 3))

    def draw(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(k) for k in rng.integers(low, high + 1, rank))

    window, dilations = draw(1, 4), draw(1, 2)
    sizes = tuple((k - 1) * d + more for k, d, more in zip(window, dilations, draw(1, 20), strict=True))
    channels = int(rng.choice([1, 3, 8, 16, 19, 33]))
    config = {
        "kernel_size": window, "strides": draw(1, 3), "dilation_rate": dilations,
        "padding": str(rng.choice(["valid", "same"])), "depth_multiplier": int(rng.choice([1, 1, 1, 2, 3])),
        "data_format": str(rng.choice(["channels_last", "channels_first"])),
    }  # fmt: skip
    batch = int(rng.choice([1, 3, 17]))
    last = config["data_format"] == "channels_last"
    return config, (batch, *sizes, channels) if last else (batch, channels, *sizes)


def of_fastgd(layer: Any, factors: Array, x: Array) -> list[Array]:
    """Return y and the gradients of sum(factors y) by x and by the weights."""
    entrance = fastgd.Input(x.shape[1:], dtype=x.dtype.name)
    model = fastgd.Model(entrance, layers.Flatten()(layer(entrance)))
    y = np.asarray(layer(x))
    n, size = len(y), int(np.prod(y.shape[1:]))
    # The gradient of the mean of the squared distances to this target, over n samples, is factors / n.
    target = (y - factors * size / 2).reshape(n, size).astype(x.dtype)
    model.compile("sgd", "mse")
    plan = model.make_plan()
    run = fastgd._core.Executor(plan)
    run.bind_parameters([w.numpy() for w in model.trainable_weights])
    got = run.inspect([x, target])
    return [y, *(got["d:" + name] * n for name in (plan.inputs[0], *(p.name for p in plan.params)))]


@pytest.mark.parametrize("seed", range(20))
def test_random_convolutions(seed: int) -> None:
    config, shape = random_case(seed)
    rng = np.random.default_rng(seed + 100)
    where = {name: config[name] for name in ("strides", "dilation_rate", "padding", "data_format")}
    last = config["data_format"] == "channels_last"
    channels, many = shape[-1 if last else 1], config["depth_multiplier"]
    x, kernel, bias = (
        rng.normal(size=size) for size in (shape, (*config["kernel_size"], channels, many), channels * many)
    )

    def convolve(x: Any, kernel: Any, bias: Any) -> Any:
        along = bias if last else bias.reshape(-1, *(1,) * (len(shape) - 2))
        return keras.ops.depthwise_conv(x, kernel, **where) + along

    factors = rng.normal(size=np.shape(convolve(x, kernel, bias)))
    y, wanted = of_keras(convolve, factors, x, kernel, bias)
    for dtype, close in CLOSE.items():
        layer = getattr(layers, f"DepthwiseConv{len(shape) - 2}D")(**config, dtype=dtype)
        layer.build((None, *shape[1:]))
        layer.set_weights([kernel, bias])
        for got, want in zip(of_fastgd(layer, factors, x.astype(dtype)), (y, *wanted), strict=True):
            tolerances.assert_close(got, want, close, what=dtype)


def test_the_functions_of_arrays() -> None:
    x, depthwise, pointwise = numbers(1, 3, 8, 5, 9), numbers(2, 3, 2, 8, 2), numbers(3, 1, 1, 16, 4)
    where = {"strides": (2, 1), "padding": "same", "data_format": "channels_first"}
    for name, kernels in (("depthwise_conv", (depthwise,)), ("separable_conv", (depthwise, pointwise))):
        y = getattr(fastgd.ops, name)(x, *kernels, **where)
        tolerances.assert_close(y, getattr(keras.ops, name)(x, *kernels, **where), CLOSE["float64"], what=name)
