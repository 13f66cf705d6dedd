"""Convolutions of random shapes, strides, dilations, groups and paddings against Keras and PyTorch, both passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import keras
import numpy as np
import pytest

import fastgd
from fastgd import layers, ops, runtime
from fastgd.ops.builder import PlanBuilder
from fastgd.ops.parameters import Variable
from fastgd.plan import Term

Array = np.ndarray[Any, Any]

# What values and gradients may differ by, relative to the largest of each: what the project promises.
CLOSE = {"float64": 1e-11, "float32": 2e-5}

# Configurations that one test draws, and the tests: most of the time goes into compiling what JAX runs once, which is
# quicker for many at a time.
AT_A_TIME, SEEDS = 45, range(12)


@dataclass
class Drawn:
    """A layer of both libraries, with an input, weights and what the output is multiplied by before it is summed."""

    ours: Any
    theirs: Any
    x: Array
    weights: list[Array]
    factors: Array


def draw_config(rng: np.random.Generator) -> tuple[str, dict[str, Any], tuple[int, ...], int]:
    """Return the name of a layer, its arguments, and the sizes and channels of an input that is large enough."""
    rank, transposed, groups = int(rng.integers(1, 4)), bool(rng.integers(2)), int(rng.choice([1, 1, 2, 3]))
    most = 4 if rank < 3 else 2

    def several(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(v) for v in rng.integers(low, high, rank))

    window, strides, dilations = several(1, most + 1), several(1, most), several(1, 3 if rank < 3 else 2)
    paddings = ["valid", "same", "causal"] if rank == 1 and not transposed else ["valid", "same"]
    config: dict[str, Any] = {
        "filters": int(rng.integers(1, 4)), "kernel_size": window, "strides": strides, "dilation_rate": dilations,
        "padding": str(rng.choice(paddings)), "use_bias": bool(rng.integers(4)),
        "activation": str(rng.choice(["linear", "tanh", "softplus"])),
        "data_format": str(rng.choice(["channels_last", "channels_first"])),
    }  # fmt: skip
    channels = int(rng.integers(1, 4))
    if transposed:
        if rng.integers(2):
            config["output_padding"] = tuple(int(rng.integers(0, step)) for step in strides)
        sizes = several(2, 6 if rank < 3 else 4)
    else:
        config |= {"filters": config["filters"] * groups, "groups": groups}
        channels *= groups
        # A "valid" window must fit; elements that no window sees are wanted, too.
        extents = [(k - 1) * d + 1 for k, d in zip(window, dilations, strict=True)]
        least = extents if config["padding"] == "valid" else [1] * rank
        sizes = tuple(low + more for low, more in zip(least, several(0, 6 if rank < 3 else 3), strict=True))
    return f"Conv{rank}D{'Transpose' if transposed else ''}", config, sizes, channels


def draw_tiled(rng: np.random.Generator) -> tuple[str, dict[str, Any], tuple[int, ...], int]:
    """Return the same for a convolution that is computed in tiles: windows of 3x3 over enough channels."""
    _, config, _, _ = draw_config(rng)
    config |= {
        "filters": int(rng.integers(8, 50)), "kernel_size": (3, 3), "strides": (1, 1), "dilation_rate": (1, 1),
        "padding": str(rng.choice(["valid", "same"])), "groups": 1,
    }  # fmt: skip
    config.pop("output_padding", None)
    return "Conv2D", config, (int(rng.integers(4, 13)), int(rng.integers(4, 13))), int(rng.integers(12, 50))


def draw(rng: np.random.Generator, configs: Callable[[np.random.Generator], Any] = draw_config) -> Drawn:
    name, config, sizes, channels = configs(rng)
    shape = (*sizes, channels) if config["data_format"] == "channels_last" else (channels, *sizes)
    ours = getattr(layers, name)(**config, dtype="float64")
    # Keras' layers refuse strides together with dilations, though its ops on JAX compute both. Drawing initial values
    # that are overwritten takes JAX as long as all else.
    theirs = getattr(keras.layers, name)(**{**config, "dilation_rate": 1, "kernel_initializer": "zeros"})
    theirs.dilation_rate = config["dilation_rate"]
    # Tiles need some samples before they pay for transforming the weights.
    samples = 2 if configs is draw_config else 8
    x = rng.normal(size=(samples, *shape))
    for layer in (ours, theirs):
        layer.build((None, *shape))
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights], config
    expected = tuple(theirs.compute_output_shape((samples, *shape)))
    assert ours.compute_output_shape((samples, *shape)) == expected, config
    # Sums of order one, where no activation is flat.
    weights = [rng.normal(size=w.shape) / max(1, np.prod(w.shape[:-1])) ** 0.5 for w in ours.weights]
    return Drawn(ours, theirs, x, weights, rng.normal(size=expected))


def of_jax(drawn: Sequence[Drawn]) -> list[list[Array]]:
    """Return the output of each of Keras' layers and the gradients by its input and its weights."""

    def both_passes(arrays: Any) -> Any:
        results = []
        for each, (x, weights, factors) in zip(drawn, arrays, strict=True):
            y, back = jax.vjp(lambda x, w, layer=each.theirs: layer.stateless_call(w, [], x)[0], x, weights)
            by_input, by_weights = back(factors)
            results.append([y, by_input, *by_weights])
        return results

    computed = jax.jit(both_passes)([(each.x, each.weights, each.factors) for each in drawn])
    return [[np.asarray(value) for value in values] for values in computed]


