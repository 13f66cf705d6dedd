"""Convolutional layers: shapes, weights, orders of axes, models and errors."""

from __future__ import annotations

import numpy as np
import pytest

import fastgd
from fastgd import layers, ops
from fastgd.utils.windows import transposed_sizes, window_padding, window_sizes

KINDS = [f"Conv{rank}D{kind}" for rank in (1, 2, 3) for kind in ("", "Transpose")]


def test_a_convolution_by_hand():
    layer = layers.Conv1D(1, 2, dtype="float64")
    layer.build((None, 4, 1))
    layer.set_weights([np.array([2.0, -1.0]).reshape(2, 1, 1), np.array([0.5])])
    # The window is not reversed: 2 * 1 - 3 + 0.5, 2 * 3 - 2 + 0.5, 2 * 2 - 7 + 0.5.
    y = layer(np.array([[[1.0], [3.0], [2.0], [7.0]]]))
    np.testing.assert_allclose(y.ravel(), [-0.5, 4.5, -2.5], rtol=1e-15)


def test_a_transposed_convolution_by_hand():
    layer = layers.Conv1DTranspose(1, 3, strides=2, use_bias=False, dtype="float64")
    layer.build((None, 2, 1))
    layer.set_weights([np.array([1.0, 2.0, 4.0]).reshape(3, 1, 1)])
    # 1 lays (1, 2, 4) from place 0 on, 3 lays (3, 6, 12) from place 2 on.
    y = layer(np.array([[[1.0], [3.0]]]))
    np.testing.assert_allclose(y.ravel(), [1.0, 2.0, 7.0, 6.0, 12.0], rtol=1e-15)


