"""Depthwise and separable convolutions: by hand, orders of axes, weights, several threads and errors."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
import tolerances
from fastgd import layers, ops

KINDS = [f"{kind}Conv{rank}D" for kind in ("Depthwise", "Separable") for rank in (1, 2)]


def make(name, **config):
    return getattr(layers, name)(*(() if name.startswith("Depthwise") else (3,)), kernel_size=3, **config)


def test_a_depthwise_convolution_by_hand():
    layer = layers.DepthwiseConv1D(2, depth_multiplier=2, dtype="float64")
    layer.build((None, 3, 2))
    # Of channel 0: (1, 2) and (0, 1); of channel 1: (-1, 0) and (3, 1).
    kernel = np.array([[[1.0, 0.0], [-1.0, 3.0]], [[2.0, 1.0], [0.0, 1.0]]])
    layer.set_weights([kernel, np.array([0.5, 0.0, 0.0, 0.0])])
    y = layer(np.array([[[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]]]))
    np.testing.assert_allclose(y[0], [[5.5, 2.0, -10.0, 50.0], [10.5, 4.0, -20.0, 100.0]], rtol=1e-15)


@pytest.mark.parametrize("many", [1, 3])
def test_it_is_a_convolution_with_as_many_groups_as_channels(many, rng):
    x, kernel = rng.normal(size=(3, 9, 8, 5)), rng.normal(size=(3, 2, 5, many))
    where = {"strides": (2, 1), "padding": "same", "dilation_rate": (1, 2)}
    with fastgd.backend("numpy"):
        expected = ops.conv(x, kernel.reshape(3, 2, 1, 5 * many), **where)
    tolerances.assert_close(ops.depthwise_conv(x, kernel, **where), expected, tolerances.summed("float64", 6))


@pytest.mark.parametrize("name", KINDS)
def test_a_separable_convolution_is_a_depthwise_one_and_a_product(name, rng):
    rank = int(name[-2])
    x = rng.normal(size=(2, *(7,) * rank, 4))
    kernel, mixing = rng.normal(size=(*(3,) * rank, 4, 2)), rng.normal(size=(*(1,) * rank, 8, 5))
    expected = np.asarray(ops.depthwise_conv(x, kernel, 2)) @ mixing.reshape(8, 5)
    tolerances.assert_close(ops.separable_conv(x, kernel, mixing, 2), expected, tolerances.summed("float64", 8))


@pytest.mark.parametrize("name", KINDS)
def test_channels_first_is_the_transpose_of_channels_last(name, rng):
    rank = int(name[-2])
    last = make(name, padding="same", depth_multiplier=2, activation="tanh", dtype="float64")
    first = make(name, padding="same", depth_multiplier=2, activation="tanh", dtype="float64",
                 data_format="channels_first")  # fmt: skip
    x = rng.normal(size=(2, *(5,) * rank, 3))
    turned = np.moveaxis(x, -1, 1)
    y = last(x)
    first.build((None, *turned.shape[1:]))
    first.set_weights(last.get_weights())
    np.testing.assert_array_equal(np.moveaxis(first(turned), 1, -1), y)
    assert first.compute_output_shape(turned.shape) == np.moveaxis(y, -1, 1).shape


@pytest.mark.parametrize("name", KINDS)
def test_names_of_weights(name):
    layer = make(name)
    rank = int(name[-2])
    layer.build((None, *(5,) * rank, 3))
    names = ["kernel", "bias"] if name.startswith("Depth") else ["depthwise_kernel", "pointwise_kernel", "bias"]
    assert [w.name for w in layer.weights] == names
    if name.startswith("Separable"):
        assert layer.pointwise_kernel.shape == (*(1,) * rank, 3, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth_multiplier": 0}, r"`depth_multiplier` must be 1 or more\. Received: depth_multiplier=0$"),
        ({"padding": "causal"}, r"`padding` is not a known kind of padding\..*Received: padding='causal'$"),
        ({"strides": (1, 2, 3)}, r"`strides` must be an integer or hold .*Received: strides=\(1, 2, 3\)$"),
        ({"data_format": "last"}, r"`data_format` is not a known order of axes\..*Received: data_format='last'$"),
    ],
)
@pytest.mark.parametrize("name", KINDS)
def test_wrong_arguments(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        make(name, **arguments)


@pytest.mark.parametrize("name", KINDS)
def test_inputs_that_do_not_fit(name):
    rank = int(name[-2])
    with pytest.raises(ValueError, match="does not fit into the input"):
        make(name).build((None, *(2,) * rank, 3))
    with pytest.raises(ValueError, match=rf"of {rank + 2} axes"):
        make(name).build((None, 9))


def test_kernels_that_do_not_fit(rng):
    x = rng.normal(size=(2, 6, 6, 3))
    with pytest.raises(ValueError, match=r"^\[depthwise_convolution\] the kernel must have the channels of x"):
        ops.depthwise_conv(x, np.ones((3, 3, 4, 1)))
    with pytest.raises(ValueError, match=r"^\[separable_convolution\] the pointwise kernel must have windows of 1"):
        ops.separable_conv(x, np.ones((3, 3, 3, 1)), np.ones((1, 2, 3, 5)))
    with pytest.raises(ValueError, match=r"^\[depthwise_convolution\] x must have 3 or 4 axes"):
        ops.depthwise_conv(rng.normal(size=(2, 3, 3, 3, 3)), np.ones((3, 3, 3, 3, 1)))