def of_fastgd(function: Callable[..., Any], x: Array, factors: Array, weights: Sequence[Variable]) -> list[list[Array]]:
    """Return `function(x)` and the gradients of sum(factors y) by x and the weights, in each interpreter."""
    dtype = str(x.dtype)
    builder = PlanBuilder(dtype)
    y = function(builder.input("x", (-1, *x.shape[1:])))
    assert y.dims == (-1, *factors.shape[1:])
    weighted = ops.multiply(y, builder.input("factors", y.dims))
    v = ops.sum(weighted, axis=tuple(range(1, len(y.dims))))
    plan = builder.build([y], losses=[Term("loss", v.name, reduction="sum")])
    gradients = ["d:x", *(f"d:{builder.param(w)}" for w in weights)]
    found = []
    for backend in runtime.BACKENDS:
        with runtime.backend(backend):
            executor = runtime.create_executor(plan)
        executor.bind_parameters([variable.value for variable in builder.variables])
        seen = executor.inspect([x, factors.astype(dtype)])
        found.append([np.array(seen[name]) for name in (y.name, *gradients)])
    return found


def assert_all_close(found: Sequence[Array], wanted: Sequence[Array], what: object) -> None:
    for got, want in zip(found, wanted, strict=True):
        assert got.shape == want.shape, what
        # What is summed is of order one, and may cancel.
        bound = CLOSE[str(got.dtype)] * max(float(np.max(np.abs(want))), 0.1)
        np.testing.assert_allclose(got, want, rtol=0, atol=bound, err_msg=str(what))


@pytest.mark.parametrize("configs", [draw_config, draw_tiled])
@pytest.mark.parametrize("seed", SEEDS)
def test_random_layers(seed: int, configs: Callable[[np.random.Generator], Any]) -> None:
    rng = np.random.default_rng(seed)
    drawn = [draw(rng, configs) for _ in range(AT_A_TIME if configs is draw_config else 5)]
    for each, wanted in zip(drawn, of_jax(drawn), strict=True):
        config = each.ours.get_config()
        for dtype in CLOSE:
            layer = type(each.ours)(**{**config, "dtype": dtype})
            layer.build((None, *each.x.shape[1:]))
            layer.set_weights(each.weights)
            for found in of_fastgd(layer.emit, each.x.astype(dtype), each.factors, layer.weights):
                assert_all_close(found, wanted, config)


def test_there_are_500_configurations_of_every_kind() -> None:
    drawn = [draw_config(np.random.default_rng((seed, k))) for seed in SEEDS for k in range(AT_A_TIME)]
    assert len(drawn) >= 500
    both = [c for _, c, _, _ in drawn if max(c["strides"]) > 1 and max(c["dilation_rate"]) > 1]
    assert len(both) > 50
    assert {name for name, *_ in drawn} == {f"Conv{d}D{kind}" for d in (1, 2, 3) for kind in ("", "Transpose")}


@pytest.mark.parametrize("name", ["conv", "conv_transpose"])
def test_the_ops_on_arrays(name: str) -> None:
    rng = np.random.default_rng(3)
    x, kernel = rng.normal(size=(2, 7, 6, 3)), rng.normal(size=(3, 2, 3, 3))
    for strides, padding, dilations in ((1, "same", 2), ((2, 3), "SAME", 1), ([1, 2], "valid", (2, 1))):
        got = getattr(ops, name)(x, kernel, strides, padding, dilation_rate=dilations)
        want = getattr(keras.ops, name)(x, kernel, strides, padding.lower(), dilation_rate=dilations)
        assert_all_close([got], [keras.ops.convert_to_numpy(want)], (strides, padding, dilations))