def test_a_causal_convolution_knows_nothing_of_what_comes_later(rng):
    layer = layers.Conv1D(3, 4, padding="causal", dilation_rate=2)
    x = rng.normal(size=(1, 12, 2)).astype("float32")
    later = x.copy()
    later[:, 7:] += 1.0
    y, changed = layer(x), layer(later)
    assert y.shape == (1, 12, 3)
    np.testing.assert_array_equal(y[:, :7], changed[:, :7])
    assert (y[:, 7:] != changed[:, 7:]).any(axis=-1).all()


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("name", KINDS)
def test_a_transposed_convolution_is_the_adjoint(name, padding, rng):
    # <conv(u), x> = <u, transposed(x)> with one kernel, where the sizes lead back.
    rank = int(name[4])
    u = rng.normal(size=(1, *(6,) * rank, 2))
    kernel = rng.normal(size=(*(3,) * rank, 2, 3))
    there = ops.conv(u, kernel, 1, padding)
    x = rng.normal(size=there.shape)
    back = ops.conv_transpose(x, kernel, 1, padding)
    np.testing.assert_allclose(np.sum(there * x), np.sum(u * back), rtol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("name", KINDS)
def test_channels_first_is_the_transpose_of_channels_last(name, activation, rng):
    rank = int(name[4])
    x = rng.normal(size=(2, *(5, 4, 3)[:rank], 4))
    config = {"strides": 2, "padding": "same", "dtype": "float64", "activation": activation}
    last = getattr(layers, name)(3, 2, **config)
    first = getattr(layers, name)(3, 2, **config, data_format="channels_first")
    first.build((None, 4, *x.shape[1:-1]))
    last.build((None, *x.shape[1:]))
    first.set_weights(last.get_weights())
    y = first(np.moveaxis(x, -1, 1))
    np.testing.assert_allclose(np.moveaxis(y, 1, -1), last(x), rtol=1e-13)
    assert first.compute_output_shape((None, 4, *x.shape[1:-1])) == (None, *y.shape[1:])
    assert last.compute_output_shape((7, *x.shape[1:])) == (7, *last(x).shape[1:])


def test_between_layers_with_channels_first_nothing_is_transposed():
    first = {"data_format": "channels_first"}
    model = fastgd.Sequential(
        [
            fastgd.Input((3, 9, 8)),
            layers.Conv2D(4, 3, activation="relu", **first),
            layers.Conv2D(5, 2, strides=2, **first),
            layers.Conv2DTranspose(2, 2, **first),
            layers.Flatten(),
        ]
    )
    model.compile("sgd", "mse")
    steps = model.make_plan().steps
    used = {name for step in steps for name in step.inputs}
    assert sum(step.op == "transpose" and step.outputs[0] in used for step in steps) == 2
    sources = {step.op: step.inputs[0] for step in steps}
    assert "convolution" in sources["transposed_convolution"]


def test_groups_are_convolutions_side_by_side(rng):
    x, kernel, bias = rng.normal(size=(2, 5, 6, 6)), rng.normal(size=(3, 2, 2, 9)), rng.normal(size=9)
    y = ops.convolution(x, kernel, bias, strides=(1, 2), padding="same")
    parts = [
        ops.convolution(
            x[..., 2 * g : 2 * g + 2], kernel[..., 3 * g : 3 * g + 3], bias[3 * g : 3 * g + 3], (1, 2), "same"
        )
        for g in range(3)
    ]
    np.testing.assert_allclose(y, np.concatenate(parts, axis=-1), rtol=1e-12)


def test_numbers_of_padding_are_zeros_and_crops(rng):
    x, kernel = rng.normal(size=(2, 7, 6, 2)), rng.normal(size=(3, 2, 2, 4))
    wide = np.pad(x, ((0, 0), (1, 2), (0, 3), (0, 0)))
    np.testing.assert_allclose(ops.convolution(x, kernel, padding=((1, 2), (0, 3))), ops.conv(wide, kernel), rtol=1e-12)
    cut = x[:, 2:, :-1]
    np.testing.assert_allclose(
        ops.convolution(x, kernel, padding=((-2, 0), (0, -1))), ops.conv(cut, kernel), rtol=1e-12
    )
    whole = ops.conv_transpose(x, np.moveaxis(kernel, -1, -2))
    some = ops.transposed_convolution(x, np.moveaxis(kernel, -1, -2), padding=((1, 2), (0, 3)))
    np.testing.assert_allclose(some, whole[:, 1:-2, :-3], rtol=1e-12)


def test_weights_and_their_names():
    layer = layers.Conv2D(8, (5, 3), groups=2)
    layer.build((None, 9, 9, 6))
    assert [(w.name, w.shape) for w in layer.weights] == [("kernel", (5, 3, 3, 8)), ("bias", (8,))]
    # glorot_uniform: the limit of a kernel is that of its field times its channels, in and out.
    limit = (6 / (15 * 3 + 15 * 8)) ** 0.5
    assert 0.9 * limit < np.abs(layer.kernel.numpy()).max() <= limit
    transposed = layers.Conv2DTranspose(8, (5, 3), use_bias=False)
    transposed.build((None, 9, 9, 6))
    assert [w.shape for w in transposed.weights] == [(5, 3, 8, 6)]


def test_a_small_network_learns(rng):
    # The class is where the brighter half of the image is.
    x = rng.uniform(size=(256, 8, 8, 1)).astype("float32")
    left = rng.integers(0, 2, 256)
    x[left == 1, :, :4] += 0.5
    x[left == 0, :, 4:] += 0.5
    model = fastgd.Sequential(
        [
            fastgd.Input((8, 8, 1)),
            layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
            layers.Conv2D(8, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(fastgd.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, left, epochs=8, batch_size=32, verbose=0).history
    assert history["accuracy"][-1] > 0.95


def test_a_sigmoid_at_the_end_is_left_to_the_loss(rng):
    model = fastgd.Sequential([fastgd.Input((6, 6, 2)), layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    steps = model.make_plan().steps
    assert [step.op for step in steps] == ["convolution", "sigmoid_crossentropy"]
    assert steps[0].attrs["activation"] == "linear"
    assert steps[0].attrs["strides"] == (1, 1)
    x = rng.normal(size=(4, 6, 6, 2)).astype("float32")
    assert np.isfinite(model.fit(x, np.ones((4, 6, 6, 1)), verbose=0).history["loss"][0])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: layers.Conv2D(0, 3), ValueError, "^`filters` must be 1 or more. Received: filters=0$"),
        (lambda: layers.Conv2D(2.0, 3), TypeError, "^`filters` must be an integer. Received: filters=2.0$"),
        (lambda: layers.Conv2D(2, (3,)), ValueError, r"`kernel_size` must be an integer or hold 2.*kernel_size=\(3,\)"),
        (lambda: layers.Conv2D(2, (3, 0)), ValueError, "`kernel_size` must be 1 or more. Received: kernel_size=0"),
        (lambda: layers.Conv1D(2, 3, strides=-1), ValueError, "`strides` must be 1 or more. Received: strides=-1"),
        (lambda: layers.Conv1D(2, 3, dilation_rate="2"), TypeError, "`dilation_rate` must be an integer"),
        (lambda: layers.Conv2D(2, 3, padding="causal"), ValueError, "`padding` is not a known.*padding='causal'"),
        (lambda: layers.Conv1DTranspose(2, 3, padding="causal"), ValueError, "Known: same, valid"),
        (
            lambda: layers.Conv2D(2, 3, padding=1),
            TypeError,
            "`padding` must be one of valid, same. Received: padding=1",
        ),
        (lambda: layers.Conv2D(2, 3, data_format="nchw"), ValueError, "`data_format` is not a known order of axes"),
        (lambda: layers.Conv2D(3, 3, groups=2), ValueError, "`filters` must be a multiple of `groups`. .*groups=2"),
        (lambda: layers.Conv2D(3, 3, groups=0), ValueError, "`groups` must be 1 or more"),
        (lambda: layers.Conv2DTranspose(3, 3, groups=1), TypeError, "Conv2DTranspose has no keyword `groups`"),
        (
            lambda: layers.Conv2DTranspose(3, 3, strides=2, output_padding=(1, 2)),
            ValueError,
            r"`output_padding` must be below `strides`.*output_padding=\(1, 2\), strides=2",
        ),
        (lambda: layers.Conv2DTranspose(3, 3, output_padding=-1), ValueError, "`output_padding` must be 0 or more"),
    ],
)
def test_wrong_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_inputs_that_do_not_fit():
    with pytest.raises(
        ValueError, match=r"'conv2d' needs one input \(batch, sizes..., channels\) of 4 axes.*\(None, 5, 3\)"
    ):
        layers.Conv2D(2, 3)(fastgd.Input((5, 3)))
    with pytest.raises(ValueError, match=r"needs one input \(batch, channels, sizes...\) of 3 axes"):
        layers.Conv1D(2, 3, data_format="channels_first").build((None, 3, None))
    with pytest.raises(ValueError, match=r"needs one input"):
        layers.Conv1D(2, 3)([fastgd.Input((5, 3)), fastgd.Input((5, 3))])
    with pytest.raises(
        ValueError, match=r"The window covers \(5, 3\) and does not fit.*which is \(4, 9\).*input_sizes=\(4, 9\)"
    ):
        layers.Conv2D(2, 3, dilation_rate=(2, 1))(fastgd.Input((4, 9, 1)))
    with pytest.raises(ValueError, match=r"`groups` must divide the channels of x. Received: groups=2, input_shape="):
        layers.Conv2D(2, 3, groups=2)(fastgd.Input((5, 5, 3)))
    shared = layers.Conv2D(2, 3)
    shared(fastgd.Input((5, 5, 3)))
    with pytest.raises(
        ValueError, match=r"^\[convolution\] the channels of x .*: x has 2 channels, the kernel is \(3, 3, 3, 2\)"
    ):
        shared(fastgd.Input((5, 5, 2)))


def test_operands_that_do_not_fit(rng):
    x, kernel = rng.normal(size=(2, 5, 5, 3)), rng.normal(size=(3, 3, 3, 4))
    for wrong, message in (
        (lambda: ops.conv(x, kernel[0]), r"^\[convolution\] the kernel must have as many axes as x"),
        (lambda: ops.conv(x[0, 0], kernel), r"^\[convolution\] x must have 3 or 4 or 5 axes"),
        (lambda: ops.conv(x, kernel[:, :, :2]), r"^\[convolution\] the channels of x must be those of the kernel"),
        (lambda: ops.convolution(x, kernel, np.ones(3)), r"^\[convolution\] the bias must have one value per unit"),
        (
            lambda: ops.convolution(x, kernel, activation="softmax"),
            "`activation` is not a known activation of convolution",
        ),
        (
            lambda: ops.convolution(x, kernel, padding=((1, 1),)),
            "`padding` must name a kind or hold a pair for each of 2",
        ),
        (
            lambda: ops.conv_transpose(x, kernel),
            r"^\[transposed_convolution\] the last size of the kernel must be the ch",
        ),
        (
            lambda: ops.transposed_convolution(x, np.ones((1, 1, 2, 3)), padding=((3, 3), (0, 0))),
            r"`padding` leaves nothing of the output. .*output_sizes=\(-1, 5\)",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            wrong()


def test_sizes_and_padding_by_hand():
    # Keras: ceil(size / stride) windows, the odd zero behind.
    assert window_padding("same", (5, 6, 7), (2, 3, 4), (1, 2, 3), (1, 1, 1)) == ((0, 0, 1), (1, 1, 2))
    assert window_padding("same", (5, 5), (1, 5), (3, 1), (1, 1)) == ((0, 2), (0, 2))
    assert window_padding("causal", (5,), (3,), (1,), (2,)) == ((4,), (0,))
    assert window_sizes((7, 7), (3, 2), (2, 1), (1, 3), (0, 1), (0, -1)) == (3, 4)
    assert transposed_sizes("valid", (3, 3), (2, 3), (3, 2), (1, 1)) == ((9, 7), (0, 0), (-1, 0))
    assert transposed_sizes("same", (3, 3), (4, 3), (2, 2), (1, 1)) == ((6, 6), (1, 0), (1, 1))
    assert transposed_sizes("same", (3,), (3,), (2,), (1,), (1,)) == ((6,), (0,), (1,))