def test_softmax_is_along_the_last_axis_whatever_the_order() -> None:
    config = {"filters": 3, "kernel_size": 2, "activation": "softmax", "data_format": "channels_first"}
    ours, theirs = layers.Conv1D(**config, dtype="float64"), keras.layers.Conv1D(**config)
    x = np.random.default_rng(4).normal(size=(2, 3, 5))
    for layer in (ours, theirs):
        layer.build((None, 3, 5))
    ours.set_weights(theirs.get_weights())
    assert_all_close([ours(x)], [keras.ops.convert_to_numpy(theirs(x))], config)


@pytest.mark.parametrize("cls", ["Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"])
def test_arguments_and_configs_are_those_of_keras(cls: str) -> None:
    made = [getattr(library.layers, cls)(4, 3) for library in (fastgd, keras)]
    ours, theirs = (layer.get_config() for layer in made)
    assert set(theirs) - set(ours) <= {"activity_regularizer", "lora_rank"}
    for name in ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "use_bias"):
        assert ours[name] == theirs[name], name
    assert ours.get("output_padding") == theirs.get("output_padding")
    assert ours.get("groups") == theirs.get("groups")
    longer = cls.replace("Conv", "Convolution")
    assert getattr(layers, longer) is getattr(layers, cls)
    assert hasattr(keras.layers, longer)
    # By position, too.
    given = (4, 3, 2, "same", None) if cls != "Conv3DTranspose" else (4, 3, 2, "same", "channels_first", 1)
    ours, theirs = (getattr(library.layers, cls)(*given).get_config() for library in (fastgd, keras))
    assert [ours.get(n) for n in ("data_format", "output_padding")] == [
        theirs.get(n) for n in ("data_format", "output_padding")
    ]


@pytest.mark.parametrize("shape", [(3, 5, 4, 8), (5, 7, 3), (2, 2, 2, 3, 4)])
def test_the_limits_of_the_initial_kernels(shape: tuple[int, ...]) -> None:
    fans = keras.src.initializers.random_initializers.compute_fans(shape)
    assert fastgd.initializers.compute_fans(shape) == fans


def torch_configs() -> list[tuple[int, bool, int]]:
    return [(rank, transposed, seed) for rank in (1, 2, 3) for transposed in (False, True) for seed in range(12)]


@pytest.mark.parametrize(("rank", "transposed", "seed"), torch_configs())
def test_numbers_of_padding_against_torch(rank: int, transposed: bool, seed: int) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng((rank, transposed, seed))

    def several(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(v) for v in rng.integers(low, high, rank))

    window, strides, dilations, sizes = several(1, 4), several(1, 4), several(1, 3), several(7, 10)
    channels, filters, groups = int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.integers(1, 3))
    if transposed:
        groups = 1
    pads = [(int(a), int(b)) for a, b in rng.integers(-1, 3, (rank, 2))]
    more = tuple(int(rng.integers(0, step)) for step in strides)
    x = rng.normal(size=(2, channels * groups, *sizes))
    kernel = rng.normal(size=(*window, *((filters, channels) if transposed else (channels, filters * groups))))
    bias = rng.normal(size=filters * groups)

    leaves = [torch.tensor(value, requires_grad=True) for value in (x, np.moveaxis(kernel, (-1, -2), (0, 1)), bias)]
    if transposed:
        function = getattr(torch.nn.functional, f"conv_transpose{rank}d")
        # The whole transpose with what is wanted behind, cut at both ends.
        ends = [number for (a, b), m in zip(reversed(pads), reversed(more), strict=True) for number in (-a, m - b)]
        whole = function(*leaves[:2], stride=strides, dilation=dilations)
        y = torch.nn.functional.pad(whole, ends) + leaves[2].reshape(-1, *(1,) * rank)
    else:
        ends = [number for pair in reversed(pads) for number in pair]
        padded = torch.nn.functional.pad(leaves[0], ends)
        function = getattr(torch.nn.functional, f"conv{rank}d")
        y = function(padded, *leaves[1:], stride=strides, dilation=dilations, groups=groups)
    factors = rng.normal(size=tuple(y.shape))
    slopes = torch.autograd.grad((y * torch.tensor(factors)).sum(), leaves)
    wanted = [value.detach().numpy() for value in (y, *slopes)]
    wanted[2] = np.moveaxis(wanted[2], (0, 1), (-1, -2))

    for dtype in CLOSE:
        w, b = Variable(kernel, "kernel", dtype), Variable(bias, "bias", dtype)
        where: dict[str, Any] = {"strides": strides, "padding": pads, "dilation_rate": dilations}
        where |= {"output_padding": more} if transposed else {}
        op = ops.transposed_convolution if transposed else ops.convolution
        function = partial(op, kernel=w, bias=b, data_format="channels_first", **where)
        for found in of_fastgd(function, x.astype(dtype), factors, [w, b]):
            assert_all_close(found, wanted, (window, strides, dilations, pads, more))
